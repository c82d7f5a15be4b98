/// Learning rules against Brian2's traces (reference/make_traces.py) and closed forms.
#include "models/plasticity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

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
  const double tolerance = 6e-4;
  EXPECT_LT(largest_distance(climbing_fibre_weights(file, parameters), file.column("w")),
            tolerance);
  ClimbingFibreParameters other = parameters;
  other.depression *= 1.15;
  EXPECT_GT(largest_distance(climbing_fibre_weights(file, other), file.column("w")), tolerance);
  other = parameters;
  other.potentiation *= 1.5;
  EXPECT_GT(largest_distance(climbing_fibre_weights(file, other), file.column("w")), tolerance);
}

/// Share of the weight that one complex spike takes `delay_ms` after `spikes` presynaptic spikes.
double depression_after(int delay_ms, int spikes, double cascade_ms = 33) {
  LifPopulation target = cells(0, 1, 1);
  Projection projection = plastic(target, 1, 1, 0.04, 0.08);
  ClimbingFibreRule rule(projection, {.depression = 0.1, .cascade_ms = cascade_ms});
  rule.presynaptic(Spikes(static_cast<std::size_t>(spikes), Spike{0, 0}), false);
  for (int t = 0; t < delay_ms; ++t) rule.presynaptic({}, false);
  rule.complex_spikes(Spikes{{0, 0}});
  return 1.0 - projection.weights()[0] / 0.04;
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

TEST(ClimbingFibreRule, PotentiationIsAShareOfTheWayAndCanBeOff) {
  const auto after = [](int spikes, bool learning) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.02, 0.08);
    ClimbingFibreRule rule(projection, {.potentiation = 0.01});
    for (int k = 0; k < spikes; ++k) rule.presynaptic(Spikes{{0, 0}}, learning);
    return projection.weights()[0];
  };
  const double exact = 0.08 - 0.06 * std::pow(0.99, 50);
  EXPECT_NEAR(after(50, true), exact, 1e-6);
  EXPECT_GT(std::abs(after(51, true) - exact), 1e-6);
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

// Three factors.

/// w and eligibility at the end of each window; `mean_rate` as given.
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

TEST(ThreeFactorRule, EqualsBrianWithoutTheMean) {
  const ReferenceFile file("three_factor.csv");
  EXPECT_LT(largest_distance(three_factor_weights(file, 0, file["rate"]), file.column("w")), 1e-5);
  EXPECT_GT(largest_distance(three_factor_weights(file, 0, 1.01 * file["rate"]), file.column("w")),
            1e-5);
  EXPECT_GT(largest_distance(three_factor_weights(file, 0.05, file["rate"]), file.column("w")),
            1e-5);
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

TEST(ThreeFactorRule, MeanIsWeightedByTheFactor) {
  // Constant eligibility e, refreshed each window; its mean approaches e at rate mean_rate · |m|.
  const auto weight = [](double m, double mean_rate, int windows) {
    LifPopulation target = cells(0, 1, 1);
    Projection projection = plastic(target, 1, 1, 0.3, 1.0);
    ThreeFactorRule rule(
        projection, {.rate = 0.001, .trace_ms = 1, .eligibility_ms = 10, .mean_rate = mean_rate});
    for (int k = 0; k < windows; ++k) {
      for (int t = 1; t < 10; ++t) rule.spikes({}, {});
      rule.spikes(Spikes{{0, 0}}, Spikes{{0, 0}});
      rule.modulate(m, true);
    }
    return static_cast<double>(projection.weights()[0]);
  };
  const auto exact = [](double m, double mean_rate, int windows) {
    double w = 0.3, e = 0, mean = 0, trace = 0;
    for (int k = 0; k < windows; ++k) {
      trace = trace * std::exp(-10.0) + 1;
      e += trace;
      w += 0.001 * m * (e - mean) * 4 * w * (1 - w);
      mean += mean_rate * std::abs(m) * (e - mean);
      e *= std::exp(-1.0);
    }
    return w;
  };
  for (const double m : {1.0, -0.5, 2.0})
    EXPECT_NEAR(weight(m, 0.02, 300), exact(m, 0.02, 300), 2e-5) << m;
  EXPECT_GT(std::abs(weight(1, 0.021, 300) - exact(1, 0.02, 300)), 2e-5);
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

// Nuclei.

/// Weights of a nuclear cell in each of two zones, after `spikes` mossy-fibre spikes while 10
/// Purkinje cells of zone 0 fire once a ms in `period` and those of zone 1 are silent.
std::vector<float> nuclear_weights(int spikes, int period, const NuclearParameters& parameters,
                                   bool active, std::vector<std::uint32_t> living = {10, 10}) {
  LifPopulation target = cells(0, 2, 2);
  Projection projection = plastic(target, 1, 1, 1.0, 2.0);
  NuclearRule rule(projection, parameters, 2, 20, std::move(living));
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
  const NuclearParameters parameters{.rate = 1e-6, .decay = 0};
  const std::vector<float> weights = nuclear_weights(100, 1, parameters, true);
  ASSERT_EQ(weights.size(), 2u);
  EXPECT_NEAR(weights[0], 1.0 - 100 * 1e-6 * 500, 1e-4);
  EXPECT_NEAR(weights[1], 1.0 + 100 * 1e-6 * 500, 1e-4);
  EXPECT_GT(std::abs(nuclear_weights(101, 1, parameters, true)[0] - 0.95), 1e-4);
  EXPECT_EQ(nuclear_weights(100, 1, parameters, false), std::vector<float>(2, 1.0f));
}

TEST(NuclearRule, CountsTheLivingAndNothingWhereNoneAreLeft) {
  // 10 living cells at 1000 Hz, 5 of 10 silent ones living: mean 666.7 Hz, half the share.
  const NuclearParameters parameters{.rate = 1e-6, .decay = 0};
  const std::vector<float> weights = nuclear_weights(100, 1, parameters, true, {10, 5});
  EXPECT_NEAR(weights[0], 1.0 - 100 * 1e-6 * 333.3, 1e-4);
  EXPECT_NEAR(weights[1], 1.0 + 100 * 1e-6 * 666.7 / 2, 1e-4);
  EXPECT_EQ(nuclear_weights(100, 1, parameters, true, {10, 0}), std::vector<float>(2, 1.0f));
}

TEST(NuclearRule, ReturnsToTheInitialWeight) {
  // Fixed point w0 + rate (P − P_z)/decay, approached with factor (1 − decay) per spike.
  const auto weight = [](int spikes, double decay) {
    return nuclear_weights(spikes, 1, {.rate = 1e-6, .decay = decay}, true)[1];
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
  NuclearRule rule(projection, {.rate = 1e-4, .decay = 0}, 2, 20, {10, 10});
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
  const NuclearParameters strong{.rate = 1, .decay = 0};
  EXPECT_EQ(nuclear_weights(10, 1, strong, true), (std::vector<float>{0.0f, 2.0f}));
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
void expect_state_is_whole(Make make, Step step, const char* trace) {
  const std::vector<std::uint32_t> one{0, 40}, two{0, 16, 40}, three{0, 8, 32, 40};
  const MemoryState end = run_rule(make, step, one, 0, 300, nullptr);
  EXPECT_TRUE(run_rule(make, step, three, 0, 300, nullptr) == end);
  const MemoryState middle = run_rule(make, step, two, 0, 150, nullptr);
  EXPECT_TRUE(run_rule(make, step, three, 150, 300, &middle) == end);
  EXPECT_TRUE(run_rule(make, step, one, 150, 300, &middle) == end);
  EXPECT_FALSE(run_rule(make, step, one, 150, 299, &middle) == end);
  for (const std::string& name : {std::string(trace), std::string("pathway.w")}) {
    MemoryState changed = middle;
    ASSERT_EQ(changed.arrays.count(name), 1u) << name;
    auto& bytes = changed.arrays.at(name).bytes;
    bytes[bytes.size() - 2] ^= 0x20;
    EXPECT_FALSE(run_rule(make, step, one, 150, 300, &changed) == end) << name;
  }
}

TEST(ClimbingFibreRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole([](Projection& p) { return ClimbingFibreRule(p, {}); },
                        [](ClimbingFibreRule& rule, int t) {
                          rule.presynaptic(pattern(t, 20, 0), true);
                          rule.complex_spikes(pattern(t, 40, 5));
                        },
                        "pathway.trace3");
}

TEST(ThreeFactorRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole([](Projection& p) { return ThreeFactorRule(p, {}); },
                        [](ThreeFactorRule& rule, int t) {
                          rule.spikes(pattern(t, 20, 0), pattern(t, 40, 5));
                          if (t % ThreeFactorRule::kPeriodMs == 9)
                            rule.modulate(t % 40 < 20 ? 1.0 : -0.5, true);
                        },
                        "pathway.eligibility");
}

TEST(NuclearRule, StateContinuesOnAnotherSlicing) {
  expect_state_is_whole(
      [](Projection& p) {
        return NuclearRule(p, {.rate = 1e-5}, 4, 60, {15, 15, 15, 15});
      },
      [](NuclearRule& rule, int t) {
        rule.step(pattern(t, 20, 0), pattern(t, 60, 5), t % 50 < 30);
      },
      "pathway.purkinje_hz");
}

}  // namespace
}  // namespace quartet
