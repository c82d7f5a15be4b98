/// Experiment files: what is refused and with which words, layers, expansion, and the way back.
#include "runs/experiment.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "runs/digest.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

const std::string kGood = R"(title = "Test"
subjects = 4
[brain]
scale = 0.5
[schedules.main]
blocks = [
  {phase = "base", trials = 10},
  {phase = "turn", trials = 40, perturbation = "rotation", rotation_deg = 1, rotation_end_deg = 8, steps = 8},
]
[[group]]
name = "a"
[[group]]
name = "b"
label = "Group b"
set = {brain.scale = 2, block.turn.feedback = "none"}
)";

std::vector<std::string> problems_of(const std::string& text, const Overrides& overrides = {}) {
  try {
    parse_experiment(text, "x.toml", overrides);
  } catch (const ExperimentError& error) {
    return error.problems();
  }
  return {};
}

struct Refusal {
  const char* name;
  std::string text;
  std::vector<std::string> set;
  std::vector<std::string> problems;
};

void PrintTo(const Refusal& refusal, std::ostream* out) { *out << refusal.text; }

const std::string kTail = "\n[schedules.s]\nblocks = [{trials = 5}]\n";

const Refusal kRefusals[] = {
    {"syntax",
     "title = \"a\nseed = 1",
     {},
     {"x.toml:1:11: Error while parsing string: unescaped control characters other than TAB "
      "(U+0009) are explicitly prohibited; the file must be TOML "
      "(https://toml.io)"}},
    {"unknown_key",
     "subjets = 3" + kTail,
     {},
     {"x.toml:1:1: unknown key subjets; did you mean subjects?"}},
    {"unknown_key_far",
     "zebra = 3" + kTail,
     {},
     {"x.toml:1:1: unknown key zebra; `quartet describe` lists all keys"}},
    {"forgotten_unit",
     "[body]\ndeadline = 900\n[schedules.s]\nblocks = [{rotation = 30, perturb = \"rotation\"}]\n",
     {"rotation=30", "block.rotation_end=0"},
     {"--set rotation=30: unknown key rotation; did you mean block.rotation_deg?",
      "--set block.rotation_end=0: unknown key block.rotation_end; did you mean "
      "block.rotation_end_deg?",
      "x.toml:2:1: unknown key body.deadline; did you mean body.deadline_ms?",
      "x.toml:4:12: unknown key rotation; did you mean rotation_deg?",
      "x.toml:4:27: unknown key perturb; did you mean perturbation?"}},
    {"word_of_a_key",
     "[body]\ngain = 2\n[schedules.s]\nblocks = [{gain = 2, deg = 30, phase = \"turn\"}]\n",
     {"block.gain=2", "block.turn.gain=2", "zone_deg=4"},
     {"--set block.gain=2: unknown key block.gain; did you mean block.cursor_gain?",
      "--set block.turn.gain=2: unknown key block.turn.gain; did you mean block.turn.cursor_gain?",
      "--set zone_deg=4: unknown key zone_deg; did you mean block.reward_zone_deg?",
      "x.toml:2:1: unknown key body.gain; did you mean body.pool_gain_per_hz?",
      "x.toml:4:12: unknown key gain; did you mean cursor_gain?",
      "x.toml:4:22: unknown key deg; `quartet describe` lists all keys"}},
    {"forgotten_table",
     "scale = 3" + kTail,
     {},
     {"x.toml:1:1: unknown key scale; did you mean brain.scale?"}},
    {"name_of_a_path",
     "name = \"../other\"" + kTail,
     {},
     {"x.toml:1:1: name = \"../other\" cannot name the run's directory; leave out slashes and a "
      "point at the beginning; --out says where it goes"}},
    {"unknown_nested",
     "[brain]\nscal = 3" + kTail,
     {},
     {"x.toml:2:1: unknown key brain.scal; did you mean brain.scale?"}},
    {"unknown_table",
     "[brain.cerebelum]" + kTail,
     {},
     {"x.toml:1:8: unknown key brain.cerebelum; did you mean brain.cerebellum?"}},
    {"value_for_table",
     "[brain]\ncerebellum = 3" + kTail,
     {},
     {"x.toml:2:1: brain.cerebellum is a table of keys, not a number; write brain.cerebellum.KEY = "
      "VALUE (`quartet describe` lists the keys)"}},
    {"table_for_value",
     "quick = 3" + kTail,
     {},
     {"x.toml:1:1: quick is a table of keys; write quick.KEY = VALUE"}},
    {"wrong_type_number",
     "[brain]\nscale = \"big\"" + kTail,
     {},
     {"x.toml:2:1: brain.scale takes a number, not the text \"big\"; write for example brain.scale "
      "= 1.0"}},
    {"wrong_type_text",
     "title = 3" + kTail,
     {},
     {"x.toml:1:1: title takes text, not a number; write for example title = \"title\""}},
    {"wrong_type_bool",
     "[schedules.s]\nblocks = [{learning = 1}]",
     {},
     {"x.toml:2:12: learning takes true or false, not a number; write for example learning = "
      "false"}},
    {"wrong_type_list",
     "[schedules.s]\nblocks = [{targets_deg = 90}]",
     {},
     {"x.toml:2:12: targets_deg takes a list of numbers, not a number; write for example "
      "targets_deg = [90.0]"}},
    {"unit_in_a_list",
     "[schedules.s]\nblocks = [{targets_deg = [0, \"90 deg\"]}, {targets_deg = [true]}]",
     {},
     {"x.toml:2:12: targets_deg takes a list of numbers, not a list whose element 2 is the text "
      "\"90 deg\" (lists take no units); write for example targets_deg = [90.0]",
      "x.toml:2:43: targets_deg takes a list of numbers, not a list whose element 1 is none; write "
      "for example targets_deg = [90.0]"}},
    {"not_whole",
     "subjects = 2.5" + kTail,
     {},
     {"x.toml:1:1: subjects takes a whole number, not 2.5; write subjects = 3"}},
    {"wrong_unit",
     "[record]\nrate_bin_ms = \"0.02 s\"" + kTail,
     {},
     {"x.toml:2:1: record.rate_bin_ms is in ms, not in s; write record.rate_bin_ms = 20"}},
    {"unknown_unit",
     "[record]\nrate_bin_ms = \"3 parsec\"" + kTail,
     {},
     {"x.toml:2:1: record.rate_bin_ms is in ms, not in parsec; write a number of ms"}},
    {"unit_of_plain_number",
     "[brain]\nscale = \"50 %\"" + kTail,
     {},
     {"x.toml:2:1: brain.scale is a plain number, not in %; write brain.scale = 0.5"}},
    {"length_of_sheet_units",
     "[schedules.s]\nblocks = [{lesion_radius = \"5 mm\"}]",
     {},
     {"x.toml:2:12: lesion_radius is a plain number, not in mm; write a number alone (quartet "
      "describe lesion_radius says of what)"}},
    {"too_many_radians",
     "[schedules.s]\nblocks = [{rotation_deg = \"45 rad\"}]",
     {},
     {"x.toml:2:12: rotation_deg is in degree, not in rad; write a number of degree"}},
    {"out_of_range",
     "[record]\nrate_bin_ms = 20000" + kTail,
     {},
     {"x.toml:2:1: record.rate_bin_ms = 20000 is out of range; write a value from 1 to 10000 ms"}},
    {"not_a_number",
     "[schedules.s]\nblocks = [{reward_zone_deg = nan}]",
     {},
     {"x.toml:2:12: reward_zone_deg = nan is out of range; write a value from 0 to 180 degree"}},
    {"list_out_of_range",
     "[schedules.s]\nblocks = [{targets_deg = [90, 1000]}]",
     {},
     {"x.toml:2:12: targets_deg = 1000 is out of range; write a value from -360 to 360 degree"}},
    {"choice",
     "[schedules.s]\nblocks = [{feedback = \"ful\"}]",
     {},
     {"x.toml:2:12: feedback has no choice \"ful\"; did you mean \"full\"? (one of \"full\", "
      "\"endpoint\", \"none\")"}},
    {"no_schedule",
     "title = \"x\"",
     {},
     {"x.toml:1:1: no schedule; write [schedules.NAME] with blocks = [ {trials = 10} ]"}},
    {"empty_blocks",
     "[schedules.s]\nblocks = []",
     {},
     {"x.toml:2:1: schedules.s.blocks is not a list of blocks; write [schedules.NAME] with blocks "
      "= "
      "[ {trials = 10, …}, … ] or [[schedules.NAME.blocks]]"}},
    {"schedule_key",
     "[schedules.s]\nblock = [{trials = 1}]",
     {},
     {"x.toml:1:12: schedule s has no blocks; write [schedules.NAME] with blocks = [ {trials = 10, "
      "…}, … ] or [[schedules.NAME.blocks]]"}},
    {"too_many_steps",
     "[schedules.s]\nblocks = [{trials = 4, perturbation = \"rotation\", rotation_deg = 1, "
     "rotation_end_deg = 8, steps = 8}]",
     {},
     {"x.toml:2:11: 8 steps do not fit into 4 trials; write steps = 4 or fewer, or more trials"}},
    {"rotation_without_perturbation",
     "[schedules.s]\nblocks = [{rotation_deg = 30}]",
     {},
     {"x.toml:2:11: rotation_deg, rotation_end_deg, rotation_noise_deg and steps have an effect "
      "only where perturbation is \"rotation\" or \"clamp\"; write perturbation = \"rotation\" (or "
      "\"clamp\"), or leave them 0"}},
    {"skew_without_noise",
     "[schedules.s]\nblocks = [{perturbation = \"rotation\", rotation_noise_skew = 1}]",
     {},
     {"x.toml:2:11: rotation_noise_skew has no effect without rotation_noise_deg; write for "
      "example "
      "rotation_noise_deg = 4, or leave it out"}},
    {"rotation_without_angle",
     "[schedules.s]\nblocks = [{perturbation = \"rotation\", rotation_sign = \"random\"}]",
     {},
     {"x.toml:2:11: perturbation = \"rotation\" has no effect without an angle; write for example "
      "rotation_deg = 30, or perturbation = \"none\""}},
    {"graded_without_zone",
     "[schedules.s]\nblocks = [{reward = \"graded\", reward_zone_deg = 0}, {reward = \"never\", "
     "reward_zone_deg = 0}]",
     {},
     {"x.toml:2:11: reward = \"graded\" has no grades within reward_zone_deg = 0; write for "
      "example "
      "reward_zone_deg = 6, or reward = \"never\""}},
    {"rewards_of_no_size",
     "[schedules.s]\nblocks = [{reward_size = 0}, {reward_size = 0, punishment = 1}, {reward_size "
     "= 0, reward = \"never\"}]",
     {},
     {"x.toml:2:11: rewards of reward_size = 0, without a punishment, teach nothing; write reward "
      "= "
      "\"never\", or a reward_size or punishment above 0"}},
    {"probe_without_kind",
     "[schedules.s]\nblocks = [{probe.pulses = 3}, {probe.pulses = 3, probe.kind = \"none\"}]",
     {},
     {"x.toml:2:11: keys of a probe have no effect without probe.kind; write for example "
      "probe.kind = \"recruitment\", or \"none\" to leave it off"}},
    {"radius_and_zone",
     "[schedules.s]\nblocks = [{target_radius_m = 0.008, reward_zone_deg = 3}]",
     {},
     {"x.toml:2:11: target_radius_m and reward_zone_deg both say where the cursor hits the target; "
      "leave out one of them"}},
    {"radius_up_to_the_start",
     "[schedules.s]\nblocks = [{target_radius_m = 0.1}]",
     {},
     {"x.toml:2:11: a target of target_radius_m = 0.1 holds the start, 0.1 m away; write a radius "
      "below 0.1 m (body.distance_m)"}},
    {"radius_up_to_the_start_of_one_group",
     kGood,
     {"block.turn.target_radius_m=0.06", "group.b.body.distance_m=0.05"},
     {"--set block.turn.target_radius_m=0.06: a target of target_radius_m = 0.06 holds the start, "
      "0.05 m away; write a radius "
      "below 0.05 m (body.distance_m)"}},
    {"punishment_without_an_outcome",
     "[schedules.s]\nblocks = [{punishment = 1, reward = \"none\"}]",
     {},
     {"x.toml:2:11: punishment has no effect where every trial is rewarded, or no outcome is "
      "shown; "
      "write reward = \"hit\" (or \"graded\" or \"never\"), or leave it out"}},
    {"reward_of_no_second_target",
     "[schedules.s]\nblocks = [{second_reward = 0.5}]",
     {},
     {"x.toml:2:11: second_reward has no effect without a second target; write for example "
      "second_target_deg = 90, or leave it out"}},
    {"probability_of_no_reward",
     "[schedules.s]\nblocks = [{reward_probability = 0.7, reward = \"never\"}]",
     {},
     {"x.toml:2:11: reward_probability has an effect only where the rule gives rewards; write "
      "reward = \"hit\" (or \"graded\" or \"always\"), or leave it out"}},
    {"probability_of_no_second_target",
     "[schedules.s]\nblocks = [{second_reward_probability = 0.7}]",
     {},
     {"x.toml:2:11: second_reward_probability has no effect without a second target, or without "
      "rewards; write for example second_target_deg = 90, or leave it out"}},
    {"brain_in_a_block",
     "[schedules.s]\nblocks = [{phase = \"a\", brain.cerebellum.lesion = 0.3}]",
     {"block.a.brain.cerebellum.lesion=0.2"},
     {"--set block.a.brain.cerebellum.lesion=0.2: unknown key block.a.brain.cerebellum.lesion; "
      "brain.KEY holds for the whole run: write it for a group or the file; blocks have cell_loss, "
      "drug and polarization_mv",
      "x.toml:2:42: unknown key brain.cerebellum.lesion; brain.KEY holds for the whole run: write "
      "it "
      "for a group or the file; blocks have cell_loss, drug and polarization_mv"}},
    {"intensities_of_a_map",
     "[schedules.s]\nblocks = [{probe.kind = \"map\", probe.intensities = [1.2]}]",
     {},
     {"x.toml:2:11: probe.intensities has an effect only with probe.kind = \"recruitment\" or "
      "\"polarization\"; write that kind (a map has probe.map_intensity), or leave it out"}},
    {"choice_with_a_clamp",
     "[schedules.s]\nblocks = [{perturbation = \"clamp\", second_target_deg = 90}]",
     {},
     {"x.toml:2:11: a clamped cursor, or a target that jumps, leaves no choice between two "
      "targets; "
      "leave out second_target_deg, or perturbation = \"clamp\" and target_jump_deg"}},
    {"sequence_of_other_length",
     "[schedules.s]\nblocks = [{sequence = [1, 2], second_target_deg = 90}]",
     {},
     {"x.toml:2:11: a sequence of 2 choices between two targets needs second_target_deg, and one "
      "of targets_deg for each; write for example targets_deg = [135, 315], second_target_deg = "
      "90, sequence = [1, 2]"}},
    {"sequence_cut_off",
     "[schedules.s]\nblocks = [{trials = 5, targets_deg = [0, 180], second_target_deg = 90, "
     "sequence = [1, 2]}]",
     {},
     {"x.toml:2:11: 5 trials end within a sequence of 2; write a multiple of 2"}},
    {"sequence_with_other_rewards",
     "[schedules.s]\nblocks = [{targets_deg = [0, 180], second_target_deg = 90, sequence = [1, "
     "1.5], reward = \"always\"}]",
     {},
     {"x.toml:2:11: a sequence says which of two targets is right, 1 or 2; write for example "
      "sequence = [1, 2]",
      "x.toml:2:11: a sequence has an outcome of its own: whether all choices were right; leave "
      "out reward and second_reward"}},
    {"sign_without_rotation",
     "[schedules.s]\nblocks = [{rotation_sign = \"random\"}]",
     {},
     {"x.toml:2:11: rotation_sign has an effect only where perturbation is \"rotation\" or "
      "\"clamp\"; "
      "write perturbation = \"rotation\" (or \"clamp\"), or leave it out"}},
    {"task_without_fingers",
     "[schedules.s]\nblocks = [{task = \"fingers\"}, {fingers = [2]}]",
     {},
     {"x.toml:2:11: task = \"fingers\", or \"observe\", and a list of fingers go together; write "
      "for "
      "example task = "
      "\"fingers\", fingers = [2, 3], or neither",
      "x.toml:2:31: task = \"fingers\", or \"observe\", and a list of fingers go together; write "
      "for "
      "example task = "
      "\"fingers\", fingers = [2, 3], or neither"}},
    {"fingers_twice",
     "[schedules.s]\nblocks = [{task = \"fingers\", fingers = [2, 2]}]",
     {},
     {"x.toml:2:11: fingers are digits, each once; write for example fingers = [2, 3]"}},
    {"impossible_correlation",
     "[schedules.s]\nblocks = [{task = \"fingers\", fingers = [1, 2, 3], finger_correlation = -1}]",
     {},
     {"x.toml:2:11: 3 practised fingers cannot have a correlation of -1; write finger_correlation "
      "= "
      "-0.5 (one at a time) or more"}},
    {"fingers_by_name",
     "[schedules.s]\nblocks = [{task = \"fingers\", fingers = [\"index\"]}]",
     {},
     {"x.toml:2:30: fingers takes a list of numbers, not a list whose element 1 is the text "
      "\"index\" (lists take no units); write for example fingers = [1.0]"}},
    {"correlation_of_reaches",
     "[schedules.s]\nblocks = [{finger_correlation = 0.5}]",
     {},
     {"x.toml:2:11: finger_correlation has an effect only where task is \"fingers\" or "
      "\"observe\"; write task = \"fingers\" and fingers, or leave it out"}},
    {"shaped_observation",
     "[brain.cortex.observation]\nconnected = true\n[schedules.s]\n"
     "blocks = [{task = \"observe\", fingers = [2], finger_hit_share = 0.5}]",
     {},
     {"x.toml:4:11: finger_individuation and finger_hit_share have an effect only where task is "
      "\"fingers\"; write task = \"fingers\" and fingers, or leave them out"}},
    {"rotated_rest",
     "[schedules.s]\nblocks = [{task = \"rest\", perturbation = \"rotation\", rotation_deg = 30}]",
     {},
     {"x.toml:2:11: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, "
      "cursor_gain and instruction have an effect only on reaches; write task = \"reach\", or "
      "leave "
      "them out"}},
    {"what_rest_has_not",
     "[schedules.s]\nblocks = [{task = \"rest\", second_target_deg = 90}, {task = \"rest\", "
     "cursor_gain = 0.5}, {task = \"rest\", instruction = \"aim_at_target\"}]",
     {},
     {"x.toml:2:11: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, "
      "cursor_gain and instruction have an effect only on reaches; write task = \"reach\", or "
      "leave "
      "them out",
      "x.toml:2:52: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, "
      "cursor_gain and instruction have an effect only on reaches; write task = \"reach\", or "
      "leave "
      "them out",
      "x.toml:2:88: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, "
      "cursor_gain and instruction have an effect only on reaches; write task = \"reach\", or "
      "leave "
      "them out"}},
    {"shift_without_shift",
     "[schedules.s]\nblocks = [{shift_m = 0.02}, {perturbation = \"shift\"}]",
     {},
     {"x.toml:2:11: shift_m and perturbation = \"shift\" go together; write both (for example "
      "shift_m = 0.02), or neither",
      "x.toml:2:29: shift_m and perturbation = \"shift\" go together; write both (for example "
      "shift_m = 0.02), or neither"}},
    {"end_without_steps",
     "[schedules.s]\nblocks = [{perturbation = \"rotation\", rotation_end_deg = 8}]",
     {},
     {"x.toml:2:11: rotation_end_deg = 8 has no effect with steps = 0; write steps = 10 for a "
      "ramp, "
      "or leave out rotation_end_deg"}},
    {"steps_to_where_they_begin",
     "[schedules.s]\nblocks = [{perturbation = \"rotation\", rotation_deg = 8, rotation_end_deg = "
     "8, "
     "steps = 4}]",
     {},
     {"x.toml:2:11: steps = 4 has no effect where the rotation begins and ends at 8 degrees; write "
      "where it ends, rotation_end_deg, or leave out steps"}},
    {"steps_to_nowhere",
     "[schedules.s]\nblocks = [{phase = \"up\", perturbation = \"rotation\", rotation_deg = 30, "
     "steps = 4},\n{phase = \"down\", perturbation = \"rotation\", rotation_deg = 30, "
     "rotation_end_deg = 0, steps = 4}]",
     {},
     {"x.toml:2:11: steps = 4 does not say where the rotation ends; write for example rotation_deg "
      "= "
      "0, rotation_end_deg = 30 (or rotation_end_deg = 0 where it shall go back to none), or leave "
      "out steps"}},
    {"flag_of_steps_to_nowhere",
     "[schedules.s]\nblocks = [{phase = \"a\", perturbation = \"rotation\", rotation_deg = 30},\n"
     "{phase = \"b\", perturbation = \"rotation\", rotation_deg = 30}]",
     {"block.steps=5", "block.b.rotation_end_deg=0"},
     {"--set block.steps=5: steps = 5 does not say where the rotation ends; write for example "
      "rotation_deg = 0, rotation_end_deg = 30 (or rotation_end_deg = 0 where it shall go back to "
      "none), or leave out steps"}},
    {"unseen_clamp",
     "[schedules.s]\nblocks = [{perturbation = \"clamp\", feedback = \"none\"}]",
     {},
     {"x.toml:2:11: a clamped cursor cannot be seen where feedback is \"none\"; write feedback = "
      "\"full\", or perturbation = \"none\""}},
    {"no_targets",
     "[schedules.s]\nblocks = [{targets_deg = []}]",
     {},
     {"x.toml:2:11: a block without targets; write for example targets_deg = [90]"}},
    {"phase_is_key",
     "[schedules.s]\nblocks = [{phase = \"trials\"}]",
     {},
     {"x.toml:2:12: phase = \"trials\" cannot be a label; choose one that is not a key of a "
      "block"}},
    {"nameless_group",
     "[[group]]\nname = \"a\"\n[[group]]\nlabel = \"b\"" + kTail,
     {},
     {"x.toml:3:1: a group without a name; write name = \"…\" with letters, digits, '_' and (not "
      "first) '-'"}},
    {"two_groups_of_one_name",
     "[[group]]\nname = \"a\"\n[[group]]\nname = \"a\"" + kTail,
     {},
     {"x.toml:4:1: a second group with the name a; give every group its own name"}},
    {"misspelt_schedule",
     "[schedules.gradual]\nblocks = [{}]\n[[group]]\nname = \"a\"\nschedule = \"gradul\"",
     {},
     {"x.toml:5:1: no schedule gradul; did you mean gradual?"}},
    {"group_key",
     "[[group]]\nnam = \"a\"" + kTail,
     {},
     {"x.toml:2:1: unknown key nam; did you mean name?"}},
    {"group_set",
     "[[group]]\nname = \"a\"\nset = {brain.scal = 3}" + kTail,
     {},
     {"x.toml:3:14: unknown key brain.scal; did you mean brain.scale?"}},
    {"record_of_a_group",
     "[[group]]\nname = \"a\"\nset = {record.rate_bin_ms = 5}" + kTail,
     {},
     {"x.toml:3:15: record.rate_bin_ms cannot stand in a group's set; write it for all groups, at "
      "the file's top level"}},
    {"quick_key",
     "[quick]\ntrial_factor = 0.5" + kTail,
     {},
     {"x.toml:2:1: unknown key trial_factor; did you mean trials_factor?"}},
    {"title_in_quick",
     "[quick]\ntitle = \"Quick\"" + kTail,
     {},
     {"x.toml:2:1: title cannot be set here; write it at the file's top level"}},
    {"flag_title",
     kGood,
     {"title=hello", "group.a.label=A", "group.a.title=A"},
     {"--set title=hello: title cannot be set here; write it at the file's top level",
      "--set group.a.label=A: group.a.label cannot be set here; write it in the file's [[group]]",
      "--set group.a.title=A: group.a.title cannot be set here; write it at the file's top level"}},
    {"flag_of_one_group_for_all",
     kGood,
     {"group.a.seed=3", "group.a.name=c"},
     {"--set group.a.seed=3: group.a.seed cannot be set here; write it at the file's top level",
      "--set group.a.name=c: group.a.name cannot be set here; write it in the file's [[group]]"}},
    {"flags_out_of_reach",
     kGood,
     {"schedules.main.blocks=3", "group.a.schedule.main=3", "block.turn.phase=b", "phase=b",
      "trials_factor=0.5", "quick.brain.scale=1", "group.a.record.rate_bin_ms=5",
      "group.a.vary.body.distance_m=[0.1, 0.2]"},
     {"--set schedules.main.blocks=3: schedules.main.blocks cannot be set here: overrides change "
      "values of blocks, not which blocks there are; write block.KEY or block.PHASE.KEY, or edit "
      "the file's [schedules.NAME]",
      "--set group.a.schedule.main=3: group.a.schedule.main cannot be set here: overrides change "
      "values of blocks, not which blocks there are; write block.KEY or block.PHASE.KEY, or edit "
      "the file's [schedules.NAME]",
      "--set block.turn.phase=b: block.turn.phase cannot be set here: it is the label by which "
      "overrides find a block; edit the block in the file",
      "--set phase=b: phase cannot be set here: it is the label by which overrides find a block; "
      "edit the block in the file",
      "--set trials_factor=0.5: trials_factor cannot be set here: it is of all blocks and groups, "
      "in [quick]; write block.trials or block.PHASE.trials, or edit the file's [quick]",
      "--set quick.brain.scale=1: quick.brain.scale cannot be set here: [quick] is a layer of its "
      "own; leave out \"quick.\"",
      "--set group.a.record.rate_bin_ms=5: group.a.record.rate_bin_ms cannot be set here: it is "
      "the same for all groups; leave out \"group.a.\"",
      "--set group.a.vary.body.distance_m=[0.1, 0.2]: group.a.vary.body.distance_m cannot be set "
      "here; write it in the file's [[group]]"}},
    {"flags_of_tables",
     kGood,
     {"block=3", "block.turn=3", "group=3", "group.a=3", "group.a.block.turn=3"},
     {"--set block=3: block is a table of keys; write block.KEY = VALUE",
      "--set block.turn=3: block.turn is a table of keys; write block.turn.KEY = VALUE",
      "--set group=3: group cannot be set here: every group has keys of its own; write "
      "group.NAME.KEY = VALUE",
      "--set group.a=3: group.a is a table of keys; write group.a.KEY = VALUE",
      "--set group.a.block.turn=3: group.a.block.turn is a table of keys; write "
      "group.a.block.turn.KEY = VALUE"}},
    {"flag_cut",
     kGood,
     {"cut=nothing"},
     {"--set cut=nothing: unknown key cut; `quartet describe` lists all keys"}},
    {"flag_decimal_comma",
     kGood,
     {"brain.scale=0,5", "body.pool_tau_ms=2,5 ms"},
     {"--set brain.scale=0,5: brain.scale = 0,5 has a comma; write brain.scale = 0.5",
      "--set body.pool_tau_ms=2,5 ms: body.pool_tau_ms = 2,5 ms has a comma; write "
      "body.pool_tau_ms = \"2.5 ms\""}},
    {"misspelt_choice",
     "[schedules.s]\nblocks = [{perturbation = \"rotatoin\", rotation_deg = 30}]",
     {},
     {"x.toml:2:12: perturbation has no choice \"rotatoin\"; did you mean \"rotation\"? (one of "
      "\"none\", \"rotation\", \"clamp\", \"shift\")"}},
    {"misspelt_key_of_a_block",
     "[schedules.s]\nblocks = [{perturbatoin = \"rotation\", rotation_deg = 30}]",
     {},
     {"x.toml:2:12: unknown key perturbatoin; did you mean perturbation?"}},
    {"misspelt_key_without_schedule",
     "subject = 3",
     {},
     {"x.toml:1:1: unknown key subject; did you mean subjects?"}},
    {"misspelt_name_of_a_group",
     "[[group]]\nname = \"a\"\n[[group]]\nnam = \"b\"" + kTail,
     {},
     {"x.toml:4:1: unknown key nam; did you mean name?"}},
    {"misspelt_schedule_of_a_group_with_set",
     "[schedules.gradual]\nblocks = [{}]\n[[group]]\nname = \"a\"\nschedule = \"gradul\"\n"
     "set = {brain.scale = 2, block.trials = 3}",
     {"group.a.brain.scale=1"},
     {"x.toml:5:1: no schedule gradul; did you mean gradual?"}},
    {"cut",
     "cut = \"all well\"" + kTail,
     {},
     {"x.toml:1:1: cut is written by quartet into resolved.toml; leave it out"}},
    {"flag_unknown_key",
     kGood,
     {"brain.scal=3"},
     {"--set brain.scal=3: unknown key brain.scal; did you mean brain.scale?"}},
    {"flag_form",
     kGood,
     {"brain"},
     {"--set brain: not of the form key=value; write for example --set brain.scale=0.5"}},
    {"flag_type",
     kGood,
     {"brain.scale=much"},
     {"--set brain.scale=much: brain.scale takes a number, not the text \"much\"; write for "
      "example "
      "brain.scale = 0.5"}},
    {"flag_group",
     kGood,
     {"group.c.brain.scale=1"},
     {"--set group.c.brain.scale=1: no group c; did you mean a?"}},
    {"flag_phase",
     kGood,
     {"block.trun.trials=5"},
     {"--set block.trun.trials=5: no block has phase = \"trun\"; did you mean turn?"}},
    {"flag_block_key",
     kGood,
     {"group.a.block.turn.feedbak=none"},
     {"--set group.a.block.turn.feedbak=none: unknown key group.a.block.turn.feedbak; did you mean "
      "group.a.block.turn.feedback?"}},
    {"phase_of_another_group",
     "[schedules.s]\nblocks = [{phase = \"turn\", trials = 2}]\n[schedules.t]\nblocks = [{phase = "
     "\"push\", trials = 2}]\n[[group]]\nname = \"a\"\nschedule = \"s\"\n[[group]]\nname = "
     "\"b\"\nschedule = \"t\"\n",
     {"group.b.block.turn.rotation_deg=5"},
     {"--set group.b.block.turn.rotation_deg=5: group.b.block.turn.rotation_deg: the group's "
      "schedule "
      "has no block with phase = \"turn\"; write a phase that it has"}},
    {"flag_of_several_blocks",
     "[schedules.s]\nblocks = [{trials = 5}, {trials = 6}, {target_jump_deg = 5, task = \"rest\"}]",
     {"block.trials=9", "block.shift_m=0.01"},
     {"--set block.shift_m=0.01: shift_m and perturbation = \"shift\" go together; write both (for "
      "example shift_m = 0.02), or neither",
      "x.toml:2:39: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, "
      "cursor_gain and instruction have an effect only on reaches; write task = \"reach\", or "
      "leave "
      "them out"}},
    {"flags_that_do_not_go_together",
     kGood,
     {"block.trials=20", "group.b.block.turn.steps=20", "block.trials=8"},
     {"--set group.b.block.turn.steps=20: 20 steps do not fit into 8 trials; write steps = 8 or "
      "fewer, or more trials"}},
    {"flag_written_twice",
     kTail,
     {"block.shift_m=0.01", "block.shift_m=0.02"},
     {"--set block.shift_m=0.02: shift_m and perturbation = \"shift\" go together; write both (for "
      "example shift_m = 0.02), or neither"}},
    {"flag_of_a_phase_and_of_all_blocks",
     "[schedules.s]\nblocks = [{phase = \"p\"}]",
     {"block.p.shift_m=0.02", "block.shift_m=0.01"},
     {"--set block.p.shift_m=0.02: shift_m and perturbation = \"shift\" go together; write both "
      "(for example shift_m = 0.02), or neither"}},
    {"flag_above_quick_and_group",
     "[schedules.s]\nblocks = [{phase = \"p\"}]\n[quick]\nblock.shift_m = 0.03\n[[group]]\n"
     "set.block.shift_m = 0.01",
     {"block.shift_m=0.02"},
     {"--set block.shift_m=0.02: shift_m and perturbation = \"shift\" go together; write both (for "
      "example shift_m = 0.02), or neither"}},
    {"flags_of_which_each_is_refused",
     "[schedules.s]\nblocks = [{task = \"rest\"}]",
     {"block.curl_Ns_m=10", "block.trials=7", "block.target_jump_deg=5"},
     {"--set block.curl_Ns_m=10: perturbation, curl_Ns_m, target_jump_deg, target_radius_m, "
      "second_target_deg, cursor_gain and instruction have an effect only on reaches; write task = "
      "\"reach\", or leave them out"}},
    {"trials_of_quick",
     kGood + "[quick]\ntrials_factor = 0.1",
     {},
     {"x.toml:17:1: 8 steps do not fit into 4 trials; write steps = 4 or fewer, or more trials"}},
    {"flag_of_the_brain",
     "[schedules.s]\nblocks = [{task = \"observe\", fingers = [2]}]\n[brain.cortex.observation]\n"
     "connected = true\n[[group]]\nname = \"a\"",
     {"group.a.brain.cortex.observation.connected=false"},
     {"--set group.a.brain.cortex.observation.connected=false: a hand is shown (hand_in_sight, "
      "task "
      "= \"observe\" or probe.observed) to brains that do not see hands; write "
      "brain.cortex.observation.connected = true, or show none"}},
    {"set_of_a_group",
     "[schedules.s]\nblocks = [{phase = \"a\"}]\n[[group]]\nname = \"b\"\n"
     "set.block.a.shift_m = 0.01",
     {},
     {"x.toml:5:13: shift_m and perturbation = \"shift\" go together; write both (for example "
      "shift_m = 0.02), or neither"}},
    {"probe_muscle",
     "[schedules.s]\nblocks = [{probe.kind = \"map\", probe.muscle = \"thum\"}]",
     {},
     {"x.toml:2:11: probe.muscle = \"thum\" is no muscle; did you mean thumb?"}},
    {"probe_site",
     "[schedules.s]\nblocks = [{probe.kind = \"map\", probe.site = [3, 7]}]",
     {},
     {"x.toml:2:11: probe.site is no place on the motor sheet; write [x, y] with x up to 18 and y "
      "up "
      "to 6, or [] for the centre of the muscle's field"}},
    {"hands_unseen",
     "[schedules.s]\nblocks = [{task = \"observe\", fingers = [2]}]",
     {},
     {"x.toml:2:11: a hand is shown (hand_in_sight, task = \"observe\" or probe.observed) to "
      "brains "
      "that do not see hands; write brain.cortex.observation.connected = true, or show none"}},
    {"surround_of_nothing",
     "[schedules.s]\nblocks = [{probe.kind = \"surround\"}, {probe.kind = \"map\", probe.moving = "
     "[3]},\n"
     "{probe.kind = \"none\", probe.moving = [3]}, {probe.kind = \"surround\", probe.moving = [3, "
     "2]}]",
     {},
     {"x.toml:2:11: probe.kind = \"surround\" without fingers that move; write for example "
      "probe.moving = [2], probe.muscle = \"ring_finger\"",
      "x.toml:2:38: probe.moving has an effect only with probe.kind = \"surround\" or "
      "\"intention\"; write that kind, or leave it out",
      "x.toml:3:44: probe.muscle = \"index_finger\" is the muscle of digit 2, which moves; probe "
      "another muscle, or write another digit in probe.moving"}},
    {"intention",
     "[schedules.s]\nblocks = [{probe.kind = \"intention\", probe.moving = [2]},\n"
     "{probe.kind = \"intention\", probe.moving = [2, 3], probe.pulses = 2},\n"
     "{probe.kind = \"intention\", probe.moving = [2, 3], probe.pulses = 3}]",
     {},
     {"x.toml:2:11: probe.kind = \"intention\" with fewer than two fingers to tell apart; write "
      "for "
      "example probe.moving = [1, 2, 3, 4, 5]",
      "x.toml:3:1: probe.pulses = 2 of intended movements are too few to decode; write "
      "probe.pulses "
      "= 3 or more"}},
    {"hands_of_reaches",
     "[brain]\ncortex.observation.connected = true\n[schedules.s]\n"
     "blocks = [{hand_in_sight = \"own\"}, {probe.kind = \"map\", probe.observed = [2.5]}]",
     {},
     {"x.toml:4:11: hand_in_sight has an effect only where task is \"fingers\"; write task = "
      "\"fingers\" and fingers, or leave it out",
      "x.toml:4:36: probe.observed are digits, each once; write for example probe.observed = [2, "
      "3]"}},
    {"nerves_unfelt",
     "[schedules.s]\nblocks = [{trials = 1}, {nerve_block = \"hand\"}]",
     {},
     {"x.toml:2:25: nerves are blocked (nerve_block) of brains that feel nothing at rest; write "
      "brain.cortex.afferents.connected = true and the biases that belong to it (as in "
      "runs/experiments/nerve_block.toml), or leave nerve_block out"}},
    {"no_nerves",
     "[schedules.s]\nblocks = [{nerve_block = \"foot\"}]",
     {},
     {"x.toml:2:12: nerve_block has no choice \"foot\"; write one of \"none\", \"hand\", "
      "\"arm\", \"face\", \"little_finger\", \"ring_finger\", \"middle_finger\", "
      "\"index_finger\", \"thumb\""}},
    {"lesion_site",
     "[schedules.s]\nblocks = [{lesion_radius = 1, lesion_site = [3, 7]}, {lesion_radius = 1}]",
     {},
     {"x.toml:2:11: lesion_site is no place on the motor sheet; write [x, y] with x up to 18 and y "
      "up "
      "to 6",
      "x.toml:2:54: a focal lesion needs both lesion_site and lesion_radius; write for example "
      "lesion_site = [14.4, 3] and lesion_radius = 1, or leave out both"}},
    {"probe_threshold",
     "[schedules.s]\nblocks = [{probe.kind = \"threshold\", probe.rmt = 1}]",
     {},
     {"x.toml:2:11: probe.kind = \"threshold\" seeks what probe.rmt gives; leave probe.rmt out, or "
      "write another kind"}},
    {"probe_without_intervals",
     kGood,
     {"block.turn.probe.intervals_ms=[]"},
     {"--set block.turn.probe.intervals_ms=[]: a probe without intensities, conditioning, "
      "intervals_ms or polarizations_mv; "
      "write for example "
      "probe.conditioning = [0.8], or leave it out"}},
    {"probe_intervals",
     "[schedules.s]\nblocks = [{probe.kind = \"paired_pulse\", probe.intervals_ms = [2.5, 3.3, "
     "10]}]",
     {},
     {"x.toml:2:11: probe.intervals_ms: 3.3 ms is no multiple of 0.25 ms, in which cortex is "
      "simulated; the nearest one is 3.25"}},
    {"probe_key",
     kGood,
     {"block.probe.pulse=3"},
     {"--set block.probe.pulse=3: unknown key block.probe.pulse; did you mean "
      "block.probe.pulses?"}},
    {"varied",
     "[[group]]\nname = \"a\"\nset.brain.cortex.nmda_factor = 1\n[group.vary]\n"
     "brain.cortex.gaba_a_factor = 0.6\nbrain.cortex.gaba_b_factor = [1, 0.5]\n"
     "brain.cortex.nmda_factor = [0, 1]\nbrain.cortex.gaba_c_factor = [0, 1]\n"
     "brain.scale = [0.1, 1]\nbody.trial_ms = [500, 600]\nbody.motor_noise = [-1, "
     "1]\nblock.rotation_deg = [1, 2]" +
         kTail,
     {},
     {"x.toml:5:14: vary.brain.cortex.gaba_a_factor is no range; write the smallest and the "
      "largest "
      "value without units, brain.cortex.gaba_a_factor = [LOW, HIGH]",
      "x.toml:6:14: vary.brain.cortex.gaba_b_factor is no range; write the smallest and the "
      "largest "
      "value without units, brain.cortex.gaba_b_factor = [LOW, HIGH]",
      "x.toml:7:14: brain.cortex.nmda_factor is both set and varied; leave out one of them",
      "x.toml:8:14: unknown key brain.cortex.gaba_c_factor; did you mean "
      "brain.cortex.gaba_a_factor?",
      "x.toml:9:7: vary.brain.scale: subjects cannot differ in it; it gives the sizes of files, "
      "which all subjects share; leave it out",
      "x.toml:10:6: vary.body.trial_ms: subjects cannot differ in it; only numbers that need not "
      "be whole can be varied; write groups that differ",
      "x.toml:11:6: body.motor_noise = -1 is out of range; write a value from 0 to 1",
      "x.toml:12:7: vary.block.rotation_deg: subjects of a group differ in numbers of [brain] and "
      "[body] alone, and go through the same blocks; write a [[group]] for each value, with set = "
      "{block.rotation_deg = …}"}},
    {"varied_distance",
     "[schedules.s]\nblocks = [{target_radius_m = 0.05}]\n[[group]]\n"
     "vary.body.distance_m = [0.03, 0.12]",
     {},
     {"x.toml:2:11: a target of target_radius_m = 0.05 holds the start, 0.03 m away; write a "
      "radius "
      "below 0.03 m (body.distance_m)"}},
    {"all_are_collected",
     "subjets = 3\ntitle = 4\n[record]\nrate_subjects = -1" + kTail,
     {"brain.cortx.x=1"},
     {"--set brain.cortx.x=1: unknown key brain.cortx.x; did you mean brain.cortex?",
      "x.toml:1:1: unknown key subjets; did you mean subjects?",
      "x.toml:2:1: title takes text, not a number; write for example title = \"title\"",
      "x.toml:4:1: record.rate_subjects = -1 is out of range; write a value from 0 to 10000"}},
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithPlaceReasonAndRemedy) {
  Overrides overrides;
  overrides.set = GetParam().set;
  EXPECT_EQ(problems_of(GetParam().text, overrides), GetParam().problems);
}

INSTANTIATE_TEST_SUITE_P(Experiment, Refused, testing::ValuesIn(kRefusals),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Experiment, GoodFileIsNotRefused) {
  EXPECT_EQ(problems_of(kGood), std::vector<std::string>{});
}

TEST(Experiment, MissingFileIsNamed) {
  try {
    load_experiment("/nowhere/x.toml");
    FAIL() << "no error";
  } catch (const ExperimentError& error) {
    EXPECT_STREQ(error.what(),
                 "/nowhere/x.toml: cannot read the experiment file: No such file or directory; "
                 "write the path of a .toml file, for example runs/experiments/smoke.toml");
  }
}

TEST(Experiment, AtMostTwentyProblemsAreShown) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "unknown" + std::to_string(i) + " = 1\n";
  try {
    parse_experiment(text + kTail, "x.toml");
    FAIL() << "no error";
  } catch (const ExperimentError& error) {
    EXPECT_EQ(error.problems().size(), 25u);
    const std::string shown = error.what();
    EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 20);
    EXPECT_NE(shown.find("… and 5 more"), shown.npos);
  }
}

TEST(Experiment, ExpandsToPairedMembers) {
  const Experiment experiment = parse_experiment(kGood, "dir/x.toml");
  EXPECT_EQ(experiment.name, "x");
  ASSERT_EQ(experiment.groups.size(), 2u);
  EXPECT_EQ(experiment.groups[0].label, "a");
  EXPECT_EQ(experiment.groups[1].label, "Group b");
  const std::vector<Member> members = experiment.members();
  ASSERT_EQ(members.size(), 8u);
  std::set<std::uint64_t> seeds;
  for (int k = 0; k < 4; ++k) {
    EXPECT_EQ(members[k].group, 0u);
    EXPECT_EQ(members[4 + k].group, 1u);
    EXPECT_EQ(members[k].subject, k);
    EXPECT_EQ(experiment.subject(members[k]).seed, experiment.subject(members[4 + k]).seed);
    seeds.insert(experiment.subject(members[k]).seed);
  }
  EXPECT_EQ(seeds.size(), 4u);
  EXPECT_EQ(experiment.subject(members[0]).brain.scale, 0.5);
  EXPECT_EQ(experiment.subject(members[4]).brain.scale, 2.0);
  EXPECT_EQ(experiment.subject(members[4]).schedule[0].feedback, Feedback::full);
  EXPECT_EQ(experiment.subject(members[4]).schedule[1].feedback, Feedback::none);
}

TEST(Experiment, MoreSubjectsLeaveTheFirstAsTheyWere) {
  Overrides more;
  more.subjects = "9";
  const Experiment few = parse_experiment(kGood, "x.toml");
  const Experiment many = parse_experiment(kGood, "x.toml", more);
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_EQ(few.subject(few.members()[k]).seed, many.subject(many.members()[k]).seed);
  }
  Overrides reseeded;
  reseeded.seed = "2";
  const Experiment other = parse_experiment(kGood, "x.toml", reseeded);
  EXPECT_NE(other.subject({0, 0}).seed, few.subject({0, 0}).seed);
}

/// Two groups whose subjects differ in GABA-A, the second also in the strength of the noise.
const std::string kVaried =
    "subjects = 40\n[schedules.s]\nblocks = [{trials = 3}]\n"
    "[[group]]\nname = \"a\"\nvary = {brain.cortex.gaba_a_factor = [0.6, 1.0]}\n"
    "[[group]]\nname = \"b\"\nvary.brain.cortex.gaba_a_factor = [0.6, 1.0]\n"
    "vary.body.motor_noise = [0.1, 0.2]\n"
    "[[group]]\nname = \"c\"\n";

TEST(Experiment, SubjectsDifferWithinTheRange) {
  const Experiment experiment = parse_experiment(kVaried, "x.toml");
  EXPECT_EQ(experiment.varied_keys(),
            (std::vector<std::string>{"brain.cortex.gaba_a_factor", "body.motor_noise"}));
  const std::vector<Member> members = experiment.members();
  std::set<double> values;
  double sum = 0;
  for (std::size_t k = 0; k < 40; ++k) {
    const double factor = experiment.subject(members[k]).brain.cortex.gaba_a_factor;
    EXPECT_GT(factor, 0.6);
    EXPECT_LT(factor, 1.0);
    // Groups are paired, also in what their subjects differ in.
    EXPECT_EQ(experiment.subject(members[40 + k]).brain.cortex.gaba_a_factor, factor);
    EXPECT_EQ(experiment.subject(members[80 + k]).brain.cortex.gaba_a_factor, 1.0);
    EXPECT_EQ(numbers_of(experiment.subject(members[k]), experiment.varied_keys())[0].value,
              factor);
    values.insert(factor);
    sum += factor;
  }
  EXPECT_EQ(values.size(), 40u);
  EXPECT_NEAR(sum / 40, 0.8, 4 * 0.4 / std::sqrt(12.0 * 40));  // four standard errors
  // Another key has a share of its own.
  const Subject first = experiment.subject(members[40]);
  EXPECT_GT(std::abs((first.brain.cortex.gaba_a_factor - 0.6) / 0.4 -
                     (first.body.motor_noise - 0.1) / 0.1),
            1e-6);
}

TEST(Experiment, WhatDiffersReadsBack) {
  const Experiment experiment = parse_experiment(kVaried, "x.toml");
  const Experiment again = parse_experiment(resolved_toml(experiment), "resolved.toml");
  EXPECT_EQ(config_digest(again), config_digest(experiment));
  EXPECT_EQ(again.subject(again.members()[7]).brain.cortex.gaba_a_factor,
            experiment.subject(experiment.members()[7]).brain.cortex.gaba_a_factor);
}

TEST(Experiment, WhatIsSetLaterIsTheSameForAll) {
  Overrides set;
  set.set = {"group.a.brain.cortex.gaba_a_factor=0.9"};
  const Experiment experiment = parse_experiment(kVaried, "x.toml", set);
  EXPECT_EQ(experiment.subject(experiment.members()[3]).brain.cortex.gaba_a_factor, 0.9);
  EXPECT_LT(experiment.subject(experiment.members()[43]).brain.cortex.gaba_a_factor, 1.0);
  EXPECT_NE(experiment.subject(experiment.members()[43]).brain.cortex.gaba_a_factor, 0.9);
  EXPECT_NE(experiment.cut.find("a: brain.cortex.gaba_a_factor the same for all subjects"),
            std::string::npos)
      << experiment.cut;
}

TEST(Experiment, ArrayOfTablesIsTheSameSchedule) {
  const Experiment experiment = parse_experiment(
      "[[schedules.s.blocks]]\ntrials = 3\n[[schedules.s.blocks]]\ntrials = 4\n", "x.toml");
  ASSERT_EQ(experiment.groups.size(), 1u);
  EXPECT_EQ(experiment.groups[0].name, "all");
  ASSERT_EQ(experiment.groups[0].blocks.size(), 2u);
  EXPECT_EQ(experiment.groups[0].blocks[1].trials, 4);
}

TEST(Experiment, NumbersMayCarryTheirUnit) {
  const Experiment experiment =
      parse_experiment("[record]\nrate_bin_ms = \"20 ms\"" + kTail, "x.toml");
  EXPECT_EQ(experiment.record.rate_bin_ms, 20);
}

TEST(Experiment, DegreesMayBeWrittenAsPeopleDo) {
  for (const char* unit : {" deg", "deg", "°", " °", " degree", " degrees", ""}) {
    Overrides overrides;
    overrides.set = {std::string("block.reward_zone_deg=4.5") + unit};
    EXPECT_EQ(parse_experiment(kTail, "x.toml", overrides).groups[0].blocks[0].reward_zone_deg, 4.5)
        << unit;
  }
  // Other units are still refused, and degrees elsewhere.
  for (const char* set : {"block.reward_zone_deg=4 rad", "body.pool_tau_ms=4 deg"}) {
    Overrides overrides;
    overrides.set = {set};
    EXPECT_EQ(problems_of(kTail, overrides).size(), 1u) << set;
  }
}

TEST(Experiment, LaterLayersWin) {
  Overrides overrides;
  overrides.set = {"brain.scale=3",         "block.feedback=endpoint",
                   "block.base.trials = 7", "group.a.brain.scale=4",
                   "group.b.subjects=1",    "block.turn.targets_deg=[0, 45]"};
  const Experiment experiment = parse_experiment(kGood, "x.toml", overrides);
  EXPECT_EQ(experiment.groups[0].brain.scale, 4.0);
  EXPECT_EQ(experiment.groups[1].brain.scale, 3.0);
  EXPECT_EQ(experiment.groups[0].subjects, 4);
  EXPECT_EQ(experiment.groups[1].subjects, 1);
  EXPECT_EQ(experiment.groups[1].blocks[1].feedback, Feedback::endpoint);
  EXPECT_EQ(experiment.groups[1].blocks[0].trials, 7);
  EXPECT_EQ(experiment.groups[1].blocks[1].trials, 40);
  EXPECT_EQ(experiment.groups[0].blocks[1].targets_deg, (std::vector<double>{0, 45}));
}

TEST(Experiment, OverrideOfAPhaseBeatsThatOfAllBlocks) {
  const Experiment experiment = parse_experiment(
      kGood + "[quick]\nblock.trials = 20\nblock.turn.trials = 30\ngroup.b.block.trials = 9\n",
      "x.toml");
  EXPECT_EQ(experiment.groups[0].blocks[0].trials, 20);
  EXPECT_EQ(experiment.groups[0].blocks[1].trials, 30);
  EXPECT_EQ(experiment.groups[1].blocks[1].trials, 9);
}

TEST(Experiment, QuickIsTheDefaultAndSaysWhatItCut) {
  const std::string text =
      kGood + "[quick]\nsubjects = 2\nbrain.scale = 0.25\ntrials_factor = 0.5\n";
  const Experiment quick = parse_experiment(text, "x.toml");
  EXPECT_EQ(quick.groups[0].subjects, 2);
  EXPECT_EQ(quick.groups[0].blocks[1].trials, 20);
  EXPECT_EQ(quick.cut,
            "4 instead of 8 subjects; 50 % of the trials; a: brain.scale 0.25 instead of 0.5; b: "
            "brain.scale 0.25 instead of 2.0");
  Overrides overrides;
  overrides.full = true;
  const Experiment full = parse_experiment(text, "x.toml", overrides);
  EXPECT_EQ(full.groups[0].subjects, 4);
  EXPECT_EQ(full.cut, "");
  EXPECT_EQ(config_digest(full), config_digest(parse_experiment(kGood, "x.toml")));
}

TEST(Experiment, QuickNeverEnlargesAndTheCommandLineWins) {
  const std::string text = kGood + "[quick]\nsubjects = 6\nbrain.scale = 0.25\n";
  EXPECT_EQ(parse_experiment(text, "x.toml").groups[0].subjects, 4);
  Overrides overrides;
  overrides.subjects = "6";
  overrides.scale = "0.5";
  const Experiment experiment = parse_experiment(text, "x.toml", overrides);
  EXPECT_EQ(experiment.groups[0].subjects, 6);
  EXPECT_EQ(experiment.cut,
            "b: brain.scale 0.5 instead of 2.0; other than in the file: 12 instead of 8 subjects");
}

TEST(Experiment, GroupsAreChosen) {
  Overrides overrides;
  overrides.groups = {"b"};
  overrides.set = {"group.a.brain.scale=1"};  // of a group that is not run: no error
  const Experiment experiment = parse_experiment(
      kGood + "[quick]\ngroup.a.subjects = 1\nsubjects = 2\n", "x.toml", overrides);
  ASSERT_EQ(experiment.groups.size(), 1u);
  EXPECT_EQ(experiment.groups[0].name, "b");
  EXPECT_EQ(experiment.cut, "1 of 2 groups; 2 instead of 4 subjects");
  overrides.groups = {"a", "b"};
  overrides.set = {};
  EXPECT_EQ(config_digest(parse_experiment(kGood, "x.toml", overrides)),
            config_digest(parse_experiment(kGood, "x.toml")));
  overrides.groups = {"somewhere"};
  EXPECT_EQ(problems_of(kGood, overrides),
            std::vector<std::string>{"--group somewhere: no such group; write one of a, b"});
}

TEST(Experiment, WhatTheCommandLineCutsIsSaidToo) {
  Overrides overrides;
  overrides.full = true;
  overrides.subjects = "1";
  overrides.set = {"block.turn.trials=15"};
  EXPECT_EQ(parse_experiment(kGood, "x.toml", overrides).cut,
            "2 instead of 8 subjects; 50 % of the trials");
}

TEST(Experiment, WhatTheCommandLineChangesInAGroupIsSaidToo) {
  Overrides overrides;
  overrides.full = true;
  overrides.set = {"group.a.brain.cerebellum.lesion=0.5", "block.turn.reward_zone_deg=4",
                   "group.b.block.turn.trials=20"};
  EXPECT_EQ(parse_experiment(kGood, "x.toml", overrides).cut,
            "60 to 100 % of a group's trials; other than in the file: a: brain.cerebellum.lesion "
            "0.5 instead of 0.0; turn "
            "reward_zone_deg 4.0 instead of 6.0");
}

TEST(Experiment, WhatIsMoreOrElsewhereIsSaidToo) {
  const std::string other = "other than in the file: ";
  const auto cut = [](const std::vector<std::string>& set, const std::string& seed = "") {
    Overrides overrides;
    overrides.set = set;
    overrides.seed = seed;
    return parse_experiment(kGood, "x.toml", overrides).cut;
  };
  EXPECT_EQ(cut({"block.base.trials=20", "block.turn.trials=80"}), other + "200 % of the trials");
  EXPECT_EQ(cut({"group.a.block.base.trials=60"}), other + "100 to 200 % of a group's trials");
  EXPECT_EQ(cut({"block.base.trials=40", "block.turn.trials=10"}),
            other + "base trials 40 instead of 10; turn trials 10 instead of 40");
  EXPECT_EQ(cut({"group.b.block.base.trials=40", "group.b.block.turn.trials=10"}),
            other + "b: base trials 40 instead of 10; b: turn trials 10 instead of 40");
  EXPECT_EQ(cut({"group.a.subjects=3", "group.b.subjects=5"}),
            "a: 3 instead of 4 subjects; " + other + "b: 5 instead of 4 subjects");
  EXPECT_EQ(cut({"group.a.subjects=1", "group.b.subjects=5"}),
            "a: 1 instead of 4 subjects; " + other + "b: 5 instead of 4 subjects");
  EXPECT_EQ(cut({"group.b.subjects=5"}), other + "9 instead of 8 subjects");
  EXPECT_EQ(cut({}, "7"), other + "seed 7 instead of 1");
  EXPECT_EQ(cut({}, "1"), "");
  EXPECT_EQ(cut({"group.a.brain.scale=1"}), other + "a: brain.scale 1.0 instead of 0.5");
  EXPECT_EQ(cut({"block.turn.steps=4"}), "turn steps 4 instead of 8");
  // For people.
  const auto said = [](const std::string& cut) {
    Experiment experiment;
    experiment.cut = cut;
    return unlike_file(experiment);
  };
  EXPECT_EQ(said(""), "");
  EXPECT_EQ(said(other + "seed 7 instead of 1"), other + "seed 7 instead of 1");
  EXPECT_EQ(said("50 % of the trials"), "not as the file in full: 50 % of the trials");
}

TEST(Experiment, QuickIsCheckedAlsoInAFullRun) {
  Overrides full;
  full.full = true;
  EXPECT_EQ(problems_of(kGood + "[quick]\nbrain.scal = 1\n", full).size(), 1u);
}

TEST(Resolved, ReadsBackToTheSameExperiment) {
  const Experiment first =
      parse_experiment(kGood + "[quick]\nsubjects = 2\ntrials_factor = 0.5\n", "x.toml");
  const std::string text = resolved_toml(first);
  const Experiment second = parse_experiment(text, "resolved.toml");
  EXPECT_EQ(config_digest(second), config_digest(first));
  EXPECT_EQ(resolved_toml(second), text);
  EXPECT_EQ(second.name, "x");
  EXPECT_NE(first.cut, "");
  EXPECT_EQ(second.cut, first.cut);
  EXPECT_EQ(second.groups[1].phases, first.groups[1].phases);
}

TEST(Resolved, WhatTheCommandLineChangesComesOnTopOfItsCut) {
  Overrides overrides;
  overrides.set = {"block.turn.reward_zone_deg=4"};
  const std::string text = resolved_toml(parse_experiment(kGood + "[quick]\nsubjects = 2\n", "x"));
  EXPECT_EQ(parse_experiment(text, "resolved.toml", overrides).cut,
            "4 instead of 8 subjects; other than in the file: turn reward_zone_deg 4.0 instead of "
            "6.0");
}

TEST(Resolved, DigestSeesEveryKindOfChange) {
  const Experiment original = parse_experiment(kGood, "x.toml");
  for (const char* change :
       {"brain.scale=0.50000000000000011", "seed=2", "subjects=3", "block.turn.learning=false",
        "record.rate_bin_ms=11", "group.b.brain.scale=2.5"}) {
    Overrides overrides;
    overrides.set = {change};
    EXPECT_NE(config_digest(parse_experiment(kGood, "x.toml", overrides)), config_digest(original))
        << change;
  }
  EXPECT_EQ(config_digest(parse_experiment("# a comment\n" + kGood, "elsewhere/x.toml")),
            config_digest(original));
}

TEST(Resolved, NamesEveryKeyWithUnitAndMeaning) {
  const std::string text = resolved_toml(parse_experiment(kGood, "x.toml"));
  EXPECT_NE(text.find("rate_bin_ms = 10  # ms; 1 … 10000; width of the bins of firing rates\n"),
            text.npos);
  EXPECT_NE(text.find("\n[brain.cerebellum]  # "), text.npos);
}

TEST(Schema, NearestToleratesFewTypingErrors) {
  const std::vector<std::string> keys = {"brain.cerebellum.ltd", "brain.cerebellum.ltp",
                                         "record.rate_bin_ms"};
  EXPECT_EQ(nearest("brain.cerebelum.ltd", keys), "brain.cerebellum.ltd");
  EXPECT_EQ(nearest("rate_bin_ms", keys), "record.rate_bin_ms");
  EXPECT_EQ(nearest("record.rate_bni_ms", keys), "record.rate_bin_ms");
  EXPECT_EQ(nearest("zebra", keys), "");
}

TEST(Schema, NearestKnowsAKeyByOneOfItsWords) {
  const std::vector<std::string> keys = {"block.task", "block.cursor_gain",
                                         "block.turn.cursor_gain", "block.lesion_radius",
                                         "block.target_radius_m"};
  EXPECT_EQ(nearest("block.gain", keys), "block.cursor_gain");
  EXPECT_EQ(nearest("block.turn.gain", keys), "block.turn.cursor_gain");
  EXPECT_EQ(nearest("gain", keys), "block.cursor_gain");
  EXPECT_EQ(nearest("cursor.radius", keys), "");  // of two
  EXPECT_EQ(nearest("cursor.ain", keys), "");
}

TEST(Schema, RealsReadBackToTheSameBits) {
  for (const double value : {0.1, 1.0 / 3.0, 1e300, -0.0, 5e-324, 123456789.0, 3e22}) {
    const std::string text = toml_real(value);
    EXPECT_NE(text.find_first_of(".e"), text.npos) << text;
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
}

TEST(Describe, ListsKeysOfAllParts) {
  for (const bool markdown : {false, true}) {
    const std::string text = describe_keys(markdown);
    for (const char* key : {"brain.scale", "record.spikes.subjects", "rotation_deg", "phase",
                            "trials_factor", "schedule"}) {
      EXPECT_NE(text.find(key), text.npos) << key;
    }
  }
}

TEST(Describe, UnitsAreSpelledInOneWay) {
  // Another spelling ("deg") would be a unit of its own, and 20° refused.
  const std::set<std::string> known = {
      "",          "ms",          "s",    "d",     "Hz",   "mV",      "degree",
      "m",         "cm2",         "kg",   "kg m2", "N",    "N cm-2",  "N s/m",
      "N m rad-1", "N m s rad-1", "mV s", "1/d",   "1/Hz", "1/(Hz s)"};
  std::istringstream lines(describe_keys(true));
  int keys = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `")) continue;
    std::istringstream cells(line.substr(1));
    std::string key, type, unit;
    std::getline(std::getline(std::getline(cells, key, '|'), type, '|'), unit, '|');
    unit.erase(0, 1).erase(unit.find_last_not_of(' ') + 1);
    EXPECT_TRUE(known.contains(unit)) << key << "is in " << unit;
    ++keys;
  }
  EXPECT_GT(keys, 200);
  Overrides overrides;
  overrides.set = {"brain.cerebellum.granule_spread_deg=20°"};
  EXPECT_EQ(parse_experiment(kTail, "x.toml", overrides).brain.cerebellum.granule_spread_deg, 20);
}

TEST(Digest, MatchesPublishedVectors) {
  // FIPS 180-4 examples.
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  Sha256 parts;
  const std::string million(1000, 'a');
  for (int i = 0; i < 1000; ++i) parts.update(million.data(), million.size());
  EXPECT_EQ(parts.hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, OneFlippedBitShows) { EXPECT_NE(sha256_hex("abc"), sha256_hex("abb")); }

}  // namespace
}  // namespace quartet
