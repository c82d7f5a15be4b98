// Where the hand is felt to be: a cortex alone.

#include <gtest/gtest.h>

#include <cmath>

#include "models/math.hpp"
#include "regions/cortex.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kTurnDeg = 30;

/// A hand that goes to the right, 300 ms in every 500 (a hand's trial).
class Hand {
 public:
  explicit Hand(const CortexParameters& parameters = {})
      : cortex_(parameters, {}, 0.25, 20111, {}), alone_(cortex_) {
    senses()[sense::learning] = 1;
    senses()[sense::hand_x] = 1;
    senses()[sense::cursor_x] = math::cos(math::radians(kTurnDeg));
    senses()[sense::cursor_y] = math::sin(math::radians(kTurnDeg));
  }

  std::span<double> senses() { return alone_.values_to("senses_to_cortex"); }

  /// Direction in which Felt cells say that it went, over `trials`.
  double felt(int trials, bool cursor) {
    const std::size_t felt = population_of(cortex_, "Felt");
    PopulationVector sum;
    for (int ms = 0; ms < 500 * trials; ++ms) {
      const bool out = ms % 500 < 300;
      senses()[sense::hand_on] = out ? 1 : 0;
      senses()[sense::cursor_on] = out && cursor ? 1 : 0;
      alone_.step();
      sum.add(cortex_, felt);
    }
    return sum.direction_deg();
  }

 private:
  Cortex cortex_;
  OneRegion alone_;
};

TEST(FeltHand, IsWhereProprioceptionSays) { EXPECT_NEAR(Hand().felt(20, false), 0, 3); }

TEST(FeltHand, MovesPartOfTheWayToASeenCursorAndStaysThere) {
  Hand hand;
  hand.felt(100, true);
  const double unseen = hand.felt(20, false);
  EXPECT_GT(unseen, 0.1 * kTurnDeg);
  EXPECT_LT(unseen, 0.5 * kTurnDeg);
}

TEST(FeltHand, IsNotDrawnToWhereTheCursorUsedToBe) {
  // Trained with a true cursor to the right, then tested elsewhere.
  const auto felt_elsewhere = [](int trained) {
    Hand hand;
    hand.senses()[sense::cursor_x] = 1;
    hand.senses()[sense::cursor_y] = 0;
    hand.felt(trained, true);
    hand.senses()[sense::hand_x] = math::cos(math::radians(kTurnDeg));
    hand.senses()[sense::hand_y] = math::sin(math::radians(kTurnDeg));
    return hand.felt(20, false);
  };
  EXPECT_NEAR(felt_elsewhere(40), felt_elsewhere(0), 2);
}

TEST(FeltHand, LearnsNothingUnseenOrFrozen) {
  Hand unseen, frozen;
  unseen.felt(30, false);
  EXPECT_NEAR(unseen.felt(20, false), 0, 3);
  frozen.senses()[sense::learning] = 0;
  frozen.felt(30, true);
  EXPECT_NEAR(frozen.felt(20, false), 0, 3);
}

}  // namespace
}  // namespace quartet
