// TaskError cells compare the seen target with the seen cursor: a cortex alone.

#include <gtest/gtest.h>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Response of TaskError cells to a target to the right and a cursor at `cursor_deg`, seen as far
/// out as `cursor_on` says, over 1 s.
PopulationVector response(double cursor_deg, double cursor_on = 1) {
  Cortex cortex({}, {}, 0.25, 20111, {});
  OneRegion alone(cortex);
  const std::span<double> senses = alone.values_to("senses_to_cortex");
  senses[sense::target_on] = senses[sense::target_x] = 1;
  senses[sense::cursor_on] = cursor_on;
  senses[sense::cursor_x] = math::cos(math::radians(cursor_deg));
  senses[sense::cursor_y] = math::sin(math::radians(cursor_deg));
  const std::size_t population = population_of(cortex, "TaskError");
  PopulationVector sum;
  for (int ms = 0; ms < 1000; ++ms) {
    alone.step();
    sum.add(cortex, population);
  }
  return sum;
}

TEST(TaskError, PointsAwayFromTheCursorOnTheTargetsOtherSide) {
  // Target minus cursor would point 75° from the target. Overlaps have no negative part, so that
  // cells nearer to the target fire more and the sum points between.
  for (const double side : {1.0, -1.0}) {
    const PopulationVector sum = response(30 * side);
    EXPECT_GT(sum.spikes, 100);
    const double from_target = -side * sum.direction_deg();
    EXPECT_GT(from_target, 25);
    EXPECT_LT(from_target, 90);
  }
}

TEST(TaskError, GrowsWithTheErrorAndIsNearlySilentWithout) {
  const int none = response(0).spikes, ten = response(10).spikes, thirty = response(30).spikes;
  EXPECT_LT(none, ten);
  EXPECT_LT(2 * ten, thirty);
  EXPECT_LT(10 * none, thirty);
}

TEST(TaskError, IsSilentUnlessTheCursorIsSeenWellOut) {
  EXPECT_EQ(response(30, 0).spikes, 0);
  EXPECT_EQ(response(30, 0.9).spikes, 0);
}

}  // namespace
}  // namespace quartet
