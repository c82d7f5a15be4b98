#include "runs/experiment_block_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "regions/sheet.hpp"
#include "runs/laboratory.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

using Refuse = std::function<void(const std::string& what, const std::string& remedy)>;

// ---------------------------------------------------------------------------------------------
// What rules ask.

bool moves_fingers(const Block& b) { return b.task == Task::fingers || b.task == Task::observe; }

bool shows_hands(const Block& b) {
  return b.hand_in_sight != HandInSight::none || b.task == Task::observe ||
         !b.probe.observed.empty();
}

/// Whether the cursor is turned.
bool turns(const Block& b) {
  return b.perturbation == Perturbation::rotation || b.perturbation == Perturbation::clamp;
}

bool rewards(const Block& b) {
  return b.reward == RewardRule::hit || b.reward == RewardRule::graded ||
         b.reward == RewardRule::always;
}

/// Whether [x, y] is a place on the motor sheet.
bool on_sheet(const std::vector<double>& site) {
  return site.size() == 2 && site[0] <= kSheetWidth && site[1] <= kSheetHeight;
}

/// Whether all are digits, each once.
bool are_digits(const std::vector<double>& fingers) {
  const std::set<double> digits(fingers.begin(), fingers.end());
  return digits.size() == fingers.size() &&
         std::all_of(digits.begin(), digits.end(), [](double d) { return d == std::floor(d); });
}

// ---------------------------------------------------------------------------------------------
// Rules that look at the group, or whose message has numbers.

void hands_are_seen(const BlockOfGroup& of_group, const Refuse& refuse) {
  if (!shows_hands(of_group.block) || of_group.sees_hands) return;
  refuse(
      "a hand is shown (hand_in_sight, task = \"observe\" or probe.observed) to brains that "
      "do not see hands",
      "write brain.cortex.observation.connected = true, or show none");
}

void blocked_nerves_are_felt(const BlockOfGroup& of_group, const Refuse& refuse) {
  if (of_group.block.nerve_block == NerveBlock::none || of_group.feels) return;
  refuse("nerves are blocked (nerve_block) of brains that feel nothing at rest",
         "write brain.cortex.afferents.connected = true and the biases that belong to it (as in "
         "runs/experiments/nerve_block.toml), or leave nerve_block out");
}

void fingers_are_digits(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Block& b = of_group.block;
  for (const auto& [key, digits] : {std::pair{"fingers", &b.fingers},
                                    {"probe.observed", &b.probe.observed},
                                    {"probe.moving", &b.probe.moving}}) {
    if (are_digits(*digits)) continue;
    refuse(fmt::format("{} are digits, each once", key),
           fmt::format("write for example {} = [2, 3]", key));
  }
}

void fingers_can_correlate(const BlockOfGroup& of_group, const Refuse& refuse) {
  const double correlation = of_group.block.finger_correlation;
  const auto n = static_cast<double>(of_group.block.fingers.size());
  if (n == 0 || (n == 1 ? correlation == 0 : correlation >= -1 / (n - 1))) return;
  refuse(fmt::format("{:g} practised finger{} cannot have a correlation of {:g}", n,
                     n == 1 ? "" : "s", correlation),
         n == 1 ? "leave finger_correlation 0"
                : fmt::format("write finger_correlation = {:.4g} (one at a time) or more",
                              -std::floor(1e4 / (n - 1)) / 1e4));
}

void steps_fit(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Block& b = of_group.block;
  if (b.steps <= b.trials) return;
  refuse(fmt::format("{} steps do not fit into {} trials", b.steps, b.trials),
         fmt::format("write steps = {} or fewer, or more trials", b.trials));
}

void ramp_has_steps(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Block& b = of_group.block;
  if (!turns(b)) return;
  if (b.steps > 1 && !of_group.says_end) {
    refuse(fmt::format("steps = {} does not say where the rotation ends", b.steps),
           "write for example rotation_deg = 0, rotation_end_deg = 30 (or rotation_end_deg = 0 "
           "where it shall go back to none), or leave out steps");
    return;
  }
  if (b.steps > 1 && b.rotation_end_deg == b.rotation_deg) {
    refuse(
        fmt::format("steps = {} has no effect where the rotation begins and ends at {:g} degrees",
                    b.steps, b.rotation_deg),
        "write where it ends, rotation_end_deg, or leave out steps");
    return;
  }
  if (b.steps > 1 || b.rotation_end_deg == 0.0 || b.rotation_end_deg == b.rotation_deg) return;
  refuse(fmt::format("rotation_end_deg = {:g} has no effect with steps = {}", b.rotation_end_deg,
                     b.steps),
         fmt::format("write steps = {} for a ramp, or leave out rotation_end_deg", b.trials));
}

void start_is_outside_of_target(const BlockOfGroup& of_group, const Refuse& refuse) {
  const double radius_m = of_group.block.target_radius_m, distance_m = of_group.nearest_target_m;
  if (radius_m < distance_m) return;
  refuse(fmt::format("a target of target_radius_m = {:g} holds the start, {:g} m away", radius_m,
                     distance_m),
         fmt::format("write a radius below {:g} m (body.distance_m)", distance_m));
}

void sequence_is_whole(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Block& b = of_group.block;
  if (b.sequence.empty()) return;
  const std::size_t steps = b.sequence.size();
  if (b.second_target_deg == 0.0 || steps != b.targets_deg.size()) {
    refuse(fmt::format("a sequence of {} choices between two targets needs second_target_deg, and "
                       "one of targets_deg for each",
                       steps),
           "write for example targets_deg = [135, 315], second_target_deg = 90, sequence = [1, 2]");
  }
  if (std::any_of(b.sequence.begin(), b.sequence.end(),
                  [](double step) { return step != 1 && step != 2; })) {
    refuse("a sequence says which of two targets is right, 1 or 2",
           "write for example sequence = [1, 2]");
  }
  if (b.reward != RewardRule::hit || b.second_reward != 1.0) {
    refuse("a sequence has an outcome of its own: whether all choices were right",
           "leave out reward and second_reward");
  }
  if (b.trials % static_cast<std::int64_t>(steps) != 0) {
    refuse(fmt::format("{} trials end within a sequence of {}", b.trials, steps),
           fmt::format("write a multiple of {}", steps));
  }
}

void lesion_is_on_sheet(const BlockOfGroup& of_group, const Refuse& refuse) {
  const std::vector<double>& site = of_group.block.lesion_site;
  if (site.empty() || on_sheet(site)) return;
  refuse("lesion_site is no place on the motor sheet",
         fmt::format("write [x, y] with x up to {} and y up to {}", kSheetWidth, kSheetHeight));
}

void intervals_are_substeps(const BlockOfGroup& of_group, const Refuse& refuse) {
  for (const double interval_ms : of_group.block.probe.intervals_ms) {
    const double nearest = std::round(interval_ms * kCortexSubsteps) / kCortexSubsteps;
    if (interval_ms == nearest) continue;
    refuse(fmt::format("probe.intervals_ms: {:g} ms is no multiple of {:g} ms, in which cortex is "
                       "simulated",
                       interval_ms, 1.0 / kCortexSubsteps),
           fmt::format("the nearest one is {:g}", nearest));
  }
}

void intention_has_pulses(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Probe& probe = of_group.block.probe;
  if (probe.kind != ProbeKind::intention || probe.pulses >= 3) return;
  refuse(fmt::format("probe.pulses = {} of intended movements are too few to decode", probe.pulses),
         "write probe.pulses = 3 or more");
}

void probed_muscle_rests(const BlockOfGroup& of_group, const Refuse& refuse) {
  const Probe& probe = of_group.block.probe;
  if (probe.kind != ProbeKind::surround) return;
  for (const double digit : probe.moving) {
    if (muscle_index(probe.muscle) != kArmMuscles + static_cast<int>(finger_of_digit(digit)))
      continue;
    refuse(fmt::format("probe.muscle = {} is the muscle of digit {:g}, which moves",
                       toml_text(probe.muscle), digit),
           "probe another muscle, or write another digit in probe.moving");
  }
}

void probed_muscle_exists(const BlockOfGroup& of_group, const Refuse& refuse) {
  const std::string& muscle = of_group.block.probe.muscle;
  if (muscle_index(muscle) >= 0) return;
  std::vector<std::string> muscles;
  for (const MuscleField& field : kMuscleFields) muscles.emplace_back(field.name);
  refuse(fmt::format("probe.muscle = {} is no muscle", toml_text(muscle)),
         did_you_mean(muscle, muscles, fmt::format("muscles are {}", fmt::join(muscles, ", "))));
}

void probe_is_on_sheet(const BlockOfGroup& of_group, const Refuse& refuse) {
  const std::vector<double>& site = of_group.block.probe.site;
  if (site.empty() || on_sheet(site)) return;
  refuse("probe.site is no place on the motor sheet",
         fmt::format("write [x, y] with x up to {} and y up to {}, or [] for the centre of the "
                     "muscle's field",
                     kSheetWidth, kSheetHeight));
}

// ---------------------------------------------------------------------------------------------

/// What is refused where `broken`; or, of a rule that is a function, what that tells.
struct Rule {
  using Broken = bool (*)(const Block&);
  using Function = void (*)(const BlockOfGroup&, const Refuse&);

  Rule(Broken broken, const char* what, const char* remedy)
      : broken(broken), what(what), remedy(remedy) {}
  Rule(Function function) : function(function) {}

  Broken broken = nullptr;
  const char* what = nullptr;
  const char* remedy = nullptr;
  Function function = nullptr;
};

/// All rules, in the order in which they are told.
const Rule kRules[] = {
    // Tasks.
    {[](const Block& b) { return b.targets_deg.empty(); }, "a block without targets",
     "write for example targets_deg = [90]"},
    {[](const Block& b) { return moves_fingers(b) == b.fingers.empty(); },
     "task = \"fingers\", or \"observe\", and a list of fingers go together",
     "write for example task = \"fingers\", fingers = [2, 3], or neither"},
    {[](const Block& b) { return b.hand_in_sight != HandInSight::none && b.task != Task::fingers; },
     "hand_in_sight has an effect only where task is \"fingers\"",
     "write task = \"fingers\" and fingers, or leave it out"},
    hands_are_seen,
    blocked_nerves_are_felt,
    fingers_are_digits,
    fingers_can_correlate,
    {[](const Block& b) { return b.fingers.empty() && b.finger_correlation != 0; },
     "finger_correlation has an effect only where task is \"fingers\" or \"observe\"",
     "write task = \"fingers\" and fingers, or leave it out"},
    {[](const Block& b) {
       return b.task != Task::fingers &&
              (b.finger_individuation != Block{}.finger_individuation || b.finger_hit_share != 0);
     },
     "finger_individuation and finger_hit_share have an effect only where task is \"fingers\"",
     "write task = \"fingers\" and fingers, or leave them out"},
    {[](const Block& b) {
       return b.task != Task::reach &&
              (b.perturbation != Perturbation::none || b.curl_Ns_m != 0.0 ||
               b.target_jump_deg != 0.0 || b.target_radius_m != 0.0 || b.second_target_deg != 0.0 ||
               b.cursor_gain != 1.0 || b.instruction != Instruction::none);
     },
     "perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, cursor_gain "
     "and instruction have an effect only on reaches",
     "write task = \"reach\", or leave them out"},

    // Perturbations.
    steps_fit,
    {[](const Block& b) {
       return !turns(b) && (b.rotation_deg != 0.0 || b.rotation_end_deg != 0.0 || b.steps != 0 ||
                            b.rotation_noise_deg != 0.0);
     },
     "rotation_deg, rotation_end_deg, rotation_noise_deg and steps have an effect only where "
     "perturbation is \"rotation\" or \"clamp\"",
     "write perturbation = \"rotation\" (or \"clamp\"), or leave them 0"},
    {[](const Block& b) { return b.rotation_noise_skew != 0.0 && b.rotation_noise_deg == 0.0; },
     "rotation_noise_skew has no effect without rotation_noise_deg",
     "write for example rotation_noise_deg = 4, or leave it out"},
    {[](const Block& b) {
       return b.perturbation == Perturbation::rotation && b.rotation_deg == 0.0 &&
              b.rotation_end_deg == 0.0 && b.rotation_noise_deg == 0.0 &&
              b.rotation_noise_skew == 0.0;  // else the rule before has told
     },
     "perturbation = \"rotation\" has no effect without an angle",
     "write for example rotation_deg = 30, or perturbation = \"none\""},
    {[](const Block& b) { return b.rotation_sign != RotationSign::same && !turns(b); },
     "rotation_sign has an effect only where perturbation is \"rotation\" or \"clamp\"",
     "write perturbation = \"rotation\" (or \"clamp\"), or leave it out"},
    {[](const Block& b) { return (b.shift_m != 0.0) != (b.perturbation == Perturbation::shift); },
     "shift_m and perturbation = \"shift\" go together",
     "write both (for example shift_m = 0.02), or neither"},
    ramp_has_steps,

    // Targets and outcomes.
    {[](const Block& b) {
       // A file that repeats the default cannot be told from one that leaves it out.
       return b.target_radius_m != 0.0 && b.reward_zone_deg != Block{}.reward_zone_deg;
     },
     "target_radius_m and reward_zone_deg both say where the cursor hits the target",
     "leave out one of them"},
    start_is_outside_of_target,
    {[](const Block& b) {
       return b.punishment != 0.0 &&
              (b.reward == RewardRule::always || b.reward == RewardRule::none);
     },
     "punishment has no effect where every trial is rewarded, or no outcome is shown",
     "write reward = \"hit\" (or \"graded\" or \"never\"), or leave it out"},
    {[](const Block& b) {
       return b.task == Task::reach && b.reward == RewardRule::graded && b.reward_zone_deg == 0.0;
     },
     "reward = \"graded\" has no grades within reward_zone_deg = 0",
     "write for example reward_zone_deg = 6, or reward = \"never\""},
    {[](const Block& b) {
       return b.task != Task::rest && rewards(b) && b.reward_size == 0.0 && b.punishment == 0.0;
     },
     "rewards of reward_size = 0, without a punishment, teach nothing",
     "write reward = \"never\", or a reward_size or punishment above 0"},
    {[](const Block& b) { return b.second_reward != 1.0 && b.second_target_deg == 0.0; },
     "second_reward has no effect without a second target",
     "write for example second_target_deg = 90, or leave it out"},
    {[](const Block& b) { return b.reward_probability != 1.0 && !rewards(b); },
     "reward_probability has an effect only where the rule gives rewards",
     "write reward = \"hit\" (or \"graded\" or \"always\"), or leave it out"},
    {[](const Block& b) {
       return b.second_reward_probability != 1.0 && (b.second_target_deg == 0.0 || !rewards(b));
     },
     "second_reward_probability has no effect without a second target, or without rewards",
     "write for example second_target_deg = 90, or leave it out"},
    sequence_is_whole,
    {[](const Block& b) {
       return b.second_target_deg != 0.0 &&
              (b.perturbation == Perturbation::clamp || b.target_jump_deg != 0.0);
     },
     "a clamped cursor, or a target that jumps, leaves no choice between two targets",
     "leave out second_target_deg, or perturbation = \"clamp\" and target_jump_deg"},
    {[](const Block& b) {
       return b.perturbation == Perturbation::clamp && b.feedback == Feedback::none;
     },
     "a clamped cursor cannot be seen where feedback is \"none\"",
     "write feedback = \"full\", or perturbation = \"none\""},

    // Lesions.
    {[](const Block& b) { return b.lesion_site.empty() != (b.lesion_radius == 0); },
     "a focal lesion needs both lesion_site and lesion_radius",
     "write for example lesion_site = [14.4, 3] and lesion_radius = 1, or leave out both"},
    lesion_is_on_sheet,

    // Probes.
    {[](const Block& b) { return b.probe.kind == ProbeKind::threshold && b.probe.rmt > 0; },
     "probe.kind = \"threshold\" seeks what probe.rmt gives",
     "leave probe.rmt out, or write another kind"},
    {[](const Block& b) {
       return b.probe.intensities.empty() || b.probe.conditioning.empty() ||
              b.probe.intervals_ms.empty() || b.probe.polarizations_mv.empty();
     },
     "a probe without intensities, conditioning, intervals_ms or polarizations_mv",
     "write for example probe.conditioning = [0.8], or leave it out"},
    {[](const Block& b) {
       return b.probe.intensities != Probe{}.intensities &&
              b.probe.kind != ProbeKind::recruitment && b.probe.kind != ProbeKind::polarization;
     },
     "probe.intensities has an effect only with probe.kind = \"recruitment\" or \"polarization\"",
     "write that kind (a map has probe.map_intensity), or leave it out"},
    intervals_are_substeps,
    {[](const Block& b) { return b.probe.kind == ProbeKind::surround && b.probe.moving.empty(); },
     "probe.kind = \"surround\" without fingers that move",
     "write for example probe.moving = [2], probe.muscle = \"ring_finger\""},
    {[](const Block& b) {
       return b.probe.kind == ProbeKind::intention && b.probe.moving.size() < 2;
     },
     "probe.kind = \"intention\" with fewer than two fingers to tell apart",
     "write for example probe.moving = [1, 2, 3, 4, 5]"},
    intention_has_pulses,
    {[](const Block& b) {
       return !b.probe.moving.empty() && b.probe.kind != ProbeKind::surround &&
              b.probe.kind != ProbeKind::intention && b.probe.kind != ProbeKind::none;
     },
     "probe.moving has an effect only with probe.kind = \"surround\" or \"intention\"",
     "write that kind, or leave it out"},
    probed_muscle_rests,
    probed_muscle_exists,
    probe_is_on_sheet,
};

}  // namespace

std::vector<BlockRefusal> check_block(const BlockOfGroup& block) {
  std::vector<BlockRefusal> refusals;
  const Refuse refuse = [&](const std::string& what, const std::string& remedy) {
    refusals.push_back({what, remedy});
  };
  for (const Rule& rule : kRules) {
    if (rule.function != nullptr)
      rule.function(block, refuse);
    else if (rule.broken(block.block))
      refuse(rule.what, rule.remedy);
  }
  return refusals;
}

}  // namespace quartet
