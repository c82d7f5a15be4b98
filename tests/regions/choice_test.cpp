// Aims at two seen targets compete: a cortex alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Spikes of premotor cells within 25° of each of two directions, and of all PMdC cells.
struct Aims {
  int first = 0, second = 0, choosers = 0;
};

/// After 200 ms in which targets are seen to the right and, if `two`, upward: the next 150 ms. VA
/// cells of the second's channels fire at `va_hz`.
Aims aims(const CortexParameters& parameters, bool two, double va_hz = 0) {
  Cortex cortex(parameters, {}, 0.25, 20111, {});
  OneRegion alone(cortex);
  const std::span<double> senses = alone.values_to("senses_to_cortex");
  senses[sense::target_on] = senses[sense::target_x] = 1;
  senses[sense::second_on] = two ? 1 : 0;
  senses[sense::second_y] = 1;
  const std::size_t pmd = population_of(cortex, "PMd"), pmdc = population_of(cortex, "PMdC");
  const auto directions = cortex.populations()[pmd].preferred_direction_deg;
  const Cells va = Sizes(0.25).va;
  Aims result;
  for (int ms = 0; ms < 350; ++ms) {
    for (std::uint32_t cell = 0; cell < va; ++cell) {
      const double channel = channel_direction(group_of(cell, va, kChannels));
      const bool due = va_hz > 0 && (static_cast<std::uint32_t>(ms) + 7 * cell) %
                                            static_cast<std::uint32_t>(1000 / va_hz) ==
                                        0;
      if (due && std::abs(channel - 90) < 30) alone.spikes_to("va_to_cortex").push_back({cell, 0});
    }
    alone.step();
    result.choosers += static_cast<int>(cortex.spikes(pmdc).size());
    if (ms < 200) continue;
    for (const Spike& spike : cortex.spikes(pmd)) {
      const double direction = static_cast<double>(directions[spike.id]);
      result.first += std::abs(math::wrap_degrees(direction)) < 25;
      result.second += std::abs(math::wrap_degrees(direction - 90)) < 25;
    }
  }
  return result;
}

TEST(Choice, OneOfTwoAimsWins) {
  const Aims both = aims({}, true);
  EXPECT_GT(both.choosers, 20);
  EXPECT_GT(std::max(both.first, both.second), 5 * std::min(both.first, both.second));
}

TEST(Choice, WithoutTheCellsBetweenThemBothStay) {
  CortexParameters without;
  without.chooser_pmd_weight_mv = 0;
  const Aims both = aims(without, true);
  EXPECT_LT(std::max(both.first, both.second), 2 * std::min(both.first, both.second));
}

TEST(Choice, TheThalamusTipsTheBalance) {
  const Aims none = aims({}, true), tipped = aims({}, true, 40);
  EXPECT_GT(tipped.second, 5 * tipped.first);
  EXPECT_GT(tipped.second, none.second);
}

TEST(Choice, CellsBetweenAimsAreSilentWithOneTarget) {
  EXPECT_EQ(aims({}, false).choosers, 0);
  EXPECT_EQ(aims({}, false, 100).choosers, 0);
}

}  // namespace
}  // namespace quartet
