#include "runs/experiment_check.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "comm/placement.hpp"
#include "regions/atlas.hpp"
#include "regions/brain.hpp"
#include "runs/experiment.hpp"
#include "runs/schema.hpp"

namespace quartet {
namespace {

/// Names of all that files have room for in a region: populations and plastic projections, and
/// which of these come and go. "" where it cannot be built.
std::string layout(const Group& group, std::string_view name) {
  std::string names;
  try {
    const Subject subject{1, group.brain, group.body, group.blocks};
    const auto region = make_region(name, subject, {.index = 0, .count = 8});
    for (const PopulationInfo& population : region->populations()) names += population.name + " ";
    for (const ProjectionInfo& projection : region->plastic_projections())
      names += projection.name + (projection.structural ? "* " : " ");
  } catch (const std::invalid_argument&) {
    return "";
  }
  return names;
}

bool is_refused(const Experiment& experiment) {
  try {
    check_experiment(experiment, Placement::standard(1));
  } catch (const ExperimentError& error) {
    return std::string(error.what()).find("is other than in group a") != std::string::npos;
  }
  return false;
}

/// Every switch of the brain is turned in one of two groups. Where it changes what files have room
/// for, the groups must be refused.
TEST(ExperimentCheck, NoStructuralSwitchIsForgotten) {
  const std::string plain = "brain.scale = 0.25\n";
  const std::string connected =
      plain +
      "brain.cortex.sheet_plasticity.plastic = true\nbrain.cortex.observation.connected = true\n"
      "brain.cortex.afferents.connected = true\n";
  std::set<std::string> structural;
  for (const std::string& brain : {plain, connected}) {
    const std::string file =
        brain + "[schedules.s]\nblocks = [{trials = 1}]\n[[group]]\nname = \"a\"\n";
    const Group alone = parse_experiment(file, "x.toml").groups[0];
    std::map<std::string, std::string> first;  // layout by region
    for (const std::string_view region : region_names())
      if (region != "body") first[std::string(region)] = layout(alone, region);
    for (const Key& key : list_keys(alone.brain, "brain.")) {
      const auto room = first.find(key.name.substr(6, key.name.find('.', 6) - 6));
      if (room == first.end()) continue;  // of no region
      ASSERT_NE(room->second, "");
      std::vector<std::string> others;
      if (key.kind == Key::Kind::boolean) others = {key.value == "true" ? "false" : "true"};
      for (const std::string& choice : key.choices)
        if (toml_text(choice) != key.value) others.push_back(toml_text(choice));
      for (const std::string& other : others) {
        const Experiment two = parse_experiment(
            file + fmt::format("[[group]]\nname = \"b\"\nset = {{{} = {}}}\n", key.name, other),
            "x.toml");
        const std::string second = layout(two.groups[1], room->first);
        if (second.empty() || second == room->second) continue;
        structural.insert(key.name);
        EXPECT_TRUE(is_refused(two)) << key.name << " = " << other << ": " << second;
      }
    }
  }
  EXPECT_EQ(structural, (std::set<std::string>{"brain.cortex.sheet_plasticity.plastic",
                                               "brain.cortex.sheet_plasticity.spines.structural",
                                               "brain.cortex.observation.connected",
                                               "brain.cortex.afferents.connected"}));
}

}  // namespace
}  // namespace quartet
