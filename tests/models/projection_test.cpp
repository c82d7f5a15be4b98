/// Projection: which synapses there are, and what a spike delivers when and where; the kernels of
/// connectivity.hpp.
#include "models/projection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "tests/models/memory_state.hpp"

namespace quartet {
namespace {

constexpr std::uint32_t kSources = 60;
constexpr std::uint32_t kTargets = 40;

LifPopulation targets(std::uint32_t first = 0, std::uint32_t last = kTargets,
                      std::uint32_t size = kTargets) {
  return {
      "targets", {}, SynapseKind::current, {{.decay_ms = 5}, {.decay_ms = 10}}, size, first, last,
      4,         1};
}

ProjectionSpec spec() {
  ProjectionSpec s;
  s.name = "projection";
  s.in_degree = 10;
  s.weight = 0.5;
  s.sources = uniform_sources(kSources);
  return s;
}

std::int32_t quanta(double weight) {
  return static_cast<std::int32_t>(std::lround(weight / kInputQuantum));
}

/// (source, target over all slices, delay, quanta, number of contacts), found by firing each source
/// alone.
using Delivered = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::int32_t>;
std::vector<Delivered> delivered(Projection& projection, LifPopulation& cells,
                                 std::size_t receptor = 0) {
  std::vector<Delivered> all;
  for (std::uint32_t source = 0; source < projection.sources(); ++source) {
    projection.deliver(source, 0);
    for (std::uint32_t delay = 0; delay <= cells.delay_capacity(); ++delay) {
      std::int32_t* input = cells.input(receptor, delay);
      for (std::uint32_t i = 0; i < cells.count(); ++i) {
        if (input[i] != 0) all.emplace_back(source, cells.first() + i, delay, input[i]);
        input[i] = 0;
      }
    }
  }
  return all;
}

/// Everything that `slices` slices deliver, in order.
std::vector<Delivered> delivered_by_slices(const ProjectionSpec& s,
                                           const std::vector<std::uint32_t>& bounds,
                                           std::uint64_t seed) {
  std::vector<Delivered> all;
  for (std::size_t k = 0; k + 1 < bounds.size(); ++k) {
    LifPopulation cells = targets(bounds[k], bounds[k + 1]);
    Projection projection(s, kSources, cells, 4, seed);
    const auto part = delivered(projection, cells);
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<ProjectionSpec> all_layouts() {
  ProjectionSpec uniform = spec();
  ProjectionSpec factors = spec();
  factors.factor = [](std::uint32_t, std::uint32_t, Draws& draws) { return 2 * draws.uniform(); };
  ProjectionSpec delays = factors;
  delays.delay_of = [](std::uint32_t source, std::uint32_t target) {
    return 0.25 * (1 + (source + target) % 5);
  };
  delays.min_delay_ms = 0.25;
  delays.max_delay_ms = 1.25;
  ProjectionSpec plastic = factors;
  plastic.plastic = true;
  plastic.max_weight = 0.8;
  return {uniform, factors, delays, plastic};
}

TEST(Projection, SynapsesAreTheSameForAnySlicing) {
  for (const ProjectionSpec& s : all_layouts()) {
    const auto whole = delivered_by_slices(s, {0, kTargets}, 1);
    EXPECT_EQ(delivered_by_slices(s, {0, 16, kTargets}, 1), whole);
    EXPECT_EQ(delivered_by_slices(s, {0, 8, 24, kTargets}, 1), whole);
    EXPECT_NE(delivered_by_slices(s, {0, kTargets}, 2), whole);
    ProjectionSpec other = s;
    other.name = "another";
    EXPECT_NE(delivered_by_slices(other, {0, kTargets}, 1), whole);
  }
}

TEST(Projection, EveryTargetHasItsInDegree) {
  for (const std::uint32_t in_degree : {0u, 1u, 10u, 100u}) {
    ProjectionSpec s = spec();
    s.in_degree = in_degree;
    LifPopulation cells = targets();
    Projection projection(s, kSources, cells, 4, 1);
    EXPECT_EQ(projection.synapse_count(), in_degree * kTargets);
    std::vector<std::int64_t> contacts(kTargets, 0);
    for (const auto& [source, target, delay, weight] : delivered(projection, cells)) {
      EXPECT_EQ(weight % quanta(0.5), 0);
      contacts[target] += weight / quanta(0.5);
    }
    EXPECT_EQ(contacts, std::vector<std::int64_t>(kTargets, in_degree));
    EXPECT_NE(contacts, std::vector<std::int64_t>(kTargets, in_degree + 1));
  }
}

TEST(Projection, DelaysAreExactToTheSubstep) {
  const auto arrival = [](double delay_ms, std::int64_t n) {
    ProjectionSpec s = spec();
    s.in_degree = 1;
    s.delay_ms = delay_ms;
    s.sources = [](std::uint32_t, Draws&) { return 3u; };
    LifPopulation cells = targets();
    Projection projection(s, kSources, cells, 4, 1);
    projection.deliver(3, n);
    std::vector<std::int64_t> due;
    for (std::int64_t at = n; at <= n + cells.delay_capacity(); ++at)
      if (cells.input(0, at)[7] != 0) due.push_back(at - n);
    return due;
  };
  using List = std::vector<std::int64_t>;
  for (const std::int64_t n : {0, 5, 1001}) {
    EXPECT_EQ(arrival(1.5, n), List{6});
    EXPECT_EQ(arrival(1.75, n), List{7});
    EXPECT_EQ(arrival(20.0, n), List{80});
    EXPECT_EQ(arrival(0.05, n), List{1});  // at least a substep
    EXPECT_EQ(arrival(0.0, n), List{0});   // a tract that has waited already
  }
  EXPECT_NE(arrival(1.75, 0), List{6});
}

TEST(Projection, DelaysMayDifferBySynapse) {
  ProjectionSpec s = spec();
  s.delay_of = [](std::uint32_t source, std::uint32_t) { return 0.5 * (1 + source % 3); };
  s.min_delay_ms = 0.5;
  s.max_delay_ms = 1.5;
  LifPopulation cells = targets();
  Projection projection(s, kSources, cells, 4, 1);
  EXPECT_EQ(projection.min_delay_substeps(), 2u);
  const auto all = delivered(projection, cells);
  for (const auto& [source, target, delay, weight] : all) EXPECT_EQ(delay, 2 * (1 + source % 3));
  EXPECT_FALSE(all.empty());
}

TEST(Projection, SlicesAgreeOnDelaysThatTheirOwnSynapsesDoNotHave) {
  // The first 16 targets have the short delays, the others the long ones; stated are wider bounds.
  ProjectionSpec s = spec();
  s.delay_of = [](std::uint32_t, std::uint32_t target) { return target < 16 ? 1.0 : 6.0; };
  s.min_delay_ms = 0.75;
  s.max_delay_ms = 9;
  const auto seen = [&](std::uint32_t first, std::uint32_t last) {
    LifPopulation cells = targets(first, last);
    Projection projection(s, kSources, cells, 4, 1);
    std::set<std::uint32_t> own;
    for (const auto& [source, target, delay, weight] : delivered(projection, cells))
      own.insert(delay);
    return std::tuple{projection.min_delay_substeps(), cells.delay_capacity(), own};
  };
  using Own = std::set<std::uint32_t>;
  EXPECT_EQ(seen(0, kTargets), std::tuple(3u, 63u, Own{4, 24}));
  EXPECT_EQ(seen(0, 16), std::tuple(3u, 63u, Own{4}));
  EXPECT_EQ(seen(16, kTargets), std::tuple(3u, 63u, Own{24}));
  EXPECT_EQ(seen(8, 8), std::tuple(3u, 63u, Own{}));  // no cells at all
  s.max_delay_ms = 6;
  EXPECT_NE(seen(0, 16), std::tuple(3u, 63u, Own{4}));
}

TEST(Projection, AccumulationDoesNotDependOnOrder) {
  for (const ProjectionSpec& s : all_layouts()) {
    LifPopulation forward = targets(), backward = targets();
    Projection first(s, kSources, forward, 4, 1), second(s, kSources, backward, 4, 1);
    for (std::uint32_t source = 0; source < kSources; ++source) {
      first.deliver(source, 0);
      second.deliver(kSources - 1 - source, 0);
    }
    const auto inputs = [](LifPopulation& cells) {
      std::vector<std::int32_t> all;
      for (std::uint32_t n = 0; n <= cells.delay_capacity(); ++n)
        all.insert(all.end(), cells.input(0, n), cells.input(0, n) + kTargets);
      return all;
    };
    EXPECT_EQ(inputs(forward), inputs(backward));
    second.deliver(0, 0);
    EXPECT_NE(inputs(forward), inputs(backward));
  }
}

TEST(Projection, WeightsAreWhatTheFactorsSay) {
  // From conductances of thousandths of the leak to tens of mV; factors up to 7.8.
  for (const double base : {-20.0, -2.0, -0.3, -0.005, -0.0003}) {
    ProjectionSpec s = spec();
    s.in_degree = 1;
    s.weight = base;
    s.receptor = 1;
    s.sources = [](std::uint32_t target, Draws&) { return target; };
    s.factor = [](std::uint32_t source, std::uint32_t, Draws&) { return source / 5.0; };
    LifPopulation cells = targets();
    Projection projection(s, kSources, cells, 4, 1);
    const auto all = delivered(projection, cells, 1);
    ASSERT_EQ(all.size(), kTargets - 1u);  // factor 0 of cell 0: not even kept
    EXPECT_EQ(projection.synapse_count(), kTargets - 1u);
    std::int32_t largest = 0;
    for (const auto& [source, target, delay, weight] : all) {
      EXPECT_EQ(source, target);
      const double wanted = base * source / 5.0 / kInputQuantum;
      EXPECT_NEAR(weight, wanted, std::max(0.5, std::abs(base) / kInputQuantum / 4096));
      largest = std::min(largest, weight);
    }
    EXPECT_GE(projection.worst_input(), -largest);
    EXPECT_NEAR(static_cast<double>(projection.worst_input()), 8 * std::abs(base) / kInputQuantum,
                std::max(0.5, std::abs(base) / kInputQuantum / 4096));
  }
}

TEST(Projection, WorstInputIsAlikeOnAllSlices) {
  for (const ProjectionSpec& s : all_layouts()) {
    LifPopulation all = targets(), some = targets(8, 16), none = targets(8, 8);
    const std::int64_t worst = Projection(s, kSources, all, 4, 1).worst_input();
    EXPECT_GT(worst, s.in_degree);
    EXPECT_EQ(Projection(s, kSources, some, 4, 1).worst_input(), worst);
    EXPECT_EQ(Projection(s, kSources, none, 4, 1).worst_input(), worst);
  }
}

TEST(Projection, PlasticWeightsAreDeliveredAsTheyAre) {
  ProjectionSpec s = all_layouts()[3];
  LifPopulation cells = targets();
  Projection projection(s, kSources, cells, 4, 1);
  // Each target's synapses in canonical order, by the views that the learning rules use.
  for (std::uint32_t i = 0; i < kTargets; ++i) {
    for (std::uint32_t k = 0; k < s.in_degree; ++k) {
      const std::uint32_t at = projection.position()[i * s.in_degree + k];
      const std::uint32_t source = projection.source_of()[i * s.in_degree + k];
      EXPECT_EQ(projection.targets()[at], i);
      EXPECT_GE(at, projection.row_begin(source));
      EXPECT_LT(at, projection.row_end(source));
    }
  }
  for (const float w : projection.weights()) {
    EXPECT_GE(w, 0.0f);
    EXPECT_LE(w, projection.max_weight());
  }
  // A change of one weight changes what its source delivers to its target, by as much.
  const auto before = delivered(projection, cells);
  const std::uint32_t at = projection.position()[7 * s.in_degree + 3];
  projection.weights()[at] = 0.25f;
  std::int32_t expected = 0;
  const std::uint32_t source = projection.source_of()[7 * s.in_degree + 3];
  for (std::uint32_t p = projection.row_begin(source); p < projection.row_end(source); ++p)
    if (projection.targets()[p] == 7)
      expected += static_cast<std::int32_t>(projection.weights()[p] / kInputQuantum);
  const auto after = delivered(projection, cells);
  EXPECT_NE(after, before);
  for (const auto& [from, target, delay, weight] : after)
    if (from == source && target == 7) {
      EXPECT_EQ(weight, expected);
    }
}

TEST(Projection, WeightsAreSavedInCanonicalOrderForAnySlicing) {
  const ProjectionSpec s = all_layouts()[3];
  const auto saved = [&](const std::vector<std::uint32_t>& bounds, const MemoryState* from) {
    MemoryState state;
    for (std::size_t k = 0; k + 1 < bounds.size(); ++k) {
      LifPopulation cells = targets(bounds[k], bounds[k + 1]);
      Projection projection(s, kSources, cells, 4, 1);
      if (from != nullptr) {
        MemoryReader reader(*from);
        projection.load(reader);
      }
      MemoryWriter writer(state, static_cast<int>(k));
      projection.save(writer);
    }
    EXPECT_TRUE(state.complete());
    return state;
  };
  const MemoryState whole = saved({0, kTargets}, nullptr);
  ASSERT_EQ(whole.arrays.count("projection.w"), 1u);
  EXPECT_EQ(whole.arrays.at("projection.w").length, s.in_degree * kTargets);
  EXPECT_EQ(saved({0, 16, kTargets}, nullptr), whole);
  MemoryState other = whole;
  for (std::size_t i = 0; i < other.arrays.at("projection.w").bytes.size(); i += 4)
    other.arrays.at("projection.w").bytes[i] ^= static_cast<unsigned char>(i / 4 % 7 + 1);
  EXPECT_NE(other, whole);
  EXPECT_EQ(saved({0, 8, 24, kTargets}, &other), other);
}

TEST(Projection, RefusesWithItsName) {
  const auto message = [](const ProjectionSpec& s, std::uint32_t size) -> std::string {
    try {
      LifPopulation cells = targets(0, size, size);
      Projection(s, kSources, cells, 4, 1);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message(spec(), kTargets), "accepted");
  ProjectionSpec s = spec();
  s.in_degree = 0;
  EXPECT_EQ(message(s, 65536), "accepted");
  EXPECT_EQ(message(s, 65537),
            "projection: more than 65,536 cells of targets in one slice; split the region over "
            "more ranks");
  s = spec();
  s.receptor = 2;
  EXPECT_EQ(message(s, kTargets), "projection: targets has no such receptor");
  s = spec();
  s.factor = [](std::uint32_t, std::uint32_t, Draws&) { return 9.0; };
  EXPECT_EQ(message(s, kTargets), "projection: a weight factor of 9, beyond 8; raise the weight");
  s = spec();
  s.weight = 1e-4;
  EXPECT_EQ(message(s, kTargets),
            "projection: a weight of 1e-04 per synapse is too small to be represented; use 0 or "
            "at least 2e-04");
  s = spec();
  s.in_degree = 8;
  s.delay_of = [](std::uint32_t, std::uint32_t target) { return 0.25 * (target + 1); };
  s.min_delay_ms = 0.25;
  s.max_delay_ms = 100;
  EXPECT_EQ(message(s, 256), "accepted");
  EXPECT_EQ(message(s, 257), "projection: more than 256 different delays; round them");
  s = all_layouts()[2];
  s.plastic = true;
  s.max_weight = 1;
  EXPECT_EQ(message(s, kTargets), "projection: a plastic projection has one delay");
}

TEST(Projection, RefusesADelayOutsideItsBounds) {
  const auto message = [](double shortest, double longest, double ms) -> std::string {
    ProjectionSpec s = spec();
    s.in_degree = 1;
    s.sources = [](std::uint32_t target, Draws&) { return target + 5; };
    s.delay_of = [=](std::uint32_t, std::uint32_t target) { return target == 11 ? ms : 2.0; };
    s.min_delay_ms = shortest;
    s.max_delay_ms = longest;
    try {
      LifPopulation cells = targets();
      Projection(s, kSources, cells, 4, 1);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  };
  const auto refusal = [](const char* ms) {
    return std::string("projection: a delay of ") + ms +
           " ms from source 16 to targets 11, outside the stated 1.5 to 4.5 ms; widen min_delay_ms "
           "and max_delay_ms or correct delay_of";
  };
  EXPECT_EQ(message(1.5, 4.5, 1.5), "accepted");
  EXPECT_EQ(message(1.5, 4.5, 4.5), "accepted");
  EXPECT_EQ(message(2, 2, 2), "accepted");
  EXPECT_EQ(message(1.5, 4.5, 4.75), refusal("4.75"));
  // Also where rounding to substeps would hide it.
  EXPECT_EQ(message(1.5, 4.5, 4.5000001), refusal("4.5000001"));
  EXPECT_EQ(message(1.5, 4.5, 1.45), refusal("1.45"));
  EXPECT_EQ(message(1.5, 4.5, -1), refusal("-1"));
  EXPECT_EQ(message(1.5, 4.5, std::nan("")), refusal("nan"));
  const std::string remedy = " ms; state min_delay_ms and max_delay_ms, from 0 to 1000 ms";
  EXPECT_EQ(message(0, 0, 2), "projection: delay_of with bounds of 0 to 0" + remedy);
  EXPECT_EQ(message(4.5, 1.5, 2), "projection: delay_of with bounds of 4.5 to 1.5" + remedy);
  EXPECT_EQ(message(-1, 4, 2), "projection: delay_of with bounds of -1 to 4" + remedy);
  EXPECT_EQ(message(1, 1e300, 2), "projection: delay_of with bounds of 1 to 1e+300" + remedy);
}

// Kernels.

/// SD and mean of `distance(source, target)` over 40 draws for each of `cells` targets.
template <class Distance>
std::pair<double, double> spread(const SourceRule& rule, std::uint32_t cells, Distance distance) {
  double sum = 0, square = 0;
  int count = 0;
  for (std::uint32_t target = 0; target < cells; ++target) {
    Draws draws({1, purpose("kernel")}, target);
    for (int k = 0; k < 40; ++k, ++count) {
      const double d = distance(rule(target, draws), target);
      sum += d;
      square += d * d;
    }
  }
  const double mean = sum / count;
  return {std::sqrt(square / count - mean * mean), mean};
}

TEST(Connectivity, RingHasTheStatedSd) {
  constexpr std::uint32_t cells = 720;
  const auto sd = [&](double sd_deg) {
    const auto direction = [](std::uint32_t target) { return ring_direction(target, cells); };
    return spread(ring_sources(cells, direction, sd_deg), cells,
                  [&](std::uint32_t source, std::uint32_t target) {
                    double d = ring_direction(source, cells) - ring_direction(target, cells);
                    return d > 180 ? d - 360 : d < -180 ? d + 360 : d;
                  });
  };
  EXPECT_NEAR(sd(30).first, 30, 0.5);  // 28,800 draws: four standard errors
  EXPECT_NEAR(sd(30).second, 0, 0.8);
  EXPECT_GT(std::abs(sd(31).first - 30), 0.5);
}

TEST(Connectivity, SheetHasTheStatedSd) {
  const SheetLayout sheet = SheetLayout::with_cells(10000, 20, 20);
  EXPECT_EQ(sheet.size(), 10000u);
  // Targets in the middle, far from the open edges.
  std::vector<std::uint32_t> middle;
  for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
    if (std::abs(sheet.x(cell) - 10) < 2 && std::abs(sheet.y(cell) - 10) < 2)
      middle.push_back(cell);
  ASSERT_GT(middle.size(), 300u);
  const auto sd = [&](double units, bool along_x) {
    const SourceRule rule = sheet_sources(sheet, sheet, units);
    const SourceRule from_middle = [&](std::uint32_t i, Draws& draws) {
      return rule(middle[i], draws);
    };
    return spread(from_middle, static_cast<std::uint32_t>(middle.size()),
                  [&](std::uint32_t source, std::uint32_t i) {
                    return along_x ? sheet.x(source) - sheet.x(middle[i])
                                   : sheet.y(source) - sheet.y(middle[i]);
                  })
        .first;
  };
  for (const bool along_x : {true, false}) {
    EXPECT_NEAR(sd(1.5, along_x), 1.5, 0.04);
    EXPECT_GT(std::abs(sd(1.6, along_x) - 1.5), 0.04);
  }
}

TEST(Connectivity, SheetsEdgesAreOpen) {
  const SheetLayout sheet = SheetLayout::with_cells(400, 4, 1);
  EXPECT_EQ(sheet.nx, 40u);
  EXPECT_EQ(sheet.ny, 10u);
  for (std::uint32_t cell = 0; cell < sheet.size(); ++cell)
    EXPECT_EQ(sheet.cell(sheet.x(cell), sheet.y(cell)), cell);
  const SourceRule rule = sheet_sources(sheet, sheet, 0.3);
  Draws draws({1, purpose("edge")}, 0);
  std::vector<int> columns(sheet.nx, 0);
  for (int k = 0; k < 4000; ++k) ++columns[rule(0, draws) % sheet.nx];
  EXPECT_GT(columns[0], columns[8]);  // nothing wraps around
  EXPECT_EQ(columns[39], 0);
}

TEST(Connectivity, UniformSourcesAreUniform) {
  std::vector<int> count(50, 0);
  const SourceRule rule = uniform_sources(50);
  for (std::uint32_t target = 0; target < 1000; ++target) {
    Draws draws({1, purpose("uniform")}, target);
    for (int k = 0; k < 50; ++k) ++count.at(rule(target, draws));
  }
  const auto chi2 = [&] {
    double sum = 0;
    for (const int n : count) sum += (n - 1000.0) * (n - 1000.0) / 1000.0;
    return sum;
  };
  EXPECT_LT(chi2(), 90);  // 49 degrees of freedom, p < 0.0005
  for (int& n : count) n += n % 2 == 0 ? 60 : -60;
  EXPECT_GT(chi2(), 90);
}

TEST(Connectivity, GroupsAreContiguousAndComplete) {
  for (const std::uint32_t size : {8u, 10u, 97u}) {
    EXPECT_EQ(group_begin(0, size, 8), 0u);
    EXPECT_EQ(group_begin(8, size, 8), size);
    for (std::uint32_t cell = 0; cell < size; ++cell) {
      const std::uint32_t group = group_of(cell, size, 8);
      EXPECT_GE(cell, group_begin(group, size, 8));
      EXPECT_LT(cell, group_begin(group + 1, size, 8));
    }
  }
  const SourceRule rule = same_group(96, 40, 8);
  for (std::uint32_t target = 0; target < 40; ++target) {
    Draws draws({1, purpose("groups")}, target);
    for (int k = 0; k < 20; ++k)
      EXPECT_EQ(group_of(rule(target, draws), 96, 8), group_of(target, 40, 8));
  }
}

TEST(Connectivity, GroupsAreDrawnByTheirWeightsAtTheTarget) {
  // Target 0 belongs to group 2 alone, target 1 to group 0 by a quarter and to group 2 for the
  // rest.
  const GroupWeights weights(3, [](std::uint32_t target, std::span<double> of) {
    of[0] = target;
    of[1] = 0;
    of[2] = 3;
  });
  GroupWeights totals = weights;
  EXPECT_EQ(totals.total(0), 3);
  EXPECT_EQ(totals.total(1), 4);
  const SourceRule rule = weighted_groups(60, 3, weights);
  for (const std::uint32_t target : {0u, 1u, 0u}) {
    Draws draws({1, purpose("weighted")}, target);
    std::array<int, 3> drawn{};
    for (int k = 0; k < 4000; ++k) ++drawn[group_of(rule(target, draws), 60, 3)];
    EXPECT_NEAR(drawn[0], target == 0 ? 0 : 1000, target == 0 ? 0 : 110);  // four SD
    EXPECT_EQ(drawn[1], 0);
  }
}

// Families.

/// Sum of squared numbers of contacts with a source, of 40 contacts of a target: mean over targets.
/// The variance of a target's input is in proportion to it.
double squared_contacts(const SourceRule& rule, std::uint32_t sources, std::uint32_t targets) {
  double sum = 0;
  for (std::uint32_t target = 0; target < targets; ++target) {
    Draws draws({1, purpose("contacts")}, target);
    std::vector<int> contacts(sources, 0);
    for (int k = 0; k < 40; ++k) ++contacts.at(rule(target, draws));
    for (const int n : contacts) sum += n * n;
  }
  return sum / targets;
}

TEST(Connectivity, FamiliesKeepTheVarianceOfInput) {
  // 40 (1 + 39 / N) from N sources at random.
  EXPECT_NEAR(squared_contacts(uniform_sources(20), 20, 2000), 118, 1);
  EXPECT_NEAR(squared_contacts(uniform_sources({80, 20}), 80, 2000), 118, 1);
  EXPECT_NEAR(squared_contacts(uniform_sources({70, 20}), 70, 2000), 118, 1.5);
  EXPECT_NEAR(squared_contacts(uniform_sources(80), 80, 2000), 59.5, 1);

  const auto east = [](std::uint32_t) { return 0.0; };
  const double ring = squared_contacts(ring_sources(48, east, 15), 48, 2000);
  EXPECT_NEAR(squared_contacts(ring_sources({192, 48}, east, 15), 192, 2000) / ring, 1, 0.03);
  EXPECT_LT(squared_contacts(ring_sources(192, east, 15), 192, 2000) / ring, 0.5);

  const auto on_sheet = [](const SheetLayout& sheet) {
    return squared_contacts(sheet_sources(sheet, SheetLayout::with_cells(900, 4, 4), 0.3),
                            sheet.size(), 900);
  };
  const double sheet = on_sheet(SheetLayout::with_cells(400, 4, 4));
  EXPECT_NEAR(on_sheet(SheetLayout::with_cells(1600, 4, 4, 400)) / sheet, 1, 0.03);
  EXPECT_NEAR(on_sheet(SheetLayout::with_cells(800, 4, 4, 400)) / sheet, 1, 0.03);
  EXPECT_LT(on_sheet(SheetLayout::with_cells(1600, 4, 4)) / sheet, 0.6);
}

TEST(Connectivity, AllMembersOfAFamilyHaveTargets) {
  std::vector<int> count(50, 0);
  const SourceRule rule = uniform_sources({50, 10});
  for (std::uint32_t target = 0; target < 10000; ++target) {
    Draws draws({1, purpose("members")}, target);
    ++count.at(rule(target, draws));
  }
  for (const int n : count) EXPECT_NEAR(n, 200, 70);  // five standard errors
}

TEST(Connectivity, MembersBelongToTheirFamily) {
  const Draws draws({1, purpose("members")}, 3);
  for (std::uint32_t family = 0; family < 20; ++family) {
    EXPECT_EQ(group_of(member(family, {70, 20}, draws), 70, 20), family);
    EXPECT_EQ(member(family, 20, draws), family);        // every cell its own family
    EXPECT_EQ(member(family, {20, 40}, draws), family);  // a brain below the reference size
  }
  const SheetLayout sheet = SheetLayout::with_cells(800, 4, 4, 400);
  for (std::uint32_t cell = 0; cell < sheet.size(); ++cell) {
    const std::uint32_t other = sheet.member(sheet.x(cell), sheet.y(cell), draws);
    // At most the width of a family and a cell apart.
    EXPECT_NEAR(sheet.x(other), sheet.x(cell), 0.2 + 0.15);
    EXPECT_NEAR(sheet.y(other), sheet.y(cell), 0.2 + 0.15);
  }
}

}  // namespace
}  // namespace quartet
