/// LifPopulation against closed forms and against Brian2's traces (reference/make_traces.py).
#include "models/lif.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/models/memory_state.hpp"
#include "tests/models/reference_file.hpp"

namespace quartet {
namespace {

constexpr double kNever = 1e6;  // mV: no threshold

/// All own cells' potentials become `mv` (they start anywhere between reset and threshold).
void set_potential(LifPopulation& cells, float mv) {
  MemoryState state;
  MemoryWriter writer(state, 0);
  cells.save(writer);
  auto& array = state.arrays.at(cells.name() + ".v");
  for (std::size_t i = 0; i < array.length; ++i)
    std::memcpy(array.bytes.data() + i * sizeof mv, &mv, sizeof mv);
  MemoryReader reader(state);
  cells.load(reader);
}

/// Input that jumps at `time_ms`: a substep's input acts at its end.
struct Arrival {
  double time_ms;
  std::size_t receptor;
  double weight;
};

struct Trace {
  std::vector<double> potential;  // of cell 0 at 0, sample, 2 sample ...
  std::vector<double> spikes;     // of cell 0, ms
};

/// One cell from `start_mv`; `drive` of substep n.
template <class Drive>
Trace simulate(LifPopulation& cells, std::uint32_t substeps, double duration_ms, double sample_ms,
               double start_mv, const std::vector<Arrival>& arrivals, Drive drive) {
  set_potential(cells, static_cast<float>(start_mv));
  const auto every = static_cast<std::int64_t>(sample_ms * substeps + 0.5);
  Trace trace;
  std::vector<std::uint32_t> fired;
  for (std::int64_t n = 0; n < static_cast<std::int64_t>(duration_ms * substeps + 0.5); ++n) {
    if (n % every == 0) trace.potential.push_back(cells.potential()[0]);
    for (const Arrival& arrival : arrivals)
      if (static_cast<std::int64_t>(arrival.time_ms * substeps + 0.5) == n + 1)
        cells.input(arrival.receptor, n)[0] +=
            static_cast<std::int32_t>(std::lround(arrival.weight / kInputQuantum));
    cells.drive()[0] = static_cast<float>(drive(n));
    fired.clear();
    cells.integrate(n, fired);
    for (const std::uint32_t id : fired)
      if (id == 0) trace.spikes.push_back(static_cast<double>(n + 1) / substeps);
  }
  return trace;
}

void add(std::vector<Arrival>& arrivals, const std::vector<double>& times, std::size_t receptor,
         double weight) {
  for (const double time : times) arrivals.push_back({time, receptor, weight});
}

LifParameters parameters(const ReferenceFile& file) {
  LifParameters p;
  p.tau_m_ms = file["tau_m_ms"];
  p.rest_mv = file["rest_mv"];
  p.threshold_mv = file.parameters.contains("threshold_mv") ? file["threshold_mv"] : kNever;
  p.reset_mv = file.parameters.contains("reset_mv") ? file["reset_mv"] : p.rest_mv;
  if (file.parameters.contains("refractory_ms")) p.refractory_ms = file["refractory_ms"];
  return p;
}

LifPopulation one_cell(const LifParameters& p, SynapseKind kind, std::vector<Receptor> receptors,
                       std::uint32_t substeps) {
  return {"cell", p, kind, std::move(receptors), 1, 0, 1, substeps, 1};
}

constexpr auto kNoDrive = [](std::int64_t) { return 0.0; };

TEST(Lif, StepOfCurrentEqualsBrian) {
  const ReferenceFile file("lif_current_step.csv");
  const std::uint32_t substeps = 4;
  const auto run = [&](double tau_factor) {
    LifParameters p = parameters(file);
    p.tau_m_ms *= tau_factor;
    LifPopulation cell = one_cell(p, SynapseKind::current, {}, substeps);
    return simulate(cell, substeps, 150, 0.25, p.rest_mv, {}, [&](std::int64_t n) {
      const double t = static_cast<double>(n) / substeps;
      return t >= file["drive_on_ms"] && t < file["drive_off_ms"] ? file["drive_mv"] : 0.0;
    });
  };
  std::vector<double> spikes;
  for (std::size_t i = 0; i < file.column("spike").size(); ++i)
    if (file.column("spike")[i] != 0) spikes.push_back(file.column("t_ms")[i]);
  const Trace trace = run(1.0);
  EXPECT_LT(largest_distance(trace.potential, file.column("v_mv")), 1e-3);
  EXPECT_EQ(trace.spikes, spikes);
  ASSERT_FALSE(spikes.empty());
  EXPECT_GE(trace.spikes[0], file["first_spike_continuous_ms"]);
  EXPECT_LT(trace.spikes[0], file["first_spike_continuous_ms"] + 0.25);

  const Trace other = run(1.02);
  EXPECT_GT(largest_distance(other.potential, file.column("v_mv")), 1e-3);
  EXPECT_NE(other.spikes, spikes);
}

TEST(Lif, IntervalIsTheClosedFormOnTheGrid) {
  const auto interval = [](std::uint32_t substeps, double bias_mv) {
    LifParameters p;
    p.bias_mv = bias_mv;
    LifPopulation cell = one_cell(p, SynapseKind::current, {}, substeps);
    const Trace trace = simulate(cell, substeps, 200, 1, p.rest_mv, {}, kNoDrive);
    return (trace.spikes.back() - trace.spikes.front()) /
           static_cast<double>(trace.spikes.size() - 1);
  };
  const double rise = 20.0 * std::log(20.0 / (20.0 - 15.0));
  for (const std::uint32_t substeps : {1u, 4u, 8u}) {
    const double exact = 2.0 + std::ceil(rise * substeps) / substeps;
    EXPECT_EQ(interval(substeps, 20.0), exact) << substeps;
    EXPECT_NE(interval(substeps, 21.0), exact) << substeps;
  }
}

TEST(Lif, AdaptationEqualsBrian) {
  const ReferenceFile file("lif_adaptation.csv");
  const auto intervals = [&](double factor) {
    LifParameters p = parameters(file);
    p.bias_mv = file["drive_mv"];
    p.adaptation_mv = file["adaptation_mv"] * factor;
    p.adaptation_tau_ms = file["adaptation_tau_ms"];
    LifPopulation cell = one_cell(p, SynapseKind::current, {}, 128);
    return simulate(cell, 128, 1000, 1, p.rest_mv, {}, kNoDrive).spikes;
  };
  const auto differences = [](std::vector<double> times) {
    for (std::size_t i = times.size() - 1; i > 0; --i) times[i] -= times[i - 1];
    return times;
  };
  // Both grids delay each spike by up to a substep.
  const std::vector<double> exact = differences(file.column("t_ms"));
  EXPECT_LT(largest_distance(differences(intervals(1.0)), exact), 0.02);
  EXPECT_GT(largest_distance(differences(intervals(1.01)), exact), 0.02);
}

TEST(Lif, CurrentSynapsesEqualBrianAtAnyTimestep) {
  const ReferenceFile file("lif_current_psp.csv");
  const auto run = [&](std::uint32_t substeps, double decay_factor) {
    const LifParameters p = parameters(file);
    LifPopulation cell =
        one_cell(p, SynapseKind::current,
                 {{.decay_ms = file["exc_decay_ms"] * decay_factor},
                  {.decay_ms = file["inh_decay_ms"]},
                  {.decay_ms = file["slow_decay_ms"], .rise_ms = file["slow_rise_ms"]}},
                 substeps);
    std::vector<Arrival> arrivals;
    add(arrivals, file.list("exc_spikes_ms"), 0, file["exc_weight_mv"]);
    add(arrivals, file.list("inh_spikes_ms"), 1, file["inh_weight_mv"]);
    add(arrivals, file.list("slow_spikes_ms"), 2, file["slow_weight_mv"]);
    return simulate(cell, substeps, 150, 0.25, p.rest_mv, arrivals, kNoDrive).potential;
  };
  // Exact integration: single precision is all that is lost.
  for (const std::uint32_t substeps : {4u, 8u, 64u})
    EXPECT_LT(largest_distance(run(substeps, 1.0), file.column("v_mv")), 1e-3) << substeps;
  EXPECT_GT(largest_distance(run(4, 1.01), file.column("v_mv")), 1e-3);
}

TEST(Lif, TimeConstantOfSynapseMayEqualTheMembranes) {
  LifParameters p;
  p.threshold_mv = kNever;
  p.tau_m_ms = 10;
  const auto run = [&](double weight) {
    LifPopulation cell = one_cell(p, SynapseKind::current, {{.decay_ms = 10}}, 4);
    return simulate(cell, 4, 50, 1, p.rest_mv, {{10.0, 0, weight}}, kNoDrive).potential;
  };
  std::vector<double> exact;
  for (int t = 0; t < 50; ++t) {
    const double s = std::max(0.0, (t - 10) / 10.0);
    exact.push_back(p.rest_mv + 5.0 * s * std::exp(-s));
  }
  EXPECT_LT(largest_distance(run(5.0), exact), 1e-3);
  EXPECT_GT(largest_distance(run(5.01), exact), 1e-3);
}

std::vector<Receptor> conductance_receptors(const ReferenceFile& file) {
  return {{.decay_ms = file["ampa_decay_ms"], .reversal_mv = file["ampa_reversal_mv"]},
          {.decay_ms = file["gaba_decay_ms"], .reversal_mv = file["gaba_reversal_mv"]},
          {.decay_ms = file["nmda_decay_ms"],
           .rise_ms = file["nmda_rise_ms"],
           .reversal_mv = file["nmda_reversal_mv"],
           .magnesium_block = true,
           .shares_input_of = 0,
           .ratio = file["nmda_ratio"]}};
}

Trace conductance_trace(const ReferenceFile& file, std::uint32_t substeps, double weight_factor) {
  const LifParameters p = parameters(file);
  LifPopulation cell = one_cell(p, SynapseKind::conductance, conductance_receptors(file), substeps);
  std::vector<Arrival> arrivals;
  add(arrivals, file.list("ampa_spikes_ms"), 0, file["weight"] * weight_factor);
  add(arrivals, file.list("gaba_spikes_ms"), 1, file["gaba_weight"]);
  return simulate(cell, substeps, 150, 0.25, p.rest_mv, arrivals, kNoDrive);
}

TEST(Lif, ConductanceSynapsesApproachBrian) {
  const ReferenceFile file("lif_conductance_psp.csv");
  const auto error = [&](std::uint32_t substeps, double factor) {
    const Trace trace = conductance_trace(file, substeps, factor);
    EXPECT_TRUE(trace.spikes.empty());
    return largest_distance(trace.potential, file.column("v_mv"));
  };
  EXPECT_LT(error(4, 1.0), 0.06);  // at the cortex's timestep, of 13 mV
  EXPECT_LT(error(64, 1.0), 0.005);
  EXPECT_GT(error(4, 1.02), 0.06);
  EXPECT_GT(error(64, 1.02), 0.005);
}

TEST(Lif, ConductanceSpikesApproachBrian) {
  const ReferenceFile file("lif_conductance_spikes.csv");
  const auto error = [&](std::uint32_t substeps, double factor) {
    return largest_distance(conductance_trace(file, substeps, factor).spikes,
                            file.list("spikes_ms"));
  };
  EXPECT_LT(error(4, 1.0), 0.75);  // where potential grazes threshold, a few substeps
  EXPECT_GT(error(4, 0.8), 0.75);
  EXPECT_LT(error(64, 1.0), 0.03);
  EXPECT_GT(error(64, 1.02), 0.03);
}

TEST(Lif, TonicConductanceMovesRestAndShortensTheMembrane) {
  LifParameters p;
  p.threshold_mv = kNever;
  p.tau_m_ms = 15;
  const auto run = [&](double tonic) {
    LifPopulation cell = one_cell(p, SynapseKind::conductance, {}, 4);
    cell.set_tonic(static_cast<float>(tonic), -75);
    return simulate(cell, 4, 60, 1, p.rest_mv + 20, {}, kNoDrive).potential;
  };
  std::vector<double> exact;
  const double rest = (p.rest_mv + 0.5 * -75) / 1.5;
  for (int t = 0; t < 60; ++t)
    exact.push_back(rest + (p.rest_mv + 20 - rest) * std::exp(-t * 1.5 / 15));
  EXPECT_LT(largest_distance(run(0.5), exact), 1e-3);
  EXPECT_GT(largest_distance(run(0.51), exact), 0.05);
}

TEST(Lif, AStrongerConductanceNeverMovesThePotentialLess) {
  LifParameters p;
  p.threshold_mv = kNever;
  p.tau_m_ms = 15;
  // In one timestep, also where that is many time constants long.
  double before = 20;
  for (const double tonic : {1.0, 10.0, 50.0, 75.0, 300.0, 1e4}) {
    LifPopulation cell = one_cell(p, SynapseKind::conductance, {}, 1);
    cell.set_tonic(static_cast<float>(tonic), static_cast<float>(p.rest_mv));
    const double left =
        simulate(cell, 1, 3, 1, p.rest_mv + 20, {}, kNoDrive).potential[1] - p.rest_mv;
    EXPECT_LE(left, before + 1e-4) << tonic;
    before = left;
  }
  EXPECT_LT(before, 2);
}

TEST(Lif, ReceptorFactorIsThatOfItsWeights) {
  LifParameters p;
  p.threshold_mv = kNever;
  p.tau_m_ms = 15;
  const auto run = [&](std::vector<double> factors, double inhibition, double nmda_ratio) {
    LifPopulation cell = one_cell(p, SynapseKind::conductance,
                                  {{.decay_ms = 2, .reversal_mv = 0},
                                   {.decay_ms = 80, .rise_ms = 35, .reversal_mv = -90},
                                   {.decay_ms = 25,
                                    .reversal_mv = 0,
                                    .magnesium_block = true,
                                    .shares_input_of = 0,
                                    .ratio = nmda_ratio}},
                                  4);
    for (std::size_t r = 0; r < factors.size(); ++r)
      cell.set_receptor_factor(r, static_cast<float>(factors[r]));
    const std::vector<Arrival> arrivals = {{5, 0, 2}, {8, 1, inhibition}, {20, 0, 2}};
    return simulate(cell, 4, 120, 1, p.rest_mv, arrivals, kNoDrive).potential;
  };
  const auto whole = run({}, 1, 0.5);
  EXPECT_EQ(run({1, 1, 1}, 1, 0.5), whole);
  EXPECT_EQ(run({1, 0.5, 1}, 2, 0.5), whole);  // both parts of a rise and a decay
  EXPECT_EQ(run({1, 1, 0.5}, 1, 1), whole);    // of one that shares its input, its own alone
  EXPECT_NE(run({1, 1, 0.5}, 1, 0.5), whole);
}

// Network says which receptors a projection reaches; skipping the others may change no bit.
TEST(Lif, WhatNothingReachesChangesNothing) {
  const std::vector<Receptor> receptors{{.decay_ms = 2, .reversal_mv = 0},
                                        {.decay_ms = 80, .rise_ms = 35, .reversal_mv = -90},
                                        {.decay_ms = 25,
                                         .reversal_mv = 0,
                                         .magnesium_block = true,
                                         .shares_input_of = 0,
                                         .ratio = 0.5}};
  const auto potentials = [&](bool reached, float arrival) {
    LifPopulation cells("cells", {.bias_mv = 17, .noise_mv = 2, .adaptation_mv = 1},
                        SynapseKind::conductance, receptors, 64, 0, 64, 4, 7);
    cells.set_reached(1, reached);
    std::vector<std::uint32_t> fired;
    for (std::int64_t n = 0; n < 2000; ++n) {
      for (const std::size_t r : {0, 1})
        cells.input(r, n)[n % 64] +=
            static_cast<std::int32_t>((r == 0 ? 1 : arrival) / kInputQuantum);
      cells.integrate(n, fired);
    }
    EXPECT_GE(fired.size(), 64u);
    return std::vector<float>(cells.potential().begin(), cells.potential().end());
  };
  EXPECT_EQ(potentials(false, 0), potentials(true, 0));
  EXPECT_NE(potentials(true, 0.5), potentials(true, 0));  // it would have shown
}

TEST(Lif, NoiseHasTheGivenStationarySd) {
  const auto sd = [](SynapseKind kind, double noise_mv) {
    LifParameters p;
    p.threshold_mv = kNever;
    p.noise_mv = noise_mv;
    LifPopulation cells("noisy", p, kind, {}, 4096, 0, 4096, 4, 7);
    set_potential(cells, static_cast<float>(p.rest_mv));
    std::vector<std::uint32_t> fired;
    for (std::int64_t n = 0; n < 4 * 100; ++n) cells.integrate(n, fired);
    double sum = 0, square = 0;
    for (const float v : cells.potential()) {
      sum += v - p.rest_mv;
      square += (v - p.rest_mv) * (v - p.rest_mv);
    }
    EXPECT_NEAR(sum / 4096, 0.0, 0.15);
    return std::sqrt(square / 4096 - sum * sum / 4096 / 4096);
  };
  for (const SynapseKind kind : {SynapseKind::current, SynapseKind::conductance}) {
    EXPECT_NEAR(sd(kind, 2.0), 2.0, 0.08);  // four standard errors
    EXPECT_GT(std::abs(sd(kind, 2.2) - 2.0), 0.08);
  }
}

TEST(Lif, BiasHasTheGivenSdOverCells) {
  const auto sd = [](double bias_sd_mv) {
    LifParameters p;
    p.threshold_mv = kNever;
    p.bias_sd_mv = bias_sd_mv;
    LifPopulation cells("biased", p, SynapseKind::current, {}, 4096, 0, 4096, 1, 7);
    set_potential(cells, static_cast<float>(p.rest_mv));
    std::vector<std::uint32_t> fired;
    for (std::int64_t n = 0; n < 400; ++n) cells.integrate(n, fired);
    double square = 0;
    for (const float v : cells.potential()) square += (v - p.rest_mv) * (v - p.rest_mv);
    return std::sqrt(square / 4096);
  };
  EXPECT_NEAR(sd(3.0), 3.0, 0.1);
  EXPECT_GT(std::abs(sd(3.3) - 3.0), 0.1);
}

TEST(Lif, ExcitedAxonFiresOnceInItsSubstepUnlessRefractoryOrDead) {
  LifPopulation cells("cells", {.refractory_ms = 2}, SynapseKind::current, {{}}, 3, 0, 3, 4, 1);
  set_potential(cells, -65);
  cells.kill(2);
  // The second pulse on cell 0 falls into the 8 substeps after its spike, the third beyond them.
  for (const std::int64_t n : {5, 13, 14}) cells.evoke(n, 0);
  cells.evoke(7, 1);
  cells.evoke(7, 2);
  std::vector<std::pair<std::int64_t, std::uint32_t>> spikes;
  for (std::int64_t n = 0; n < 20; ++n) {
    std::vector<std::uint32_t> fired;
    cells.integrate(n, fired);
    for (const std::uint32_t id : fired) spikes.emplace_back(n, id);
  }
  EXPECT_EQ(spikes, (std::vector<std::pair<std::int64_t, std::uint32_t>>{{5, 0}, {7, 1}, {14, 0}}));
}

TEST(Lif, NoiseStreamsDifferAndTheFirstComesBack) {
  const auto trace = [](std::initializer_list<std::uint32_t> streams) {
    LifPopulation cells("cells", {.noise_mv = 3}, SynapseKind::current, {{}}, 1, 0, 1, 1, 1);
    set_potential(cells, -65);
    std::int64_t n = 0;
    for (const std::uint32_t stream : streams) {
      cells.set_noise_stream(stream);
      std::vector<std::uint32_t> fired;
      cells.integrate(n++, fired);
    }
    return cells.potential()[0];
  };
  EXPECT_NE(trace({0, 1}), trace({0, 0}));
  EXPECT_NE(trace({0, 1}), trace({0, 2}));
  EXPECT_NE(trace({1, 0}), trace({0, 0}));
}

TEST(Lif, KilledCellNeverFires) {
  LifParameters p;
  p.bias_mv = 100;
  LifPopulation cells("cells", p, SynapseKind::current, {}, 20, 0, 20, 4, 1);
  cells.kill(13);
  EXPECT_FALSE(cells.alive(13));
  EXPECT_TRUE(cells.alive(12));
  std::vector<int> count(20, 0);
  std::vector<std::uint32_t> fired;
  for (std::int64_t n = 0; n < 400; ++n) {
    fired.clear();
    cells.integrate(n, fired);
    for (const std::uint32_t id : fired) ++count.at(id);
  }
  for (std::size_t id = 0; id < 20; ++id) EXPECT_EQ(count[id] == 0, id == 13) << id;
}

TEST(Lif, SlicesDoWhatTheWholeDoes) {
  LifParameters p;
  p.bias_mv = 14;
  p.bias_sd_mv = 2;
  p.noise_mv = 3;
  const auto spikes = [&](std::vector<std::uint32_t> bounds, std::uint64_t seed) {
    std::vector<std::vector<std::uint32_t>> all(200);
    for (std::size_t slice = 0; slice + 1 < bounds.size(); ++slice) {
      LifPopulation cells("cells", p, SynapseKind::current, {{.decay_ms = 5}}, 100, bounds[slice],
                          bounds[slice + 1], 4, seed);
      for (std::int64_t n = 0; n < 200; ++n) cells.integrate(n, all[static_cast<std::size_t>(n)]);
    }
    return all;
  };
  const auto whole = spikes({0, 100}, 1);
  std::size_t count = 0;
  for (const auto& fired : whole) count += fired.size();
  EXPECT_GT(count, 20u);
  EXPECT_EQ(spikes({0, 48, 100}, 1), whole);
  EXPECT_EQ(spikes({0, 8, 56, 100}, 1), whole);
  EXPECT_NE(spikes({0, 100}, 2), whole);
}

TEST(Lif, RefusesWhatMakesNoSense) {
  const auto message = [](const LifParameters& p, std::vector<Receptor> receptors) -> std::string {
    try {
      LifPopulation("PC", p, SynapseKind::current, std::move(receptors), 8, 0, 8, 4, 1);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message({}, {{.decay_ms = 5}}), "accepted");
  LifParameters low;
  low.threshold_mv = low.reset_mv;
  EXPECT_EQ(message(low, {}),
            "PC: threshold_mv = -65 must be above reset_mv = -65; give it more, or reset_mv less");
  EXPECT_EQ(message({}, {{.decay_ms = 5, .rise_ms = 5}}),
            "PC: a receptor's rise_ms must be below its decay_ms");
  EXPECT_EQ(message({}, {{}, {.shares_input_of = 0}, {}}), "PC: receptors that share come last");
  EXPECT_EQ(message({}, std::vector<Receptor>(9)), "PC: too many receptors");
}

}  // namespace
}  // namespace quartet
