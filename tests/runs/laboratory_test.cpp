/// Protocols of the virtual laboratory on a preparation whose answers are known.
#include "runs/laboratory.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace quartet {
namespace {

/// The index finger's response grows with intensity from `start` on, by `slope`;
/// a conditioning pulse halves it. The background is .2 everywhere.
class Linear final : public Preparation {
 public:
  explicit Linear(double start, double slope = 1.0) : start_(start), slope_(slope) {}

  Response respond(const Stimulus& stimulus) override {
    Response response;
    response.mep.fill(0.2);
    response.background.fill(0.2);
    double size = std::max(0.0, slope_ * (stimulus.intensity - start_));
    if (!std::isnan(stimulus.conditioning)) size /= 2;
    response.mep[static_cast<std::size_t>(muscle_index("index_finger"))] += size;
    return response;
  }

 private:
  double start_, slope_;
};

Findings run(Probe probe, double start = 0.87) {
  Linear preparation(start);
  return carry_out(probe, preparation);
}

int count(const Findings& found, Stage stage) {
  int n = 0;
  for (const StimulationTrial& trial : found.trials) n += trial.stage == stage ? 1 : 0;
  return n;
}

TEST(Laboratory, ThresholdIsTheLowestIntensityAboveTheCriterion) {
  // .1 above background from .97 on; a response of just .1 does not count.
  const auto found = run({.kind = ProbeKind::recruitment, .pulses = 1, .criterion = 0.0999});
  EXPECT_DOUBLE_EQ(found.rmt, 0.97);
  EXPECT_DOUBLE_EQ(found.trials.back().stimulus.intensity, 2.0 * 0.97);
  EXPECT_EQ(count(found, Stage::recruitment), 11);
  // It may be all that is asked for.
  const auto alone = run({.kind = ProbeKind::threshold, .criterion = 0.0999});
  EXPECT_DOUBLE_EQ(alone.rmt, 0.97);
  EXPECT_EQ(static_cast<std::size_t>(count(alone, Stage::threshold)), alone.trials.size());
}

TEST(Laboratory, FiveOfTenPulsesDecide) {
  /// Responds to every k-th pulse only.
  class Fickle final : public Preparation {
   public:
    Response respond(const Stimulus& stimulus) override {
      Response response;
      const int of_ten = stimulus.intensity >= 1.5 ? 5 : 4;
      if (stimulus.intensity != last_) given_ = 0;
      last_ = stimulus.intensity;
      if (given_++ >= 10 - of_ten) response.mep.fill(1.0);
      return response;
    }
    int given_ = 0;
    double last_ = 0;
  } preparation;
  EXPECT_DOUBLE_EQ(carry_out({.kind = ProbeKind::map, .pulses = 1}, preparation).rmt, 1.5);
}

TEST(Laboratory, PolarizationSweepsOverPolarisationsAtEveryIntensity) {
  const auto found = run({.kind = ProbeKind::polarization,
                          .pulses = 2,
                          .rmt = 0.5,
                          .intensities = {1, 2},
                          .polarizations_mv = {-3, 0, 1}});
  ASSERT_EQ(found.trials.size(), 12u);
  EXPECT_EQ(count(found, Stage::polarization), 12);
  for (std::size_t k = 0; k < 12; ++k) {
    const double polarizations[] = {-3, 0, 1, 1, 0, -3};  // the second sweep backwards
    EXPECT_EQ(found.trials[k].stimulus.polarization_mv, polarizations[k / 2]) << k;
    EXPECT_EQ(found.trials[k].stimulus.intensity, 0.5 * static_cast<double>(1 + k % 2)) << k;
  }
}

TEST(Laboratory, WhatNothingReachesIsLeftOut) {
  const auto none = run({.kind = ProbeKind::map}, 5);
  EXPECT_EQ(count(none, Stage::map), 0);
  EXPECT_TRUE(std::isnan(none.rmt));
  const auto small = run({.kind = ProbeKind::paired_pulse, .test_size = 10});
  EXPECT_EQ(count(small, Stage::conditioned), 0);
  EXPECT_FALSE(std::isnan(small.rmt));
}

TEST(Laboratory, GivenThresholdIsNotSought) {
  const auto found = run({.kind = ProbeKind::recruitment, .pulses = 2, .rmt = 1.5});
  EXPECT_EQ(found.rmt, 1.5);
  EXPECT_EQ(count(found, Stage::threshold), 0);
  EXPECT_EQ(found.trials.size(), 22u);
  EXPECT_DOUBLE_EQ(found.trials[0].stimulus.intensity, 0.8 * 1.5);
}

TEST(Laboratory, PairedPulsesStartFromTheTestSize) {
  Probe probe{.kind = ProbeKind::paired_pulse, .pulses = 3, .test_size = 0.4999};
  probe.conditioning = {0.5, 0.8};
  probe.intervals_ms = {2.5, 10};
  const auto found = run(probe);
  EXPECT_EQ(count(found, Stage::unconditioned), 6);
  EXPECT_EQ(count(found, Stage::conditioned), 12);
  std::set<std::pair<double, double>> conditions;
  for (const StimulationTrial& trial : found.trials) {
    if (trial.stage == Stage::unconditioned) {
      EXPECT_DOUBLE_EQ(trial.stimulus.intensity, 1.37);
      EXPECT_TRUE(std::isnan(trial.stimulus.interval_ms));
    }
    if (trial.stage != Stage::conditioned) continue;
    EXPECT_DOUBLE_EQ(trial.stimulus.intensity, 1.37);
    conditions.emplace(trial.stimulus.conditioning / found.rmt, trial.stimulus.interval_ms);
  }
  EXPECT_EQ(conditions.size(), 4u);
}

TEST(Laboratory, IntentionAsksForOneFingerAtATimeAndNeedsNoThreshold) {
  const auto found =
      run({.kind = ProbeKind::intention, .pulses = 2, .moving = {2, 5}, .onset_ms = 80}, 5);
  ASSERT_EQ(found.trials.size(), 4u);
  EXPECT_EQ(count(found, Stage::intention), 4);
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_EQ(found.trials[k].stimulus.intensity, 0);
    EXPECT_EQ(found.trials[k].stimulus.onset_ms, 80);
  }
  // Every finger once in every sweep, after each of the others now and then.
  const auto many =
      run({.kind = ProbeKind::intention, .pulses = 40, .moving = {1, 2, 3, 4, 5}}, 5).trials;
  ASSERT_EQ(many.size(), 200u);
  std::set<std::pair<int, int>> follows;
  for (std::size_t k = 0; k < 200; k += 5) {
    std::set<int> sweep;
    for (std::size_t i = k; i < k + 5; ++i) {
      sweep.insert(many[i].stimulus.digit);
      if (i > k) follows.emplace(many[i - 1].stimulus.digit, many[i].stimulus.digit);
    }
    EXPECT_EQ(sweep, (std::set{1, 2, 3, 4, 5}));
  }
  EXPECT_EQ(follows.size(), 20u);
}

TEST(Laboratory, SurroundProbesRestMovementAndItsOwnOutput) {
  const auto found = run({.kind = ProbeKind::surround,
                          .pulses = 2,
                          .rmt = 1,
                          .test_intensity = 1.2,
                          .moving = {3},
                          .onset_ms = 45});
  ASSERT_EQ(found.trials.size(), 6u);
  using enum Stage;
  const Stage stages[] = {surround_rest,   surround_moving, surround_silent,
                          surround_moving, surround_silent, surround_rest};
  for (std::size_t k = 0; k < 6; ++k) {
    const auto& [stage, stimulus, response] = found.trials[k];
    EXPECT_EQ(stage, stages[k]);
    EXPECT_DOUBLE_EQ(stimulus.intensity, stage == surround_silent ? 0 : 1.2);
    if (stage == surround_rest) {
      EXPECT_TRUE(std::isnan(stimulus.onset_ms));
    } else {
      EXPECT_EQ(stimulus.onset_ms, 45);
    }
  }
  // The test pulse's size is sought as for paired pulses.
  EXPECT_EQ(run({.kind = ProbeKind::surround, .test_size = 10, .moving = {3}}).trials.back().stage,
            Stage::test_size);
}

TEST(Laboratory, MapSweepsTheSheet) {
  const auto trials =
      run({.kind = ProbeKind::map, .pulses = 2, .rmt = 1, .map_intensity = 1.1, .spacing = 1.5})
          .trials;
  ASSERT_EQ(trials.size(), 2u * 12 * 4);
  std::set<std::pair<double, double>> sites;
  for (std::size_t k = 0; k < trials.size() / 2; ++k)
    sites.emplace(trials[k].stimulus.x, trials[k].stimulus.y);
  EXPECT_EQ(sites.size(), 48u);
  EXPECT_EQ(*sites.begin(), std::pair(0.75, 0.75));
  EXPECT_EQ(*sites.rbegin(), std::pair(17.25, 5.25));
  EXPECT_DOUBLE_EQ(trials[7].stimulus.intensity, 1.1);
}

TEST(Laboratory, MapsAreCentredOnTheSheet) {
  const auto trials =
      run({.kind = ProbeKind::map, .pulses = 1, .rmt = 1, .map_intensity = 1.1, .spacing = 4.0})
          .trials;
  ASSERT_EQ(trials.size(), 4u);
  const double xs[] = {3, 7, 11, 15};
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_DOUBLE_EQ(trials[k].stimulus.x, xs[k]);
    EXPECT_DOUBLE_EQ(trials[k].stimulus.y, 3);
  }
}

TEST(Laboratory, StimulatesTheMusclesFieldUnlessToldWhere) {
  auto trials = run({.kind = ProbeKind::recruitment, .pulses = 1, .rmt = 1}).trials;
  EXPECT_EQ(trials[0].stimulus.x, 14.4);
  EXPECT_EQ(trials[0].stimulus.y, 3.0);
  trials = run({.kind = ProbeKind::recruitment, .site = {2, 1}, .pulses = 1, .rmt = 1}).trials;
  EXPECT_EQ(trials[0].stimulus.x, 2);
  EXPECT_EQ(trials[0].stimulus.y, 1);
}

TEST(Laboratory, MusclesHaveNames) {
  EXPECT_EQ(muscle_index("thumb"), 10);
  EXPECT_EQ(muscle_index("tongue"), -1);
}

}  // namespace
}  // namespace quartet
