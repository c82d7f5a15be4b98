#include "comm/rank_distances.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "comm/placement.hpp"
#include "models/random.hpp"
#include "regions/atlas.hpp"
#include "tests/comm/fake_brain.hpp"

namespace quartet {
namespace {

constexpr int far_away = RankDistances::unreachable;

/// The same rank by rank: delays and all shortest ways.
struct ByRank {
  std::vector<std::vector<int>> delay, distance;
  int longest = 0;

  ByRank(int ranks, std::span<const RankTract> tracts)
      : delay(static_cast<std::size_t>(ranks),
              std::vector<int>(static_cast<std::size_t>(ranks), far_away)) {
    for (const RankTract& tract : tracts) {
      for (const int from : tract.from) {
        for (const int to : tract.to) {
          int& shortest = delay[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
          if (from != to) shortest = std::min(shortest, tract.delay);
        }
      }
    }
    find_distances();
    if (longest < far_away) return;
    for (std::size_t a = 0; a < delay.size(); ++a) {
      for (std::size_t b = 0; b < delay.size(); ++b) {
        if (a != b && delay[a][b] == far_away) delay[a][b] = RankDistances::control_delay;
      }
    }
    find_distances();
  }

  void find_distances() {
    const std::size_t n = delay.size();
    distance = delay;
    longest = 0;
    for (std::size_t i = 0; i < n; ++i) distance[i][i] = 0;
    for (std::size_t via = 0; via < n; ++via) {
      for (std::size_t a = 0; a < n; ++a) {
        for (std::size_t b = 0; b < n; ++b) {
          distance[a][b] = std::min(distance[a][b], distance[a][via] + distance[via][b]);
        }
      }
    }
    for (const auto& row : distance) {
      longest = std::max(longest, *std::max_element(row.begin(), row.end()));
    }
  }
};

void expect_the_same(int ranks, std::span<const RankTract> tracts) {
  const RankDistances distances(ranks, tracts);
  const ByRank expected(ranks, tracts);
  EXPECT_EQ(distances.longest(), expected.longest);
  for (int a = 0; a < ranks; ++a) {
    for (int b = 0; b < ranks; ++b) {
      const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
      EXPECT_EQ(distances.delay(a, b), expected.delay[i][j]) << a << " to " << b;
      EXPECT_EQ(distances.distance(a, b), expected.distance[i][j]) << a << " to " << b;
      std::vector<std::size_t> between;
      for (std::size_t tract = 0; tract < tracts.size(); ++tract) {
        const auto has = [](std::span<const int> list, int rank) {
          return std::find(list.begin(), list.end(), rank) != list.end();
        };
        if (a != b && has(tracts[tract].from, a) && has(tracts[tract].to, b)) {
          between.push_back(tract);
        }
      }
      EXPECT_EQ(distances.between(a, b), between) << a << " to " << b;
    }
  }
}

/// The tracts of an atlas on a placement; of `analog` regions slice 0 alone sends.
std::vector<RankTract> on_ranks(const Placement& placement, std::span<const Tract> tracts) {
  std::vector<RankTract> result;
  for (const Tract& tract : tracts) {
    const auto from = placement.ranks_of(tract.from);
    const bool analog = tract.out_port == "critic" || tract.out_port == "senses";
    result.push_back({analog ? from.first(1) : from, placement.ranks_of(tract.to), tract.delay_ms});
  }
  return result;
}

TEST(RankDistances, are_those_of_all_ranks_on_placements) {
  for (int ranks = 1; ranks <= 12; ++ranks) {
    for (const auto tracts : {fake_tracts(), atlas()}) {
      expect_the_same(ranks, on_ranks(Placement::standard(ranks), tracts));
      for (std::uint32_t seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE(random_placement(ranks, seed).to_string());
        const Placement placement = random_placement(ranks, seed);
        expect_the_same(ranks, on_ranks(placement, tracts));
      }
    }
  }
}

TEST(RankDistances, are_those_of_all_ranks_on_any_tracts) {
  int connected = 0, unconnected = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    std::uint32_t drawn = 0;
    const auto draw = [&](std::uint32_t n) {
      return static_cast<int>(
          random_below(random_block({seed, purpose("test.tracts")}, ++drawn, 0, 0)[0], n));
    };
    const int ranks = 1 + draw(9);
    const int count = 1 + draw(6);
    std::vector<std::vector<int>> ends(2 * static_cast<std::size_t>(count));
    for (auto& list : ends) {
      for (int rank = 0; rank < ranks; ++rank) {
        if (draw(3) == 0) list.push_back(rank);
      }
    }
    std::vector<RankTract> tracts;
    for (std::size_t i = 0; i < ends.size(); i += 2) {
      tracts.push_back({ends[i], ends[i + 1], 2 + draw(9)});
    }
    SCOPED_TRACE(seed);
    expect_the_same(ranks, tracts);
    int direct = 0;
    for (int to = 1; to < ranks; ++to)
      direct += !RankDistances(ranks, tracts).between(0, to).empty();
    ++(direct > 0 ? connected : unconnected);
  }
  EXPECT_GT(connected, 50);
  EXPECT_GT(unconnected, 50);
}

TEST(RankDistances, of_thousands_of_ranks_are_found_at_once) {
  const Placement many = Placement::standard(7503), few = Placement::standard(13);
  const RankDistances distances(7503, on_ranks(many, atlas()));
  EXPECT_EQ(distances.longest(), RankDistances(13, on_ranks(few, atlas())).longest());
  EXPECT_EQ(distances.delay(0, 7502), 8);      // corticospinal
  EXPECT_EQ(distances.distance(1, 0), 4 + 3);  // through the thalamus
}

}  // namespace
}  // namespace quartet
