#include "models/random.hpp"

#include <Random123/philox.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "models/math.hpp"

namespace quartet {

namespace {

std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// Seed and purpose are 96 bits for a key of 64: the purpose goes on top of the seed's upper half.
std::uint32_t upper_key(RandomKey key) { return high(key.seed) ^ key.purpose; }

}  // namespace

std::array<std::uint32_t, 4> random_block(RandomKey key, std::uint32_t gid, std::uint32_t draw,
                                          std::uint64_t step) {
  const r123::Philox4x32::ctr_type counter = {{gid, draw, low(step), high(step)}};
  const r123::Philox4x32::key_type philox_key = {{low(key.seed), upper_key(key)}};
  const auto block = r123::Philox4x32()(counter, philox_key);
  return {block[0], block[1], block[2], block[3]};
}

std::array<double, 2> standard_normal_pair(std::uint32_t a, std::uint32_t b) {
  const double radius = std::sqrt(-2.0 * math::log(uniform01(a)));
  const double angle = 2.0 * math::pi * uniform01(b);
  return {radius * math::cos(angle), radius * math::sin(angle)};
}

void membrane_noise(RandomKey key, std::uint64_t step, std::uint32_t first_block,
                    std::size_t n_blocks, std::int16_t* out) {
  static_assert(std::endian::native == std::endian::little, "words are copied as pairs of int16");
  // The rounds of Philox written out for a batch of blocks, so that the compiler turns the loop
  // over blocks into vector instructions. A word stands in a 64-bit lane, where the products need
  // it; upper halves may hold anything and are masked where they would matter. Measured with
  // AVX-512, 0.28 ns per number; a loop over Random123's blocks takes 0.58 ns.
  constexpr std::size_t batch = 16;
  constexpr std::uint64_t mask = 0xffff'ffffu;
  std::uint64_t pairs[2 * batch];
  for (std::size_t first = 0; first < n_blocks; first += batch) {
    for (std::size_t i = 0; i < batch; ++i) {
      std::uint64_t c0 = first_block + static_cast<std::uint32_t>(first + i);
      std::uint64_t c1 = 0;
      std::uint64_t c2 = low(step);
      std::uint64_t c3 = high(step);
      std::uint32_t k0 = low(key.seed);
      std::uint32_t k1 = upper_key(key);
#pragma GCC unroll 10
      for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = (c0 & mask) * PHILOX_M4x32_0;
        const std::uint64_t p1 = (c2 & mask) * PHILOX_M4x32_1;
        c0 = (p1 >> 32) ^ c1 ^ k0;
        c1 = p1;
        c2 = (p0 >> 32) ^ c3 ^ k1;
        c3 = p0;
        k0 += PHILOX_W32_0;
        k1 += PHILOX_W32_1;
      }
      pairs[2 * i] = (c0 & mask) | (c1 << 32);
      pairs[2 * i + 1] = (c2 & mask) | (c3 << 32);
    }
    std::memcpy(out + 8 * first, pairs, 16 * std::min(batch, n_blocks - first));
  }
}

}  // namespace quartet
