/// Drive of a ring of cells that are tuned to a seen direction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/lif.hpp"
#include "models/math.hpp"
#include "regions/sizes.hpp"

namespace quartet {

/// Von Mises tuning: a cell with direction θ gets peak · exp(sharpness · (cos(θ − φ) − 1)) while
/// direction φ is seen. What is seen rarely changes, so drives are computed when it does.
class TunedDrive {
 public:
  /// `cells`: the population, whose ids are directions on a ring.
  TunedDrive(const LifPopulation& cells, double sharpness) : sharpness_(sharpness) {
    for (std::uint32_t i = 0; i < cells.count(); ++i)
      directions_.push_back(ring_vector(cells.first() + i, cells.size()));
  }

  /// Sets the drive of all cells. (x, y): unit vector to what is seen; `peak_mv` 0: nothing is.
  void set(LifPopulation& cells, double peak_mv, double x, double y) {
    if (peak_mv == peak_mv_ && (peak_mv == 0 || (x == x_ && y == y_))) return;
    peak_mv_ = peak_mv;
    x_ = x;
    y_ = y;
    const auto drive = cells.drive();
    for (std::size_t i = 0; i < directions_.size(); ++i)
      drive[i] =
          peak_mv == 0
              ? 0.0f
              : static_cast<float>(peak_mv * math::exp(sharpness_ * (x * directions_[i][0] +
                                                                     y * directions_[i][1] - 1.0)));
  }

 private:
  double sharpness_;
  std::vector<std::array<double, 2>> directions_;  // per cell of the slice
  // What drives were computed for; not state: a restored brain computes them anew.
  double peak_mv_ = -1, x_ = 0, y_ = 0;
};

}  // namespace quartet
