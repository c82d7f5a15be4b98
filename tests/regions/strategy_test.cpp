// What a task error teaches premotor cells: a cortex alone.

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// What PMd cells do while a target to the right is seen.
struct Aim {
  double direction_deg = 0;
  double rate_hz = 0;
};

Aim aim(OneRegion& alone, const Cortex& cortex, int duration_ms) {
  const std::size_t population = population_of(cortex, "PMd");
  const auto directions = cortex.populations()[population].preferred_direction_deg;
  double x = 0, y = 0, spikes = 0;
  for (int ms = 0; ms < duration_ms; ++ms) {
    alone.step();
    for (const Spike& spike : cortex.spikes(population)) {
      const double angle = math::radians(static_cast<double>(directions[spike.id]));
      x += std::cos(angle);
      y += std::sin(angle);
      ++spikes;
    }
  }
  return {math::degrees(std::atan2(y, x)),
          1000.0 * spikes / (duration_ms * static_cast<double>(directions.size()))};
}

/// The aim before and after a cursor at `cursor_deg` was seen.
std::pair<Aim, Aim> taught(double cursor_deg, const CortexParameters& parameters = {}) {
  Cortex cortex(parameters, {}, 0.5, 20111, {});
  OneRegion alone(cortex);
  const std::span<double> senses = alone.values_to("senses_to_cortex");
  senses[sense::learning] = 1;
  senses[sense::target_on] = senses[sense::target_x] = 1;
  aim(alone, cortex, 200);
  const Aim before = aim(alone, cortex, 500);
  senses[sense::cursor_on] = 1;
  senses[sense::cursor_x] = std::cos(math::radians(cursor_deg));
  senses[sense::cursor_y] = std::sin(math::radians(cursor_deg));
  aim(alone, cortex, 250);
  senses[sense::cursor_on] = 0;
  aim(alone, cortex, 100);
  return {before, aim(alone, cortex, 200)};
}

TEST(Strategy, TurnsTheAimAwayFromTheCursor) {
  for (const double cursor_deg : {30.0, -30.0}) {
    const auto [before, after] = taught(cursor_deg);
    const double turned = -std::copysign(1.0, cursor_deg) * after.direction_deg;
    EXPECT_NEAR(before.direction_deg, 0, 10);
    EXPECT_GT(turned, 15);
    EXPECT_LT(turned, 60);
  }
}

TEST(Strategy, LeavesPremotorCellsAboutAsActiveByInhibition) {
  const auto [before, after] = taught(30);
  EXPECT_LT(after.rate_hz, 1.7 * before.rate_hz);
  CortexParameters without;
  without.strategy_inhibition_mv = 0;
  const auto [former, added] = taught(30, without);
  EXPECT_GT(added.rate_hz, 2 * former.rate_hz);
}

}  // namespace
}  // namespace quartet
