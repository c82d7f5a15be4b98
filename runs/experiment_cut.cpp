#include "runs/experiment_cut.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include "runs/experiment_keys.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

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

}  // namespace

std::vector<std::string> names_of_groups(const Experiment& experiment) {
  std::vector<std::string> names;
  for (const Group& group : experiment.groups) names.push_back(group.name);
  return names;
}

void keep_groups(const std::vector<std::string>& names, Experiment& experiment) {
  std::erase_if(experiment.groups, [&](const Group& group) {
    return std::find(names.begin(), names.end(), group.name) == names.end();
  });
}

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

std::string unlike_file(const Experiment& experiment) {
  const std::string& cut = experiment.cut;
  return cut.empty() || cut.starts_with(kOther) ? cut : "not as the file in full: " + cut;
}

}  // namespace quartet
