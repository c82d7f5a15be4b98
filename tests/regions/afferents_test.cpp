// What nerves report at rest: what the body sends of its parts, and what a cortex makes of it.

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "regions/body.hpp"
#include "regions/cortex.hpp"
#include "tests/models/memory_state.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr double kScale = 0.25;
using Parts =
    std::array<double, kMuscles>;  // 1 where nerves conduct, in the order of kMuscleFields

Block block_of(NerveBlock nerve_block, Task task = Task::rest) {
  Block block;
  block.trials = 1;
  block.task = task;
  if (task == Task::fingers) block.fingers = {2};
  block.nerve_block = nerve_block;
  return block;
}

Parts reported(const OneRegion& body) {
  Parts parts;
  const auto senses = body.values_from("senses");
  for (std::size_t m = 0; m < parts.size(); ++m) parts[m] = senses[sense::afferent + m];
  return parts;
}

constexpr Parts kWhole = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
constexpr Parts kNoHand = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1};
constexpr Parts kNoArm = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
constexpr Parts kNoFace = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0};
constexpr Parts kNoLittleFinger = {1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1};
constexpr Parts kNoThumb = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1};

TEST(NerveBlock, SilencesItsPartAsLongAsItsBlock) {
  const NerveBlock parts[] = {NerveBlock::hand, NerveBlock::none,          NerveBlock::arm,
                              NerveBlock::face, NerveBlock::little_finger, NerveBlock::thumb};
  const Parts expected[] = {kNoHand, kWhole, kNoArm, kNoFace, kNoLittleFinger, kNoThumb};
  std::vector<Block> schedule;
  for (const NerveBlock part : parts) schedule.push_back(block_of(part));
  Body body({}, schedule, kScale, 1);
  OneRegion alone(body);
  for (const Parts& now : expected) {
    for (int ms = 0; ms < 850; ++ms) {
      alone.step();
      ASSERT_EQ(reported(alone), now);
    }
  }
}

TEST(NerveBlock, HoldsInTheProbeBeforeItsBlock) {
  Body body({}, {block_of(NerveBlock::none), block_of(NerveBlock::hand)}, kScale, 1);
  std::optional<OneRegion> alone(std::in_place, body);
  const auto at_rest = [&] {
    body.set_rest(1);
    alone->step();
    body.set_rest(0);
    return reported(*alone);
  };
  EXPECT_EQ(at_rest(), kWhole);
  alone.emplace(body);
  for (int ms = 0; ms < 850; ++ms) alone->step();
  EXPECT_EQ(at_rest(), kNoHand);
}

TEST(NerveBlock, ItsMusclesDoNotContract) {
  const auto bent = [](NerveBlock nerve_block) {
    Body body({}, {block_of(nerve_block, Task::fingers)}, kScale, 1);
    OneRegion alone(body);
    const SheetLayout sheet = Sizes(kScale).l5pt;
    for (int ms = 0; ms < 850; ++ms) {
      for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
        if (ms > 200 && ms % 10 == 0 && field(kArmMuscles + 3, sheet.x(cell), sheet.y(cell)) > 0.6)
          alone.spikes_to("corticospinal").push_back({cell, 0});
      alone.step();
    }
    EXPECT_GT(body.record().finger_hz[3], 10);  // what cortex asks for
    return body.record().finger_deg[3];
  };
  EXPECT_EQ(bent(NerveBlock::hand), 0);
  EXPECT_EQ(bent(NerveBlock::arm), 0);
  EXPECT_GT(bent(NerveBlock::face), 1);
}

TEST(NerveBlock, AnArmThatIsBlockedDoesNotReach) {
  const auto distance = [](NerveBlock nerve_block) {
    Body body({}, {block_of(nerve_block, Task::reach)}, kScale, 1);
    OneRegion alone(body);
    const SheetLayout sheet = Sizes(kScale).l5pt;
    for (int ms = 0; ms < 850; ++ms) {
      for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
        if (ms > 300 && ms % 10 == 0 && field(0, sheet.x(cell), sheet.y(cell)) > 0.6)
          alone.spikes_to("corticospinal").push_back({cell, 0});
      alone.step();
    }
    return body.record().path_m;
  };
  EXPECT_LT(distance(NerveBlock::arm), 1e-6);
  EXPECT_GT(distance(NerveBlock::hand), 0.02);
  EXPECT_EQ(distance(NerveBlock::hand), distance(NerveBlock::none));
}

/// A cortex whose parts of the body report.
class Feeling {
 public:
  Feeling() : cortex_(parameters(), {}, kScale, 7, {}) { alone_.emplace(cortex_); }
  /// Rates in Hz over `ms` ms: of S1 by part, and of others within 1.5 units of a muscle's field.
  void run(int ms, const Parts& parts) {
    const auto senses = alone_->values_to("senses_to_cortex");
    for (std::size_t m = 0; m < parts.size(); ++m) senses[sense::afferent + m] = parts[m];
    spikes_.clear();
    for (int k = 0; k < ms; ++k) {
      alone_->step();
      for (const char* name : {"S1", "PV", "L23E"})
        for (const Spike& spike : cortex_.spikes(population_of(cortex_, name)))
          ++spikes_[name][spike.id];
    }
    seconds_ = 1e-3 * ms;
  }
  double s1_hz(std::uint32_t part) {
    const std::uint32_t size = cortex_.populations()[population_of(cortex_, "S1")].size;
    return rate("S1", [&](std::uint32_t cell) { return group_of(cell, size, kMuscles) == part; });
  }
  double hz(const std::string& name, std::uint32_t muscle) {
    const PopulationInfo& info = cortex_.populations()[population_of(cortex_, name)];
    const MuscleField& f = kMuscleFields[muscle];
    return rate(name, [&](std::uint32_t cell) {
      const double dx = static_cast<double>(info.x[cell]) - f.x;
      const double dy = static_cast<double>(info.y[cell]) - f.y;
      return dx * dx + dy * dy < 1.5 * 1.5;
    });
  }
  MemoryState save() const { return saved(cortex_); }
  void load(const MemoryState& state, Step next) {
    MemoryReader reader(state);
    cortex_.load(reader);
    alone_.emplace(cortex_, next);
  }

 private:
  template <class Chosen>
  double rate(const std::string& name, Chosen chosen) {
    double spikes = 0, cells = 0;
    for (std::uint32_t cell = 0; cell < cortex_.populations()[population_of(cortex_, name)].size;
         ++cell) {
      if (!chosen(cell)) continue;
      cells += 1;
      spikes += spikes_[name][cell];
    }
    return spikes / cells / seconds_;
  }
  static CortexParameters parameters() {
    CortexParameters p;
    p.afferents.connected = true;
    p.pv.bias_mv = -5;
    p.som.bias_mv = 2.5;
    p.l5pt.bias_mv = 5;
    p.l23e.bias_mv = 8.5;
    return p;
  }
  Cortex cortex_;
  std::optional<OneRegion> alone_;
  std::map<std::string, std::map<std::uint32_t, int>> spikes_;
  double seconds_ = 0;
};

constexpr std::uint32_t kBiceps = 4, kMiddle = 8, kGirdle = 11;

TEST(Afferents, CellsOfASilentPartAreSilentAndItsNeighboursLoseInhibitionToo) {
  Feeling cortex;
  cortex.run(200, kWhole);
  cortex.run(800, kWhole);
  const double hand = cortex.hz("PV", kMiddle), biceps = cortex.hz("PV", kBiceps),
               girdle = cortex.hz("PV", kGirdle), pyramidal = cortex.hz("L23E", kMiddle);
  for (std::uint32_t part = 0; part < kMuscles; ++part) EXPECT_GT(cortex.s1_hz(part), 8) << part;
  cortex.run(200, kNoHand);
  cortex.run(800, kNoHand);
  for (std::uint32_t part = 0; part < kMuscles; ++part) {
    const bool silent = part >= kArmMuscles && part < kArmMuscles + kFingers;
    EXPECT_EQ(cortex.s1_hz(part) < 0.5, silent) << part;
  }
  EXPECT_LT(cortex.hz("PV", kMiddle), 0.2 * hand);
  EXPECT_LT(cortex.hz("PV", kBiceps), 0.8 * biceps);
  EXPECT_GT(cortex.hz("PV", kGirdle), 0.8 * girdle);
  EXPECT_GT(cortex.hz("L23E", kMiddle), 1.2 * pyramidal);
  cortex.run(200, kWhole);
  cortex.run(800, kWhole);
  EXPECT_NEAR(cortex.hz("PV", kMiddle) / hand, 1, 0.3);
}

TEST(Afferents, StateContinuesInABlock) {
  Feeling one, other;
  one.run(50, kWhole);
  one.run(50, kNoHand);
  other.load(one.save(), 100);
  EXPECT_TRUE(one.save() == other.save());
  for (Feeling* cortex : {&one, &other}) cortex->run(50, kNoHand);
  EXPECT_TRUE(one.save() == other.save());
  one.run(50, kNoHand);
  other.run(50, kWhole);
  EXPECT_FALSE(one.save() == other.save());
}

TEST(Afferents, BrainsWithoutThemHearNothingOfNerves) {
  const auto spikes = [](double reports) {
    Cortex cortex({}, {}, kScale, 7, {});
    EXPECT_THROW(population_of(cortex, "S1"), std::invalid_argument);
    OneRegion alone(cortex);
    const auto senses = alone.values_to("senses_to_cortex");
    for (std::size_t m = 0; m < kMuscles; ++m) senses[sense::afferent + m] = reports;
    std::vector<Spike> all;
    for (int ms = 0; ms < 100; ++ms) {
      alone.step();
      for (std::size_t p = 0; p < cortex.populations().size(); ++p) {
        const auto now = cortex.spikes(p);
        all.insert(all.end(), now.begin(), now.end());
      }
    }
    return all;
  };
  const std::vector<Spike> silent = spikes(0);
  EXPECT_FALSE(silent.empty());
  EXPECT_TRUE(silent == spikes(1));
}

}  // namespace
}  // namespace quartet
