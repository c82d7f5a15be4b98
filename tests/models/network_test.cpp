/// Network: the same spikes for any slicing, timing of spikes, state, refusals.
#include "models/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/models/slices.hpp"

namespace quartet {
namespace {

constexpr std::uint32_t kSubsteps = 4;

FixedInbox silence(Step) { return FixedInbox(); }
/// A few cells of a tract of 30 at changing substeps.
FixedInbox some_input(Step t) {
  std::vector<Spike> spikes;
  for (std::uint32_t id = static_cast<std::uint32_t>(t) % 3; id < 30; id += 3)
    spikes.push_back({id, id % 8});
  std::sort(spikes.begin(), spikes.end());
  return FixedInbox(std::move(spikes));
}

ProjectionSpec between(const char* name, std::size_t source, std::size_t target, double weight,
                       double delay_ms, std::uint32_t sources) {
  ProjectionSpec s;
  s.name = name;
  s.source = source;
  s.target = target;
  s.receptor = weight < 0 ? 1 : 0;
  s.weight = weight;
  s.delay_ms = delay_ms;
  s.in_degree = 12;
  s.sources = uniform_sources(sources);
  return s;
}

/// Two noisy populations with adaptation, all layouts of projections, and a tract.
void build(Network& network) {
  LifParameters p;
  p.bias_mv = 13;
  p.bias_sd_mv = 1;
  p.noise_mv = 3;
  p.adaptation_mv = 1;
  const std::vector<Receptor> receptors{{.decay_ms = 3}, {.decay_ms = 8}};
  const auto e = network.add_population("E", p, SynapseKind::current, receptors, 100);
  const auto i = network.add_population("I", p, SynapseKind::current, receptors, 45);
  const auto tract = network.add_tract(0, 30, 8);
  ProjectionSpec ee = between("EE", e, e, 0.8, 1.5, 100);
  ee.delay_of = [](std::uint32_t source, std::uint32_t) { return 0.5 + 0.25 * (source % 4); };
  ee.min_delay_ms = 0.5;
  ee.max_delay_ms = 1.25;
  network.connect(std::move(ee));
  ProjectionSpec ei = between("EI", e, i, 0.8, 0.75, 100);
  ei.factor = [](std::uint32_t, std::uint32_t, Draws& draws) { return 2 * draws.uniform(); };
  network.connect(std::move(ei));
  network.connect(between("IE", i, e, -2.0, 0.5, 45));
  ProjectionSpec input = between("input", tract, e, 1.0, 0, 30);
  input.plastic = true;
  input.max_weight = 2;
  network.connect(std::move(input));
}

std::size_t count(const std::vector<std::vector<std::vector<Spike>>>& steps) {
  std::size_t spikes = 0;
  for (const auto& populations : steps)
    for (const auto& list : populations) spikes += list.size();
  return spikes;
}

TEST(Network, SpikesAndStateAreTheSameForAnySlicing) {
  Slices whole(1, kSubsteps, 1, build);
  const auto spikes = whole.run(0, 200, some_input);
  EXPECT_GT(count(spikes), 200u);
  const MemoryState state = whole.save();
  EXPECT_TRUE(state.complete());
  for (const int slices : {2, 3}) {
    Slices parts(slices, kSubsteps, 1, build);
    EXPECT_EQ(parts.run(0, 200, some_input), spikes) << slices;
    EXPECT_EQ(parts.save(), state) << slices;
    std::uint64_t cells = 0, synapses = 0;
    for (int slice = 0; slice < slices; ++slice) {
      cells += parts[slice].neuron_count();
      synapses += parts[slice].synapse_count();
    }
    EXPECT_EQ(cells, whole[0].neuron_count());
    EXPECT_EQ(synapses, whole[0].synapse_count());
  }
  Slices other(1, kSubsteps, 2, build);
  EXPECT_NE(other.run(0, 200, some_input), spikes);
  EXPECT_FALSE(other.save() == state);
}

TEST(Network, SlicesAgreeWhereOnlyOneHasTheShortOrTheLongDelay) {
  // Cells 0 to 15 hear of each other after a substep, the others after 5 ms: slices that went by
  // their own synapses would exchange at different times and hold different rings.
  const auto build_uneven = [](Network& network) {
    LifParameters p;
    p.bias_mv = 16;
    p.noise_mv = 3;
    const auto cells = network.add_population("E", p, SynapseKind::current,
                                              {{.decay_ms = 3}, {.decay_ms = 8}}, 48);
    ProjectionSpec s = between("EE", cells, cells, 1.5, 1, 48);
    s.delay_of = [](std::uint32_t, std::uint32_t target) { return target < 16 ? 0.25 : 5.0; };
    s.min_delay_ms = 0.25;
    s.max_delay_ms = 5;
    network.connect(std::move(s));
  };
  Slices whole(1, kSubsteps, 1, build_uneven);
  const auto spikes = whole.run(0, 100, silence);
  EXPECT_GT(count(spikes), 100u);
  const MemoryState state = whole.save();
  for (const int slices : {2, 3}) {
    Slices parts(slices, kSubsteps, 1, build_uneven);
    for (int slice = 0; slice < slices; ++slice)
      EXPECT_EQ(parts[slice].population(0).delay_capacity(), 31u);
    EXPECT_EQ(parts.run(0, 100, silence), spikes) << slices;
    EXPECT_EQ(parts.save(), state) << slices;
  }
}

TEST(Network, StateContinuesOnAnotherSlicingInTheSameBits) {
  Slices uninterrupted(1, kSubsteps, 1, build);
  uninterrupted.run(0, 60, some_input);
  const auto later = uninterrupted.run(60, 160, some_input);
  const MemoryState end = uninterrupted.save();
  for (const int before : {1, 2, 3}) {
    for (const int after : {1, 2, 3}) {
      Slices first(before, kSubsteps, 1, build);
      first.run(0, 60, some_input);
      MemoryState middle = first.save();
      Slices second(after, kSubsteps, 1, build);
      second.load(middle);
      EXPECT_EQ(second.run(60, 160, some_input), later) << before << " then " << after;
      EXPECT_TRUE(second.save() == end) << before << " then " << after;
    }
  }
  // An input in flight, a potential: each is noticed.
  Slices first(2, kSubsteps, 1, build);
  first.run(0, 60, some_input);
  const MemoryState middle = first.save();
  for (const char* name : {"E.v", "E.a", "E.input1.1", "input.w"}) {
    MemoryState changed = middle;
    ASSERT_EQ(changed.arrays.count(name), 1u) << name;
    changed.arrays.at(name).bytes.at(18) ^= 0x40;
    Slices second(1, kSubsteps, 1, build);
    second.load(changed);
    second.run(60, 160, some_input);
    EXPECT_FALSE(second.save() == end) << name;
  }
}

TEST(Network, SpikeTakesItsDelay) {
  // The axon of cell 0 of A is excited once; B's only input is from it.
  const auto arrival_ms = [](double delay_ms, int slices) {
    Slices network(slices, kSubsteps, 1, [&](Network& n) {
      LifParameters p;
      const auto a = n.add_population("A", p, SynapseKind::current, {{.decay_ms = 5}}, 16);
      const auto b = n.add_population("B", p, SynapseKind::current, {{.decay_ms = 5}}, 16);
      ProjectionSpec s = between("AB", a, b, 4000, delay_ms, 16);
      s.in_degree = 1;
      s.sources = [](std::uint32_t, Draws&) { return 0u; };
      n.connect(std::move(s));
    });
    network[0].population(0).evoke(2, 0);
    const auto steps = network.run(0, 40, silence);
    double fired = -1;
    for (std::size_t t = 0; t < steps.size(); ++t) {
      const auto at = [&](const Spike& spike) {
        return static_cast<double>(t) + (spike.substep + 1.0) / kSubsteps;
      };
      for (const Spike& spike : steps[t][0])
        if (fired < 0) fired = at(spike);
      for (const Spike& spike : steps[t][1]) return at(spike) - fired;
    }
    return -1.0;
  };
  for (const int slices : {1, 2}) {
    // The input acts at the end of its substep; V crosses threshold in the next.
    EXPECT_EQ(arrival_ms(0.25, slices), 0.5);
    EXPECT_EQ(arrival_ms(1.5, slices), 1.75);
    EXPECT_EQ(arrival_ms(7.75, slices), 8.0);
    EXPECT_NE(arrival_ms(7.5, slices), 8.0);
  }
}

TEST(Network, SpikeOfATractIsDueInTheFirstSubstepThatEndsNoEarlier) {
  const auto due = [](std::uint32_t sender_substeps, std::uint32_t substep) {
    Slices network(1, kSubsteps, 1, [&](Network& n) {
      LifParameters p;
      const auto cells = n.add_population("A", p, SynapseKind::current, {{.decay_ms = 5}}, 16);
      const auto tract = n.add_tract(0, 5, sender_substeps);
      ProjectionSpec s = between("in", tract, cells, 4000, 0, 5);
      s.in_degree = 1;
      s.sources = [](std::uint32_t, Draws&) { return 2u; };
      n.connect(std::move(s));
    });
    const auto steps = network.run(0, 3, [&](Step t) {
      return t == 1 ? FixedInbox({{2, substep}}) : FixedInbox();
    });
    for (std::size_t t = 0; t < steps.size(); ++t)
      for (const Spike& spike : steps[t][0])
        return static_cast<int>(t * kSubsteps + spike.substep) - 1;  // crosses in the next one
    return -1;
  };
  EXPECT_EQ(due(1, 0), 4 + 3);
  EXPECT_EQ(due(2, 0), 4 + 1);
  EXPECT_EQ(due(2, 1), 4 + 3);
  for (std::uint32_t s = 0; s < 4; ++s) EXPECT_EQ(due(4, s), 4 + static_cast<int>(s));
  for (std::uint32_t s = 0; s < 8; ++s) EXPECT_EQ(due(8, s), 4 + static_cast<int>(s / 2));
  EXPECT_NE(due(8, 1), 4 + 1);
}

TEST(Network, SendsOwnSpikesOnly) {
  Slices whole(1, kSubsteps, 1, build), parts(3, kSubsteps, 1, build);
  std::vector<Spike> expected, sent;
  for (Step t = 0; t < 40; ++t) {
    whole.run(t, t + 1, some_input);
    parts.run(t, t + 1, some_input);
    std::vector<Spike> of_step;
    whole[0].send(0, expected);
    for (int slice = 0; slice < 3; ++slice) parts[slice].send(0, of_step);
    std::sort(of_step.begin(), of_step.end());
    sent.insert(sent.end(), of_step.begin(), of_step.end());
  }
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(sent, expected);
  sent.pop_back();
  EXPECT_NE(sent, expected);
}

TEST(Network, RemovesTheSameCellsOnAnySlicing) {
  const auto alive = [](int slices, double fraction) {
    Slices network(slices, kSubsteps, 1, build);
    std::vector<std::uint32_t> ids;
    for (int slice = 0; slice < slices; ++slice) {
      const auto removed = network[slice].remove_cells(0, fraction);
      const LifPopulation& cells = network[slice].population(0);
      for (std::uint32_t id = cells.first(); id < cells.last(); ++id) {
        EXPECT_EQ(cells.alive(id), std::count(removed.begin(), removed.end(), id) == 0);
        if (cells.alive(id)) ids.push_back(id);
      }
    }
    return ids;
  };
  EXPECT_EQ(alive(1, 0.3).size(), 70u);
  EXPECT_EQ(alive(2, 0.3), alive(1, 0.3));
  EXPECT_EQ(alive(3, 0.3), alive(1, 0.3));
  EXPECT_NE(alive(1, 0.31), alive(1, 0.3));
  EXPECT_TRUE(alive(1, 1.0).empty());
  EXPECT_EQ(alive(1, 0.0).size(), 100u);
}

TEST(Network, RefusesInputThatCouldOverflow) {
  const auto message = [](double weight, std::uint32_t in_degree, int projections,
                          std::uint32_t sender_substeps, int slices = 1) -> std::string {
    try {
      Network network(kSubsteps, 0, slices, 1);
      const auto cells =
          network.add_population("PC", {}, SynapseKind::current, {{.decay_ms = 5}}, 16);
      const auto tract = network.add_tract(0, 30, sender_substeps);
      for (int k = 0; k < projections; ++k) {
        ProjectionSpec s = between("GrC_PC", tract, cells, weight, 1, 30);
        s.receptor = 0;
        s.in_degree = in_degree;
        network.connect(std::move(s));
      }
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string refusal =
      "GrC_PC: input to PC could overflow its accumulator (±8192 mV or g_L); lower weight or "
      "in-degree";
  EXPECT_EQ(message(81.9, 100, 1, 4), "accepted");
  EXPECT_EQ(message(82.0, 100, 1, 4), refusal);
  EXPECT_EQ(message(-82.0, 100, 1, 4), refusal);
  EXPECT_EQ(message(40.0, 100, 2, 4), "accepted");
  EXPECT_EQ(message(40.0, 100, 3, 4), refusal);  // all projections together
  EXPECT_EQ(message(81.9, 100, 1, 8), refusal);  // two spikes in one substep
  // Also by a slice that has none of the cells.
  EXPECT_EQ(message(81.9, 100, 1, 4, 8), "accepted");
  EXPECT_EQ(message(82.0, 100, 1, 4, 8), refusal);
}

TEST(Network, CountsArrivalsByWhatTheirSynapsesDoAndWhetherTheyChange) {
  Slices whole(1, kSubsteps, 1, [](Network& network) {
    const std::vector<Receptor> receptors{{.reversal_mv = 0}, {.reversal_mv = -75}};
    const auto cells = network.add_population("E", {}, SynapseKind::conductance, receptors, 10);
    const auto tract = network.add_tract(0, 30, 8);
    for (const bool plastic : {false, true}) {
      for (const std::size_t receptor : {0u, 1u}) {
        ProjectionSpec spec = between("input", tract, cells, 1e-3, 0, 30);
        spec.in_degree = plastic ? 2 : 6;
        spec.receptor = receptor;
        spec.plastic = plastic;
        spec.max_weight = 1;
        network.connect(std::move(spec));
      }
    }
  });
  std::vector<Spike> all;
  for (std::uint32_t id = 0; id < 30; ++id) all.push_back({id, 0});
  whole[0].begin_count();
  whole.run(0, 1, [&](Step) { return FixedInbox(all); });
  const energy::Activity activity = whole[0].activity()[0];
  EXPECT_EQ(activity.excitatory, 80);
  EXPECT_EQ(activity.inhibitory, 80);
  EXPECT_EQ(activity.plastic, 40);
  EXPECT_EQ(activity.plastic_inhibitory, 20);
  EXPECT_EQ(activity.synapses, 160);
}

// By place: what living cells do, of synapses from within and from a tract, of all delays.
TEST(Network, CountsByPlaceWhatLivingCellsDo) {
  const std::uint32_t size = 64, places = 5;
  const auto counted = [&](int slices, double removed) {
    Slices whole(slices, kSubsteps, 1, [](Network& network) {
      const std::vector<Receptor> receptors{{.reversal_mv = 0}, {.reversal_mv = -75}};
      network.add_population("other", {}, SynapseKind::conductance, receptors, 8);
      const auto cells =
          network.add_population("E", {.bias_mv = 30}, SynapseKind::conductance, receptors, size);
      ProjectionSpec within = between("E_E", cells, cells, 1e-3, 1, size);
      within.in_degree = 4;
      within.receptor = 1;
      within.delay_of = [](std::uint32_t source, std::uint32_t) { return 1.0 + source % 3; };
      within.min_delay_ms = 1;
      within.max_delay_ms = 3;
      network.connect(std::move(within));
      ProjectionSpec from_tract = between("input", network.add_tract(0, 16, 8), cells, 1e-3, 0, 16);
      from_tract.in_degree = 3;
      from_tract.plastic = true;
      from_tract.max_weight = 1;
      network.connect(std::move(from_tract));
    });
    std::vector<std::uint32_t> place(size);
    for (std::uint32_t id = 0; id < size; ++id) place[id] = id % places;
    std::vector<energy::Activity> sum(places + 1);  // the last: not by place
    std::vector<std::uint32_t> dead;
    for (int slice = 0; slice < slices; ++slice) {
      dead = whole[slice].remove_cells(1, removed);
      whole[slice].begin_count();
    }
    std::vector<Spike> all;
    for (std::uint32_t id = 0; id < 16; ++id) all.push_back({id, 0});
    whole.run(0, 10, [&](Step) { return FixedInbox(all); });
    for (int slice = 0; slice < slices; ++slice) {
      const auto by_place = whole[slice].activity_by_place(1, place, places);
      for (std::uint32_t p = 0; p < places; ++p) sum[p] += by_place[p];
      sum[places] += whole[slice].activity()[1];
    }
    for (std::uint32_t p = 0; p < places; ++p) {
      std::int64_t living = 0;
      for (std::uint32_t id = p; id < size; id += places)
        living += std::count(dead.begin(), dead.end(), id) == 0 ? 1 : 0;
      EXPECT_EQ(sum[p].cells, living);
      EXPECT_EQ(sum[p].excitatory, living * 3 * 10);  // 3 synapses, a spike in each of 10 ms
      EXPECT_GT(sum[p].inhibitory, 0);
      EXPECT_EQ(sum[p].plastic, sum[p].excitatory);
    }
    return sum;
  };
  const std::vector<energy::Activity> one = counted(1, 0);
  energy::Activity total;
  for (std::uint32_t p = 0; p < places; ++p) total += one[p];
  EXPECT_EQ(total.spikes, one[places].spikes);
  EXPECT_EQ(total.excitatory, one[places].excitatory);
  EXPECT_EQ(total.inhibitory, one[places].inhibitory);
  EXPECT_EQ(total.plastic, one[places].plastic);
  EXPECT_EQ(one, counted(4, 0));
  EXPECT_EQ(counted(1, .5), counted(4, .5));
}

TEST(Network, RefusesARecurrentProjectionWithoutDelay) {
  Network network(kSubsteps, 0, 1, 1);
  const auto cells = network.add_population("PC", {}, SynapseKind::current, {{.decay_ms = 5}}, 16);
  try {
    network.connect(between("PC_PC", cells, cells, 1, 0, 16));
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "PC_PC: a projection within a region needs a delay");
  }
}

}  // namespace
}  // namespace quartet
