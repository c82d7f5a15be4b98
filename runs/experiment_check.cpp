#include "runs/experiment_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "comm/placement.hpp"
#include "models/network.hpp"
#include "regions/atlas.hpp"
#include "regions/brain.hpp"
#include "runs/experiment.hpp"

namespace quartet {
namespace {

/// A switch that decides which populations and synapses there are, and so what files have room for:
/// the same in all groups.
struct StructuralSwitch {
  const char* keys;
  double (*value)(const Group&);
  const char* remedy;  ///< for those that want its effect in some groups only
};
constexpr StructuralSwitch kSwitches[] = {
    {"brain.cortex.sheet_plasticity.plastic",
     [](const Group& group) -> double { return group.brain.cortex.sheet_plasticity.plastic; },
     "brain.cortex.sheet_plasticity.learning = false to those that shall not learn"},
    {"brain.cortex.observation.connected",
     [](const Group& group) -> double { return group.brain.cortex.observation.connected; },
     "brain.cortex.observation.learning.rate = 0 to those that shall not learn what they see"},
    {"brain.cortex.afferents.connected",
     [](const Group& group) -> double { return group.brain.cortex.afferents.connected; },
     "to those that shall be without brain.cortex.afferents.drive_mv, .horizontal_pt_weight and "
     ".horizontal_pv_weight = 0 and the biases of a sheet without"},
    {"brain.cortex.sheet_plasticity.spines.structural or .spare",
     [](const Group& group) -> double {
       const SpineParameters& spines = group.brain.cortex.sheet_plasticity.spines;
       return spines.structural ? spines.spare : -1.0;
     },
     "brain.cortex.sheet_plasticity.spines.turnover = false to those whose synapses shall stay"},
};

/// What is wrong, each with the groups and places that it is told of.
class Refusals {
 public:
  void add(const Group& group, const std::string& what) {
    const auto same = std::find_if(refused_.begin(), refused_.end(),
                                   [&](const Refused& entry) { return entry.what == what; });
    Refused& entry = same == refused_.end() ? refused_.emplace_back(Refused{what, {}, {}}) : *same;
    if (entry.groups.empty() || entry.groups.back() != group.name)
      entry.groups.push_back(group.name);
    const std::string place = group.place_of(what);
    if (std::find(entry.places.begin(), entry.places.end(), place) == entry.places.end())
      entry.places.push_back(place);
  }

  /// "place: group NAME: what", without the group where it is all of the `groups`.
  std::vector<std::string> lines(std::size_t groups) const {
    std::vector<std::string> lines;
    for (const auto& [what, places, names] : refused_) {
      const std::string whose =
          names.size() == groups ? "" : fmt::format("group {}: ", fmt::join(names, ", "));
      lines.push_back(fmt::format("{}: {}{}", fmt::join(places, ", "), whose, what));
    }
    return lines;
  }

 private:
  struct Refused {
    std::string what;
    std::vector<std::string> places, groups;
  };
  std::vector<Refused> refused_;
};

void check_shared(const Group& group, const Group& first, Refusals& refusals) {
  if (group.body.trial_ms != first.body.trial_ms) {
    refusals.add(group, fmt::format("trials of {} ms where group {} has {} ms; give all groups the "
                                    "same body.trial_ms",
                                    group.body.trial_ms, first.name, first.body.trial_ms));
  }
  for (const auto& [keys, value, remedy] : kSwitches) {
    if (value(group) == value(first)) continue;
    refusals.add(group, fmt::format("{} is other than in group {}; give all groups the same, and "
                                    "{}",
                                    keys, first.name, remedy));
  }
  if (group.brain.scale != first.brain.scale) {
    refusals.add(group,
                 fmt::format("brain.scale {} where group {} has {}; give all groups the same",
                             group.brain.scale, first.name, first.brain.scale));
  }
}

/// What is wrong where a slice has more cells of a population than a projection can tell apart.
std::string too_large_for(const Placement& placement, const Region& region) {
  const auto slices = static_cast<int>(placement.ranks_of(region.name()).size());
  for (const PopulationInfo& population : region.populations()) {
    std::uint32_t most = 0;
    for (int slice = 0; slice < slices; ++slice) {
      most = std::max(most, Network::first_of_slice(population.size, slice + 1, slices) -
                                Network::first_of_slice(population.size, slice, slices));
    }
    if (most <= Projection::kMostTargets) continue;
    return fmt::format(
        "brain.{}: {} cells of {} in a slice, which can hold {}; split the region over {} ranks or "
        "more (--ranks with --placement), or write a smaller brain.scale",
        region.name(), most, population.name, Projection::kMostTargets,
        population.size / Projection::kMostTargets + 1);
  }
  return "";
}

/// Builds those regions of a group that are `wanted`. A region is built as one of many slices: that
/// has all of its populations and projections, whose bounds do not depend on the slice, and takes a
/// fraction of the time.
void check_regions(const Group& group, std::uint64_t seed, const Placement& placement,
                   const std::function<bool(std::string_view)>& wanted, Refusals& refusals) {
  const Subject subject{seed, group.brain, group.body, group.blocks};
  std::vector<std::string_view> regions(region_names().begin(), region_names().end());
  // The body first: what is wrong with the arm is not told again of the cortex, which knows it.
  std::stable_partition(regions.begin(), regions.end(),
                        [](std::string_view region) { return region == "body"; });
  bool has_body = true;
  for (const std::string_view region : regions) {
    if (!wanted(region)) continue;
    if (region == "cortex" && !has_body) continue;
    const Slice slice = region == "body" ? Slice{} : Slice{.index = 0, .count = 8};
    try {
      const auto built = make_region(region, subject, slice);
      if (region == "body") group.body.check(group.blocks);
      const std::string too_large = too_large_for(placement, *built);
      if (!too_large.empty()) refusals.add(group, too_large);
    } catch (const std::invalid_argument& error) {
      has_body = has_body && region != "body";
      const std::string what = error.what();
      refusals.add(group,
                   what.starts_with("body") ? what : fmt::format("brain.{}: {}", region, what));
    }
  }
}

/// The groups; where the subjects of one differ every one as a group of its own.
std::vector<Group> groups_and_subjects(const Experiment& experiment) {
  std::vector<Group> groups;
  for (const Member& member : experiment.members()) {
    const Group& group = experiment.groups[member.group];
    if (member.subject > 0 && group.varied.empty()) continue;
    const Subject subject = experiment.subject(member);
    groups.push_back(group);
    groups.back().brain = subject.brain;
    groups.back().body = subject.body;
  }
  return groups;
}

/// Whether subjects of the group differ in what `region` is built from.
bool differ_in(const Group& group, std::string_view region) {
  return std::any_of(group.varied.begin(), group.varied.end(), [&](const Varied& varied) {
    return varied.key.starts_with(fmt::format("brain.{}.", region)) ||
           (varied.key.starts_with("body.") && (region == "body" || region == "cortex"));
  });
}

}  // namespace

void check_experiment(const Experiment& experiment, const Placement& placement) {
  const std::vector<Group> groups = groups_and_subjects(experiment);
  const Group& first = groups.front();
  const std::uint64_t seed = subject_seed(experiment.seed, 0);
  Refusals refusals;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    check_shared(group, first, refusals);
    // Of all subjects but the first of a group only regions that differ.
    const bool repeats = g > 0 && groups[g - 1].name == group.name;
    check_regions(
        group, seed, placement,
        [&](std::string_view region) { return !repeats || differ_in(group, region); }, refusals);
  }
  std::vector<std::string> problems = refusals.lines(experiment.groups.size());
  if (first.body.trial_ms % experiment.record.rate_bin_ms != 0) {
    const std::string what = fmt::format(
        "record.rate_bin_ms: {} ms do not divide a trial of body.trial_ms = {}; write a divisor of "
        "it",
        experiment.record.rate_bin_ms, first.body.trial_ms);
    problems.push_back(first.place_of(what) + ": " + what);
  }
  if (!problems.empty()) throw ExperimentError(problems);
}

}  // namespace quartet
