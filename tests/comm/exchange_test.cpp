/// The exchange over every transport, on standard and random placements.
#include "comm/exchange.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "models/random.hpp"
#include "tests/comm/fake_brain.hpp"
#include "tests/comm/transport.hpp"

namespace quartet {
namespace {

std::vector<Placement> placements(int ranks) {
  return {Placement::standard(ranks), random_placement(ranks, 1), random_placement(ranks, 2)};
}

std::int64_t sum(Communicator& world, std::int64_t value) {
  world.all_reduce_sum("sum of test", {&value, 1});
  return value;
}
std::int64_t max(Communicator& world, std::int64_t value) {
  world.all_reduce_max("max of test", {&value, 1});
  return value;
}

/// Keeps a rank back, differently in each timestep, so that ranks run apart.
void dawdle(int rank, Step t) {
  const auto bits = random_block({1, purpose("test.dawdle")}, static_cast<std::uint32_t>(rank), 0,
                                 static_cast<std::uint64_t>(t));
  if (bits[0] % 8 == 0) std::this_thread::sleep_for(std::chrono::microseconds(bits[1] % 1000));
}

TRANSPORT_TEST(Exchange, signals_arrive_whole_after_their_delay) {
  for (const Placement& placement : placements(world.size())) {
    FakeBrain brain(world, placement);
    brain.each_step = [&](Step t) { dawdle(world.rank(), t); };
    brain.run(40);
    EXPECT_EQ(brain.wrong, 0) << placement.to_string();
    EXPECT_GT(sum(world, brain.checked), 10000);
    EXPECT_EQ(sum(world, brain.wrong), 0);
  }
}

TRANSPORT_TEST(Exchange, a_missing_spike_is_noticed) {
  FakeBrain brain(world, Placement::standard(world.size()));
  brain.drops_a_spike = true;
  brain.run(20);
  EXPECT_GE(sum(world, brain.wrong), 2);  // in cerebellum and body
}

TRANSPORT_TEST(Exchange, a_checkpoint_continues_on_another_placement) {
  for (const Step pause : {1, 17}) {
    const Placement first = random_placement(world.size(), 3);
    FakeBrain brain(world, first);
    brain.each_step = [&](Step t) { dawdle(world.rank(), t); };
    brain.run(pause);
    MemoryState state = save_all(world, brain.exchange, first);
    EXPECT_EQ(state.arrays.size(), 9u * 3 + 4);
    brain.run(40);
    EXPECT_EQ(brain.wrong, 0) << "saving changed what came after";

    for (const Placement& second : placements(world.size())) {
      FakeBrain resumed(world, second);
      load_all(world, resumed.exchange, second, pause, state);
      EXPECT_EQ(resumed.exchange.step(), pause);
      const MemoryState again = save_all(world, resumed.exchange, second);
      EXPECT_EQ(again.arrays, state.arrays);
      resumed.run(40);
      EXPECT_EQ(resumed.wrong, 0) << second.to_string();

      // Back in the same exchange, as probes go.
      load_all(world, (resumed.exchange.quiesce(), resumed.exchange), second, pause, state);
      resumed.run(30);
      EXPECT_EQ(resumed.wrong, 0) << second.to_string();
    }
  }
}

TRANSPORT_TEST(Exchange, a_perturbed_checkpoint_is_noticed) {
  const Placement placement = Placement::standard(world.size());
  FakeBrain brain(world, placement);
  brain.run(17);
  MemoryState state = save_all(world, brain.exchange, placement);
  MemoryState perturbed = state;
  perturbed.arrays.at("exchange.ct_to_thalamus.id").at(0) ^= std::byte{1};
  FakeBrain resumed(world, placement);
  std::int64_t refused = 0;
  try {
    load_all(world, resumed.exchange, placement, 17, perturbed);
  } catch (const std::runtime_error&) {
    ++refused;  // where the other id is there already
  }
  if (max(world, refused) == 0) {
    resumed.run(30);
    EXPECT_GE(sum(world, resumed.wrong), 1);
  }
  MemoryState out_of_range = state;
  out_of_range.arrays.at("exchange.ct_to_thalamus.id").at(1) ^= std::byte{0x80};
  MemoryState shorter = state;
  shorter.arrays.at("exchange.ct_to_thalamus.count").at(0) ^= std::byte{1};
  for (MemoryState* wrong : {&out_of_range, &shorter}) {
    FakeBrain other(world, placement);
    refused = 0;
    try {
      load_all(world, other.exchange, placement, 17, *wrong);
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find("thalamus"), std::string::npos);
      ++refused;
    }
    EXPECT_EQ(sum(world, refused), 1);
  }
}

TRANSPORT_TEST(Exchange, a_cut_tract_carries_nothing_and_the_others_are_as_before) {
  const std::vector<TractLesion> lesions = {{"ct_to_thalamus", TractLesion::Kind::cut, 0},
                                            {"senses_to_cortex", TractLesion::Kind::cut, 0}};
  FakeBrain brain(world, random_placement(world.size(), 4), lesions);
  brain.unchecked = {"ct_to_thalamus", "senses_to_cortex"};
  std::int64_t seen = 0;
  brain.each_step = [&](Step) {
    for (const HostedSlice& slice : random_placement(world.size(), 4).hosted_by(world.rank())) {
      if (slice.region != "cortex") continue;
      const auto& inputs = fake_ports()[0].inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].name != "senses_to_cortex") continue;
        for (const double value : brain.exchange.inbox("cortex").analog(i)) seen += value != 0.0;
      }
    }
  };
  brain.run(30);
  EXPECT_EQ(sum(world, brain.wrong), 0);
  EXPECT_EQ(sum(world, static_cast<std::int64_t>(brain.arrived["ct_to_thalamus"].size())), 0);
  EXPECT_EQ(sum(world, seen), 0);
}

TRANSPORT_TEST(Exchange, a_shuffled_tract_carries_the_same_spikes_of_other_cells) {
  const Placement placement = random_placement(world.size(), 5);
  const auto run = [&](std::vector<TractLesion> lesions) {
    FakeBrain brain(world, placement, lesions);
    brain.unchecked = {"gpi_to_thalamus"};
    brain.run(60);
    EXPECT_EQ(sum(world, brain.wrong), 0);
    return brain.arrived["gpi_to_thalamus"];
  };
  const auto intact = run({});
  const auto shuffled = run({{"gpi_to_thalamus", TractLesion::Kind::shuffle, 1}});
  const auto again = run({{"gpi_to_thalamus", TractLesion::Kind::shuffle, 1}});
  const auto other = run({{"gpi_to_thalamus", TractLesion::Kind::shuffle, 2}});
  EXPECT_EQ(shuffled, again);
  EXPECT_EQ(shuffled.size(), intact.size());
  if (!intact.empty()) {
    EXPECT_NE(shuffled, intact);
    EXPECT_NE(shuffled, other);
    // A bijection: as often as one cell fired before, another does now.
    const auto counts = [](const std::vector<Spike>& spikes) {
      std::vector<int> by_cell(64, 0);
      for (const Spike& spike : spikes) ++by_cell[spike.id];
      std::sort(by_cell.begin(), by_cell.end());
      return by_cell;
    };
    EXPECT_EQ(counts(shuffled), counts(intact));
  }
  world.barrier("end");
}

TRANSPORT_TEST(Exchange, a_lesion_applies_to_signals_that_were_on_their_way) {
  const Placement placement = Placement::standard(world.size());
  FakeBrain brain(world, placement);
  brain.run(16);
  MemoryState state = save_all(world, brain.exchange, placement);
  const std::vector<TractLesion> lesions = {{"snc_to_cortex", TractLesion::Kind::cut, 0}};
  FakeBrain cut(world, placement, lesions);
  cut.unchecked = {"snc_to_cortex"};
  load_all(world, cut.exchange, placement, 16, state);
  EXPECT_EQ(save_all(world, cut.exchange, placement).arrays, state.arrays);
  cut.run(30);
  EXPECT_EQ(sum(world, static_cast<std::int64_t>(cut.arrived["snc_to_cortex"].size())), 0);
}

TRANSPORT_TEST(Exchange, all_ranks_stop_at_the_same_step_however_far_apart_they_run) {
  const std::vector<Placement> all = placements(world.size());
  for (int scenario = 0; scenario < 16; ++scenario) {
    FakeBrain brain(world, all[static_cast<std::size_t>(scenario) % all.size()]);
    const int slow = scenario / 2 % world.size();
    // Worst where the slow one asks: the others are as far ahead as they can get.
    const int asks = scenario % 2 == 0 ? slow : (slow + 1) % world.size();
    const bool all_ask = scenario % 4 == 3;
    const Step when = 12 + scenario;
    brain.each_step = [&](Step t) {
      if (world.rank() == slow && t == when) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      dawdle(world.rank(), t);
      const Step mine = all_ask ? when + (world.rank() * 5) % 7 : when;
      if (t == mine && (all_ask || world.rank() == asks)) brain.exchange.request_stop();
    };
    brain.run(1000);
    const Step last = brain.exchange.step();
    EXPECT_EQ(last, brain.exchange.stop_step());
    EXPECT_EQ(last, max(world, last));
    EXPECT_EQ(last, -max(world, -last));
    EXPECT_GT(last, when);
    EXPECT_LE(last, when + 7 + 15);  // the longest way: 14 ms, from basal ganglia to body
    EXPECT_EQ(sum(world, brain.wrong), 0);
    brain.exchange.quiesce();  // hangs or throws where ranks stopped at different steps
  }
}

TRANSPORT_TEST(Exchange, no_stop_until_one_is_asked_for) {
  FakeBrain brain(world, Placement::standard(world.size()));
  brain.run(20);
  EXPECT_EQ(brain.exchange.stop_step(), Exchange::no_stop);
  EXPECT_EQ(brain.exchange.step(), 20);
  world.barrier("end");
}

TRANSPORT_TEST(Exchange, a_failure_reaches_all_ranks_with_its_own_words) {
  for (int scenario = 0; scenario < 6; ++scenario) {
    // On standard placements some ranks hear of it through others only.
    const Placement placement =
        scenario % 2 == 0
            ? Placement::standard(world.size())
            : random_placement(world.size(), 10 + static_cast<std::uint32_t>(scenario));
    const int fails = (1 + scenario / 2) % world.size();
    std::string heard = "nothing";
    std::int64_t peer_failures = 0;
    try {
      FakeBrain brain(world, placement);
      brain.each_step = [&](Step t) {
        dawdle(world.rank(), t);
        if (world.rank() == fails && t == 13) {
          throw std::domain_error(brain.exchange.fail("the granule layer overflowed"));
        }
      };
      brain.run(1000);
    } catch (const PeerFailure& failure) {
      heard = failure.what();
      ++peer_failures;
    } catch (const std::domain_error& failure) {
      heard = failure.what();
    }
    std::string expected = "rank " + std::to_string(fails) + " (";
    EXPECT_EQ(heard.substr(0, expected.size()), expected);
    expected = ") at timestep 13: the granule layer overflowed";
    EXPECT_NE(heard.find(expected), std::string::npos) << heard;
    EXPECT_EQ(sum(world, peer_failures), world.size() - 1);
  }
}

TRANSPORT_TEST(Exchange, an_exception_that_nobody_announced_reaches_all_ranks) {
  std::int64_t ended = 0;
  try {
    FakeBrain brain(world, Placement::standard(world.size()));
    brain.each_step = [&](Step t) {
      if (world.rank() == world.size() - 1 && t == 5) throw std::domain_error("oops");
    };
    brain.run(1000);
  } catch (const std::exception&) {
    ++ended;
  }
  EXPECT_EQ(sum(world, ended), world.size());
}

TRANSPORT_TEST(Exchange, a_rank_that_leaves_early_is_noticed) {
  std::int64_t ended = 0;
  try {
    FakeBrain brain(world, Placement::standard(world.size()));
    brain.run(world.rank() == 0 ? 9 : 1000);
    ++ended;  // only rank 0
  } catch (const std::exception&) {
    ++ended;
  }
  EXPECT_EQ(sum(world, ended), world.size());
}

TRANSPORT_TEST(Exchange, why_a_rank_is_missed_reaches_all_others) {
  for (int leaves = 0; leaves < world.size() && world.size() > 1; ++leaves) {
    std::string heard = "nothing";
    try {
      FakeBrain brain(world, Placement::standard(world.size()));
      brain.run_or_fail(world.rank() == leaves ? 9 : 1000);
    } catch (const std::exception& error) {
      heard = error.what();
    }
    if (world.rank() != leaves) {
      EXPECT_NE(heard.find(": rank " + std::to_string(leaves) +
                           " has left the exchange before timestep 9, but its signals of timestep"),
                std::string::npos)
          << "rank " << world.rank() << " heard: " << heard;
    }
    world.barrier("next");
  }
}

TRANSPORT_TEST(Exchange, traffic_counts_every_spike_once) {
  const auto spikes_by_tract = [&](const Placement& placement) {
    FakeBrain brain(world, placement);
    brain.run(30);
    std::vector<std::int64_t> spikes;
    std::int64_t messages = 0, bytes = 0;
    for (const TractTraffic& tract : brain.exchange.traffic()) {
      spikes.push_back(static_cast<std::int64_t>(tract.spikes));
      messages += static_cast<std::int64_t>(tract.messages);
      bytes += static_cast<std::int64_t>(tract.bytes);
    }
    EXPECT_EQ(sum(world, messages) > 0, world.size() > 1);
    EXPECT_EQ(sum(world, bytes) > 0, world.size() > 1);
    world.all_reduce_sum("spikes", spikes);
    return spikes;
  };
  std::vector<std::int64_t> expected;
  for (const Tract& tract : fake_tracts()) {
    std::int64_t count = 0;
    for (const RegionPorts& region : fake_ports()) {
      for (const Port& port : region.outputs) {
        if (region.region != tract.from || port.name != tract.out_port) continue;
        for (Step t = 0; t < 30 && port.kind == PortKind::spikes; ++t) {
          count += static_cast<std::int64_t>(emitted(port, t).size());
        }
      }
    }
    expected.push_back(count);
  }
  for (const Placement& placement : placements(world.size())) {
    EXPECT_EQ(spikes_by_tract(placement), expected);
  }
}

TRANSPORT_TEST(Exchange, ports_are_gathered_from_the_ranks_that_host_them) {
  const Placement placement = random_placement(world.size(), 6);
  std::vector<RegionPorts> hosted;
  for (const HostedSlice& slice : placement.hosted_by(world.rank())) {
    for (const RegionPorts& ports : fake_ports()) {
      if (ports.region == slice.region) hosted.push_back(ports);
    }
  }
  const auto as_text = [](const std::vector<RegionPorts>& regions) {
    std::string text;
    for (const RegionPorts& region : regions) {
      text += region.region + ":";
      for (const auto* ports : {&region.inputs, &region.outputs}) {
        for (const Port& port : *ports) {
          text += " " + port.name + "," + std::to_string(static_cast<int>(port.kind)) + "," +
                  std::to_string(port.size) + "," + std::to_string(port.substeps);
        }
        text += ";";
      }
    }
    return text;
  };
  EXPECT_EQ(as_text(gather_ports(world, hosted)), as_text(fake_ports()));
  if (world.size() > 1) {
    hosted.push_back(fake_ports()[3]);
    hosted.back().outputs[0].size += static_cast<std::uint32_t>(world.rank());
    EXPECT_THROW(gather_ports(world, hosted), SharedFailure);
  }
}

}  // namespace
}  // namespace quartet
