// Promise 7: what is learned is learned by spikes and plastic synapses. Freezing a plastic pathway,
// silencing a teacher, or breaking a tract takes away what is attributed to it.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/regions/closed_loop.hpp"

namespace quartet {
namespace {

constexpr int kAligned = 15, kRotated = 45;
// What a brain that learns nothing about the rotation may drift by, as part of it: the mean of 15
// reaches with an SD of 4°, and the aim's own drift.
constexpr double kNoise = 0.35;

/// Part of a 30° rotation that the last 15 trials compensate.
double compensation(const LoopResult& result) {
  return -(result.mean_angle(kAligned + kRotated - 15, kAligned + kRotated) -
           result.mean_angle(5, kAligned)) /
         30.0;
}

double compensation_of(const Subject& subject, std::vector<TractLesion> lesions = {}) {
  return compensation(run_closed_loop(subject, std::move(lesions)));
}

TEST(HonestSpikes, IntactBrainCompensatesARotation) {
  EXPECT_GT(compensation_of(rotated_subject(kAligned, kRotated)), 0.5);
}

TEST(HonestSpikes, FrozenParallelFibresLearnNothing) {
  Subject subject = rotated_subject(kAligned, kRotated);
  subject.brain.cerebellum.learning = false;
  const LoopResult result = run_closed_loop(subject);
  EXPECT_LT(compensation(result), kNoise);
  EXPECT_EQ(result.weights_before.at("cerebellum.GrC_PC"),
            result.weights_after.at("cerebellum.GrC_PC"));
}

TEST(HonestSpikes, SilentOliveTeachesNothing) {
  Subject subject = rotated_subject(kAligned, kRotated);
  subject.brain.cerebellum.silence_olive = true;
  const LoopResult result = run_closed_loop(subject);
  EXPECT_EQ(result.spikes.at("cerebellum.IO"), 0);
  EXPECT_LT(compensation(result), kNoise);
}

TEST(HonestSpikes, SilentDopamineCellsTeachNothing) {
  Subject subject = rotated_subject(5, 5);
  subject.brain.basal_ganglia.silence_dopamine = true;
  const LoopResult result = run_closed_loop(subject);
  EXPECT_EQ(result.spikes.at("basal_ganglia.SNc"), 0);
  for (const char* name : {"PPC_D1", "PPC_D2", "Outcome_Striosome"})
    EXPECT_EQ(result.weights_before.at(std::string("basal_ganglia.") + name),
              result.weights_after.at(std::string("basal_ganglia.") + name));
  // The comparison bites: with dopamine the same synapses change.
  const LoopResult intact = run_closed_loop(rotated_subject(5, 5));
  EXPECT_NE(intact.weights_before.at("basal_ganglia.PPC_D1"),
            intact.weights_after.at("basal_ganglia.PPC_D1"));
}

TEST(HonestSpikes, CerebellumThatSeesNothingLearnsNothing) {
  const double blind = compensation_of(rotated_subject(kAligned, kRotated),
                                       {{"senses_to_cerebellum", TractLesion::Kind::cut, 0}});
  EXPECT_LT(blind, kNoise);
}

TEST(HonestSpikes, NucleiThatReachNoThalamusCorrectNothing) {
  const double cut = compensation_of(rotated_subject(kAligned, kRotated),
                                     {{"dcn_to_thalamus", TractLesion::Kind::cut, 0}});
  EXPECT_LT(cut, kNoise);
}

TEST(HonestSpikes, ShuffledCorticospinalCellsReachNoTarget) {
  auto median_error = [](const LoopResult& result) {
    std::vector<double> errors;
    for (const TrialRecord& trial : result.trials)
      errors.push_back(trial.reached ? std::abs(trial.error_deg) : 180.0);
    std::nth_element(errors.begin(), errors.begin() + 5, errors.end());
    return errors[5];  // median of ten
  };
  const double shuffled = median_error(
      run_closed_loop(rotated_subject(10, 0), {{"corticospinal", TractLesion::Kind::shuffle, 7}}));
  const double intact = median_error(run_closed_loop(rotated_subject(10, 0)));
  EXPECT_LT(intact, 15.0);
  EXPECT_GT(shuffled, 25.0);
}

}  // namespace
}  // namespace quartet
