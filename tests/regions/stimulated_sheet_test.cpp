// Which axons of the motor sheet a pulse makes fire: a cortex alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kX = 14.4, kY = 3.0;  // the stimulated site

class Sheet {
 public:
  explicit Sheet(const CortexParameters& parameters = {})
      : cortex_(parameters, {}, 0.25, 20111, {}), alone_(cortex_) {
    rest(20);
  }
  void rest(int ms) {
    for (int k = 0; k < ms; ++k) alone_.step();
  }
  /// Stimulates in the middle of the next timestep.
  void stimulate(Pulse pulse) {
    pulse.x = kX;
    pulse.y = kY;
    pulse.width = 1.5;
    pulse.substep = alone_.next() * kCortexSubsteps + kSubstep;
    cortex_.stimulate(pulse);
    alone_.step();
  }
  void lesion(double radius) { cortex_.lesion(kX, kY, radius); }
  const Cortex& cortex() const { return cortex_; }
  /// Cells of a population within `to` and beyond `from` units of the site.
  std::set<std::uint32_t> cells(std::string_view population, double from, double to) const {
    const PopulationInfo& info = cortex_.populations()[population_of(cortex_, population)];
    std::set<std::uint32_t> cells;
    for (std::uint32_t cell = 0; cell < info.size; ++cell) {
      const double dx = static_cast<double>(info.x[cell]) - kX;
      const double dy = static_cast<double>(info.y[cell]) - kY;
      const double square = dx * dx + dy * dy;
      if (square >= from * from && square <= to * to) cells.insert(cell);
    }
    return cells;
  }
  /// Those that fired with the pulse.
  std::set<std::uint32_t> fired(std::string_view population, double from = 0, double to = 1) const {
    std::set<std::uint32_t> fired;
    for (const Spike& spike : cortex_.spikes(population_of(cortex_, population)))
      if (spike.substep == kSubstep) fired.insert(spike.id);
    std::set<std::uint32_t> both;
    const std::set<std::uint32_t> there = cells(population, from, to);
    std::set_intersection(fired.begin(), fired.end(), there.begin(), there.end(),
                          std::inserter(both, both.end()));
    return both;
  }
  double share(std::string_view population, double from = 0, double to = 1) const {
    return static_cast<double>(fired(population, from, to).size()) /
           static_cast<double>(cells(population, from, to).size());
  }

 private:
  static constexpr std::uint32_t kSubstep = 2;
  Cortex cortex_;
  OneRegion alone_;
};

TEST(StimulatedSheet, AxonsNearTheSiteFireWhereTheFieldIsAboveTheirThreshold) {
  Sheet sheet;
  // Within a unit of the site the field is 1.2 to 1.5; layer 5 and SOM axons have 2.1.
  sheet.stimulate({.intensity = 1.5});
  for (const char* population : {"L23E", "PV"}) EXPECT_GT(sheet.share(population), 0.7);
  for (const char* population : {"SOM", "L5IT", "L5PT", "L6CT"})
    EXPECT_LT(sheet.share(population), 0.05) << population;
  sheet.rest(300);
  sheet.stimulate({.intensity = 3.5});
  for (const char* population : {"L23E", "PV", "SOM", "NGF", "L5IT", "L5PT", "L6CT"}) {
    EXPECT_GT(sheet.share(population), 0.7) << population;
    EXPECT_LT(sheet.share(population, 6, 18), 0.05) << population;
  }
}

TEST(StimulatedSheet, AnElectrodeExcitesExcitatoryAxonsOnly) {
  Sheet sheet;
  sheet.stimulate({.stimulator = Stimulator::electrode, .intensity = 3.5});
  for (const char* population : {"L23E", "L5IT", "L5PT", "L6CT"})
    EXPECT_GT(sheet.share(population), 0.7) << population;
  for (const char* population : {"PV", "SOM", "NGF"})
    EXPECT_LT(sheet.share(population), 0.05) << population;
}

// Also where they are stimulated; those around are left.
TEST(StimulatedSheet, CellsOfALesionAreSilent) {
  Sheet sheet;
  sheet.lesion(1.0);
  for (int pulse = 0; pulse < 3; ++pulse) {
    sheet.stimulate({.intensity = 4});
    for (const char* population : {"L23E", "PV", "SOM", "NGF", "L5IT", "L5PT", "L6CT"}) {
      EXPECT_EQ(sheet.share(population, 0, 1), 0) << population;
      EXPECT_GT(sheet.share(population, 1.01, 1.6), 0.7) << population;
    }
    sheet.rest(300);
  }
}

// Every population's living cells are counted in the square unit in which they lie.
TEST(StimulatedSheet, ActivityByPlaceIsWhereCellsLie) {
  Sheet sheet;
  sheet.lesion(1.5);
  const std::vector<energy::Activity> by_place = sheet.cortex().activity_by_place();
  std::size_t populations = 0;
  for (const PopulationInfo& info : sheet.cortex().populations()) {
    if (info.x.empty()) continue;
    const std::set<std::uint32_t> dead = sheet.cells(info.name, 0, 1.5);
    std::map<std::pair<int, int>, std::int64_t> cells;
    for (std::uint32_t cell = 0; cell < info.size; ++cell)
      if (!dead.contains(cell))
        ++cells[{static_cast<int>(std::floor(info.x[cell])),
                 static_cast<int>(std::floor(info.y[cell]))}];
    for (int y = 0; y < 6; ++y)
      for (int x = 0; x < 18; ++x)
        EXPECT_EQ(by_place[populations * 6 * 18 + static_cast<std::size_t>(y * 18 + x)].cells,
                  (cells[{x, y}]))
            << info.name << " at " << x << ", " << y;
    ++populations;
  }
  EXPECT_EQ(populations, 7u);
  EXPECT_EQ(by_place.size(), populations * 6 * 18);
}

TEST(StimulatedSheet, StrongerPulsesRecruitMore) {
  double before = 0;
  for (const double intensity : {1.0, 1.3, 1.7}) {
    Sheet sheet;
    sheet.stimulate({.intensity = intensity});
    const double now = sheet.share("L23E", 0, 1.5);
    EXPECT_GT(now, before + 0.1) << intensity;
    before = now;
  }
}

TEST(Window, PeaksAtItsTimeAndIsOverLater) {
  const WindowParameters window{.amplitude = 2, .peak_days = 7};
  EXPECT_DOUBLE_EQ(window.factor(0), 1);
  EXPECT_NEAR(window.factor(7), 3, 1e-9);
  EXPECT_LT(window.factor(5), 3);
  EXPECT_LT(window.factor(9), 3);
  EXPECT_NEAR(window.factor(35), 1 + 2 * 5 * std::exp(-4.0), 1e-9);
  EXPECT_DOUBLE_EQ(WindowParameters{}.factor(7), 1);
}

}  // namespace
}  // namespace quartet
