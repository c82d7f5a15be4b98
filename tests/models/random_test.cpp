#include "models/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

namespace quartet {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Known answers of Philox4x32-10 from Random123's kat_vectors.
TEST(Random, KnownAnswers) {
  EXPECT_EQ(random_block({0, 0}, 0, 0, 0), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(random_block({~0ull, 0}, ~0u, ~0u, ~0ull),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(random_block({0x299f31d0'a4093822, 0}, 0x243f6a88, 0x85a308d3, 0x03707344'13198a2e),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
  EXPECT_NE(random_block({1, 0}, 0, 0, 0), random_block({0, 0}, 0, 0, 0));
}

TEST(Random, EveryArgumentSeparatesStreams) {
  std::set<Block> blocks;
  std::size_t count = 0;
  for (std::uint64_t seed : {0ull, 1ull, 2ull}) {
    for (std::uint32_t name : {purpose("noise"), purpose("connectivity"), purpose("weights")}) {
      for (std::uint32_t gid = 0; gid < 5; ++gid) {
        for (std::uint32_t draw = 0; draw < 5; ++draw) {
          for (std::uint64_t step : {0ull, 1ull, 1ull << 32, 1ull << 33}) {
            blocks.insert(random_block({seed, name}, gid, draw, step));
            ++count;
          }
        }
      }
    }
  }
  EXPECT_EQ(blocks.size(), count);
}

TEST(Random, PurposesAreKnownAtCompileTime) {
  static_assert(purpose("") == 0x811c9dc5u);
  static_assert(purpose("foobar") == 0xbf9cf968u);  // FNV-1a's published test vector
  static_assert(purpose("foobaz") != purpose("foobar"));
}

TEST(Random, UniformStaysInsideTheInterval) {
  EXPECT_GT(uniform01(0), 0.0);
  EXPECT_LT(uniform01(~0u), 1.0);
}

TEST(Random, BelowCoversItsRange) {
  EXPECT_EQ(random_below(0, 10), 0u);
  EXPECT_EQ(random_below(~0u, 10), 9u);
  EXPECT_EQ(random_below(~0u, 1), 0u);
  std::vector<int> counts(6);
  for (std::uint32_t i = 0; i < 15000; ++i) {
    for (const std::uint32_t bits : random_block({7, purpose("dice")}, i, 0, 0)) {
      ++counts[random_below(bits, 6)];
    }
  }
  for (const int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000 * 5 / 6.0));
}

/// Means of the powers of values with mean 0 and variance 1, and of products of neighbours.
struct Moments {
  double mean = 0, square = 0, cube = 0, fourth = 0, neighbour = 0;
};

template <class Values>
Moments moments(const Values& values) {
  Moments m;
  double previous = 0;
  for (const double x : values) {
    m.mean += x;
    m.square += x * x;
    m.cube += x * x * x;
    m.fourth += x * x * x * x;
    m.neighbour += x * previous;
    previous = x;
  }
  const double n = static_cast<double>(values.size());
  return {m.mean / n, m.square / n, m.cube / n, m.fourth / n, m.neighbour / n};
}

constexpr std::uint32_t blocks = 50000;
const double error = 5.0 / std::sqrt(4.0 * blocks);  // five standard errors of a unit variance

TEST(Random, UniformHasItsMoments) {
  std::vector<double> values;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    for (const std::uint32_t bits : random_block({3, purpose("uniform")}, i, 0, 9)) {
      values.push_back((uniform01(bits) - 0.5) * std::sqrt(12.0));
    }
  }
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 0.0, error);
  EXPECT_NEAR(m.square, 1.0, error * std::sqrt(0.8));
  EXPECT_NEAR(m.cube, 0.0, error * std::sqrt(27.0 / 7));
  EXPECT_NEAR(m.fourth, 1.8, error * std::sqrt(9.0 - 1.8 * 1.8));
  EXPECT_NEAR(m.neighbour, 0.0, error);
}

TEST(Random, NormalHasItsMoments) {
  std::vector<double> values;
  for (std::uint32_t i = 0; i < blocks; ++i) {
    const Block block = random_block({3, purpose("normal")}, i, 0, 9);
    for (const double x : standard_normal_pair(block[0], block[1])) values.push_back(x);
    for (const double x : standard_normal_pair(block[2], block[3])) values.push_back(x);
  }
  const Moments m = moments(values);
  EXPECT_NEAR(m.mean, 0.0, error);
  EXPECT_NEAR(m.square, 1.0, error * std::sqrt(2.0));
  EXPECT_NEAR(m.cube, 0.0, error * std::sqrt(15.0));
  EXPECT_NEAR(m.fourth, 3.0, error * std::sqrt(96.0));
  EXPECT_NEAR(m.neighbour, 0.0, error);

  for (double& x : values) x = 1.02 * x + 0.02;
  const Moments wrong = moments(values);
  EXPECT_GT(std::abs(wrong.mean), error);
  EXPECT_GT(std::abs(wrong.square - 1.0), error * std::sqrt(2.0));
}

TEST(Random, NormalHasTheSameBitsEverywhere) {
  const auto pair = standard_normal_pair(0x6627e8d5, 0xe169c58d);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(pair[0]), 0x3fefb7665e244c5eu);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(pair[1]), 0xbfed96d5febb766fu);
}

TEST(Random, NormalIsFiniteAtTheEnds) {
  for (const std::uint32_t a : {0u, ~0u}) {
    for (const std::uint32_t b : {0u, ~0u, 1u << 30, 1u << 31}) {
      for (const double x : standard_normal_pair(a, b)) EXPECT_LT(std::abs(x), 6.8);
    }
  }
}

std::vector<std::int16_t> noise(RandomKey key, std::uint64_t step, std::uint32_t first,
                                std::size_t count) {
  std::vector<std::int16_t> out(8 * count);
  membrane_noise(key, step, first, count, out.data());
  return out;
}

TEST(MembraneNoise, IsRandom123s) {
  const RandomKey key{0x1234'5678'9abc'def0, purpose("noise")};
  const std::uint64_t step = 0x7'0000'0003;
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 100u}) {
    for (const std::uint32_t first : {0u, 5u, 0xffff'fff0u}) {
      std::vector<std::int16_t> expected;
      for (std::size_t b = 0; b < count; ++b) {
        for (const std::uint32_t word :
             random_block(key, first + static_cast<std::uint32_t>(b), 0, step)) {
          expected.push_back(static_cast<std::int16_t>(word & 0xffff));
          expected.push_back(static_cast<std::int16_t>(word >> 16));
        }
      }
      EXPECT_EQ(noise(key, step, first, count), expected);
    }
  }
}

TEST(MembraneNoise, DoesNotDependOnTheSlice) {
  const RandomKey key{1, purpose("noise")};
  const auto whole = noise(key, 4, 0, 40);
  const auto part = noise(key, 4, 13, 20);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 8 * 13));
  EXPECT_FALSE(std::equal(part.begin(), part.end(), whole.begin() + 8 * 12));
  EXPECT_NE(noise(key, 5, 0, 40), whole);
  EXPECT_NE(noise({2, purpose("noise")}, 4, 0, 40), whole);
}

TEST(MembraneNoise, WritesNothingPastItsEnd) {
  std::vector<std::int16_t> out(8 * 3 + 1, 77);
  membrane_noise({1, 2}, 3, 0, 3, out.data());
  EXPECT_EQ(out.back(), 77);
}

TEST(MembraneNoise, IsUniform) {
  const auto values = noise({9, purpose("noise")}, 1, 0, 20000);
  double sum = 0, squares = 0;
  std::vector<int> bins(256);
  for (const std::int16_t value : values) {
    const double x = (value + 0.5) / 32768.0;
    sum += x;
    squares += x * x;
    ++bins[static_cast<std::uint16_t>(value) >> 8];
  }
  const double n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0.0, 5 / std::sqrt(3 * n));
  EXPECT_NEAR(squares / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
  for (const int count : bins) EXPECT_NEAR(count, n / 256, 5.5 * std::sqrt(n / 256));
}

}  // namespace
}  // namespace quartet
