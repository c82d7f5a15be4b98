// Drives of cells that are tuned to a seen direction, against the von Mises function in closed
// form.

#include "regions/tuned_drive.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "models/math.hpp"

namespace quartet {
namespace {

constexpr std::uint32_t kCells = 48;
constexpr double kSharpness = 3.5;

LifPopulation cells(std::uint32_t first, std::uint32_t last) {
  return LifPopulation("cells", {}, SynapseKind::current, {}, kCells, first, last, 2, 1);
}

void see(TunedDrive& drive, LifPopulation& population, double peak_mv, double seen_deg) {
  drive.set(population,
            {peak_mv, math::cos(math::radians(seen_deg)), math::sin(math::radians(seen_deg))});
}

/// Drives of the own cells.
std::vector<float> drives(LifPopulation& population) {
  const auto drive = population.drive().first(population.count());
  return {drive.begin(), drive.end()};
}

/// Largest relative distance of own cells' drives from the function.
double distance(LifPopulation& population, double peak_mv, double seen_deg,
                double sharpness = kSharpness) {
  const std::vector<float> drive = drives(population);
  double most = 0;
  for (std::size_t i = 0; i < drive.size(); ++i) {
    const double cell_deg = (population.first() + static_cast<double>(i) + 0.5) * 360.0 / kCells;
    const double cosine = std::cos((cell_deg - seen_deg) * std::acos(-1.0) / 180.0);
    const double expected = peak_mv * std::exp(sharpness * (cosine - 1.0));
    most = std::max(most, std::abs(drive[i] - expected) / std::max(expected, 1e-9));
  }
  return most;
}

TEST(TunedDrive, IsVonMisesInEachCellOfASlice) {
  for (const auto& [first, last] : {std::pair{0u, kCells}, {0u, 16u}, {16u, 40u}, {40u, kCells}}) {
    SCOPED_TRACE(first);
    LifPopulation population = cells(first, last);
    TunedDrive drive(population, kSharpness);
    ASSERT_EQ(drives(population).size(), last - first);
    for (const double seen : {0.0, 77.0, 180.0, 263.5, -20.0}) {
      see(drive, population, 36, seen);
      EXPECT_LT(distance(population, 36, seen), 1e-6) << seen;
      // The comparison sees half a degree, a little more drive and another width.
      EXPECT_GT(distance(population, 36, seen + 0.5), 1e-3) << seen;
      EXPECT_GT(distance(population, 36.1, seen), 1e-3) << seen;
      EXPECT_GT(distance(population, 36, seen, kSharpness + 0.1), 1e-3) << seen;
    }
  }
}

TEST(TunedDrive, IsZeroWhileNothingIsSeen) {
  LifPopulation population = cells(8, 32);
  TunedDrive drive(population, kSharpness);
  const std::vector<float> nothing(24, 0.0f);
  // Whatever was in the cells before, as after a restart.
  for (float& mv : population.drive()) mv = 5;
  drive.set(population, {});
  EXPECT_EQ(drives(population), nothing);
  see(drive, population, 24, 60);
  EXPECT_NE(drives(population), nothing);
  see(drive, population, 0, 60);
  EXPECT_EQ(drives(population), nothing);
  see(drive, population, 0, 200);
  EXPECT_EQ(drives(population), nothing);
}

// Drives are computed only when what is seen changes: no change may be missed.
TEST(TunedDrive, FollowsEveryChange) {
  LifPopulation population = cells(0, kCells);
  TunedDrive drive(population, kSharpness);
  // There and back; nothing in between; only the peak changes; nothing changes.
  const std::vector<std::pair<double, double>> seen = {{24, 60}, {24, 200}, {24, 60}, {24, -60},
                                                       {24, 60}, {24, 120}, {24, 60}, {0, 60},
                                                       {24, 60}, {12, 60},  {24, 60}, {24, 60}};
  for (std::size_t k = 0; k < seen.size(); ++k) {
    see(drive, population, seen[k].first, seen[k].second);
    EXPECT_LT(distance(population, seen[k].first, seen[k].second), 1e-6) << "change " << k;
  }
}

TEST(TunedDrive, FollowsChangesOfOneCoordinateAlone) {
  LifPopulation population = cells(0, kCells);
  TunedDrive drive(population, kSharpness);
  const double angle = math::degrees(math::atan2(0.8, 0.6));
  drive.set(population, {24, 0.6, 0.8});
  EXPECT_LT(distance(population, 24, angle), 1e-6);
  drive.set(population, {24, -0.6, 0.8});
  EXPECT_LT(distance(population, 24, 180 - angle), 1e-6);
  drive.set(population, {24, -0.6, -0.8});
  EXPECT_LT(distance(population, 24, 180 + angle), 1e-6);
}

TEST(TunedDrive, AddsUpOverTwoTargets) {
  LifPopulation population = cells(0, kCells), left = cells(0, kCells), right = cells(0, kCells);
  TunedDrive drive(population, kSharpness), of_left(left, kSharpness), of_right(right, kSharpness);
  const Seen right_target{24, 1, 0}, up_target{12, 0, 1};
  of_left.set(left, up_target);
  of_right.set(right, right_target);
  for (const bool swapped : {false, true}) {
    drive.set(population, swapped ? right_target : up_target, swapped ? up_target : right_target);
    const std::vector<float> both = drives(population), a = drives(left), b = drives(right);
    for (std::size_t i = 0; i < both.size(); ++i) EXPECT_FLOAT_EQ(both[i], a[i] + b[i]) << i;
  }
  // And the second goes.
  drive.set(population, right_target);
  EXPECT_EQ(drives(population), drives(right));
}

TEST(TunedDrive, SlicesGetWhatTheWholeGets) {
  LifPopulation whole = cells(0, kCells), left = cells(0, 16), right = cells(16, kCells);
  TunedDrive of_whole(whole, kSharpness), of_left(left, kSharpness), of_right(right, kSharpness);
  for (const double seen : {10.0, 123.4, 300.0}) {
    see(of_whole, whole, 36, seen);
    see(of_left, left, 36, seen);
    see(of_right, right, 36, seen);
    std::vector<float> parts = drives(left);
    for (const float mv : drives(right)) parts.push_back(mv);
    EXPECT_EQ(parts, drives(whole)) << seen;
  }
}

}  // namespace
}  // namespace quartet
