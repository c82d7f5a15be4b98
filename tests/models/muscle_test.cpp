#include "models/muscle.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace quartet {
namespace {

const ActivationParameters activation;

TEST(Activation, RisesAndFallsWithItsTimeConstants) {
  const double e = std::exp(-1.0);
  EXPECT_NEAR(activate(activation, 1.0, 0.0, 0.050), 1.0 - e, 1e-14);
  EXPECT_NEAR(activate(activation, 0.0, 1.0, 0.066), e, 1e-14);
  EXPECT_NEAR(activate(activation, 0.5, 0.0, 0.058), 0.5 * (1.0 - e), 1e-14);
  EXPECT_GT(std::fabs(activate(activation, 1.0, 0.0, 0.0501) - (1.0 - e)), 1e-14);
}

TEST(Activation, IsExactForAnyStep) {
  double small = 0.1;
  for (int i = 0; i < 64; ++i) small = activate(activation, 0.7, small, 0.001);
  EXPECT_NEAR(small, activate(activation, 0.7, 0.1, 0.064), 1e-14);
}

TEST(Activation, StaysBetweenZeroAndOne) {
  EXPECT_EQ(activate(activation, -3.0, 0.0, 0.01), 0.0);
  EXPECT_EQ(activate(activation, std::numeric_limits<double>::quiet_NaN(), 0.0, 0.01), 0.0);
  EXPECT_EQ(activate(activation, 5.0, 0.2, 0.01), activate(activation, 1.0, 0.2, 0.01));
  EXPECT_LE(activate(activation, 1.0, 1.0, 0.01), 1.0);
}

TEST(ForceLength, PeaksAtOptimalLength) {
  EXPECT_EQ(force_length(1.0), 1.0);
  EXPECT_LT(force_length(0.9), 1.0);
  EXPECT_LT(force_length(1.1), 1.0);
  // The published form, evaluated with the standard library.
  for (double l = 0.4; l <= 1.6; l += 0.01) {
    const double expected = std::exp(-std::pow(std::fabs((std::pow(l, 1.93) - 1.0) / 1.03), 1.87));
    EXPECT_NEAR(force_length(l), expected, 1e-13);
    EXPECT_GT(std::fabs(force_length(l * 1.0001) - expected), 1e-13);
  }
}

TEST(ForceVelocity, IsHills) {
  for (const double l : {0.7, 1.0, 1.2}) {
    EXPECT_DOUBLE_EQ(force_velocity(l, 0.0), 1.0);
    EXPECT_NEAR(force_velocity(l, -1e-9), force_velocity(l, 1e-9), 1e-8);
    double previous = force_velocity(l, -6.0);
    EXPECT_EQ(previous, 0.0);
    EXPECT_EQ(force_velocity(l, -5.72), 0.0);
    for (double v = -5.7; v < 8.0; v += 0.1) {
      EXPECT_GT(force_velocity(l, v), previous) << "force grows with lengthening";
      previous = force_velocity(l, v);
    }
    EXPECT_LT(previous, 2.0);
  }
  EXPECT_NEAR(force_velocity(1.0, -1.0), 4.72 / 9.19, 1e-15);
  EXPECT_NEAR(force_velocity(1.0, 1.0), 2.2 / 1.62, 1e-15);
}

TEST(Tension, IsFiniteForAnyLength) {
  for (const double l : {-1.0, 0.0, 0.3, 3.0, 100.0}) {
    for (const double v : {-100.0, -1.0, 0.0, 1.0, 100.0}) {
      EXPECT_GE(tension(1.0, l, v), 0.0);
      EXPECT_LT(tension(1.0, l, v), 10.0);
    }
  }
  EXPECT_EQ(tension(0.0, 1.0, 1.0), 0.0);
  EXPECT_EQ(tension(0.5, 1.0, 0.0), 0.5);
}

TEST(Tension, HasTheSameBitsEverywhere) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(tension(0.37, 1.13, -0.71)), 0x3fca28f2f1c13ce6u);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(tension(0.37, 0.81, 0.42)), 0x3fd8df5d75d1283au);
}

TEST(Fingers, BendToTheirEquilibriumOneByOne) {
  const FingerParameters parameters;
  FingerMuscles fingers;
  const double excitation[finger_count] = {0.0, 1.0, 0.0, 0.5, 0.0};
  double highest = 0.0;
  for (int i = 0; i < 1000; ++i) {
    step(parameters, fingers, excitation, 0.001);
    EXPECT_GE(fingers.angle[1], highest);
    highest = fingers.angle[1];
  }
  EXPECT_NEAR(fingers.angle[1], 0.01 * 50 / 0.32, 1e-6);
  EXPECT_NEAR(fingers.angle[3], 0.5 * fingers.angle[1], 1e-6);
  EXPECT_EQ(fingers.angle[0], 0.0);
  EXPECT_EQ(fingers.angle[2], 0.0);
  const double rest[finger_count] = {};
  for (int i = 0; i < 1500; ++i) step(parameters, fingers, rest, 0.001);
  EXPECT_NEAR(fingers.angle[1], 0.0, 1e-6);
}

TEST(Fingers, FollowTheSolutionOfTheirEquation) {
  // a = 1 − exp(−t/τ), T·dθ/dt = Θ·a − θ has θ = Θ·(1 + (τ·exp(−t/τ) − T·exp(−t/T))/(T − τ)).
  const FingerParameters parameters;
  const double tau = parameters.activation.tau_rise_s;
  const double joint = parameters.viscosity_Nms / parameters.stiffness_Nm;
  const double full = parameters.moment_arm_m * parameters.max_force_N / parameters.stiffness_Nm;
  FingerMuscles fingers;
  const double excitation[finger_count] = {1, 1, 1, 1, 1};
  for (int i = 1; i <= 300; ++i) {
    step(parameters, fingers, excitation, 0.001);
    const double t = 0.001 * i;
    const double theta =
        full * (1 + (tau * std::exp(-t / tau) - joint * std::exp(-t / joint)) / (joint - tau));
    EXPECT_NEAR(fingers.angle[0], theta, 1e-4);
    EXPECT_NEAR(fingers.activation[0], 1 - std::exp(-t / tau), 1e-13);
  }
}

}  // namespace
}  // namespace quartet
