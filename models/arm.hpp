/// A planar arm: two joints, six muscles.
///
/// Right arm in the horizontal plane at shoulder height, so gravity has no part. The shoulder is
/// the origin; x points right, y forward. q[0] is the angle of the upper arm from x, q[1] the
/// flexion of the elbow, both counter-clockwise in radians; flexion is positive at both joints.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "models/muscle.hpp"
#include "models/parameters.hpp"

namespace quartet {

struct Vector2 {
  double x = 0.0;
  double y = 0.0;

  friend bool operator==(const Vector2&, const Vector2&) = default;
};

using JointPair = std::array<double, 2>;  ///< shoulder, elbow

inline constexpr int arm_muscle_count = 6;
inline constexpr std::array<std::string_view, arm_muscle_count> arm_muscle_names = {
    "shoulder_flexor", "shoulder_extensor",  "elbow_flexor",
    "elbow_extensor",  "biarticular_flexor", "biarticular_extensor"};

/// A muscle of the arm.
struct ArmMuscle {
  double shoulder_arm_m;
  double elbow_arm_m;
  double pcsa_cm2;
  double optimal_length_m;

  void visit(ParameterVisitor& v) {
    v.real("shoulder_arm_m", shoulder_arm_m, {"m", -0.2, 0.2},
           "moment arm at the shoulder, positive for flexion (Selen, Franklin & Wolpert 2009, "
           "table 1)");
    v.real("elbow_arm_m", elbow_arm_m, {"m", -0.2, 0.2},
           "moment arm at the elbow, positive for flexion (Selen, Franklin & Wolpert 2009, "
           "table 1)");
    v.real("pcsa_cm2", pcsa_cm2, {"cm2", 0, 100},
           "physiological cross-section (Todorov & Li 2005)");
    v.real("optimal_length_m", optimal_length_m, {"m", 0.01, 1},
           "optimal fibre length (mean of the group's muscles in Holzbaur, Murray & Delp 2005)");
  }
};

struct ArmParameters {
  // Li & Todorov 2004, Proc. ICINCO 1:222–229. Inertias are about the proximal joint.
  double upper_arm_m = 0.30;
  double forearm_m = 0.33;
  double forearm_mass_kg = 1.0;
  double forearm_center_m = 0.16;
  double upper_arm_inertia_kgm2 = 0.025;
  double forearm_inertia_kgm2 = 0.045;
  double viscosity_Nms = 0.05;
  double cross_viscosity_Nms = 0.025;
  // Soft stops at the ends of the joints' ranges.
  double shoulder_min_deg = -30.0;
  double shoulder_max_deg = 140.0;
  double elbow_min_deg = 5.0;
  double elbow_max_deg = 155.0;
  double stop_stiffness_Nm = 50.0;
  // Muscles.
  double specific_tension_N_cm2 = 31.8;
  double optimal_shoulder_deg = 45.0;
  double optimal_elbow_deg = 90.0;
  ActivationParameters activation;
  std::array<ArmMuscle, arm_muscle_count> muscles = {{{0.0536, 0.0, 22.0, 0.120},
                                                      {-0.0536, 0.0, 12.0, 0.137},
                                                      {0.0, 0.0316, 18.0, 0.130},
                                                      {0.0, -0.0267, 14.0, 0.114},
                                                      {0.0386, 0.0427, 5.0, 0.124},
                                                      {-0.0388, -0.0300, 10.0, 0.134}}};

  void visit(ParameterVisitor& v);
  /// Throws std::invalid_argument where values contradict each other, naming them and a remedy.
  void check() const;
};

struct ArmState {
  double q[2] = {0.0, 0.0};   ///< rad
  double dq[2] = {0.0, 0.0};  ///< rad/s
  double activation[arm_muscle_count] = {};

  friend bool operator==(const ArmState&, const ArmState&) = default;
};

/// Position (m) and velocity (m/s) of the hand.
Vector2 hand_position(const ArmParameters& arm, const ArmState& state);
Vector2 hand_velocity(const ArmParameters& arm, const ArmState& state);
/// d hand / d q: rows x, y; columns shoulder, elbow (m/rad).
std::array<JointPair, 2> jacobian(const ArmParameters& arm, const ArmState& state);

/// Lengths of the muscles in optimal lengths, and their rates of change per second. All are 1 in
/// the optimal posture.
std::array<double, arm_muscle_count> muscle_lengths(const ArmParameters& arm,
                                                    const ArmState& state);
std::array<double, arm_muscle_count> muscle_velocities(const ArmParameters& arm,
                                                       const ArmState& state);
/// Tensions of the muscles, N.
std::array<double, arm_muscle_count> muscle_forces(const ArmParameters& arm, const ArmState& state);
/// Torques of the muscles at the joints, N m.
JointPair muscle_torques(const ArmParameters& arm, const ArmState& state);

/// Angular accelerations (rad/s²) under muscles, viscosity, stops and a force on the hand (N).
JointPair joint_acceleration(const ArmParameters& arm, const ArmState& state,
                             Vector2 hand_force = {});
/// Acceleration of the hand (m/s²) under the same.
Vector2 hand_acceleration(const ArmParameters& arm, const ArmState& state, Vector2 hand_force = {});

/// Advances the arm by `dt_s` under constant excitation of the muscles (0 … 1) and constant force
/// on the hand (N). Activation is exact; the joints take one classical Runge–Kutta step of fourth
/// order. The fastest rates, from the force–velocity slopes with all muscles fully active, are
/// 1,000 per second, where a step of 1 ms is still stable (limit 2.8 ms), and there is none of the
/// numerical damping that a first-order scheme would add to the muscles' own. Use steps of 1 ms
/// or less.
void step(const ArmParameters& arm, ArmState& state,
          std::span<const double, arm_muscle_count> excitation, double dt_s,
          Vector2 hand_force = {});

}  // namespace quartet
