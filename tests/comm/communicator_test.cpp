/// What every transport promises.
#include <array>
#include <string>

#include "comm/float_mode.hpp"
#include "comm/handshake.hpp"
#include "tests/comm/transport.hpp"

namespace quartet {
namespace {

std::string text_of(int rank) { return std::string(static_cast<std::size_t>(rank) * 1000, 'x'); }

/// What `call` throws, or "nothing".
template <class Failure, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "nothing";
}

TRANSPORT_TEST(Communicator, reduces_integers) {
  std::array<std::int64_t, 2> sum = {world.rank(), std::int64_t{1} << 40};
  std::array<std::int64_t, 2> max = {world.rank(), -world.rank()};
  world.all_reduce_sum("sum", sum);
  world.all_reduce_max("max", max);
  const std::int64_t n = world.size();
  EXPECT_EQ(sum[0], n * (n - 1) / 2);
  EXPECT_EQ(sum[1], n << 40);
  EXPECT_EQ(max[0], n - 1);
  EXPECT_EQ(max[1], 0);
}

TRANSPORT_TEST(Communicator, gathers_bytes_of_any_length) {
  for (int root = 0; root < world.size(); ++root) {
    const auto all = world.gather("texts", root, to_bytes(text_of(world.rank())));
    EXPECT_EQ(all.size(), static_cast<std::size_t>(world.rank() == root ? world.size() : 0));
    for (std::size_t rank = 0; rank < all.size(); ++rank) {
      EXPECT_EQ(to_text(all[rank]), text_of(static_cast<int>(rank)));
    }
  }
}

TRANSPORT_TEST(Communicator, broadcasts_from_any_rank) {
  for (int root = 0; root < world.size(); ++root) {
    Bytes bytes = to_bytes(text_of(world.rank()) + "of rank " + std::to_string(world.rank()));
    world.broadcast("text", root, bytes);
    EXPECT_EQ(to_text(bytes), text_of(root) + "of rank " + std::to_string(root));
  }
}

TRANSPORT_TEST(Communicator, splits_by_color_in_order_of_key) {
  const int color = world.rank() % 2;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto part = world.split("halves", color, -world.rank());
    std::int64_t members[] = {1};
    part->all_reduce_sum("members", members);
    EXPECT_EQ(members[0], (world.size() + 1 - color) / 2);
    EXPECT_EQ(part->size(), members[0]);
    EXPECT_EQ(part->rank(), part->size() - 1 - world.rank() / 2);
  }
  world.barrier("end");
}

TRANSPORT_TEST(Communicator, lanes_keep_order_and_length) {
  constexpr int slots = 3;
  constexpr std::size_t max_bytes = 20000;  // longer than eager
  const int next = (world.rank() + 1) % world.size();
  const int before = (world.rank() + world.size() - 1) % world.size();
  if (world.size() > 1) {
    auto out = world.open_send(next, 7, max_bytes, slots);
    auto in = world.open_receive(before, 7, max_bytes, slots);
    int wrong = 0;
    for (int message = 0; message < 200; ++message) {
      const auto bytes = static_cast<std::size_t>((message * 7919 + world.rank()) % 20001);
      const auto buffer = out->buffer();
      std::fill_n(buffer.begin(), bytes, static_cast<std::byte>(message));
      out->send(bytes);
      const auto got = in->receive();
      wrong += got.size() != static_cast<std::size_t>((message * 7919 + before) % 20001);
      for (const std::byte byte : got) wrong += byte != static_cast<std::byte>(message);
    }
    EXPECT_EQ(wrong, 0);
    world.barrier("all have received");
  }
}

TRANSPORT_TEST(Communicator, lanes_of_a_part_do_not_meet_those_of_the_whole) {
  if (world.size() > 1) {
    const auto part = world.split("copy", 0, world.rank());
    const auto send = [&](Communicator& in, std::byte value) {
      auto lane = in.open_send(1, 0, 8, 2);
      lane->buffer()[0] = value;
      lane->send(1);
      world.barrier("sent and received");
    };
    const auto receive = [&](Communicator& in) {
      auto lane = in.open_receive(0, 0, 8, 2);
      const std::byte value = lane->receive()[0];
      world.barrier("sent and received");
      return value;
    };
    if (world.rank() == 0) {
      auto early = world.open_send(1, 0, 8, 2);
      early->buffer()[0] = std::byte{1};
      early->send(1);
      send(*part, std::byte{2});
    } else if (world.rank() == 1) {
      EXPECT_EQ(receive(*part), std::byte{2});
      auto lane = world.open_receive(0, 0, 8, 2);
      EXPECT_EQ(lane->receive()[0], std::byte{1});
    } else {
      world.barrier("sent and received");
    }
  }
  world.barrier("end");
}

TRANSPORT_TEST(Communicator, flushes_to_zero_on_every_rank) { EXPECT_TRUE(flushes_to_zero()); }

TRANSPORT_TEST(Handshake, passes_where_all_agree) {
  handshake(world, {{"version", "1.0"}, {"experiment digest", "5f3a"}});
}

TRANSPORT_TEST(Handshake, names_both_sides_of_a_difference) {
  if (world.size() == 1) return;
  const bool last = world.rank() == world.size() - 1;
  const std::string message = message_of<SharedFailure>([&] {
    handshake(world, {{"version", "1.0"}, {"experiment digest", last ? "aaaa" : "5f3a"}});
  });
  EXPECT_EQ(message, "handshake: rank " + std::to_string(world.size() - 1) +
                         " has experiment digest aaaa, but rank 0 has experiment digest 5f3a; "
                         "start all ranks with the same installation and the same files");
}

TRANSPORT_TEST(Handshake, refuses_another_build) {
  if (world.size() == 1) return;
  Fingerprint mine = {{"version", "1.0"}};
  if (world.rank() == 1) mine.clear();
  EXPECT_NE(message_of<SharedFailure>([&] { handshake(world, mine); }).find("different builds"),
            std::string::npos);
}

}  // namespace
}  // namespace quartet
