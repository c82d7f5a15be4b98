/// Who projects to whom: rules that draw a synapse's presynaptic cell for a postsynaptic cell.
///
/// Connectivity is drawn per target cell from counter-based random numbers, with a fixed
/// in-degree, so that every rank builds its part alone and the same. The same pair may be drawn
/// twice (a second contact).
///
/// A cell that draws K synapses from N sources meets some of them more than once, which multiplies
/// the variance of its input by 1 + (K − 1)/N. So that this does not depend on the size of the
/// brain, sources come in families of neighbours, as many as there were cells at the reference
/// size. A target draws families, and has its contacts with one member of each: the number of
/// partners and of contacts with each stay, and different targets have different partners.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "models/math.hpp"
#include "models/random.hpp"

namespace quartet {

/// The stream of random numbers with which one target cell draws its synapses. `later`: 0 for
/// those it begins with, another number for each that it forms later.
class Draws {
 public:
  Draws(RandomKey key, std::uint32_t target, std::uint64_t later = 0)
      : key_(key), later_(later), target_(target) {}

  std::uint32_t bits() {
    if (used_ == 4) {
      block_ = random_block(key_, target_, draw_++, 2 * later_);
      used_ = 0;
    }
    return block_[used_++];
  }
  /// Random bits that stay the same for all synapses of the target with sources of one family.
  std::array<std::uint32_t, 4> family_bits(std::uint32_t family) const {
    return random_block(key_, target_, family, 1);
  }
  double uniform() { return uniform01(bits()); }
  std::uint32_t below(std::uint32_t n) { return random_below(bits(), n); }
  double normal() {
    if (spare_) {
      spare_ = false;
      return spare_value_;
    }
    const std::uint32_t a = bits(), b = bits();
    const std::array<double, 2> pair = standard_normal_pair(a, b);
    spare_value_ = pair[1];
    spare_ = true;
    return pair[0];
  }

 private:
  RandomKey key_;
  std::uint64_t later_;
  std::uint32_t target_, draw_ = 0, used_ = 4;
  std::array<std::uint32_t, 4> block_{};
  bool spare_ = false;
  double spare_value_ = 0;
};

/// Source cell (0 … sources−1) of the next synapse of `target` (id over all slices).
using SourceRule = std::function<std::uint32_t(std::uint32_t target, Draws&)>;

/// Size of a population of sources.
struct Cells {
  /// Every cell its own family.
  Cells(std::uint32_t cells) : count(cells), families(cells) {}
  /// `in_families` at most: none is empty.
  Cells(std::uint32_t cells, std::uint32_t in_families)
      : count(cells), families(in_families < cells ? in_families : cells) {}
  operator std::uint32_t() const { return count; }

  std::uint32_t count;
  std::uint32_t families;  ///< contiguous
};

/// Cells of a population of `size` cells that falls into `groups` equal contiguous groups
/// (zones, channels).
inline std::uint32_t group_of(std::uint32_t cell, std::uint32_t size, std::uint32_t groups) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(cell) * groups / size);
}
inline std::uint32_t group_begin(std::uint32_t group, std::uint32_t size, std::uint32_t groups) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(group) * size + groups - 1) /
                                    groups);
}

/// The member of a family with which the drawing target has its contacts.
inline std::uint32_t member(std::uint32_t family, Cells sources, const Draws& draws) {
  const std::uint32_t begin = group_begin(family, sources.count, sources.families);
  const std::uint32_t end = group_begin(family + 1, sources.count, sources.families);
  return end - begin == 1 ? begin : begin + random_below(draws.family_bits(family)[0], end - begin);
}

/// Any of the sources with equal chance, a cell that draws from its own population not excepted.
inline SourceRule uniform_sources(Cells sources) {
  return [=](std::uint32_t, Draws& draws) {
    return member(draws.below(sources.families), sources, draws);
  };
}

/// A target's synapses go through the families in turn: with an in-degree of as many as there are,
/// one cell of each.
inline SourceRule each_family_in_turn(Cells sources) {
  return [=, of = ~0u, next = 0u](std::uint32_t target, Draws& draws) mutable {
    if (target != of) {
      of = target;
      next = 0;
    }
    return member(next++ % sources.families, sources, draws);
  };
}

/// Any cell of group `group` of the sources.
inline std::uint32_t draw_from_group(std::uint32_t group, Cells sources, std::uint32_t groups,
                                     Draws& draws) {
  const std::uint32_t begin = group_begin(group, sources.families, groups);
  const std::uint32_t end = group_begin(group + 1, sources.families, groups);
  return member(begin + draws.below(end - begin), sources, draws);
}

/// The target's own group (zone to zone, channel to channel).
inline SourceRule same_group(Cells sources, std::uint32_t targets, std::uint32_t groups) {
  return [=](std::uint32_t target, Draws& draws) {
    return draw_from_group(group_of(target, targets, groups), sources, groups, draws);
  };
}

/// How much each group of sources belongs to a target, as running sums; the last target's are
/// remembered, as synapses are drawn target by target.
class GroupWeights {
 public:
  /// Writes the weight (at least 0, not all of them 0) of every group at a target.
  using Fill = std::function<void(std::uint32_t target, std::span<double> weights)>;

  GroupWeights(std::uint32_t groups, Fill fill) : fill_(std::move(fill)), sums_(groups) {}

  std::span<const double> sums(std::uint32_t target) {
    if (target != target_) {
      target_ = target;
      fill_(target, sums_);
      std::partial_sum(sums_.begin(), sums_.end(), sums_.begin());
    }
    return sums_;
  }
  double total(std::uint32_t target) { return sums(target).back(); }
  /// A group, with a chance in proportion to its weight.
  std::uint32_t draw(std::uint32_t target, Draws& draws) {
    const std::span<const double> of_target = sums(target);
    const double drawn = draws.uniform() * of_target.back();
    return static_cast<std::uint32_t>(
        std::upper_bound(of_target.begin(), of_target.end() - 1, drawn) - of_target.begin());
  }

 private:
  Fill fill_;
  std::uint32_t target_ = ~0u;
  std::vector<double> sums_;
};

/// Any cell of a group, which is drawn by how much it belongs to the target.
inline SourceRule weighted_groups(Cells sources, std::uint32_t groups, GroupWeights weights) {
  return [=](std::uint32_t target, Draws& draws) mutable {
    return draw_from_group(weights.draw(target, draws), sources, groups, draws);
  };
}

/// Preferred direction (degrees, 0 … 360) of cell `cell` of a ring of `size` cells.
inline double ring_direction(std::uint32_t cell, std::uint32_t size) {
  return 360.0 * (cell + 0.5) / size;
}
/// Its unit vector.
inline std::array<double, 2> ring_vector(std::uint32_t cell, std::uint32_t size) {
  const double angle = math::radians(ring_direction(cell, size));
  return {math::cos(angle), math::sin(angle)};
}
/// The ring cell nearest to a direction.
inline std::uint32_t ring_cell(double direction_deg, std::uint32_t size) {
  double turns = direction_deg / 360.0;
  turns -= std::floor(turns);
  const auto cell = static_cast<std::uint32_t>(turns * size);
  return cell < size ? cell : 0;
}
/// Ring cells at a Gaussian distance (SD `sd_deg`) from `direction(target)`.
inline SourceRule ring_sources(Cells sources, std::function<double(std::uint32_t)> direction,
                               double sd_deg) {
  return [=](std::uint32_t target, Draws& draws) {
    const double drawn = direction(target) + sd_deg * draws.normal();
    return member(ring_cell(drawn, sources.families), sources, draws);
  };
}

/// A population on a regular grid over a rectangle; cell i lies in column i mod nx, row i / nx.
/// Families are the fields of a coarser grid.
struct SheetLayout {
  std::uint32_t nx = 1, ny = 1;
  std::uint32_t families_x = 1, families_y = 1;
  double width = 1, height = 1;  ///< in sheet units

  /// About `cells` cells (never none) in about `families` families on a `width` × `height` sheet.
  static SheetLayout with_cells(double cells, double width, double height, double families) {
    SheetLayout sheet;
    sheet.width = width;
    sheet.height = height;
    auto along = [&](double points, double length) {
      const double pitch = std::sqrt(width * height / points);
      const auto n = static_cast<std::uint32_t>(length / pitch + 0.5);
      return n == 0 ? 1 : n;
    };
    sheet.nx = along(cells, width);
    sheet.ny = along(cells, height);
    sheet.families_x = Cells(sheet.nx, along(families, width)).families;
    sheet.families_y = Cells(sheet.ny, along(families, height)).families;
    return sheet;
  }
  /// Every cell its own family.
  static SheetLayout with_cells(double cells, double width, double height) {
    return with_cells(cells, width, height, cells);
  }
  std::uint32_t size() const { return nx * ny; }
  /// Without regard to place.
  Cells cells() const { return {size(), families_x * families_y}; }
  double x(std::uint32_t cell) const { return (cell % nx + 0.5) * width / nx; }
  double y(std::uint32_t cell) const { return (cell / nx + 0.5) * height / ny; }
  bool inside(double px, double py) const {
    return px >= 0 && px < width && py >= 0 && py < height;
  }
  std::uint32_t cell(double px, double py) const {
    return point(py, height, ny) * nx + point(px, width, nx);
  }
  /// The member of the family there with which the drawing target has its contacts.
  std::uint32_t member(double px, double py, const Draws& draws) const {
    if (families_x == nx && families_y == ny) return cell(px, py);
    const std::uint32_t column = point(px, width, families_x), row = point(py, height, families_y);
    const auto bits = draws.family_bits(row * families_x + column);
    return one_of(row, ny, families_y, bits[1]) * nx + one_of(column, nx, families_x, bits[0]);
  }

 private:
  /// Which of `n` equal parts of `length` a position lies in.
  static std::uint32_t point(double position, double length, std::uint32_t n) {
    const auto i = static_cast<std::uint32_t>(position / length * n);
    return i < n ? i : n - 1;
  }
  /// A random one of the lines of a family.
  static std::uint32_t one_of(std::uint32_t family, std::uint32_t lines, std::uint32_t families,
                              std::uint32_t bits) {
    const std::uint32_t begin = group_begin(family, lines, families);
    return begin + random_below(bits, group_begin(family + 1, lines, families) - begin);
  }
};

/// Cells of `source` at a Gaussian distance (SD `sd` units on each axis) from the target on the
/// same sheet; the sheet's edges are open (points outside are drawn again).
inline SourceRule sheet_sources(SheetLayout source, SheetLayout target, double sd) {
  return [=](std::uint32_t cell, Draws& draws) {
    for (int attempt = 0; attempt < 1000; ++attempt) {
      const double px = target.x(cell) + sd * draws.normal();
      const double py = target.y(cell) + sd * draws.normal();
      if (source.inside(px, py)) return source.member(px, py, draws);
    }
    return source.cell(target.x(cell), target.y(cell));
  };
}

}  // namespace quartet
