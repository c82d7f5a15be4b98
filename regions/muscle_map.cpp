#include "regions/muscle_map.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "models/math.hpp"

namespace quartet {

namespace {
using Excitation = std::array<double, kArmMuscles>;

/// Non-negative excitations whose pulls add up to `want`, with the least squared sum: projected
/// gradient descent on |Σ pull·a − want|² + λ|a|².
Excitation solve(const std::array<Vector2, kArmMuscles>& pull, Vector2 want) {
  double trace = 0;
  for (const Vector2& p : pull) trace += p.x * p.x + p.y * p.y;
  const double lambda = 1e-3 * trace, rate = 1.0 / (trace + lambda);
  Excitation a{};
  for (int i = 0; i < 3000; ++i) {
    Vector2 rest{-want.x, -want.y};
    for (std::size_t m = 0; m < pull.size(); ++m) {
      rest.x += pull[m].x * a[m];
      rest.y += pull[m].y * a[m];
    }
    for (std::size_t m = 0; m < pull.size(); ++m)
      a[m] = std::max(0.0, a[m] - rate * (pull[m].x * rest.x + pull[m].y * rest.y + lambda * a[m]));
  }
  return a;
}

/// Muscle excitations that a drive of the fields gives.
Excitation spread_over_fields(const Excitation& drive) {
  Excitation u{};
  for (int from = 0; from < kArmMuscles; ++from)
    for (int to = 0; to < kArmMuscles; ++to)
      u[static_cast<std::size_t>(to)] += spread(from, to) * drive[static_cast<std::size_t>(from)];
  return u;
}

/// Direction (degrees) in which the hand has gone when it is 10 cm from the start.
double reach_direction(const ArmParameters& arm, const Excitation& excitation) {
  ArmState state = start_posture();
  const Vector2 start = hand_position(arm, state);
  Vector2 hand = start;
  for (int t = 0; t < 1000; ++t) {
    step(arm, state, excitation, 0.001);
    hand = hand_position(arm, state);
    const double dx = hand.x - start.x, dy = hand.y - start.y;
    if (dx * dx + dy * dy >= 0.01) break;
  }
  return math::degrees(math::atan2(hand.y - start.y, hand.x - start.x));
}
}  // namespace

MuscleMap::MuscleMap(const ArmParameters& arm) {
  std::array<Vector2, kArmMuscles> pull, field_pull{};
  for (std::size_t m = 0; m < pull.size(); ++m) {
    ArmState state = start_posture();
    state.activation[m] = 1.0;
    pull[m] = hand_acceleration(arm, state);
  }
  for (int from = 0; from < kArmMuscles; ++from) {
    for (int to = 0; to < kArmMuscles; ++to) {
      Vector2& sum = field_pull[static_cast<std::size_t>(from)];
      sum.x += spread(from, to) * pull[static_cast<std::size_t>(to)].x;
      sum.y += spread(from, to) * pull[static_cast<std::size_t>(to)].y;
    }
  }
  constexpr double acceleration = 16.0;  // m/s²: 10 cm in some .15 s, as reaches take
  double largest = 0;
  for (int d = 0; d < kDirections; ++d) {
    const double wanted = 360.0 * d / kDirections;
    double pushed = wanted;
    Excitation a{};
    for (int i = 0; i < 5; ++i) {
      const double angle = math::radians(pushed);
      a = solve(field_pull, {acceleration * math::cos(angle), acceleration * math::sin(angle)});
      if (i < 4)
        pushed += 0.8 * math::wrap_degrees(wanted - reach_direction(arm, spread_over_fields(a)));
    }
    demand_[static_cast<std::size_t>(d)] = a;
    for (double value : a) largest = std::max(largest, value);
  }
  if (!(largest > 0))
    throw std::invalid_argument(
        "body.arm: its muscles cannot move the hand; give some of them a pcsa_cm2 and moment arms "
        "(shoulder_arm_m, elbow_arm_m) that are not 0");
  for (auto& row : demand_)
    for (double& value : row) value /= largest;
}

double MuscleMap::demand(int muscle, double direction_deg) const {
  double turns = direction_deg / 360.0;
  turns -= std::floor(turns);
  const double at = turns * kDirections;
  const auto below = static_cast<std::size_t>(at) % kDirections;
  const double share = at - std::floor(at);
  const auto m = static_cast<std::size_t>(muscle);
  return demand_[below][m] * (1 - share) + demand_[(below + 1) % kDirections][m] * share;
}

}  // namespace quartet
