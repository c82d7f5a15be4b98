/// Where the motor sheet represents what: the fields of the muscles that corticospinal cells
/// drive. Cortex builds its input map on it and the body reads corticospinal spikes through it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "models/math.hpp"
#include "regions/sizes.hpp"

namespace quartet {

inline constexpr int kArmMuscles = 6;
inline constexpr int kFingers = 5;
inline constexpr int kMuscles = kArmMuscles + kFingers + 2;

struct MuscleField {
  std::string_view name;
  double x, y;  ///< centre, sheet units
};

/// Shoulder girdle, arm, little finger to thumb, and face lie in this order from medial to
/// lateral (Penfield & Boldrey 1937); the arm's muscles form two rows.
inline constexpr std::array<MuscleField, kMuscles> kMuscleFields = {{
    {"shoulder_flexor", 3.5, 1.5},
    {"shoulder_extensor", 3.5, 4.5},
    {"elbow_flexor", 5.5, 4.5},
    {"elbow_extensor", 5.5, 1.5},
    {"biarticular_flexor", 7.5, 1.5},
    {"biarticular_extensor", 7.5, 4.5},
    {"little_finger", 9.5, 3.0},
    {"ring_finger", 11.0, 3.0},
    {"middle_finger", 12.5, 3.0},
    {"index_finger", 14.0, 3.0},
    {"thumb", 15.5, 3.0},
    {"shoulder_girdle", 1.0, 3.0},
    {"face", 17.0, 3.0},
}};
/// SD of a field, sheet units (recipes of the feasibility sheet: .7; .9 tuned to motor noise).
inline constexpr double kFieldSd = 0.9;

/// How much a cell at (x, y) belongs to muscle `muscle`: 1 at the field's centre.
inline double field(int muscle, double x, double y) {
  const MuscleField& f = kMuscleFields[static_cast<std::size_t>(muscle)];
  const double dx = x - f.x, dy = y - f.y;
  return math::exp(-(dx * dx + dy * dy) / (2.0 * kFieldSd * kFieldSd));
}

}  // namespace quartet
