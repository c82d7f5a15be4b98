#include "models/task.hpp"

#include <gtest/gtest.h>

namespace quartet {
namespace {

std::vector<Block> schedule_of(std::initializer_list<std::int64_t> trials) {
  std::vector<Block> schedule;
  for (const std::int64_t n : trials) schedule.push_back({.trials = n});
  return schedule;
}

TEST(Schedule, PlacesEachTrialInItsBlock) {
  const std::vector<Block> schedule = schedule_of({3, 1, 2});
  EXPECT_EQ(trials_of(schedule), 6);
  const std::size_t blocks[] = {0, 0, 0, 1, 2, 2};
  const std::int64_t withins[] = {0, 1, 2, 0, 0, 1};
  for (std::int64_t trial = 0; trial < 6; ++trial) {
    const TrialPlace place = place_of(schedule, trial);
    EXPECT_EQ(place.block, blocks[trial]) << trial;
    EXPECT_EQ(place.within, withins[trial]) << trial;
  }
}

TEST(Schedule, PlacesWhatComesAfterItsEndBehindTheLastTrial) {
  const std::vector<Block> schedule = schedule_of({3, 2});
  EXPECT_EQ(place_of(schedule, 5).block, 1u);
  EXPECT_EQ(place_of(schedule, 5).within, 2);
}

TEST(Rotation, GoesToItsEndInEqualSteps) {
  const Block block{.trials = 40,
                    .perturbation = Perturbation::rotation,
                    .rotation_deg = 1,
                    .rotation_end_deg = 8,
                    .steps = 8};
  for (std::int64_t trial = 0; trial < 40; ++trial)
    EXPECT_DOUBLE_EQ(rotation_on_trial(block, trial), 1.0 + static_cast<double>(trial / 5));
}

TEST(Rotation, IsConstantWithoutStepsAndNoneWithoutPerturbation) {
  Block block{.trials = 4, .perturbation = Perturbation::rotation, .rotation_deg = 30};
  EXPECT_EQ(rotation_on_trial(block, 0), 30.0);
  EXPECT_EQ(rotation_on_trial(block, 3), 30.0);
  block.perturbation = Perturbation::none;
  EXPECT_EQ(rotation_on_trial(block, 3), 0.0);
}

}  // namespace
}  // namespace quartet
