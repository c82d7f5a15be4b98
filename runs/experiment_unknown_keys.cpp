#include "runs/experiment_unknown_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "runs/experiment_keys.hpp"

namespace quartet {
namespace {

using Names = std::vector<std::string>;

void append(Names& to, const Names& from) { to.insert(to.end(), from.begin(), from.end()); }

bool among(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether one of `names` is a key of the table with prefix "TABLE.".
bool of_table(const std::string& prefix, const Names& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.starts_with(prefix); });
}

/// "block.a.brain.KEY" and, in a block, "brain.KEY".
bool brain_in_block(const std::string& key, bool in_block) {
  return in_block ? key.starts_with("brain.")
                  : key.starts_with("block.") && key.find(".brain.") != key.npos;
}
constexpr const char* kBrainIsOfRun =
    "brain.KEY holds for the whole run: write it for a group or the file; blocks have cell_loss, "
    "drug and polarization_mv";

void report_table(const Setting& setting, Problems& problems) {
  problems.add(setting.where, fmt::format("{} is a table of keys", setting.key),
               fmt::format("write {}.KEY = VALUE", setting.key));
}

void report_unknown(const Layer& layer, const Names& known, Problems& problems,
                    bool in_block = false) {
  for (const Setting& setting : layer) {
    if (setting.used) continue;
    if (among(known, setting.key)) {
      report_table(setting, problems);
      continue;
    }
    if (brain_in_block(setting.key, in_block)) {
      problems.add(setting.where, fmt::format("unknown key {}", setting.key), kBrainIsOfRun);
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
void report_unknown_varied(const Layer& layer, Problems& problems) {
  Layer of_tables;
  for (const Setting& setting : layer) {
    if (setting.key.starts_with("brain.") || setting.key.starts_with("body.")) {
      of_tables.push_back(setting);
    } else {
      const bool of_block = setting.key.starts_with("block.");
      problems.add(setting.where,
                   fmt::format("vary.{}: subjects of a group differ in numbers of [brain] and "
                               "[body] alone{}",
                               setting.key, of_block ? ", and go through the same blocks" : ""),
                   of_block ? fmt::format("write a [[group]] for each value, with set = {{{} = …}}",
                                          setting.key)
                            : "write groups that differ");
    }
  }
  report_unknown(of_tables, subject_table_names(), problems);
}

/// A layer of overrides.
enum class Overriding { set_of_group, quick, command_line };

/// What is told of the overrides of one layer that nobody has read.
class UnknownOverrides {
 public:
  UnknownOverrides(Overriding layer, const Names& groups, const std::set<std::string>& phases,
                   Problems& problems)
      : in_group_(layer == Overriding::set_of_group),
        groups_(groups),
        phases_(phases.begin(), phases.end()),
        problems_(problems) {
    known_ = in_group_ ? subject_table_names() : table_names();
    const Names block_keys = block_key_names();
    for (const std::string& key : block_keys) known_.push_back("block." + key);
    for (const std::string& phase : phases_)
      for (const std::string& key : block_keys) known_.push_back("block." + phase + "." + key);
    if (!in_group_) append(known_, {"subjects", "seed"});
    if (layer == Overriding::quick) known_.push_back("trials_factor");
    std::erase(of_file_, "cut");  // nobody may write it
  }

  void report(const Layer& layer) {
    for (const Setting& setting : layer)
      if (!setting.used) report(setting);
  }

 private:
  void report(const Setting& setting) {
    std::string key = setting.key;
    if (in_group_ && (key == "subjects" || key == "seed" || key.starts_with("record.") ||
                      key.starts_with("group."))) {
      problems_.add(setting.where, fmt::format("{} cannot stand in a group's set", key),
                    key == "subjects" ? "write it beside set, as a key of the group"
                                      : "write it for all groups, at the file's top level");
      return;
    }
    std::string own;  // "group.NAME.", where the key begins so
    if (key.starts_with("group.")) {
      const std::size_t end = key.find('.', 6);
      const std::string name = key.substr(6, end == key.npos ? key.npos : end - 6);
      if (!among(groups_, name)) {
        report_name(setting, fmt::format("no group {}", name), name, groups_, "groups");
        return;
      }
      if (end == key.npos) {
        report_table(setting, problems_);
        return;
      }
      own = key.substr(0, end + 1);
      key = key.substr(end + 1);
    }
    if (const std::optional<std::string> phase = phase_of(key); phase && !among(phases_, *phase)) {
      const std::string what = fmt::format("no block has phase = {}", toml_text(*phase));
      if (phases_.empty())
        problems_.add(setting.where, what,
                      "give a block a phase, or write block.KEY for all blocks");
      else
        report_name(setting, what, *phase, phases_, "phases");
      return;
    }
    if (const auto [reason, remedy] = out_of_reach(key, own); !remedy.empty()) {
      problems_.add(setting.where, fmt::format("{} cannot be set here{}", setting.key, reason),
                    remedy);
      return;
    }
    if (of_table(key + ".", known_)) {
      report_table(setting, problems_);
      return;
    }
    if (brain_in_block(key, false)) {
      problems_.add(setting.where, fmt::format("unknown key {}", setting.key), kBrainIsOfRun);
      return;
    }
    const std::string close = nearest(key, known_);
    const bool of_one_group = in_group_ || !own.empty();
    if (const auto phase = phase_of(key); phase && close == key && of_one_group) {
      problems_.add(setting.where,
                    fmt::format("{}: the group's schedule has no block with phase = {}",
                                setting.key, toml_text(*phase)),
                    "write a phase that it has", true);
      return;
    }
    problems_.add(setting.where, fmt::format("unknown key {}", setting.key),
                  close.empty() || close == key ? "`quartet describe` lists all keys"
                                                : fmt::format("did you mean {}{}?", own, close),
                  close == key);  // not read, because something else is wrong
  }

  struct OutOfReach {
    std::string reason, remedy;
  };
  /// Why an override cannot set what is a key of the file, and what to do instead; empty where it
  /// is none. `own`: "group.NAME." in front of it.
  OutOfReach out_of_reach(const std::string& key, const std::string& own) const {
    const std::string table = key.substr(0, key.find('.')), last = key.substr(key.rfind('.') + 1);
    const bool group_has_it = among(of_group_, key) && (in_group_ || !own.empty());
    if (among(of_file_, key) && !group_has_it) return {"", "write it at the file's top level"};
    if (among(of_group_, key) || table == "set" || table == "vary")
      return {"", "write it in the file's [[group]]"};
    if (table == "schedules" || table == "schedule")
      return {": overrides change values of blocks, not which blocks there are",
              "write block.KEY or block.PHASE.KEY, or edit the file's [schedules.NAME]"};
    if (last == "phase")
      return {": it is the label by which overrides find a block", "edit the block in the file"};
    if (last == "trials_factor")
      return {": it is of all blocks and groups, in [quick]",
              "write block.trials or block.PHASE.trials, or edit the file's [quick]"};
    if (key == "group")
      return {": every group has keys of its own", "write group.NAME.KEY = VALUE"};
    if (table == "quick") return {": [quick] is a layer of its own", "leave out \"quick.\""};
    if (table == "record" && !own.empty())
      return {": it is the same for all groups", fmt::format("leave out \"{}\"", own)};
    return {};
  }

  void report_name(const Setting& setting, const std::string& what, const std::string& name,
                   const Names& names, std::string_view these) {
    problems_.add(
        setting.where, what,
        did_you_mean(name, names, fmt::format("{} are {}", these, fmt::join(names, ", "))));
  }

  /// PHASE of "block.PHASE.KEY"; none of "block.TABLE.KEY".
  static std::optional<std::string> phase_of(const std::string& key) {
    const std::size_t end = key.starts_with("block.") ? key.find('.', 6) : key.npos;
    if (end == key.npos || of_table(key.substr(6, end - 5), block_key_names())) return std::nullopt;
    return key.substr(6, end - 6);
  }

  bool in_group_;
  const Names& groups_;
  Names phases_;
  Problems& problems_;
  Names known_;
  Names of_file_ = top_level_names();
  Names of_group_ = group_key_names();
};

}  // namespace

void report_unknown_keys(const Document& document, const std::vector<std::string>& groups,
                         const std::set<std::string>& phases, Problems& problems) {
  Names known = top_level_names();
  append(known, table_names());
  append(known, {"schedules", "group", "quick"});
  report_unknown(document.file, known, problems);
  const Names of_block = labelled_block_key_names();
  for (const ScheduleText& schedule : document.schedules)
    for (const BlockText& block : schedule.blocks)
      report_unknown(block.keys, of_block, problems, true);
  Names of_group = group_key_names();
  append(of_group, {"set", "vary"});
  const auto report_overrides = [&](const Layer& layer, Overriding which) {
    UnknownOverrides(which, groups, phases, problems).report(layer);
  };
  for (const GroupText& group : document.groups) {
    report_unknown(group.keys, of_group, problems);
    report_unknown_varied(group.vary, problems);
    report_overrides(group.set, Overriding::set_of_group);
  }
  report_overrides(document.quick, Overriding::quick);
  report_overrides(document.command_line, Overriding::command_line);
}

}  // namespace quartet
