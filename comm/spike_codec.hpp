/// Spikes of one port and timestep as bytes: for each substep the ids as a sorted list or as a
/// bitmap between the first and the last, whichever is smaller.
///
/// A substep is a head, u32 form << 30 | count, and then, where count > 0,
///   form 0: count × u16, padded to 4 bytes;
///   form 1: count × u32;
///   form 2: u32 index of the first word, u32 number of words, words (bit i of word w: id 32 w +
///   i).
/// In the byte order of the machine, which the handshake compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/signal.hpp"

namespace quartet {

/// The most cells of `port` that one of `slices` slices has: ids without a gap, and slices meet at
/// multiples of 8 cells.
std::uint32_t most_of_slice(const Port& port, std::size_t slices);

/// What is wrong with `spikes` as those of `port` in one timestep, in canonical order: an id or
/// substep out of range, one spike twice, or ids further apart than those of `cells` cells in a
/// row. Empty: nothing.
std::string check_spikes(std::span<const Spike> spikes, const Port& port, std::uint32_t cells);

/// The most bytes that pack_spikes writes for `cells` cells of `port` in a row, however they fire.
std::size_t packed_bound(const Port& port, std::uint32_t cells);

/// Writes valid spikes in canonical order to `out`; returns the number of bytes.
std::size_t pack_spikes(std::span<const Spike> spikes, std::uint32_t substeps, std::byte* out);

/// Appends the spikes that pack_spikes wrote and moves `in` behind them; false where `in` ends
/// before they do, or holds another number of them than it says.
bool unpack_spikes(std::span<const std::byte>& in, std::uint32_t substeps,
                   std::vector<Spike>& spikes);

}  // namespace quartet
