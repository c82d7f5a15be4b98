// Which muscles a direction needs: demands as such, and the reaches of an arm that gets them.

#include "regions/muscle_map.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "models/math.hpp"

namespace quartet {
namespace {

using Excitation = std::array<double, kArmMuscles>;
constexpr double kKnotDeg = 10;  // 36 directions

/// The arm as shipped, and one that needs other muscles.
std::vector<ArmParameters> arms() {
  ArmParameters other;
  other.forearm_mass_kg = 1.5;
  other.forearm_inertia_kgm2 = 0.065;
  std::swap(other.muscles[0].pcsa_cm2, other.muscles[1].pcsa_cm2);
  return {ArmParameters{}, other};
}

ArmState start() {
  ArmState state;
  state.q[0] = math::radians(kStartShoulderDeg);
  state.q[1] = math::radians(kStartElbowDeg);
  return state;
}

/// What muscles get when the demand of a direction drives the fields.
Excitation excitation(const MuscleMap& map, double direction_deg) {
  Excitation u{};
  for (int from = 0; from < kArmMuscles; ++from)
    for (int to = 0; to < kArmMuscles; ++to)
      u[static_cast<std::size_t>(to)] += map.demand(from, direction_deg) * spread(from, to);
  return u;
}

/// Size of the hand's first acceleration with these muscles active, m/s².
double acceleration(const ArmParameters& arm, const Excitation& active) {
  ArmState state = start();
  std::copy(active.begin(), active.end(), state.activation);
  const Vector2 a = hand_acceleration(arm, state);
  return std::sqrt(a.x * a.x + a.y * a.y);
}

/// Direction in which a hand is that has gone 10 cm under a constant drive; NaN where it never
/// does.
double reach_deg(const ArmParameters& arm, const Excitation& drive) {
  ArmState state = start();
  const Vector2 from = hand_position(arm, state);
  for (int ms = 0; ms < 1000; ++ms) {
    step(arm, state, drive, 0.001);
    const Vector2 hand = hand_position(arm, state);
    const double x = hand.x - from.x, y = hand.y - from.y;
    if (std::sqrt(x * x + y * y) >= 0.10) return math::degrees(math::atan2(y, x));
  }
  return std::nan("");
}

TEST(MuscleMap, DemandsLieBetweenZeroAndOne) {
  for (const ArmParameters& arm : arms()) {
    const MuscleMap map(arm);
    double most = 0;
    for (int muscle = 0; muscle < kArmMuscles; ++muscle) {
      double of_muscle = 0;
      for (double direction = -400; direction < 400; direction += 2.5) {
        const double demand = map.demand(muscle, direction);
        ASSERT_GE(demand, 0) << muscle << " at " << direction;
        ASSERT_LE(demand, 1) << muscle << " at " << direction;
        of_muscle = std::max(of_muscle, demand);
      }
      EXPECT_GT(of_muscle, 0.1) << muscle;  // no muscle is idle in all directions
      most = std::max(most, of_muscle);
    }
    EXPECT_EQ(most, 1);
  }
}

TEST(MuscleMap, DemandsAreLinearBetweenThirtySixDirections) {
  const MuscleMap map(ArmParameters{});
  double bend = 0;
  for (int muscle = 0; muscle < kArmMuscles; ++muscle) {
    for (double knot = 0; knot < 360; knot += kKnotDeg) {
      const double below = map.demand(muscle, knot), above = map.demand(muscle, knot + kKnotDeg);
      for (const double share : {0.2, 0.5, 0.9})
        EXPECT_NEAR(map.demand(muscle, knot + share * kKnotDeg), below + share * (above - below),
                    1e-12)
            << muscle << " from " << knot;
      // Across a knot they are not.
      bend = std::max(
          bend,
          std::abs(0.5 * (map.demand(muscle, knot - 5) + map.demand(muscle, knot + 5)) - below));
    }
  }
  EXPECT_GT(bend, 1e-3);
}

TEST(MuscleMap, DemandsRepeatAfterATurn) {
  const MuscleMap map(ArmParameters{});
  for (int muscle = 0; muscle < kArmMuscles; ++muscle) {
    for (double direction = 0; direction < 360; direction += 3.75) {
      const double demand = map.demand(muscle, direction);
      for (const double turns : {-720.0, -360.0, 360.0})
        EXPECT_NEAR(map.demand(muscle, direction + turns), demand, 1e-12)
            << muscle << " at " << direction;
    }
    // The last direction leads to the first.
    EXPECT_NEAR(map.demand(muscle, 359.999), map.demand(muscle, 0), 1e-3) << muscle;
  }
}

TEST(MuscleMap, EveryDirectionIsAcceleratedAlikeAndReached) {
  for (const ArmParameters& arm : arms()) {
    const MuscleMap map(arm);
    double mean = 0;
    for (double knot = 0; knot < 360; knot += kKnotDeg)
      mean += acceleration(arm, excitation(map, knot)) * kKnotDeg / 360;
    const double full = 16 / mean;  // the map is relative to its largest demand
    double turned = 0;
    for (double wanted = 0; wanted < 360; wanted += 2.5) {
      Excitation drive = excitation(map, wanted);
      for (double& u : drive) u *= full;
      // Between directions a little less.
      EXPECT_NEAR(acceleration(arm, drive), 16, 0.03 * 16) << wanted;
      const double reached = reach_deg(arm, drive);
      EXPECT_LT(std::abs(math::wrap_degrees(reached - wanted)), 1) << wanted;
      // Where the first pull points is another matter.
      ArmState state = start();
      std::copy(drive.begin(), drive.end(), state.activation);
      const Vector2 a = hand_acceleration(arm, state);
      turned = std::max(
          turned, std::abs(math::wrap_degrees(math::degrees(math::atan2(a.y, a.x)) - wanted)));
    }
    EXPECT_GT(turned, 4);
  }
}

}  // namespace
}  // namespace quartet
