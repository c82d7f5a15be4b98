// Lesions remove the fraction of cells that they say, the same ones however a region is split. A
// lesioned population is driven so hard that every cell left to it fires.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "regions/brain.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

using Ids = std::set<std::uint32_t>;

/// A lesion, the population that it is about, and how to drive that population.
struct Lesion {
  const char* region;
  const char* population;
  std::function<LifParameters&(BrainParameters&)> cells;
  std::function<void(BrainParameters&, double fraction)> set;
  double CellLoss::*later;  // the same in the middle of a run
};

const Lesion kPurkinje = {
    "cerebellum", "PC", [](BrainParameters& b) -> LifParameters& { return b.cerebellum.purkinje; },
    [](BrainParameters& b, double f) { b.cerebellum.lesion = f; }, &CellLoss::purkinje};
const Lesion kNuclei = {
    "cerebellum", "DCN", [](BrainParameters& b) -> LifParameters& { return b.cerebellum.dcn; },
    [](BrainParameters& b, double f) { b.cerebellum.lesion_nuclei = f; }, &CellLoss::nuclei};
const Lesion kOlive = {
    "cerebellum", "IO", [](BrainParameters& b) -> LifParameters& { return b.cerebellum.olive; },
    [](BrainParameters& b, double f) { b.cerebellum.lesion_olive = f; }, &CellLoss::olive};
const Lesion kDopamine = {
    "basal_ganglia", "SNc",
    [](BrainParameters& b) -> LifParameters& { return b.basal_ganglia.snc; },
    [](BrainParameters& b, double f) { b.basal_ganglia.dopamine_depletion = f; },
    &CellLoss::dopamine};
const Lesion kVl = {"thalamus", "VL",
                    [](BrainParameters& b) -> LifParameters& { return b.thalamus.vl; },
                    [](BrainParameters& b, double f) { b.thalamus.lesion_vl = f; }, &CellLoss::vl};
const Lesion kVa = {"thalamus", "VA",
                    [](BrainParameters& b) -> LifParameters& { return b.thalamus.va; },
                    [](BrainParameters& b, double f) { b.thalamus.lesion_va = f; }, &CellLoss::va};

Subject quarter() {
  Subject subject;
  subject.seed = 20111;
  subject.brain.scale = 0.25;
  return subject;
}

/// Cells of a population that fire within 50 ms, in a region of `slices` that do not hear each
/// other; `size`, if given, takes how many cells there are; `losses` come one after the other.
Ids firing(const Subject& subject, const char* name, const char* population, int slices = 1,
           std::size_t* size = nullptr, std::span<const CellLoss> losses = {}) {
  Ids fired;
  for (int slice = 0; slice < slices; ++slice) {
    const auto region = make_region(name, subject, {slice, slices});
    const std::size_t index = population_of(*region, population);
    if (size) *size = region->populations()[index].size;
    for (const CellLoss& loss : losses) region->lose_cells(loss);
    OneRegion alone(*region);
    for (int ms = 0; ms < 50; ++ms) {
      alone.step();
      for (const Spike& spike : region->spikes(index)) fired.insert(spike.id);
    }
  }
  return fired;
}

/// Cells that a lesion leaves.
Ids left_by(const Lesion& lesion, double fraction, int slices = 1, std::uint64_t seed = 20111,
            std::size_t* size = nullptr) {
  Subject subject = quarter();
  subject.seed = seed;
  lesion.cells(subject.brain).bias_mv = 300;
  lesion.set(subject.brain, fraction);
  return firing(subject, lesion.region, lesion.population, slices, size);
}

class Lesions : public testing::TestWithParam<const Lesion*> {};
INSTANTIATE_TEST_SUITE_P(Of, Lesions,
                         testing::Values(&kPurkinje, &kNuclei, &kOlive, &kDopamine, &kVl, &kVa),
                         [](const auto& of) { return std::string(of.param->population); });

TEST_P(Lesions, RemoveThatFractionOfTheCells) {
  std::size_t size = 0;
  ASSERT_EQ(left_by(*GetParam(), 0, 1, 20111, &size).size(), size);
  for (const double fraction : {0.25, 0.5, 0.75}) {
    const Ids left = left_by(*GetParam(), fraction);
    EXPECT_EQ(left.size(), size - static_cast<std::size_t>(fraction * static_cast<double>(size)));
  }
  EXPECT_EQ(left_by(*GetParam(), 1), Ids{});
}

TEST_P(Lesions, TakeTheSameCellsForAnySlicing) {
  const Ids whole = left_by(*GetParam(), 0.5);
  ASSERT_FALSE(whole.empty());
  EXPECT_EQ(left_by(*GetParam(), 0.5, 2), whole);
  EXPECT_EQ(left_by(*GetParam(), 0.5, 3), whole);
  EXPECT_NE(left_by(*GetParam(), 0.5, 1, 20112), whole);  // other subjects lose other cells
}

// Whatever else is lost, and whoever is dead already.
TEST_P(Lesions, TakeTheSameCellsInTheMiddleOfARun) {
  Subject subject = quarter();
  GetParam()->cells(subject.brain).bias_mv = 300;
  CellLoss more, less;
  more.*GetParam()->later = 0.5;
  less.*GetParam()->later = 0.25;
  const auto left = [&](std::span<const CellLoss> losses, int slices = 1) {
    return firing(subject, GetParam()->region, GetParam()->population, slices, nullptr, losses);
  };
  const Ids half = left_by(*GetParam(), 0.5);
  const CellLoss once[] = {more}, in_steps[] = {less, more, less, {}};
  EXPECT_EQ(left(once), half);
  EXPECT_EQ(left(in_steps), half);
  EXPECT_EQ(left(in_steps, 2), half);
}

// A lesion of Purkinje cells hits their targets only through spikes, and so on.
TEST_P(Lesions, RemoveNoOtherCells) {
  for (const Lesion* other : {&kPurkinje, &kNuclei, &kOlive, &kDopamine, &kVl, &kVa}) {
    if (other == GetParam()) continue;
    Subject subject = quarter();
    other->cells(subject.brain).bias_mv = 300;
    GetParam()->set(subject.brain, 1);
    std::size_t size = 0;
    const Ids fired = firing(subject, other->region, other->population, 1, &size);
    EXPECT_EQ(fired.size(), size) << other->population;
  }
}

TEST(Silencing, RemovesAllCells) {
  Subject subject = quarter();
  subject.brain.cerebellum.olive.bias_mv = 300;
  subject.brain.basal_ganglia.snc.bias_mv = 300;
  subject.brain.cortex.task_error.bias_mv = 300;
  subject.brain.cerebellum.reward.bias_mv = 300;
  EXPECT_EQ(firing(subject, "cerebellum", "IO").size(), 64u);
  EXPECT_EQ(firing(subject, "cerebellum", "RewardReport").size(), 16u);
  EXPECT_EQ(firing(subject, "cortex", "TaskError").size(), 48u);
  EXPECT_EQ(firing(subject, "basal_ganglia", "SNc").size(), 60u);
  subject.brain.cerebellum.silence_olive = true;
  subject.brain.cerebellum.silence_reward = true;
  subject.brain.cortex.silence_task_error = true;
  subject.brain.basal_ganglia.silence_dopamine = true;
  EXPECT_EQ(firing(subject, "cerebellum", "IO"), Ids{});
  EXPECT_EQ(firing(subject, "cerebellum", "RewardReport"), Ids{});
  EXPECT_EQ(firing(subject, "cortex", "TaskError"), Ids{});
  EXPECT_EQ(firing(subject, "basal_ganglia", "SNc"), Ids{});
}

// What leaves through the tracts is what is left.
TEST(Silencing, NothingLeavesFromRemovedCells) {
  Subject subject = quarter();
  subject.brain.basal_ganglia.snc.bias_mv = 300;
  subject.brain.basal_ganglia.dopamine_depletion = 0.5;
  const Ids left = left_by(kDopamine, 0.5);
  const auto region = make_region("basal_ganglia", subject, {});
  OneRegion alone(*region);
  Ids sent;
  for (int ms = 0; ms < 50; ++ms) {
    alone.step();
    for (const Spike& spike : alone.spikes_from("SNc")) sent.insert(spike.id);
  }
  EXPECT_EQ(sent, left);
}

}  // namespace
}  // namespace quartet
