// What granule cells hear: a cerebellum alone, that gets an aim.

#include <gtest/gtest.h>

#include <cmath>

#include "regions/cerebellum.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// Angle between two directions, degrees, 0 to 180.
double apart(double a, double b) { return std::abs(std::remainder(a - b, 360.0)); }

/// Granule cells' spikes per cell over 500 ms in which premotor cells within 20° of `aim_deg` fire
/// at 200 Hz: of cells of directions within 45° of the aim, and of those beyond 135°.
struct Heard {
  double near = 0, opposite = 0;
};
Heard hear(const CerebellumParameters& parameters, double aim_deg, double scale) {
  Cerebellum region(parameters, scale, 20111, {});
  OneRegion alone(region);
  const std::size_t granule = population_of(region, "GrC");
  const std::vector<float>& direction = region.populations()[granule].preferred_direction_deg;
  const Cells pmd = Sizes(scale).pmd;
  double near = 0, opposite = 0;
  for (const float at : direction) {
    near += apart(at, aim_deg) < 45;
    opposite += apart(at, aim_deg) > 135;
  }
  Heard heard;
  for (int ms = 0; ms < 500; ++ms) {
    if (ms % 5 == 0)
      for (std::uint32_t cell = 0; cell < pmd.count; ++cell)
        if (apart(ring_direction(cell, pmd), aim_deg) < 20)
          alone.spikes_to("pmd_to_cerebellum").push_back({cell, 0});
    alone.step();
    for (const Spike& spike : region.spikes(granule)) {
      heard.near += (apart(direction[spike.id], aim_deg) < 45) / near;
      heard.opposite += (apart(direction[spike.id], aim_deg) > 135) / opposite;
    }
  }
  return heard;
}

TEST(GranuleCells, HearOfAimsLikeTheirOwnAtAnyScale) {
  for (const double scale : {0.25, 0.5, 1.0}) {
    for (const double aim_deg : {30.0, 200.0}) {
      const Heard heard = hear({}, aim_deg, scale);
      EXPECT_GT(heard.near, 2 * heard.opposite) << scale << ", " << aim_deg;
    }
  }
}

TEST(GranuleCells, HearOfAllAimsWhereTheirFibresAreDrawnFromAll) {
  CerebellumParameters parameters;
  parameters.granule_spread_deg = 360;
  const Heard heard = hear(parameters, 30, 1);
  EXPECT_NEAR(heard.near / heard.opposite, 1, 0.2);
}

}  // namespace
}  // namespace quartet
