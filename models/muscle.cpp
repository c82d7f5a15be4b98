#include "models/muscle.hpp"

#include <algorithm>
#include <cmath>

#include "models/math.hpp"

namespace quartet {

double activate(const ActivationParameters& parameters, double excitation, double activation,
                double dt_s) {
  const double u = excitation > 0.0 ? std::min(excitation, 1.0) : 0.0;
  const double tau =
      u > activation ? parameters.tau_fall_s + u * (parameters.tau_rise_s - parameters.tau_fall_s)
                     : parameters.tau_fall_s;
  return u + (activation - u) * math::exp(-dt_s / tau);
}

double force_length(double length) {
  const double strain = std::fabs((math::pow(length, 1.93) - 1.0) / 1.03);
  return math::exp(-math::pow(strain, 1.87));
}

double force_velocity(double length, double velocity) {
  constexpr double max_velocity = -5.72;
  if (velocity <= max_velocity) return 0.0;
  if (velocity <= 0.0) {
    return (max_velocity - velocity) / (max_velocity + (1.38 + 2.09 * length) * velocity);
  }
  const double b = -3.12 + 4.21 * length - 2.67 * length * length;
  return (0.62 - b * velocity) / (0.62 + velocity);
}

double tension(double activation, double length, double velocity) {
  // The fits hold for lengths that a muscle can have.
  const double l = std::clamp(length, 0.4, 1.6);
  return activation * force_length(l) * force_velocity(l, velocity);
}

void step(const FingerParameters& parameters, FingerMuscles& fingers,
          std::span<const double, finger_count> excitation, double dt_s) {
  const double decay = math::exp(-dt_s * parameters.stiffness_Nm / parameters.viscosity_Nms);
  const double full_angle =
      parameters.moment_arm_m * parameters.max_force_N / parameters.stiffness_Nm;
  for (int i = 0; i < finger_count; ++i) {
    const double before = fingers.activation[i];
    fingers.activation[i] = activate(parameters.activation, excitation[i], before, dt_s);
    const double equilibrium = full_angle * 0.5 * (before + fingers.activation[i]);
    fingers.angle[i] = equilibrium + (fingers.angle[i] - equilibrium) * decay;
  }
}

}  // namespace quartet
