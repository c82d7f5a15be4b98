/// Random numbers by counter: a pure function of (key, who, which draw, when), so that they do not
/// depend on the order or the rank in which cells are visited, and need no state to checkpoint.
///
/// Philox4x32-10 (Salmon et al. 2011, SC'11), as in Random123.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace quartet {

/// Which stream. Streams of different keys are independent; seeds that differ only above bit 31
/// may share streams between purposes, so seeds below 2³² are always safe.
struct RandomKey {
  std::uint64_t seed = 1;
  std::uint32_t purpose = 0;  ///< from purpose("name")
};

/// A purpose's number from its name ("L5PT.noise"): 32-bit FNV-1a.
constexpr std::uint32_t purpose(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

/// Four words of 32 random bits for cell `gid`, its `draw`th block, at `step` (of any clock).
std::array<std::uint32_t, 4> random_block(RandomKey key, std::uint32_t gid, std::uint32_t draw,
                                          std::uint64_t step);

/// Uniform in (0, 1), both ends excluded.
inline double uniform01(std::uint32_t bits) { return (static_cast<double>(bits) + 0.5) * 0x1p-32; }

/// Uniform in 0 … n−1. No value's probability is off by more than 2⁻³² (relative: n/2³²).
inline std::uint32_t random_below(std::uint32_t bits, std::uint32_t n) {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(bits) * n) >> 32);
}

/// Two independent standard normal numbers (Box & Muller 1958). They reach ±6.7.
std::array<double, 2> standard_normal_pair(std::uint32_t a, std::uint32_t b);

/// Noise for membranes: fills out[0 … 8·n_blocks) with numbers uniform over all int16 values.
/// Block b of eight cells is random_block(key, first_block + b, 0, step), low half of each word
/// first, so it depends on nothing but key, its own index and the step.
void membrane_noise(RandomKey key, std::uint64_t step, std::uint32_t first_block,
                    std::size_t n_blocks, std::int16_t* out);

}  // namespace quartet
