#include "runs/experiment_document.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace quartet {
namespace {

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

/// `value` as TOML, or else as the text that it is: --set block.feedback=none needs no quotes.
Value command_line_value(const std::string& value) {
  try {
    const toml::table table = toml::parse("value = " + value);
    if (table.size() == 1) return value_of(*table.get("value"));
  } catch (const toml::parse_error&) {
  }
  return value;
}

}  // namespace

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

}  // namespace quartet
