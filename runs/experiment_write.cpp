/// The way back from an experiment to text: resolved.toml, and the digest of what it says.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runs/digest.hpp"
#include "runs/experiment.hpp"
#include "runs/experiment_keys.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

/// How the text of a resolved experiment begins.
constexpr std::string_view kResolved =
    "# The experiment as used: defaults, file and command line together. Reads back to the\n"
    "# same experiment. Digest: ";

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

bool is_resolved(const std::string& text) { return text.starts_with(kResolved); }

std::string resolved_toml(const Experiment& experiment) {
  return std::string(kResolved) + config_digest(experiment) + "\n\n" +
         write_experiment(experiment, true);
}

std::string config_digest(const Experiment& experiment) {
  return sha256_hex(write_experiment(experiment, false));
}

}  // namespace quartet
