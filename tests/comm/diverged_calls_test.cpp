/// In-process ranks never deadlock: whoever waits for what cannot come is told what each rank does.
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>

#include "comm/inprocess_communicator.hpp"

namespace quartet {
namespace {

std::string failure_of(int ranks, const std::function<void(Communicator&)>& body) {
  try {
    run_in_process(ranks, body);
  } catch (const DivergedCalls& failure) {
    return failure.what();
  }
  return "none";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(DivergedCalls, different_collectives_name_both_calls) {
  const std::string message = failure_of(2, [](Communicator& world) {
    if (world.rank() == 0) {
      world.gather("weights", 0, {});
    } else {
      world.barrier("checkpoint");
    }
  });
  EXPECT_TRUE(contains(message, "rank 0 is in gather to rank 0 'weights'")) << message;
  EXPECT_TRUE(contains(message, "rank 1 is in barrier 'checkpoint'")) << message;
}

TEST(DivergedCalls, same_collective_with_another_name_or_root) {
  EXPECT_TRUE(contains(
      failure_of(3, [](Communicator& world) { world.barrier(world.rank() == 2 ? "b" : "a"); }),
      "rank 2 is in barrier 'b'"));
  EXPECT_TRUE(contains(
      failure_of(2, [](Communicator& world) { world.gather("x", world.rank(), {}); }), "gather"));
}

TEST(DivergedCalls, a_rank_that_has_ended_is_named) {
  const std::string message = failure_of(3, [](Communicator& world) {
    if (world.rank() != 1) world.barrier("step 5");
  });
  EXPECT_TRUE(contains(message, "rank 0 waits in barrier 'step 5'; rank 1 has ended")) << message;
}

TEST(DivergedCalls, a_message_that_never_comes) {
  const std::string message = failure_of(2, [](Communicator& world) {
    if (world.rank() == 0) {
      world.open_receive(1, 0, 8, 1)->receive();
    } else {
      world.barrier("b");
    }
  });
  EXPECT_TRUE(contains(message, "rank 0 waits in a message from rank 1; rank 1 waits in barrier"))
      << message;
}

TEST(DivergedCalls, a_sender_whose_messages_nobody_takes) {
  const std::string message = failure_of(2, [](Communicator& world) {
    if (world.rank() == 1) return;
    const auto lane = world.open_send(1, 0, 8, 2);
    for (int i = 0; i < 3; ++i) {
      lane->buffer();
      lane->send(1);
    }
  });
  EXPECT_TRUE(contains(message, "whose slots are all full")) << message;
}

TEST(DivergedCalls, lanes_of_different_sizes) {
  EXPECT_TRUE(contains(failure_of(2,
                                  [](Communicator& world) {
                                    if (world.rank() == 0) {
                                      world.open_send(1, 0, 8, 1);
                                    } else {
                                      world.open_receive(0, 0, 9, 1);
                                    }
                                  }),
                       "different sizes"));
}

TEST(InProcess, the_first_failure_is_rethrown_and_the_others_hear_of_it) {
  std::string heard;
  try {
    run_in_process(3, [&](Communicator& world) {
      if (world.rank() == 1) throw std::domain_error("rank 1 has had enough");
      try {
        world.barrier("never complete");
      } catch (const PeerFailure& failure) {
        if (world.rank() == 0) heard = failure.what();
        throw;
      }
    });
    FAIL() << "nothing thrown";
  } catch (const std::domain_error& failure) {
    EXPECT_STREQ(failure.what(), "rank 1 has had enough");
  }
  EXPECT_EQ(heard, "rank 1 has had enough");
}

TEST(InProcess, abort_ends_all_ranks_with_the_code) {
  for (const int ranks : {1, 2}) {
    try {
      run_in_process(ranks, [](Communicator& world) {
        if (world.rank() == 0) world.abort("disk full", 3);
        world.barrier("never complete");
      });
      FAIL() << "nothing thrown";
    } catch (const Aborted& failure) {
      EXPECT_STREQ(failure.what(), "disk full");
      EXPECT_EQ(failure.code, 3);
    }
  }
}

TEST(InProcess, one_rank_runs_on_the_calling_thread) {
  const auto here = std::this_thread::get_id();
  run_in_process(1, [&](Communicator& world) {
    EXPECT_EQ(std::this_thread::get_id(), here);
    world.barrier("alone");
  });
  EXPECT_THROW(run_in_process(0, [](Communicator&) {}), std::invalid_argument);
}

}  // namespace
}  // namespace quartet
