/// Spike-timing rules against sums over pairs and triplets of spikes, and closed forms.
#include "models/stdp.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

namespace quartet {
namespace {

using Times = std::vector<int>;
using Spikes = std::vector<Spike>;

/// One target cell with `sources` synapses, one from each.
class Synapses {
 public:
  explicit Synapses(std::uint32_t sources = 1, double weight = 0.5, double max_weight = 1.0)
      : target_("cells", {}, SynapseKind::current, {{.decay_ms = 5}}, 1, 0, 1, 4, 1),
        projection_(spec(sources, weight, max_weight), sources, target_, 4, 1) {}
  Projection& projection() { return projection_; }

 private:
  static ProjectionSpec spec(std::uint32_t sources, double weight, double max_weight) {
    ProjectionSpec s;
    s.name = "pathway";
    s.in_degree = sources;
    s.weight = weight;
    s.plastic = true;
    s.max_weight = max_weight;
    s.sources = [=, k = 0u](std::uint32_t, Draws&) mutable { return k++ % sources; };
    return s;
  }
  LifPopulation target_;
  Projection projection_;
};

Spikes at(const Times& times, int t) {
  return std::find(times.begin(), times.end(), t) == times.end() ? Spikes{} : Spikes{{0, 0}};
}

/// Sixty pairings at `hz`, the target `lag` ms after the source.
std::pair<Times, Times> pairings(double hz, int lag) {
  Times pre, post;
  for (int k = 0; k < 60; ++k) {
    const int t = 100 + static_cast<int>(std::lround(1000.0 * k / hz));
    pre.push_back(t);
    post.push_back(t + lag);
  }
  return {pre, post};
}

/// Change as a share of the initial weight, by summing over all pairs and triplets.
double by_pairs(const TripletParameters& p, const Times& pre, const Times& post) {
  const auto trace = [](const Times& times, int now, double tau) {
    double sum = 0;
    for (const int t : times)
      if (t < now) sum += std::exp(-(now - t) / tau);
    return sum;
  };
  double change = 0;
  for (const int t : post)
    change += p.potentiation * trace(pre, t, p.plus_ms) * trace(post, t, p.slow_ms);
  for (const int t : pre) change -= p.depression * trace(post, t, p.minus_ms);
  return change;
}

/// Eligibility counts in full, as in slices.
const TripletParameters kUnlimited{.eligibility_limit = 1e9};

/// The rule's change, as a share of the initial weight over its rate, once eligibility is spent. At
/// a low rate weights hardly leave the initial one.
double by_rule(TripletParameters p, const Times& pre, const Times& post, double gate = 1,
               bool learning = true, double rate = 1e-3) {
  p.rate = rate;
  p.sliding = 0;
  p.normalisation = 0;
  p.labile_s = 1e9;
  p.max_weight = 2;
  Synapses synapses;
  TripletRule rule(synapses.projection(), p);
  const int end = std::max(pre.back(), post.back()) + 12000;
  for (int t = 0; t < end; ++t) rule.step(at(pre, t), at(post, t), gate, learning);
  return (synapses.projection().weights()[0] / 0.5 - 1) / p.rate;
}

TEST(TripletRule, IsTheSumOverPairsAndTriplets) {
  for (const double hz : {1.0, 10.0, 25.0, 50.0}) {
    for (const int lag : {10, -10}) {
      const auto [pre, post] = pairings(hz, lag);
      const double expected = by_pairs(kUnlimited, pre, post);
      EXPECT_NEAR(by_rule(kUnlimited, pre, post), expected, 0.01) << hz << " Hz, " << lag << " ms";
      if (hz > 1) {  // so slowly that order and intervals hardly count
        EXPECT_GT(
            std::abs(by_rule({.minus_ms = 40, .eligibility_limit = 1e9}, pre, post) - expected),
            0.01);
      }
    }
  }
}

TEST(TripletRule, LargeEligibilityTeachesWithItsLogarithm) {
  // A burst, then silence: while e decays from e0, e/(1 + |e|/L) adds up to L ln(1 + |e0|/L). What
  // decays within the burst is some per cent.
  const Times burst = {0, 5, 10, 15, 20, 25, 30, 35, 40},
              later = {2, 7, 12, 17, 22, 27, 32, 37, 42};
  for (const auto& [pre, post] : {std::pair{burst, later}, std::pair{burst, Times{0}}}) {
    const auto taught = [&](double limit) {
      return by_rule({.weight_dependence = 0, .eligibility_limit = limit}, pre, post, 1, true, 0.1);
    };
    const double eligibility = taught(1e9), size = std::abs(eligibility);
    EXPECT_NEAR(eligibility, by_pairs(kUnlimited, pre, post), 0.04 * size);
    for (const double limit : {0.02, 0.1, 1.0})
      EXPECT_NEAR(taught(limit) / std::copysign(limit * std::log(1 + size / limit), eligibility), 1,
                  0.02)
          << limit;
  }
}

TEST(TripletRule, DependsOnFrequencyAsInSlices) {
  // Sjöström, Turrigiano & Nelson 2001: at high frequencies potentiation whatever the order, at low
  // ones depression where the target comes first.
  const auto change = [](double hz, int lag) {
    const auto [pre, post] = pairings(hz, lag);
    return by_rule({.depression = 7.1e-3, .eligibility_limit = 1e9}, pre, post);
  };
  EXPECT_LT(change(5, -10), -0.1);
  EXPECT_GT(change(50, -10), 0.1);
  EXPECT_GT(change(50, 10), change(20, 10));
  EXPECT_LT(std::abs(change(1, 10)), 0.05);
}

TEST(TripletRule, DopamineScalesAndCanStopIt) {
  const auto [pre, post] = pairings(50, 10);
  const double once = by_rule(kUnlimited, pre, post);
  EXPECT_NEAR(by_rule(kUnlimited, pre, post, 2.0) / once, 2, 0.02);
  EXPECT_EQ(by_rule(kUnlimited, pre, post, 0.0), 0);
  EXPECT_EQ(by_rule(kUnlimited, pre, post, 1.0, false), 0);
}

/// Depression by one spike of the source, of what it is without sliding, after half a minute in
/// which the target fired every `every` ms in the first `burst` ms of each `period`.
double depression_after(int every, int burst, int period = 200) {
  const auto depression = [=](double sliding) {
    Synapses synapses;
    TripletRule rule(synapses.projection(), {.rate = 1,
                                             .sliding = sliding,
                                             .reference_hz = 20,
                                             .sliding_s = 5,
                                             .eligibility_limit = 1e9,
                                             .max_weight = 2,
                                             .normalisation = 0,
                                             .labile_s = 1e9});
    for (int t = 0; t < 30000; ++t) {
      const bool fires = t % period < burst && t % every == 0;
      rule.step({}, fires ? Spikes{{0, 0}} : Spikes{}, 0, true);
    }
    rule.step(Spikes{{0, 0}}, {}, 0, true);
    for (int t = 0; t < 10000; ++t) rule.step({}, {}, 1, true);
    return 1 - synapses.projection().weights()[0] / 0.5;
  };
  return depression(1) / depression(0);
}

TEST(TripletRule, DepressionFollowsTheRateAtWhichTheCellFiresWhenItFires) {
  EXPECT_NEAR(depression_after(23, 200), 1000.0 / 23 / 20, 0.1);
  EXPECT_NEAR(depression_after(41, 200), 1000.0 / 41 / 20, 0.1);
  EXPECT_EQ(depression_after(200, 200), 1);  // 5 Hz
  // Bursts of 320 ms at 50 Hz in a quarter of the time: as if always at 50, though the mean
  // is 12.5.
  EXPECT_GT(depression_after(20, 320, 1280), 0.65 * depression_after(20, 200));
  EXPECT_EQ(depression_after(80, 1280, 1280), 1);  // always at 12.5 Hz
}

/// Change by pairings at 50 Hz, as a share of the initial weight, of a weight that is `share` of
/// the initial one.
double change_at(float share, int lag, double weight_dependence) {
  const auto [pre, post] = pairings(50, lag);
  Synapses synapses;
  TripletRule rule(synapses.projection(), {.rate = 1e-3,
                                           .potentiation = lag > 0 ? 6.5e-3 : 0,
                                           .depression = lag > 0 ? 0 : 0.0073,
                                           .weight_dependence = weight_dependence,
                                           .sliding = 0,
                                           .eligibility_limit = 1e9,
                                           .max_weight = 2,
                                           .normalisation = 0,
                                           .labile_s = 1e9});
  float& weight = synapses.projection().weights()[0];
  weight = 0.5f * share;
  for (int t = 0; t < 15000; ++t) rule.step(at(pre, t), at(post, t), 1, true);
  return weight / 0.5 - share;
}

TEST(TripletRule, ChangesDependOnTheWeightAsFarAsAsked) {
  for (const double b : {0.0, 0.5, 1.0}) {
    EXPECT_NEAR(change_at(1.5f, -10, b) / change_at(1, -10, b), 1 - b + 1.5 * b, 0.02) << b;
    EXPECT_NEAR(change_at(1.5f, 10, b) / change_at(1, 10, b), 1 - b + 0.5 * b, 0.02) << b;
  }
}

TEST(TripletRule, WeightsStayWithinTheirBounds) {
  for (const int lag : {10, -10}) {
    const auto [pre, post] = pairings(lag > 0 ? 80 : 8, lag);
    Synapses synapses;
    TripletRule rule(synapses.projection(), {.rate = 1000, .max_weight = 2});
    float least = 1, most = 0;
    for (int t = 0; t < 10000; ++t) {
      rule.step(at(pre, t), at(post, t), 1, true);
      least = std::min(least, synapses.projection().weights()[0]);
      most = std::max(most, synapses.projection().weights()[0]);
    }
    EXPECT_EQ(lag > 0 ? most : least, lag > 0 ? 1.0f : 0.0f);
    EXPECT_GE(least, 0.0f);
    EXPECT_LE(most, 1.0f);
  }
}

TEST(TripletRule, WhatSomeSynapsesGainOthersLose) {
  Synapses synapses(4);
  TripletRule rule(synapses.projection(), {.max_weight = 2, .normalisation = 0.5, .labile_s = 1e9});
  const std::span<float> weights = synapses.projection().weights();
  weights[0] = 0.9f;
  for (int s = 1; s <= 20; ++s) {
    for (int t = 0; t < 1000; ++t) rule.step({}, {}, 1, true);
    const double sum = weights[0] + weights[1] + weights[2] + weights[3];
    EXPECT_NEAR(sum, 2 + 0.4 * std::pow(0.5, s), 1e-5);
  }
  EXPECT_NEAR(weights[1] / 0.5, 2 / 2.4, 1e-5);
  EXPECT_NEAR(weights[0] / weights[1], 1.8, 1e-5);
}

TEST(TripletRule, ChangesFlowBackExceptForWhatIsConsolidated) {
  Synapses synapses;
  TripletRule rule(synapses.projection(),
                   {.max_weight = 2, .normalisation = 0, .labile_s = 20, .capacity = 4});
  float& weight = synapses.projection().weights()[0];
  weight = 0.9f;
  for (int t = 0; t < 30000; ++t) rule.step({}, {}, 1, true);
  // Of the change, 1/(1 + capacity) stays; the rest decays with both variables' flows.
  const double left = 0.4 * (0.2 + 0.8 * std::pow(1 - 1.25 / 20, 30));
  EXPECT_NEAR(weight, 0.5 + left, 1e-5);
  const float frozen = weight;
  for (int t = 0; t < 5000; ++t) rule.step({}, {}, 1, false);
  EXPECT_EQ(weight, frozen);
}

/// Gate `ms` after 30 s in which 40 cells fired at 5 Hz, if they go on at `hz`.
double gate_after(double hz, int ms) {
  DopamineGate gate({.gain = 100, .half_hz = 5, .hill = 2, .tau_ms = 100}, 40);
  double due = 0;
  for (int t = 0; t < 30000 + ms; ++t) {
    due += 40 * (t < 30000 ? 5.0 : hz) / 1000;
    const auto spikes = static_cast<std::size_t>(due);
    due -= static_cast<double>(spikes);
    gate.update(spikes);
  }
  return gate.value();
}

TEST(DopamineGate, OpensWithMoreDopamineThanUsualAndShutsWithLess) {
  EXPECT_NEAR(gate_after(5, 100), 1, 0.5);
  // 100 ms at 15 Hz: 1 - 1/e of the way.
  const double x = 10 * (1 - std::exp(-1.0)) / 5;
  EXPECT_NEAR(gate_after(15, 100), 1 + 100 * x * x / (1 + x * x), 2);
  EXPECT_EQ(gate_after(0, 100), 0);
}

/// What the shipped gate adds up to (in s, above 1) in the second after the beginning of an answer
/// of sixty cells that otherwise fire 5 Hz: 30 ms at `burst_hz`, 70 ms at `then_hz`.
double opened(double burst_hz, double then_hz) {
  DopamineGate gate({}, 60);
  double due = 0, sum = 0;
  for (int t = 0; t < 31000; ++t) {
    const int since = t - 30000;
    const double hz = since < 0 || since >= 100 ? 5 : since < 30 ? burst_hz : then_hz;
    due += 60 * hz / 1000;
    const auto spikes = static_cast<std::size_t>(due);
    due -= static_cast<double>(spikes);
    gate.update(spikes);
    if (since >= 0) sum += (gate.value() - 1) / 1000;
  }
  return sum;
}

TEST(DopamineGate, HardlyOpensWhereAPauseFollowsTheBurst) {
  // As measured where every movement is rewarded, and where every second one is.
  const double expected = opened(15, 1.5), uncertain = opened(21, 7);
  EXPECT_GT(uncertain, 5 * expected);
  EXPECT_GT(opened(20, 20), 2 * uncertain);  // not expected at all
  EXPECT_LT(opened(5, 5), 0.1 * expected);
}

/// Weight over the initial one after 2 s in which source and target fire at 50 and `hz` Hz, after a
/// calibration of 1 s at `set_point_hz`.
double inhibition(int hz, int set_point_hz, bool learning = true) {
  Synapses synapses;
  InhibitoryRule rule(synapses.projection(), {.rate = 1e-3, .calibration_s = 1});
  for (int t = 0; t < 3000; ++t) {
    const int rate = t < 1000 ? set_point_hz : hz;
    const bool post = rate > 0 && t % (1000 / rate) == 7 % (1000 / rate);
    rule.step(t % 20 == 0 ? Spikes{{0, 0}} : Spikes{}, post ? Spikes{{0, 0}} : Spikes{}, learning);
    if (t < 1000) {
      EXPECT_EQ(synapses.projection().weights()[0], 0.5f);
    }
  }
  return synapses.projection().weights()[0] / 0.5;
}

TEST(InhibitoryRule, HoldsTheRateThatTheCellHadFirst) {
  EXPECT_GT(inhibition(40, 10), 1.02);
  EXPECT_LT(inhibition(2, 10), 0.99);
  EXPECT_NEAR(inhibition(10, 10), 1, 0.01);
  EXPECT_EQ(inhibition(40, 10, false), 1);
  // 100 spikes of the source and 80 of the target in 2 s: by their rates,
  // rate · 2 trace · r_pre (r - set-point) · T.
  EXPECT_NEAR(inhibition(40, 10) - 1, 1e-3 * 0.04 * 50 * 30 * 2, 0.04);
}

}  // namespace
}  // namespace quartet
