/// Muscles: activation dynamics, Hill-type force, and the simple flexors of the fingers.
#pragma once

#include <cstddef>
#include <span>

#include "models/parameters.hpp"

namespace quartet {

/// Time constants of the calcium that turns excitation into activation.
struct ActivationParameters {
  double tau_rise_s = 0.050;
  double tau_fall_s = 0.066;

  void visit(ParameterVisitor& v) {
    v.real("tau_rise_s", tau_rise_s, {"s", 0.001, 1},
           "time constant of activation at full excitation (Todorov & Li 2005: 0.050)");
    v.real("tau_fall_s", tau_fall_s, {"s", 0.001, 1},
           "time constant of deactivation (Todorov & Li 2005: 0.066)");
  }
};

/// Activation, 0 … 1, after `dt_s` of constant `excitation` (outside 0 … 1 it is clamped, nan is
/// 0): the exact solution of
///   da/dt = (u − a)/τ,  τ = tau_fall + u·(tau_rise − tau_fall) where u > a, else tau_fall
/// (Todorov & Li 2005, Proc. American Control Conference, 300–306).
double activate(const ActivationParameters& parameters, double excitation, double activation,
                double dt_s);

/// Force–length factor of a muscle at `length` in optimal fibre lengths: 1 at length 1
/// (slow fibres of Brown, Cheng & Loeb 1999, J. Muscle Res. Cell Motil. 20:627–643).
double force_length(double length);

/// Force–velocity factor at `velocity` in optimal lengths per second, positive when the muscle
/// lengthens: 1 when isometric, 0 from −5.72 on (Brown, Cheng & Loeb 1999).
double force_velocity(double length, double velocity);

/// Tension relative to maximal isometric force. Activation counts linearly, as recruitment does;
/// fibres are stiff enough that tendons need no state of their own.
double tension(double activation, double length, double velocity);

inline constexpr int finger_count = 5;  ///< little finger to thumb
/// Of a digit as people count them, 1 (thumb) to 5 (little finger).
inline std::size_t finger_of_digit(double digit) {
  return finger_count - static_cast<std::size_t>(digit);
}

/// A finger as one joint that a flexor bends against its passive spring and damper, without mass:
///   viscosity·dθ/dt = moment_arm·max_force·a − stiffness·θ.
struct FingerParameters {
  ActivationParameters activation;
  double max_force_N = 50.0;
  double moment_arm_m = 0.01;
  double stiffness_Nm = 0.32;
  double viscosity_Nms = 0.01;

  void visit(ParameterVisitor& v) {
    v.table("activation", activation, "activation dynamics of the flexors");
    v.real("max_force_N", max_force_N, {"N", 0, 1000},
           "force of a flexor at activation 1 (chosen: bends the finger by 90 degrees)");
    v.real("moment_arm_m", moment_arm_m, {"m", 0, 0.1}, "moment arm of a flexor (order of 1 cm)");
    v.real("stiffness_Nm", stiffness_Nm, {"N m rad-1", 0.001, 100},
           "passive stiffness of the joint (chosen, see max_force_N)");
    v.real("viscosity_Nms", viscosity_Nms, {"N m s rad-1", 0.0001, 100},
           "viscosity of the joint (chosen: with stiffness_Nm a time constant of 31 ms)");
  }
};

/// State of the five fingers.
struct FingerMuscles {
  double activation[finger_count] = {};
  double angle[finger_count] = {};  ///< flexion, rad

  friend bool operator==(const FingerMuscles&, const FingerMuscles&) = default;
};

/// Advances the fingers by `dt_s` under constant `excitation`, exactly but for activation, which
/// the joint sees as its mean over the step.
void step(const FingerParameters& parameters, FingerMuscles& fingers,
          std::span<const double, finger_count> excitation, double dt_s);

}  // namespace quartet
