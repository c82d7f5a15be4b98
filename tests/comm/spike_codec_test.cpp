#include "comm/spike_codec.hpp"

#include <gtest/gtest.h>

#include <set>

#include "comm/spike_runs.hpp"
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
  std::vector<std::byte> buffer(packed_bound(port) + 8, std::byte{0xAB});
  const std::size_t written = pack_spikes(spikes, port.substeps, buffer.data());
  EXPECT_LE(written, packed_bound(port));
  EXPECT_EQ(buffer[written], std::byte{0xAB});
  std::vector<Spike> back;
  EXPECT_EQ(unpack_spikes(buffer.data(), port.substeps, back), written);
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
        EXPECT_EQ(check_spikes(spikes, port), "");
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

TEST(SpikeCodec, wrong_spikes_are_named) {
  const Port port{"p", PortKind::spikes, 10, 2};
  EXPECT_EQ(check_spikes(std::vector<Spike>{{10, 0}}, port), "cell 10 of 10");
  EXPECT_EQ(check_spikes(std::vector<Spike>{{1, 2}}, port), "substep 2 of 2");
  EXPECT_EQ(check_spikes(std::vector<Spike>{{1, 1}, {1, 1}}, port), "cell 1 twice in substep 1");
}

TEST(SpikeRuns, runs_of_slices_merge_into_canonical_order) {
  const Port port{"p", PortKind::spikes, 500, 4};
  for (std::uint32_t slices = 1; slices <= 5; ++slices) {
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

}  // namespace
}  // namespace quartet
