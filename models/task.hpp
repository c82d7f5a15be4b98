/// What the body is asked to do: a schedule of blocks of trials. Plain data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/cell_loss.hpp"
#include "models/drug.hpp"
#include "models/parameters.hpp"
#include "models/probe.hpp"

namespace quartet {

enum class Task { reach, fingers, observe, rest };
enum class Feedback { full, endpoint, none };
enum class Perturbation { none, rotation, clamp, shift };
enum class RewardRule { hit, graded, always, never, none };
enum class RotationSign { same, random };
enum class Instruction { none, aim_at_target };
enum class HandInSight { none, own, mirror };
enum class NerveBlock {
  none,
  hand,
  arm,
  face,
  little_finger,  // and the others, in the order of the sheet (muscle.hpp)
  ring_finger,
  middle_finger,
  index_finger,
  thumb
};

/// A number of trials under the same rules. Rotation goes from `rotation_deg` to
/// `rotation_end_deg` in `steps` equal steps (steps = 0: abrupt, constant `rotation_deg`).
struct Block {
  std::int64_t trials = 10;
  Task task = Task::reach;
  std::vector<double> fingers = {};
  double finger_correlation = 0.0;
  double finger_individuation = 0.5;
  double finger_hit_share = 0.0;
  HandInSight hand_in_sight = HandInSight::none;
  std::vector<double> targets_deg = {90.0};
  double second_target_deg = 0.0;
  double second_reward = 1.0;
  std::vector<double> sequence = {};
  Perturbation perturbation = Perturbation::none;
  double rotation_deg = 0.0;
  double rotation_end_deg = 0.0;
  std::int64_t steps = 0;
  RotationSign rotation_sign = RotationSign::same;
  double rotation_noise_deg = 0.0;
  double rotation_noise_skew = 0.0;
  double shift_m = 0.0;
  double cursor_gain = 1.0;
  double curl_Ns_m = 0.0;
  double target_jump_deg = 0.0;
  Feedback feedback = Feedback::full;
  RewardRule reward = RewardRule::hit;
  double reward_zone_deg = 6.0;
  double target_radius_m = 0.0;
  double reward_size = 1.0;
  double reward_probability = 1.0;
  double second_reward_probability = 1.0;
  double punishment = 0.0;
  Instruction instruction = Instruction::none;
  bool learning = true;
  std::vector<double> lesion_site = {};
  double lesion_radius = 0.0;
  NerveBlock nerve_block = NerveBlock::none;
  double polarization_mv = 0.0;
  CellLoss cell_loss = {};
  Drug drug = {};
  Probe probe = {};  ///< before the first trial, after a lesion

  void visit(ParameterVisitor& v) {
    v.integer("trials", trials, {"1", 1, 1e6}, "number of trials");
    v.choice_of("task", task, {"reach", "fingers", "observe", "rest"},
                "reach: to a target; fingers: a cue asks for movements of some fingers from "
                "body.cue_ms to body.deadline_ms; observe: another's hand is seen to bend them "
                "instead, while the subject's own muscles are shut off at the spinal cord; rest: "
                "nothing is asked. The hand is held but in reaches");
    v.reals(
        "fingers", fingers, {"1", 1, 5},
        "the practised (or observed) fingers as digits, 1 (thumb) to 5 (little finger). With n of "
        "them, each is "
        "asked for in 1/n of the trials; in trials that ask for none, nothing is shown");
    v.real("finger_correlation", finger_correlation, {"1", -1, 1},
           "correlation over trials of what any two of n practised fingers are asked: -1/(n - 1): "
           "one finger at a time; 0: each on its own; 1: all or none");
    v.real("finger_individuation", finger_individuation, {"1", 0, 1},
           "individuation from which a finger movement is a hit: 1 - (mean flexion of the fingers "
           "that were not asked for) / (the least flexion of those that were), at least -1; a "
           "finger that stays still is a miss");
    v.real("finger_hit_share", finger_hit_share, {"1", 0, 0.99},
           "shaping: share of movements that are to be hits. The individuation that is asked for "
           "then begins at finger_individuation and follows the subject, for each set of fingers "
           "on its own, and goes on in a block that follows with the same two values: each hit "
           "raises it by "
           ".04 (1 - finger_hit_share), each miss lowers it by .04 finger_hit_share (a weighted "
           "up-down staircase: Kaernbach 1991), within -1 and 1. All five fingers together are "
           "always a hit. 0: it stays");
    v.choice_of("hand_in_sight", hand_in_sight, {"none", "own", "mirror"},
                "what is seen of the hand that moves its fingers; own: how far they are bent; "
                "mirror: in its place the mirror image of the other hand, which does what is asked "
                "of both. Needs brain.cortex.observation.connected: other brains see no hands");
    v.reals("targets_deg", targets_deg, {"degree", -360, 360},
            "target directions from the start position, counter-clockwise from rightward; trials "
            "cycle through them");
    v.real("second_target_deg", second_target_deg, {"degree", -180, 180},
           "angle from the target to a second one that is shown with it (0: none). Who reaches a "
           "third of the distance has chosen the one nearer to the cursor; the other goes");
    v.real("second_reward", second_reward, {"1", 0, 1},
           "reward of hitting the second target, as a fraction of the first's");
    v.reals(
        "sequence", sequence, {"1", 1, 2},
        "which of two targets is right (1 or 2), for each of targets_deg: a sequence of choices, "
        "of which nothing is shown but whether all were right, after the last. Empty: none");
    v.choice_of("perturbation", perturbation, {"none", "rotation", "clamp", "shift"},
                "rotation: cursor = hand turned by rotation_deg; clamp: cursor moves at "
                "rotation_deg from the target whatever the hand does (0: error clamp); shift: "
                "cursor in the direction of the hand displaced by shift_m, as behind a prism");
    v.real("rotation_deg", rotation_deg, {"degree", -180, 180},
           "angle of the perturbation (in the first step, where there are steps)");
    v.real("rotation_end_deg", rotation_end_deg, {"degree", -180, 180},
           "angle of the perturbation in the last step; without steps it has no effect");
    v.integer("steps", steps, {"1", 0, 1e6},
              "number of equal steps from rotation_deg to rotation_end_deg, which must then be "
              "written; 0: constant. steps = trials is a ramp");
    v.choice_of("rotation_sign", rotation_sign, {"same", "random"},
                "random: on every trial the perturbation goes to either side with equal chance, so "
                "that nothing adds up and each trial's correction can be read from the next");
    v.real("rotation_noise_deg", rotation_noise_deg, {"degree", 0, 90},
           "SD over trials of a random angle that is added to rotation_deg");
    v.real("rotation_noise_skew", rotation_noise_skew, {"1", -2, 2},
           "skewness of this angle (0: normal; else gamma, to the nearest 2/sqrt(n))");
    v.real(
        "shift_m", shift_m, {"m", -0.1, 0.1},
        "displacement to the right that gives the cursor's direction (its distance is the hand's)");
    v.real("cursor_gain", cursor_gain, {"1", 0.2, 5},
           "distance of the cursor from the start per distance of the hand; targets, and thirds of "
           "their distance, are reached by the cursor");
    v.real("curl_Ns_m", curl_Ns_m, {"N s/m", -50, 50},
           "curl force field: the force on the moving hand is curl_Ns_m times its velocity, turned "
           "clockwise by 90 degrees (people: 13-15; Shadmehr & Mussa-Ivaldi 1994)");
    v.real("target_jump_deg", target_jump_deg, {"degree", -180, 180},
           "angle by which the target is seen to jump when the hand has left the start");
    v.choice_of("feedback", feedback, {"full", "endpoint", "none"},
                "when the cursor is seen: during the whole reach, at its end, or never");
    v.choice_of("reward", reward, {"hit", "graded", "always", "never", "none"},
                "when the outcome is a reward: cursor within reward_zone_deg of the target at the "
                "target's distance, or fingers at least as individuated as asked; graded: the "
                "smaller the closer to that zone's edge; always, never, or none: no outcome is "
                "shown");
    v.real("reward_zone_deg", reward_zone_deg, {"degree", 0, 180},
           "half-width of the rewarded zone around the target's direction");
    v.real(
        "target_radius_m", target_radius_m, {"m", 0, 0.3},
        "radius of the target, in which the cursor, a point, must end: the zone is then "
        "2 asin(target_radius_m / (2 body.distance_m)) instead of reward_zone_deg (0: not given). "
        "The brain sees no sizes, only the outcome");
    v.real("reward_size", reward_size, {"1", 0, 1}, "size of the reward, where there is one");
    v.real("reward_probability", reward_probability, {"1", 0, 1},
           "chance, drawn in every trial, that a reward which the rule gives is given");
    v.real("second_reward_probability", second_reward_probability, {"1", 0, 1},
           "the same where the second target was chosen");
    v.real("punishment", punishment, {"1", 0, 1},
           "size of the punishment (a loss) of a trial that the rule does not reward");
    v.choice_of("instruction", instruction, {"none", "aim_at_target"},
                "aim_at_target: the subject is told to use no strategy: cells that hold one are "
                "inhibited, and reaches show what was learned beside it");
    v.boolean("learning", learning, "false freezes every plastic synapse during the block");
    v.reals("lesion_site", lesion_site, {"1", 0, 18},
            "x and y of the middle of a focal lesion, in sheet units");
    v.real(
        "lesion_radius", lesion_radius, {"1", 0, 20},
        "radius of the lesion, in sheet units (about .8 mm): all cells of the motor sheet in this "
        "disc die before the block's first trial, and before its probe (0: no lesion)");
    v.choice_of("nerve_block", nerve_block,
                {"none", "hand", "arm", "face", "little_finger", "ring_finger", "middle_finger",
                 "index_finger", "thumb"},
                "what part's nerves do not conduct during the block and its probe (arm: the hand "
                "too): nothing is felt of it, and its muscles do not contract (probes record what "
                "cortex sends them all the same). A block of nerves ends with the block that has "
                "it; an amputation is one that all later blocks have. "
                "Needs brain.cortex.afferents.connected: other brains feel nothing at rest");
    v.real("polarization_mv", polarization_mv, {"mV", -50, 50},
           "depolarisation of the pyramidal cells of the motor sheet by direct current during the "
           "block and its probe, at the soma and at rest (people, by 1-2 mA through the skull: .1 "
           "to .5 mV; above 0: anodal)");
    v.table("cell_loss", cell_loss,
            "shares of cells that die before the block's first trial and its probe, for good");
    v.table("drug", drug,
            "what drugs, or the state of the tissue, do during the block and its probe: to the "
            "motor sheet's receptors, and in place of dopamine");
    v.table("probe", probe, "stimulation of the resting brain before the block");
  }
};

/// Trials of all blocks.
inline std::int64_t trials_of(std::span<const Block> schedule) {
  std::int64_t trials = 0;
  for (const Block& block : schedule) trials += block.trials;
  return trials;
}

/// Where a trial lies in a schedule.
struct TrialPlace {
  std::size_t block;
  std::int64_t within;  ///< 0-based in the block; beyond the last block's end: its trials or more
};
/// `schedule`: not empty.
inline TrialPlace place_of(std::span<const Block> schedule, std::int64_t trial) {
  std::size_t block = 0;
  while (block + 1 < schedule.size() && trial >= schedule[block].trials)
    trial -= schedule[block++].trials;
  return {block, trial};
}

/// A block's perturbation angle, without noise, on its trial `trial` (0-based), degrees.
inline double rotation_on_trial(const Block& block, std::int64_t trial) {
  if (block.perturbation == Perturbation::none) return 0.0;
  if (block.steps <= 1) return block.rotation_deg;
  const std::int64_t step = trial * block.steps / block.trials;
  return block.rotation_deg + (block.rotation_end_deg - block.rotation_deg) *
                                  static_cast<double>(step) / static_cast<double>(block.steps - 1);
}

}  // namespace quartet
