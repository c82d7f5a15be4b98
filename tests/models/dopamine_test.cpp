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

}  // namespace
}  // namespace quartet
