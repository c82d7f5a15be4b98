// What is learned is learned by spikes and plastic synapses. Freezing a plastic pathway, silencing
// a teacher, hiding what it sees, or breaking or shuffling a tract takes away what is attributed to
// it.
//
// Designs are paired: the same seeds with and without the mechanism, and only the difference is
// judged. Margins say what an effect must be to count; they do not follow from runs. A brain that
// learns more or less passes as long as it learns by what it is said to learn by.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/regions/closed_loop.hpp"

namespace quartet {
namespace {

constexpr int kSeeds = 3;
constexpr std::size_t kAligned = 10, kRotated = 45, kFirst = kAligned + 20,
                      kLast = kAligned + kRotated;

/// What an arm of a pair does to a subject and its tracts.
using Change = std::function<void(Subject&, std::vector<TractLesion>&)>;
const Change kIntact = [](Subject&, std::vector<TractLesion>&) {};
Change lesion(const char* tract, TractLesion::Kind kind) {
  return [=](Subject&, std::vector<TractLesion>& lesions) { lesions.push_back({tract, kind, 7}); };
}

LoopResult run(Subject subject, int seed, const Change& change) {
  subject.seed += static_cast<std::uint64_t>(seed);
  std::vector<TractLesion> lesions;
  change(subject, lesions);
  return run_closed_loop(subject, std::move(lesions));
}

/// Part of a rotation of 30° by which reaches have turned against it in its trials 20 to 45.
double compensation(const LoopResult& result) {
  const auto reached = [](const TrialRecord& trial) { return trial.reached; };
  EXPECT_GE(std::count_if(result.trials.begin() + kFirst, result.trials.end(), reached), 20);
  return (result.mean_angle(2, kAligned) - result.mean_angle(kFirst, kLast)) / 30.0;
}

/// Whether a plastic projection's weights changed in a run.
bool changed(const LoopResult& result, const std::string& projection) {
  return result.weights_before.at(projection) != result.weights_after.at(projection);
}

/// A mechanism taken away, and what else must hold in that arm.
struct Ablation {
  const char* name;
  Change change;
  std::function<void(const LoopResult&)> check;
};

/// A subject who meets a rotation of 30° and has no strategy against it.
Subject implicit_subject() {
  Subject subject = rotated_subject(kAligned, kRotated);
  subject.brain.cortex.strategy_learning = false;
  return subject;
}

// A target for each subject: what holds in one direction only is no mechanism.
constexpr double kTargetsDeg[kSeeds] = {90, 315, 225};

/// Expects of each ablation that at least a quarter of the rotation less is compensated, and less
/// than half of what intact brains compensate, in the mean over subjects, and less in each of them.
void expect_losses(Subject subject, const std::vector<Ablation>& ablations) {
  const auto aim_at = [&](double target_deg) {
    for (Block& block : subject.schedule) block.targets_deg = {target_deg};
  };
  std::vector<double> intact;
  double intact_sum = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    aim_at(kTargetsDeg[seed]);
    intact.push_back(compensation(run(subject, seed, kIntact)));
    intact_sum += intact.back();
  }
  for (const Ablation& ablation : ablations) {
    SCOPED_TRACE(ablation.name);
    double loss = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
      aim_at(kTargetsDeg[seed]);
      const LoopResult result = run(subject, seed, ablation.change);
      const double left = compensation(result), whole = intact[static_cast<std::size_t>(seed)];
      EXPECT_GT(whole - left, 0.0) << "subject " << seed << ": " << whole << ", then " << left;
      loss += whole - left;
      ablation.check(result);
    }
    EXPECT_GT(loss / kSeeds, 0.25);
    EXPECT_GT(loss, 0.5 * intact_sum);
  }
}

TEST(HonestSpikes, WithoutOliveOrPlasticityTheCerebellumLearnsNothing) {
  expect_losses(
      implicit_subject(),
      {{"parallel fibres frozen",
        [](Subject& subject, auto&) { subject.brain.cerebellum.learning = false; },
        [](const LoopResult& result) { EXPECT_FALSE(changed(result, "cerebellum.GrC_PC")); }},
       {"olive silent",
        [](Subject& subject, auto&) { subject.brain.cerebellum.silence_olive = true; },
        [](const LoopResult& result) { EXPECT_EQ(result.spikes.at("cerebellum.IO"), 0); }}});
}

TEST(HonestSpikes, WithoutRotationOrTheRightCellsOfTheNucleiNothingIsCorrected) {
  const auto plastic = [](const LoopResult& result) {
    EXPECT_TRUE(changed(result, "cerebellum.GrC_PC"));
    EXPECT_TRUE(changed(result, "cerebellum.MF_DCN"));
  };
  expect_losses(
      implicit_subject(),
      {{"no rotation",
        [](Subject& subject, auto&) { subject.schedule[1].perturbation = Perturbation::none; },
        plastic},
       {"nuclei cut off from thalamus", lesion("dcn_to_thalamus", TractLesion::Kind::cut), plastic},
       // As many spikes, from other cells.
       {"nuclear cells shuffled", lesion("dcn_to_thalamus", TractLesion::Kind::shuffle), plastic}});
}

TEST(HonestSpikes, WithoutPlasticityCursorOrRotationPremotorCellsFindNoStrategy) {
  Subject subject = rotated_subject(kAligned, kRotated);
  subject.brain.cerebellum.learning = subject.brain.cerebellum.nuclear_learning = false;
  expect_losses(
      subject,
      {{"parietal - premotor synapses frozen",
        [](Subject& s, auto&) { s.brain.cortex.strategy_learning = false; },
        [](const LoopResult& result) {
          EXPECT_FALSE(changed(result, "cortex.PPC_PrePMd"));
          EXPECT_GT(result.spikes.at("cortex.TaskError"), 1000);
        }},
       {"TaskError silent", [](Subject& s, auto&) { s.brain.cortex.silence_task_error = true; },
        [](const LoopResult& result) {
          EXPECT_EQ(result.spikes.at("cortex.TaskError"), 0);
          EXPECT_FALSE(changed(result, "cortex.PPC_PrePMd"));
        }},
       {"told to aim at the target",
        [](Subject& s, auto&) {
          for (Block& block : s.schedule) block.instruction = Instruction::aim_at_target;
        },
        [](const LoopResult& result) {
          EXPECT_TRUE(changed(result, "cortex.PPC_PrePMd"));
          EXPECT_LT(result.spikes.at("cortex.PrePMd"), 20);  // before the first word
        }},
       {"cursor unseen", [](Subject& s, auto&) { s.schedule[1].feedback = Feedback::none; },
        [](const LoopResult&) {}},
       {"no rotation", [](Subject& s, auto&) { s.schedule[1].perturbation = Perturbation::none; },
        [](const LoopResult&) {}}});
}

// The comparison sees what a tract carries, not that it was touched.
TEST(HonestSpikes, TractsThatNoModelReadsMatterNothing) {
  Subject subject = rotated_subject(2, 3);
  subject.brain.scale = 0.25;
  const LoopResult intact = run(subject, 0, kIntact);
  for (const char* tract :
       {"olive_to_thalamus", "snc_to_cortex", "snc_to_cerebellum", "snc_to_thalamus"}) {
    const LoopResult cut = run(subject, 0, lesion(tract, TractLesion::Kind::cut));
    EXPECT_EQ(cut.spikes, intact.spikes) << tract;
    EXPECT_EQ(cut.weights_after, intact.weights_after) << tract;
  }
  const LoopResult cut = run(subject, 0, lesion("dcn_to_thalamus", TractLesion::Kind::cut));
  EXPECT_NE(cut.spikes, intact.spikes);
  EXPECT_NE(cut.weights_after, intact.weights_after);
}

TEST(HonestSpikes, ShuffledCorticospinalCellsReachNoTarget) {
  const auto median_error = [](const LoopResult& result) {
    std::vector<double> errors;
    for (const TrialRecord& trial : result.trials)
      errors.push_back(trial.reached ? std::abs(trial.error_deg) : 180.0);
    std::nth_element(errors.begin(), errors.begin() + 4, errors.end());
    return errors[4];  // median of nine
  };
  const Subject subject = rotated_subject(9, 0);
  for (int seed = 0; seed < kSeeds; ++seed) {
    const double intact = median_error(run(subject, seed, kIntact));
    const double shuffled =
        median_error(run(subject, seed, lesion("corticospinal", TractLesion::Kind::shuffle)));
    EXPECT_GT(shuffled - intact, 45.0) << "subject " << seed;
  }
}

TEST(HonestSpikes, SilentDopamineCellsTeachNothing) {
  const std::vector<std::string> taught = {"basal_ganglia.PPC_D1", "basal_ganglia.PPC_D2",
                                           "basal_ganglia.PPC_Striosome", "basal_ganglia.PPC_PPN"};
  Subject subject = rotated_subject(5, 5);
  // Nothing but eligibility changes weights.
  subject.brain.basal_ganglia.actor_d1.decay = subject.brain.basal_ganglia.actor_d2.decay = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const LoopResult intact = run(subject, seed, kIntact);
    const LoopResult silent = run(
        subject, seed, [](Subject& s, auto&) { s.brain.basal_ganglia.silence_dopamine = true; });
    EXPECT_EQ(silent.spikes.at("basal_ganglia.SNc"), 0);
    for (const std::string& name : taught) {
      EXPECT_FALSE(changed(silent, name)) << name;
      EXPECT_TRUE(changed(intact, name)) << name;
    }
    // Cholinergic cells, which make reaches vary, need dopamine.
    EXPECT_LT(silent.spikes.at("basal_ganglia.TAN"), intact.spikes.at("basal_ganglia.TAN"));
  }
}

/// Part of a rotation of 5° that is never seen, only rewarded where it is met, by which reaches
/// turn against it in its trials 40 to 60, after 20 that calibrate the hand: half the difference
/// between the two signs of rotation, in which a subject's bias and drift cancel.
double taught_by_reward(int seed, const Change& change) {
  Subject subject = rotated_subject(20, 60);
  Block& rotated = subject.schedule[1];
  rotated.feedback = Feedback::none;
  rotated.reward_zone_deg = 4;
  double turned = 0;
  for (const double sign : {-1.0, 1.0}) {
    rotated.rotation_deg = 5 * sign;
    turned -= sign * run(subject, seed, change).mean_angle(60, 80);
  }
  return turned / 2 / 5;
}

TEST(HonestSpikes, WithoutDopamineCellsOrCorticostriatalPlasticityRewardMovesNoAim) {
  const std::vector<std::pair<const char*, Change>> ablations = {
      {"dopamine cells silent",
       [](Subject& s, auto&) { s.brain.basal_ganglia.silence_dopamine = true; }},
      {"corticostriatal synapses frozen",
       [](Subject& s, auto&) { s.brain.basal_ganglia.learning = false; }},
      {"what the basal ganglia select cut off from cortex",
       lesion("va_to_cortex", TractLesion::Kind::cut)}};
  std::vector<double> intact;
  double intact_sum = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    intact.push_back(taught_by_reward(seed, kIntact));
    intact_sum += intact.back();
  }
  for (const auto& [name, change] : ablations) {
    SCOPED_TRACE(name);
    double loss = 0;
    for (int seed = 0; seed < kSeeds; ++seed) {
      const double left = taught_by_reward(seed, change);
      const double whole = intact[static_cast<std::size_t>(seed)];
      EXPECT_GT(whole - left, 0.0) << "subject " << seed << ": " << whole << ", then " << left;
      loss += whole - left;
    }
    EXPECT_GT(loss / kSeeds, 0.25);
    EXPECT_GT(loss, 0.5 * intact_sum);
  }
}

/// Plastic projections whose weights change in four rotated trials.
std::vector<std::string> plastic_in(const Change& change) {
  Subject subject = rotated_subject(1, 4);
  subject.brain.scale = 0.25;
  const LoopResult result = run(subject, 0, change);
  std::vector<std::string> names;
  for (const auto& [name, weights] : result.weights_before)
    if (changed(result, name)) names.push_back(name);
  return names;
}

TEST(HonestSpikes, SwitchesFreezeWhatTheyNameAndNothingElse) {
  const std::string d1 = "basal_ganglia.PPC_D1", d2 = "basal_ganglia.PPC_D2",
                    cue = "basal_ganglia.PPC_PPN", critic = "basal_ganglia.PPC_Striosome",
                    pf = "cerebellum.GrC_PC", nuclear = "cerebellum.MF_DCN",
                    olive = "cerebellum.Cursor_IO", strategy = "cortex.PPC_PrePMd",
                    felt = "cortex.Proprio_FeltSeen";
  using Names = std::vector<std::string>;
  EXPECT_EQ(plastic_in(kIntact), (Names{d1, d2, cue, critic, olive, pf, nuclear, strategy, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.cerebellum.learning = false; }),
            (Names{d1, d2, cue, critic, olive, nuclear, strategy, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.cerebellum.nuclear_learning = false; }),
            (Names{d1, d2, cue, critic, olive, pf, strategy, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.basal_ganglia.learning = false; }),
            (Names{cue, critic, olive, pf, nuclear, strategy, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.basal_ganglia.critic_learning = false; }),
            (Names{d1, d2, olive, pf, nuclear, strategy, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.cortex.strategy_learning = false; }),
            (Names{d1, d2, cue, critic, olive, pf, nuclear, felt}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) { s.brain.cortex.recalibration.rate = 0; }),
            (Names{d1, d2, cue, critic, olive, pf, nuclear, strategy}));
  EXPECT_EQ(plastic_in([](Subject& s, auto&) {
              for (Block& block : s.schedule) block.learning = false;
            }),
            Names{});
}

}  // namespace
}  // namespace quartet
