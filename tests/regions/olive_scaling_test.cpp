// Synapses of cursor cells on the olive scale with the whole olive's rate: a cerebellum alone, that
// sees a cursor and gets no aim.

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "regions/cerebellum.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

/// A cerebellum of a quarter of the size.
class Seeing {
 public:
  explicit Seeing(const CerebellumParameters& parameters)
      : region_(parameters, 0.25, 20111, {}),
        living_((1 - parameters.lesion_olive) * region_.populations()[olive_].size) {
    const auto projections = region_.plastic_projections();
    for (std::size_t p = 0; p < projections.size(); ++p)
      if (projections[p].name == "Cursor_IO") synapses_ = p;
  }

  /// Rate of the living olivary cells in each of `ms` timesteps, Hz.
  std::vector<double> run(int ms, double cursor_on, bool learning) {
    const std::span<double> senses = alone_.values_to("senses_to_cerebellum");
    senses[sense::cursor_on] = cursor_on;
    senses[sense::cursor_x] = cursor_on > 0 ? 1 : 0;
    senses[sense::learning] = learning ? 1 : 0;
    std::vector<double> rate;
    for (int k = 0; k < ms; ++k) {
      alone_.step();
      rate.push_back(1000.0 * static_cast<double>(region_.spikes(olive_).size()) / living_);
    }
    return rate;
  }

  std::vector<float> weights() const {
    std::uint32_t first = 0;
    std::vector<float> values;
    region_.weights(synapses_, first, values);
    return values;
  }

 private:
  Cerebellum region_;
  OneRegion alone_{region_};
  std::size_t olive_ = population_of(region_, "IO"), synapses_ = ~std::size_t{0};
  double living_;  // olivary cells
};

double sum(const std::vector<double>& values, std::size_t first, std::size_t last) {
  double total = 0;
  for (std::size_t i = first; i < last; ++i) total += values[i];
  return total;
}
double sum(const std::vector<double>& values) { return sum(values, 0, values.size()); }

class OliveScalingAfter : public testing::TestWithParam<double> {};
INSTANTIATE_TEST_SUITE_P(LesionOf, OliveScalingAfter, testing::Values(0.0, 0.5));

TEST_P(OliveScalingAfter, FollowsTheOlivesDistanceFromItsTargetAllSynapsesAlike) {
  CerebellumParameters parameters;
  parameters.lesion_olive = GetParam();
  parameters.olive_scaling_rate = 1e-4;
  Seeing cerebellum(parameters);
  const std::vector<float> before = cerebellum.weights();
  const std::vector<double> rate = cerebellum.run(1500, 1, true);
  const std::vector<float> after = cerebellum.weights();
  ASSERT_GT(sum(rate), 0);
  const auto factor = [&](double target_hz) {
    double product = 1;
    for (const double hz : rate) product *= std::exp(1e-4 * (target_hz - hz));
    return product;
  };
  // The cursor is seen to the right, so few zones fire; synapses on all of them change.
  const double exact = factor(parameters.olive_target_hz);
  ASSERT_GT(std::abs(exact - 1), 0.01);
  ASSERT_EQ(before.size(), after.size());
  int some = 0;
  for (std::size_t s = 0; s < before.size(); ++s) {
    ASSERT_NEAR(after[s], before[s] * exact, 1e-6 * before[s]) << s;
    some += before[s] > 0;
  }
  EXPECT_GT(some, 500);
  EXPECT_GT(std::abs(factor(parameters.olive_target_hz + 0.001) - exact), 1e-6);
}

TEST(OliveScaling, BringsTheOliveNearItsTargetFromEitherSide) {
  for (const bool from_above : {true, false}) {
    SCOPED_TRACE(from_above ? "from above" : "from below");
    CerebellumParameters parameters;
    parameters.olive_scaling_rate = 1e-3;
    parameters.olive_target_hz = 2;
    parameters.cursor_weight_mv = from_above ? 60 : 2;  // 2 Hz lie between, within the bound of 4
    parameters.cursor_drive_mv = 36;
    parameters.olive = {.tau_m_ms = 11, .refractory_ms = 120, .bias_mv = 2, .noise_mv = 3};
    const auto distance = [&](const std::vector<double>& rate, std::size_t first) {
      return std::abs(sum(rate, first, first + 2000) / 2000 - parameters.olive_target_hz);
    };
    Seeing fixed([=] {
      CerebellumParameters p = parameters;
      p.olive_scaling_rate = 0;
      return p;
    }());
    const double without = sum(fixed.run(2000, 1, true)) / 2000;
    ASSERT_EQ(without > parameters.olive_target_hz, from_above) << without;
    Seeing cerebellum(parameters);
    const std::vector<float> before = cerebellum.weights();
    const std::vector<double> rate = cerebellum.run(10'000, 1, true);
    const std::vector<float> after = cerebellum.weights();
    EXPECT_LT(distance(rate, 8000), 0.5 * std::abs(without - parameters.olive_target_hz));
    for (std::size_t s = 0; s < before.size(); ++s) {
      if (before[s] == 0) continue;
      ASSERT_EQ(after[s] < before[s], from_above) << s;
    }
  }
}

TEST(OliveScaling, KeepsTheTuningOfTheSynapsesAtItsBound) {
  CerebellumParameters parameters;
  parameters.olive_scaling_rate = 1e-3;
  parameters.olive_target_hz = 100;
  parameters.climbing_fibre.depression = 0;  // which would go with the olive at that rate
  Seeing cerebellum(parameters);
  const std::vector<float> before = cerebellum.weights();
  cerebellum.run(3000, 1, true);
  const std::vector<float> after = cerebellum.weights();
  for (std::size_t s = 0; s < before.size(); ++s) ASSERT_EQ(after[s], 4 * before[s]) << s;
}

TEST(OliveScaling, OnlyWhileACursorIsSeenAndLearningIsOn) {
  CerebellumParameters parameters;
  parameters.olive_scaling_rate = 1e-4;
  for (const bool seen : {false, true}) {
    for (const bool learning : {false, true}) {
      Seeing cerebellum(parameters);
      const std::vector<float> before = cerebellum.weights();
      const std::vector<double> rate = cerebellum.run(1000, seen ? 1 : 0, learning);
      EXPECT_GT(sum(rate), 0);
      EXPECT_EQ(cerebellum.weights() != before, seen && learning) << seen << learning;
    }
  }
}

}  // namespace
}  // namespace quartet
