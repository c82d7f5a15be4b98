// Fingers practise: what the body asks and rewards, and what a cortex with a plastic sheet does.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regions/body.hpp"
#include "regions/cortex.hpp"
#include "tests/models/memory_state.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kScale = 0.25;
enum Bit : std::int64_t { kThumb = 1, kIndex = 2, kMiddle = 4, kRing = 8, kLittle = 16 };

Block practice(std::vector<double> fingers, double correlation) {
  Block block;
  block.trials = 1000;
  block.task = Task::fingers;
  block.fingers = std::move(fingers);
  block.finger_correlation = correlation;
  return block;
}

/// Fingers that a body asks for in each trial of a block.
std::vector<std::int64_t> asked(const Block& block, std::uint64_t seed = 1) {
  BodyParameters p;
  p.trial_ms = 260;
  p.cue_ms = p.go_ms = 1;
  p.deadline_ms = 100;
  p.feedback_hold_ms = 0;
  Body body(p, {block}, kScale, seed);
  OneRegion alone(body);
  std::vector<std::int64_t> fingers;
  for (std::int64_t trial = 0; trial < block.trials; ++trial) {
    for (int ms = 0; ms < p.trial_ms; ++ms) alone.step();
    fingers.push_back(body.record().fingers);
  }
  return fingers;
}

double share(const std::vector<std::int64_t>& trials, std::int64_t of) {
  return static_cast<double>(std::count_if(trials.begin(), trials.end(),
                                           [=](std::int64_t f) { return (f & of) == of; })) /
         static_cast<double>(trials.size());
}

TEST(FingerTask, AsksForFingersWithTheGivenCorrelation) {
  for (const double rho : {-1.0, -0.5, 0.0, 0.4, 0.8, 1.0}) {
    const auto trials = asked(practice({2, 3}, rho));
    EXPECT_NEAR(share(trials, kIndex), 0.5, 0.05) << rho;
    EXPECT_NEAR(share(trials, kMiddle), 0.5, 0.05) << rho;
    EXPECT_NEAR((share(trials, kIndex | kMiddle) - 0.25) / 0.25, rho, 0.12) << rho;
    EXPECT_EQ(share(trials, kThumb) + share(trials, kRing) + share(trials, kLittle), 0);
  }
  EXPECT_NE(asked(practice({2, 3}, 0), 1), asked(practice({2, 3}, 0), 2));
}

TEST(FingerTask, AsksForOneFingerAtATimeOrForAll) {
  for (const std::int64_t f : asked(practice({1, 2, 3, 4, 5}, -0.25)))
    EXPECT_EQ(std::popcount(static_cast<std::uint64_t>(f)), 1);
  const auto together = asked(practice({1, 2, 3, 4, 5}, 1));
  EXPECT_NEAR(share(together, 31), 0.2, 0.02);
  for (const std::int64_t f : together) EXPECT_TRUE(f == 0 || f == 31);
  for (const std::int64_t f : asked(practice({5}, 0))) EXPECT_EQ(f, kLittle);
}

/// One trial in which cells of fingers (from the little one on) fire every `every` ms; 0: never.
struct Moved {
  TrialRecord record;
  Vector2 hand;
  double cued = 0, asked = 0, rewards = 0, outcomes = 0, targets = 0;  // timesteps in which seen
};
Moved move(Block block, std::array<int, finger_count> every) {
  block.trials = 1;
  Body body({}, {block}, kScale, 1);
  OneRegion alone(body);
  const SheetLayout sheet = Sizes(kScale).l5pt;
  Moved moved;
  for (int ms = 0; ms < 850; ++ms) {
    for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
      for (std::size_t f = 0; f < finger_count; ++f)
        if (every[f] > 0 && ms > 200 && ms % every[f] == 0 &&
            field(kArmMuscles + static_cast<int>(f), sheet.x(cell), sheet.y(cell)) > 0.6)
          alone.spikes_to("corticospinal").push_back({cell, 0});
    alone.step();
    const auto senses = alone.values_from("senses");
    moved.cued += senses[sense::finger + 3];
    for (std::uint32_t f = 0; f < finger_count; ++f)
      moved.asked += senses[sense::instructed_finger + f] * (f == 3 ? 1 : 1000);
    moved.rewards += senses[sense::reward];
    moved.outcomes += senses[sense::outcome];
    moved.targets += senses[sense::target_on];
  }
  moved.record = body.record();
  moved.hand = body.hand();
  return moved;
}

TEST(FingerTask, RewardsMovementsInWhichOthersStayBehind) {
  // The second finger from the thumb is the fourth from the little one.
  const Moved alone = move(practice({2}, 0), {0, 0, 0, 10, 0});
  EXPECT_EQ(alone.record.fingers, kIndex);
  EXPECT_GT(alone.record.finger_deg[3], 2);
  EXPECT_GT(alone.record.finger_hz[3], 3 * alone.record.finger_hz[1]);
  EXPECT_EQ(alone.record.reward, 1);
  EXPECT_EQ(alone.cued, 580);   // from cue_ms to deadline_ms
  EXPECT_EQ(alone.asked, 740);  // and on to the end of the outcome
  Block silent = practice({2}, 0);
  silent.reward = RewardRule::none;
  EXPECT_EQ(move(silent, {0, 0, 0, 10, 0}).asked, 580);
  EXPECT_EQ(alone.rewards, 100);
  EXPECT_EQ(alone.targets, 0);
  const Moved together = move(practice({2}, 0), {10, 10, 10, 10, 10});
  EXPECT_EQ(together.record.reward, 0);
  EXPECT_EQ(together.outcomes, 100);
  EXPECT_EQ(move(practice({2}, 0), {10, 0, 0, 0, 0}).record.reward, 0);
  EXPECT_EQ(move(practice({2}, 0), {0, 0, 0, 0, 0}).record.reward, 0);
  Block graded = practice({2}, 0);
  graded.reward = RewardRule::graded;
  const double grade = move(graded, {0, 0, 25, 10, 0}).record.reward;
  EXPECT_GT(grade, 0);
  EXPECT_LT(grade, 1);
  Block always = practice({2}, 0);
  always.reward = RewardRule::always;
  EXPECT_EQ(move(always, {10, 10, 10, 10, 10}).record.reward, 1);
}

/// Blocks of movements of the index and of the middle finger, one at a time. The ring finger moves
/// with the index finger, and the thumb, as far as they do, with the middle one: individuation of
/// the two differs, and is the same in all trials.
std::vector<TrialRecord> shaped(const std::vector<Block>& blocks) {
  BodyParameters p;
  p.trial_ms = 600;
  p.cue_ms = p.go_ms = 20;
  p.deadline_ms = 340;
  p.feedback_hold_ms = 0;
  Body body(p, blocks, kScale, 1);
  OneRegion alone(body);
  const SheetLayout sheet = Sizes(kScale).l5pt;
  std::vector<TrialRecord> records;
  for (std::int64_t trial = 0; trial < trials_of(blocks); ++trial) {
    for (int ms = 0; ms < p.trial_ms; ++ms) {
      const bool index = body.record().fingers == kIndex;
      const std::pair<int, int> every[] = {{index ? 3 : 2, 10}, {index ? 1 : 4, index ? 25 : 12}};
      for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
        for (const auto& [finger, interval] : every)
          if (ms > 40 && ms < 300 && ms % interval == 0 &&
              field(kArmMuscles + finger, sheet.x(cell), sheet.y(cell)) > 0.6)
            alone.spikes_to("corticospinal").push_back({cell, 0});
      alone.step();
    }
    records.push_back(body.record());
  }
  return records;
}

Block shaped_block(std::int64_t trials, double first_asked, double hit_share) {
  Block block = practice({2, 3}, -1);
  block.trials = trials;
  block.finger_individuation = first_asked;
  block.finger_hit_share = hit_share;
  return block;
}

/// Share of hits among the last 80 of 320 trials that ask for these fingers.
double hits_late(double first_asked, double hit_share, std::int64_t fingers) {
  double hits = 0, movements = 0;
  const auto records = shaped({shaped_block(320, first_asked, hit_share)});
  for (std::size_t trial = 240; trial < records.size(); ++trial) {
    if (records[trial].fingers != fingers) continue;
    hits += records[trial].reward;
    ++movements;
  }
  return hits / movements;
}

TEST(FingerTask, ShapingKeepsTheShareOfHitsOfEachFinger) {
  EXPECT_EQ(hits_late(0, 0, kIndex), 1);
  EXPECT_EQ(hits_late(1, 0, kMiddle), 0);
  for (const double share : {0.5, 0.75})
    for (const std::int64_t finger : {kIndex, kMiddle})
      EXPECT_NEAR(hits_late(0.9, share, finger), share, 0.07) << finger;
  const auto records = shaped({shaped_block(320, 0.9, 0.5)});
  double last[5] = {};
  for (const TrialRecord& record : records) last[record.fingers] = record.asked_individuation;
  EXPECT_GT(std::abs(last[kIndex] - last[kMiddle]), 0.1);
  for (const TrialRecord& record : records)
    EXPECT_EQ(record.reward == 1, record.individuation >= record.asked_individuation);
}

TEST(FingerTask, ShapingGoesOnInTheNextBlockThatShapes) {
  const auto asked_first = [](double second_share) {
    const auto records = shaped({shaped_block(40, 0.9, 0.5), shaped_block(2, 0.9, second_share)});
    return records[40].asked_individuation;
  };
  EXPECT_NE(asked_first(0.5), 0.9);
  EXPECT_EQ(asked_first(0), 0.9);
}

TEST(FingerTask, RestAsksForNothingAndTheHandIsHeld) {
  Block rest;
  rest.task = Task::rest;
  const Moved moved = move(rest, {10, 10, 10, 10, 10});
  EXPECT_EQ(moved.cued + moved.asked + moved.outcomes + moved.targets, 0);
  EXPECT_EQ(moved.record.fingers, 0);
  EXPECT_FALSE(moved.record.reached);
  EXPECT_TRUE(std::isnan(moved.record.target_deg));
  EXPECT_EQ(moved.hand.x, 0);
  EXPECT_EQ(moved.hand.y, 0);
}

TEST(FingerTask, StateContinuesWithinATrial) {
  Block block = practice({2, 3}, 0.4);
  block.finger_hit_share = 0.3;  // no movement leaves the criterion as it was
  const auto cells = [](int ms) {
    std::vector<Spike> spikes;
    for (std::uint32_t cell = 0; cell < 200; ++cell)
      if ((static_cast<std::uint32_t>(ms) + 7 * cell) % 19 == 0) spikes.push_back({cell, 0});
    return spikes;
  };
  const auto state = [](const Body& body) {
    MemoryState saved;
    MemoryWriter writer(saved, 0);
    body.save(writer);
    return saved;
  };
  Body body({}, {block}, kScale, 1);
  OneRegion alone(body);
  for (int ms = 0; ms < 1200; ++ms) {
    alone.spikes_to("corticospinal") = cells(ms);
    alone.step();
  }
  const MemoryState middle = state(body);
  Body other({}, {block}, kScale, 1);
  MemoryReader reader(middle);
  other.load(reader);
  OneRegion continued(other, 1200);
  for (int ms = 1200; ms < 1700; ++ms) {
    for (OneRegion* one : {&alone, &continued}) {
      one->spikes_to("corticospinal") = cells(ms);
      one->step();
    }
  }
  EXPECT_TRUE(state(body) == state(other));
  EXPECT_GT(body.record().finger_hz[0], 0);
}

/// Share of the synapses L23E_L5PT whose source is farther from the target than 1.5 units, three
/// times the SD of those from nearby.
double far_away(double wide_share, double wide_sd) {
  CortexParameters p;
  p.sheet_plasticity.plastic = true;
  p.sheet_plasticity.wide_share = wide_share;
  p.sheet_plasticity.wide_sd = wide_sd;
  const Cortex cortex(p, {}, kScale, 20111, {});
  const auto plastic = cortex.plastic_projections();
  std::size_t i = 0;
  while (plastic[i].name != "L23E_L5PT") ++i;
  const std::vector<std::uint32_t> sources = cortex.sources(i);
  const SheetLayout from = Sizes(kScale).l23e, to = Sizes(kScale).l5pt;
  const std::size_t k = sources.size() / to.size();
  double far = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const auto target = static_cast<std::uint32_t>(s / k);
    far += std::hypot(from.x(sources[s]) - to.x(target), from.y(sources[s]) - to.y(target)) > 1.5;
  }
  return far / static_cast<double>(sources.size());
}

TEST(PlasticSheet, AShareOfItsExcitatorySynapsesComesFromAfar) {
  EXPECT_LT(far_away(0, 1.4), 0.03);
  EXPECT_NEAR(far_away(1, 1.4), std::exp(-0.5 * 1.5 * 1.5 / (1.4 * 1.4)), 0.08);
  EXPECT_NEAR(far_away(0.3, 1.4), 0.3 * far_away(1, 1.4) + 0.7 * far_away(0, 1.4), 0.02);
  EXPECT_GT(far_away(0.3, 3), far_away(0.3, 1.4));
}

/// What 600 ms in which the index finger is asked to move make the fingers' corticospinal cells
/// send, in spikes weighted by their fields (from the little one). Scale .5: fewer cells hardly
/// tell neighbours apart.
std::array<double, finger_count> sent(const CortexParameters& p, bool by_probe) {
  constexpr double scale = 0.5;
  constexpr std::uint32_t index = 3;
  Cortex cortex(p, {}, scale, 20111, {});
  OneRegion alone(cortex);
  const SheetLayout sheet = Sizes(scale).l5pt;
  const std::size_t l5pt = population_of(cortex, "L5PT");
  const double digits[] = {2};
  if (by_probe) cortex.ask_fingers(digits);
  std::array<double, finger_count> sum{};
  for (int ms = 0; ms < 600; ++ms) {
    alone.values_to("senses_to_cortex")[sense::finger + index] = by_probe ? 0 : 1;
    alone.step();
    for (const Spike& spike : cortex.spikes(l5pt))
      for (int f = 0; f < finger_count; ++f)
        sum[static_cast<std::size_t>(f)] +=
            field(kArmMuscles + f, sheet.x(spike.id), sheet.y(spike.id));
  }
  return sum;
}

TEST(Surround, IsInhibitedWhereAFingerMoves) {
  CortexParameters p, without, weaker;
  without.pmv_som_weight = weaker.pmv_som_weight = 0;
  weaker.pmv_e_weight = 1;  // a movement about as strong as with SOM cells
  weaker.pmv_pt_weight = 3;
  const auto shipped = sent(p, false), bare = sent(without, false), as_strong = sent(weaker, false);
  EXPECT_GT(shipped[3], 0.6 * as_strong[3]);
  EXPECT_LT(shipped[3], 1.6 * as_strong[3]);
  for (const std::size_t neighbour : {2u, 4u}) {
    EXPECT_LT(shipped[neighbour], 0.7 * bare[neighbour]);
    EXPECT_LT(shipped[neighbour] / shipped[3], 0.9 * bare[neighbour] / bare[3]);
    EXPECT_LT(shipped[neighbour] / shipped[3], 0.9 * as_strong[neighbour] / as_strong[3]);
  }
}

TEST(Surround, AProbeAsksAsTheCueDoes) { EXPECT_EQ(sent({}, true), sent({}, false)); }

/// A cortex whose sheet is plastic, with a cue for the middle finger every other 200 ms.
class Practising {
 public:
  explicit Practising(bool plastic = true, bool learning = true)
      : cortex_(parameters(plastic, learning), {}, kScale, 20111, {}),
        alone_(std::in_place, cortex_) {}

  /// Of the dopamine cells the first `dopamine_cells` fire.
  void run(int ms, std::uint32_t dopamine_cells = Sizes(kScale).snc) {
    for (int k = 0; k < ms; ++k) {
      const bool cue = alone_->next() / 200 % 2 == 1;
      alone_->values_to("senses_to_cortex")[sense::finger + 2] = cue ? 1 : 0;
      alone_->values_to("senses_to_cortex")[sense::learning] = 1;
      // Dopamine cells fire at 5 Hz, and four times as much at the end of every cue.
      const int every = cue && alone_->next() % 200 > 100 ? 50 : 200;
      for (std::uint32_t cell = 0; cell < dopamine_cells; ++cell)
        if ((alone_->next() + 13 * cell) % every == 0)
          alone_->spikes_to("snc_to_cortex").push_back({cell, 0});
      alone_->step();
      for (const char* name : {"PMv", "L5PT"}) {
        const std::size_t population = population_of(cortex_, name);
        const PopulationInfo& info = cortex_.populations()[population];
        for (const Spike& spike : cortex_.spikes(population)) {
          if (info.x.empty()) {
            (cue ? premotor_cued : premotor_uncued) += 1;
            premotor_fingers |= 1 << group_of(spike.id, info.size, finger_count);
          } else if (cue) {
            const auto at = [&](int muscle) {
              return field(muscle, static_cast<double>(info.x[spike.id]),
                           static_cast<double>(info.y[spike.id]));
            };
            middle += at(kArmMuscles + 2);
            little += at(kArmMuscles);
          }
        }
      }
    }
  }
  std::vector<std::vector<float>> weights() const {
    std::vector<std::vector<float>> all(cortex_.plastic_projections().size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::uint32_t first = 0;
      cortex_.weights(i, first, all[i]);
    }
    return all;
  }
  MemoryState save() const { return saved(cortex_); }
  void load(const MemoryState& state, Step next) {
    MemoryReader reader(state);
    cortex_.load(reader);
    alone_.emplace(cortex_, next);
  }
  const Cortex& cortex() const { return cortex_; }

  int premotor_cued = 0, premotor_uncued = 0, premotor_fingers = 0;
  double middle = 0, little = 0;

 private:
  static CortexParameters parameters(bool plastic, bool learning) {
    CortexParameters p;
    p.sheet_plasticity.plastic = plastic;
    p.sheet_plasticity.learning = learning;
    p.sheet_plasticity.inhibitory.calibration_s = 0.2;
    return p;
  }
  Cortex cortex_;
  std::optional<OneRegion> alone_;
};

TEST(FingerPractice, ACueDrivesItsFingersPartOfTheSheet) {
  Practising practising(false);
  practising.run(2000);
  EXPECT_GT(practising.premotor_cued, 200);
  EXPECT_LE(practising.premotor_uncued, practising.premotor_cued / 10);  // the first ms after a cue
  EXPECT_EQ(practising.premotor_fingers, 1 << 2);
  EXPECT_GT(practising.middle, 5 * practising.little);
}

TEST(FingerPractice, MesocorticalDopamineCellsReachTheSheetAndNoOthers) {
  const Sizes sizes(kScale);
  const std::uint32_t mesocortical = sizes.mesocortical, all = sizes.snc;
  ASSERT_LT(mesocortical, all);
  const auto weights = [](std::uint32_t dopamine_cells) {
    Practising practising;
    practising.run(1000, dopamine_cells);
    return practising.weights();
  };
  const auto whole = weights(all);
  EXPECT_EQ(weights(mesocortical), whole);
  EXPECT_NE(weights(mesocortical / 2), whole);
}

TEST(FingerPractice, OnlyAPlasticSheetThatLearnsChanges) {
  std::vector<std::string> names;
  const Practising fixed(false);
  for (const ProjectionInfo& info : fixed.cortex().plastic_projections())
    names.push_back(info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"PPC_PrePMd", "Proprio_FeltSeen"}));
  const auto changed = [](bool learning) {
    Practising practising(true, learning);
    const auto before = practising.weights();
    practising.run(2000);
    const auto after = practising.weights();
    std::vector<std::string> changed;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i] != after[i])
        changed.push_back(practising.cortex().plastic_projections()[i].name);
    return changed;
  };
  EXPECT_EQ(changed(true),
            (std::vector<std::string>{"L23E_L23E", "L23E_L5PT", "PV_L23E", "PV_L5PT"}));
  EXPECT_EQ(changed(false), std::vector<std::string>{});
}

TEST(FingerPractice, StateContinues) {
  Practising whole;
  whole.run(1510);
  const MemoryState middle = whole.save();
  whole.run(690);
  Practising continued;
  continued.load(middle, 1510);
  continued.run(690);
  EXPECT_TRUE(continued.save() == whole.save());
  EXPECT_FALSE(whole.save() == middle);
}

TEST(FingerPractice, SnapshotsSayWhereCellsAre) {
  const Practising practising;
  for (const ProjectionInfo& info : practising.cortex().plastic_projections()) {
    if (!info.source_direction_deg.empty()) {  // a ring
      EXPECT_TRUE(info.source_x.empty() && info.target_y.empty());
      continue;
    }
    EXPECT_EQ(info.source_x.size(), info.sources);
    EXPECT_EQ(info.source_y.size(), info.sources);
    EXPECT_EQ(info.target_x.size(), info.targets);
    EXPECT_EQ(info.target_y.size(), info.targets);
  }
}

}  // namespace
}  // namespace quartet
