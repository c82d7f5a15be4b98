#include "comm/spike_codec.hpp"

#include <gtest/gtest.h>

#include <set>
#include <span>

#include "comm/spike_runs.hpp"
#include "models/network.hpp"
#include "models/random.hpp"

namespace quartet {
namespace {

std::vector<Spike> random_spikes(const Port& port, std::size_t count, std::uint32_t draw) {
  std::set<Spike> spikes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bits = random_block({1, purpose("test.codec")}, i, draw, 0);
    spikes.insert({random_below(bits[0], port.size), random_below(bits[1], port.substeps)});
  }
  return {spikes.begin(), spikes.end()};
}

std::vector<Spike> round_trip(const std::vector<Spike>& spikes, const Port& port,
                              std::size_t* bytes = nullptr) {
  std::vector<std::byte> buffer(packed_bound(port, port.size) + 8, std::byte{0xAB});
  const std::size_t written = pack_spikes(spikes, port.substeps, buffer.data());
  EXPECT_LE(written, packed_bound(port, port.size));
  EXPECT_EQ(buffer[written], std::byte{0xAB});
  std::vector<Spike> back;
  std::span<const std::byte> in(buffer);
  EXPECT_TRUE(unpack_spikes(in, port.substeps, back));
  EXPECT_EQ(buffer.size() - in.size(), written);
  if (bytes != nullptr) *bytes = written;
  return back;
}

TEST(SpikeCodec, all_sizes_and_densities_come_back) {
  std::uint32_t draw = 0;
  for (const std::uint32_t size : {1u, 31u, 32u, 33u, 1000u, 65536u, 70000u}) {
    for (const std::uint32_t substeps : {1u, 4u}) {
      const Port port{"p", PortKind::spikes, size, substeps};
      for (const std::size_t count : {0u, 1u, 2u, 7u, 40u, 3000u}) {
        const auto spikes = random_spikes(port, count, ++draw);
        EXPECT_EQ(check_spikes(spikes, port, port.size), "");
        const auto back = round_trip(spikes, port);
        EXPECT_EQ(back, spikes);
        if (!spikes.empty()) {  // the comparison bites
          auto other = spikes;
          other.back().id ^= 1;
          EXPECT_NE(back, other);
        }
      }
    }
  }
}

TEST(SpikeCodec, the_smaller_form_is_taken) {
  const Port port{"p", PortKind::spikes, 100000, 1};
  std::size_t bytes = 0;
  round_trip({{5, 0}, {60000, 0}}, port, &bytes);
  EXPECT_EQ(bytes, 4u + 2 * 2);
  round_trip({{5, 0}, {99999, 0}}, port, &bytes);
  EXPECT_EQ(bytes, 4u + 2 * 4);
  std::vector<Spike> dense;
  for (std::uint32_t id = 70000; id < 70640; ++id) dense.push_back({id, 0});
  round_trip(dense, port, &bytes);
  EXPECT_EQ(bytes, 12u + 4 * 21);  // a bitmap of the range, not of the port
}

TEST(SpikeCodec, what_is_cut_off_or_miscounted_is_not_read) {
  const auto reads = [](std::vector<std::byte> exact) {  // what is read beyond it, sanitizers see
    std::vector<Spike> spikes;
    std::span<const std::byte> in(exact);
    return unpack_spikes(in, 2, spikes);
  };
  for (const std::uint32_t size : {100u, 70000u}) {
    for (const std::size_t count : {1u, 5u, 60u, 9000u}) {  // lists and bitmaps
      const Port port{"p", PortKind::spikes, size, 2};
      const std::vector<Spike> spikes = random_spikes(port, count, size);
      std::vector<std::byte> bytes(packed_bound(port, size));
      bytes.resize(pack_spikes(spikes, 2, bytes.data()));
      EXPECT_TRUE(reads(bytes));
      for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 100) {
        EXPECT_FALSE(reads({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)}));
      }
    }
  }
  const auto with = [&](std::vector<std::uint32_t> words) {
    const auto bytes = std::as_bytes(std::span(words));
    return reads({bytes.begin(), bytes.end()});
  };
  constexpr std::uint32_t bitmap = 2u << 30;
  EXPECT_TRUE(with({bitmap | 3, 0, 1, 0b111, 0}));
  EXPECT_FALSE(with({bitmap | 2, 0, 1, 0b111, 0}));            // fewer than there are
  EXPECT_FALSE(with({bitmap | 4, 0, 1, 0b111, 0}));            // more
  EXPECT_FALSE(with({bitmap | 33, 0, 1, 0xFFFFFFFFu, 0}));     // more than words have bits
  EXPECT_FALSE(with({bitmap | 3, 0, 0xFFFFFFFFu, 0b111, 0}));  // as many words as can be told
  EXPECT_FALSE(with({1u << 30 | 0x3FFFFFFFu, 0, 0}));          // as many spikes
}

TEST(SpikeCodec, wrong_spikes_are_named) {
  const Port port{"p", PortKind::spikes, 10, 2};
  const auto wrong = [&](const std::vector<Spike>& spikes) {
    return check_spikes(spikes, port, 8);
  };
  EXPECT_EQ(wrong({{10, 0}}), "cell 10 of 10");
  EXPECT_EQ(wrong({{1, 2}}), "substep 2 of 2");
  EXPECT_EQ(wrong({{1, 1}, {1, 1}}), "cell 1 twice in substep 1");
  EXPECT_EQ(wrong({{9, 0}, {2, 1}}), "");
  EXPECT_EQ(wrong({{9, 0}, {1, 1}}), "cell 9, too far from cell 1 for a slice of 8 cells");
}

TEST(SpikeCodec, a_slice_of_which_every_cell_fires_in_every_substep_fits_its_bound) {
  for (const std::uint32_t size : {1u, 8u, 20u, 33u, 300u, 1000u, 70000u}) {
    const Port port{"p", PortKind::spikes, size, 4};
    for (int slices = 1; slices <= 40; ++slices) {
      const std::uint32_t most = most_of_slice(port, static_cast<std::size_t>(slices));
      const std::size_t bound = packed_bound(port, most);
      std::vector<std::byte> buffer(packed_bound(port, size));
      for (int slice = 0; slice < slices; ++slice) {
        const std::uint32_t first = Network::first_of_slice(size, slice, slices);
        const std::uint32_t end = Network::first_of_slice(size, slice + 1, slices);
        EXPECT_LE(end - first, most);
        // All cells: bitmaps. Every second and the outermost: lists that just pay.
        for (const std::uint32_t stride : {1u, 2u, 15u, 16u, 17u}) {
          std::vector<Spike> spikes;
          for (std::uint32_t substep = 0; substep < port.substeps; ++substep) {
            for (std::uint32_t id = first; id < end; ++id) {
              if (id % stride == 0 || id + 1 == end) spikes.push_back({id, substep});
            }
          }
          EXPECT_EQ(check_spikes(spikes, port, most), "");
          EXPECT_LE(pack_spikes(spikes, port.substeps, buffer.data()), bound);
        }
      }
    }
    EXPECT_LE(packed_bound(port, most_of_slice(port, 10)), packed_bound(port, size));
  }
  const Port port{"p", PortKind::spikes, 70000, 4};
  EXPECT_LT(packed_bound(port, most_of_slice(port, 10)), packed_bound(port, 70000) / 9);
}

TEST(SpikeRuns, runs_of_slices_merge_into_canonical_order) {
  const Port port{"p", PortKind::spikes, 500, 4};
  for (std::uint32_t slices = 1; slices <= 9; ++slices) {
    const auto all = random_spikes(port, 300, 1000 + slices);
    SpikeRuns runs;
    std::vector<Spike> scratch;
    for (std::uint32_t slice = slices; slice-- > 0;) {
      for (const Spike& spike : all) {
        if (spike.id % slices == slice) runs.spikes().push_back(spike);
      }
      runs.end_run();
      runs.end_run();  // an empty run changes nothing
    }
    runs.merge(scratch);
    EXPECT_EQ(runs.spikes(), all);
    runs.merge(scratch);
    EXPECT_EQ(runs.spikes(), all);
  }
}

TEST(SpikeRuns, runs_that_go_on_with_one_another_merge_with_those_that_do_not) {
  SpikeRuns runs;
  std::vector<Spike> scratch;
  for (const std::vector<Spike>& run : {std::vector<Spike>{{0, 0}, {1, 0}},
                                        {{2, 0}, {1, 1}},
                                        {{4, 0}, {5, 0}},
                                        {{6, 0}},
                                        {{3, 0}},
                                        {{2, 1}}}) {
    runs.spikes().insert(runs.spikes().end(), run.begin(), run.end());
    runs.end_run();
  }
  runs.merge(scratch);
  const std::vector<Spike> expected = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0},
                                       {5, 0}, {6, 0}, {1, 1}, {2, 1}};
  EXPECT_EQ(runs.spikes(), expected);
}

}  // namespace
}  // namespace quartet
