#include "runs/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>
#include <system_error>
#include <utility>

#include "models/random.hpp"
#include "runs/experiment_cut.hpp"
#include "runs/experiment_document.hpp"
#include "runs/experiment_keys.hpp"
#include "runs/experiment_layers.hpp"
#include "runs/experiment_unknown_keys.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

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

}  // namespace

bool RecordSpikes::wants(std::string_view region, std::int64_t index) const {
  if (index >= subjects) return false;
  return (region == "cortex" && cortex) || (region == "cerebellum" && cerebellum) ||
         (region == "basal_ganglia" && basal_ganglia) || (region == "thalamus" && thalamus);
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

bool Experiment::has_probes() const {
  for (const Group& group : groups)
    for (const Block& block : group.blocks)
      if (block.probe.kind != ProbeKind::none) return true;
  return false;
}

void set_number(Subject& subject, const std::string& key, double value) {
  Layer layer = {{key, value, {}}};
  Problems ignored;
  SubjectTables tables{subject.brain, subject.body};
  read_settings(tables, layer, {""}, ignored);
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
  if (const Setting* cut = find_setting(document.file, "cut"); cut && !is_resolved(text)) {
    problems.add(cut->where, "cut is written by quartet into resolved.toml", "leave it out");
  }
  if (!problems.empty()) throw ExperimentError(problems.lines());

  Experiment experiment = build_experiment(document, !overrides.full, problems);
  // [quick] must be right also where --full ignores it.
  Problems of_other_version;
  build_experiment(document, overrides.full, problems.empty() ? problems : of_other_version);
  const std::vector<std::string> groups = names_of_groups(experiment);
  for (const std::string& name : overrides.groups) {
    if (std::find(groups.begin(), groups.end(), name) != groups.end()) continue;
    problems.add(
        {"--group " + name}, "no such group",
        did_you_mean(name, groups, fmt::format("write one of {}", fmt::join(groups, ", "))));
  }
  report_unknown_keys(document, groups, phases_of(document), problems);
  if (!problems.empty()) throw ExperimentError(problems.lines());

  if (!overrides.groups.empty()) keep_groups(overrides.groups, experiment);
  if (experiment.name.empty()) experiment.name = std::filesystem::path(file_name).stem().string();
  // Comes on top of what a resolved file says itself.
  document.command_line.clear();
  const std::string cut = describe_cut(experiment, build_experiment(document, false, problems));
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

}  // namespace quartet
