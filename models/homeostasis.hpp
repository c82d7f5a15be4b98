/// Slow control of a population's excitability by its own mean rate.
#pragma once

#include <cstddef>

#include "models/parameters.hpp"

namespace quartet {

/// Every ms:  shift += rate · (target − mean rate), in mV of depolarisation for all cells alike
/// (intrinsic homeostasis: Desai, Rutherford & Turrigiano 1999). It holds the level of a
/// population and knows nothing of what its cells code.
struct HomeostasisParameters {
  double target_hz = 10.0;
  double rate = 4e-5;
  void visit(ParameterVisitor& v);
};

class Homeostasis {
 public:
  explicit Homeostasis(const HomeostasisParameters& parameters) : parameters_(parameters) {}
  /// After a timestep of 1 ms in which `spikes` of all `cells` cells fired.
  void update(std::size_t spikes, std::size_t cells) {
    shift_mv_ += parameters_.rate * (parameters_.target_hz - 1000.0 * static_cast<double>(spikes) /
                                                                 static_cast<double>(cells));
  }
  /// State.
  double& shift_mv() { return shift_mv_; }
  double shift_mv() const { return shift_mv_; }

 private:
  HomeostasisParameters parameters_;
  double shift_mv_ = 0;
};

}  // namespace quartet
