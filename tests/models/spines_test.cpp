/// Synapses that come and go: numbers against the closed forms of transient and stable pools, what
/// weight and growth do to them, and that neither slices nor a checkpoint can be told.
#include "models/spines.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "models/stdp.hpp"
#include "tests/models/memory_state.hpp"

namespace quartet {
namespace {

constexpr std::uint32_t kTargets = 400, kSynapses = 50, kSources = 1000;
constexpr std::uint64_t kSeed = 4711;

/// Probabilities that depend on nothing: half of the new synapses stay.
SpineParameters free_turnover(double loss) {
  SpineParameters p;
  p.structural = true;
  p.spare = 2;
  p.day_s = 20;
  p.formation = 0.05;
  p.growth_gain = 0;
  p.transient_days = 3;
  p.steepness = 0;
  p.loss = loss;
  p.protection = 0;
  return p;
}

/// Cells [first, last) of kTargets, with their rules.
class Dendrites {
 public:
  explicit Dendrites(const SpineParameters& p, std::uint32_t first = 0,
                     std::uint32_t last = kTargets)
      : target_("cells", {}, SynapseKind::current, {{.decay_ms = 5}}, kTargets, first, last, 4,
                kSeed),
        projection_(spec(p), kSources, target_, 4, kSeed),
        learning_(projection_, {}),
        spines_(projection_, p, kSeed) {}

  /// `active`: some cells fire, so that synapses learn.
  void days(double number, double day_s, bool active = false, double speed = 1) {
    const auto periods = static_cast<int>(std::lround(number * day_s));
    for (int period = 0; period < periods; ++period) {
      std::span<const Rewired> changes;
      for (std::uint32_t ms = 0; ms < SpineRule::kPeriodMs; ++ms) {
        if (active) {
          std::vector<Spike> pre, post;
          for (std::uint32_t k = 0; k < 10; ++k) {
            pre.push_back({(ms * 37 + k * 101) % kSources, 0});
            post.push_back({(ms * 11 + k * 41) % kTargets, 0});
          }
          learning_.step(pre, post, 1, true);
        }
        changes = spines_.step(true, speed);
      }
      learning_.rewire(changes);
    }
  }
  void kill_target(std::uint32_t cell) { target_.kill(cell); }
  void kill_sources(std::span<const std::uint32_t> cells) { spines_.kill_sources(cells); }
  /// Weight of all synapses of an own cell, times the initial weight.
  void set_weight(std::uint32_t target, float weight) {
    for (std::uint32_t k = 0; k < projection_.in_degree(); ++k) {
      const std::size_t site = target * projection_.in_degree() + k;
      if (projection_.source_of()[site] < kSources)
        projection_.weights()[projection_.position()[site]] = weight * kWeight;
    }
  }
  /// Of synapses that were there at the start, or of those that formed later.
  double count(Spine kind, bool later) const {
    double number = 0;
    for (std::size_t s = 0; s < spines_.spines().size(); ++s)
      number += spines_.spines()[s] == static_cast<std::uint8_t>(kind) &&
                (spines_.formed_day()[s] > 0) == later;
    return number;
  }
  Projection& projection() { return projection_; }
  const SpineRule& spines() const { return spines_; }
  void save(StateWriter& writer) const {
    projection_.save(writer);
    learning_.save(writer);
    spines_.save(writer);
  }
  void load(StateReader& reader) {
    projection_.load(reader);
    learning_.load(reader);
    spines_.load(reader);
  }
  static constexpr float kWeight = 0.5f;

 private:
  static ProjectionSpec spec(const SpineParameters& p) {
    ProjectionSpec s;
    s.name = "pathway";
    s.in_degree = kSynapses;
    s.weight = kWeight;
    s.plastic = true;
    s.max_weight = 3 * kWeight;
    s.vacant_sites = p.vacant_sites(kSynapses);
    s.sources = uniform_sources(kSources);
    return s;
  }
  LifPopulation target_;
  Projection projection_;
  TripletRule learning_;
  SpineRule spines_;
};

constexpr double kAtStart = double{kTargets} * kSynapses;
constexpr double kL = 0.05, kP = 0.5, kTau = 3;

// N = L tau (1 - exp(-t/tau)); S = L p [t - tau (1 - exp(-t/tau))], a line delayed by tau.
TEST(Spines, NewOnesFollowTheClosedFormWithoutLoss) {
  const SpineParameters p = free_turnover(0);
  Dendrites dendrites(p);
  double before = 0;
  for (int day = 1; day <= 16; ++day) {
    dendrites.days(1, p.day_s);
    const double gone = 1 - std::exp(-day / kTau);
    const double transient = kL * kTau * gone, stable = kL * kP * (day - kTau * gone);
    const double found = dendrites.count(Spine::stable, true) / kAtStart;
    EXPECT_NEAR(dendrites.count(Spine::transient, true) / kAtStart, transient,
                3 * std::sqrt(transient / kAtStart) + 0.02 * transient);
    EXPECT_NEAR(found, stable, 3 * std::sqrt(stable / kAtStart) + 0.02 * stable) << day;
    if (day == 10) before = found;
    if (day < 16) continue;
    const double slope = (found - before) / 6;
    EXPECT_NEAR(slope / (kL * kP), 1, 0.05);
    EXPECT_NEAR((16 - found / slope) / kTau, 1, 0.1);  // the line's delay
  }
}

// S = L p (1 - exp(-dt))/d - L p (exp(-t/tau) - exp(-dt))/(d - 1/tau), which ends at L p/d.
TEST(Spines, LossBendsTheLineToAPlateau) {
  constexpr double d = 0.05;
  const SpineParameters p = free_turnover(d);
  Dendrites dendrites(p);
  int done = 0;
  for (const int day : {8, 16, 32, 64, 128}) {
    dendrites.days(day - done, p.day_s);
    done = day;
    const double decayed = std::exp(-d * day);
    const double stable =
        kL * kP * (1 - decayed) / d - kL * kP * (std::exp(-day / kTau) - decayed) / (d - 1 / kTau);
    EXPECT_NEAR(dendrites.count(Spine::stable, true) / kAtStart, stable,
                3 * std::sqrt(stable / kAtStart) + 0.02 * stable);
    // Those of the start that had been stable, and half of the others.
    const double first = dendrites.count(Spine::stable, false) / kAtStart;
    const double joined = kL * kTau * kP * (decayed - std::exp(-day / kTau)) / (1 - d * kTau);
    const double expected = (1 - kL * kTau) * decayed + joined;
    EXPECT_NEAR(first, expected, 3 * std::sqrt(expected / kAtStart) + 0.01);
  }
  EXPECT_NEAR(dendrites.count(Spine::stable, true) / kAtStart, kL * kP / d, 0.03);
}

// New synapses that have grown stay; stable ones that have shrunk are lost.
TEST(Spines, WeightKeepsThem) {
  SpineParameters p = free_turnover(0.05);
  p.steepness = 3;
  p.half_weight = 1;
  p.protection = 2;
  Dendrites weak(p), strong(p);
  for (int day = 0; day < 8; ++day) {
    weak.days(1, p.day_s);
    strong.days(1, p.day_s);
    for (std::uint32_t cell = 0; cell < kTargets; ++cell) {
      weak.set_weight(cell, 0.5f);
      strong.set_weight(cell, 2);
    }
  }
  EXPECT_GT(strong.count(Spine::stable, true), 3 * weak.count(Spine::stable, true));
  EXPECT_GT(strong.count(Spine::stable, false), 2 * weak.count(Spine::stable, false));
}

// With loss · (1 - L tau) = L p.
TEST(Spines, BalancedTurnoverKeepsTheDensity) {
  const SpineParameters p = free_turnover(kL * kP / (1 - kL * kTau));
  Dendrites dendrites(p);
  dendrites.days(30, p.day_s);
  double present = 0;
  for (const Spine kind : {Spine::transient, Spine::stable})
    for (const bool later : {false, true}) present += dendrites.count(kind, later);
  EXPECT_NEAR(present / kAtStart, 1, 0.02);
  EXPECT_GT(dendrites.count(Spine::stable, true), 0.3 * kAtStart);
}

// Cells whose synapses grow form more; those that shrink do not.
TEST(Spines, ShippedProbabilitiesBalanceAtTheInitialWeight) {
  const SpineParameters p;
  const double stays = 1 / (1 + std::pow(p.half_weight, p.steepness));
  EXPECT_NEAR(p.loss * (1 - p.formation * p.transient_days) / (p.formation * stays), 1, 0.02);
}

TEST(Spines, GrowthBringsMore) {
  SpineParameters p = free_turnover(0);
  p.growth_gain = 20;
  Dendrites dendrites(p);
  for (int step = 1; step <= 10; ++step) {
    for (std::uint32_t cell = 0; cell < kTargets; ++cell)
      dendrites.set_weight(cell, cell < kTargets / 2 ? 1 + 0.1f * static_cast<float>(step)
                                                     : 1 - 0.05f * static_cast<float>(step));
    dendrites.days(0.05, p.day_s);
  }
  double grown = 0, shrunk = 0;
  const std::uint32_t sites = dendrites.projection().in_degree();
  for (std::size_t s = 0; s < dendrites.spines().formed_day().size(); ++s)
    if (dendrites.spines().formed_day()[s] > 0) (s / sites < kTargets / 2 ? grown : shrunk) += 1;
  EXPECT_NEAR(grown / shrunk, 1 + 20 * 0.1, 0.6);
}

TEST(Spines, ANewSynapseDeliversAndAWithdrawnOneDoesNot) {
  SpineParameters p = free_turnover(0.2);
  Dendrites dendrites(p);
  dendrites.days(4, p.day_s);
  Projection& projection = dendrites.projection();
  const auto sources = projection.source_of();
  std::vector<std::uint32_t> fan(kSources, 0);
  double present = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const bool vacant = dendrites.spines().spines()[s] == static_cast<std::uint8_t>(Spine::vacant);
    ASSERT_EQ(vacant, sources[s] == kSources);
    const float weight = projection.weights()[projection.position()[s]];
    EXPECT_EQ(weight, vacant ? 0 : Dendrites::kWeight);
    if (vacant) continue;
    present += 1;
    ++fan[sources[s]];
    EXPECT_GE(projection.position()[s], projection.row_begin(sources[s]));
    EXPECT_LT(projection.position()[s], projection.row_end(sources[s]));
    EXPECT_EQ(projection.targets()[projection.position()[s]], s / projection.in_degree());
  }
  for (std::uint32_t cell = 0; cell < kSources; ++cell)
    EXPECT_EQ(projection.fan_out(cell), fan[cell]) << cell;
  EXPECT_EQ(present, kAtStart + static_cast<double>(projection.formed()) -
                         static_cast<double>(projection.lost()));
  EXPECT_GT(projection.lost(), 1000);
  projection.begin_count();
  EXPECT_EQ(projection.formed() + projection.lost(), 0);
}

TEST(Spines, SynapsesFromDeadCellsGoAndNoneFormFromThem) {
  const SpineParameters p = free_turnover(0);
  Dendrites dendrites(p);
  std::vector<std::uint32_t> dead;
  for (std::uint32_t cell = 0; cell < kSources / 2; ++cell) dead.push_back(cell);
  dendrites.kill_sources(dead);
  dendrites.days(4, p.day_s);
  for (const std::uint32_t source : dendrites.projection().source_of())
    ASSERT_GE(source, kSources / 2);
  EXPECT_NEAR(dendrites.count(Spine::stable, false) / kAtStart, 0.5, 0.1);
  // As many form as else, but for those who find no living source in eight attempts.
  const double formed =
      dendrites.count(Spine::stable, true) + dendrites.count(Spine::transient, true);
  EXPECT_NEAR(formed / kAtStart, 0.05 * 4 - 0.07, 0.03);
}

TEST(Spines, SynapsesOfADeadCellStayAsTheyAre) {
  const SpineParameters p = free_turnover(0.2);
  Dendrites dendrites(p);
  const auto before = dendrites.projection().source_of();
  const std::vector<std::uint32_t> first(before.begin(), before.begin() + 150);
  dendrites.kill_target(0);
  dendrites.days(3, p.day_s);
  const auto after = dendrites.projection().source_of();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), after.begin()));
  EXPECT_FALSE(std::equal(first.begin(), first.end(), after.begin() + 150));
}

TEST(Spines, SpeedFormsMore) {
  const SpineParameters p = free_turnover(0);
  Dendrites usual(p), fast(p);
  usual.days(1, p.day_s);
  fast.days(1, p.day_s, false, 3);
  EXPECT_NEAR(static_cast<double>(fast.projection().formed()) /
                  static_cast<double>(usual.projection().formed()),
              3, 0.3);
}

TEST(Spines, OnlyProjectionsWithVacantSitesAreRewired) {
  SpineParameters p = free_turnover(0);
  p.structural = false;
  Dendrites fixed(p);
  EXPECT_THROW(fixed.projection().draw_source(0, 1), std::logic_error);
  EXPECT_THROW(fixed.projection().rewire({}), std::logic_error);
}

TEST(Spines, NothingHappensWithoutLearningOrTurnover) {
  SpineParameters p = free_turnover(0.2);
  Dendrites asleep(p);
  SpineRule idle(asleep.projection(), p, kSeed);
  for (int ms = 0; ms < 3 * SpineRule::kPeriodMs; ++ms) ASSERT_TRUE(idle.step(false).empty());
  p.turnover = false;
  Dendrites frozen(p);
  frozen.days(2, p.day_s);
  EXPECT_EQ(frozen.count(Spine::stable, false) + frozen.count(Spine::transient, false), kAtStart);
}

TEST(Spines, SlicesAndARestartCannotBeTold) {
  SpineParameters p = free_turnover(0.1);
  p.steepness = 3;
  const auto state_of = [](std::initializer_list<const Dendrites*> slices) {
    MemoryState state;
    int slice = 0;
    for (const Dendrites* dendrites : slices) {
      MemoryWriter writer(state, slice++);
      dendrites->save(writer);
    }
    EXPECT_TRUE(state.complete());
    return state;
  };
  // With weights and eligibility of their own, which move when synapses come and go.
  Dendrites whole(p);
  whole.days(0.5, p.day_s, true);
  whole.kill_sources(std::vector<std::uint32_t>{3, 4, 5});
  const MemoryState halfway = state_of({&whole});
  whole.days(0.5, p.day_s, true);
  const MemoryState end = state_of({&whole});
  // Two slices go on from where one was.
  Dendrites one(p, 0, 160), other(p, 160, kTargets);
  for (Dendrites* slice : {&one, &other}) {
    MemoryReader reader(halfway);
    slice->load(reader);
    slice->days(0.5, p.day_s, true);
  }
  EXPECT_EQ(state_of({&one, &other}), end);
  EXPECT_NE(halfway, end);
}

}  // namespace
}  // namespace quartet
