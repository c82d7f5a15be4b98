#include "models/homeostasis.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace quartet {
namespace {

constexpr HomeostasisParameters kParameters{.target_hz = 10, .rate = 1e-3};

TEST(Homeostasis, ShiftsByRateTimesDistanceFromTheTarget) {
  Homeostasis homeostasis(kParameters);
  EXPECT_EQ(homeostasis.shift_mv(), 0.0);
  homeostasis.update(0, 50);  // silent: 10 Hz below
  EXPECT_NEAR(homeostasis.shift_mv(), 1e-3 * 10, 1e-15);
  homeostasis.update(2, 50);  // 40 Hz: 30 above
  EXPECT_NEAR(homeostasis.shift_mv(), 1e-3 * (10 - 30), 1e-15);
  homeostasis.update(1, 100);  // at the target
  EXPECT_NEAR(homeostasis.shift_mv(), 1e-3 * (10 - 30), 1e-15);
}

TEST(Homeostasis, SeesTheMeanRateOfAnyNumberOfCells) {
  Homeostasis small(kParameters), large(kParameters);
  for (std::size_t t = 0; t < 100; ++t) {
    small.update(t % 3, 20);
    large.update(10 * (t % 3), 200);
  }
  EXPECT_EQ(small.shift_mv(), large.shift_mv());
  large.update(1, 200);
  small.update(1, 20);
  EXPECT_NE(small.shift_mv(), large.shift_mv());
}

/// A population of 1000 cells that fires at 2 Hz plus 4 Hz per mV.
std::size_t spikes_in_1ms(double shift_mv) {
  return static_cast<std::size_t>(std::lround(std::max(0.0, 2.0 + 4.0 * shift_mv)));
}

TEST(Homeostasis, BringsAPopulationToItsTargetFromEitherSide) {
  for (const double start : {-3.0, 0.0, 9.0}) {
    Homeostasis homeostasis(kParameters);
    homeostasis.shift_mv() = start;
    // The rate's distance from its target falls as exp(−t · 1e-3 mV/Hz/ms · 4 Hz/mV).
    for (int t = 0; t < 4000; ++t) homeostasis.update(spikes_in_1ms(homeostasis.shift_mv()), 1000);
    EXPECT_EQ(spikes_in_1ms(homeostasis.shift_mv()), 10u) << "from " << start;
  }
}

TEST(Homeostasis, GoesOnFromASavedShift) {
  Homeostasis whole(kParameters), first(kParameters);
  for (int t = 0; t < 10; ++t) first.update(t % 2, 40);
  Homeostasis second(kParameters);
  second.shift_mv() = static_cast<const Homeostasis&>(first).shift_mv();
  for (int t = 10; t < 20; ++t) second.update(t % 2, 40);
  for (int t = 0; t < 20; ++t) whole.update(t % 2, 40);
  EXPECT_EQ(second.shift_mv(), whole.shift_mv());
  EXPECT_NE(second.shift_mv(), first.shift_mv());
}

}  // namespace
}  // namespace quartet
