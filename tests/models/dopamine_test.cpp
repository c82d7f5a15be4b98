#include "models/dopamine.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/models/memory_state.hpp"

namespace quartet {
namespace {

TEST(Dopamine, IsAPlainMeanAtFirst) {
  DopamineConcentration dopamine(100, 20000, 50);
  for (int t = 0; t < 60; ++t) dopamine.update(t % 2);
  EXPECT_NEAR(dopamine.hz(), 10, 1e-12);
  EXPECT_NEAR(dopamine.adapted_hz(), 10, 1e-12);
}

TEST(Dopamine, FollowsSpikesAndItsMeanSlowly) {
  DopamineConcentration dopamine(100, 20000, 50);
  for (int t = 0; t < 30000; ++t) dopamine.update(t % 4 == 0);  // 5 Hz
  EXPECT_NEAR(dopamine.adapted_hz(), 5, 0.01);
  for (int t = 0; t < 100; ++t) dopamine.update(1);  // 20 Hz
  EXPECT_NEAR(dopamine.hz(), 20 - 15 * std::exp(-1), 0.2);
  EXPECT_NEAR(dopamine.adapted_hz(), 5 + 15 * 0.005, 0.02);
}

TEST(Dopamine, GoesOnFromSavedState) {
  DopamineConcentration first(100, 1000, 60), second(100, 1000, 60);
  for (int t = 0; t < 500; ++t) first.update(static_cast<std::size_t>(t % 3));
  MemoryState state;
  MemoryWriter writer(state, 0);
  first.save(writer, "dopamine");
  MemoryReader reader(state);
  second.load(reader, "dopamine");
  for (int t = 0; t < 1000; ++t) {
    first.update(static_cast<std::size_t>(t % 5));
    second.update(static_cast<std::size_t>(t % 5));
  }
  EXPECT_EQ(first.hz(), second.hz());
  EXPECT_EQ(first.adapted_hz(), second.adapted_hz());
}

TEST(Dopamine, ActsByAHillCurveOfEitherSign) {
  EXPECT_EQ(dopamine_effect(0, 12, 2), 0);
  EXPECT_NEAR(dopamine_effect(12, 12, 2), 0.5, 1e-12);
  EXPECT_NEAR(dopamine_effect(24, 12, 2), 0.8, 1e-12);
  EXPECT_EQ(dopamine_effect(-7, 12, 4), -dopamine_effect(7, 12, 4));
}

TEST(Dopamine, DrugFillsDipsUpToTheAdaptedLevel) {
  for (const double hz : {0.0, 1.3, 5.0, 17.0}) EXPECT_EQ(dopamine_with_drug(hz, 5, 0), hz);
  EXPECT_EQ(dopamine_with_drug(1, 5, 2), 3);
  EXPECT_EQ(dopamine_with_drug(4, 5, 2), 5);
  EXPECT_EQ(dopamine_with_drug(9, 5, 2), 9);
}

TEST(Dopamine, IsBoundByAffinity) {
  for (const double hz : {0.0, 1.3, 5.0, 17.0}) EXPECT_EQ(dopamine_bound(hz, 0, 5), hz);
  const double top = dopamine_bound(1e12, 0.5, 5);
  EXPECT_NEAR(dopamine_bound(2, 0.5, 5) / top, 0.5, 1e-9);  // half at 1/affinity
  // Small changes about the tonic level are as large as they are.
  EXPECT_NEAR(dopamine_bound(5.001, 0.5, 5) - dopamine_bound(4.999, 0.5, 5), 0.002, 1e-6);
}

}  // namespace
}  // namespace quartet
