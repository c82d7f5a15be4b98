#include "comm/spike_codec.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace quartet {
namespace {

enum Form : std::uint32_t { list16 = 0, list32 = 1, bitmap = 2 };

std::uint32_t read_u32(const std::byte* in) {
  std::uint32_t value;
  std::memcpy(&value, in, sizeof value);
  return value;
}

std::byte* write_u32(std::byte* out, std::uint32_t value) {
  std::memcpy(out, &value, sizeof value);
  return out + sizeof value;
}

/// Writes the ids of one substep, in order.
std::byte* pack_substep(std::span<const Spike> spikes, std::byte* out) {
  const auto count = static_cast<std::uint32_t>(spikes.size());
  if (count == 0) return write_u32(out, 0);
  const std::uint32_t first_word = spikes.front().id / 32;
  const std::uint32_t words = spikes.back().id / 32 - first_word + 1;
  const Form list = spikes.back().id <= 0xFFFFu ? list16 : list32;
  const std::uint64_t list_bytes =
      list == list16 ? std::uint64_t{4} * ((count + 1) / 2) : std::uint64_t{4} * count;

  if (list_bytes > std::uint64_t{4} * words + 8) {
    out = write_u32(out, bitmap << 30 | count);
    out = write_u32(out, first_word);
    out = write_u32(out, words);
    std::uint32_t at = first_word;
    std::uint32_t bits = 0;
    for (const Spike& spike : spikes) {
      for (; at < spike.id / 32; ++at) {
        out = write_u32(out, bits);
        bits = 0;
      }
      bits |= std::uint32_t{1} << spike.id % 32;
    }
    return write_u32(out, bits);
  }
  out = write_u32(out, list << 30 | count);
  if (list == list32) {
    for (const Spike& spike : spikes) out = write_u32(out, spike.id);
    return out;
  }
  for (std::uint32_t i = 0; i < count; i += 2) {
    const std::uint32_t second = i + 1 < count ? spikes[i + 1].id : 0;
    const std::uint16_t pair[] = {static_cast<std::uint16_t>(spikes[i].id),
                                  static_cast<std::uint16_t>(second)};
    std::memcpy(out, pair, sizeof pair);
    out += sizeof pair;
  }
  return out;
}

}  // namespace

std::uint32_t most_of_slice(const Port& port, std::size_t slices) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(port.size, port.size / slices + 8));
}

std::string check_spikes(std::span<const Spike> spikes, const Port& port, std::uint32_t cells) {
  std::uint32_t lowest = port.size;
  std::uint32_t highest = 0;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    const Spike& spike = spikes[i];
    if (spike.id >= port.size) {
      return "cell " + std::to_string(spike.id) + " of " + std::to_string(port.size);
    }
    if (spike.substep >= port.substeps) {
      return "substep " + std::to_string(spike.substep) + " of " + std::to_string(port.substeps);
    }
    if (i > 0 && !(spikes[i - 1] < spike)) {
      return "cell " + std::to_string(spike.id) + " twice in substep " +
             std::to_string(spike.substep);
    }
    lowest = std::min(lowest, spike.id);
    highest = std::max(highest, spike.id);
  }
  if (!spikes.empty() && highest - lowest >= cells) {
    return "cell " + std::to_string(highest) + ", too far from cell " + std::to_string(lowest) +
           " for a slice of " + std::to_string(cells) + " cells";
  }
  return {};
}

std::size_t packed_bound(const Port& port, std::uint32_t cells) {
  // One word more where the first cell is not the first of its word.
  const std::size_t words = (std::min(std::size_t{port.size} + 31, std::size_t{cells} + 62)) / 32;
  return port.substeps * (sizeof(std::uint32_t) * (words + 3));
}

std::size_t pack_spikes(std::span<const Spike> spikes, std::uint32_t substeps, std::byte* out) {
  std::byte* const begin = out;
  for (std::uint32_t substep = 0; substep < substeps; ++substep) {
    std::size_t count = 0;
    while (count < spikes.size() && spikes[count].substep == substep) ++count;
    out = pack_substep(spikes.first(count), out);
    spikes = spikes.subspan(count);
  }
  return static_cast<std::size_t>(out - begin);
}

bool unpack_spikes(std::span<const std::byte>& in, std::uint32_t substeps,
                   std::vector<Spike>& spikes) {
  const auto next = [&in] {
    const std::uint32_t value = read_u32(in.data());
    in = in.subspan(sizeof value);
    return value;
  };
  const auto holds = [&in](std::uint64_t words) {
    return words * sizeof(std::uint32_t) <= in.size();
  };
  for (std::uint32_t substep = 0; substep < substeps; ++substep) {
    if (!holds(1)) return false;
    const std::uint32_t head = next();
    const std::uint32_t form = head >> 30;
    const std::uint32_t count = head & 0x3FFFFFFFu;
    if (count == 0) continue;
    std::uint32_t first_word = 0;
    std::uint64_t words = form == list16 ? (count + 1) / 2 : count;
    if (form == bitmap) {
      if (!holds(2)) return false;
      first_word = next();
      words = next();
    }
    if (!holds(words) || (form == bitmap && count > 32 * words)) return false;
    const std::size_t before = spikes.size();
    spikes.resize(before + count);
    Spike* out = spikes.data() + before;
    const Spike* const end = out + count;
    if (form == bitmap) {
      for (std::uint32_t word = 0; word < words; ++word) {
        for (std::uint32_t bits = next(); bits != 0; bits &= bits - 1) {
          if (out == end) return false;
          *out++ = {32 * (first_word + word) + static_cast<std::uint32_t>(std::countr_zero(bits)),
                    substep};
        }
      }
      if (out != end) return false;
    } else if (form == list32) {
      for (std::uint32_t i = 0; i < count; ++i) *out++ = {next(), substep};
    } else {
      for (std::uint32_t i = 0; i < count; ++i) {
        std::uint16_t id;
        std::memcpy(&id, in.data() + i * sizeof id, sizeof id);
        *out++ = {id, substep};
      }
      in = in.subspan(words * sizeof(std::uint32_t));
    }
  }
  return true;
}

}  // namespace quartet
