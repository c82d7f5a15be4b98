#include "runs/experiment_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "regions/sheet.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

std::vector<std::string> names_of(const std::vector<Key>& keys) {
  std::vector<std::string> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

}  // namespace

void TopLevel::visit(ParameterVisitor& v) {
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

void SubjectTables::visit(ParameterVisitor& v) {
  v.table("brain", brain, "the brain: sizes, parameters, lesions");
  v.table("body", body, "arm, senses and task apparatus");
}

void RecordTable::visit(ParameterVisitor& v) {
  v.table("record", record, "what is written beside behaviour.nc; never changes a result");
}

void GroupKeys::visit(ParameterVisitor& v) {
  v.text("name", name, "identifier, unique: letters, digits, '_' and (not first) '-'");
  v.text("label", label, "for people and figures; default: the name");
  v.integer("subjects", subjects, {"1", 1, 10000}, "number of subjects; default: the file's");
  v.text("schedule", schedule, "NAME of [schedules.NAME]; default: the only one");
}

void LabelledBlock::visit(ParameterVisitor& v) {
  v.text("phase", phase, "label by which overrides (block.PHASE.KEY) and figures find the block");
  block.visit(v);
}

void Counts::visit(ParameterVisitor& v) {
  v.integer("subjects", subjects, {"1", 1, 10000}, "number of subjects in a group");
}

void Seed::visit(ParameterVisitor& v) {
  v.integer("seed", seed, {"1", 0, 9e18}, "seed of the experiment");
}

void Quick::visit(ParameterVisitor& v) {
  v.real("trials_factor", trials_factor, {"1", 0.001, 1},
         "multiplies the trials of every block (at least one is left)");
}

void RecordSpikes::visit(ParameterVisitor& v) {
  v.integer("subjects", subjects, {"1", 0, 10000},
            "the first so many subjects of every group have their spikes recorded");
  v.boolean("cortex", cortex, "spikes of the cortex");
  v.boolean("cerebellum", cerebellum, "spikes of the cerebellum");
  v.boolean("basal_ganglia", basal_ganglia, "spikes of the basal ganglia");
  v.boolean("thalamus", thalamus, "spikes of the thalamus");
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

std::vector<std::string> top_level_names() { return names_of(list_keys(TopLevel{})); }

std::vector<std::string> subject_table_names() { return names_of(list_keys(SubjectTables{})); }

std::vector<std::string> table_names() {
  std::vector<std::string> names = subject_table_names();
  RecordParameters record;
  for (const Key& key : list_keys(RecordTable{record})) names.push_back(key.name);
  return names;
}

std::vector<std::string> group_key_names() { return names_of(list_keys(GroupKeys{})); }

std::vector<std::string> block_key_names() { return names_of(list_keys(Block{})); }

std::vector<std::string> labelled_block_key_names() { return names_of(list_keys(LabelledBlock{})); }

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
  if (out.find("sheet units") != out.npos) {
    out += markdown ? "## Motor sheet\n\n" : "Motor sheet\n";
    out += "Middles of the muscles' fields (x, y in sheet units; SD of a field: " +
           fmt::format("{}", kFieldSd) + "):\n\n";
    for (const MuscleField& field : kMuscleFields)
      out += fmt::format("{}{}: {}, {}\n", markdown ? "- " : "  ", field.name, field.x, field.y);
  }
  return out;
}

}  // namespace quartet
