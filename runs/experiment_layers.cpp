#include "runs/experiment_layers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <list>
#include <map>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runs/experiment_block_rules.hpp"
#include "runs/experiment_keys.hpp"

namespace quartet {
namespace {

bool is_identifier(const std::string& text) {
  return !text.empty() && text[0] != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

Place place_in(Layer& layer, std::string_view key, const Place& otherwise) {
  const Setting* setting = find_setting(layer, key);
  return setting ? setting->where : otherwise;
}

/// A block of the file, and its text.
struct WrittenBlock {
  LabelledBlock labelled;
  BlockText* text;
};
using Schedule = std::vector<WrittenBlock>;

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
      read_settings(labelled, block_text.keys, {""}, problems);
      const std::string& phase = labelled.phase;
      const bool taken = std::find(block_keys.begin(), block_keys.end(), phase) != block_keys.end();
      if (!phase.empty() && (taken || !is_identifier(phase))) {
        problems.add(place_in(block_text.keys, "phase", block_text.where),
                     fmt::format("phase = {} cannot be a label", toml_text(phase)),
                     taken ? "choose one that is not a key of a block"
                           : "use letters, digits, '_' and (not first) '-'");
      }
      schedule.push_back({labelled, &block_text});
    }
    schedules[text.name] = std::move(schedule);
  }
  return schedules;
}

/// Prefixes under which an override of the keys of a block may stand; `starts`: those of a table.
std::vector<std::string> block_prefixes(const std::vector<std::string>& starts,
                                        const std::string& phase) {
  std::vector<std::string> prefixes;
  for (const std::string& start : starts) {
    if (!phase.empty()) prefixes.push_back(start + "block." + phase + ".");
    prefixes.push_back(start + "block.");
  }
  return prefixes;
}

/// A layer above the tables and schedules of the file, as a group meets it.
struct Level {
  Layer* layer;
  std::vector<std::string> starts;  ///< of keys for the group, most specific first
  bool cuts_trials = false;         ///< it may have a trials_factor, after its other keys
};
/// From the weakest to the strongest.
using Levels = std::vector<Level>;

/// Appends the layer's keys that are of no block and no other group. `own`: "group.NAME.".
void note_written(const Layer& layer, const std::string& own, std::vector<Written>& written) {
  for (const Setting& setting : layer) {
    const bool is_own = setting.key.starts_with(own);
    const std::string key = setting.key.substr(is_own ? own.size() : 0);
    if (key.starts_with("brain.") || key.starts_with("body.") || key.starts_with("record."))
      written.push_back({key, setting.where.text()});
  }
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
      read_settings(trial, layer, {""}, problems);
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

/// An experiment in the making.
class Builder {
 public:
  Builder(Document& document, bool use_quick, Problems& problems)
      : document_(document),
        quick_(use_quick ? document.quick : no_quick_),
        command_line_(document.command_line),
        problems_(problems) {}

  Experiment build() {
    Experiment experiment = read_shared();
    schedules_ = read_schedules(document_, problems_);
    for (const auto& [name, schedule] : schedules_) schedule_names_.push_back(name);
    if (schedules_.empty()) {
      problems_.add(document_.start, "no schedule",
                    "write [schedules.NAME] with blocks = [ {trials = 10} ]", true);
    }
    if (document_.groups.empty()) document_.groups.push_back({{}, {}, {}, document_.start});
    for (GroupText& text : document_.groups) experiment.groups.push_back(read_group(text));
    return experiment;
  }

 private:
  /// What is of no group.
  Experiment read_shared() {
    Experiment experiment;
    read_settings(top_, document_.file, {""}, problems_);
    SubjectTables shared;
    read_settings(shared, document_.file, {""}, problems_);
    of_file_ = shared;
    read_settings(RecordTable{experiment.record}, document_.file, {""}, problems_);
    Seed seed{top_.seed};
    // Blocks read it again; it is a known key also where there is none.
    read_settings(Quick{}, quick_, {""}, problems_);
    for (Layer* layer : {&quick_, &command_line_}) {
      read_settings(shared, *layer, {""}, problems_);
      read_settings(RecordTable{experiment.record}, *layer, {""}, problems_);
      read_settings(seed, *layer, {""}, problems_);
    }
    if (top_.name.starts_with('.') || top_.name.find_first_of("/\\") != std::string::npos)
      problems_.add(place_in(document_.file, "name", Place{}),
                    fmt::format("name = {} cannot name the run's directory", toml_text(top_.name)),
                    "leave out slashes and a point at the beginning; --out says where it goes");
    experiment.name = top_.name;
    experiment.title = top_.title;
    experiment.description = top_.description;
    experiment.cut = top_.cut;
    experiment.seed = static_cast<std::uint64_t>(seed.seed);
    experiment.brain = shared.brain;
    experiment.body = shared.body;
    return experiment;
  }

  Group read_group(GroupText& text) {
    const GroupKeys keys = read_keys(text);
    const Schedule& schedule = schedule_of(text, keys.schedule, keys.name);
    Group group;
    group.name = keys.name;
    group.label = keys.label.empty() ? keys.name : keys.label;
    const std::string own = "group." + group.name + ".";
    group.where = text.where.text();
    note_written(document_.file, own, group.written);
    for (const Layer* layer : {&text.vary, &text.set, &quick_, &command_line_})
      note_written(*layer, own, group.written);

    const Levels levels = {
        {&text.set, {""}}, {&quick_, {own, ""}, true}, {&command_line_, {own, ""}}};
    const SubjectTables tables = read_tables(levels, problems_);
    group.brain = tables.brain;
    group.body = tables.body;
    group.varied = read_varied(text, own, {&quick_, &command_line_}, tables, problems_);

    Counts quick_counts{keys.subjects};
    read_settings(quick_counts, quick_, {own, ""}, problems_);
    Counts counts{std::min(keys.subjects, quick_counts.subjects)};
    read_settings(counts, command_line_, {own, ""}, problems_);
    group.subjects = counts.subjects;

    for (const WrittenBlock& written : schedule) {
      group.blocks.push_back(read_block(written.labelled, levels, problems_));
      group.phases.push_back(written.labelled.phase);
      check(written, group.blocks.back(), levels, group.varied);
    }
    return group;
  }

  /// A group's own keys, with a name and a schedule where these need not be written.
  GroupKeys read_keys(GroupText& text) {
    GroupKeys keys;
    keys.subjects = top_.subjects;
    read_settings(keys, text.keys, {""}, problems_);
    if (keys.name.empty() && document_.groups.size() == 1) keys.name = "all";
    if (!is_identifier(keys.name)) {
      problems_.add(place_in(text.keys, "name", text.where),
                    keys.name.empty()
                        ? "a group without a name"
                        : fmt::format("group name {} is not an identifier", toml_text(keys.name)),
                    "write name = \"…\" with letters, digits, '_' and (not first) '-'",
                    keys.name.empty());
    } else if (!names_.insert(keys.name).second) {
      problems_.add(place_in(text.keys, "name", text.where),
                    fmt::format("a second group with the name {}", keys.name),
                    "give every group its own name");
    }
    if (keys.schedule.empty() && schedules_.size() == 1) keys.schedule = schedule_names_.front();
    return keys;
  }

  /// The schedule `name`; one without blocks where there is none.
  const Schedule& schedule_of(GroupText& text, const std::string& name, const std::string& group) {
    static const Schedule kNone;
    const auto found = schedules_.find(name);
    if (found != schedules_.end()) return found->second;
    if (!schedules_.empty()) {
      problems_.add(
          place_in(text.keys, "schedule", text.where),
          name.empty() ? fmt::format("group {} does not say its schedule", group)
                       : fmt::format("no schedule {}", name),
          did_you_mean(name, schedule_names_,
                       fmt::format("write schedule = one of {}", fmt::join(schedule_names_, ", "))),
          name.empty());
    }
    return kNone;
  }

  SubjectTables read_tables(const Levels& levels, Problems& problems) const {
    SubjectTables tables = of_file_;
    for (const Level& level : levels) read_settings(tables, *level.layer, level.starts, problems);
    return tables;
  }

  static Block read_block(const LabelledBlock& written, const Levels& levels, Problems& problems) {
    Block block = written.block;
    for (const auto& [layer, starts, cuts_trials] : levels) {
      read_settings(block, *layer, block_prefixes(starts, written.phase), problems);
      if (!cuts_trials) continue;
      Quick cut;
      read_settings(cut, *layer, {""}, problems);
      block.trials = std::max<std::int64_t>(
          1, std::llround(static_cast<double>(block.trials) * cut.trials_factor));
    }
    return block;
  }

  /// Whether a block has `key` in its text or by an override.
  static bool says(const WrittenBlock& written, const Levels& levels, const std::string& key) {
    if (find_setting(written.text->keys, key)) return true;
    for (const Level& level : levels)
      for (const std::string& prefix : block_prefixes(level.starts, written.labelled.phase))
        if (find_setting(*level.layer, prefix + key)) return true;
    return false;
  }

  std::vector<BlockRefusal> refusals(const WrittenBlock& written, const Levels& levels,
                                     const std::vector<Varied>& varied) const {
    Problems told_before;
    const auto [brain, body] = read_tables(levels, told_before);
    double nearest_target_m = body.distance_m;
    for (const Varied& one : varied)
      if (one.key == "body.distance_m") nearest_target_m = one.low;
    const Block block = read_block(written.labelled, levels, told_before);
    return check_block({block, says(written, levels, "rotation_end_deg"), nearest_target_m,
                        brain.cortex.observation.connected, brain.cortex.afferents.connected});
  }

  /// A block of a group, with what `levels` make of it.
  void check(const WrittenBlock& written, const Block& block, const Levels& levels,
             const std::vector<Varied>& varied) {
    Layer& keys = written.text->keys;
    for (const BlockRefusal& one : refusals(written, levels, varied)) {
      const Setting* cause = cause_of(one, written, levels, varied);
      // A misspelt key leaves a value at its default, with which others may not go together.
      problems_.add(cause ? cause->where : written.text->where, one.what, one.remedy, true);
    }
    const bool has_probe_keys = std::any_of(
        keys.begin(), keys.end(), [](const Setting& one) { return one.key.starts_with("probe."); });
    if (has_probe_keys && !find_setting(keys, "probe.kind") &&
        block.probe.kind == ProbeKind::none) {
      problems_.add(written.text->where, "keys of a probe have no effect without probe.kind",
                    "write for example probe.kind = \"recruitment\", or \"none\" to leave it off",
                    true);
    }
  }

  /// The override that a refusal of a block is blamed on; null if it is refused so without any.
  /// Overrides are left out one after the other, the strongest first, each with the weaker ones of
  /// its key, so that only one in force makes a difference. They stay out: of several that are
  /// refused alike, none makes a difference alone.
  const Setting* cause_of(const BlockRefusal& refusal, const WrittenBlock& written,
                          const Levels& levels, const std::vector<Varied>& varied) const {
    const auto prefixes = [&](const Level& level) {
      std::vector<std::string> all = block_prefixes(level.starts, written.labelled.phase);
      all.insert(all.end(), level.starts.begin(), level.starts.end());
      return all;
    };
    Levels left = levels;
    std::list<Layer> kept;
    for (Level& level : left) level.layer = &kept.emplace_back(*level.layer);
    const auto leave_out = [&](const std::string& key) {
      for (const Level& level : left)
        for (const std::string& prefix : prefixes(level))
          std::erase_if(*level.layer, [&](const Setting& one) { return one.key == prefix + key; });
    };
    const auto is_refused = [&] {
      const auto found = refusals(written, left, varied);
      return std::find(found.begin(), found.end(), refusal) != found.end();
    };
    for (auto level = levels.rbegin(); level != levels.rend(); ++level) {
      for (const std::string& prefix : prefixes(*level)) {
        for (auto one = level->layer->rbegin(); one != level->layer->rend(); ++one) {
          if (!one->key.starts_with(prefix)) continue;
          leave_out(one->key.substr(prefix.size()));
          if (!is_refused()) return &*one;
        }
      }
    }
    return nullptr;
  }

  Document& document_;
  Layer no_quick_;
  Layer& quick_;
  Layer& command_line_;
  Problems& problems_;

  TopLevel top_;
  SubjectTables of_file_;  // without what later layers set
  std::map<std::string, Schedule> schedules_;
  std::vector<std::string> schedule_names_;
  std::set<std::string> names_;  // of groups
};

}  // namespace

Experiment build_experiment(Document& document, bool use_quick, Problems& problems) {
  return Builder(document, use_quick, problems).build();
}

std::set<std::string> phases_of(Document& document) {
  std::set<std::string> phases;
  Problems told_before;
  for (const auto& [name, schedule] : read_schedules(document, told_before))
    for (const WrittenBlock& block : schedule)
      if (!block.labelled.phase.empty()) phases.insert(block.labelled.phase);
  return phases;
}

}  // namespace quartet
