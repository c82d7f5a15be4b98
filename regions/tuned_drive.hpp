/// Drives of cells by what they are tuned to: a seen direction, or a part of the body.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/lif.hpp"
#include "models/math.hpp"
#include "regions/sizes.hpp"

namespace quartet {

/// Something seen. (x, y): unit vector to it; `peak_mv` 0: it is not there.
struct Seen {
  double peak_mv = 0, x = 0, y = 0;
  bool operator==(const Seen& other) const {
    return peak_mv == other.peak_mv && (peak_mv == 0 || (x == other.x && y == other.y));
  }
};

/// Von Mises tuning: a cell with direction θ gets peak · exp(sharpness · (cos(θ − φ) − 1)) while
/// direction φ is seen. What is seen rarely changes, so drives are computed when it does.
class TunedDrive {
 public:
  /// `cells`: the population, whose ids are directions on a ring.
  TunedDrive(const LifPopulation& cells, double sharpness) : sharpness_(sharpness) {
    for (std::uint32_t i = 0; i < cells.count(); ++i)
      directions_.push_back(ring_vector(cells.first() + i, cells.size()));
  }

  /// Sets the drive of all cells, the sum over what is seen.
  void set(LifPopulation& cells, Seen first, Seen second = {}) {
    if (computed_ && first == first_ && second == second_) return;
    computed_ = true;
    first_ = first;
    second_ = second;
    const auto drive = cells.drive();
    for (std::size_t i = 0; i < directions_.size(); ++i) {
      double sum = 0;
      for (const Seen& seen : {first, second}) {
        if (seen.peak_mv == 0) continue;
        const double cosine = seen.x * directions_[i][0] + seen.y * directions_[i][1];
        sum += seen.peak_mv * math::exp(sharpness_ * (cosine - 1.0));
      }
      drive[i] = static_cast<float>(sum);
    }
  }

 private:
  double sharpness_;
  std::vector<std::array<double, 2>> directions_;  // per cell of the slice
  // What drives were computed for; not state: a restored brain computes them anew.
  bool computed_ = false;
  Seen first_, second_;
};

/// One value for each group of a population (fingers, parts of the body), times `peak_mv`. Values
/// rarely change, so drives are computed when they do.
class GroupDrive {
 public:
  void set(LifPopulation& cells, std::span<const double> values, double peak_mv) {
    if (std::equal(values.begin(), values.end(), values_.begin(), values_.end())) return;
    values_.assign(values.begin(), values.end());
    const auto groups = static_cast<std::uint32_t>(values.size());
    const auto drive = cells.drive();
    for (std::uint32_t i = 0; i < cells.count(); ++i)
      drive[i] =
          static_cast<float>(peak_mv * values[group_of(cells.first() + i, cells.size(), groups)]);
  }

 private:
  std::vector<double> values_;  // of which drives were computed; not state
};

}  // namespace quartet
