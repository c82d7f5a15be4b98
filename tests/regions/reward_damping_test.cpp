// Rewards damp what complex spikes taught: a cerebellum alone, that makes errors and sees outcomes.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "regions/brain.hpp"
#include "regions/cerebellum.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Parallel fibre weights after .3 s in which a cursor is seen far from the aim, and then, without
/// a cursor, .15 s with or without a reward.
std::vector<float> weights_after(CerebellumParameters parameters, bool reward,
                                 bool learning_at_outcome = true) {
  parameters.climbing_fibre.potentiation = 0;
  parameters.olive.bias_mv = 20;  // so that complex spikes are many
  Cerebellum region(parameters, 0.25, 20111, {});
  OneRegion alone(region);
  const std::span<double> senses = alone.values_to("senses_to_cerebellum");
  senses[sense::learning] = 1;
  senses[sense::cursor_on] = senses[sense::cursor_x] = 1;
  for (int ms = 0; ms < 450; ++ms) {
    if (ms == 300) {
      senses[sense::cursor_on] = 0;
      senses[sense::learning] = learning_at_outcome ? 1 : 0;
      senses[sense::outcome] = 1;
      senses[sense::reward] = reward ? 1 : 0;
    }
    for (std::uint32_t cell = 16; cell < 32; ++cell)
      if ((static_cast<std::uint32_t>(ms) + cell) % 8 == 0)
        alone.spikes_to("pmd_to_cerebellum").push_back({cell, 0});
    alone.step();
  }
  const auto projections = region.plastic_projections();
  for (std::size_t p = 0; p < projections.size(); ++p) {
    if (projections[p].name != "GrC_PC") continue;
    std::uint32_t first = 0;
    std::vector<float> weights;
    region.weights(p, first, weights);
    return weights;
  }
  return {};
}

TEST(RewardDamping, GivesBackAPartOfWhatAnErrorTook) {
  CerebellumParameters parameters;
  parameters.climbing_fibre.reward_damping = 0.2;
  parameters.climbing_fibre.forgetting_ms = 0;  // where learning is on
  const std::vector<float> missed = weights_after(parameters, false);
  const std::vector<float> hit = weights_after(parameters, true);
  std::size_t more = 0;
  for (std::size_t s = 0; s < hit.size(); ++s) {
    ASSERT_GE(hit[s], missed[s]) << s;
    more += hit[s] > missed[s];
  }
  EXPECT_GT(more, hit.size() / 20);  // granule cells of similar aims are active
  EXPECT_EQ(weights_after(parameters, true, false), missed);  // frozen at the outcome
  parameters.silence_reward = true;
  EXPECT_EQ(weights_after(parameters, true), missed);
  parameters = {};  // as shipped: on
  EXPECT_NE(weights_after(parameters, true), weights_after(parameters, false));
  parameters.climbing_fibre.reward_damping = 0;
  EXPECT_NE(weights_after(parameters, true), std::vector<float>{});
  EXPECT_EQ(weights_after(parameters, true), weights_after(parameters, false));
}

// The name of a population or projection is the key of its random numbers.
TEST(Names, AreDistinctOverTheWholeBrain) {
  Subject subject;
  subject.brain.scale = 0.25;
  std::multiset<std::string> populations;
  for (const char* name : {"cortex", "cerebellum", "basal_ganglia", "thalamus"}) {
    const auto region = make_region(name, subject, {});
    for (const PopulationInfo& population : region->populations())
      populations.insert(population.name);
  }
  ASSERT_GT(populations.size(), 30u);
  for (const std::string& name : populations) EXPECT_EQ(populations.count(name), 1u) << name;
}

}  // namespace
}  // namespace quartet
