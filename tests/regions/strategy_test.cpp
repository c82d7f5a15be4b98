// What a task error teaches premotor cells: a cortex alone.

#include <gtest/gtest.h>

#include <cmath>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// What premotor cells do while a target to the right is seen, before and after a cursor was.
struct Lesson {
  PopulationVector aim_before, aim_after, strategy_after;
};

Lesson taught(double cursor_deg, const CortexParameters& parameters = {},
              std::uint64_t seed = 20111) {
  Cortex cortex(parameters, {}, 0.5, seed, {});
  OneRegion alone(cortex);
  const auto watch = [&](std::string_view population, int duration_ms) {
    PopulationVector sum;
    for (int ms = 0; ms < duration_ms; ++ms) {
      alone.step();
      sum.add(cortex, population_of(cortex, population));
    }
    return sum;
  };
  const std::span<double> senses = alone.values_to("senses_to_cortex");
  senses[sense::learning] = 1;
  senses[sense::target_on] = senses[sense::target_x] = 1;
  watch("PMd", 200);
  Lesson lesson;
  lesson.aim_before = watch("PMd", 200);
  senses[sense::cursor_on] = 1;
  senses[sense::cursor_x] = math::cos(math::radians(cursor_deg));
  senses[sense::cursor_y] = math::sin(math::radians(cursor_deg));
  watch("PMd", 250);
  senses[sense::cursor_on] = 0;
  watch("PMd", 100);
  lesson.aim_after = watch("PMd", 200);
  lesson.strategy_after = watch("PrePMd", 100);
  return lesson;
}

TEST(Strategy, TurnsTheAimAwayFromTheCursor) {
  std::uint64_t seed = 20111;
  for (const double cursor_deg : {30.0, -30.0, 30.0, -30.0}) {
    const Lesson lesson = taught(cursor_deg, {}, seed++);
    const double turned = -std::copysign(1.0, cursor_deg) * lesson.aim_after.direction_deg();
    EXPECT_NEAR(lesson.aim_before.direction_deg(), 0, 10);
    EXPECT_GT(turned, 15);
    EXPECT_LT(turned, 60);
  }
}

TEST(Strategy, AddsLessThanHalfOfTheActivityThatItWouldWithoutInhibition) {
  CortexParameters without;
  without.strategy_inhibition_mv = 0;
  for (const std::uint64_t seed : {20111, 20112, 20113}) {
    const auto added = [&](const CortexParameters& parameters) {
      const Lesson lesson = taught(30, parameters, seed);
      return lesson.aim_after.spikes - lesson.aim_before.spikes;
    };
    EXPECT_LT(2 * added({}), added(without));
  }
}

TEST(Strategy, StaysNarrowAfterALargeErrorByInhibitionOfDendrites) {
  CortexParameters without;
  without.strategy.inhibition = 0;
  for (const std::uint64_t seed : {20111, 20112, 20113}) {
    const auto sharpness = [&](const CortexParameters& parameters) {
      return taught(60, parameters, seed).strategy_after.sharpness();
    };
    EXPECT_GT(sharpness({}), sharpness(without) + 0.05);
  }
}

}  // namespace
}  // namespace quartet
