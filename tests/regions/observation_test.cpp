// Hands that are seen: what the body shows of them, and what a cortex that has seen its own does
// with another's. And direct current through the sheet.

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "regions/body.hpp"
#include "regions/cortex.hpp"
#include "tests/models/memory_state.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kScale = 0.25;
constexpr std::uint32_t kIndex = 3;  // counted from the little finger

Block block_of(Task task, HandInSight hand = HandInSight::none) {
  Block block;
  block.trials = 1;
  block.task = task;
  block.fingers = {2};
  block.hand_in_sight = hand;
  return block;
}

/// One trial in which the index finger's corticospinal cells fire every 10 ms, or not.
struct Shown {
  std::array<double, finger_count> seen{};  // summed over timesteps
  double cued = 0, outcomes = 0;
  TrialRecord record;
};
Shown show(const Block& block, bool moves) {
  Body body({}, {block}, kScale, 1);
  OneRegion alone(body);
  const SheetLayout sheet = Sizes(kScale).l5pt;
  Shown shown;
  for (int ms = 0; ms < 850; ++ms) {
    for (std::uint32_t cell = 0; moves && cell < sheet.size(); ++cell)
      if (ms > 200 && ms % 10 == 0 && field(kArmMuscles + 3, sheet.x(cell), sheet.y(cell)) > 0.6)
        alone.spikes_to("corticospinal").push_back({cell, 0});
    alone.step();
    const auto senses = alone.values_from("senses");
    for (std::size_t f = 0; f < finger_count; ++f) shown.seen[f] += senses[sense::seen_finger + f];
    for (std::size_t f = 0; f < finger_count; ++f) shown.cued += senses[sense::finger + f];
    shown.outcomes += senses[sense::outcome];
  }
  shown.record = body.record();
  return shown;
}

constexpr std::array<double, finger_count> kIndexForATrial = {0, 0, 0, 580, 0};

TEST(SeenHands, AnothersMovementIsShownToAHandWhoseMusclesAreShutOff) {
  const Shown shown = show(block_of(Task::observe), true);
  EXPECT_EQ(shown.seen, kIndexForATrial);  // from cue_ms to deadline_ms
  EXPECT_EQ(shown.cued, 0);
  EXPECT_EQ(shown.outcomes, 0);
  EXPECT_EQ(shown.record.reward, 0);
  EXPECT_GT(shown.record.finger_hz[kIndex], 10);  // what cortex would do
  EXPECT_EQ(shown.record.finger_deg[kIndex], 0);
}

TEST(SeenHands, TheOwnHandIsSeenWhereItMoves) {
  const Shown moves = show(block_of(Task::fingers, HandInSight::own), true);
  EXPECT_GT(moves.seen[kIndex], 100);
  EXPECT_LT(moves.seen[kIndex], 580);
  EXPECT_GT(moves.seen[kIndex], 10 * moves.seen[0]);
  EXPECT_EQ(moves.cued, 580);
  EXPECT_EQ(moves.outcomes, 100);
  const Shown still = show(block_of(Task::fingers, HandInSight::own), false);
  EXPECT_LT(still.seen[kIndex], 1);
}

TEST(SeenHands, AMirrorShowsWhatIsAskedOfAHandThatDoesNotMove) {
  EXPECT_EQ(show(block_of(Task::fingers, HandInSight::mirror), false).seen, kIndexForATrial);
  EXPECT_EQ(show(block_of(Task::fingers), true).seen[kIndex], 0);
}

TEST(SeenHands, AProbeShowsWhatTheBlockAfterItSays) {
  Block first = block_of(Task::rest), second = first;
  first.fingers = second.fingers = {};
  first.probe.observed = {1};
  second.probe.observed = {2, 5};
  Body body({}, {first, second}, kScale, 1);
  std::optional<OneRegion> alone(std::in_place, body);
  const auto seen = [&] {
    body.set_rest(1);
    for (int ms = 0; ms < 100; ++ms) alone->step();
    body.set_rest(0);
    const auto values = alone->values_from("senses").subspan(sense::seen_finger, finger_count);
    return std::vector<double>(values.begin(), values.end());
  };
  EXPECT_EQ(seen(), (std::vector<double>{0, 0, 0, 0, 1}));
  alone.emplace(body);
  for (int ms = 0; ms < 850; ++ms) alone->step();
  EXPECT_EQ(seen(), (std::vector<double>{1, 0, 0, 1, 0}));
}

/// A cortex that sees hands.
class Seeing {
 public:
  explicit Seeing(bool learning = true, double pmv_pt_weight = CortexParameters().pmv_pt_weight)
      : learning_(learning), cortex_(parameters(pmv_pt_weight), {}, kScale, 20111, {}) {
    alone_.emplace(cortex_);
  }
  /// `ms` ms in which a cue asks for a finger and one is seen to bend (from the little one; -1:
  /// none).
  void run(int ms, int cue, int seen) {
    const auto senses = alone_->values_to("senses_to_cortex");
    for (int f = 0; f < finger_count; ++f) {
      senses[sense::finger + static_cast<std::uint32_t>(f)] = f == cue ? 1 : 0;
      senses[sense::seen_finger + static_cast<std::uint32_t>(f)] = f == seen ? 1 : 0;
    }
    senses[sense::learning] = learning_ ? 1 : 0;
    counts_.clear();
    sent_ = {};
    for (int k = 0; k < ms; ++k) {
      alone_->step();
      for (const char* name : {"STS", "PFG", "PMv", "L5PT"}) {
        const std::size_t population = population_of(cortex_, name);
        const std::uint32_t size = cortex_.populations()[population].size;
        for (const Spike& spike : cortex_.spikes(population))
          counts_[name][group_of(spike.id, size, finger_count)] += 1;
      }
      const std::size_t l5pt = population_of(cortex_, "L5PT");
      const PopulationInfo& info = cortex_.populations()[l5pt];
      for (const Spike& spike : cortex_.spikes(l5pt))
        for (int f = 0; f < finger_count; ++f)
          sent_[static_cast<std::size_t>(f)] +=
              field(kArmMuscles + f, static_cast<double>(info.x[spike.id]),
                    static_cast<double>(info.y[spike.id]));
    }
  }
  /// Spikes of a finger's cells in the last run.
  int spikes(const std::string& population, int finger) {
    return counts_[population][static_cast<std::size_t>(finger)];
  }
  /// What PT cells have sent to the finger's muscle in it.
  double sent(int finger) const { return sent_[static_cast<std::size_t>(finger)]; }
  int spikes(const std::string& population) {
    int sum = 0;
    for (int finger = 0; finger < finger_count; ++finger) sum += spikes(population, finger);
    return sum;
  }
  /// Moves all fingers in turn and sees them.
  void practise() {
    for (int k = 0; k < 40; ++k) {
      run(250, k % finger_count, k % finger_count);
      run(150, -1, -1);
    }
  }
  Cortex& cortex() { return cortex_; }
  MemoryState save() const { return saved(cortex_); }
  void load(const MemoryState& state, Step next) {
    MemoryReader reader(state);
    cortex_.load(reader);
    alone_.emplace(cortex_, next);
  }

 private:
  static CortexParameters parameters(double pmv_pt_weight) {
    CortexParameters p;
    p.pmv_pt_weight = pmv_pt_weight;
    p.observation.connected = true;
    p.pmv.bias_mv = 2;
    p.finger_drive_mv = 22;
    return p;
  }
  bool learning_;
  Cortex cortex_;
  std::optional<OneRegion> alone_;
  std::map<std::string, std::array<int, finger_count>> counts_;
  std::array<double, finger_count> sent_{};
};

TEST(Observation, CellsThatMoveAFingerComeToFireWhereItIsSeenToMove) {
  Seeing cortex;
  cortex.run(500, -1, 1);
  EXPECT_GT(cortex.spikes("STS", 1), 100);
  EXPECT_LT(cortex.spikes("PFG") + cortex.spikes("PMv"), 20);  // nothing learned yet
  cortex.practise();
  cortex.run(500, 1, -1);
  const int moving = cortex.spikes("PMv", 1);
  cortex.run(150, -1, -1);
  cortex.run(500, -1, 1);
  for (const char* population : {"PFG", "PMv"}) {
    EXPECT_GT(cortex.spikes(population, 1), 20) << population;
    for (const int other : {0, 2, 3, 4})
      EXPECT_GT(cortex.spikes(population, 1), 5 * cortex.spikes(population, other)) << population;
  }
  EXPECT_LT(cortex.spikes("PMv", 1), moving);
}

/// Spikes that PT cells send to a finger's muscle while it is seen to move, after practice, over
/// those at rest; each weighted by how much it belongs to the muscle.
double sent_while_seen(double pmv_pt_weight) {
  Seeing cortex(true, pmv_pt_weight);
  cortex.practise();
  cortex.run(500, -1, -1);
  const double rest = cortex.sent(1);
  cortex.run(500, -1, 1);
  return cortex.sent(1) / rest;
}

TEST(Observation, PremotorCellsExciteCorticospinalOnesForWhatIsSeen) {
  EXPECT_GT(sent_while_seen(CortexParameters().pmv_pt_weight), 1.2 * sent_while_seen(0));
}

TEST(Observation, WithoutLearningNothingFiresForWhatIsSeen) {
  Seeing cortex(false);
  cortex.practise();
  cortex.run(500, -1, 1);
  EXPECT_LT(cortex.spikes("PFG") + cortex.spikes("PMv"), 20);
}

TEST(Polarization, DepolarisedSheetsFireMore) {
  int fired[3];
  for (int k = 0; k < 3; ++k) {
    Seeing cortex;
    cortex.cortex().polarize(2.0 * (k - 1));
    cortex.run(600, -1, -1);
    fired[k] = cortex.spikes("L5PT");
  }
  EXPECT_LT(fired[0], 0.9 * fired[1]);
  EXPECT_GT(fired[2], 1.1 * fired[1]);
}

TEST(Drug, ReceptorsOfTheSheetChangeItsRates) {
  const auto fired = [](const Drug& drug) {
    Seeing cortex;
    cortex.cortex().medicate(drug);
    cortex.run(600, -1, -1);
    return cortex.spikes("L5PT");
  };
  const int none = fired({});
  EXPECT_GT(fired({.gaba_a = 0.8}), 1.1 * none);
  EXPECT_LT(fired({.gaba_a = 1.3}), 0.9 * none);
  EXPECT_LT(fired({.gaba_b = 10}), 0.95 * none);
  EXPECT_LT(fired({.nmda = 0}), 0.9 * none);
  EXPECT_LT(fired({.tonic_gaba = 0.2}), 0.8 * none);
}

TEST(Observation, StateContinues) {
  Seeing one, other;
  one.cortex().polarize(1.5);
  one.cortex().medicate({.gaba_a = 1.1, .gaba_b = 0.9, .nmda = 0.8, .tonic_gaba = 0.05});
  one.practise();
  const Step now = 40 * 400;
  other.load(one.save(), now);
  EXPECT_TRUE(one.save() == other.save());
  for (Seeing* cortex : {&one, &other}) {
    cortex->run(100, 2, 1);
    cortex->run(100, -1, 3);
  }
  EXPECT_TRUE(one.save() == other.save());
  other.cortex().polarize(0);
  EXPECT_FALSE(one.save() == other.save());
  other.cortex().polarize(1.5);
  EXPECT_TRUE(one.save() == other.save());
  other.cortex().medicate({.gaba_a = 1.1, .gaba_b = 0.9, .nmda = 0.8});
  EXPECT_FALSE(one.save() == other.save());
}

}  // namespace
}  // namespace quartet
