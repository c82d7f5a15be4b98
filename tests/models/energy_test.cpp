#include "models/energy.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

namespace quartet::energy {
namespace {

double total(const Ledger& ledger) { return std::accumulate(ledger.begin(), ledger.end(), 0.0); }

Ledger ledger_of(const Activity& activity, double in_degree) {
  return ledger(activity, upscaling(in_degree, activity.cells, activity.synapses), 1);
}

// 1e6 cells, +5 spikes/s, 1 h, as is often quoted.
TEST(Energy, RuleOfThumb) {
  const double added = rule_of_thumb(1e6 * 5 * 3600), brain = 20 * 3600;
  EXPECT_DOUBLE_EQ(added, 36.0);
  EXPECT_DOUBLE_EQ(brain, 72'000.0);
  EXPECT_NEAR(added / brain, 5e-4, 1e-15);
}

// A cortical cell at 4 Hz whose 8000 synapses, a tenth of them in the model, hear cells at 4 Hz.
Activity cortex(double rate) {
  const auto arrivals = static_cast<std::int64_t>(1000 * 800 * rate);
  return {.cells = 1000,
          .spikes = static_cast<std::int64_t>(1000 * rate),
          .excitatory = arrivals,
          .synapses = 800'000};
}

// Shares of Howarth, Gleeson & Attwell 2012, to the whole per cents that they give: postsynaptic
// 50, spikes 21, rest 20, presynaptic 5, recycling 4 %.
TEST(Energy, SharesOfTheCortex) {
  const Ledger ledger = ledger_of(cortex(4), true_in_degree("L23E"));
  const double all = total(ledger);
  EXPECT_NEAR(ledger[synapses] / all, .50, .005);
  EXPECT_NEAR(ledger[spikes] / all, .21, .005);
  EXPECT_NEAR(ledger[rest] / all, .20, .005);
  EXPECT_NEAR(ledger[release] / all, .05, .005);
  EXPECT_NEAR(ledger[recycling] / all, .04, .005);
  EXPECT_EQ(ledger[plasticity], 0);
  EXPECT_EQ(ledger[spines], 0);
  EXPECT_NEAR((all - ledger[rest]) / 4000, 37e-12, 1e-12);  // J per spike
  // Five spikes a second more about double what these cells use.
  const double more = total(ledger_of(cortex(9), true_in_degree("L23E")));
  EXPECT_NEAR(more / all, 2.0, .5);
}

TEST(Energy, EveryTermCosts) {
  Activity a = cortex(4);
  a.inhibitory = 400'000;
  a.plastic = 1'200'000;
  a.plastic_inhibitory = 200'000;
  a.formed = 50;
  const double in_degree = static_cast<double>(a.synapses) / static_cast<double>(a.cells);
  for (double term : ledger_of(a, 8000)) EXPECT_GT(term, 0);
  EXPECT_NEAR(ledger_of(a, in_degree)[spines] / 50, 47e-12, 1e-12);
}

// Where all synapses can change, plasticity is its share of their transmission, whatever they are.
TEST(Energy, PlasticityIsAShareOfTransmission) {
  Activity excited = cortex(4), inhibited = cortex(4);
  excited.plastic = excited.excitatory;
  std::swap(inhibited.inhibitory, inhibited.excitatory);
  inhibited.plastic = inhibited.plastic_inhibitory = inhibited.inhibitory;
  for (const Activity& activity : {excited, inhibited}) {
    const Ledger ledger = ledger_of(activity, 8000);
    EXPECT_NEAR(ledger[plasticity] / (ledger[synapses] + ledger[release]), .076, 1e-12);
  }
}

// Fewer synapses in the model change nothing while each is as active.
TEST(Energy, UpscalingCorrectsForFewSynapses) {
  Activity few = cortex(4), many = cortex(4);
  many.synapses *= 10;
  many.excitatory *= 10;
  EXPECT_DOUBLE_EQ(total(ledger_of(few, 8000)), total(ledger_of(many, 8000)));
  few.synapses = few.excitatory = 0;
  EXPECT_EQ(ledger_of(few, 8000)[synapses], 0);  // driven from outside
}

}  // namespace
}  // namespace quartet::energy
