#include "models/arm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/math.hpp"

namespace quartet {
namespace {

using Excitation = std::array<double, arm_muscle_count>;

const ArmParameters arm;

ArmState posture(double shoulder_deg, double elbow_deg) {
  ArmState state;
  state.q[0] = math::radians(shoulder_deg);
  state.q[1] = math::radians(elbow_deg);
  return state;
}

ArmState moving(double shoulder_deg, double elbow_deg, double dq1, double dq2) {
  ArmState state = posture(shoulder_deg, elbow_deg);
  state.dq[0] = dq1;
  state.dq[1] = dq2;
  return state;
}

TEST(Arm, HandIsWhereTheGeometrySays) {
  const Vector2 straight = hand_position(arm, posture(0, 0));
  EXPECT_NEAR(straight.x, 0.63, 1e-15);
  EXPECT_NEAR(straight.y, 0.0, 1e-15);
  const Vector2 bent = hand_position(arm, posture(0, 90));
  EXPECT_NEAR(bent.x, 0.30, 1e-15);
  EXPECT_NEAR(bent.y, 0.33, 1e-15);
}

TEST(Arm, JacobianIsTheDerivativeOfThePosition) {
  const double h = 1e-6;
  for (const double elbow : {20.0, 90.0, 140.0}) {
    const ArmState state = posture(45, elbow);
    const auto j = jacobian(arm, state);
    for (int joint = 0; joint < 2; ++joint) {
      ArmState plus = state, minus = state;
      plus.q[joint] += h;
      minus.q[joint] -= h;
      const Vector2 a = hand_position(arm, plus), b = hand_position(arm, minus);
      EXPECT_NEAR(j[0][joint], (a.x - b.x) / (2 * h), 1e-9);
      EXPECT_NEAR(j[1][joint], (a.y - b.y) / (2 * h), 1e-9);
    }
  }
}

TEST(Arm, VelocityAndAccelerationAreDerivativesAlongTheMovement) {
  const double dt = 1e-5;
  ArmState state = moving(40, 80, 2.0, -3.0);
  state.activation[2] = 0.2;
  const Excitation hold = {0, 0, 0.2, 0, 0, 0};
  ArmState before = state;
  step(arm, state, hold, dt);
  ArmState after = state;
  step(arm, after, hold, dt);
  const Vector2 p0 = hand_position(arm, before), p1 = hand_position(arm, state),
                p2 = hand_position(arm, after);
  const Vector2 v = hand_velocity(arm, state), a = hand_acceleration(arm, state);
  EXPECT_NEAR(v.x, (p2.x - p0.x) / (2 * dt), 1e-6);
  EXPECT_NEAR(v.y, (p2.y - p0.y) / (2 * dt), 1e-6);
  EXPECT_NEAR(a.x, (p2.x - 2 * p1.x + p0.x) / (dt * dt), 1e-3);
  EXPECT_NEAR(a.y, (p2.y - 2 * p1.y + p0.y) / (dt * dt), 1e-3);
}

TEST(Arm, MusclesPullTheirJointsTheRightWay) {
  for (int i = 0; i < arm_muscle_count; ++i) {
    ArmState state = posture(45, 90);
    state.activation[i] = 1.0;
    const double sign = i % 2 == 0 ? 1.0 : -1.0;  // flexor, extensor, …
    const JointPair torque = muscle_torques(arm, state);
    EXPECT_EQ(torque[0] != 0.0, i < 2 || i >= 4) << arm_muscle_names[i];
    EXPECT_EQ(torque[1] != 0.0, i >= 2) << arm_muscle_names[i];
    EXPECT_GE(sign * torque[0], 0.0) << arm_muscle_names[i];
    EXPECT_GE(sign * torque[1], 0.0) << arm_muscle_names[i];
    EXPECT_EQ(muscle_lengths(arm, state)[i], 1.0);
    EXPECT_NEAR(muscle_forces(arm, state)[i], 31.8 * arm.muscles[i].pcsa_cm2, 1e-9);
  }
}

TEST(Arm, MusclesPullTheHandAllWaysRound) {
  // No half plane without a muscle: the directions of pull leave no gap of 180°.
  std::vector<double> directions;
  for (int i = 0; i < arm_muscle_count; ++i) {
    ArmState state = posture(45, 90);
    state.activation[i] = 1.0;
    const Vector2 a = hand_acceleration(arm, state);
    directions.push_back(math::degrees(math::atan2(a.y, a.x)));
  }
  std::sort(directions.begin(), directions.end());
  double gap = directions.front() + 360 - directions.back();
  for (std::size_t i = 1; i < directions.size(); ++i) {
    gap = std::max(gap, directions[i] - directions[i - 1]);
  }
  EXPECT_LT(gap, 100.0);
}

/// Names of all parameters, and those whose default is out of bounds.
class Defaults : public ParameterVisitor {
 public:
  void real(std::string_view name, double& value, Bounds bounds, std::string_view doc) override {
    names.emplace_back(name);
    if (!(bounds.min <= value && value <= bounds.max) || doc.empty()) bad.emplace_back(name);
  }
  void integer(std::string_view, std::int64_t&, Bounds, std::string_view) override {}
  void boolean(std::string_view, bool&, std::string_view) override {}
  void text(std::string_view, std::string&, std::string_view) override {}
  void choice(std::string_view, int&, const std::vector<std::string>&, std::string_view) override {}
  void reals(std::string_view, std::vector<double>&, Bounds, std::string_view) override {}
  std::vector<std::string> names, bad;

 protected:
  void enter(std::string_view, std::string_view) override {}
  void leave() override {}
};

TEST(Arm, DefaultsAreInBounds) {
  ArmParameters parameters;
  Defaults defaults;
  parameters.visit(defaults);
  EXPECT_EQ(defaults.names.size(), 16u + 2u + 6u * 4u);
  EXPECT_TRUE(defaults.bad.empty());
  parameters.viscosity_Nms = -1.0;
  parameters.visit(defaults);
  EXPECT_EQ(defaults.bad, std::vector<std::string>{"viscosity_Nms"});
}

TEST(Arm, ContradictionsAreRefused) {
  EXPECT_NO_THROW(arm.check());
  ArmParameters wrong = arm;
  wrong.cross_viscosity_Nms = 0.06;
  EXPECT_THROW(wrong.check(), std::invalid_argument);
  wrong = arm;
  wrong.elbow_min_deg = 170;
  EXPECT_THROW(wrong.check(), std::invalid_argument);
  wrong = arm;
  wrong.shoulder_min_deg = 140;
  EXPECT_THROW(wrong.check(), std::invalid_argument);
  wrong = arm;
  wrong.forearm_mass_kg = 3.0;
  EXPECT_THROW(wrong.check(), std::invalid_argument);
}

TEST(Arm, RestsWithoutExcitation) {
  ArmState state = posture(45, 90);
  const ArmState start = state;
  for (int i = 0; i < 1000; ++i) step(arm, state, Excitation{}, 0.001);
  EXPECT_EQ(state, start);
}

/// Kinetic energy, plus what the stops store where a joint is beyond its range (J).
double energy(const ArmState& state) {
  const double shoulder = state.dq[0], elbow = state.dq[0] + state.dq[1];
  // The upper arm about the shoulder with the forearm's mass at its end, the forearm about the
  // elbow, and what couples them.
  const double kinetic =
      0.5 * (arm.upper_arm_inertia_kgm2 + arm.forearm_mass_kg * arm.upper_arm_m * arm.upper_arm_m) *
          shoulder * shoulder +
      0.5 * arm.forearm_inertia_kgm2 * elbow * elbow +
      arm.forearm_mass_kg * arm.upper_arm_m * arm.forearm_center_m * math::cos(state.q[1]) *
          shoulder * elbow;
  const auto stored = [](double q, double min_deg, double max_deg) {
    const double beyond = q - std::clamp(q, math::radians(min_deg), math::radians(max_deg));
    return 0.5 * arm.stop_stiffness_Nm * beyond * beyond;
  };
  return kinetic + stored(state.q[0], arm.shoulder_min_deg, arm.shoulder_max_deg) +
         stored(state.q[1], arm.elbow_min_deg, arm.elbow_max_deg);
}

TEST(Arm, AHandForceDoesTheWorkThatVirtualWorkSays) {
  const ArmState state = moving(45, 90, 1.0, 0.5);
  const Vector2 force = {3.0, -2.0};
  const Vector2 v = hand_velocity(arm, state);
  const double dt = 1e-6;
  ArmState with = state, without = state;
  step(arm, with, Excitation{}, dt, force);
  step(arm, without, Excitation{}, dt);
  const double power = (energy(with) - energy(without)) / dt;
  EXPECT_NEAR(power, force.x * v.x + force.y * v.y, 1e-3);
}

/// Change of energy minus work of the muscles plus viscous loss over `seconds`, with the powers
/// summed by the trapezoidal rule; `viscosity` is what the balance assumes.
double energy_imbalance(ArmState state, const Excitation& excitation, double seconds,
                        double viscosity, double* turnover = nullptr) {
  const double dt = 1e-4;
  const auto power = [&](const ArmState& s) {
    const JointPair torque = muscle_torques(arm, s);
    return torque[0] * s.dq[0] + torque[1] * s.dq[1] -
           viscosity * (s.dq[0] * s.dq[0] + s.dq[1] * s.dq[1]) -
           2.0 * arm.cross_viscosity_Nms * s.dq[0] * s.dq[1];
  };
  const double start = energy(state);
  double sum = 0.0, absolute = 0.0;
  double before = power(state);
  for (int i = 0; i < std::lround(seconds / dt); ++i) {
    step(arm, state, excitation, dt);
    const double after = power(state);
    sum += 0.5 * (before + after) * dt;
    absolute += 0.5 * std::fabs(before + after) * dt;
    before = after;
  }
  if (turnover) *turnover = absolute;
  return energy(state) - start - sum;
}

TEST(Arm, EnergyBalances) {
  const std::vector<std::pair<ArmState, Excitation>> movements = {
      {posture(45, 90), {0.1, 0, 0, 0.05, 0, 0}},
      {posture(45, 90), {0, 0.1, 0.2, 0, 0, 0.05}},
      {moving(60, 50, 3.0, -2.0), {}},
      {moving(30, 120, -2.0, 6.0), {0.2, 0.2, 0.2, 0.2, 0.2, 0.2}},
      {moving(45, 30, 0.0, -5.0), {}},  // into the elbow's stop
  };
  for (const auto& [state, excitation] : movements) {
    double turnover = 0.0;
    const double imbalance = energy_imbalance(state, excitation, 0.3, arm.viscosity_Nms, &turnover);
    EXPECT_GT(turnover, 0.01);
    EXPECT_LT(std::fabs(imbalance), 1e-5 * turnover);
    const double wrong = energy_imbalance(state, excitation, 0.3, arm.viscosity_Nms * 1.01);
    EXPECT_GT(std::fabs(wrong), 1e-5 * turnover) << "a wrong viscosity is seen";
  }
}

TEST(Arm, StopsHoldTheElbow) {
  ArmState state = posture(45, 120);
  for (int i = 0; i < 1000; ++i) step(arm, state, Excitation{0, 0, 0.2, 0, 0, 0}, 0.001);
  EXPECT_GT(math::degrees(state.q[1]), 155.0);
  EXPECT_LT(math::degrees(state.q[1]), 162.0);
}

TEST(Arm, StepsOfAMillisecondAreStableAtFullActivation) {
  const Excitation full = {1, 1, 1, 1, 1, 1};
  for (const double shoulder : {0.0, 60.0, 120.0}) {
    for (const double elbow : {10.0, 60.0, 120.0}) {
      ArmState coarse = moving(shoulder, elbow, 5.0, -5.0);
      ArmState fine = coarse;
      for (int i = 0; i < 1000; ++i) step(arm, coarse, full, 0.001);
      for (int i = 0; i < 10000; ++i) step(arm, fine, full, 0.0001);
      EXPECT_NEAR(coarse.q[0], fine.q[0], 1e-4);
      EXPECT_NEAR(coarse.q[1], fine.q[1], 1e-4);
    }
  }
}

struct Row {
  double t;
  ArmState state;
  Excitation excitation;
};

/// A row: t, q1, q2, dq1, dq2, six activations, six excitations.
std::vector<Row> read_trace() {
  std::ifstream file(ARM_TRACE);
  std::string line;
  std::getline(file, line);
  std::vector<Row> rows;
  while (std::getline(file, line)) {
    std::istringstream text(line);
    std::vector<double> x;
    for (std::string cell; std::getline(text, cell, ',');) x.push_back(std::stod(cell));
    if (x.size() != 17) break;
    Row row{x[0], {{x[1], x[2]}, {x[3], x[4]}, {}}, {}};
    for (int i = 0; i < arm_muscle_count; ++i) {
      row.state.activation[i] = x[5 + i];
      row.excitation[i] = x[11 + i];
    }
    rows.push_back(row);
  }
  return rows;
}

/// Largest difference of a joint angle (rad) from the reference trace.
double worst_angle(const ArmParameters& parameters, double dt) {
  const std::vector<Row> rows = read_trace();
  EXPECT_EQ(rows.size(), 71u) << "cannot read " << ARM_TRACE;
  if (rows.empty()) return 1.0;
  ArmState state = rows[0].state;
  double worst = 0.0;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    for (int i = 0; i < std::lround((rows[r].t - rows[r - 1].t) / dt); ++i) {
      step(parameters, state, rows[r - 1].excitation, dt);
    }
    for (int j = 0; j < 2; ++j) {
      worst = std::max(worst, std::fabs(state.q[j] - rows[r].state.q[j]));
    }
    for (int i = 0; i < arm_muscle_count; ++i) {
      EXPECT_NEAR(state.activation[i], rows[r].state.activation[i], 1e-8);
    }
  }
  return worst;
}

TEST(Arm, FollowsAnIndependentIntegration) {
  EXPECT_LT(worst_angle(arm, 0.001), 5e-6);
  EXPECT_LT(worst_angle(arm, 0.0005), 1e-6);
  ArmParameters other = arm;
  other.forearm_mass_kg *= 1.0001;
  EXPECT_GT(worst_angle(other, 0.0005), 1e-6) << "a mass wrong by 0.01 % is seen";
}

TEST(Arm, HasTheSameBitsEverywhere) {
  ArmState state = posture(45, 90);
  for (int i = 0; i < 400; ++i) {
    Excitation excitation = {};
    excitation[(i / 40) % arm_muscle_count] = 0.3;
    step(arm, state, excitation, 0.0005);
  }
  EXPECT_EQ(std::bit_cast<std::uint64_t>(state.q[0]), 0x3feb8a2a660771efu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(state.dq[1]), 0x3fdcf8464869564cu);
}

}  // namespace
}  // namespace quartet
