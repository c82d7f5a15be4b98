#include "models/arm.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/math.hpp"

namespace quartet {

namespace {

/// Mass matrix of the arm, symmetric (kg m²).
struct Inertia {
  double shoulder, coupling, elbow;
};

double interaction(const ArmParameters& arm) {
  return arm.forearm_mass_kg * arm.upper_arm_m * arm.forearm_center_m;
}

Inertia inertia(const ArmParameters& arm, const ArmState& state) {
  const double bent = interaction(arm) * math::cos(state.q[1]);
  const double elbow = arm.forearm_inertia_kgm2;
  const double shoulder =
      arm.upper_arm_inertia_kgm2 + elbow + arm.forearm_mass_kg * arm.upper_arm_m * arm.upper_arm_m;
  return {shoulder + 2.0 * bent, elbow + bent, elbow};
}

/// How far each joint is beyond its range (rad), 0 inside.
JointPair overshoot(const ArmParameters& arm, const ArmState& state) {
  const auto beyond = [](double q, double min_deg, double max_deg) {
    return q - std::min(std::max(q, math::radians(min_deg)), math::radians(max_deg));
  };
  return {beyond(state.q[0], arm.shoulder_min_deg, arm.shoulder_max_deg),
          beyond(state.q[1], arm.elbow_min_deg, arm.elbow_max_deg)};
}

}  // namespace

void ArmParameters::visit(ParameterVisitor& v) {
  constexpr std::string_view source = " (Li & Todorov 2004)";
  const auto doc = [source](std::string_view text) { return std::string(text).append(source); };
  v.real("upper_arm_m", upper_arm_m, {"m", 0.01, 2}, doc("length of the upper arm"));
  v.real("forearm_m", forearm_m, {"m", 0.01, 2}, doc("length of forearm and hand"));
  v.real("forearm_mass_kg", forearm_mass_kg, {"kg", 0.01, 20}, doc("mass of forearm and hand"));
  v.real("forearm_center_m", forearm_center_m, {"m", 0, 2},
         doc("distance of the forearm's center of mass from the elbow"));
  v.real("upper_arm_inertia_kgm2", upper_arm_inertia_kgm2, {"kg m2", 0.0001, 10},
         doc("moment of inertia of the upper arm about the shoulder"));
  v.real("forearm_inertia_kgm2", forearm_inertia_kgm2, {"kg m2", 0.0001, 10},
         doc("moment of inertia of forearm and hand about the elbow"));
  v.real("viscosity_Nms", viscosity_Nms, {"N m s rad-1", 0, 100}, doc("viscosity of each joint"));
  v.real("cross_viscosity_Nms", cross_viscosity_Nms, {"N m s rad-1", 0, 100},
         doc("viscosity between the joints, from biarticular tissue; at most viscosity_Nms"));
  v.real("shoulder_min_deg", shoulder_min_deg, {"degree", -180, 180},
         "end of the shoulder's range in extension (chosen: about people's)");
  v.real("shoulder_max_deg", shoulder_max_deg, {"degree", -180, 180},
         "end of the shoulder's range in flexion (chosen: about people's)");
  v.real("elbow_min_deg", elbow_min_deg, {"degree", 0, 180},
         "end of the elbow's range in extension (chosen: about people's)");
  v.real("elbow_max_deg", elbow_max_deg, {"degree", 0, 180},
         "end of the elbow's range in flexion (chosen: about people's)");
  v.real("stop_stiffness_Nm", stop_stiffness_Nm, {"N m rad-1", 0, 1000},
         "stiffness of a joint beyond its range (chosen: soft enough for steps of 1 ms)");
  v.real("specific_tension_N_cm2", specific_tension_N_cm2, {"N cm-2", 0.1, 100},
         "maximal isometric force of a muscle per cross-section (Brown, Cheng & Loeb 1999)");
  v.real("optimal_shoulder_deg", optimal_shoulder_deg, {"degree", -180, 180},
         "shoulder angle of the posture in which all muscles have their optimal length (chosen)");
  v.real("optimal_elbow_deg", optimal_elbow_deg, {"degree", 0, 180},
         "elbow angle of the posture in which all muscles have their optimal length (chosen)");
  v.table("activation", activation, "activation dynamics of the muscles");
  for (int i = 0; i < arm_muscle_count; ++i) {
    v.table(arm_muscle_names[i], muscles[i], "a muscle of the arm");
  }
}

void ArmParameters::check() const {
  if (cross_viscosity_Nms > viscosity_Nms) {
    throw std::invalid_argument(
        "body.arm: cross_viscosity_Nms is above viscosity_Nms, which would feed energy into the "
        "joints; give it at most the value of viscosity_Nms");
  }
  for (const auto& [joint, empty] : {std::pair("shoulder", shoulder_min_deg >= shoulder_max_deg),
                                     std::pair("elbow", elbow_min_deg >= elbow_max_deg)}) {
    if (!empty) continue;
    const std::string min = std::string(joint) + "_min_deg", max = std::string(joint) + "_max_deg";
    throw std::invalid_argument("body.arm: " + min + " is not below " + max +
                                ", so the joint has no range; give " + min + " below " + max);
  }
  if (forearm_inertia_kgm2 < forearm_mass_kg * forearm_center_m * forearm_center_m) {
    throw std::invalid_argument(
        "body.arm: forearm_inertia_kgm2 is below forearm_mass_kg * forearm_center_m^2, which no "
        "body has; it is the moment of inertia about the elbow: raise it, or lower the others");
  }
}

Vector2 hand_position(const ArmParameters& arm, const ArmState& state) {
  const double forearm = state.q[0] + state.q[1];
  return {arm.upper_arm_m * math::cos(state.q[0]) + arm.forearm_m * math::cos(forearm),
          arm.upper_arm_m * math::sin(state.q[0]) + arm.forearm_m * math::sin(forearm)};
}

std::array<JointPair, 2> jacobian(const ArmParameters& arm, const ArmState& state) {
  const double forearm = state.q[0] + state.q[1];
  const double x1 = -arm.upper_arm_m * math::sin(state.q[0]);
  const double x2 = -arm.forearm_m * math::sin(forearm);
  const double y1 = arm.upper_arm_m * math::cos(state.q[0]);
  const double y2 = arm.forearm_m * math::cos(forearm);
  return {{{x1 + x2, x2}, {y1 + y2, y2}}};
}

Vector2 hand_velocity(const ArmParameters& arm, const ArmState& state) {
  const auto j = jacobian(arm, state);
  return {j[0][0] * state.dq[0] + j[0][1] * state.dq[1],
          j[1][0] * state.dq[0] + j[1][1] * state.dq[1]};
}

std::array<double, arm_muscle_count> muscle_lengths(const ArmParameters& arm,
                                                    const ArmState& state) {
  const double shoulder = state.q[0] - math::radians(arm.optimal_shoulder_deg);
  const double elbow = state.q[1] - math::radians(arm.optimal_elbow_deg);
  std::array<double, arm_muscle_count> lengths;
  for (int i = 0; i < arm_muscle_count; ++i) {
    const ArmMuscle& m = arm.muscles[i];
    lengths[i] = 1.0 - (m.shoulder_arm_m * shoulder + m.elbow_arm_m * elbow) / m.optimal_length_m;
  }
  return lengths;
}

std::array<double, arm_muscle_count> muscle_velocities(const ArmParameters& arm,
                                                       const ArmState& state) {
  std::array<double, arm_muscle_count> velocities;
  for (int i = 0; i < arm_muscle_count; ++i) {
    const ArmMuscle& m = arm.muscles[i];
    velocities[i] =
        -(m.shoulder_arm_m * state.dq[0] + m.elbow_arm_m * state.dq[1]) / m.optimal_length_m;
  }
  return velocities;
}

std::array<double, arm_muscle_count> muscle_forces(const ArmParameters& arm,
                                                   const ArmState& state) {
  const auto lengths = muscle_lengths(arm, state);
  const auto velocities = muscle_velocities(arm, state);
  std::array<double, arm_muscle_count> forces;
  for (int i = 0; i < arm_muscle_count; ++i) {
    forces[i] = arm.specific_tension_N_cm2 * arm.muscles[i].pcsa_cm2 *
                tension(state.activation[i], lengths[i], velocities[i]);
  }
  return forces;
}

JointPair muscle_torques(const ArmParameters& arm, const ArmState& state) {
  const auto forces = muscle_forces(arm, state);
  JointPair torques = {0.0, 0.0};
  for (int i = 0; i < arm_muscle_count; ++i) {
    torques[0] += arm.muscles[i].shoulder_arm_m * forces[i];
    torques[1] += arm.muscles[i].elbow_arm_m * forces[i];
  }
  return torques;
}

JointPair joint_acceleration(const ArmParameters& arm, const ArmState& state, Vector2 hand_force) {
  const auto j = jacobian(arm, state);
  const JointPair muscles = muscle_torques(arm, state);
  const JointPair beyond = overshoot(arm, state);
  const double d1 = state.dq[0];
  const double d2 = state.dq[1];
  // Coriolis and centrifugal torques.
  const double c = interaction(arm) * math::sin(state.q[1]);
  const double coriolis1 = -c * d2 * (2.0 * d1 + d2);
  const double coriolis2 = c * d1 * d1;

  const double torque1 = muscles[0] + j[0][0] * hand_force.x + j[1][0] * hand_force.y -
                         arm.viscosity_Nms * d1 - arm.cross_viscosity_Nms * d2 -
                         arm.stop_stiffness_Nm * beyond[0] - coriolis1;
  const double torque2 = muscles[1] + j[0][1] * hand_force.x + j[1][1] * hand_force.y -
                         arm.cross_viscosity_Nms * d1 - arm.viscosity_Nms * d2 -
                         arm.stop_stiffness_Nm * beyond[1] - coriolis2;
  const Inertia m = inertia(arm, state);
  const double determinant = m.shoulder * m.elbow - m.coupling * m.coupling;
  return {(m.elbow * torque1 - m.coupling * torque2) / determinant,
          (m.shoulder * torque2 - m.coupling * torque1) / determinant};
}

Vector2 hand_acceleration(const ArmParameters& arm, const ArmState& state, Vector2 hand_force) {
  const auto j = jacobian(arm, state);
  const JointPair ddq = joint_acceleration(arm, state, hand_force);
  // Centripetal part: each link pulls towards its proximal joint.
  const double forearm = state.q[0] + state.q[1];
  const double w1 = state.dq[0] * state.dq[0];
  const double w2 = (state.dq[0] + state.dq[1]) * (state.dq[0] + state.dq[1]);
  return {j[0][0] * ddq[0] + j[0][1] * ddq[1] - arm.upper_arm_m * math::cos(state.q[0]) * w1 -
              arm.forearm_m * math::cos(forearm) * w2,
          j[1][0] * ddq[0] + j[1][1] * ddq[1] - arm.upper_arm_m * math::sin(state.q[0]) * w1 -
              arm.forearm_m * math::sin(forearm) * w2};
}

void step(const ArmParameters& arm, ArmState& state,
          std::span<const double, arm_muscle_count> excitation, double dt_s, Vector2 hand_force) {
  // Activation does not depend on the joints, so it is known at the middle and the end.
  ArmState middle = state;
  ArmState end = state;
  for (int i = 0; i < arm_muscle_count; ++i) {
    middle.activation[i] = activate(arm.activation, excitation[i], state.activation[i], 0.5 * dt_s);
    end.activation[i] = activate(arm.activation, excitation[i], state.activation[i], dt_s);
  }
  // `target`'s joints: from `state` along the slope (dq, ddq) for `dt`.
  const auto move = [&state](ArmState& target, const JointPair& dq, const JointPair& ddq,
                             double dt) {
    for (int j = 0; j < 2; ++j) {
      target.q[j] = state.q[j] + dt * dq[j];
      target.dq[j] = state.dq[j] + dt * ddq[j];
    }
  };
  const JointPair v1 = {state.dq[0], state.dq[1]};
  const JointPair a1 = joint_acceleration(arm, state, hand_force);
  move(middle, v1, a1, 0.5 * dt_s);
  const JointPair v2 = {middle.dq[0], middle.dq[1]};
  const JointPair a2 = joint_acceleration(arm, middle, hand_force);
  move(middle, v2, a2, 0.5 * dt_s);
  const JointPair v3 = {middle.dq[0], middle.dq[1]};
  const JointPair a3 = joint_acceleration(arm, middle, hand_force);
  move(end, v3, a3, dt_s);
  const JointPair v4 = {end.dq[0], end.dq[1]};
  const JointPair a4 = joint_acceleration(arm, end, hand_force);
  const auto mean = [](const JointPair& k1, const JointPair& k2, const JointPair& k3,
                       const JointPair& k4) {
    return JointPair{(k1[0] + 2.0 * (k2[0] + k3[0]) + k4[0]) / 6.0,
                     (k1[1] + 2.0 * (k2[1] + k3[1]) + k4[1]) / 6.0};
  };
  move(end, mean(v1, v2, v3, v4), mean(a1, a2, a3, a4), dt_s);
  state = end;
}

}  // namespace quartet
