/// Learning rules against Brian2's traces (reference/make_traces.py) and closed forms.
#include "models/plasticity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "models/stdp.hpp"
#include "tests/models/memory_state.hpp"
#include "tests/models/reference_file.hpp"

namespace quartet {
namespace {

using Spikes = std::vector<Spike>;

LifPopulation cells(std::uint32_t first, std::uint32_t last, std::uint32_t size) {
  return {"cells", {}, SynapseKind::current, {{.decay_ms = 5}}, size, first, last, 4, 1};
}

/// Plastic synapses from `sources` cells, target j's kth from (j + k) mod sources.
Projection plastic(LifPopulation& target, std::uint32_t sources, std::uint32_t in_degree,
                   double weight, double max_weight) {
  ProjectionSpec s;
  s.name = "pathway";
  s.in_degree = in_degree;
  s.weight = weight;
  s.plastic = true;
  s.max_weight = max_weight;
  s.sources = [=, k = 0u](std::uint32_t cell, Draws&) mutable {
    return (cell + k++ % in_degree) % sources;
  };
  return {s, sources, target, 4, 1};
}

bool contains(const std::vector<double>& times, double t) {
  return std::find(times.begin(), times.end(), t) != times.end();
}

/// What a rule saves, by slice: for state that should be complete and the same on any slicing.
template <class Rule>
void save_into(MemoryState& state, const Rule& rule, const Projection& projection, int slice) {
  MemoryWriter writer(state, slice);
  rule.save(writer);
  projection.save(writer);
}

// Climbing fibres.

ClimbingFibreParameters climbing_fibre_parameters(const ReferenceFile& file) {
  return {.depression = file["depression"],
          .potentiation = file["potentiation"],
          .settled = file["goal"],
          .baseline_hz = 0,
          .cascade_ms = file["cascade_ms"],
          .reference_spikes = file["reference_spikes"]};
}

/// Weight at the times of the file's rows.
std::vector<double> climbing_fibre_weights(const ReferenceFile& file,
                                           const ClimbingFibreParameters& parameters) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, file["w0"], file["w_max"]);
  ClimbingFibreRule rule(projection, parameters);
  std::vector<double> weights{projection.weights()[0]};
  for (int t = 1; t < 1500; ++t) {
    rule.presynaptic(contains(file.list("pre_ms"), t) ? Spikes{{0, 0}} : Spikes{}, true);
    if (contains(file.list("complex_ms"), t)) rule.complex_spikes(Spikes{{0, 0}});
    if (t % 10 == 0) weights.push_back(projection.weights()[0]);
  }
  return weights;
}

TEST(ClimbingFibreRule, EqualsBrianUpToItsTimestep) {
  const ReferenceFile file("climbing_fibre.csv");
  const ClimbingFibreParameters parameters = climbing_fibre_parameters(file);
  // The cascade in steps of 1 ms is some 2 % off the continuous one; weights start at .04.
  EXPECT_LT(largest_distance(climbing_fibre_weights(file, parameters), file.column("w")), 6e-4);
  // With the same steps nothing is left but the rounding of floats.
  const double tolerance = 1e-6;
  EXPECT_LT(largest_distance(climbing_fibre_weights(file, parameters), file.column("w_1ms")),
            tolerance);
  for (double ClimbingFibreParameters::*changed :
       {&ClimbingFibreParameters::depression, &ClimbingFibreParameters::potentiation,
        &ClimbingFibreParameters::settled, &ClimbingFibreParameters::cascade_ms,
        &ClimbingFibreParameters::reference_spikes}) {
    ClimbingFibreParameters other = parameters;
    other.*changed *= 1.005;
    EXPECT_GT(largest_distance(climbing_fibre_weights(file, other), file.column("w_1ms")),
              tolerance);
  }
}

/// Share of w_max that one complex spike takes from weight `before` (w_max .08), `delay_ms` after
/// `spikes` presynaptic spikes.
double depression_after(int delay_ms, int spikes, double cascade_ms = 33, double before = 0.04) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, before, 0.08);
  ClimbingFibreRule rule(projection, {.depression = 0.1, .cascade_ms = cascade_ms});
  rule.presynaptic(Spikes(static_cast<std::size_t>(spikes), Spike{0, 0}), false);
  for (int t = 0; t < delay_ms; ++t) rule.presynaptic({}, false);
  rule.complex_spikes(Spikes{{0, 0}});
  return (before - projection.weights()[0]) / 0.08;
}

TEST(ClimbingFibreRule, DepressesMostThreeStagesLater) {
  int best = 0;
  for (int delay = 0; delay < 300; ++delay)
    if (depression_after(delay, 2) > depression_after(best, 2)) best = delay;
  EXPECT_NEAR(best, 99, 3);
  EXPECT_NEAR(depression_after(best, 2), 0.1, 0.002);
  EXPECT_GT(std::abs(depression_after(best - 40, 2) - 0.1), 0.002);
  EXPECT_LT(depression_after(0, 2), 1e-6);
  EXPECT_NEAR(depression_after(99, 1), 0.05, 0.002);
  EXPECT_NEAR(depression_after(99, 20), 0.15, 1e-6);  // no more than 1.5
  EXPECT_GT(std::abs(depression_after(99, 2, 20) - 0.1), 0.002);
}

TEST(ClimbingFibreRule, DepressionIsTheSameAtAnyWeightDownToZero) {
  for (const double before : {0.08, 0.04, 0.02})
    EXPECT_NEAR(depression_after(99, 20, 33, before), 0.15, 1e-6) << before;
  EXPECT_GT(std::abs(depression_after(99, 19, 33, 0.011) - 0.15), 1e-6);
  EXPECT_EQ(depression_after(99, 20, 33, 0.0625), depression_after(99, 40, 33, 0.0625));
  const auto floor = [](double before) { return depression_after(99, 20, 33, before) * 0.08; };
  EXPECT_NEAR(floor(0.01), 0.01, 1e-9);  // a weight of less than .15 w_max is lost, and no more
}

TEST(ClimbingFibreRule, PotentiationIsAShareOfTheWayToItsGoalAndCanBeOff) {
  const auto after = [](int spikes, bool learning, double goal = 1.0) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.02, 0.08);
    ClimbingFibreRule rule(
        projection, {.potentiation = 0.01, .settled = goal, .baseline_hz = 0, .forgetting_ms = 0});
    for (int k = 0; k < spikes; ++k) rule.presynaptic(Spikes{{0, 0}}, learning);
    return projection.weights()[0];
  };
  const double exact = 0.08 - 0.06 * std::pow(0.99, 50);
  EXPECT_NEAR(after(50, true), exact, 1e-6);
  EXPECT_GT(std::abs(after(51, true) - exact), 1e-6);
  EXPECT_NEAR(after(50, true, 0.5), 0.04 - 0.02 * std::pow(0.99, 50), 1e-6);
  EXPECT_EQ(after(50, true, 0.25), 0.02f);
  EXPECT_NEAR(after(50, true, 0.125), 0.01 + 0.01 * std::pow(0.99, 50), 1e-6);
  EXPECT_EQ(after(50, false), 0.02f);
}

TEST(ClimbingFibreRule, TouchesTheCellThatFiredOnly) {
  LifPopulation target = cells(0, 8, 8);
  Projection projection = plastic(target, 8, 3, 0.04, 0.08);
  ClimbingFibreRule rule(projection, {});
  rule.presynaptic(Spikes{{4, 0}, {4, 1}}, false);
  for (int t = 0; t < 99; ++t) rule.presynaptic({}, false);
  rule.complex_spikes(Spikes{{3, 0}});
  const std::vector<float> weights = projection.canonical_weights();
  for (std::uint32_t i = 0; i < 8; ++i)
    for (std::uint32_t k = 0; k < 3; ++k)
      EXPECT_EQ(weights[i * 3 + k] < 0.04f, i == 3 && (i + k) % 8 == 4) << i << " " << k;
}

/// Weight from .04 after a complex spike at ms 100, 99 ms after two presynaptic ones, and a reward
/// reported by `reward` spikes per cell, half at ms 160 and half at 163: before the end of a
/// period.
double rewarded_weight(const ClimbingFibreParameters& parameters, double reward,
                       bool complex_spike = true, bool learning = true) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, 0.04, 0.08);
  ClimbingFibreRule rule(projection, parameters);
  for (int t = 1; t <= 300; ++t) {
    rule.presynaptic(t == 1 ? Spikes{{0, 0}, {0, 1}} : Spikes{}, false);
    if (t == 100 && complex_spike) rule.complex_spikes(Spikes{{0, 0}});
    rule.end_step(t == 160 || t == 163 ? reward / 2 : 0.0, learning);
  }
  return projection.weights()[0];
}

TEST(ClimbingFibreRule, RewardUndoesDepressionThatIsLabile) {
  const ClimbingFibreParameters parameters{
      .depression = 0.1, .labile_ms = 200, .reward_damping = 0.3, .forgetting_ms = 0};
  const double loss = 0.04 - rewarded_weight(parameters, 0);
  EXPECT_NEAR(loss, 0.1 * 0.08, 2e-4);
  for (const double spikes : {1.0, 2.0, 50.0}) {
    const double back = loss * std::exp(-75.0 / 200.0) * (1.0 - std::exp(-0.3 * spikes));
    EXPECT_NEAR(rewarded_weight(parameters, spikes), 0.04 - loss + back, 1e-8) << spikes;
  }
  ClimbingFibreParameters other = parameters;
  other.labile_ms = 150;
  EXPECT_GT(rewarded_weight(parameters, 2) - rewarded_weight(other, 2), 1e-4);
  other = parameters;
  other.reward_damping = 0;
  EXPECT_EQ(rewarded_weight(other, 2), rewarded_weight(parameters, 0));
  EXPECT_EQ(rewarded_weight(parameters, 2, true, false), rewarded_weight(parameters, 0));
  // It gives back no more than leads to the goal.
  other = parameters;
  other.baseline_hz = 0;
  other.settled = 0.45;
  EXPECT_NEAR(rewarded_weight(other, 50), 0.45 * 0.08, 1e-8);
  other.settled = 0.3;
  EXPECT_EQ(rewarded_weight(other, 50), rewarded_weight(parameters, 0));
  // There is nothing to undo without an error.
  EXPECT_EQ(rewarded_weight(parameters, 2, false), 0.04f);
}

/// Mean weight, as a part of w_max, at which a synapse settles under regular presynaptic spikes
/// (every `presynaptic_ms`) and regular complex spikes (every `complex_ms`; 0: none).
double settled_weight(const ClimbingFibreParameters& parameters, int complex_ms, double start,
                      int presynaptic_ms = 10) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, start * 0.08, 0.08);
  ClimbingFibreRule rule(projection, parameters);
  double sum = 0;
  int counted = 0;
  constexpr int settling = 80'000, all = settling + 24'000;  // whole periods of all rates below
  for (int t = 0; t < all; ++t) {
    if (t >= settling && t % presynaptic_ms == 0) {
      sum += projection.weights()[0] / 0.08;  // before the spike that potentiates it
      ++counted;
    }
    rule.presynaptic(t % presynaptic_ms == 0 ? Spikes{{0, 0}} : Spikes{}, true);
    if (complex_ms > 0 && t % complex_ms == 0) rule.complex_spikes(Spikes{{0, 0}});
    rule.end_step(0, true);
  }
  return sum / counted;
}

TEST(ClimbingFibreRule, SettledWeightFallsLinearlyWithTheRateOfComplexSpikes) {
  // Gain p (1 − w) per presynaptic spike and loss d·T per complex spike balance. The trace's mean
  // is T = r_pre · cascade/(.22404 · reference), so r_pre drops out: w = 1 − r · slope.
  const ClimbingFibreParameters parameters{.depression = 0.04,
                                           .potentiation = 0.002,
                                           .settled = 1.0,
                                           .baseline_hz = 0,
                                           .cascade_ms = 33,
                                           .reference_spikes = 20,
                                           .forgetting_ms = 0};
  const double slope_ms = 0.04 * 33 / (0.22404 * 20) / 0.002;
  double least = 1, most = 0;
  for (const int complex_ms : {0, 2000, 1000, 500, 300, 200}) {
    const double exact = complex_ms == 0 ? 1.0 : 1.0 - slope_ms / complex_ms;
    const double settled = settled_weight(parameters, complex_ms, 0.5);
    EXPECT_NEAR(settled, exact, 0.004) << complex_ms;
    EXPECT_NEAR(settled_weight(parameters, complex_ms, 0.9), exact, 0.004) << complex_ms;
    least = std::min(least, settled);
    most = std::max(most, settled);
  }
  EXPECT_LT(least, 0.3);  // the line is tested over most of its length
  EXPECT_GT(most, 0.99);
  ClimbingFibreParameters other = parameters;
  other.depression *= 1.05;
  EXPECT_GT(std::abs(settled_weight(other, 300, 0.5) - (1.0 - slope_ms / 300)), 0.004);
  // Loss in proportion to the weight would settle on a hyperbola.
  EXPECT_GT(std::abs(settled_weight(parameters, 300, 0.5) - 1.0 / (1.0 + slope_ms / 300)), 0.004);
  // Down to nothing at faster rates, and no further.
  EXPECT_LT(settled_weight(parameters, 100, 0.5), 0.1);
  EXPECT_GE(settled_weight(parameters, 100, 0.5), 0.0);
}

TEST(ClimbingFibreRule, RefusesAGoalBeyondTheLargestWeight) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, 0.04, 0.08);
  try {
    ClimbingFibreRule(projection, {.potentiation = 0.001});
    ADD_FAILURE() << "not refused";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("use a larger potentiation"), std::string::npos);
  }
}

TEST(ClimbingFibreRule, ForgettingTakesTheMoreTheRarerSpikesAre) {
  // A complex spike every 400 ms, 2.5 Hz; presynaptic spikes every `every` ms.
  const ClimbingFibreParameters parameters{.depression = 0.02,
                                           .potentiation = 0.002,
                                           .settled = 0.5,
                                           .baseline_hz = 1.25,
                                           .reference_spikes = 20,
                                           .forgetting_ms = 5000};
  const double k = 1e-3 * 0.02 * 33 / (0.22404 * 20 * 0.002);
  for (const int every : {10, 40}) {
    const double share = 1.0 / (1.0 + every / (0.002 * 5000));
    EXPECT_NEAR(settled_weight(parameters, 400, 0.5, every), 0.5 + k * (1.25 - 2.5) * share, 0.004)
        << every;
  }
}

TEST(ClimbingFibreRule, WeightsAreForgottenWithTime) {
  const auto after = [](int ms, double forgetting_ms, bool plastic_synapses = true) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.02, 0.08);
    ClimbingFibreRule rule(projection, {.settled = 0.75, .forgetting_ms = forgetting_ms});
    for (int t = 0; t < ms; ++t) {
      rule.presynaptic({}, false);
      rule.end_step(0, plastic_synapses);
    }
    return projection.weights()[0];
  };
  for (const int ms : {1000, 3000})
    EXPECT_NEAR(after(ms, 2000), 0.06 - 0.04 * std::exp(-ms / 2000.0), 1e-6) << ms;
  EXPECT_GT(std::abs(after(1000, 1900) - after(1000, 2000)), 1e-4);
  EXPECT_EQ(after(1000, 0), 0.02f);
  EXPECT_EQ(after(1000, 2000, false), 0.02f);
}

TEST(ClimbingFibreRule, WeightsStayAtTheBaselineRateWhateverTheOtherParameters) {
  // A complex spike every 800 ms is 1.25 Hz; traces stay below their bound.
  const ClimbingFibreParameters parameters{.depression = 0.02,
                                           .potentiation = 0.002,
                                           .settled = 0.4,
                                           .baseline_hz = 1.25,
                                           .reference_spikes = 20,
                                           .forgetting_ms = 0};
  EXPECT_NEAR(settled_weight(parameters, 800, 0.4), 0.4, 0.002);
  for (double ClimbingFibreParameters::*changed :
       {&ClimbingFibreParameters::depression, &ClimbingFibreParameters::potentiation,
        &ClimbingFibreParameters::cascade_ms, &ClimbingFibreParameters::reference_spikes}) {
    ClimbingFibreParameters other = parameters;
    other.*changed *= 0.7;
    EXPECT_NEAR(settled_weight(other, 800, 0.4), 0.4, 0.002);
  }
  EXPECT_GT(std::abs(settled_weight(parameters, 600, 0.4) - 0.4), 0.01);
}

// Three factors.

/// w at the end of each window; `mean_rate` as given.
std::vector<double> three_factor_weights(const ReferenceFile& file, double mean_rate, double rate) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, file["w0"], file["w_max"]);
  ThreeFactorRule rule(projection, {.rate = rate,
                                    .trace_ms = file["trace_ms"],
                                    .eligibility_ms = file["eligibility_ms"],
                                    .mean_rate = mean_rate});
  std::vector<double> weights{projection.weights()[0]};
  int t = 0;
  for (const double m : file.list("factor")) {
    for (int k = 0; k < ThreeFactorRule::kPeriodMs; ++k) {
      ++t;
      rule.spikes(contains(file.list("pre_ms"), t) ? Spikes{{0, 0}} : Spikes{},
                  contains(file.list("post_ms"), t) ? Spikes{{0, 0}} : Spikes{});
    }
    rule.modulate(m, true);
    weights.push_back(projection.weights()[0]);
  }
  return weights;
}

TEST(ThreeFactorRule, EqualsBrianWithAndWithoutTheMean) {
  const ReferenceFile file("three_factor.csv");
  const double rate = file["rate"], mean_rate = file["mean_rate"];
  for (const bool mean : {false, true}) {
    SCOPED_TRACE(mean ? "with the mean" : "without");
    const std::vector<double>& brian = file.column(mean ? "w_mean" : "w");
    const auto distance = [&](double with_mean_rate, double with_rate) {
      return largest_distance(three_factor_weights(file, with_mean_rate, with_rate), brian);
    };
    EXPECT_LT(distance(mean ? mean_rate : 0, rate), 1e-5);
    EXPECT_GT(distance(mean ? mean_rate : 0, 1.01 * rate), 1e-5);
    EXPECT_GT(distance(mean ? 0 : mean_rate, rate), 1e-5);
    EXPECT_GT(distance(1.2 * mean_rate, rate), 1e-5);
  }
}

TEST(ThreeFactorRule, EqualsTheClosedFormsOfOnePair) {
  // Pre at 0, post 5 ms later, m at 10 ms.
  const auto change = [](double m, double trace_ms, bool learning) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.3, 1.0);
    ThreeFactorRule rule(
        projection, {.rate = 0.01, .trace_ms = trace_ms, .eligibility_ms = 400, .mean_rate = 0});
    rule.spikes(Spikes{{0, 0}}, {});
    for (int t = 0; t < 4; ++t) rule.spikes({}, {});
    rule.spikes({}, Spikes{{0, 0}});
    rule.modulate(m, learning);
    return projection.weights()[0] - 0.3;
  };
  const double exact = 0.01 * 2.0 * std::exp(-5.0 / 20) * 4 * 0.3 * 0.7;
  EXPECT_NEAR(change(2, 20, true), exact, 1e-6);
  EXPECT_NEAR(change(-2, 20, true), -exact, 1e-6);
  EXPECT_GT(std::abs(change(2, 21, true) - exact), 1e-6);
  EXPECT_NEAR(change(2, 20, false), 0, 1e-7);
  EXPECT_NEAR(change(0, 20, true), 0, 1e-7);
}

TEST(ThreeFactorRule, EligibilityCanRiseLate) {
  // One pair at 0, m in the window that ends at `ms` alone; e hardly decays.
  const auto change = [](int ms, double rise_ms) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.3, 1.0);
    ThreeFactorRule rule(
        projection, {.rate = 0.01, .eligibility_ms = 60000, .mean_rate = 0, .rise_ms = rise_ms});
    rule.spikes(Spikes{{0, 0}}, Spikes{{0, 0}});
    for (int t = 0; t < ms; t += ThreeFactorRule::kPeriodMs)
      rule.modulate(t + ThreeFactorRule::kPeriodMs == ms ? 1.0 : 0.0, true);
    return (projection.weights()[0] - 0.3) / (0.01 * 4 * 0.3 * 0.7);
  };
  EXPECT_NEAR(change(10, 0), 1.0, 0.01);
  EXPECT_NEAR(change(10, 150), 0.0, 0.01);
  for (const int ms : {150, 300, 600, 1500}) {
    const double x = (ms - 20) / 150.0;  // a stage passes on what it had a window before
    EXPECT_NEAR(change(ms, 150), std::exp(-ms / 60000.0) * (1 - std::exp(-x) * (1 + x)), 0.02)
        << ms;
  }
  EXPECT_GT(std::abs(change(300, 100) - change(300, 150)), 0.1);
}

TEST(ThreeFactorRule, RelaxesToHalfTheLargestWeightByTheSizeOfTheFactor) {
  const auto settled = [](double w0, double m, double decay, int windows, bool learning = true) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, w0, 1.0);
    ThreeFactorRule rule(projection, {.rate = 0.01, .mean_rate = 0, .decay = decay});
    for (int k = 0; k < windows; ++k) rule.modulate(m, learning);
    return static_cast<double>(projection.weights()[0]);
  };
  for (const double m : {2.0, -2.0}) {
    EXPECT_NEAR(settled(0.3, m, 0.05, 7), 0.5 - 0.2 * std::pow(0.9, 7), 1e-6);
    EXPECT_NEAR(settled(0.9, m, 0.05, 7), 0.5 + 0.4 * std::pow(0.9, 7), 1e-6);
  }
  EXPECT_NEAR(settled(0.3, 0, 0.05, 7), 0.3, 1e-7);
  EXPECT_NEAR(settled(0.3, 2, 0, 7), 0.3, 1e-7);
  EXPECT_NEAR(settled(0.3, 2, 0.05, 7, false), 0.3, 1e-7);
}

/// Mean eligibility after windows with eligibilities 1, 2, 3, 1, 2, 3 … and factors of `factors`.
double mean_eligibility(const std::vector<double>& factors, double mean_rate,
                        bool learning = true) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, 0.3, 1.0);
  // Eligibility is gone at the next window.
  ThreeFactorRule rule(
      projection, {.rate = 0.001, .trace_ms = 1, .eligibility_ms = 0.2, .mean_rate = mean_rate});
  int k = 0;
  for (const double m : factors) {
    for (int t = 1; t < 30; ++t) rule.spikes({}, {});  // so is the trace
    rule.spikes(Spikes{{0, 0}}, Spikes(static_cast<std::size_t>(k++ % 3 + 1), Spike{0, 0}));
    rule.modulate(m, learning);
  }
  MemoryState state;
  MemoryWriter writer(state, 0);
  rule.save(writer);
  float mean = 0;
  std::memcpy(&mean, state.arrays.at("pathway.mean").bytes.data(), sizeof mean);
  return mean;
}

TEST(ThreeFactorRule, MeanStartsAsAPlainMeanWeightedByTheFactor) {
  // Σ|m| stays below 1/mean_rate = 50.
  EXPECT_NEAR(mean_eligibility({0.1}, 0.02), 1.0, 1e-6);  // whole at once, however small m is
  EXPECT_NEAR(mean_eligibility({1, 1}, 0.02), 1.5, 1e-6);
  EXPECT_NEAR(mean_eligibility({1, -1, 1, 1}, 0.02), 7.0 / 4, 1e-6);
  const std::vector<double> factors{0.5, -2, 0, 1, 3, -0.25, 0, 4};
  const double exact = (0.5 * 1 + 2 * 2 + 1 * 1 + 3 * 2 + 0.25 * 3 + 4 * 2) / 10.75;
  EXPECT_NEAR(mean_eligibility(factors, 0.02), exact, 1e-6);
  EXPECT_NEAR(mean_eligibility(factors, 0.05), exact, 1e-6);  // as long as 1/mean_rate is larger
  EXPECT_GT(std::abs(mean_eligibility(factors, 0.2) - exact), 1e-3);
  // Never: without learning, at m = 0, at mean_rate 0.
  EXPECT_EQ(mean_eligibility(factors, 0.02, false), 0.0);
  EXPECT_EQ(mean_eligibility({0, 0, 0}, 0.02), 0.0);
  EXPECT_EQ(mean_eligibility(factors, 0), 0.0);
}

TEST(ThreeFactorRule, MeanRunsOnceTheFactorsAddUpToItsTime) {
  for (const double m : {1.0, -0.5, 2.0}) {
    const double mean_rate = 0.1;
    const std::vector<double> factors(90, m);
    // Plain over the first windows, whose |m| add up to 1/mean_rate; then step by step.
    const int plain = static_cast<int>(std::lround(10 / std::abs(m)));
    double exact = 0;
    for (int k = 0; k < plain; ++k) exact += (k % 3 + 1.0) / plain;
    for (int k = plain; k < 90; ++k) exact += mean_rate * std::abs(m) * (k % 3 + 1.0 - exact);
    EXPECT_NEAR(mean_eligibility(factors, mean_rate), exact, 1e-5) << m;
    EXPECT_GT(std::abs(mean_eligibility(factors, 1.2 * mean_rate) - exact), 1e-3) << m;
  }
}

TEST(ThreeFactorRule, WhatIsThereFromTheFirstOutcomeOnTeachesOnlyOnce) {
  // The first window has no mean yet; from then on eligibility is its own mean.
  const auto weight = [](int windows, double mean_rate) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.3, 1.0);
    ThreeFactorRule rule(
        projection, {.rate = 0.01, .trace_ms = 1, .eligibility_ms = 0.2, .mean_rate = mean_rate});
    for (int k = 0; k < windows; ++k) {
      for (int t = 1; t < 30; ++t) rule.spikes({}, {});
      rule.spikes(Spikes{{0, 0}}, Spikes{{0, 0}});
      rule.modulate(k % 2 == 0 ? 1.0 : 0.5, true);
    }
    return static_cast<double>(projection.weights()[0]);
  };
  const double once = 0.3 + 0.01 * 4 * 0.3 * 0.7;
  for (const int windows : {1, 2, 20, 200}) EXPECT_NEAR(weight(windows, 0.02), once, 1e-6);
  EXPECT_GT(std::abs(weight(2, 0) - once), 1e-3);
}

TEST(ThreeFactorRule, WeightsStayInTheirRange) {
  for (const double m : {1e4, -1e4}) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.3, 1.0);
    ThreeFactorRule rule(projection, {.rate = 1});
    for (int k = 0; k < 20; ++k) {
      rule.spikes(Spikes{{0, 0}}, Spikes{{0, 0}});
      rule.modulate(k % 3 == 0 ? -m : m, true);
      EXPECT_GE(projection.weights()[0], 0.0f);
      EXPECT_LE(projection.weights()[0], 1.0f);
    }
  }
}

// Instructive signals.

/// Weights of a ring of eight targets, of which each has a synapse from the one source, after
/// instructor 2 of eight has fired in each of `ms` ms and the source, then, `spikes` times at once.
std::vector<float> instructed(const InstructedParameters& parameters, int ms, int spikes,
                              double start = 0.5, bool learning = true) {
  LifPopulation target = cells(0, 8, 8);
  Projection projection = plastic(target, 1, 1, start, 1.0);
  InstructedRule rule(projection, parameters, 8);
  for (int t = 0; t < ms; ++t) rule.step({}, Spikes{{2, 0}}, learning);
  rule.step(Spikes(static_cast<std::size_t>(spikes), Spike{0, 0}), Spikes{{2, 0}}, learning);
  return projection.canonical_weights();
}

TEST(InstructedRule, TurnsWeightsTowardTheInstructingCells) {
  // One of eight cells at 1000 Hz: A = 2/8 · 1000 Hz · cos of the angle to it.
  const std::vector<float> weights = instructed({.rate = 0.001, .decay = 0}, 600, 1);
  for (std::size_t j = 0; j < 8; ++j)
    EXPECT_NEAR(weights[j], 0.5 + 0.25 * std::cos((static_cast<double>(j) - 2) * M_PI / 4), 1e-5)
        << j;
  EXPECT_EQ(instructed({.rate = 0.001, .decay = 0}, 600, 1, 0.5, false),
            std::vector<float>(8, 0.5f));
}

TEST(InstructedRule, InhibitionOfAllDendritesNarrowsWhatIsLearned) {
  const InstructedParameters parameters{.rate = 0.001, .decay = 0, .inhibition = 0.3};
  const std::vector<float> weights = instructed(parameters, 600, 1);
  for (std::size_t j = 0; j < 8; ++j)
    EXPECT_NEAR(weights[j], 0.5 + 0.25 * (std::cos((static_cast<double>(j) - 2) * M_PI / 4) - 0.3),
                1e-5)
        << j;
}

TEST(InstructedRule, WhatIsPredictedInstructsNothing) {
  LifPopulation target = cells(0, 8, 8);
  Projection projection = plastic(target, 1, 1, 0.5, 1.0);
  InstructedRule rule(projection, {.rate = 0.001, .decay = 0, .inhibition = 0.3}, 8);
  for (int t = 0; t < 100; ++t) rule.step(Spikes{{0, 0}}, Spikes{{2, 0}}, true, Spikes{{2, 0}});
  EXPECT_EQ(projection.canonical_weights(), std::vector<float>(8, 0.5f));
}

TEST(InstructedRule, WeightsStayInTheirRange) {
  const std::vector<float> weights = instructed({.rate = 0.01, .decay = 0}, 600, 1);
  EXPECT_EQ(weights[2], 1.0f);
  EXPECT_EQ(weights[6], 0.0f);
}

TEST(InstructedRule, EachPresynapticSpikeForgetsAShare) {
  const std::vector<float> weights = instructed({.rate = 0, .decay = 0.02}, 0, 30);
  for (const float weight : weights) EXPECT_NEAR(weight, 0.5 * std::pow(0.98, 30), 1e-6);
}

TEST(InstructedRule, TheSignalBuildsUpWithItsTimeConstant) {
  const auto after = [](int ms) {
    return instructed({.rate = 0.001, .decay = 0, .apical_ms = 30}, ms - 1, 1)[2] - 0.5;
  };
  EXPECT_NEAR(after(30), 0.25 * (1 - std::exp(-1.0)), 1e-5);
  EXPECT_NEAR(after(90), 0.25 * (1 - std::exp(-3.0)), 1e-5);
}

TEST(InstructedRule, InstructedDendritesComeToLearnFaster) {
  // Instructor 2 fires at 1000 Hz: A = 250 Hz at target 2, 0 at targets 0 and 4, less than 0 at 6.
  InstructedParameters parameters{
      .rate = 0.0004, .decay = 0, .apical_ms = 1, .sensitization = 0.02, .largest_sensitivity = 3};
  const auto gain = [&](std::size_t j, int ms, bool learning = true) {
    LifPopulation target = cells(0, 8, 8);
    Projection projection = plastic(target, 1, 1, 0.5, 1.0);
    InstructedRule rule(projection, parameters, 8);
    for (int t = 0; t < ms; ++t) rule.step({}, Spikes{{2, 0}}, learning);
    rule.step(Spikes{{0, 0}}, Spikes{{2, 0}}, true);
    return projection.canonical_weights()[j] - 0.5;
  };
  for (const int ms : {100, 400}) {
    // The first few ms, in which A builds up, are a small part.
    const double sensitivity = 3 - 2 * std::exp(-0.02 * 250 * 1e-3 * ms);
    EXPECT_NEAR(gain(2, ms), 0.1 * sensitivity, 0.002) << ms;
    EXPECT_NEAR(gain(6, ms), -0.1, 0.002) << ms;
    EXPECT_NEAR(gain(2, ms, false), 0.1, 0.002) << ms;
  }
  // A sensitized dendrite also gives up faster what it holds.
  const auto loss = [&](int ms) {
    LifPopulation target = cells(0, 8, 8);
    Projection projection = plastic(target, 1, 1, 0.5, 1.0);
    InstructedRule rule(projection, parameters, 8);
    for (int t = 0; t < ms; ++t) rule.step({}, Spikes{{2, 0}}, true);
    for (int t = 0; t < 10; ++t) rule.step({}, Spikes{{6, 0}}, true);
    rule.step(Spikes{{0, 0}}, Spikes{{6, 0}}, true);
    return 0.5 - projection.canonical_weights()[2];
  };
  EXPECT_NEAR(loss(400), 0.1 * (3 - 2 * std::exp(-0.02 * 250 * 0.4)), 0.002);
  EXPECT_NEAR(loss(0), 0.1, 0.002);
  parameters.sensitization = 0;
  EXPECT_NEAR(gain(2, 400), 0.1, 0.002);
}

// Hebbian synapses.

/// Weights of two targets, each with a synapse from the one source, after `spikes` spikes of the
/// source while the first target fires once in `every` ms and the other never.
std::vector<float> paired(const HebbianParameters& parameters, int spikes, int every,
                          double start = 0, bool learning = true) {
  LifPopulation target = cells(0, 2, 2);
  Projection projection = plastic(target, 1, 1, start, 0.5);
  HebbianRule rule(projection, parameters);
  const auto fires = [&](int t) { return t % every == 0 ? Spikes{{0, 0}} : Spikes{}; };
  for (int t = 0; t < 2000; ++t) rule.step({}, fires(t), learning);  // rates have settled
  for (int k = 0; k < spikes; ++k) rule.step(Spikes{{0, 0}}, fires(k), learning);
  return projection.canonical_weights();
}

TEST(HebbianRule, WeightsFollowHowActiveTheTargetIs) {
  // 250 Hz of a full 1000 Hz: a quarter of the largest weight, approached by a fiftieth per spike.
  // The trace of spikes that come every 4 ms has ripples, so a slow one is taken.
  const HebbianParameters parameters{.rate = 0.02, .full_hz = 1000, .trace_ms = 400};
  const std::vector<float> weights = paired(parameters, 50, 4);
  EXPECT_NEAR(weights[0], 0.125 * (1 - std::pow(0.98, 50)), 1e-3);
  EXPECT_EQ(weights[1], 0.0f);
  // A source that fires while its target is silent forgets.
  EXPECT_NEAR(paired(parameters, 50, 4, 0.4)[1], 0.4 * std::pow(0.98, 50), 1e-6);
  EXPECT_EQ(paired(parameters, 50, 4, 0.4, false), std::vector<float>(2, 0.4f));
}

TEST(HebbianRule, NoWeightGoesBeyondTheLargest) {
  EXPECT_NEAR(paired({.rate = 0.5, .full_hz = 10, .trace_ms = 100}, 100, 1)[0], 0.5, 1e-6);
}

// Nuclei.

/// Parameters without a set-point.
NuclearParameters nuclear(double rate, double decay) {
  return {.rate = rate, .decay = decay, .set_point_spikes = 0, .set_point_rate = 0};
}

/// Weights of a nuclear cell in each of two zones, after `spikes` mossy-fibre spikes while 10
/// Purkinje cells of zone 0 fire once a ms in `period` and those of zone 1 are silent.
std::vector<float> nuclear_weights(int spikes, int period, const NuclearParameters& parameters,
                                   bool active,
                                   const std::vector<std::uint32_t>& living = {10, 10}) {
  LifPopulation target = cells(0, 2, 2);
  Projection projection = plastic(target, 1, 1, 1.0, 2.0);
  NuclearRule rule(projection, parameters, 2, 20);
  rule.set_living(living);
  const auto purkinje = [&](int t) {
    Spikes all;
    for (std::uint32_t id = 0; id < 10; ++id)
      if (t % period == 0) all.push_back({id, 0});
    return all;
  };
  for (int t = 0; t < 1000; ++t) rule.step({}, purkinje(t), active);  // rates have settled
  for (int t = 0; t < spikes; ++t) rule.step(Spikes{{0, 0}}, purkinje(t), active);
  return projection.canonical_weights();
}

TEST(NuclearRule, FollowsThePurkinjeRateOfItsZone) {
  // One spike per ms in period 1: 1000 Hz; silent zone: 0 Hz; mean 500 Hz.
  const NuclearParameters parameters = nuclear(1e-6, 0);
  const std::vector<float> weights = nuclear_weights(100, 1, parameters, true);
  ASSERT_EQ(weights.size(), 2u);
  EXPECT_NEAR(weights[0], 1.0 - 100 * 1e-6 * 500, 1e-4);
  EXPECT_NEAR(weights[1], 1.0 + 100 * 1e-6 * 500, 1e-4);
  EXPECT_GT(std::abs(nuclear_weights(101, 1, parameters, true)[0] - 0.95), 1e-4);
  EXPECT_EQ(nuclear_weights(100, 1, parameters, false), std::vector<float>(2, 1.0f));
}

TEST(NuclearRule, CountsTheLivingAndNothingWhereNoneAreLeft) {
  // 10 living cells at 1000 Hz, 5 of 10 silent ones living: mean 666.7 Hz, half the share.
  const NuclearParameters parameters = nuclear(1e-6, 0);
  const std::vector<float> weights = nuclear_weights(100, 1, parameters, true, {10, 5});
  EXPECT_NEAR(weights[0], 1.0 - 100 * 1e-6 * 333.3, 1e-4);
  EXPECT_NEAR(weights[1], 1.0 + 100 * 1e-6 * 666.7 / 2, 1e-4);
  EXPECT_EQ(nuclear_weights(100, 1, parameters, true, {10, 0}), std::vector<float>(2, 1.0f));
}

TEST(NuclearRule, ReturnsToTheInitialWeight) {
  // Fixed point w0 + rate (P − P_z)/decay, approached with factor (1 − decay) per spike.
  const auto weight = [](int spikes, double decay) {
    return nuclear_weights(spikes, 1, nuclear(1e-6, decay), true)[1];
  };
  const double share = 1e-6 * 500 / 0.01;
  EXPECT_NEAR(weight(100, 0.01), 1 + share * (1 - std::pow(0.99, 100)), 1e-4);
  EXPECT_NEAR(weight(2000, 0.01), 1 + share, 1e-4);
  EXPECT_GT(std::abs(weight(100, 0.011) - (1 + share * (1 - std::pow(0.99, 100)))), 1e-4);
}

TEST(NuclearRule, AverageRateHasATimeConstantOfFiftyMs) {
  // A volley of all cells of zone 0: 1000 Hz / 50 that decays, half of it above the mean.
  LifPopulation target = cells(0, 2, 2);
  Projection projection = plastic(target, 1, 1, 1.0, 2.0);
  NuclearRule rule(projection, nuclear(1e-4, 0), 2, 20);
  Spikes volley;
  for (std::uint32_t id = 0; id < 10; ++id) volley.push_back({id, 0});
  rule.step({}, volley, true);
  const auto loss = [&](int wait) {
    for (int t = 0; t < wait - 1; ++t) rule.step({}, {}, true);
    const float before = projection.canonical_weights()[0];
    rule.step(Spikes{{0, 0}}, {}, true);
    return before - projection.canonical_weights()[0];
  };
  const double volley_hz = 1000 * (1 - std::exp(-1.0 / 50)) / 2;
  EXPECT_NEAR(loss(25), 1e-4 * volley_hz * std::exp(-0.5), 2e-6);
  EXPECT_NEAR(loss(50), 1e-4 * volley_hz * std::exp(-1.5), 2e-6);
  EXPECT_GT(std::abs(loss(5) - 1e-4 * volley_hz * std::exp(-1.5)), 2e-6);
}

TEST(NuclearRule, WeightsStayInTheirRange) {
  EXPECT_EQ(nuclear_weights(10, 1, nuclear(1, 0), true), (std::vector<float>{0.0f, 2.0f}));
}

/// Fibres 0 and 1 on a nuclear cell in each of two zones with 10 Purkinje cells each, of which some
/// of zone 0 fire once a ms.
class NuclearSetPoint {
 public:
  explicit NuclearSetPoint(const NuclearParameters& parameters)
      : target_(cells(0, 2, 2)),
        projection_(plastic(target_, 2, 2, 1.0, 2.0)),
        rule_(projection_, parameters, 2, 20) {}
  /// P − P_0 (Hz) while n cells fire: half of what zone 0 fires, negative.
  static double below(int n) { return -50.0 * n; }
  /// Lets rates settle while n cells fire, then fires a fibre. Returns what the fibre's synapse in
  /// zone 0 was guided by (Hz); zone 1's is its opposite.
  double fire(std::uint32_t fibre, int n) {
    Spikes purkinje;
    for (std::uint32_t id = 0; id < static_cast<std::uint32_t>(n); ++id)
      purkinje.push_back({id, 0});
    for (int t = 0; t < 1000; ++t) rule_.step({}, purkinje, false);
    const std::vector<float> before(projection_.weights().begin(), projection_.weights().end());
    rule_.step(Spikes{{fibre, 0}}, purkinje, true);
    double guidance[2] = {0, 0};
    for (std::uint32_t s = projection_.row_begin(fibre); s < projection_.row_end(fibre); ++s)
      guidance[projection_.targets()[s]] =
          static_cast<double>(projection_.weights()[s] - before[s]) / kRate;
    EXPECT_NEAR(guidance[0], -guidance[1], 0.1);
    return guidance[0];
  }
  static constexpr double kRate = 1e-4;

 private:
  LifPopulation target_;
  Projection projection_;
  NuclearRule rule_;
};

TEST(NuclearRule, LearnsWhatLeavesTheMeanOfTheFibresFirstSpikes) {
  NuclearSetPoint nuclei(
      {.rate = NuclearSetPoint::kRate, .decay = 0, .set_point_spikes = 3, .set_point_rate = 0});
  const auto below = NuclearSetPoint::below;
  EXPECT_NEAR(nuclei.fire(0, 2), 0, 0.1);  // the first spike is the mean
  EXPECT_NEAR(nuclei.fire(0, 8), below(8) - below(5), 0.1);
  EXPECT_NEAR(nuclei.fire(0, 5), 0, 0.1);
  // It stays at 5 now, the mean of 2, 8 and 5.
  EXPECT_NEAR(nuclei.fire(0, 1), below(1) - below(5), 0.1);
  EXPECT_NEAR(nuclei.fire(0, 9), below(9) - below(5), 0.1);
  EXPECT_NEAR(nuclei.fire(0, 1), below(1) - below(5), 0.1);
  // Every fibre has its own.
  EXPECT_NEAR(nuclei.fire(1, 9), 0, 0.1);
  EXPECT_NEAR(nuclei.fire(1, 1), below(1) - below(5), 0.1);
}

TEST(NuclearRule, SetPointMovesSlowlyLater) {
  NuclearSetPoint nuclei(
      {.rate = NuclearSetPoint::kRate, .decay = 0, .set_point_spikes = 1, .set_point_rate = 0.1});
  const auto below = NuclearSetPoint::below;
  EXPECT_NEAR(nuclei.fire(0, 5), 0, 0.1);
  double set_point = below(5);
  for (const int n : {9, 9, 1, 4}) {
    set_point += 0.1 * (below(n) - set_point);
    EXPECT_NEAR(nuclei.fire(0, n), below(n) - set_point, 0.1);
  }
}

// Slicing and state.

/// Deterministic spikes: cell `id` of `size` in ms t.
Spikes pattern(int t, std::uint32_t size, int salt) {
  Spikes spikes;
  for (std::uint32_t id = 0; id < size; ++id)
    if ((t * 7 + static_cast<int>(id) * 13 + salt) % 17 == 0) spikes.push_back({id, 0});
  return spikes;
}

/// Runs a rule from ms `from` to `to` on slices with `bounds`, from a state if given.
template <class Make, class Step>
MemoryState run_rule(Make make, Step step, const std::vector<std::uint32_t>& bounds, int from,
                     int to, const MemoryState* state) {
  MemoryState saved;
  for (std::size_t k = 0; k + 1 < bounds.size(); ++k) {
    LifPopulation target = cells(bounds[k], bounds[k + 1], bounds.back());
    Projection projection = plastic(target, 20, 5, 0.5, 1.0);
    auto rule = make(projection);
    if (state != nullptr) {
      MemoryReader reader(*state);
      rule.load(reader);
      projection.load(reader);
    }
    for (int t = from; t < to; ++t) step(rule, t);
    save_into(saved, rule, projection, static_cast<int>(k));
  }
  EXPECT_TRUE(saved.complete());
  return saved;
}

template <class Make, class Step>
void expect_state_is_whole(Make make, Step step, const std::set<std::string>& state) {
  const std::vector<std::uint32_t> one{0, 40}, two{0, 16, 40}, three{0, 8, 32, 40};
  // More slices than there are groups of eight cells leave some without any, the first one too.
  const std::vector<std::uint32_t> sparse{0, 0, 24, 24, 40};
  const MemoryState end = run_rule(make, step, one, 0, 300, nullptr);
  EXPECT_TRUE(run_rule(make, step, three, 0, 300, nullptr) == end);
  const MemoryState middle = run_rule(make, step, two, 0, 150, nullptr);
  EXPECT_TRUE(run_rule(make, step, three, 150, 300, &middle) == end);
  EXPECT_TRUE(run_rule(make, step, one, 150, 300, &middle) == end);
  const MemoryState scattered = run_rule(make, step, sparse, 0, 150, nullptr);
  EXPECT_TRUE(scattered == middle);
  EXPECT_TRUE(run_rule(make, step, sparse, 150, 300, &scattered) == end);
  EXPECT_FALSE(run_rule(make, step, one, 150, 299, &middle) == end);
  std::set<std::string> names;
  for (const auto& [name, array] : middle.arrays) names.insert(name);
  EXPECT_EQ(names, state);
  for (const std::string& name : names) {
    MemoryState changed = middle;
    ASSERT_EQ(changed.arrays.count(name), 1u) << name;
    auto& bytes = changed.arrays.at(name).bytes;
    bytes[bytes.size() - 2] ^= 0x20;
    EXPECT_FALSE(run_rule(make, step, one, 150, 300, &changed) == end) << name;
  }
}

TEST(ClimbingFibreRule, StateContinuesOnAnotherSlicing) {
  // All cells fire at 60 Hz: so gentle that weights stay away from zero.
  const ClimbingFibreParameters gentle{.depression = 0.002,
                                       .potentiation = 0.005,
                                       .reference_spikes = 20,
                                       .reward_damping = 0.1,
                                       .forgetting_ms = 2000};
  expect_state_is_whole(
      [=](Projection& p) { return ClimbingFibreRule(p, gentle); },
      [](ClimbingFibreRule& rule, int t) {
        rule.presynaptic(pattern(t, 20, 0), true);
        rule.complex_spikes(pattern(t, 40, 5));
        if (t == 0) rule.presynaptic({}, false);  // the middle is not the end of a period
        rule.end_step(t % 50 == 49 ? 0.5 : 0.0, true);
      },
      {"pathway.w", "pathway.labile", "pathway.aged_ms", "pathway.now_ms", "pathway.reward_spikes",
       "pathway.trace0", "pathway.trace1", "pathway.trace2", "pathway.trace3"});
}

TEST(ThreeFactorRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole(
      [](Projection& p) { return ThreeFactorRule(p, {}); },
      [](ThreeFactorRule& rule, int t) {
        rule.spikes(pattern(t, 20, 0), pattern(t, 40, 5));
        if (t % ThreeFactorRule::kPeriodMs == 9) rule.modulate(t % 40 < 20 ? 1.0 : -0.5, true);
      },
      {"pathway.w", "pathway.trace", "pathway.eligibility", "pathway.mean", "pathway.modulated"});
}

TEST(ThreeFactorRule, LateStateContinuesOnAnotherSlicing) {
  expect_state_is_whole([](Projection& p) { return ThreeFactorRule(p, {.rise_ms = 50}); },
                        [](ThreeFactorRule& rule, int t) {
                          rule.spikes(pattern(t, 20, 0), pattern(t, 40, 5));
                          if (t % ThreeFactorRule::kPeriodMs == 9)
                            rule.modulate(t % 40 < 20 ? 1.0 : -0.5, true);
                        },
                        {"pathway.w", "pathway.trace", "pathway.eligibility", "pathway.mean",
                         "pathway.modulated", "pathway.early", "pathway.later"});
}

TEST(InstructedRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole(
      [](Projection& p) {
        return InstructedRule(
            p, {.rate = 1e-5, .decay = 1e-3, .inhibition = 0.3, .sensitization = 0.05}, 60);
      },
      [](InstructedRule& rule, int t) {
        rule.step(pattern(t, 20, 0), pattern(t, 30, 5), t % 50 < 30);
      },
      {"pathway.w", "pathway.apical_x", "pathway.apical_y", "pathway.apical_sum",
       "pathway.sensitivity"});
}

TEST(HebbianRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole([](Projection& p) { return HebbianRule(p, {.rate = 0.05}); },
                        [](HebbianRule& rule, int t) {
                          rule.step(pattern(t, 20, 0), pattern(t, 40, 5), t % 50 < 30);
                        },
                        {"pathway.w", "pathway.activity"});
}

TEST(NuclearRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole(
      [](Projection& p) { return NuclearRule(p, {.rate = 1e-5}, 4, 60); },
      [](NuclearRule& rule, int t) {
        rule.step(pattern(t, 20, 0), pattern(t, 60, 5), t % 50 < 30);
      },
      {"pathway.w", "pathway.purkinje_hz", "pathway.set_point_hz", "pathway.fired"});
}

// Spike timing: states here, what the rules do in stdp_test.cpp.

TEST(TripletRule, StateContinuesOnAnotherSlicing) {
  // Five timesteps per step of the runner, so that slow processes act, too.
  expect_state_is_whole(
      [](Projection& p) {
        return TripletRule(p, {.reference_hz = 1, .max_weight = 2, .labile_s = 3});
      },
      [](TripletRule& rule, int t) {
        for (int k = 5 * t; k < 5 * (t + 1); ++k)
          rule.step(pattern(k, 20, 0), pattern(k, 40, 5), 0.1, true);
      },
      {"pathway.w", "pathway.now_ms", "pathway.x", "pathway.y", "pathway.z", "pathway.z_mean",
       "pathway.z_square", "pathway.depression", "pathway.eligibility", "pathway.consolidated"});
}

TEST(InhibitoryRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole(
      [](Projection& p) { return InhibitoryRule(p, {.calibration_s = 0.1, .set_point_s = 10}); },
      [](InhibitoryRule& rule, int t) {
        rule.step(pattern(t, 20, 0), pattern(t, 40, 5), t % 50 < 30);
      },
      {"pathway.w", "pathway.now_ms", "pathway.x", "pathway.y", "pathway.set_point"});
}

}  // namespace
}  // namespace quartet
