// What dopamine cells come to answer where one target, or movement, brings rewards and another does
// not: basal ganglia alone.

#include <gtest/gtest.h>

#include <random>

#include "regions/basal_ganglia.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr int kTrialMs = 850, kCueMs = 80, kOutcomeMs = 640, kOutcomeEndMs = 740, kEndMs = 730;
enum class Target { rewarded, other };

/// Rates of SNc (Hz per cell) minus that before the cue.
struct Answer {
  double cue = 0, outcome = 0;
};

/// A brain that expects little, and the trials that it meets.
class Trials {
 public:
  explicit Trials(BasalGangliaParameters parameters = {})
      : region_(expecting_little(parameters), kScale, 20111, {}) {}

  /// Mean over `trials`. Parietal cells fire at 62 Hz, irregularly, a quarter of the ring for each
  /// target.
  Answer run(Target target, bool reward, int trials = 1, bool learning = true) {
    const std::span<double> senses = alone_.values_to("senses_to_basal_ganglia");
    senses[sense::learning] = learning ? 1 : 0;
    double before = 0, cue = 0, outcome = 0;
    for (int t = 0; t < trials * kTrialMs; ++t) {
      const int ms = t % kTrialMs;
      const bool shown = ms >= kOutcomeMs && ms < kOutcomeEndMs;
      senses[sense::outcome] = shown ? 1 : 0;
      senses[sense::reward] = shown && reward ? 1 : 0;
      const std::uint32_t quarter = Sizes(kScale).ppc / 4;
      const std::uint32_t first = target == Target::rewarded ? 0 : 2 * quarter;
      for (std::uint32_t cell = first; ms >= kCueMs && ms < kEndMs && cell < first + quarter;
           ++cell)
        if (random_() % 16 == 0) alone_.spikes_to("ppc_to_striatum").push_back({cell, 0});
      alone_.step();
      const auto spikes = static_cast<double>(region_.spikes(snc_).size());
      if (ms < kCueMs) before += spikes / kCueMs;
      if (ms >= kCueMs && ms < kCueMs + 150) cue += spikes / 150;
      if (ms >= kOutcomeMs) outcome += spikes / (kTrialMs - kOutcomeMs);
    }
    const double hz = 1000.0 / Sizes(kScale).snc / trials;
    return {hz * (cue - before), hz * (outcome - before)};
  }

  /// Of the synapses that learn what to expect.
  std::vector<float> weights() const {
    std::vector<float> all;
    const auto projections = region_.plastic_projections();
    for (std::size_t p = 0; p < projections.size(); ++p) {
      if (projections[p].name != "PPC_Striosome" && projections[p].name != "PPC_PPN") continue;
      std::uint32_t first = 0;
      std::vector<float> weights;
      region_.weights(p, first, weights);
      all.insert(all.end(), weights.begin(), weights.end());
    }
    return all;
  }

  void learn() {
    for (int turn = 0; turn < 8; ++turn) {
      run(Target::rewarded, true, 5);
      run(Target::other, false, 5);
    }
  }

 private:
  static constexpr double kScale = 1.0;
  static BasalGangliaParameters expecting_little(BasalGangliaParameters parameters) {
    parameters.critic_weight_mv = 60;
    return parameters;
  }
  BasalGanglia region_;
  OneRegion alone_{region_};
  std::minstd_rand random_{1};
  std::size_t snc_ = population_of(region_, "SNc");
};

TEST(Critic, DopamineMovesFromTheRewardToItsCueAndDipsWhereItIsLeftOut) {
  Trials trials;
  const Answer naive = trials.run(Target::rewarded, true, 3, false);
  const Answer naive_other = trials.run(Target::other, true, 3, false);
  const Answer naive_failure = trials.run(Target::rewarded, false, 10, false);
  EXPECT_GT(naive.outcome, 3);
  trials.learn();
  const Answer known = trials.run(Target::rewarded, true, 10, false);
  EXPECT_GT(known.cue, naive.cue + 1.5);
  EXPECT_LT(known.outcome, naive.outcome - 2);
  EXPECT_LT(trials.run(Target::rewarded, false, 10, false).outcome, naive_failure.outcome - 1);
  // What was learned of one target is not expected of the other.
  const Answer other = trials.run(Target::other, true, 10, false);
  EXPECT_LT(other.cue, known.cue - 1.5);
  EXPECT_GT(other.outcome, known.outcome + 2);
  EXPECT_NEAR(other.outcome, naive_other.outcome, 3);
}

/// Striosome cells while two targets are seen, then the chosen one alone, then its outcome.
struct Expectation {
  double before_hz = 0, at_outcome_hz = 0;
};
Expectation with_two_targets(const BasalGangliaParameters& parameters) {
  BasalGanglia region(parameters, 1.0, 20111, {});
  OneRegion alone(region);
  const std::span<double> senses = alone.values_to("senses_to_basal_ganglia");
  const std::size_t striosome = population_of(region, "Striosome");
  const Sizes n(1.0);
  std::minstd_rand random(1);
  Expectation expectation;
  for (int ms = 0; ms < 600; ++ms) {
    senses[sense::outcome] = ms >= 500 ? 1 : 0;
    const std::uint32_t seen = n.ppc.count / (ms < 400 ? 2 : 4);  // a quarter of the ring each
    for (std::uint32_t cell = 0; cell < seen; ++cell)
      if (random() % 16 == 0) alone.spikes_to("ppc_to_striatum").push_back({cell, 0});
    alone.step();
    const double hz =
        1000.0 * static_cast<double>(region.spikes(striosome).size()) / n.striosome.count;
    if (ms >= 100 && ms < 400) expectation.before_hz += hz / 300;
    if (ms >= 520) expectation.at_outcome_hz += hz / 80;
  }
  return expectation;
}

TEST(Critic, WaitsForAnOutcomeAlsoWhereTwoTargetsAreSeen) {
  const auto waits = [](const Expectation& e) { return e.before_hz < 0.2 * e.at_outcome_hz; };
  const Expectation shipped = with_two_targets({});
  EXPECT_GT(shipped.at_outcome_hz, 15);
  EXPECT_TRUE(waits(shipped)) << shipped.before_hz;
  BasalGangliaParameters near;  // to the threshold
  near.striosome.bias_mv = -20;
  near.critic_gate_mv = 72;
  EXPECT_FALSE(waits(with_two_targets(near)));
}

/// A brain that is instructed to move fingers, with parietal cells that see nothing.
class Movements {
 public:
  struct Result {
    double outcome_hz = 0;  ///< SNc at the outcome, above its rate before
    double striosome_before_hz = 0, striosome_at_outcome_hz = 0;
  };

  explicit Movements(const BasalGangliaParameters& parameters = {})
      : region_(parameters, 1.0, 20111, {}) {}

  /// Mean over `trials` in which the fingers (bit f: finger f from the little one) are to move.
  Result run(std::uint32_t fingers, bool reward, int trials, bool learning = true) {
    const std::span<double> senses = alone_.values_to("senses_to_basal_ganglia");
    senses[sense::learning] = learning ? 1 : 0;
    const Sizes n(1.0);
    Result result;
    double before = 0;
    for (int t = 0; t < trials * kTrialMs; ++t) {
      const int ms = t % kTrialMs;
      const bool shown = ms >= kOutcomeMs && ms < kOutcomeEndMs;
      const bool instructed = ms >= kCueMs && ms < kOutcomeEndMs;
      for (std::uint32_t f = 0; f < finger_count; ++f)
        senses[sense::instructed_finger + f] = instructed && (fingers >> f & 1u) != 0 ? 1 : 0;
      senses[sense::outcome] = shown ? 1 : 0;
      senses[sense::reward] = shown && reward ? 1 : 0;
      // At rest parietal cells fire, too.
      for (std::uint32_t cell = 0; cell < n.ppc.count; ++cell)
        if (random_() % 3000 == 0) alone_.spikes_to("ppc_to_striatum").push_back({cell, 0});
      alone_.step();
      const auto spikes = static_cast<double>(region_.spikes(snc_).size()) / n.snc;
      const auto expected = static_cast<double>(region_.spikes(striosome_).size()) / n.striosome;
      const int waiting = kOutcomeMs - kCueMs, rest = kTrialMs - kOutcomeMs;
      if (ms >= kCueMs && ms < kOutcomeMs) {
        before += 1000 * spikes / waiting / trials;
        result.striosome_before_hz += 1000 * expected / waiting / trials;
      }
      if (ms >= kOutcomeMs) result.outcome_hz += 1000 * spikes / rest / trials;
      if (shown)
        result.striosome_at_outcome_hz += 1000 * expected / (kOutcomeEndMs - kOutcomeMs) / trials;
    }
    result.outcome_hz -= before;
    return result;
  }

 private:
  BasalGanglia region_;
  OneRegion alone_{region_};
  std::minstd_rand random_{1};
  std::size_t snc_ = population_of(region_, "SNc"),
              striosome_ = population_of(region_, "Striosome");
};

TEST(Critic, ExpectsRewardsOfTheMovementThatIsInstructed) {
  constexpr std::uint32_t kOne = 1 << 1, kOther = 1 << 3;
  BasalGangliaParameters little;
  little.instruction_weight_mv = 120;
  Movements movements(little);
  const double first = movements.run(kOne, true, 5).outcome_hz;
  movements.run(kOne, true, 40);
  const double known = movements.run(kOne, true, 10, false).outcome_hz;
  EXPECT_LT(known, first - 2);
  EXPECT_LT(movements.run(kOne, false, 10, false).outcome_hz, known - 2);  // left out
  // Neither another finger's rewards are expected, nor those of both together.
  EXPECT_GT(movements.run(kOther, true, 10, false).outcome_hz, known + 2);
  EXPECT_GT(movements.run(kOne | kOther, true, 10, false).outcome_hz, known + 1);
  little.critic_learning = false;
  Movements frozen(little);
  frozen.run(kOne, true, 10);
  EXPECT_GT(frozen.run(kOne, true, 5).outcome_hz, known + 2);
}

TEST(Critic, WaitsForAnOutcomeHoweverManyFingersAreToMove) {
  for (const std::uint32_t fingers : {1u, 6u, 31u}) {
    const auto result = Movements().run(fingers, true, 5, false);
    EXPECT_GT(result.striosome_at_outcome_hz, 15) << fingers;
    EXPECT_LT(result.striosome_before_hz, 0.1 * result.striosome_at_outcome_hz) << fingers;
  }
}

TEST(Critic, LearnsNothingWhereItsSynapsesAreFrozen) {
  BasalGangliaParameters frozen;
  frozen.critic_learning = false;
  Trials trials(frozen), learning;
  const std::vector<float> before = trials.weights();
  trials.learn();
  EXPECT_EQ(trials.weights(), before);
  EXPECT_FALSE(before.empty());
  learning.learn();
  EXPECT_NE(learning.weights(), before);
}

}  // namespace
}  // namespace quartet
