/// What is between ranks: how much room it has, and what comes of messages that are not as they
/// should be.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "comm/control_word.hpp"
#include "comm/inprocess_communicator.hpp"
#include "models/network.hpp"
#include "tests/comm/fake_brain.hpp"
#include "tests/comm/tampering.hpp"

namespace quartet {
namespace {

constexpr int signals_tag = 0, cortex_tag = 1;

TEST(ExchangeMessages, have_room_for_one_slice_and_for_all_its_cells_at_once) {
  // Only cortex is split, and rank 4 hears all of it.
  const Placement placement =
      Placement::parse("cortex:0,1,2,3 cerebellum:4 basal_ganglia:4 thalamus:4 body:4", 5);
  const RegionPorts& cortex = fake_ports()[0];
  const auto cells = [&](const Port& port, int slice) {
    std::vector<Spike> spikes;
    for (std::uint32_t substep = 0; substep < port.substeps; ++substep) {
      for (std::uint32_t id = Network::first_of_slice(port.size, slice, 4);
           id < Network::first_of_slice(port.size, slice + 1, 4); ++id) {
        spikes.push_back({id, substep});
      }
    }
    return spikes;
  };
  std::mutex mutex;
  std::size_t most_bytes = 0;
  Tampering tampering;
  tampering.opened = [&](int to, int tag, std::size_t max_bytes) {
    const std::lock_guard lock(mutex);
    if (to == 4 && tag == signals_tag) most_bytes = std::max(most_bytes, max_bytes);
  };
  std::map<std::string, std::size_t> arrived;
  run_in_process(5, [&](Communicator& world) {
    TamperedCommunicator seen(world, tampering);
    FakeBrain brain(seen, placement);
    for (Step t = 0; t < 12; ++t) {
      brain.exchange.receive(t);
      if (world.rank() < 4) {
        for (std::size_t port = 0; port < cortex.outputs.size(); ++port) {
          brain.exchange.outbox("cortex").spikes(port) = cells(cortex.outputs[port], world.rank());
        }
      } else if (t == 11) {
        for (const RegionPorts& region : fake_ports()) {
          for (std::size_t i = 0; i < region.inputs.size() && region.region != "cortex"; ++i) {
            const auto spikes = brain.exchange.inbox(region.region).spikes(i);
            EXPECT_TRUE(std::is_sorted(spikes.begin(), spikes.end()));
            arrived[region.inputs[i].name] = spikes.size();
          }
        }
      }
      brain.exchange.send(t);
    }
  });
  EXPECT_EQ(arrived["pt_to_cerebellum"], 300u * 4);
  EXPECT_EQ(arrived["pt_to_body"], 300u * 4);
  EXPECT_EQ(arrived["ct_to_thalamus"], 1000u * 4);
  EXPECT_EQ(arrived["it_to_striatum"], 70000u * 2);
  // A quarter of the bitmaps of all cells, which take 18,416 bytes, and the heads.
  EXPECT_LT(most_bytes, 18416u / 4 + 400);
}

/// What rank 1 of two says of messages that `tampering` changes on rank 0.
std::string refusal(const Placement& placement, const Tampering& tampering) {
  std::string text = "accepted";
  try {
    run_in_process(2, [&](Communicator& world) {
      const Tampering none;
      TamperedCommunicator seen(world, world.rank() == 0 ? tampering : none);
      FakeBrain brain(seen, placement);
      try {
        brain.run(20);
      } catch (const PeerFailure&) {
        throw;
      } catch (const std::exception& error) {
        if (world.rank() == 1) text = error.what();
        throw;
      }
    });
  } catch (const std::exception&) {
  }
  return text;
}

constexpr const char* unexpected_length =
    "rank 0 sent a message of an unexpected length; resume the run, on other nodes if it comes "
    "again";

TEST(ExchangeMessages, of_an_unexpected_length_are_refused) {
  const Placement placement = Placement::standard(2);
  for (const int change : {-48, -8, -4, 4, 8}) {  // bytes; 48: all values of the body
    Tampering tampering;
    tampering.sends = [&](int, int tag, std::span<std::byte>, std::size_t bytes) {
      return tag == signals_tag ? bytes + static_cast<std::size_t>(change) : bytes;
    };
    EXPECT_EQ(refusal(placement, tampering), unexpected_length) << change;
  }
  Tampering tampering;
  tampering.sends = [](int, int, std::span<std::byte>, std::size_t) { return std::size_t{7}; };
  EXPECT_EQ(refusal(placement, tampering), unexpected_length);
  EXPECT_EQ(refusal(placement, Tampering{}), "accepted");
}

TEST(ExchangeMessages, of_another_timestep_end_all_ranks_with_that_reason) {
  Tampering tampering;
  tampering.sends = [](int, int tag, std::span<std::byte> buffer, std::size_t bytes) {
    ControlWord control;
    std::memcpy(&control, buffer.data(), sizeof control);
    if (tag == signals_tag && control.kind == MessageKind::data && control.step == 5) {
      ++control.step;
      write_control(buffer, control);
    }
    return bytes;
  };
  std::mutex mutex;
  std::vector<std::string> heard;
  try {
    run_in_process(4, [&](Communicator& world) {
      const Tampering none;
      TamperedCommunicator seen(world, world.rank() == 1 ? tampering : none);
      FakeBrain brain(seen, Placement::standard(4));
      try {
        brain.run_or_fail(1000);
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        heard.emplace_back(error.what());
        throw;
      }
    });
  } catch (const std::exception&) {
  }
  EXPECT_EQ(heard.size(), 4u);
  for (const std::string& text : heard) {
    EXPECT_TRUE(text.starts_with("rank 3 (thalamus) at timestep ")) << text;
    EXPECT_TRUE(text.ends_with(": rank 1 sent timestep 6 where 5 was expected")) << text;
  }
}

TEST(ExchangeMessages, between_slices_that_count_other_spikes_than_they_hold_are_refused) {
  const Placement placement =
      Placement::parse("cortex:0,1 body:0 cerebellum:1 thalamus:1 basal_ganglia:0", 2);
  for (const int change : {-1, 1, 1000000}) {  // spikes
    Tampering tampering;
    tampering.sends = [&](int, int tag, std::span<std::byte> buffer, std::size_t bytes) {
      ControlWord control;
      std::memcpy(&control, buffer.data(), sizeof control);
      if (tag == cortex_tag && control.kind == MessageKind::data && control.count > 0) {
        control.count += static_cast<std::uint32_t>(change);
        write_control(buffer, control);
      }
      return bytes;
    };
    EXPECT_EQ(refusal(placement, tampering), unexpected_length) << change;
  }
}

}  // namespace
}  // namespace quartet
