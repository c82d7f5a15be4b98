// TaskError cells compare the seen target with the seen cursor: a cortex alone.

#include <gtest/gtest.h>

#include <cmath>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Spikes of TaskError cells, as a sum of unit vectors in their directions and as a number.
struct Response {
  double x = 0, y = 0;
  int spikes = 0;
};

/// Response to a target to the right and a cursor at `cursor_deg`, seen as far out as `cursor_on`
/// says, over 1 s.
Response response(double cursor_deg, double cursor_on = 1) {
  Cortex cortex({}, {}, 0.25, 20111, {});
  OneRegion alone(cortex);
  const std::span<double> senses = alone.values_to("senses_to_cortex");
  senses[sense::target_on] = senses[sense::target_x] = 1;
  senses[sense::cursor_on] = cursor_on;
  senses[sense::cursor_x] = std::cos(math::radians(cursor_deg));
  senses[sense::cursor_y] = std::sin(math::radians(cursor_deg));
  const std::size_t population = population_of(cortex, "TaskError");
  const auto directions = cortex.populations()[population].preferred_direction_deg;
  Response sum;
  for (int ms = 0; ms < 1000; ++ms) {
    alone.step();
    for (const Spike& spike : cortex.spikes(population)) {
      const double angle = math::radians(static_cast<double>(directions[spike.id]));
      sum.x += std::cos(angle);
      sum.y += std::sin(angle);
      ++sum.spikes;
    }
  }
  return sum;
}

TEST(TaskError, PointsAwayFromTheCursorOnTheTargetsOtherSide) {
  // Target minus cursor would point 75° from the target. Overlaps have no negative part, so that
  // cells nearer to the target fire more and the sum points between.
  for (const double side : {1.0, -1.0}) {
    const Response sum = response(30 * side);
    EXPECT_GT(sum.spikes, 100);
    const double from_target = -side * math::degrees(std::atan2(sum.y, sum.x));
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
