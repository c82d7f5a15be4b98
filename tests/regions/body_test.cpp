// The body alone: what it shows of reaches that corticospinal cells, fired by the test, make. Times
// and values expected follow from the hand's path and the parameters.

#include "regions/body.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/math.hpp"
#include "tests/models/memory_state.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kScale = 0.25;
enum : int { kShoulderFlexor, kShoulderExtensor, kElbowFlexor, kElbowExtensor };

/// Corticospinal cells that mostly belong to a muscle.
std::vector<std::uint32_t> cells_of(int muscle) {
  const SheetLayout sheet = Sizes(kScale).l5pt;
  std::vector<std::uint32_t> cells;
  for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
    if (field(muscle, sheet.x(cell), sheet.y(cell)) > 0.3) cells.push_back(cell);
  return cells;
}

/// In every trial cells of these muscles fire every `every` ms while from ≤ clock < to.
struct Pull {
  std::vector<int> muscles;
  Step every = 1;
  Step from = 300, to = 600;
};
const Pull kOutward{{kShoulderFlexor, kElbowExtensor}};
const Pull kInward{{kElbowFlexor}};
const Pull kNone{{}};

/// What can be seen of the body after a timestep.
struct Moment {
  std::array<double, sense::count> senses{};
  Vector2 hand;
  std::array<double, kMuscles> excitation{};
  TrialRecord record;

  double radius() const { return std::sqrt(hand.x * hand.x + hand.y * hand.y); }
  double hand_deg() const { return math::degrees(math::atan2(hand.y, hand.x)); }
};
using Trace = std::vector<Moment>;

class Driven {
 public:
  Driven(const BodyParameters& parameters, std::vector<Block> schedule, Step next = 0)
      : body_(parameters, std::move(schedule), kScale, 1), alone_(body_, next) {}

  Moment step(const std::vector<std::uint32_t>& cells) {
    for (const std::uint32_t cell : cells) alone_.spikes_to("corticospinal").push_back({cell, 0});
    alone_.step();
    Moment moment;
    const auto senses = alone_.values_from("senses");
    std::copy(senses.begin(), senses.end(), moment.senses.begin());
    moment.hand = body_.hand();
    moment.excitation = body_.excitation();
    moment.record = body_.record();
    return moment;
  }
  Trace run(const Pull& pull, Step ms) {
    std::vector<std::uint32_t> cells;
    for (const int muscle : pull.muscles)
      for (const std::uint32_t cell : cells_of(muscle)) cells.push_back(cell);
    Trace trace;
    for (Step k = 0; k < ms; ++k) {
      const Step clock = alone_.next() % body_.trial_ms();
      const bool fire = clock >= pull.from && clock < pull.to && clock % pull.every == 0;
      trace.push_back(step(fire ? cells : std::vector<std::uint32_t>{}));
    }
    return trace;
  }
  /// Whole trials.
  Trace trials(const Pull& pull, int count = 1) { return run(pull, count * body_.trial_ms()); }

  MemoryState save() const {
    MemoryState state;
    MemoryWriter writer(state, 0);
    body_.save(writer);
    return state;
  }
  void load(const MemoryState& state) {
    MemoryReader reader(state);
    body_.load(reader);
  }
  Body& body() { return body_; }

 private:
  Body body_;
  OneRegion alone_;
};

Trace one_trial(const BodyParameters& parameters, const Block& block, const Pull& pull) {
  return Driven(parameters, {block}).trials(pull);
}
/// Direction in which a pull's reach ends when nothing is in its way.
double natural_deg(const Pull& pull) { return one_trial({}, {}, pull).back().record.angle_end_deg; }

/// Stretches [from, to) of the trace in which a sense is not zero.
using Stretches = std::vector<std::pair<Step, Step>>;
Stretches when(const Trace& trace, std::uint32_t sense) {
  Stretches stretches;
  for (Step t = 0; t < std::ssize(trace); ++t) {
    if (trace[static_cast<std::size_t>(t)].senses[sense] == 0) continue;
    if (stretches.empty() || stretches.back().second != t) stretches.push_back({t, t});
    stretches.back().second = t + 1;
  }
  return stretches;
}

/// First timestep from `from` on in which the hand is `distance` away.
Step arrival(const Trace& trace, double distance, Step from = 0) {
  for (Step t = from; t < std::ssize(trace); ++t)
    if (trace[static_cast<std::size_t>(t)].radius() >= distance) return t;
  return -1;
}

double degrees_of(double x, double y) { return math::degrees(math::atan2(y, x)); }
double apart(double a_deg, double b_deg) { return std::abs(math::wrap_degrees(a_deg - b_deg)); }

/// Timings unlike the defaults and unlike each other.
BodyParameters odd_timings() {
  BodyParameters p;
  p.trial_ms = 900;
  p.cue_ms = 33;
  p.go_ms = 351;
  p.deadline_ms = 640;
  p.vision_delay_ms = 47;
  p.feedback_hold_ms = 121;
  p.outcome_delay_ms = 58;
  p.outcome_ms = 93;
  return p;
}

// --- What is seen, and when ---

TEST(BodyVision, ShowsTargetCursorAndOutcomeWhenTheTimingsSayAfterTheDelay) {
  Block block;
  block.targets_deg = {natural_deg(kOutward)};
  for (const BodyParameters& p : {BodyParameters{}, odd_timings()}) {
    const Step delay = p.vision_delay_ms;
    for (const Feedback feedback : {Feedback::full, Feedback::endpoint, Feedback::none}) {
      SCOPED_TRACE(static_cast<int>(feedback));
      block.feedback = feedback;
      const Trace trace = one_trial(p, block, kOutward);
      const Step end = arrival(trace, p.distance_m);
      ASSERT_GT(end, p.go_ms + 50);
      ASSERT_LT(end, p.deadline_ms);
      const Step held = end + p.feedback_hold_ms + delay;
      EXPECT_EQ(when(trace, sense::target_on), (Stretches{{p.cue_ms + delay, held}}));
      const Step shown = end + p.outcome_delay_ms + delay;
      EXPECT_EQ(when(trace, sense::outcome), (Stretches{{shown, shown + p.outcome_ms}}));
      EXPECT_EQ(when(trace, sense::reward), (Stretches{{shown, shown + p.outcome_ms}}));
      // The hand is let go at the go signal and moves at once: muscles pull already.
      const Stretches expected[] = {
          {{p.go_ms + delay, held}}, {{end + delay, held}}, {}};  // full, endpoint, none
      EXPECT_EQ(when(trace, sense::cursor_on), expected[static_cast<std::size_t>(feedback)]);
    }
  }
}

TEST(BodyVision, TheHandIsFeltWhateverIsSeenOfIt) {
  const BodyParameters p = odd_timings();
  Block block;
  block.perturbation = Perturbation::rotation;
  block.rotation_deg = 40;
  for (const Feedback feedback : {Feedback::full, Feedback::none}) {
    block.feedback = feedback;
    const Trace trace = one_trial(p, block, kOutward);
    const Step end = arrival(trace, p.distance_m), delay = p.vision_delay_ms;
    EXPECT_EQ(when(trace, sense::hand_on),
              (Stretches{{p.go_ms + delay, end + p.feedback_hold_ms + delay}}));
    for (std::size_t t = 0; t < trace.size(); ++t) {
      const auto& felt = trace[t].senses;
      if (felt[sense::hand_on] == 0) continue;
      const Moment& then = trace[t - static_cast<std::size_t>(delay)];
      EXPECT_NEAR(degrees_of(felt[sense::hand_x], felt[sense::hand_y]), then.hand_deg(), 1e-9);
    }
  }
}

TEST(BodyVision, ValuesAreTargetsAndTheHandsDirectionAndDistanceBeforeTheDelay) {
  Block block;
  block.targets_deg = {200};
  for (const Feedback feedback : {Feedback::full, Feedback::endpoint}) {
    block.feedback = feedback;
    const BodyParameters p = odd_timings();
    const Trace trace = one_trial(p, block, kOutward);
    double turned = 0;
    int partly = 0, shown = 0;
    for (std::size_t t = 0; t < trace.size(); ++t) {
      const auto& seen = trace[t].senses;
      const bool target = seen[sense::target_on] != 0, cursor = seen[sense::cursor_on] != 0;
      EXPECT_EQ(seen[sense::target_on], target ? 1 : 0);
      EXPECT_NEAR(seen[sense::target_x], target ? std::cos(math::radians(200)) : 0, 1e-12) << t;
      EXPECT_NEAR(seen[sense::target_y], target ? std::sin(math::radians(200)) : 0, 1e-12) << t;
      if (!cursor) {
        EXPECT_EQ(seen[sense::cursor_x], 0) << t;
        EXPECT_EQ(seen[sense::cursor_y], 0) << t;
        continue;
      }
      const Moment& then = trace[t - static_cast<std::size_t>(p.vision_delay_ms)];
      const double angle = math::radians(then.hand_deg());
      EXPECT_NEAR(seen[sense::cursor_on], std::min(1.0, then.radius() / (p.distance_m / 3)), 1e-12)
          << t;
      EXPECT_NEAR(seen[sense::cursor_x], std::cos(angle), 1e-12) << t;
      EXPECT_NEAR(seen[sense::cursor_y], std::sin(angle), 1e-12) << t;
      turned = std::max(turned, apart(then.hand_deg(), trace.back().hand_deg()));
      partly += seen[sense::cursor_on] < 1;
      ++shown;
    }
    EXPECT_GT(shown, 50);
    // During the reach the cursor bends and grows; at its end it stands still.
    if (feedback == Feedback::full) {
      EXPECT_GT(turned, 2);
      EXPECT_GT(partly, 10);
    } else {
      EXPECT_EQ(turned, 0);
      EXPECT_EQ(partly, 0);
    }
  }
}

TEST(BodyVision, WhatIsUnderWayAtTheEndOfATrialArrivesInTheNext) {
  BodyParameters p;
  p.outcome_delay_ms = 140;  // a late outcome is shown to the last but ten ms of the trial
  Block block;
  block.trials = 2;
  block.reward = RewardRule::always;
  const Trace trace = Driven(p, {block}).trials(kNone, 2);
  const Step first = p.deadline_ms + p.outcome_delay_ms + p.vision_delay_ms;
  ASSERT_GT(first + p.outcome_ms, p.trial_ms);
  EXPECT_EQ(when(trace, sense::reward),
            (Stretches{{first, first + p.outcome_ms}, {first + p.trial_ms, 2 * p.trial_ms}}));
}

// Nerves report at rest as well.
std::span<const double> all_but_afferents(const Moment& moment) {
  return std::span<const double>(moment.senses).first(sense::afferent);
}

TEST(BodyVision, AtRestNothingIsShownOrLearnedAndTheTrialIsAsBefore) {
  // From the end of a trial, as a probe between two: the final cursor is still on its way.
  Driven driven({}, {{}});
  driven.trials(kOutward);
  const MemoryState before = driven.save();
  driven.body().set_rest(1);
  const Trace rest = driven.run(kNone, 2000);
  for (std::size_t ms = 60; ms < rest.size(); ++ms)
    for (const double value : all_but_afferents(rest[ms])) ASSERT_EQ(value, 0) << ms;
  EXPECT_EQ(rest.back().record.trial, 0);
  driven.body().set_rest(0);
  driven.load(before);
  EXPECT_EQ(driven.save(), before);
}

TEST(BodyVision, MayRestBeforeTheFirstTrial) {
  Block fingers;  // none of its task either
  fingers.task = Task::fingers;
  fingers.fingers = {1};
  Driven driven({}, {fingers});
  const MemoryState before = driven.save();
  driven.body().set_rest(1);
  const Trace rest = driven.run(kOutward, 2000);
  for (const Moment& moment : rest) {
    for (const double value : all_but_afferents(moment)) ASSERT_EQ(value, 0);
    ASSERT_EQ(moment.hand, Vector2{});
    ASSERT_EQ(moment.record.block, -1);
    for (const double hz : moment.record.finger_hz) ASSERT_EQ(hz, 0);
  }
  driven.body().set_rest(0);
  driven.load(before);
  EXPECT_EQ(driven.save(), before);
}

TEST(BodyVision, LearningIsToldAtOnceBlockByBlock) {
  Block on, off;
  on.trials = off.trials = 1;
  off.learning = false;
  const BodyParameters p;
  const Trace trace = Driven(p, {on, off, on}).trials(kNone, 3);
  EXPECT_EQ(when(trace, sense::learning),
            (Stretches{{0, p.trial_ms}, {2 * p.trial_ms, 3 * p.trial_ms}}));
  EXPECT_EQ(trace.front().senses[sense::learning], 1);
}

TEST(BodyVision, TheInstructionIsToldAtOnceBlockByBlock) {
  Block free, told;
  free.trials = told.trials = 1;
  told.instruction = Instruction::aim_at_target;
  const BodyParameters p;
  const Trace trace = Driven(p, {free, told, free}).trials(kNone, 3);
  EXPECT_EQ(when(trace, sense::aim_at_target), (Stretches{{p.trial_ms, 2 * p.trial_ms}}));
}

// --- Perturbations of the cursor ---

/// Directions of the cursor while it is seen.
std::vector<double> cursor_deg(const Trace& trace) {
  std::vector<double> directions;
  for (const Moment& moment : trace)
    if (moment.senses[sense::cursor_on] != 0)
      directions.push_back(
          degrees_of(moment.senses[sense::cursor_x], moment.senses[sense::cursor_y]));
  return directions;
}

TEST(BodyCursor, RotationTurnsItAgainstTheHand) {
  Block block;
  block.targets_deg = {80};
  const Trace plain = one_trial({}, block, kOutward);
  const std::vector<double> unturned = cursor_deg(plain);
  ASSERT_GT(unturned.size(), 100u);
  for (const double rotation : {30.0, -45.0, 170.0}) {
    block.perturbation = Perturbation::rotation;
    block.rotation_deg = rotation;
    const Trace trace = one_trial({}, block, kOutward);
    const std::vector<double> turned = cursor_deg(trace);
    ASSERT_EQ(turned.size(), unturned.size());
    for (std::size_t k = 0; k < turned.size(); ++k)
      ASSERT_LT(apart(turned[k], unturned[k] + rotation), 1e-9) << k;
    // The hand is as before, and the record knows both.
    const TrialRecord &record = trace.back().record, &before = plain.back().record;
    EXPECT_EQ(trace.back().hand, plain.back().hand);
    EXPECT_EQ(record.rotation_deg, rotation);
    EXPECT_EQ(record.angle_end_deg, before.angle_end_deg);
    EXPECT_EQ(record.angle_third_deg, before.angle_third_deg);
    EXPECT_LT(apart(record.cursor_deg, before.angle_end_deg + rotation), 1e-9);
    EXPECT_LT(apart(record.error_deg, before.angle_end_deg + rotation - 80), 1e-9);
    EXPECT_LE(std::abs(record.cursor_deg), 180);
    EXPECT_LE(std::abs(record.error_deg), 180);
  }
}

TEST(BodyCursor, WithoutAPerturbationItIsTheHandWhateverRotationIsGiven) {
  Block block;
  const std::vector<double> unturned = cursor_deg(one_trial({}, block, kOutward));
  block.rotation_deg = 30;
  EXPECT_EQ(cursor_deg(one_trial({}, block, kOutward)), unturned);
}

TEST(BodyCursor, ClampIgnoresTheHandsDirectionAndNothingElse) {
  ASSERT_GT(apart(natural_deg(kOutward), natural_deg(kInward)), 60);
  Block block;
  block.targets_deg = {150};
  block.perturbation = Perturbation::clamp;
  for (const double rotation : {0.0, 25.0}) {
    block.rotation_deg = rotation;
    for (const Pull& pull : {kOutward, kInward}) {
      const Trace trace = one_trial({}, block, pull);
      const std::vector<double> shown = cursor_deg(trace);
      ASSERT_GT(shown.size(), 100u);
      for (const double direction : shown) ASSERT_LT(apart(direction, 150 + rotation), 1e-9);
      const TrialRecord& record = trace.back().record;
      EXPECT_LT(apart(record.cursor_deg, 150 + rotation), 1e-9);
      EXPECT_NEAR(record.error_deg, rotation, 1e-9);
      EXPECT_LT(apart(record.angle_end_deg, natural_deg(pull)), 1e-9);
      // How far out it is remains the hand's.
      for (std::size_t t = 60; t < trace.size(); ++t) {
        const double on = trace[t].senses[sense::cursor_on];
        if (on == 0) continue;
        ASSERT_NEAR(on, std::min(1.0, trace[t - 60].radius() * 30), 1e-12) << t;
      }
    }
  }
}

// --- Reward ---

bool rewarded(const Block& block, const Pull& pull, bool reached = true) {
  const Trace trace = one_trial({}, block, pull);
  EXPECT_EQ(trace.back().record.reached, reached);
  // The record, and what is shown of it, agree; the outcome is shown in any case.
  EXPECT_EQ(when(trace, sense::reward),
            trace.back().record.reward ? when(trace, sense::outcome) : Stretches{});
  EXPECT_EQ(when(trace, sense::outcome).size(), 1u);
  return trace.back().record.reward;
}

TEST(BodyReward, RulesAreHitAlwaysAndNever) {
  Block hit, missed;
  hit.targets_deg = {natural_deg(kOutward)};
  missed.targets_deg = {natural_deg(kOutward) + 90};
  for (Block* block : {&hit, &missed}) {
    block->reward = RewardRule::hit;
    EXPECT_EQ(rewarded(*block, kOutward), block == &hit);
    block->reward = RewardRule::always;
    EXPECT_TRUE(rewarded(*block, kOutward));
    EXPECT_TRUE(rewarded(*block, kNone, false));
    block->reward = RewardRule::never;
    EXPECT_FALSE(rewarded(*block, kOutward));
  }
}

TEST(BodyReward, WhatIsNotRewardedIsPunishedWhereTheBlockSaysSo) {
  Block block;
  block.punishment = 0.6;
  for (const bool hit : {true, false}) {
    block.targets_deg = {natural_deg(kOutward) + (hit ? 0 : 90)};
    const Trace trace = one_trial({}, block, kOutward);
    EXPECT_EQ(trace.back().record.punishment, hit ? 0 : 0.6);
    EXPECT_EQ(when(trace, sense::punishment), hit ? Stretches{} : when(trace, sense::outcome));
    EXPECT_EQ(when(trace, sense::reward), hit ? when(trace, sense::outcome) : Stretches{});
  }
  // Hits that bring nothing are no misses.
  block.reward_size = 0;
  block.targets_deg = {natural_deg(kOutward)};
  const TrialRecord hit = one_trial({}, block, kOutward).back().record;
  EXPECT_EQ(hit.reward, 0);
  EXPECT_EQ(hit.punishment, 0);
  block.reward_size = 0.3;
  EXPECT_EQ(one_trial({}, block, kOutward).back().record.reward, 0.3);
  // Who does not get there is punished too.
  EXPECT_EQ(one_trial({}, block, kNone).back().record.punishment, 0.6);
}

/// A body whose trials are over at once, for what is drawn once per trial.
BodyParameters hasty() {
  BodyParameters p;
  p.trial_ms = 100;
  p.cue_ms = 1;
  p.go_ms = 2;
  p.deadline_ms = 3;
  p.outcome_delay_ms = 0;
  p.outcome_ms = 1;
  return p;
}

TEST(BodyReward, IsGivenInAShareOfTrialsWhereItIsUncertain) {
  const BodyParameters p = hasty();
  constexpr int trials = 2000;
  Block block;
  block.trials = trials;
  block.reward = RewardRule::always;
  block.reward_probability = 0.7;
  block.second_reward_probability = 0.1;
  block.punishment = 1;
  Driven driven(p, {block}), again(p, {block});
  int rewards = 0, in_a_row = 0;
  bool before = false;
  for (int trial = 0; trial < trials; ++trial) {
    const TrialRecord record = driven.trials(kNone).back().record;
    if (trial < 5) {
      EXPECT_EQ(again.trials(kNone).back().record.reward, record.reward);
    }
    EXPECT_TRUE(record.reward == 0 || record.reward == 1);
    EXPECT_EQ(record.punishment, 0);  // the rule would have rewarded it
    const bool rewarded = record.reward > 0;
    rewards += rewarded ? 1 : 0;
    in_a_row += rewarded && before ? 1 : 0;
    before = rewarded;
  }
  // Four standard deviations.
  EXPECT_NEAR(rewards, 0.7 * trials, 82);
  EXPECT_NEAR(in_a_row, 0.49 * trials, 110);
}

TEST(BodyReward, NoneShowsNoOutcome) {
  Block block;
  block.targets_deg = {natural_deg(kOutward)};
  block.reward = RewardRule::none;
  const Trace trace = one_trial({}, block, kOutward);
  EXPECT_TRUE(trace.back().record.reached);
  EXPECT_EQ(trace.back().record.reward, 0);
  EXPECT_EQ(when(trace, sense::outcome), Stretches{});
  EXPECT_EQ(when(trace, sense::reward), Stretches{});
}

TEST(BodyReward, TheZoneEndsWhereItSaysOnBothSides) {
  const double end = natural_deg(kOutward);
  for (const double zone : {3.0, 20.0}) {
    for (const double side : {-1.0, 1.0}) {
      for (const bool inside : {true, false}) {
        Block block;
        block.reward_zone_deg = zone;
        block.targets_deg = {end + side * (zone + (inside ? -0.01 : 0.01))};
        EXPECT_EQ(rewarded(block, kOutward), inside) << zone << " " << side;
      }
    }
  }
  // Also across ±180°.
  Block block;
  block.targets_deg = {end - 360 + 5.9};
  EXPECT_TRUE(rewarded(block, kOutward));
}

TEST(BodyReward, TheCursorMustHitNotTheHand) {
  Block block;
  block.perturbation = Perturbation::rotation;
  block.rotation_deg = 30;
  block.targets_deg = {natural_deg(kOutward)};
  EXPECT_FALSE(rewarded(block, kOutward));
  block.targets_deg = {natural_deg(kOutward) + 30};
  EXPECT_TRUE(rewarded(block, kOutward));
}

TEST(BodyReward, AClampedCursorHitsALargeTargetAndMissesASmallOne) {
  // Kim et al. 2019: targets of 16 and 6 mm across, 80 mm away.
  BodyParameters p;
  p.distance_m = 0.08;
  Block block;
  block.perturbation = Perturbation::clamp;
  for (const double side : {-3.5, 3.5}) {
    block.rotation_deg = side;
    for (const Pull& pull : {kOutward, kInward}) {
      block.target_radius_m = 0.008;
      EXPECT_EQ(one_trial(p, block, pull).back().record.reward, 1);
      block.target_radius_m = 0.003;
      EXPECT_EQ(one_trial(p, block, pull).back().record.reward, 0);
      // The same cone from afar is a smaller target.
      block.target_radius_m = 0.005;
      EXPECT_EQ(one_trial(p, block, pull).back().record.reward, 1);
      EXPECT_EQ(one_trial({}, block, pull).back().record.reward, 0);
    }
  }
}

TEST(BodyReward, ATargetsRadiusIsAZoneOfTheSameAngle) {
  const BodyParameters p;
  const double end = natural_deg(kOutward);
  for (const double zone : {2.0, 11.0, 80.0}) {
    for (const double miss : {0.0, 0.4 * zone, -(zone - 1e-6), zone + 1e-6}) {
      Block by_zone, by_radius;
      by_zone.reward = by_radius.reward = RewardRule::graded;
      by_zone.targets_deg = by_radius.targets_deg = {end + miss};
      by_zone.reward_zone_deg = zone;
      by_radius.target_radius_m = 2 * p.distance_m * std::sin(math::radians(zone / 2));
      const Trace one = one_trial(p, by_zone, kOutward), other = one_trial(p, by_radius, kOutward);
      EXPECT_NEAR(one.back().record.reward, other.back().record.reward, 1e-9);
      EXPECT_EQ(when(one, sense::reward), when(other, sense::reward)) << zone << " " << miss;
    }
  }
}

TEST(BodyReward, GradedFallsToTheEdgeOfTheZone) {
  const double end = natural_deg(kOutward);
  for (const double miss : {-30.0, -5.0, 0.0, 2.5, 9.0, 11.0}) {
    Block block;
    block.reward = RewardRule::graded;
    block.reward_zone_deg = 10;
    block.targets_deg = {end + miss};
    const Trace trace = one_trial({}, block, kOutward);
    const double reward = std::max(0.0, 1 - std::abs(miss) / 10);
    EXPECT_NEAR(trace.back().record.reward, reward, 1e-9) << miss;
    double shown = 0;
    for (const Moment& moment : trace) shown = std::max(shown, moment.senses[sense::reward]);
    EXPECT_EQ(shown, trace.back().record.reward) << miss;
  }
}

// --- Other perturbations ---

TEST(BodyPerturbation, ShiftDisplacesTheCursorToTheRight) {
  for (const double shift : {-0.03, 0.02}) {
    Block block;
    block.perturbation = Perturbation::shift;
    block.shift_m = shift;
    const Trace trace = one_trial({}, block, kOutward);
    const Vector2 hand = trace.back().hand;
    EXPECT_NEAR(trace.back().record.cursor_deg, degrees_of(hand.x + shift, hand.y), 1e-9);
    EXPECT_NEAR(cursor_deg(trace).back(), trace.back().record.cursor_deg, 1e-9);
    EXPECT_NEAR(trace.back().record.angle_end_deg, natural_deg(kOutward), 1e-12);
  }
}

TEST(BodyPerturbation, GainMovesTheTargetsDistance) {
  const BodyParameters p;
  for (const double gain : {0.8, 2.0}) {
    Block block;
    block.cursor_gain = gain;
    const Trace trace = one_trial(p, block, kOutward);
    const Step end = arrival(trace, p.distance_m / gain),
               third = arrival(trace, p.distance_m / gain / 3);
    EXPECT_TRUE(trace.back().record.reached);
    EXPECT_EQ(trace[static_cast<std::size_t>(end)].hand, trace.back().hand);
    EXPECT_NEAR(trace.back().record.angle_third_deg,
                trace[static_cast<std::size_t>(third)].hand_deg(), 1e-9);
  }
}

TEST(BodyPerturbation, CurlFieldPushesTheMovingHandAside) {
  const auto end_deg = [](double curl) {
    Block block;
    block.curl_Ns_m = curl;
    return one_trial({}, block, kOutward).back().record.angle_end_deg;
  };
  const double without = end_deg(0);
  EXPECT_LT(math::wrap_degrees(end_deg(10) - without), -3);  // clockwise
  EXPECT_GT(math::wrap_degrees(end_deg(-10) - without), 3);
  EXPECT_LT(math::wrap_degrees(end_deg(20) - end_deg(10)), -2);
}

TEST(BodyPerturbation, TargetJumpsWhenTheHandHasLeft) {
  const BodyParameters p;
  Block block;
  block.targets_deg = {natural_deg(kOutward) - 20};
  block.target_jump_deg = 20;
  const Trace trace = one_trial(p, block, kOutward);
  const Step onset = arrival(trace, 0.05 * p.distance_m);
  const auto target_at = [&](Step t) {
    const auto& seen = trace[static_cast<std::size_t>(t + p.vision_delay_ms)].senses;
    return degrees_of(seen[sense::target_x], seen[sense::target_y]);
  };
  EXPECT_LT(apart(target_at(onset - 1), block.targets_deg[0]), 1e-9);
  EXPECT_LT(apart(target_at(onset), block.targets_deg[0] + 20), 1e-9);
  EXPECT_EQ(trace.back().record.target_deg, block.targets_deg[0]);
  EXPECT_NEAR(trace.back().record.error_deg, 0, 1e-9);
  EXPECT_EQ(trace.back().record.reward, 1);
}

TEST(BodyPerturbation, RandomRotationHasItsMeanSpreadAndSkewness) {
  const BodyParameters p = hasty();
  constexpr int trials = 4000;
  for (const double skew : {0.0, 1.0, -1.0}) {
    Block block;
    block.trials = trials;
    block.perturbation = Perturbation::rotation;
    block.rotation_deg = 5;
    block.rotation_noise_deg = 4;
    block.rotation_noise_skew = skew;
    Driven driven(p, {block}), again(p, {block});
    double sum = 0, squares = 0, cubes = 0;
    for (int trial = 0; trial < trials; ++trial) {
      const double angle = driven.trials(kNone).back().record.rotation_deg;
      if (trial < 3) {
        EXPECT_EQ(again.trials(kNone).back().record.rotation_deg, angle);
      }
      const double z = (angle - 5) / 4;
      sum += z;
      squares += z * z;
      cubes += z * z * z;
    }
    EXPECT_NEAR(sum / trials, 0, 0.05);
    EXPECT_NEAR(squares / trials, 1, 0.1);
    EXPECT_NEAR(cubes / trials, skew, 0.3);
  }
}

TEST(BodyPerturbation, RandomSignsAreEvenAndIndependent) {
  const BodyParameters p = hasty();
  constexpr int trials = 2000;
  Block block;
  block.trials = trials;
  block.perturbation = Perturbation::clamp;
  block.rotation_deg = 5;
  block.rotation_sign = RotationSign::random;
  Driven driven(p, {block}), again(p, {block});
  int sum = 0, alike = 0;
  double before = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const double angle = driven.trials(kNone).back().record.rotation_deg;
    if (trial < 5) {
      EXPECT_EQ(again.trials(kNone).back().record.rotation_deg, angle);
    }
    EXPECT_EQ(std::abs(angle), 5);
    sum += angle > 0 ? 1 : -1;
    alike += angle == before ? 1 : 0;
    before = angle;
  }
  // Four standard deviations of fair coins.
  EXPECT_LT(std::abs(sum), 180);
  EXPECT_LT(std::abs(alike - trials / 2), 90);
}

// --- The schedule ---

TEST(BodySchedule, TargetsCycleAndStartAnewInEachBlock) {
  Block three, two;
  three.trials = 5;
  three.targets_deg = {10, 100, -70};
  two.trials = 3;
  two.targets_deg = {45, 135};
  Driven driven({}, {three, two});
  const double targets[] = {10, 100, -70, 10, 100, 45, 135, 45};
  for (int trial = 0; trial < 8; ++trial) {
    const Trace trace = driven.trials(kNone);
    // From the first ms to the last.
    for (const Moment* moment : {&trace.front(), &trace.back()}) {
      EXPECT_EQ(moment->record.trial, trial);
      EXPECT_EQ(moment->record.block, trial < 5 ? 0 : 1);
      EXPECT_EQ(moment->record.target_deg, targets[trial]);
    }
    const auto& seen = trace[300].senses;
    EXPECT_LT(apart(degrees_of(seen[sense::target_x], seen[sense::target_y]), targets[trial]), 1e-9)
        << trial;
  }
}

TEST(BodySchedule, RotationGoesFromStartToEndInEqualSteps) {
  Block flat, steps, ramp, one, constant;
  flat.trials = 2;
  steps.trials = 7;
  steps.perturbation = ramp.perturbation = one.perturbation = constant.perturbation =
      Perturbation::rotation;
  steps.rotation_deg = 10;
  steps.rotation_end_deg = 30;
  steps.steps = 3;
  ramp.trials = 4;
  ramp.rotation_end_deg = -9;
  ramp.steps = 4;
  one.trials = 2;
  one.rotation_deg = 5;
  one.rotation_end_deg = 40;
  one.steps = 1;
  constant.trials = 2;
  constant.rotation_deg = -7;
  Driven driven({}, {flat, steps, ramp, one, constant});
  std::vector<double> rotations, shown;
  for (int trial = 0; trial < 17; ++trial) {
    const Trace trace = driven.trials(kOutward);
    const TrialRecord& record = trace.back().record;
    rotations.push_back(record.rotation_deg);
    shown.push_back(math::wrap_degrees(cursor_deg(trace).back() - record.angle_end_deg));
  }
  const std::vector<double> expected = {0, 0, 10, 10, 10, 20, 20, 30, 30, 0, -3, -6, -9, 5, 5};
  for (std::size_t trial = 0; trial < expected.size(); ++trial) {
    EXPECT_NEAR(rotations[trial], expected[trial], 1e-12) << trial;
    EXPECT_NEAR(shown[trial], expected[trial], 1e-9) << trial;
  }
}

TEST(BodySchedule, EveryTrialStartsAtRestInTheSamePosture) {
  Block block;
  block.trials = 2;
  // Inward, then outward; and outward after doing nothing. Only what is left in the pools differs.
  const auto second = [&](const Pull& before) {
    Driven driven({}, {block});
    const Trace first = driven.trials(before);
    EXPECT_EQ(first.back().radius() > 0.05, !before.muscles.empty());
    return driven.trials(kOutward);
  };
  const Trace after_reach = second(kInward), after_rest = second(kNone);
  for (std::size_t t = 0; t < after_rest.size(); ++t) {
    ASSERT_NEAR(after_reach[t].hand.x, after_rest[t].hand.x, 1e-6) << t;
    ASSERT_NEAR(after_reach[t].hand.y, after_rest[t].hand.y, 1e-6) << t;
  }
  EXPECT_GT(after_rest.back().radius(), 0.09);
  // Held in the start position until the go signal, whatever muscles do.
  for (std::size_t t = 0; t < 370; ++t) ASSERT_EQ(after_reach[t].hand, Vector2{}) << t;
  // And nothing of an earlier reach remains to move the hand.
  Driven driven({}, {block});
  driven.trials(kOutward);
  EXPECT_EQ(driven.trials(kNone).back().record.path_m, 0);
}

// --- Two targets ---

TEST(BodyChoice, TheTargetNearerToTheCursorIsChosenAtAThirdOfTheWay) {
  const double hand = natural_deg(kOutward);
  for (const double turned : {0.0, 50.0}) {
    SCOPED_TRACE(turned);
    Block block;
    block.perturbation = turned == 0 ? Perturbation::none : Perturbation::rotation;
    block.rotation_deg = turned;
    block.targets_deg = {hand + 40};
    block.second_target_deg = -70;
    block.second_reward = 0.25;
    block.reward_zone_deg = 45;
    const BodyParameters p;
    const Trace trace = one_trial(p, block, kOutward);
    // The hand goes between them, nearer to the second; the turned cursor nearer to the first.
    const TrialRecord& record = trace.back().record;
    EXPECT_EQ(record.second, turned == 0 ? 1 : 0);
    const double chosen = turned == 0 ? hand - 30 : hand + 40;
    EXPECT_LT(apart(record.target_deg, chosen), 1e-9);
    EXPECT_NEAR(record.error_deg, math::wrap_degrees(record.cursor_deg - chosen), 1e-9);
    EXPECT_EQ(record.reward, turned == 0 ? 0.25 : 1);
    Block unsure = block;
    (turned == 0 ? unsure.second_reward_probability : unsure.reward_probability) = 0;
    EXPECT_EQ(one_trial(p, unsure, kOutward).back().record.reward, 0);
    // Both are seen until then, and afterwards the chosen one, a visual delay later.
    const Step third = arrival(trace, p.distance_m / 3), cue = p.cue_ms + p.vision_delay_ms;
    EXPECT_EQ(when(trace, sense::second_on), (Stretches{{cue, third + p.vision_delay_ms}}));
    for (Step t = cue; t < cue + 300; ++t) {
      const auto& seen = trace[static_cast<std::size_t>(t)].senses;
      EXPECT_LT(apart(degrees_of(seen[sense::second_x], seen[sense::second_y]), hand - 30), 1e-9);
    }
    const Step after = third + p.vision_delay_ms;
    for (const Step t : {cue, after - 1, after, after + 20}) {
      const auto& seen = trace[static_cast<std::size_t>(t)].senses;
      EXPECT_LT(apart(degrees_of(seen[sense::target_x], seen[sense::target_y]),
                      t < after ? hand + 40 : chosen),
                1e-9)
          << t;
    }
  }
}

TEST(BodyChoice, DirectionsAreRecordedAsTheScheduleHasThem) {
  const double hand = natural_deg(kOutward);
  for (const double second : {50.0, -50.0}) {
    Block block;
    block.targets_deg = {second > 0 ? hand + 320 : hand - 320};
    block.second_target_deg = second;
    const TrialRecord record = one_trial({}, block, kOutward).back().record;
    EXPECT_EQ(record.second, 1);
    EXPECT_EQ(record.target_deg, block.targets_deg[0] + second);
    block.second_target_deg = 180;
    EXPECT_EQ(one_trial({}, block, kOutward).back().record.target_deg, block.targets_deg[0]);
  }
}

TEST(BodyChoice, WhoDoesNotGoHasChosenNothing) {
  Block block;
  block.second_target_deg = 90;
  const Trace trace = one_trial({}, block, kNone);
  const TrialRecord& record = trace.back().record;
  EXPECT_EQ(record.second, -1);
  EXPECT_EQ(one_trial({}, {}, kOutward).back().record.second, -1);  // of one target
  EXPECT_EQ(record.target_deg, 90);
  EXPECT_EQ(record.reward, 0);
  const BodyParameters p;
  EXPECT_EQ(when(trace, sense::second_on),
            (Stretches{{p.cue_ms + p.vision_delay_ms, p.deadline_ms + p.vision_delay_ms}}));
}

TEST(BodySequence, OnlyTheEndSaysWhetherAllChoicesWereRight) {
  const double hand = natural_deg(kOutward);
  const BodyParameters p;
  // The hand, which always goes the same way, chooses the first target twice, then the second.
  Block block;
  block.trials = 6;
  block.targets_deg = {hand, hand, hand - 90};
  block.second_target_deg = 90;
  for (const std::vector<double>& right :
       std::vector<std::vector<double>>{{1, 1, 2}, {1, 2, 2}, {2, 1, 2}, {1, 1, 1}}) {
    block.sequence = right;
    Driven driven({}, {block});
    const Trace trace = driven.trials(kOutward, 6);
    const bool all_right = right == std::vector<double>{1, 1, 2};
    for (std::size_t trial = 0; trial < 6; ++trial) {
      const std::size_t end = (trial + 1) * static_cast<std::size_t>(p.trial_ms) - 1;
      EXPECT_EQ(trace[end].record.second, trial % 3 == 2);
      EXPECT_EQ(trace[end].record.reward, trial % 3 == 2 && all_right ? 1 : 0);
    }
    EXPECT_EQ(when(trace, sense::outcome).size(), 2u);
    EXPECT_EQ(when(trace, sense::reward).size(), all_right ? 2u : 0u);
  }
}

TEST(BodySequence, IsPartOfTheState) {
  const double hand = natural_deg(kOutward);
  Block block;
  block.trials = 4;
  block.targets_deg = {hand, hand};
  block.second_target_deg = 90;
  for (const double first : {1, 2}) {
    block.sequence = {first, 1};
    Driven whole({}, {block});
    whole.trials(kOutward);
    Driven continued({}, {block}, whole.body().trial_ms());
    continued.load(whole.save());
    EXPECT_EQ(continued.trials(kOutward).back().record.reward, first == 1 ? 1 : 0);
  }
}

// --- What is recorded of a reach ---

TEST(BodyRecord, MeasuresAreThoseOfTheHandsPath) {
  const BodyParameters p;
  const Trace trace = one_trial(p, {}, kOutward);
  const Step end = arrival(trace, p.distance_m), third = arrival(trace, p.distance_m / 3),
             onset = arrival(trace, 0.05 * p.distance_m);
  ASSERT_TRUE(p.go_ms < onset && onset < third && third < end);
  const auto at = [&](Step t) { return trace[static_cast<std::size_t>(t)]; };
  const TrialRecord& record = trace.back().record;
  EXPECT_TRUE(record.reached);
  EXPECT_NEAR(record.angle_third_deg, at(third).hand_deg(), 1e-9);
  EXPECT_NEAR(record.angle_end_deg, at(end).hand_deg(), 1e-9);
  EXPECT_GT(apart(record.angle_third_deg, record.angle_end_deg), 0.5);
  EXPECT_NEAR(record.cursor_deg, record.angle_end_deg, 1e-9);
  EXPECT_NEAR(record.error_deg, math::wrap_degrees(record.angle_end_deg - 90), 1e-9);
  EXPECT_EQ(record.movement_ms, static_cast<double>(end - onset));
  double path = 0, peak = 0;
  for (Step t = p.go_ms; t <= end; ++t) {
    const double x = at(t).hand.x - at(t - 1).hand.x, y = at(t).hand.y - at(t - 1).hand.y;
    path += std::sqrt(x * x + y * y);
    peak = std::max(peak, std::sqrt(x * x + y * y) * 1000);
  }
  EXPECT_NEAR(record.path_m, path, 1e-12);
  EXPECT_NEAR(record.peak_speed_m_s, peak, 1e-9);
  // Caught where it arrived, though muscles pull on.
  EXPECT_EQ(trace.back().hand, at(end).hand);
  EXPECT_TRUE(std::isnan(at(end - 1).record.angle_end_deg));
}

/// A reach that is still on its way at the deadline.
Trace slow(double distance_m, Feedback feedback = Feedback::full, Block block = {}) {
  BodyParameters p;
  p.distance_m = distance_m;
  block.feedback = feedback;
  return one_trial(p, block, {{kShoulderFlexor, kElbowExtensor}, 1, 480, 600});
}

TEST(BodyRecord, AReachThatNeverArrivesEndsAtTheDeadline) {
  const BodyParameters p;
  const double far = slow(0.3).back().radius();
  ASSERT_GT(far, 0.01);
  for (const double share : {0.2, 0.5, 0.9}) {  // of the distance
    SCOPED_TRACE(share);
    const Trace trace = slow(far / share);
    const TrialRecord& record = trace.back().record;
    EXPECT_FALSE(record.reached);
    EXPECT_TRUE(std::isnan(record.movement_ms));
    EXPECT_NEAR(record.angle_end_deg, trace.back().hand_deg(), 1e-9);
    EXPECT_NEAR(record.error_deg, math::wrap_degrees(record.angle_end_deg - 90), 1e-9);
    // Where a third is not reached, the end stands for it.
    const Step third = arrival(trace, far / share / 3);
    EXPECT_EQ(third < 0, share < 1.0 / 3);
    if (third < 0)
      EXPECT_EQ(record.angle_third_deg, record.angle_end_deg);
    else
      EXPECT_NEAR(record.angle_third_deg, trace[static_cast<std::size_t>(third)].hand_deg(), 1e-9);
    // It stops there and then, and what is seen goes on from there.
    const auto deadline = static_cast<std::size_t>(p.deadline_ms);
    EXPECT_NE(trace[deadline - 1].hand, trace.back().hand);
    EXPECT_EQ(trace[deadline].hand, trace.back().hand);
    const Step seen = p.deadline_ms + p.vision_delay_ms;
    EXPECT_EQ(when(trace, sense::target_on),
              (Stretches{{p.cue_ms + p.vision_delay_ms, seen + p.feedback_hold_ms}}));
    EXPECT_EQ(when(slow(far / share, Feedback::endpoint), sense::cursor_on),
              (Stretches{{seen, seen + p.feedback_hold_ms}}));
    EXPECT_EQ(when(trace, sense::outcome),
              (Stretches{{seen + p.outcome_delay_ms, seen + p.outcome_delay_ms + p.outcome_ms}}));
    // In the right direction, yet no hit.
    Block toward;
    toward.targets_deg = {record.angle_end_deg};
    EXPECT_FALSE(slow(far / share, Feedback::full, toward).back().record.reward);
    EXPECT_NEAR(slow(far / share, Feedback::full, toward).back().record.error_deg, 0, 1e-9);
  }
}

TEST(BodyRecord, AnglesAreNanUnlessATwentiethOfTheDistanceIsPassed) {
  // Just more than a twentieth, and just less.
  const double far = slow(0.3).back().radius();
  for (const bool passed : {true, false}) {
    const TrialRecord record = slow(far / (passed ? 0.0501 : 0.0499)).back().record;
    for (const double angle :
         {record.angle_third_deg, record.angle_end_deg, record.cursor_deg, record.error_deg})
      EXPECT_EQ(std::isnan(angle), !passed);
    EXPECT_FALSE(record.reached);
    EXPECT_FALSE(record.reward);
    EXPECT_TRUE(std::isnan(record.movement_ms));
    EXPECT_GT(record.path_m, 0);
  }
  const TrialRecord still = one_trial({}, {}, kNone).back().record;
  EXPECT_TRUE(std::isnan(still.error_deg));
  EXPECT_EQ(still.path_m, 0);
  EXPECT_EQ(still.peak_speed_m_s, 0);
}

// --- Arm and fingers ---

TEST(BodyArm, HandGoesWhereMusclesAndForceTakeItFromTheActivationInTheHold) {
  const BodyParameters p;
  for (const double curl : {0.0, 15.0}) {
    Block block;
    block.curl_Ns_m = curl;
    const Trace trace = one_trial(p, block, kOutward);
    const Step end = arrival(trace, p.distance_m);
    ASSERT_GT(end, p.go_ms);
    ArmState arm;
    arm.q[0] = math::radians(45);
    arm.q[1] = math::radians(90);
    const Vector2 start = hand_position(p.arm, arm);
    for (Step t = 0; t <= end; ++t) {
      const Moment& moment = trace[static_cast<std::size_t>(t)];
      // Held until the go signal, while muscles pull.
      if (t < p.go_ms) {
        for (std::size_t m = 0; m < kArmMuscles; ++m)
          arm.activation[m] =
              activate(p.arm.activation, moment.excitation[m], arm.activation[m], 0.001);
      } else {
        const Vector2 v = hand_velocity(p.arm, arm);
        step(p.arm, arm,
             std::span<const double, kArmMuscles>(moment.excitation.data(), kArmMuscles), 0.001,
             {curl * v.y, -curl * v.x});
      }
      const Vector2 hand = hand_position(p.arm, arm);
      ASSERT_NEAR(moment.hand.x, hand.x - start.x, 1e-12) << t;
      ASSERT_NEAR(moment.hand.y, hand.y - start.y, 1e-12) << t;
    }
    EXPECT_GT(*std::max_element(arm.activation, arm.activation + kArmMuscles), 0.1);
  }
}

TEST(BodyFingers, BendWithTheirPoolsAllThroughTheTrial) {
  const BodyParameters p;
  const int muscle = kArmMuscles + 3;
  Driven driven(p, {{}});
  FingerMuscles fingers;
  // Before the go signal, after a reach, and after it was caught.
  const Pull pull{{kShoulderFlexor, kElbowExtensor, muscle}, 1, 200, 800};
  for (int part = 0; part < 17; ++part) {
    for (const Moment& moment : driven.run(pull, 50))
      step(p.fingers, fingers,
           std::span<const double, finger_count>(moment.excitation.data() + kArmMuscles,
                                                 finger_count),
           0.001);
    const MemoryState state = driven.save();
    double angle[finger_count];
    std::memcpy(angle, state.arrays.at("body.finger_angle").bytes.data(), sizeof angle);
    for (int finger = 0; finger < finger_count; ++finger)
      ASSERT_NEAR(angle[finger], fingers.angle[finger], 1e-12) << part << " " << finger;
  }
  EXPECT_GT(fingers.angle[3], 0.01);
  EXPECT_LT(fingers.angle[0], 0.1 * fingers.angle[3]);
}

// --- Motor pools ---

std::vector<std::uint32_t> all_cells() {
  std::vector<std::uint32_t> cells(Sizes(kScale).l5pt.size());
  for (std::uint32_t cell = 0; cell < cells.size(); ++cell) cells[cell] = cell;
  return cells;
}

TEST(BodyPools, LowPassTheRateOfTheirCells) {
  BodyParameters p;
  p.pool_threshold_hz = 0;
  p.pool_gain_per_hz = 1e-4;
  for (const double tau : {40.0, 15.0}) {
    p.pool_tau_ms = tau;
    Driven driven(p, {{}});
    // All cells fire at 1000 Hz, then none. Weights are floats.
    const double decay = std::exp(-1 / tau);
    for (int n = 1; n <= 100; ++n)
      for (const double u : driven.step(all_cells()).excitation)
        ASSERT_NEAR(u, 0.1 * (1 - std::pow(decay, n)), 1e-6) << n;
    const double top = 0.1 * (1 - std::pow(decay, 100));
    for (int n = 1; n <= 100; ++n)
      for (const double u : driven.step({}).excitation)
        ASSERT_NEAR(u, top * std::pow(decay, n), 1e-6) << n;
  }
}

TEST(BodyPools, WeighCellsByTheMusclesFields) {
  BodyParameters p;
  p.pool_threshold_hz = 0;
  p.pool_gain_per_hz = 0.001;
  const SheetLayout sheet = Sizes(kScale).l5pt;
  for (std::uint32_t cell = 0; cell < sheet.size(); cell += 7) {
    Driven driven(p, {{}});
    const Moment moment = driven.step({cell});
    for (int muscle = 0; muscle < kMuscles; ++muscle) {
      double sum = 0;
      for (std::uint32_t c = 0; c < sheet.size(); ++c) sum += field(muscle, sheet.x(c), sheet.y(c));
      const double share = field(muscle, sheet.x(cell), sheet.y(cell)) / sum;
      ASSERT_NEAR(moment.excitation[static_cast<std::size_t>(muscle)],
                  share * (1 - std::exp(-1 / p.pool_tau_ms)), 1e-7)
          << "cell " << cell << " muscle " << muscle;
    }
  }
}

TEST(BodyPools, ExciteAboveTheirThresholdInProportionUpToOne) {
  // Rates of the pools, from a body without threshold.
  const auto run = [](double threshold_hz, double gain) {
    BodyParameters p;
    p.pool_threshold_hz = threshold_hz;
    p.pool_gain_per_hz = gain;
    Driven driven(p, {{}});
    std::vector<double> u;
    for (int n = 0; n < 60; ++n) u.push_back(driven.step(all_cells()).excitation[0]);
    for (int n = 0; n < 200; ++n) u.push_back(driven.step({}).excitation[0]);
    return u;
  };
  const std::vector<double> rate = run(0, 1e-3), above = run(100, 2e-3);
  int below = 0, between = 0, full = 0;
  for (std::size_t t = 0; t < rate.size(); ++t) {
    const double expected = 2e-3 * (rate[t] * 1e3 - 100);
    ASSERT_NEAR(above[t], std::clamp(expected, 0.0, 1.0), 1e-9) << t;
    ++(expected < 0 ? below : expected < 1 ? between : full);
  }
  EXPECT_GT(std::min({below, between, full}), 10);
}

TEST(BodyPools, RestWithoutThresholdBeingPassedMovesNothing) {
  // One spike of each cell in 200 ms: 5 Hz.
  const Pull rest{{kShoulderFlexor, kElbowExtensor}, 200, 0, 850};
  BodyParameters p;
  p.pool_threshold_hz = 40;
  EXPECT_EQ(one_trial(p, {}, rest).back().record.path_m, 0);
  p.pool_threshold_hz = 0;
  EXPECT_GT(one_trial(p, {}, rest).back().record.path_m, 0);
}

// --- Motor noise ---

/// Mean and SD over trials and arm muscles, relative to values without noise.
struct Variation {
  double mean = 0, sd = 0;
};
/// Of excitation, and of the activation of a hand that is held, to which its forces are
/// proportional; both at the end of a trial of steady drive.
std::array<Variation, 2> variation(double gain_per_hz, double noise) {
  BodyParameters p;
  p.trial_ms = 300;
  p.cue_ms = 1;
  p.go_ms = 2;
  p.deadline_ms = 299;
  p.outcome_delay_ms = 0;
  p.outcome_ms = 1;
  p.pool_threshold_hz = 0;
  p.pool_gain_per_hz = gain_per_hz;
  Block held;
  held.task = Task::rest;
  held.trials = 400;
  const Pull steady{{0, 1, 2, 3, 4, 5}, 10, 0, 300};
  const auto trial = [&](Driven& driven) {
    std::array<std::array<double, kArmMuscles>, 2> values;
    const Moment last = driven.trials(steady).back();
    std::copy_n(last.excitation.begin(), kArmMuscles, values[0].begin());
    std::memcpy(values[1].data(), driven.save().arrays.at("body.activation").bytes.data(),
                sizeof values[1]);
    return values;
  };
  Driven plain(p, {held});
  trial(plain);  // fills the pools
  const auto expected = trial(plain);
  p.motor_noise = noise;
  Driven noisy(p, {held});
  trial(noisy);
  std::array<Variation, 2> result;
  double n = 0, sum[2] = {}, squares[2] = {};
  for (std::int64_t k = 1; k < held.trials; ++k) {
    const auto values = trial(noisy);
    for (std::size_t m = 0; m < kArmMuscles; ++m, ++n)
      for (std::size_t i = 0; i < 2; ++i) {
        const double relative = values[i][m] / expected[i][m];
        sum[i] += relative;
        squares[i] += relative * relative;
      }
  }
  for (std::size_t i = 0; i < 2; ++i) {
    result[i].mean = sum[i] / n;
    result[i].sd = std::sqrt(squares[i] / n - result[i].mean * result[i].mean);
  }
  return result;
}

TEST(BodyNoise, GrowsWithTheCommandAndLeavesItsMean) {
  const double noise = 0.1;
  for (const double gain : {1e-3, 4e-3}) {
    const auto [excitation, force] = variation(gain, noise);
    EXPECT_NEAR(excitation.mean, 1, 0.01) << gain;
    EXPECT_NEAR(excitation.sd / noise, 1, 0.05) << gain;
    EXPECT_NEAR(force.mean, 1, 0.005) << gain;
    EXPECT_NEAR(force.sd / noise, 0.4, 0.03) << gain;
  }
}

TEST(BodyNoise, IsDrawnAnewForEachMuscleAndEvery20MsOfATrial) {
  BodyParameters p;
  const Trace plain = Driven(p, {{}}).trials(kOutward, 2);
  p.motor_noise = 0.1;
  const Trace noisy = Driven(p, {{}}).trials(kOutward, 2);
  std::vector<double> draws;
  for (std::size_t m = 0; m < kArmMuscles; ++m)
    for (std::size_t t = 0; t < plain.size(); ++t) {
      if (plain[t].excitation[m] == 0) {
        ASSERT_EQ(noisy[t].excitation[m], 0);
        continue;
      }
      const double z = (noisy[t].excitation[m] / plain[t].excitation[m] - 1) / p.motor_noise;
      const std::size_t clock = t % static_cast<std::size_t>(p.trial_ms);
      if (clock % 20 != 0 && plain[t - 1].excitation[m] != 0)
        ASSERT_NEAR(z, draws.back(), 1e-9) << t;
      else
        draws.push_back(z);
    }
  ASSERT_GT(draws.size(), 40u);
  std::sort(draws.begin(), draws.end());
  EXPECT_LT(draws.front(), -1);
  EXPECT_GT(draws.back(), 1);
  for (std::size_t k = 1; k < draws.size(); ++k) EXPECT_GT(draws[k] - draws[k - 1], 1e-9);
}

TEST(BodyNoise, StaysWithinZeroAndOne) {
  BodyParameters p;
  p.motor_noise = 1;
  p.pool_gain_per_hz = 0.01;
  int none = 0, full = 0;
  for (const Moment& moment : Driven(p, {{}}).trials(kOutward))
    for (const double u : moment.excitation) {
      ASSERT_TRUE(0 <= u && u <= 1);
      none += u == 0;
      full += u == 1;
    }
  EXPECT_GT(std::min(none, full), 0);
}

// --- Saving and loading ---

/// Bits of all that can be seen, and of what would be saved.
std::vector<std::uint64_t> bits(const Trace& trace) {
  std::vector<std::uint64_t> all;
  const auto add = [&](double value) { all.push_back(std::bit_cast<std::uint64_t>(value)); };
  for (const Moment& m : trace) {
    for (const double value : m.senses) add(value);
    for (const double value : m.excitation) add(value);
    const TrialRecord& r = m.record;
    for (const double value :
         {m.hand.x, m.hand.y, r.target_deg, r.rotation_deg, r.angle_third_deg, r.angle_end_deg,
          r.cursor_deg, r.error_deg, r.movement_ms, r.path_m, r.peak_speed_m_s})
      add(value);
    all.push_back(static_cast<std::uint64_t>(r.trial));
    all.push_back(static_cast<std::uint64_t>(r.block));
    all.push_back(r.reached + 2u * r.reward);
  }
  return all;
}

struct Saved {
  Step at;
  MemoryState state;
};
/// Two trials with a cursor that is turned in the first.
std::vector<Block> turned_then_not() {
  Block turned, plain;
  turned.trials = plain.trials = 1;
  turned.perturbation = Perturbation::rotation;
  turned.rotation_deg = 20;
  turned.reward = RewardRule::always;
  return {turned, plain};
}
Pull with_fingers() {
  Pull pull = kOutward;
  pull.muscles.push_back(kArmMuscles + 2);
  return pull;
}
Saved saved_at(Step at, const BodyParameters& p = {}) {
  Driven driven(p, turned_then_not());
  driven.run(with_fingers(), at);
  return {at, driven.save()};
}
/// What a body does for `ms` from there on, and its state then.
std::pair<std::vector<std::uint64_t>, MemoryState> continued(const Saved& saved, Step ms,
                                                             const BodyParameters& p = {}) {
  Driven driven(p, turned_then_not(), saved.at);
  driven.load(saved.state);
  const Trace trace = driven.run(with_fingers(), ms);
  return {bits(trace), driven.save()};
}

// Before the target is seen, held, under way, caught, during the outcome, and between trials.
constexpr Step kMoments[] = {1, 10, 350, 400, 440, 470, 560, 640, 849, 850, 1200, 1300};

TEST(BodyState, ContinuesExactlyFromAnyMomentOfATrial) {
  BodyParameters p;
  for (const double noise : {0.0, 0.1}) {
    p.motor_noise = noise;
    Driven whole(p, turned_then_not());
    const Trace trace = whole.trials(with_fingers(), 2);
    ASSERT_TRUE(trace.back().record.reached);
    for (const Step at : kMoments) {
      const Saved saved = saved_at(at, p);
      EXPECT_TRUE(saved.state.complete());
      const auto [seen, state] = continued(saved, std::ssize(trace) - at, p);
      EXPECT_TRUE(seen == bits({trace.begin() + at, trace.end()})) << at;
      EXPECT_TRUE(state == whole.save()) << at;
    }
  }
}

TEST(BodyNoise, TooSmallToBeSeenLeavesTheBitsOfNone) {
  BodyParameters p;
  const Trace none = Driven(p, turned_then_not()).trials(with_fingers(), 2);
  p.motor_noise = 1e-18;
  EXPECT_TRUE(bits(Driven(p, turned_then_not()).trials(with_fingers(), 2)) == bits(none));
  p.motor_noise = 0.05;
  EXPECT_FALSE(bits(Driven(p, turned_then_not()).trials(with_fingers(), 2)) == bits(none));
}

/// A state in which element `i` of an array is another plausible value.
MemoryState changed(MemoryState state, const std::string& name, std::size_t i) {
  MemoryState::Array& array = state.arrays.at(name);
  unsigned char* const bytes = array.bytes.data() + 8 * i;
  if (array.type == StateType::i64) {
    std::int64_t value;
    std::memcpy(&value, bytes, 8);
    value = value == 1 ? 0 : value + 1;  // flags stay flags
    std::memcpy(bytes, &value, 8);
  } else {
    double value;
    std::memcpy(&value, bytes, 8);
    value = std::isnan(value) ? 1 : value + 0.1;
    std::memcpy(bytes, &value, 8);
  }
  return state;
}

TEST(BodyState, EveryValueSavedChangesWhatFollows) {
  // Under way, a third of the distance not yet passed: most of the record is still to come.
  const Saved saved = saved_at(400);
  const auto expected = continued(saved, 100);
  ASSERT_TRUE(continued(saved, 100) == expected);
  std::size_t elements = 0;
  for (const auto& [name, array] : saved.state.arrays) {
    for (std::size_t i = 0; i < array.length; ++i) {
      ++elements;
      // The clock follows from the timestep, and what to do is told without delay.
      if (name == "body.integers" && i == 3) continue;
      // Reward and punishment are known at the end only; fingers are still on their way.
      if (name == "body.reals" && (i == 9 || i == 10)) continue;
      if (name == "body.finger_deg") continue;
      if (name.starts_with("body.vision") && i >= sense::aim_at_target) continue;
      const Saved other{saved.at, changed(saved.state, name, i)};
      EXPECT_FALSE(continued(other, 100) == expected) << name << " " << i;
    }
  }
  EXPECT_GT(elements, 500u);
}

TEST(BodyState, RefusesAStateWithAnArrayMissing) {
  const Saved saved = saved_at(400);
  for (const auto& [name, array] : saved.state.arrays) {
    MemoryState without = saved.state;
    without.arrays.erase(name);
    EXPECT_THROW(continued({saved.at, without}, 1), std::runtime_error) << name;
  }
}

// --- Refusals ---

std::string refusal(const std::function<void(BodyParameters&)>& change) {
  BodyParameters p;
  change(p);
  try {
    Body(p, {{}}, kScale, 1);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(BodyTimings, MustComeInOrder) {
  EXPECT_EQ(refusal([](BodyParameters& p) { p.cue_ms = p.go_ms + 1; }),
            "body: cue_ms = 371, go_ms = 370, deadline_ms = 600 and trial_ms = 850 must come in "
            "this order; give cue_ms at most 370");
  EXPECT_EQ(refusal([](BodyParameters& p) { p.cue_ms = p.go_ms; }), "");
  EXPECT_EQ(refusal([](BodyParameters& p) { p.deadline_ms = p.go_ms; }),
            "body: cue_ms = 20, go_ms = 370, deadline_ms = 370 and trial_ms = 850 must come in "
            "this order; give deadline_ms at least 371");
  EXPECT_EQ(refusal([](BodyParameters& p) { p.deadline_ms = p.go_ms + 1; }), "");
  EXPECT_EQ(refusal([](BodyParameters& p) { p.trial_ms = p.deadline_ms - 1; }),
            "body: cue_ms = 20, go_ms = 370, deadline_ms = 600 and trial_ms = 599 must come in "
            "this order; give trial_ms at least 760");
}

TEST(BodyTimings, MustLeaveTimeForTheOutcomeOfASlowReach) {
  const auto with_trial = [](std::int64_t ms) {
    return refusal([=](BodyParameters& p) {
      p.deadline_ms = 700;
      p.outcome_delay_ms = 55;
      p.outcome_ms = 80;
      p.trial_ms = ms;
    });
  };
  EXPECT_EQ(with_trial(835), "");
  EXPECT_EQ(with_trial(834),
            "body: the outcome of a slow reach (deadline_ms + outcome_delay_ms + outcome_ms) would "
            "be cut off by the end of the trial; give trial_ms at least 835");
}

std::string impossible(const std::function<void(BodyParameters&)>& change,
                       const Block& block = {}) {
  BodyParameters p;
  change(p);
  try {
    p.check(std::span(&block, 1));
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(BodyCheck, TheFinalCursorEndsWithTheTrial) {
  const auto hold = [](std::int64_t ms) {
    return impossible([=](BodyParameters& p) { p.feedback_hold_ms = ms; });
  };
  EXPECT_EQ(hold(250), "");
  EXPECT_NE(hold(251).find("give feedback_hold_ms at most 250"), std::string::npos) << hold(251);
}

TEST(BodyCheck, TheTargetIsSeenBeforeTheGoSignal) {
  const auto delay = [](std::int64_t ms, Task task = Task::reach) {
    Block block;
    block.task = task;
    return impossible(
        [=](BodyParameters& p) {
          p.vision_delay_ms = ms;
          p.trial_ms = 2000;
        },
        block);
  };
  EXPECT_EQ(delay(349), "");
  EXPECT_EQ(delay(350),
            "body: the target would be seen (cue_ms + vision_delay_ms = 370) only after the go "
            "signal (go_ms = 370); give go_ms at least 371, or a smaller vision_delay_ms");
  EXPECT_EQ(delay(350, Task::fingers), "");
}

TEST(BodyCheck, TheOutcomeIsSeenInItsTrial) {
  const auto delay = [](std::int64_t ms) {
    return impossible([=](BodyParameters& p) { p.vision_delay_ms = ms; });
  };
  EXPECT_EQ(delay(189), "");
  EXPECT_EQ(delay(190),
            "body: the outcome of a slow reach (deadline_ms + outcome_delay_ms + vision_delay_ms = "
            "850) would be seen only after the trial (trial_ms = 850); give trial_ms at least 950, "
            "or a smaller vision_delay_ms");
}

TEST(BodyCheck, ArmsHaveRangesThatHoldTheStart) {
  EXPECT_NE(impossible([](BodyParameters& p) {
              p.arm.elbow_min_deg = 160;
            }).find("body.arm: elbow_min_deg is not below elbow_max_deg"),
            std::string::npos);
  EXPECT_NE(impossible([](BodyParameters& p) { p.arm.elbow_min_deg = 95; }).find("start posture"),
            std::string::npos);
}

TEST(BodyCheck, TargetsAreWithinReach) {
  const auto at = [](double distance_m, double target_deg, double gain = 1) {
    Block block;
    block.targets_deg = {target_deg};
    block.cursor_gain = gain;
    return impossible([=](BodyParameters& p) { p.distance_m = distance_m; }, block);
  };
  for (double target = 0; target < 360; target += 15) EXPECT_EQ(at(0.15, target), "") << target;
  // Straight ahead the arm ends at .63 m (elbow at 5 degrees: .6294), and the hand starts at .4455.
  EXPECT_EQ(at(0.182, 90), "");
  EXPECT_NE(at(0.186, 90).find("body: distance_m: a target at 90 degrees"), std::string::npos);
  EXPECT_NE(at(0.1, 90, 0.5).find("hand must go 0.2 m"), std::string::npos);
  EXPECT_EQ(at(0.1, 90, 2), "");
  // Towards the body it ends where the elbow is fully bent.
  EXPECT_EQ(at(0.29, 270), "");
  EXPECT_NE(at(0.3, 270, 0.9).find("a target at 270 degrees"), std::string::npos);
  Block jumps;
  jumps.targets_deg = {0};
  jumps.target_jump_deg = 90;
  const auto far = [](BodyParameters& p) { p.distance_m = 0.2; };
  EXPECT_NE(impossible(far, jumps).find("a target at 90 degrees"), std::string::npos);
}

TEST(BodyCheck, TurnedCursorsAreWithinReach) {
  const auto turned = [](Block block) {
    block.targets_deg = {0};
    block.cursor_gain = 0.5;
    block.perturbation = Perturbation::rotation;
    return impossible([](BodyParameters&) {}, block);
  };
  EXPECT_EQ(turned({.rotation_deg = 90}), "");
  for (const Block& block : {Block{.rotation_deg = -90},
                             Block{.rotation_deg = 90, .rotation_sign = RotationSign::random},
                             Block{.rotation_end_deg = -90, .steps = 4}})
    EXPECT_NE(turned(block).find("a target at 0 degrees, for which the hand must go 0.2 m at 90"),
              std::string::npos);
}

}  // namespace
}  // namespace quartet
