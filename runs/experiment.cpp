#include "runs/experiment.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "models/random.hpp"
#include "runs/digest.hpp"
#include "runs/laboratory.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

// ---------------------------------------------------------------------------------------------
// The schema, as structs: what may be written where.

/// Keys outside of tables.
struct TopLevel {
  std::string name, title, description, cut;
  std::int64_t seed = 1;
  std::int64_t subjects = 1;

  void visit(ParameterVisitor& v) {
    v.text("name", name, "identifier of the experiment; default: name of the file");
    v.text("title", title, "one line for people and figures");
    v.text("description", description, "what the experiment asks and how");
    v.integer("seed", seed, {"1", 0, 9e18},
              "from which all random numbers follow; subject k has the same seed in every group");
    v.integer("subjects", subjects, {"1", 1, 10000}, "subjects in a group that does not say");
    v.text("cut", cut,
           "what the run leaves out or does differently from the experiment as the file has it in "
           "full; written by quartet into resolved.toml, not by you");
  }
};

/// What defines a subject besides seed and schedule.
struct SubjectTables {
  BrainParameters brain;
  BodyParameters body;

  void visit(ParameterVisitor& v) {
    v.table("brain", brain, "the brain: sizes, parameters, lesions");
    v.table("body", body, "arm, senses and task apparatus");
  }
};

struct RecordTable {
  RecordParameters& record;

  void visit(ParameterVisitor& v) {
    v.table("record", record, "what is written beside behaviour.nc; never changes a result");
  }
};

struct GroupKeys {
  std::string name, label, schedule;
  std::int64_t subjects = 0;

  void visit(ParameterVisitor& v) {
    v.text("name", name, "identifier, unique: letters, digits, '_' and (not first) '-'");
    v.text("label", label, "for people and figures; default: the name");
    v.integer("subjects", subjects, {"1", 1, 10000}, "number of subjects; default: the file's");
    v.text("schedule", schedule, "NAME of [schedules.NAME]; default: the only one");
  }
};

struct LabelledBlock {
  std::string phase;
  Block block;

  void visit(ParameterVisitor& v) {
    v.text("phase", phase, "label by which overrides (block.PHASE.KEY) and figures find the block");
    block.visit(v);
  }
};

/// Overrides besides tables.
struct Counts {
  std::int64_t subjects = 0;

  void visit(ParameterVisitor& v) {
    v.integer("subjects", subjects, {"1", 1, 10000}, "number of subjects in a group");
  }
};

struct Seed {
  std::int64_t seed = 0;

  void visit(ParameterVisitor& v) {
    v.integer("seed", seed, {"1", 0, 9e18}, "seed of the experiment");
  }
};

struct Quick {
  double trials_factor = 1.0;

  void visit(ParameterVisitor& v) {
    v.real("trials_factor", trials_factor, {"1", 0.001, 1},
           "multiplies the trials of every block (at least one is left)");
  }
};

std::vector<std::string> names_of(const std::vector<Key>& keys) {
  std::vector<std::string> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

void append(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

std::vector<std::string> block_key_names() { return names_of(list_keys(Block{})); }

std::vector<std::string> table_key_names() {
  std::vector<std::string> names = names_of(list_keys(SubjectTables{}));
  RecordParameters record;
  append(names, names_of(list_keys(RecordTable{record})));
  return names;
}

/// How the text of a resolved experiment begins. A file that does not is a person's.
constexpr std::string_view kResolved =
    "# The experiment as used: defaults, file and command line together. Reads back to the\n"
    "# same experiment. Digest: ";

// ---------------------------------------------------------------------------------------------
// From text to layers of settings.

struct BlockText {
  Layer keys;
  Place where;
};
struct ScheduleText {
  std::string name;
  std::vector<BlockText> blocks;
  Place where;
};
struct GroupText {
  Layer keys;
  Layer set;
  Layer vary;
  Place where;
};

/// An experiment file taken apart, before any key is understood.
struct Document {
  Layer file;  ///< everything but schedules, groups and [quick]
  std::vector<ScheduleText> schedules;
  std::vector<GroupText> groups;
  Layer quick;
  Layer command_line;
  Place start;
};

Place place_of(const toml::source_region& source, const std::string& file) {
  return {file, static_cast<int>(source.begin.line), static_cast<int>(source.begin.column)};
}

/// A table's entries in the order of the file (toml++ sorts them by name).
std::vector<std::pair<const toml::key*, const toml::node*>> entries(const toml::table& table) {
  std::vector<std::pair<const toml::key*, const toml::node*>> list;
  for (const auto& [key, node] : table) list.emplace_back(&key, &node);
  std::stable_sort(list.begin(), list.end(), [](const auto& a, const auto& b) {
    const auto at = [](const toml::key* key) {
      return std::pair(key->source().begin.line, key->source().begin.column);
    };
    return at(a.first) < at(b.first);
  });
  return list;
}

Value value_of(const toml::node& node) {
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* array = node.as_array()) {
    std::vector<double> numbers;
    for (const toml::node& element : *array) {
      if (element.is_table()) return Unusable{"a list of tables"};
      if (!element.is_number()) {
        const std::string* text = element.is_string() ? &element.as_string()->get() : nullptr;
        return Unusable{
            fmt::format("a list whose element {} is {}", numbers.size() + 1,
                        text ? "the text " + toml_text(*text) + " (lists take no units)" : "none")};
      }
      numbers.push_back(*element.value<double>());
    }
    return numbers;
  }
  return Unusable{node.is_table() ? "a table" : "a date or time"};
}

/// Appends all values below `table` under dotted names. Empty tables are kept as such, so that a
/// misspelt one is noticed.
void flatten(const toml::table& table, const std::string& prefix, const std::string& file,
             Layer& layer) {
  for (const auto& [key, node] : entries(table)) {
    const std::string name = prefix + std::string(key->str());
    const toml::table* inner = node->as_table();
    if (inner && !inner->empty()) {
      flatten(*inner, name + ".", file, layer);
    } else {
      layer.push_back({name, value_of(*node), place_of(key->source(), file)});
    }
  }
}

/// The tables of an array of tables; says what is wrong otherwise.
std::vector<const toml::table*> tables_of(const toml::node& node, const Place& where,
                                          const std::string& what, const std::string& remedy,
                                          Problems& problems) {
  std::vector<const toml::table*> tables;
  const toml::array* array = node.as_array();
  bool good = array != nullptr && !array->empty();
  if (good) {
    for (const toml::node& element : *array) {
      good = good && element.is_table();
      tables.push_back(element.as_table());
    }
  }
  if (good) return tables;
  problems.add(where, what, remedy);
  return {};
}

void take_schedules(const toml::node& node, const Place& where, const std::string& file,
                    Document& document, Problems& problems) {
  const std::string remedy =
      "write [schedules.NAME] with blocks = [ {trials = 10, …}, … ] or [[schedules.NAME.blocks]]";
  const toml::table* schedules = node.as_table();
  if (!schedules) {
    problems.add(where, "schedules is a table of schedules", remedy);
    return;
  }
  for (const auto& [key, content] : entries(*schedules)) {
    ScheduleText schedule{std::string(key->str()), {}, place_of(key->source(), file)};
    const toml::table* table = content->as_table();
    if (!table || !table->contains("blocks")) {
      problems.add(schedule.where, fmt::format("schedule {} has no blocks", schedule.name), remedy);
    } else {
      for (const auto& [name, value] : entries(*table)) {
        const Place here = place_of(name->source(), file);
        if (name->str() != "blocks") {
          problems.add(here, fmt::format("unknown key schedules.{}.{}", schedule.name, name->str()),
                       "a schedule has one key, blocks");
          continue;
        }
        for (const toml::table* block :
             tables_of(*value, here,
                       fmt::format("schedules.{}.blocks is not a list of blocks", schedule.name),
                       remedy, problems)) {
          BlockText text{{}, place_of(block->source(), file)};
          flatten(*block, "", file, text.keys);
          schedule.blocks.push_back(std::move(text));
        }
      }
    }
    document.schedules.push_back(std::move(schedule));
  }
}

void take_groups(const toml::node& node, const Place& where, const std::string& file,
                 Document& document, Problems& problems) {
  for (const toml::table* table :
       tables_of(node, where, "group is not a list of tables",
                 "write [[group]] with name = \"…\" for every group", problems)) {
    GroupText group{{}, {}, {}, place_of(table->source(), file)};
    toml::table keys = *table;
    for (const auto& [name, layer] : {std::pair{"set", &group.set}, {"vary", &group.vary}}) {
      if (const toml::table* inner = table->get_as<toml::table>(name)) {
        flatten(*inner, "", file, *layer);
        keys.erase(name);
      }
    }
    flatten(keys, "", file, group.keys);
    document.groups.push_back(std::move(group));
  }
}

Document take_apart(const std::string& text, const std::string& file, Problems& problems) {
  Document document;
  document.start = {file, 1, 1};
  toml::table root;
  try {
    root = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    problems.add(place_of(error.source(), file), std::string(error.description()),
                 "the file must be TOML (https://toml.io)");
    return document;
  }
  for (const auto& [key, node] : entries(root)) {
    const Place where = place_of(key->source(), file);
    if (key->str() == "schedules") {
      take_schedules(*node, where, file, document, problems);
    } else if (key->str() == "group") {
      take_groups(*node, where, file, document, problems);
    } else if (key->str() == "quick" && node->is_table()) {
      flatten(*node->as_table(), "", file, document.quick);
    } else {
      toml::table single;
      single.insert(*key, *node);
      flatten(single, "", file, document.file);
    }
  }
  return document;
}

/// `value` as TOML, or else as the text that it is: --set block.feedback=none needs no quotes.
Value command_line_value(const std::string& value) {
  try {
    const toml::table table = toml::parse("value = " + value);
    if (table.size() == 1) return value_of(*table.get("value"));
  } catch (const toml::parse_error&) {
  }
  return value;
}

void take_overrides(const Overrides& overrides, Document& document, Problems& problems) {
  const auto add = [&](const std::string& key, const std::string& value, const std::string& flag) {
    document.command_line.push_back({key, command_line_value(value), {flag}});
  };
  for (const std::string& assignment : overrides.set) {
    const std::string flag = "--set " + assignment;
    const std::size_t equals = assignment.find('=');
    if (equals == 0 || equals == assignment.npos) {
      problems.add({flag}, "not of the form key=value", "write for example --set brain.scale=0.5");
      continue;
    }
    const auto trim = [](std::string part) {
      part.erase(0, part.find_first_not_of(' '));
      part.erase(part.find_last_not_of(' ') + 1);
      return part;
    };
    add(trim(assignment.substr(0, equals)), trim(assignment.substr(equals + 1)), flag);
  }
  if (!overrides.scale.empty()) {
    add("brain.scale", overrides.scale, "--scale " + overrides.scale);
  }
  if (!overrides.subjects.empty()) {
    add("subjects", overrides.subjects, "--subjects " + overrides.subjects);
  }
  if (!overrides.seed.empty()) add("seed", overrides.seed, "--seed " + overrides.seed);
}

// ---------------------------------------------------------------------------------------------
// From layers to an experiment.

template <class Struct>
void read(Struct&& target, Layer& layer, const std::vector<std::string>& prefixes,
          Problems& problems) {
  SettingsReader reader(layer, prefixes, problems);
  target.visit(reader);
}

bool is_identifier(const std::string& text) {
  return !text.empty() && text[0] != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

Place place_in(Layer& layer, std::string_view key, const Place& otherwise) {
  const Setting* setting = find_setting(layer, key);
  return setting ? setting->where : otherwise;
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

/// Combinations that no single key's range excludes. `distance_m`: of the group's targets;
/// `sees_hands`: whether the group's brains do; `feels`: whether they have afferents at rest.
void check_block(const Block& block, double distance_m, bool sees_hands, bool feels,
                 const Place& where, Problems& problems) {
  const auto refuse = [&](const std::string& what, const std::string& remedy) {
    problems.add(where, what, remedy, true);
  };
  if (block.targets_deg.empty()) {
    refuse("a block without targets", "write for example targets_deg = [90]");
  }
  const bool moves_fingers = block.task == Task::fingers || block.task == Task::observe;
  if (moves_fingers == block.fingers.empty()) {
    refuse("task = \"fingers\", or \"observe\", and a list of fingers go together",
           "write for example task = \"fingers\", fingers = [2, 3], or neither");
  }
  if (block.hand_in_sight != HandInSight::none && block.task != Task::fingers) {
    refuse("hand_in_sight has an effect only where task is \"fingers\"",
           "write task = \"fingers\" and fingers, or leave it out");
  }
  const bool shows_hands = block.hand_in_sight != HandInSight::none ||
                           block.task == Task::observe || !block.probe.observed.empty();
  if (shows_hands && !sees_hands) {
    refuse(
        "a hand is shown (hand_in_sight, task = \"observe\" or probe.observed) to brains that "
        "do not see hands",
        "write brain.cortex.observation.connected = true, or show none");
  }
  if (block.nerve_block != NerveBlock::none && !feels) {
    refuse("nerves are blocked (nerve_block) of brains that feel nothing at rest",
           "write brain.cortex.afferents.connected = true and the biases that belong to it (as in "
           "runs/experiments/nerve_block.toml), or leave nerve_block out");
  }
  const auto n = static_cast<double>(block.fingers.size());
  for (const auto& [key, digits] : {std::pair{"fingers", &block.fingers},
                                    {"probe.observed", &block.probe.observed},
                                    {"probe.moving", &block.probe.moving}}) {
    if (are_digits(*digits)) continue;
    refuse(fmt::format("{} are digits, each once", key),
           fmt::format("write for example {} = [2, 3]", key));
  }
  if (n > 0 && (n == 1 ? block.finger_correlation != 0 : block.finger_correlation < -1 / (n - 1))) {
    refuse(fmt::format("{:g} practised finger{} cannot have a correlation of {:g}", n,
                       n == 1 ? "" : "s", block.finger_correlation),
           n == 1 ? "leave finger_correlation 0"
                  : fmt::format("write finger_correlation = {:.4g} (one at a time) or more",
                                -std::floor(1e4 / (n - 1)) / 1e4));
  }
  if (n == 0 && block.finger_correlation != 0) {
    refuse("finger_correlation has an effect only where task is \"fingers\" or \"observe\"",
           "write task = \"fingers\" and fingers, or leave it out");
  }
  if (block.task != Task::fingers &&
      (block.finger_individuation != Block{}.finger_individuation || block.finger_hit_share != 0)) {
    refuse(
        "finger_individuation and finger_hit_share have an effect only where task is \"fingers\"",
        "write task = \"fingers\" and fingers, or leave them out");
  }
  if (block.task != Task::reach &&
      (block.perturbation != Perturbation::none || block.curl_Ns_m != 0.0 ||
       block.target_jump_deg != 0.0 || block.target_radius_m != 0.0 ||
       block.second_target_deg != 0.0 || block.cursor_gain != 1.0 ||
       block.instruction != Instruction::none)) {
    refuse(
        "perturbation, curl_Ns_m, target_jump_deg, target_radius_m, second_target_deg, cursor_gain "
        "and instruction have an effect only on reaches",
        "write task = \"reach\", or leave them out");
  }
  if (block.steps > block.trials) {
    refuse(fmt::format("{} steps do not fit into {} trials", block.steps, block.trials),
           fmt::format("write steps = {} or fewer, or more trials", block.trials));
  }
  const bool turns =
      block.perturbation == Perturbation::rotation || block.perturbation == Perturbation::clamp;
  if (!turns && (block.rotation_deg != 0.0 || block.rotation_end_deg != 0.0 || block.steps != 0 ||
                 block.rotation_noise_deg != 0.0)) {
    refuse(
        "rotation_deg, rotation_end_deg, rotation_noise_deg and steps have an effect only where "
        "perturbation is \"rotation\" or \"clamp\"",
        "write perturbation = \"rotation\" (or \"clamp\"), or leave them 0");
  }
  if (block.rotation_noise_skew != 0.0 && block.rotation_noise_deg == 0.0) {
    refuse("rotation_noise_skew has no effect without rotation_noise_deg",
           "write for example rotation_noise_deg = 4, or leave it out");
  } else if (block.perturbation == Perturbation::rotation && block.rotation_deg == 0.0 &&
             block.rotation_end_deg == 0.0 && block.rotation_noise_deg == 0.0) {
    refuse("perturbation = \"rotation\" has no effect without an angle",
           "write for example rotation_deg = 30, or perturbation = \"none\"");
  }
  if (block.rotation_sign != RotationSign::same && !turns) {
    refuse("rotation_sign has an effect only where perturbation is \"rotation\" or \"clamp\"",
           "write perturbation = \"rotation\" (or \"clamp\"), or leave it out");
  }
  if ((block.shift_m != 0.0) != (block.perturbation == Perturbation::shift)) {
    refuse("shift_m and perturbation = \"shift\" go together",
           "write both (for example shift_m = 0.02), or neither");
  }
  if (turns && block.steps <= 1 && block.rotation_end_deg != 0.0 &&
      block.rotation_end_deg != block.rotation_deg) {
    refuse(fmt::format("rotation_end_deg = {:g} has no effect with steps = {}",
                       block.rotation_end_deg, block.steps),
           fmt::format("write steps = {} for a ramp, or leave out rotation_end_deg", block.trials));
  }
  // A file that repeats the default cannot be told from one that leaves it out.
  if (block.target_radius_m != 0.0 && block.reward_zone_deg != Block{}.reward_zone_deg) {
    refuse("target_radius_m and reward_zone_deg both say where the cursor hits the target",
           "leave out one of them");
  }
  if (block.target_radius_m >= distance_m) {
    refuse(fmt::format("a target of target_radius_m = {:g} holds the start, {:g} m away",
                       block.target_radius_m, distance_m),
           fmt::format("write a radius below {:g} m (body.distance_m)", distance_m));
  }
  if (block.punishment != 0.0 &&
      (block.reward == RewardRule::always || block.reward == RewardRule::none)) {
    refuse("punishment has no effect where every trial is rewarded, or no outcome is shown",
           "write reward = \"hit\" (or \"graded\" or \"never\"), or leave it out");
  }
  if (block.task == Task::reach && block.reward == RewardRule::graded &&
      block.reward_zone_deg == 0.0) {
    refuse("reward = \"graded\" has no grades within reward_zone_deg = 0",
           "write for example reward_zone_deg = 6, or reward = \"never\"");
  }
  const bool rewards = block.reward == RewardRule::hit || block.reward == RewardRule::graded ||
                       block.reward == RewardRule::always;
  if (block.task != Task::rest && rewards && block.reward_size == 0.0 && block.punishment == 0.0) {
    refuse("rewards of reward_size = 0, without a punishment, teach nothing",
           "write reward = \"never\", or a reward_size or punishment above 0");
  }
  if (block.second_reward != 1.0 && block.second_target_deg == 0.0) {
    refuse("second_reward has no effect without a second target",
           "write for example second_target_deg = 90, or leave it out");
  }
  if (!block.sequence.empty()) {
    const std::size_t steps = block.sequence.size();
    if (block.second_target_deg == 0.0 || steps != block.targets_deg.size()) {
      refuse(
          fmt::format("a sequence of {} choices between two targets needs second_target_deg, and "
                      "one of targets_deg for each",
                      steps),
          "write for example targets_deg = [135, 315], second_target_deg = 90, sequence = [1, 2]");
    }
    if (std::any_of(block.sequence.begin(), block.sequence.end(),
                    [](double step) { return step != 1 && step != 2; })) {
      refuse("a sequence says which of two targets is right, 1 or 2",
             "write for example sequence = [1, 2]");
    }
    if (block.reward != RewardRule::hit || block.second_reward != 1.0) {
      refuse("a sequence has an outcome of its own: whether all choices were right",
             "leave out reward and second_reward");
    }
    if (block.trials % static_cast<std::int64_t>(steps) != 0) {
      refuse(fmt::format("{} trials end within a sequence of {}", block.trials, steps),
             fmt::format("write a multiple of {}", steps));
    }
  }
  if (block.second_target_deg != 0.0 &&
      (block.perturbation == Perturbation::clamp || block.target_jump_deg != 0.0)) {
    refuse("a clamped cursor, or a target that jumps, leaves no choice between two targets",
           "leave out second_target_deg, or perturbation = \"clamp\" and target_jump_deg");
  }
  if (block.perturbation == Perturbation::clamp && block.feedback == Feedback::none) {
    refuse("a clamped cursor cannot be seen where feedback is \"none\"",
           "write feedback = \"full\", or perturbation = \"none\"");
  }
  if (block.lesion_site.empty() != (block.lesion_radius == 0)) {
    refuse("a focal lesion needs both lesion_site and lesion_radius",
           "write for example lesion_site = [14.4, 3] and lesion_radius = 1, or leave out both");
  }
  if (!block.lesion_site.empty() && !on_sheet(block.lesion_site)) {
    refuse("lesion_site is no place on the motor sheet",
           fmt::format("write [x, y] with x up to {} and y up to {}", kSheetWidth, kSheetHeight));
  }
  const Probe& probe = block.probe;
  if (probe.kind == ProbeKind::threshold && probe.rmt > 0) {
    refuse("probe.kind = \"threshold\" seeks what probe.rmt gives",
           "leave probe.rmt out, or write another kind");
  }
  if (probe.intensities.empty() || probe.conditioning.empty() || probe.intervals_ms.empty() ||
      probe.polarizations_mv.empty()) {
    refuse("a probe without intensities, conditioning, intervals_ms or polarizations_mv",
           "write for example probe.conditioning = [0.8], or leave it out");
  }
  for (const double interval_ms : probe.intervals_ms) {
    const double nearest = std::round(interval_ms * kCortexSubsteps) / kCortexSubsteps;
    if (interval_ms == nearest) continue;
    refuse(fmt::format("probe.intervals_ms: {:g} ms is no multiple of {:g} ms, in which cortex is "
                       "simulated",
                       interval_ms, 1.0 / kCortexSubsteps),
           fmt::format("the nearest one is {:g}", nearest));
  }
  const bool surrounds = probe.kind == ProbeKind::surround;
  const bool intends = probe.kind == ProbeKind::intention;
  if (surrounds && probe.moving.empty()) {
    refuse("probe.kind = \"surround\" without fingers that move",
           "write for example probe.moving = [2], probe.muscle = \"ring_finger\"");
  }
  if (intends && probe.moving.size() < 2) {
    refuse("probe.kind = \"intention\" with fewer than two fingers to tell apart",
           "write for example probe.moving = [1, 2, 3, 4, 5]");
  }
  if (intends && probe.pulses < 3) {
    refuse(
        fmt::format("probe.pulses = {} of intended movements are too few to decode", probe.pulses),
        "write probe.pulses = 3 or more");
  }
  if (!probe.moving.empty() && !surrounds && !intends && probe.kind != ProbeKind::none) {
    refuse("probe.moving has an effect only with probe.kind = \"surround\" or \"intention\"",
           "write that kind, or leave it out");
  }
  for (const double digit : surrounds ? probe.moving : std::vector<double>{}) {
    if (muscle_index(probe.muscle) != kArmMuscles + static_cast<int>(finger_of_digit(digit)))
      continue;
    refuse(fmt::format("probe.muscle = {} is the muscle of digit {:g}, which moves",
                       toml_text(probe.muscle), digit),
           "probe another muscle, or write another digit in probe.moving");
  }
  std::vector<std::string> muscles;
  for (const MuscleField& field : kMuscleFields) muscles.emplace_back(field.name);
  if (muscle_index(probe.muscle) < 0) {
    refuse(fmt::format("probe.muscle = {} is no muscle", toml_text(probe.muscle)),
           did_you_mean(probe.muscle, muscles,
                        fmt::format("muscles are {}", fmt::join(muscles, ", "))));
  }
  if (!probe.site.empty() && !on_sheet(probe.site)) {
    refuse("probe.site is no place on the motor sheet",
           fmt::format("write [x, y] with x up to {} and y up to {}, or [] for the centre of the "
                       "muscle's field",
                       kSheetWidth, kSheetHeight));
  }
}

struct Schedule {
  std::vector<LabelledBlock> blocks;
  std::vector<Place> where;
  std::vector<bool> needs_kind;  ///< keys of a probe are written, and no kind, not even "none"
};

std::map<std::string, Schedule> read_schedules(Document& document, Problems& problems) {
  // A table of a block may share its name with a phase: block.NAME.KEY is the phase's or the
  // table's by its KEY, of which none is in both.
  std::vector<std::string> block_keys;
  for (const Key& key : list_keys(Block{}))
    if (key.kind != Key::Kind::table) block_keys.push_back(key.name);
  std::map<std::string, Schedule> schedules;
  for (ScheduleText& text : document.schedules) {
    Schedule schedule;
    for (BlockText& block_text : text.blocks) {
      LabelledBlock labelled;
      read(labelled, block_text.keys, {""}, problems);
      const std::string& phase = labelled.phase;
      const bool taken = std::find(block_keys.begin(), block_keys.end(), phase) != block_keys.end();
      if (!phase.empty() && (taken || !is_identifier(phase))) {
        problems.add(place_in(block_text.keys, "phase", block_text.where),
                     fmt::format("phase = {} cannot be a label", toml_text(phase)),
                     taken ? "choose one that is not a key of a block"
                           : "use letters, digits, '_' and (not first) '-'");
      }
      schedule.blocks.push_back(labelled);
      schedule.where.push_back(block_text.where);
      schedule.needs_kind.push_back(
          !find_setting(block_text.keys, "probe.kind") &&
          std::any_of(block_text.keys.begin(), block_text.keys.end(),
                      [](const Setting& setting) { return setting.key.starts_with("probe."); }));
    }
    schedules[text.name] = std::move(schedule);
  }
  return schedules;
}

/// Prefixes under which an override for `name`d group and block phase may stand.
std::vector<std::string> block_prefixes(const std::string& group, const std::string& phase) {
  std::vector<std::string> prefixes;
  for (const std::string& start : {"group." + group + ".", std::string()}) {
    if (!phase.empty()) prefixes.push_back(start + "block." + phase + ".");
    prefixes.push_back(start + "block.");
  }
  return prefixes;
}

/// Appends the layer's keys that are of no block and no other group. `own`: "group.NAME.".
void note_written(const Layer& layer, const std::string& own, std::vector<Written>& written) {
  for (const Setting& setting : layer) {
    const bool is_own = setting.key.starts_with(own);
    const std::string key = setting.key.substr(is_own ? own.size() : 0);
    if (key.starts_with("brain.") || key.starts_with("body.") || key.starts_with("record."))
      written.push_back({key, setting.where.text()});
  }
}

/// Whether `text` has `word` with no letter, digit or underscore beside it.
bool has_word(std::string_view text, std::string_view word) {
  const auto in_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end])))
      return true;
  }
  return false;
}

/// What the subjects of a group differ in. A key that `later` layers set, for group `own`
/// ("group.NAME.") or all, is the same for all subjects.
std::vector<Varied> read_varied(GroupText& text, const std::string& own,
                                const std::vector<Layer*>& later, const SubjectTables& tables,
                                Problems& problems) {
  std::vector<Varied> varied;
  const std::vector<Key> keys = list_keys(tables);
  for (Setting& setting : text.vary) {
    const std::string& key = setting.key;
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const Key& one) {
      return one.name == key && one.kind != Key::Kind::table;
    });
    if (known == keys.end()) continue;  // reported as unknown
    setting.used = true;
    if (known->kind != Key::Kind::real) {
      problems.add(setting.where, fmt::format("vary.{}: subjects cannot differ in it", key),
                   "only numbers that need not be whole can be varied; write groups that differ");
      continue;
    }
    if (key == "brain.scale" || key.ends_with(".spines.spare")) {
      problems.add(setting.where, fmt::format("vary.{}: subjects cannot differ in it", key),
                   "it gives the sizes of files, which all subjects share; leave it out");
      continue;
    }
    const auto* range = std::get_if<std::vector<double>>(&setting.value);
    if (!range || range->size() != 2 || !((*range)[0] < (*range)[1])) {
      problems.add(setting.where, fmt::format("vary.{} is no range", key),
                   fmt::format("write the smallest and the largest value without units, {} = [LOW, "
                               "HIGH]",
                               key));
      continue;
    }
    if (find_setting(text.set, key)) {
      problems.add(setting.where, fmt::format("{} is both set and varied", key),
                   "leave out one of them");
      continue;
    }
    for (const double end : *range) {
      Layer layer = {{key, end, setting.where}};
      SubjectTables trial = tables;
      read(trial, layer, {""}, problems);
    }
    const bool fixed = std::any_of(later.begin(), later.end(), [&](Layer* layer) {
      return find_setting(*layer, own + key) || find_setting(*layer, key);
    });
    if (!fixed) varied.push_back({key, (*range)[0], (*range)[1]});
  }
  std::sort(varied.begin(), varied.end(),
            [](const Varied& a, const Varied& b) { return a.key < b.key; });
  return varied;
}

/// Puts the layers on top of each other. Marks the settings that some struct knows.
Experiment build(Document& document, bool use_quick, Problems& problems) {
  Experiment experiment;
  Layer no_quick;
  Layer& quick = use_quick ? document.quick : no_quick;
  Layer& command_line = document.command_line;

  TopLevel top;
  read(top, document.file, {""}, problems);
  SubjectTables shared;
  read(shared, document.file, {""}, problems);
  const SubjectTables of_file = shared;
  read(RecordTable{experiment.record}, document.file, {""}, problems);
  Seed seed{top.seed};
  Quick cut;
  read(cut, quick, {""}, problems);
  for (Layer* layer : {&quick, &command_line}) {
    read(shared, *layer, {""}, problems);
    read(RecordTable{experiment.record}, *layer, {""}, problems);
    read(seed, *layer, {""}, problems);
  }
  if (top.name.starts_with('.') || top.name.find_first_of("/\\") != std::string::npos)
    problems.add(place_in(document.file, "name", Place{}),
                 fmt::format("name = {} cannot name the run's directory", toml_text(top.name)),
                 "leave out slashes and a point at the beginning; --out says where it goes");
  experiment.name = top.name;
  experiment.title = top.title;
  experiment.description = top.description;
  experiment.cut = top.cut;
  experiment.seed = static_cast<std::uint64_t>(seed.seed);
  experiment.brain = shared.brain;
  experiment.body = shared.body;

  const std::map<std::string, Schedule> schedules = read_schedules(document, problems);
  std::vector<std::string> schedule_names;
  for (const auto& [name, schedule] : schedules) schedule_names.push_back(name);
  if (schedules.empty()) {
    problems.add(document.start, "no schedule",
                 "write [schedules.NAME] with blocks = [ {trials = 10} ]", true);
  }

  if (document.groups.empty()) document.groups.push_back({{}, {}, {}, document.start});
  const bool single = document.groups.size() == 1;
  std::set<std::string> seen;
  for (GroupText& text : document.groups) {
    GroupKeys keys;
    keys.subjects = top.subjects;
    read(keys, text.keys, {""}, problems);
    if (keys.name.empty() && single) keys.name = "all";
    if (!is_identifier(keys.name)) {
      problems.add(place_in(text.keys, "name", text.where),
                   keys.name.empty()
                       ? "a group without a name"
                       : fmt::format("group name {} is not an identifier", toml_text(keys.name)),
                   "write name = \"…\" with letters, digits, '_' and (not first) '-'",
                   keys.name.empty());
    } else if (!seen.insert(keys.name).second) {
      problems.add(place_in(text.keys, "name", text.where),
                   fmt::format("a second group with the name {}", keys.name),
                   "give every group its own name");
    }
    if (keys.schedule.empty() && schedules.size() == 1) keys.schedule = schedule_names.front();
    const auto found = schedules.find(keys.schedule);
    if (found == schedules.end() && !schedules.empty()) {
      problems.add(
          place_in(text.keys, "schedule", text.where),
          keys.schedule.empty() ? fmt::format("group {} does not say its schedule", keys.name)
                                : fmt::format("no schedule {}", keys.schedule),
          did_you_mean(keys.schedule, schedule_names,
                       fmt::format("write schedule = one of {}", fmt::join(schedule_names, ", "))),
          keys.schedule.empty());
    }
    const Schedule schedule = found == schedules.end() ? Schedule{} : found->second;

    Group group;
    group.name = keys.name;
    group.label = keys.label.empty() ? keys.name : keys.label;
    const std::string own = "group." + group.name + ".";
    group.where = text.where.text();
    note_written(document.file, own, group.written);
    for (const Layer* layer : {&text.vary, &text.set, &quick, &command_line})
      note_written(*layer, own, group.written);

    SubjectTables tables = of_file;
    read(tables, text.set, {""}, problems);
    for (Layer* layer : {&quick, &command_line}) read(tables, *layer, {own, ""}, problems);
    group.brain = tables.brain;
    group.body = tables.body;
    group.varied = read_varied(text, own, {&quick, &command_line}, tables, problems);

    Counts quick_counts{keys.subjects};
    read(quick_counts, quick, {own, ""}, problems);
    Counts counts{std::min(keys.subjects, quick_counts.subjects)};
    read(counts, command_line, {own, ""}, problems);
    group.subjects = counts.subjects;

    double nearest_m = group.body.distance_m;  // of any subject's targets
    for (const Varied& varied : group.varied)
      if (varied.key == "body.distance_m") nearest_m = varied.low;
    for (std::size_t b = 0; b < schedule.blocks.size(); ++b) {
      const std::string& phase = schedule.blocks[b].phase;
      Block block = schedule.blocks[b].block;
      std::vector<std::string> in_set = {"block."};
      if (!phase.empty()) in_set.insert(in_set.begin(), "block." + phase + ".");
      read(block, text.set, in_set, problems);
      read(block, quick, block_prefixes(group.name, phase), problems);
      block.trials = std::max<std::int64_t>(
          1, std::llround(static_cast<double>(block.trials) * cut.trials_factor));
      read(block, command_line, block_prefixes(group.name, phase), problems);
      check_block(block, nearest_m, group.brain.cortex.observation.connected,
                  group.brain.cortex.afferents.connected, schedule.where[b], problems);
      if (schedule.needs_kind[b] && block.probe.kind == ProbeKind::none) {
        problems.add(schedule.where[b], "keys of a probe have no effect without probe.kind",
                     "write for example probe.kind = \"recruitment\", or \"none\" to leave it off",
                     true);
      }
      group.blocks.push_back(block);
      group.phases.push_back(phase);
    }
    experiment.groups.push_back(std::move(group));
  }
  return experiment;
}

void report_unknown(const Layer& layer, const std::vector<std::string>& known, Problems& problems) {
  for (const Setting& setting : layer) {
    if (setting.used) continue;
    if (std::find(known.begin(), known.end(), setting.key) != known.end()) {
      problems.add(setting.where, fmt::format("{} is a table of keys", setting.key),
                   fmt::format("write {}.KEY = VALUE", setting.key));
      continue;
    }
    // "schedule.day.blocks" is as little known as a whole as "schedules.day.blocks" is.
    const std::string table = setting.key.substr(0, setting.key.find('.'));
    std::string meant = nearest(setting.key, known);
    if (meant.empty() && table != setting.key) {
      meant = nearest(table, known);
      if (meant == table)
        meant.clear();
      else if (!meant.empty())
        meant += setting.key.substr(table.size());
    }
    problems.add(setting.where, fmt::format("unknown key {}", setting.key),
                 meant.empty() ? "`quartet describe` lists all keys"
                               : fmt::format("did you mean {}?", meant));
  }
}

/// The same of a group's vary.
void report_unknown_varied(const Layer& layer, const std::vector<std::string>& known,
                           Problems& problems) {
  Layer of_tables;
  for (const Setting& setting : layer) {
    if (setting.key.starts_with("brain.") || setting.key.starts_with("body.")) {
      of_tables.push_back(setting);
    } else {
      problems.add(setting.where,
                   fmt::format("vary.{}: subjects of a group differ in numbers of [brain] and "
                               "[body] alone",
                               setting.key),
                   "write groups that differ");
    }
  }
  report_unknown(of_tables, known, problems);
}

/// Unknown keys of a layer of overrides: a group's set, [quick] or the command line.
void report_unknown_overrides(const Layer& layer, bool in_group, bool in_quick,
                              const std::vector<std::string>& groups,
                              const std::set<std::string>& phases, Problems& problems) {
  std::vector<std::string> tables = names_of(list_keys(SubjectTables{}));
  std::vector<std::string> known = in_group ? tables : table_key_names();
  const std::vector<std::string> block_keys = block_key_names();
  for (const std::string& key : block_keys) known.push_back("block." + key);
  for (const std::string& phase : phases) {
    for (const std::string& key : block_keys) known.push_back("block." + phase + "." + key);
  }
  if (!in_group) append(known, {"subjects", "seed"});
  if (in_quick) known.push_back("trials_factor");
  std::vector<std::string> of_file = names_of(list_keys(TopLevel{}));
  std::erase(of_file, "cut");  // nobody may write it
  const std::vector<std::string> of_group = names_of(list_keys(GroupKeys{}));
  const auto among = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };

  for (const Setting& setting : layer) {
    if (setting.used) continue;
    std::string key = setting.key;
    const auto starts = [&](std::string_view start) { return key.rfind(start, 0) == 0; };
    if (in_group && (key == "subjects" || key == "seed" || starts("record.") || starts("group."))) {
      problems.add(setting.where, fmt::format("{} cannot stand in a group's set", key),
                   key == "subjects" ? "write it beside set, as a key of the group"
                                     : "write it for all groups, at the file's top level");
      continue;
    }
    std::string own;
    if (starts("group.")) {
      const std::size_t end = key.find('.', 6);
      const std::string name = key.substr(6, end == key.npos ? key.npos : end - 6);
      if (end == key.npos || !among(groups, name)) {
        problems.add(
            setting.where, fmt::format("no group {}", name),
            did_you_mean(name, groups, fmt::format("groups are {}", fmt::join(groups, ", "))));
        continue;
      }
      own = key.substr(0, end + 1);
      key = key.substr(end + 1);
    }
    if (starts("block.") && key.find('.', 6) != key.npos && !starts("block.probe.") &&
        !starts("block.drug.")) {
      const std::string phase = key.substr(6, key.find('.', 6) - 6);
      if (!phases.count(phase)) {
        const std::vector<std::string> names(phases.begin(), phases.end());
        problems.add(
            setting.where, fmt::format("no block has phase = {}", toml_text(phase)),
            names.empty()
                ? "give a block a phase, or write block.KEY for all blocks"
                : did_you_mean(phase, names, fmt::format("phases are {}", fmt::join(names, ", "))));
        continue;
      }
    }
    if (among(of_file, key) || among(of_group, key)) {
      const bool group_has_it = among(of_group, key) && (in_group || !own.empty());
      problems.add(setting.where, fmt::format("{} cannot be set here", setting.key),
                   among(of_file, key) && !group_has_it ? "write it at the file's top level"
                                                        : "write it in the file's [[group]]");
      continue;
    }
    const std::string close = nearest(key, known);
    problems.add(setting.where, fmt::format("unknown key {}", setting.key),
                 close.empty() || close == key ? "`quartet describe` lists all keys"
                                               : fmt::format("did you mean {}{}?", own, close),
                 close == key);  // not read, because something else is wrong
  }
}

void report_all_unknown(Document& document, const std::map<std::string, Schedule>& schedules,
                        const std::vector<std::string>& groups, Problems& problems) {
  std::set<std::string> phases;
  for (const auto& [name, schedule] : schedules) {
    for (const LabelledBlock& block : schedule.blocks) {
      if (!block.phase.empty()) phases.insert(block.phase);
    }
  }
  std::vector<std::string> known = names_of(list_keys(TopLevel{}));
  append(known, table_key_names());
  append(known, {"schedules", "group", "quick"});
  report_unknown(document.file, known, problems);
  for (const ScheduleText& schedule : document.schedules) {
    for (const BlockText& block : schedule.blocks) {
      report_unknown(block.keys, names_of(list_keys(LabelledBlock{})), problems);
    }
  }
  std::vector<std::string> group_keys = names_of(list_keys(GroupKeys{}));
  append(group_keys, {"set", "vary"});
  const std::vector<std::string> varied_keys = names_of(list_keys(SubjectTables{}));
  for (const GroupText& group : document.groups) {
    report_unknown(group.keys, group_keys, problems);
    report_unknown_varied(group.vary, varied_keys, problems);
    report_unknown_overrides(group.set, true, false, groups, phases, problems);
  }
  report_unknown_overrides(document.quick, false, true, groups, phases, problems);
  report_unknown_overrides(document.command_line, false, false, groups, phases, problems);
}

// ---------------------------------------------------------------------------------------------
// The cut, and the way back to text.

/// How the text of what is not left out, but different, begins.
constexpr std::string_view kOther = "other than in the file: ";

/// "key used instead of full", and whether that is less of the same.
struct Difference {
  std::string text;
  bool cut = false;
};

/// All that a group does differently; its trials only where they are as many, in other blocks.
std::vector<Difference> differences(const Group& used, const Group& full) {
  std::vector<Difference> parts;
  const bool as_many = trials_of(used.blocks) == trials_of(full.blocks);
  const auto compare = [&](const std::string& prefix, const std::vector<Key>& now,
                           const std::vector<Key>& then) {
    for (std::size_t k = 0; k < now.size(); ++k) {
      if (now[k].value == then[k].value) continue;
      if (!prefix.empty() && now[k].name == "trials" && !as_many) continue;
      const bool size = now[k].name == (prefix.empty() ? "brain.scale" : "steps");
      parts.push_back(
          {fmt::format("{}{} {} instead of {}", prefix, now[k].name, now[k].value, then[k].value),
           size && std::stod(now[k].value) < std::stod(then[k].value)});
    }
  };
  compare("", list_keys(SubjectTables{used.brain, used.body}),
          list_keys(SubjectTables{full.brain, full.body}));
  for (const Varied& varied : full.varied) {
    const auto same = [&](const Varied& other) { return other.key == varied.key; };
    if (std::none_of(used.varied.begin(), used.varied.end(), same))
      parts.push_back({fmt::format("{} the same for all subjects", varied.key), false});
  }
  for (std::size_t b = 0; b < full.blocks.size(); ++b) {
    const std::string block =
        full.phases[b].empty() ? fmt::format("block {}", b + 1) : full.phases[b];
    compare(block + " ", list_keys(used.blocks[b]), list_keys(full.blocks[b]));
  }
  return parts;
}

std::vector<std::string> names_of_groups(const Experiment& experiment) {
  std::vector<std::string> names;
  for (const Group& group : experiment.groups) names.push_back(group.name);
  return names;
}

/// Leaves groups out that are not among `names`.
void keep_groups(const std::vector<std::string>& names, Experiment& experiment) {
  std::erase_if(experiment.groups, [&](const Group& group) {
    return std::find(names.begin(), names.end(), group.name) == names.end();
  });
}

/// What `used` leaves out of `full` or does differently, for people; empty if nothing.
std::string describe_cut(const Experiment& used, Experiment full) {
  std::vector<std::string> cuts, others;
  if (used.groups.size() < full.groups.size()) {
    cuts.push_back(fmt::format("{} of {} groups", used.groups.size(), full.groups.size()));
    keep_groups(names_of_groups(used), full);
  }
  std::int64_t subjects = 0, all_subjects = 0;
  bool fewer = false, more = false;  // subjects in a group
  // Percent of a group's trials.
  double least = std::numeric_limits<double>::infinity(), most = 0;
  // Each difference, with the groups that it is in.
  std::vector<std::pair<Difference, std::vector<std::string>>> changed;
  for (std::size_t g = 0; g < full.groups.size(); ++g) {
    subjects += used.groups[g].subjects;
    all_subjects += full.groups[g].subjects;
    fewer = fewer || used.groups[g].subjects < full.groups[g].subjects;
    more = more || used.groups[g].subjects > full.groups[g].subjects;
    const double percent = 100.0 * static_cast<double>(trials_of(used.groups[g].blocks)) /
                           static_cast<double>(trials_of(full.groups[g].blocks));
    least = std::min(least, percent);
    most = std::max(most, percent);
    for (const Difference& found : differences(used.groups[g], full.groups[g])) {
      const auto same = std::find_if(changed.begin(), changed.end(), [&](const auto& entry) {
        return entry.first.text == found.text;
      });
      if (same == changed.end()) {
        changed.push_back({found, {full.groups[g].name}});
      } else {
        same->second.push_back(full.groups[g].name);
      }
    }
  }
  if (fewer && more) {
    for (std::size_t g = 0; g < full.groups.size(); ++g) {
      const std::int64_t now = used.groups[g].subjects, then = full.groups[g].subjects;
      if (now == then) continue;
      (now < then ? cuts : others)
          .push_back(fmt::format("{}: {} instead of {} subjects", full.groups[g].name, now, then));
    }
  } else if (fewer || more) {
    (fewer ? cuts : others)
        .push_back(fmt::format("{} instead of {} subjects", subjects, all_subjects));
  }
  if (least != 100 || most != 100) {
    const std::string from = fmt::format("{:.0f}", least), to = fmt::format("{:.0f}", most);
    (most <= 100 ? cuts : others)
        .push_back(from == to ? to + " % of the trials"
                              : fmt::format("{} to {} % of a group's trials", from, to));
  }
  if (used.seed != full.seed) {
    others.push_back(fmt::format("seed {} instead of {}", used.seed, full.seed));
  }
  for (const auto& [difference, groups] : changed) {
    (difference.cut ? cuts : others)
        .push_back(groups.size() == full.groups.size()
                       ? difference.text
                       : fmt::format("{}: {}", fmt::join(groups, ", "), difference.text));
  }
  if (!others.empty()) cuts.push_back(fmt::format("{}{}", kOther, fmt::join(others, "; ")));
  return fmt::format("{}", fmt::join(cuts, "; "));
}

/// Value texts of a schedule, by which equal ones are found.
std::string schedule_text(const Group& group) {
  std::string text = "blocks = [\n";
  for (std::size_t b = 0; b < group.blocks.size(); ++b) {
    std::string line;
    for (const Key& key : list_keys(LabelledBlock{group.phases[b], group.blocks[b]})) {
      if (key.kind == Key::Kind::table) continue;
      if (key.name == "phase" && group.phases[b].empty()) continue;
      line += (line.empty() ? "" : ", ") + key.name + " = " + key.value;
    }
    text += "  {" + line + "},\n";
  }
  return text + "]\n";
}

std::string comment_of(const Key& key) {
  std::string comment;
  if (!key.unit.empty() && key.unit != "1") comment += key.unit + "; ";
  if (const std::string range = key.range(); !range.empty()) comment += range + "; ";
  if (key.kind == Key::Kind::choice) comment += key.type() + "; ";
  comment += key.doc;
  // A line break would end the comment.
  std::replace(comment.begin(), comment.end(), '\n', ' ');
  return comment;
}

/// `[table]` headers with their keys; a table's keys stand together wherever they were declared.
void write_tables(const std::vector<Key>& keys, bool comments, std::string& out) {
  const auto table_of = [](const Key& key) {
    return key.kind == Key::Kind::table ? key.name : key.name.substr(0, key.name.rfind('.'));
  };
  for (const Key& table : keys) {
    if (table.kind != Key::Kind::table) continue;
    out += comments ? fmt::format("\n[{}]  # {}\n", table.name, comment_of(table))
                    : fmt::format("[{}]\n", table.name);
    for (const Key& key : keys) {
      if (key.kind == Key::Kind::table || table_of(key) != table.name) continue;
      out += key.name.substr(table.name.size() + 1) + " = " + key.value;
      out += comments ? "  # " + comment_of(key) + "\n" : "\n";
    }
  }
}

std::string write_experiment(const Experiment& experiment, bool comments) {
  std::string out;
  TopLevel top;
  top.name = experiment.name;
  top.title = experiment.title;
  top.description = experiment.description;
  top.cut = experiment.cut;
  top.seed = static_cast<std::int64_t>(experiment.seed);
  for (const Key& key : list_keys(top)) {
    if (key.name == "subjects") continue;  // every group says its own
    out += key.name + " = " + key.value;
    out += comments ? "  # " + comment_of(key) + "\n" : "\n";
  }
  const std::vector<Key> shared = list_keys(SubjectTables{experiment.brain, experiment.body});
  write_tables(shared, comments, out);
  RecordParameters record = experiment.record;
  write_tables(list_keys(RecordTable{record}), comments, out);

  if (comments) {
    out += "\n# Schedules, each named after the first group that follows it. Keys of a block:\n";
    for (const Key& key : list_keys(LabelledBlock{})) {
      out += fmt::format("#   {}: {}\n", key.name, comment_of(key));
    }
  }
  std::map<std::string, std::string> names;  // schedule text → name
  for (const Group& group : experiment.groups) {
    const std::string text = schedule_text(group);
    if (names.emplace(text, group.name).second) {
      out += fmt::format("{}[schedules.{}]\n{}", comments ? "\n" : "", group.name, text);
    }
  }
  for (const Group& group : experiment.groups) {
    if (comments) out += "\n";
    out += fmt::format("[[group]]\nname = {}\nlabel = {}\nsubjects = {}\nschedule = {}\n",
                       toml_text(group.name), toml_text(group.label), group.subjects,
                       toml_text(names.at(schedule_text(group))));
    const std::vector<Key> own = list_keys(SubjectTables{group.brain, group.body});
    std::string set;
    for (std::size_t k = 0; k < own.size(); ++k) {
      if (own[k].value == shared[k].value) continue;
      set += own[k].name + " = " + own[k].value;
      set += comments ? "  # " + comment_of(own[k]) + "\n" : "\n";
    }
    if (!set.empty()) out += "[group.set]\n" + set;
    if (!group.varied.empty()) out += "[group.vary]\n";
    for (const Varied& varied : group.varied)
      out +=
          fmt::format("{} = [{}, {}]\n", varied.key, toml_real(varied.low), toml_real(varied.high));
  }
  return out;
}

}  // namespace

// ---------------------------------------------------------------------------------------------

void RecordSpikes::visit(ParameterVisitor& v) {
  v.integer("subjects", subjects, {"1", 0, 10000},
            "the first so many subjects of every group have their spikes recorded");
  v.boolean("cortex", cortex, "spikes of the cortex");
  v.boolean("cerebellum", cerebellum, "spikes of the cerebellum");
  v.boolean("basal_ganglia", basal_ganglia, "spikes of the basal ganglia");
  v.boolean("thalamus", thalamus, "spikes of the thalamus");
}

bool RecordSpikes::wants(std::string_view region, std::int64_t index) const {
  if (index >= subjects) return false;
  return (region == "cortex" && cortex) || (region == "cerebellum" && cerebellum) ||
         (region == "basal_ganglia" && basal_ganglia) || (region == "thalamus" && thalamus);
}

void RecordParameters::visit(ParameterVisitor& v) {
  v.integer("rate_bin_ms", rate_bin_ms, {"ms", 1, 10000}, "width of the bins of firing rates");
  v.integer("rate_subjects", rate_subjects, {"1", 0, 10000},
            "the first so many subjects of every group have their firing rates recorded over time");
  v.integer("weights_subjects", weights_subjects, {"1", 0, 10000},
            "the first so many subjects of every group have their plastic weights recorded, at the "
            "start and after every block");
  v.table("spikes", spikes, "single spikes");
}

ExperimentError::ExperimentError(std::vector<std::string> problems)
    : std::runtime_error([&] {
        constexpr std::size_t kShown = 20;
        std::string text;
        for (std::size_t i = 0; i < problems.size() && i < kShown; ++i) text += problems[i] + "\n";
        if (problems.size() > kShown) {
          text += fmt::format("… and {} more\n", problems.size() - kShown);
        }
        if (!text.empty()) text.pop_back();
        return text;
      }()),
      problems_(std::move(problems)) {}

std::string Group::place_of(std::string_view what) const {
  const std::string table = std::string(what.substr(0, what.find(':'))) + ".";
  std::map<std::string, std::string> last;  // place by key
  for (const Written& one : written) last[one.key] = one.where;
  std::vector<std::string> named, in_table;
  for (const auto& [key, place] : last) {
    const bool here = key.starts_with(table);
    if (has_word(what, key) || (here && has_word(what, key.substr(key.rfind('.') + 1))))
      named.push_back(place);
    if (here) in_table.push_back(place);
  }
  if (!named.empty()) return fmt::format("{}", fmt::join(named, ", "));
  return in_table.size() == 1 ? in_table[0] : where;
}

std::vector<Member> Experiment::members() const {
  std::vector<Member> all;
  for (std::size_t g = 0; g < groups.size(); ++g)
    for (std::int64_t k = 0; k < groups[g].subjects; ++k) all.push_back({g, k});
  return all;
}

Subject Experiment::subject(const Member& member) const {
  const Group& group = groups.at(member.group);
  Subject subject{subject_seed(seed, member.subject), group.brain, group.body, group.blocks};
  for (const auto& [key, low, high] : group.varied) {
    const auto bits = random_block({subject.seed, purpose("vary." + key)}, 0, 0, 0);
    set_number(subject, key, low + (high - low) * uniform01(bits[0]));
  }
  return subject;
}

std::vector<std::string> Experiment::varied_keys() const {
  std::vector<std::string> varied;
  for (const Key& key : list_keys(SubjectTables{})) {
    const auto is_varied = [&](const Group& group) {
      return std::any_of(group.varied.begin(), group.varied.end(),
                         [&](const Varied& one) { return one.key == key.name; });
    };
    if (std::any_of(groups.begin(), groups.end(), is_varied)) varied.push_back(key.name);
  }
  return varied;
}

void set_number(Subject& subject, const std::string& key, double value) {
  Layer layer = {{key, value, {}}};
  Problems ignored;
  SubjectTables tables{subject.brain, subject.body};
  read(tables, layer, {""}, ignored);
  subject.brain = tables.brain;
  subject.body = tables.body;
}

std::vector<Number> numbers_of(const Subject& subject, const std::vector<std::string>& keys) {
  std::vector<Number> numbers;
  if (keys.empty()) return numbers;
  for (const Key& key : list_keys(SubjectTables{subject.brain, subject.body}))
    if (numbers.size() < keys.size() && key.name == keys[numbers.size()])
      numbers.push_back({std::stod(key.value), key.unit, key.doc});
  return numbers;
}

Experiment parse_experiment(const std::string& text, const std::string& file_name,
                            const Overrides& overrides) {
  Problems problems;
  Document document = take_apart(text, file_name, problems);
  take_overrides(overrides, document, problems);
  if (const Setting* cut = find_setting(document.file, "cut");
      cut && !text.starts_with(kResolved)) {
    problems.add(cut->where, "cut is written by quartet into resolved.toml", "leave it out");
  }
  if (!problems.empty()) throw ExperimentError(problems.lines());

  Experiment experiment = build(document, !overrides.full, problems);
  // [quick] must be right also where --full ignores it.
  Problems of_other_version;
  build(document, overrides.full, problems.empty() ? problems : of_other_version);
  const std::vector<std::string> groups = names_of_groups(experiment);
  for (const std::string& name : overrides.groups) {
    if (std::find(groups.begin(), groups.end(), name) != groups.end()) continue;
    problems.add(
        {"--group " + name}, "no such group",
        did_you_mean(name, groups, fmt::format("write one of {}", fmt::join(groups, ", "))));
  }
  Problems repeated;
  report_all_unknown(document, read_schedules(document, repeated), groups, problems);
  if (!problems.empty()) throw ExperimentError(problems.lines());

  if (!overrides.groups.empty()) keep_groups(overrides.groups, experiment);
  if (experiment.name.empty()) experiment.name = std::filesystem::path(file_name).stem().string();
  // Comes on top of what a resolved file says itself.
  document.command_line.clear();
  const std::string cut = describe_cut(experiment, build(document, false, problems));
  if (!experiment.cut.empty() && !cut.empty()) experiment.cut += "; ";
  experiment.cut += cut;
  experiment.source_text = text;
  return experiment;
}

Experiment load_experiment(const std::filesystem::path& file, const Overrides& overrides) {
  std::error_code ignored;
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file, ignored)) {
    const char* reason = !stream ? std::strerror(errno) : "it is a directory";
    throw ExperimentError({fmt::format(
        "{}: cannot read the experiment file: {}; write the path of a .toml file, for example "
        "runs/experiments/smoke.toml",
        file.string(), reason)});
  }
  std::stringstream text;
  text << stream.rdbuf();
  return parse_experiment(text.str(), file.string(), overrides);
}

std::string unlike_file(const Experiment& experiment) {
  const std::string& cut = experiment.cut;
  return cut.empty() || cut.starts_with(kOther) ? cut : "not as the file in full: " + cut;
}

std::string resolved_toml(const Experiment& experiment) {
  return std::string(kResolved) + config_digest(experiment) + "\n\n" +
         write_experiment(experiment, true);
}

std::string config_digest(const Experiment& experiment) {
  return sha256_hex(write_experiment(experiment, false));
}

std::uint64_t subject_seed(std::uint64_t experiment_seed, std::int64_t index) {
  // Finalizer of SplitMix64 (Steele et al. 2014), a bijection: for one experiment seed no two
  // subjects can collide.
  const auto mix = [](std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  };
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15u;
  return mix(mix(experiment_seed + kGolden) + kGolden * (static_cast<std::uint64_t>(index) + 1));
}

std::string describe_keys(bool markdown, const std::vector<std::string>& words) {
  std::string out;
  const auto lower = [](std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
  };
  const auto mentions = [&](const std::string& text) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return lower(text).find(lower(word)) != text.npos;
    });
  };
  const auto section = [&](const std::string& title, const std::string& text,
                           std::vector<Key> keys) {
    if (!words.empty() && !mentions(text)) {
      const std::string prefix = title == "Blocks" ? "block." : "";
      std::erase_if(keys, [&](const Key& key) {
        return key.kind == Key::Kind::table || !mentions(prefix + key.name + " " + key.doc);
      });
      if (keys.empty()) return;
    }
    out += markdown ? fmt::format(
                          "## {}\n\n{}\n\n| key | type | unit | range | default | meaning "
                          "|\n|---|---|---|---|---|---|\n",
                          title, text)
                    : fmt::format("{}\n{}\n\n", title, text);
    for (const Key& key : keys) {
      if (key.kind == Key::Kind::table) {
        out += markdown ? fmt::format("| **[{}]** | | | | | {} |\n", key.name, key.doc)
                        : fmt::format("  [{}]  {}\n", key.name, key.doc);
        continue;
      }
      const std::string unit = key.unit == "1" ? "" : key.unit;
      if (markdown) {
        out += fmt::format("| `{}` | {} | {} | {} | `{}` | {} |\n", key.name, key.type(), unit,
                           key.range(), key.value, key.doc);
      } else {
        std::string about = key.type();
        if (!unit.empty()) about += ", " + unit;
        if (const std::string range = key.range(); !range.empty()) about += ", " + range;
        out += fmt::format("  {} = {}  ({})\n      {}\n", key.name, key.value, about, key.doc);
      }
    }
    out += "\n";
  };
  if (markdown && words.empty()) out += "# Keys of an experiment file\n\n";
  section("Top level", "Outside of tables.", list_keys(TopLevel{}));
  RecordParameters record;
  std::vector<Key> tables = list_keys(SubjectTables{});
  for (const Key& key : list_keys(RecordTable{record})) tables.push_back(key);
  section("Tables", "Numbers may carry their unit: \"5 ms\".", tables);
  section("Blocks",
          "[schedules.NAME] has blocks = [ {…}, … ]; the same as [[schedules.NAME.blocks]].",
          list_keys(LabelledBlock{}));
  section("Groups",
          "[[group]], one for each condition, with set = {brain.KEY = …, body.KEY = …, block.KEY = "
          "…, block.PHASE.KEY = …} for what differs, and vary = {brain.KEY = [LOW, HIGH], …} for "
          "numbers that differ between its subjects, uniformly in that range. Without a group, all "
          "subjects form one.",
          list_keys(GroupKeys{}));
  section("Quick",
          "[quick] holds overrides that --full ignores: brain.KEY, body.KEY, record.KEY, "
          "block.KEY, block.PHASE.KEY, group.NAME.KEY, subjects (at most so many), seed, and",
          list_keys(Quick{}));
  return out;
}

}  // namespace quartet
