// Tracts and regions fit each other, for brains as `make_region` builds them.

#include "regions/atlas.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "regions/brain.hpp"

namespace quartet {
namespace {

Subject subject(double scale) {
  Subject subject;
  subject.brain.scale = scale;
  subject.schedule = {Block{}};
  return subject;
}

using Brain = std::map<std::string, std::unique_ptr<Region>, std::less<>>;
Brain brain(double scale, Slice slice = {}) {
  Brain regions;
  for (const std::string_view name : region_names())
    regions[std::string(name)] = make_region(name, subject(scale), slice);
  return regions;
}

const Port* find(std::span<const Port> ports, std::string_view name) {
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
  return found == ports.end() ? nullptr : &*found;
}

bool same(const Port& a, const Port& b) {
  return a.kind == b.kind && a.size == b.size && a.substeps == b.substeps;
}

TEST(Atlas, EveryTractConnectsPortsOfTheSameShape) {
  for (const double scale : {0.25, 0.6}) {
    const Brain regions = brain(scale);
    for (const Tract& tract : atlas()) {
      SCOPED_TRACE(testing::Message() << tract.name << " at scale " << scale);
      ASSERT_TRUE(regions.contains(tract.from));
      ASSERT_TRUE(regions.contains(tract.to));
      EXPECT_NE(tract.from, tract.to);
      const Port* out = find(regions.find(tract.from)->second->outputs(), tract.out_port);
      const Port* in = find(regions.find(tract.to)->second->inputs(), tract.name);
      ASSERT_NE(out, nullptr);
      ASSERT_NE(in, nullptr);
      EXPECT_EQ(in->kind, out->kind);
      EXPECT_EQ(in->size, out->size);
      EXPECT_EQ(in->substeps, out->substeps);
      EXPECT_GT(in->size, 0u);
    }
  }
}

TEST(Atlas, EveryInputHasItsTractAndEveryOutputOneAtLeast) {
  std::multiset<std::pair<std::string, std::string>> inputs, fed;
  std::set<std::pair<std::string, std::string>> outputs, used;
  for (const auto& [name, region] : brain(0.25)) {
    for (const Port& port : region->inputs()) inputs.emplace(name, port.name);
    for (const Port& port : region->outputs()) outputs.emplace(name, port.name);
  }
  for (const Tract& tract : atlas()) {
    fed.emplace(tract.to, tract.name);
    used.emplace(tract.from, tract.out_port);
  }
  EXPECT_EQ(inputs, fed);
  EXPECT_EQ(outputs, used);
}

TEST(Atlas, NamesAreUniqueDelaysAtLeastTwoMillisecondsAndSourcesGiven) {
  std::set<std::string_view> names;
  for (const Tract& tract : atlas()) {
    EXPECT_TRUE(names.insert(tract.name).second) << tract.name;
    EXPECT_GE(tract.delay_ms, 2) << tract.name;
    EXPECT_FALSE(tract.source.empty()) << tract.name;
  }
  std::set<std::string_view> regions;
  for (const std::string_view name : region_names())
    EXPECT_TRUE(regions.insert(name).second) << name;
}

TEST(MakeRegion, BuildsWhatItIsAskedFor) {
  for (const auto& [name, region] : brain(0.25)) {
    SCOPED_TRACE(name);
    EXPECT_EQ(region->name(), name);
    std::uint64_t cells = 0;
    std::set<std::string> names;
    for (const PopulationInfo& population : region->populations()) {
      cells += population.size;
      EXPECT_TRUE(names.insert(population.name).second) << population.name;
      const std::size_t directions = population.preferred_direction_deg.size();
      EXPECT_TRUE(directions == 0 || directions == population.size) << population.name;
    }
    EXPECT_EQ(region->neuron_count(), cells);
  }
}

TEST(MakeRegion, RefusesNamesThatNoRegionHas) {
  for (const char* name : {"cerebelum", "Cortex", ""}) {
    try {
      make_region(name, subject(0.25), {});
      FAIL() << name << " was built";
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(error.what(), "there is no region '" + std::string(name) + "'");
    }
  }
}

TEST(MakeRegion, SlicesShareOutCellsAndSynapsesAndAgreeOnPorts) {
  const Brain whole = brain(0.25), left = brain(0.25, {0, 2}), right = brain(0.25, {1, 2});
  for (const auto& [name, region] : whole) {
    SCOPED_TRACE(name);
    const Region &a = *left.at(name), &b = *right.at(name);
    EXPECT_EQ(a.neuron_count() + b.neuron_count(), region->neuron_count());
    EXPECT_EQ(a.synapse_count() + b.synapse_count(), region->synapse_count());
    if (name != "body") {  // never split
      EXPECT_LT(a.neuron_count(), region->neuron_count());
      EXPECT_LT(b.neuron_count(), region->neuron_count());
    }
    for (const Region* part : {&a, &b}) {
      EXPECT_TRUE(std::ranges::equal(part->inputs(), region->inputs(), same));
      EXPECT_TRUE(std::ranges::equal(part->outputs(), region->outputs(), same));
    }
  }
}

TEST(MakeRegion, SlicesNameTheSourcesOfTheirPlasticSynapses) {
  const Brain whole = brain(0.25), left = brain(0.25, {0, 2}), right = brain(0.25, {1, 2});
  std::vector<std::string> source_directions, target_directions;
  for (const auto& [name, region] : whole) {
    const auto projections = region->plastic_projections();
    for (std::size_t i = 0; i < projections.size(); ++i) {
      const ProjectionInfo& projection = projections[i];
      SCOPED_TRACE(projection.name);
      const std::vector<std::uint32_t> sources = region->sources(i);
      EXPECT_EQ(sources.size(), std::size_t{projection.targets} * projection.in_degree);
      // Sites of synapses without weight are vacant.
      const bool vacant = projection.name == "Cursor_IO";
      EXPECT_LT(std::ranges::max(sources), projection.sources + (vacant ? 1 : 0));
      std::vector<std::uint32_t> of_slices = left.at(name)->sources(i);
      const std::vector<std::uint32_t> rest = right.at(name)->sources(i);
      EXPECT_NE(of_slices, sources);
      of_slices.insert(of_slices.end(), rest.begin(), rest.end());
      EXPECT_EQ(of_slices, sources);
      const std::size_t from = projection.source_direction_deg.size(),
                        to = projection.target_direction_deg.size();
      EXPECT_TRUE(from == 0 || from == projection.sources);
      EXPECT_TRUE(to == 0 || to == projection.targets);
      if (from > 0) source_directions.push_back(projection.name);
      if (to > 0) target_directions.push_back(projection.name);
    }
  }
  EXPECT_EQ(source_directions,
            (std::vector<std::string>{"PPC_D1", "PPC_D2", "PPC_Striosome", "PPC_PPN", "GrC_PC",
                                      "Cursor_IO", "PPC_PrePMd", "Proprio_FeltSeen"}));
  EXPECT_EQ(target_directions,
            (std::vector<std::string>{"PPC_D1", "PPC_D2", "GrC_PC", "MF_DCN", "Cursor_IO",
                                      "PPC_PrePMd", "Proprio_FeltSeen"}));
}

/// Weights of all plastic projections.
std::vector<std::vector<float>> weights(std::string_view name, const Subject& subject) {
  const auto region = make_region(name, subject, {});
  std::vector<std::vector<float>> weights(region->plastic_projections().size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::uint32_t first = 0;
    region->weights(i, first, weights[i]);
  }
  return weights;
}

TEST(MakeRegion, TheSeedDrawsTheSynapses) {
  for (const char* name : {"cerebellum", "basal_ganglia"}) {
    Subject of = subject(0.25);
    const auto first = weights(name, of);
    EXPECT_EQ(weights(name, of), first) << name;
    of.seed = 2;
    EXPECT_NE(weights(name, of), first) << name;
  }
}

}  // namespace
}  // namespace quartet
