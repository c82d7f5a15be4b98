/// Which muscles a reach in a given direction needs: the map that motor development leaves in the
/// connections from premotor cortex and thalamus to the sheet. Computed from the arm's mechanics
/// when a brain is built; nothing in it changes while a subject learns.
#pragma once

#include <array>

#include "models/arm.hpp"
#include "models/math.hpp"
#include "regions/sheet.hpp"

namespace quartet {

inline constexpr double kStartShoulderDeg = 45.0, kStartElbowDeg = 90.0;

/// Posture at the start of every reach, at rest: hand in front of the body.
inline ArmState start_posture() {
  ArmState state;
  state.q[0] = math::radians(kStartShoulderDeg);
  state.q[1] = math::radians(kStartElbowDeg);
  return state;
}

class MuscleMap {
 public:
  explicit MuscleMap(const ArmParameters& arm);

  /// Drive (0 … 1) of arm muscle `muscle`'s field on the sheet for a reach toward
  /// `direction_deg`: non-negative, and between 36 directions linear in direction. Among all drives
  /// that, spread over neighbouring fields, accelerate the hand at the start by the same amount
  /// (16 m/s², for the speed of reaches) in every direction, about those with the least squared
  /// sum; then turned until a reach of 10 cm under this constant drive ends in that direction.
  double demand(int muscle, double direction_deg) const;

 private:
  static constexpr int kDirections = 36;
  std::array<std::array<double, kArmMuscles>, kDirections> demand_{};
};

}  // namespace quartet
