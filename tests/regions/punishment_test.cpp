// Punishment silences dopamine cells further than the want of a reward: basal ganglia alone.

#include <gtest/gtest.h>

#include "regions/basal_ganglia.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Spikes of a population in the last 100 of 400 ms, in which an outcome is shown, in a brain that
/// expects no reward: where one is expected, its want alone silences dopamine cells.
int spikes_at_outcome(const char* population, double reward, double punishment) {
  BasalGangliaParameters parameters;
  parameters.critic_weight_mv = 0;
  BasalGanglia region(parameters, 1.0, 20111, {});
  OneRegion alone(region);
  const std::span<double> senses = alone.values_to("senses_to_basal_ganglia");
  const std::size_t watched = population_of(region, population);
  int count = 0;
  for (int ms = 0; ms < 400; ++ms) {
    if (ms == 280) {
      senses[sense::outcome] = 1;
      senses[sense::reward] = reward;
      senses[sense::punishment] = punishment;
    }
    alone.step();
    if (ms >= 300) count += static_cast<int>(region.spikes(watched).size());
  }
  return count;
}

TEST(Punishment, MakesDopamineDipDeeperThanFailure) {
  const int reward = spikes_at_outcome("SNc", 1, 0), failure = spikes_at_outcome("SNc", 0, 0);
  const int punished = spikes_at_outcome("SNc", 0, 1);
  EXPECT_GT(reward, failure);
  EXPECT_GT(failure, 10);
  EXPECT_LT(2 * punished, failure);
}

TEST(Punishment, HabenulaIsSilentOtherwise) {
  EXPECT_EQ(spikes_at_outcome("LHb", 0, 0), 0);
  EXPECT_EQ(spikes_at_outcome("LHb", 1, 0), 0);
  const int full = spikes_at_outcome("LHb", 0, 1), half = spikes_at_outcome("LHb", 0, 0.8);
  EXPECT_GT(full, half);
  EXPECT_GT(half, 0);
}

}  // namespace
}  // namespace quartet
