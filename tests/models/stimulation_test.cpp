#include "models/stimulation.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace quartet {
namespace {

TEST(Stimulation, FieldIsGaussian) {
  const Pulse pulse{.x = 3, .y = 1, .width = 2};
  EXPECT_DOUBLE_EQ(field_at(pulse, 1.5, 3, 1), 1.5);
  EXPECT_NEAR(field_at(pulse, 1.5, 5, 1), 1.5 * std::exp(-0.5), 1e-12);
  EXPECT_NEAR(field_at(pulse, 1.5, 3, 3), 1.5 * std::exp(-0.5), 1e-12);
}

TEST(Stimulation, RecruitmentIsALogisticDistributionOfThresholds) {
  const AxonThreshold axon{1.2, 0.3};
  EXPECT_DOUBLE_EQ(recruitment_probability(1.2, axon), 0.5);
  // Mean and SD of thresholds from the distribution's steps.
  double mean = 0, square = 0;
  const double step = 0.001;
  for (double field = -4; field < 6; field += step) {
    const double share =
        recruitment_probability(field + step, axon) - recruitment_probability(field, axon);
    mean += share * (field + step / 2);
    square += share * (field + step / 2) * (field + step / 2);
  }
  EXPECT_NEAR(mean, 1.2, 1e-3);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.3, 1e-3);
}

TEST(Stimulation, JitterHasItsSpreadAndIsAFunctionOfThePulse) {
  double sum = 0, squares = 0;
  const int n = 4000;
  for (int k = 0; k < n; ++k) {
    const double x = jittered_intensity({.intensity = 2, .substep = k}, 0.03, 7);
    sum += x;
    squares += x * x;
  }
  const double mean = sum / n;
  EXPECT_NEAR(mean, 2, 4 * 0.06 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean), 0.06, 0.003);
  const Pulse pulse{.intensity = 2, .substep = 5};
  EXPECT_EQ(jittered_intensity(pulse, 0.03, 7), jittered_intensity(pulse, 0.03, 7));
  EXPECT_NE(jittered_intensity(pulse, 0.03, 7), jittered_intensity(pulse, 0.03, 8));
  Pulse other = pulse;
  other.stream = 1;
  EXPECT_NE(jittered_intensity(pulse, 0.03, 7), jittered_intensity(other, 0.03, 7));
  EXPECT_EQ(jittered_intensity(pulse, 0, 7), 2);
}

}  // namespace
}  // namespace quartet
