/// Where the motor sheet represents what: the fields of the muscles that corticospinal cells
/// drive. Cortex builds its input map on it and the body reads corticospinal spikes through it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "models/math.hpp"
#include "models/muscle.hpp"
#include "regions/sizes.hpp"

namespace quartet {

struct MuscleField {
  std::string_view name;
  double x, y;  ///< centre, sheet units
};

/// Shoulder girdle, arm, little finger to thumb, and face lie in this order from medial to
/// lateral (Penfield & Boldrey 1937); the arm's muscles form two rows.
inline constexpr std::array<MuscleField, kMuscles> kMuscleFields = {{
    {"shoulder_flexor", 3.0, 1.2},
    {"shoulder_extensor", 3.0, 4.8},
    {"elbow_flexor", 5.5, 4.8},
    {"elbow_extensor", 5.5, 1.2},
    {"biarticular_flexor", 8.0, 1.2},
    {"biarticular_extensor", 8.0, 4.8},
    {"little_finger", 10.2, 3.0},
    {"ring_finger", 11.6, 3.0},
    {"middle_finger", 13.0, 3.0},
    {"index_finger", 14.4, 3.0},
    {"thumb", 15.8, 3.0},
    {"shoulder_girdle", 0.8, 3.0},
    {"face", 17.3, 3.0},
}};
static_assert(kMuscleFields[kFace].name == "face");
/// The sheet in bins of a square unit, finer than a scanner sees: columns from medial to lateral,
/// one row of them after the other.
inline constexpr std::uint32_t kSheetColumns = static_cast<std::uint32_t>(kSheetWidth),
                               kSheetRows = static_cast<std::uint32_t>(kSheetHeight),
                               kSheetBins = kSheetColumns * kSheetRows;
static_assert(kSheetColumns == kSheetWidth && kSheetRows == kSheetHeight);
inline std::uint32_t sheet_bin(double x, double y) {
  return static_cast<std::uint32_t>(y) * kSheetColumns + static_cast<std::uint32_t>(x);
}

/// SD of a field, sheet units (tuned: neighbouring arm muscles share 4 % of their drive).
inline constexpr double kFieldSd = 0.7;

/// How much a cell at (x, y) belongs to muscle `muscle`: 1 at the field's centre. `sd`: sheet
/// units.
inline double field(int muscle, double x, double y, double sd = kFieldSd) {
  const MuscleField& f = kMuscleFields[static_cast<std::size_t>(muscle)];
  const double dx = x - f.x, dy = y - f.y;
  return math::exp(-(dx * dx + dy * dy) / (2.0 * sd * sd));
}

/// For every cell of a layer the share that it has in a muscle's field: sums over cells are 1.
inline std::vector<std::array<double, kMuscles>> field_shares(const SheetLayout& layer) {
  std::vector<std::array<double, kMuscles>> shares(layer.size());
  for (int m = 0; m < kMuscles; ++m) {
    double sum = 0;
    for (std::uint32_t cell = 0; cell < layer.size(); ++cell)
      sum += field(m, layer.x(cell), layer.y(cell));
    for (std::uint32_t cell = 0; cell < layer.size(); ++cell)
      shares[cell][static_cast<std::size_t>(m)] = field(m, layer.x(cell), layer.y(cell)) / sum;
  }
  return shares;
}

/// SD over which lateral connections and overlapping fields spread a drive, sheet units (measured
/// on an earlier sheet, before commit 2b2f53e, and kept).
inline constexpr double kSpreadSd = 1.15;

/// Drive of muscle `to` when the middle of muscle `from`'s field is driven, relative to `from`'s.
inline double spread(int from, int to) {
  const MuscleField& a = kMuscleFields[static_cast<std::size_t>(from)];
  const MuscleField& b = kMuscleFields[static_cast<std::size_t>(to)];
  const double dx = a.x - b.x, dy = a.y - b.y;
  return math::exp(-(dx * dx + dy * dy) / (2.0 * kSpreadSd * kSpreadSd));
}

}  // namespace quartet
