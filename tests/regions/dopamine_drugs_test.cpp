// Dopamine depleted in parts, and what a drug makes up for: basal ganglia alone.

#include <gtest/gtest.h>

#include <cmath>

#include "regions/basal_ganglia.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

constexpr int kRestMs = 3000, kOutcomeMs = 300;
enum Outcome { kReward, kPunishment };

/// Rates of SNc cells per cell of an intact brain, Hz, and the third factors farthest from 0.
struct Response {
  double tonic_hz = 0, outcome_hz = 0, d1 = 0, d2 = 0;
};
double farther(double a, double b) { return std::abs(b) > std::abs(a) ? b : a; }

/// Rest, then an outcome that no one expected.
Response respond(BasalGangliaParameters parameters, Outcome outcome, const Drug& drug = {}) {
  parameters.critic_weight_mv = 0;
  BasalGanglia region(parameters, 1.0, 20111, {});
  region.medicate(drug);
  OneRegion alone(region);
  const std::span<double> senses = alone.values_to("senses_to_basal_ganglia");
  const std::size_t snc = population_of(region, "SNc");
  const double cells = region.populations()[snc].size;
  Response response;
  for (int ms = 0; ms < kRestMs + kOutcomeMs; ++ms) {
    if (ms == kRestMs)
      for (const auto sense :
           {sense::outcome, outcome == kReward ? sense::reward : sense::punishment})
        senses[sense] = 1;
    alone.step();
    const double spikes = static_cast<double>(region.spikes(snc).size()) / cells;
    if (ms < kRestMs) {
      response.tonic_hz += 1000 * spikes / kRestMs;
      continue;
    }
    response.outcome_hz += 1000 * spikes / kOutcomeMs;
    response.d1 = farther(response.d1, region.d1_third_factor());
    response.d2 = farther(response.d2, region.d2_third_factor());
  }
  return response;
}

TEST(DopamineDrugs, MedicationOfABlockIsThatOfTheBrain) {
  BasalGangliaParameters depleted;
  depleted.dopamine_depletion = 0.5;
  BasalGangliaParameters treated = depleted;
  treated.dopamine_medication_hz = 5;
  const Response always = respond(treated, kPunishment);
  EXPECT_EQ(respond(depleted, kPunishment, {.dopamine_hz = 5}).d2, always.d2);
  treated.dopamine_medication_hz = 2;
  EXPECT_EQ(respond(treated, kPunishment, {.dopamine_hz = 3}).d2, always.d2);
  EXPECT_NE(respond(depleted, kPunishment).d2, always.d2);
}

TEST(DopamineDrugs, MedicationFillsDipsAndLeavesBursts) {
  BasalGangliaParameters depleted;
  depleted.dopamine_depletion = 0.5;
  BasalGangliaParameters half = depleted, full = depleted;
  half.dopamine_medication_hz = 1;
  full.dopamine_medication_hz = 5;
  for (const double affinity : {0.0, 1.0}) {
    for (BasalGangliaParameters* p : {&depleted, &half, &full}) p->d2_affinity_per_hz = affinity;
    const Response dip = respond(depleted, kPunishment), filled = respond(full, kPunishment);
    const double half_filled = respond(half, kPunishment).d2;
    EXPECT_LT(dip.d2, half_filled);
    EXPECT_LT(half_filled, 0);
    EXPECT_GE(filled.d2, 0);
    EXPECT_EQ(filled.d1, dip.d1);  // at D2 receptors alone
    // The dopamine cells do not know of the drug, nor does a burst.
    const Response without = respond(depleted, kReward), with = respond(full, kReward);
    EXPECT_EQ(with.outcome_hz, without.outcome_hz);
    EXPECT_EQ(with.d2, without.d2);
    EXPECT_EQ(with.d1, without.d1);
    EXPECT_GT(with.d1, 0);
  }
}

/// Spikes of a population in two seconds of rest.
int at_rest(const char* population, double depletion, double medication_hz) {
  BasalGangliaParameters parameters;
  parameters.dopamine_depletion = depletion;
  parameters.dopamine_medication_hz = medication_hz;
  // Large effects, which few spikes tell.
  parameters.d1_excitability_mv = parameters.tan_dopamine_mv = 1;
  BasalGanglia region(parameters, 1.0, 20111, {});
  OneRegion alone(region);
  const std::size_t watched = population_of(region, population);
  int count = 0;
  for (int ms = 0; ms < 2000; ++ms) {
    alone.step();
    count += static_cast<int>(region.spikes(watched).size());
  }
  return count;
}

TEST(DopamineDrugs, MedicationRestoresTonicEffects) {
  for (const char* population : {"D1", "TAN"}) {
    const int depleted = at_rest(population, 1, 0);
    EXPECT_LT(depleted, at_rest(population, 0, 0)) << population;
    EXPECT_LT(depleted, at_rest(population, 1, 5)) << population;
  }
  EXPECT_GT(at_rest("D2", 1, 0), at_rest("D2", 0, 0));
  EXPECT_GT(at_rest("D2", 1, 0), at_rest("D2", 1, 5));
}

TEST(DopamineDrugs, HighAffinitySeesDipsAndLowAffinityBursts) {
  BasalGangliaParameters parameters;
  parameters.d1_affinity_per_hz = 0.01;
  parameters.d2_affinity_per_hz = 1;
  const Response burst = respond(parameters, kReward), dip = respond(parameters, kPunishment);
  const Response linear_burst = respond({}, kReward), linear_dip = respond({}, kPunishment);
  EXPECT_EQ(linear_burst.d1, linear_burst.d2);
  EXPECT_EQ(linear_dip.d1, linear_dip.d2);
  EXPECT_GT(burst.d1, 0.8 * linear_burst.d1);
  EXPECT_LT(burst.d2, 0.2 * linear_burst.d2);
  EXPECT_NEAR(dip.d1, linear_dip.d1, 0.2 * std::abs(linear_dip.d1));
  EXPECT_LT(dip.d2, 2 * linear_dip.d2);
}

TEST(DopamineDrugs, PhasicLossSparesTheTonicRate) {
  BasalGangliaParameters half, whole;
  half.phasic_dopamine_loss = 0.5;
  whole.phasic_dopamine_loss = 1;
  const Response intact = respond({}, kReward);
  const Response lost = respond(whole, kReward), punished = respond(whole, kPunishment);
  EXPECT_NEAR(lost.tonic_hz, intact.tonic_hz, 0.1 * intact.tonic_hz);
  EXPECT_NEAR(lost.outcome_hz, lost.tonic_hz, 0.25 * lost.tonic_hz);
  EXPECT_NEAR(punished.outcome_hz, lost.tonic_hz, 0.25 * lost.tonic_hz);
  const Response partly = respond(half, kReward);
  EXPECT_NEAR(partly.tonic_hz, intact.tonic_hz, 0.1 * intact.tonic_hz);
  EXPECT_LT(partly.outcome_hz, intact.outcome_hz);
  EXPECT_GT(partly.outcome_hz, lost.outcome_hz);
}

TEST(DopamineDrugs, TonicLossSparesBurstsRelativeToTheTonicRate) {
  BasalGangliaParameters half, whole;
  half.tonic_dopamine_loss = 0.5;
  whole.tonic_dopamine_loss = 1;
  const Response intact = respond({}, kReward), partly = respond(half, kReward),
                 lost = respond(whole, kReward);
  EXPECT_LT(partly.tonic_hz, 0.75 * intact.tonic_hz);
  EXPECT_LT(lost.tonic_hz, 0.5 * intact.tonic_hz);
  EXPECT_GE(partly.outcome_hz / partly.tonic_hz, intact.outcome_hz / intact.tonic_hz);
  EXPECT_GE(lost.outcome_hz / lost.tonic_hz, intact.outcome_hz / intact.tonic_hz);
}

TEST(DopamineDrugs, LossesGrowWithTheirFraction) {
  double phasic = 1e9, tonic = 1e9;
  for (const double loss : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    BasalGangliaParameters p, t;
    p.phasic_dopamine_loss = loss;
    t.tonic_dopamine_loss = loss;
    const double burst = respond(p, kReward).outcome_hz, rest = respond(t, kReward).tonic_hz;
    EXPECT_LT(burst, phasic);
    EXPECT_LT(rest, tonic);
    phasic = burst;
    tonic = rest;
  }
}

}  // namespace
}  // namespace quartet
