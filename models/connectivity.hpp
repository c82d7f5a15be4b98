/// Who projects to whom: rules that draw a synapse's presynaptic cell for a postsynaptic cell.
///
/// Connectivity is drawn per target cell from counter-based random numbers, with a fixed
/// in-degree, so that every rank builds its part alone and the same. The same pair may be drawn
/// twice (a second contact).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string_view>

#include "models/math.hpp"
#include "models/random.hpp"

namespace quartet {

/// The stream of random numbers with which one target cell draws its synapses.
class Draws {
 public:
  Draws(RandomKey key, std::uint32_t target) : key_(key), target_(target) {}

  std::uint32_t bits() {
    if (used_ == 4) {
      block_ = random_block(key_, target_, draw_++, 0);
      used_ = 0;
    }
    return block_[used_++];
  }
  double uniform() { return uniform01(bits()); }
  std::uint32_t below(std::uint32_t n) { return random_below(bits(), n); }
  double normal() {
    if (spare_) {
      spare_ = false;
      return spare_value_;
    }
    const double u = uniform(), angle = 2.0 * math::pi * uniform();
    const double radius = std::sqrt(-2.0 * math::log(u));
    spare_value_ = radius * math::sin(angle);
    spare_ = true;
    return radius * math::cos(angle);
  }

 private:
  RandomKey key_;
  std::uint32_t target_, draw_ = 0, used_ = 4;
  std::array<std::uint32_t, 4> block_{};
  bool spare_ = false;
  double spare_value_ = 0;
};

/// Source cell (0 … sources−1) of the next synapse of `target` (id over all slices).
using SourceRule = std::function<std::uint32_t(std::uint32_t target, Draws&)>;

/// Any of `sources` cells with equal chance.
inline SourceRule uniform_sources(std::uint32_t sources) {
  return [=](std::uint32_t, Draws& draws) { return draws.below(sources); };
}

/// Cells of a population of `size` cells that falls into `groups` equal contiguous groups
/// (zones, channels).
inline std::uint32_t group_of(std::uint32_t cell, std::uint32_t size, std::uint32_t groups) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(cell) * groups / size);
}
inline std::uint32_t group_begin(std::uint32_t group, std::uint32_t size, std::uint32_t groups) {
  return static_cast<std::uint32_t>(
      (static_cast<std::uint64_t>(group) * size + groups - 1) / groups);
}

/// Any cell of group `group` of the sources.
inline std::uint32_t draw_from_group(std::uint32_t group, std::uint32_t sources,
                                     std::uint32_t groups, Draws& draws) {
  const std::uint32_t begin = group_begin(group, sources, groups);
  const std::uint32_t end = group_begin(group + 1, sources, groups);
  return begin + draws.below(end - begin);
}

/// The target's own group (zone to zone, channel to channel).
inline SourceRule same_group(std::uint32_t sources, std::uint32_t targets, std::uint32_t groups) {
  return [=](std::uint32_t target, Draws& draws) {
    return draw_from_group(group_of(target, targets, groups), sources, groups, draws);
  };
}

/// Preferred direction (degrees, 0 … 360) of cell `cell` of a ring of `size` cells.
inline double ring_direction(std::uint32_t cell, std::uint32_t size) {
  return 360.0 * (cell + 0.5) / size;
}
/// The ring cell nearest to a direction.
inline std::uint32_t ring_cell(double direction_deg, std::uint32_t size) {
  double turns = direction_deg / 360.0;
  turns -= std::floor(turns);
  const auto cell = static_cast<std::uint32_t>(turns * size);
  return cell < size ? cell : 0;
}
/// Ring cells at a Gaussian distance (SD `sd_deg`) from `direction(target)`.
inline SourceRule ring_sources(std::uint32_t sources,
                               std::function<double(std::uint32_t)> direction, double sd_deg) {
  return [=](std::uint32_t target, Draws& draws) {
    return ring_cell(direction(target) + sd_deg * draws.normal(), sources);
  };
}

/// A population on a regular grid over a rectangle; cell i lies in column i mod nx, row i / nx.
struct SheetLayout {
  std::uint32_t nx = 1, ny = 1;
  double width = 1, height = 1;  ///< in sheet units

  /// About `cells` cells (never none) on a `width` × `height` sheet.
  static SheetLayout with_cells(double cells, double width, double height) {
    SheetLayout sheet;
    sheet.width = width;
    sheet.height = height;
    const double pitch = std::sqrt(width * height / cells);
    sheet.nx = static_cast<std::uint32_t>(width / pitch + 0.5);
    sheet.ny = static_cast<std::uint32_t>(height / pitch + 0.5);
    if (sheet.nx == 0) sheet.nx = 1;
    if (sheet.ny == 0) sheet.ny = 1;
    return sheet;
  }
  std::uint32_t size() const { return nx * ny; }
  double x(std::uint32_t cell) const { return (cell % nx + 0.5) * width / nx; }
  double y(std::uint32_t cell) const { return (cell / nx + 0.5) * height / ny; }
  bool inside(double px, double py) const {
    return px >= 0 && px < width && py >= 0 && py < height;
  }
  std::uint32_t cell(double px, double py) const {
    const auto column = static_cast<std::uint32_t>(px / width * nx);
    const auto row = static_cast<std::uint32_t>(py / height * ny);
    return (row < ny ? row : ny - 1) * nx + (column < nx ? column : nx - 1);
  }
};

/// Cells of `source` at a Gaussian distance (SD `sd` units on each axis) from the target on the
/// same sheet; the sheet's edges are open (points outside are drawn again).
inline SourceRule sheet_sources(SheetLayout source, SheetLayout target, double sd) {
  return [=](std::uint32_t cell, Draws& draws) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const double px = target.x(cell) + sd * draws.normal();
      const double py = target.y(cell) + sd * draws.normal();
      if (source.inside(px, py)) return source.cell(px, py);
    }
    return source.cell(target.x(cell), target.y(cell));
  };
}

}  // namespace quartet
