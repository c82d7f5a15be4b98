#include "tests/comm/fake_brain.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "models/random.hpp"

namespace quartet {
namespace {

constexpr std::array<Tract, 13> tracts = {{
    {"pt_to_cerebellum", "cortex", "PT", "cerebellum", 4, ""},
    {"pt_to_body", "cortex", "PT", "body", 8, ""},
    {"ct_to_thalamus", "cortex", "CT", "thalamus", 4, ""},
    {"it_to_striatum", "cortex", "IT", "basal_ganglia", 3, ""},
    {"vl_to_cortex", "thalamus", "VL", "cortex", 3, ""},
    {"vl_to_striatum", "thalamus", "VL", "basal_ganglia", 4, ""},
    {"dcn_to_thalamus", "cerebellum", "DCN", "thalamus", 2, ""},
    {"gpi_to_thalamus", "basal_ganglia", "GPi", "thalamus", 3, ""},
    {"snc_to_cortex", "basal_ganglia", "SNc", "cortex", 10, ""},
    {"critic_to_thalamus", "basal_ganglia", "critic", "thalamus", 5, ""},
    {"senses_to_cortex", "body", "senses", "cortex", 2, ""},
    {"senses_to_cerebellum", "body", "senses", "cerebellum", 3, ""},
    {"senses_to_basal_ganglia", "body", "senses", "basal_ganglia", 2, ""},
}};

std::vector<RegionPorts> build_ports() {
  std::vector<RegionPorts> ports = {
      {"cortex",
       {},
       {{"PT", PortKind::spikes, 300, 4},
        {"CT", PortKind::spikes, 1000, 4},     // dense: bitmaps
        {"IT", PortKind::spikes, 70000, 2}}},  // ids beyond 16 bits
      {"cerebellum", {}, {{"DCN", PortKind::spikes, 100, 1}}},
      {"basal_ganglia",
       {},
       {{"GPi", PortKind::spikes, 64, 2},
        {"SNc", PortKind::spikes, 20, 2},
        {"critic", PortKind::analog, 3, 1}}},
      {"thalamus", {}, {{"VL", PortKind::spikes, 200, 2}}},
      {"body", {}, {{"senses", PortKind::analog, 6, 1}}},
  };
  for (RegionPorts& region : ports) {
    // Inputs not in the order of the tracts.
    for (auto tract = tracts.rbegin(); tract != tracts.rend(); ++tract) {
      if (tract->to != region.region) continue;
      for (const RegionPorts& from : ports) {
        for (const Port& port : from.outputs) {
          if (from.region != tract->from || port.name != tract->out_port) continue;
          region.inputs.push_back(port);
          region.inputs.back().name = std::string(tract->name);
        }
      }
    }
  }
  return ports;
}

std::vector<Spike> random_spikes(std::string_view name, Step t, std::uint32_t count,
                                 std::uint32_t size, std::uint32_t substeps) {
  std::vector<Spike> spikes;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bits = random_block({1, purpose(name)}, i, 0, static_cast<std::uint64_t>(t));
    spikes.push_back({random_below(bits[0], size), random_below(bits[1], substeps)});
  }
  std::sort(spikes.begin(), spikes.end());
  spikes.erase(std::unique(spikes.begin(), spikes.end()), spikes.end());
  return spikes;
}

/// The contiguous range of cells that a slice owns.
std::vector<Spike> own(const std::vector<Spike>& all, std::uint32_t size,
                       const HostedSlice& slice) {
  const auto bound = [&](int i) {
    return static_cast<std::uint64_t>(size) * static_cast<std::uint64_t>(i) /
           static_cast<std::uint64_t>(slice.slices);
  };
  std::vector<Spike> mine;
  for (const Spike& spike : all) {
    if (spike.id >= bound(slice.slice) && spike.id < bound(slice.slice + 1)) mine.push_back(spike);
  }
  return mine;
}

constexpr std::uint32_t recurrent_size = 4000;

const RegionPorts& ports_of(std::string_view region) {
  for (const RegionPorts& ports : fake_ports()) {
    if (ports.region == region) return ports;
  }
  throw std::out_of_range("no such region");
}

}  // namespace

std::span<const Tract> fake_tracts() { return tracts; }

const std::vector<RegionPorts>& fake_ports() {
  static const std::vector<RegionPorts> ports = build_ports();
  return ports;
}

std::vector<Spike> emitted(const Port& port, Step t) {
  if (t < 0 || t % 7 == 3) return {};  // silence
  const std::uint32_t burst = t % 5 == 0 ? 4 : 1;
  const std::uint32_t count = port.name == "CT" ? 500 * burst : 10 * burst;
  return random_spikes(port.name, t, count, port.size, port.substeps);
}

std::vector<double> emitted_values(const Port& port, Step t) {
  std::vector<double> values(port.size, 0.0);
  if (t < 0) return values;
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(t) / 3.0 - static_cast<double>(i);
  }
  return values;
}

std::vector<Spike> recurrent(std::string_view region, Step t, int call) {
  // Now and then more than a message holds.
  const std::uint32_t count = (t + call) % 16 == 0 ? 5000u : 20u;
  return random_spikes(std::string(region) + std::to_string(call), t, count, recurrent_size, 4);
}

Placement random_placement(int ranks, std::uint32_t seed) {
  const auto draw = [&](std::uint32_t who, std::uint32_t n) {
    return random_below(random_block({seed, purpose("test.placement")}, who, 0, 0)[0], n);
  };
  std::map<std::string, std::vector<int>> where;
  std::vector<bool> busy(static_cast<std::size_t>(ranks), false);
  std::uint32_t who = 0;
  for (const std::string_view region : region_names()) {
    std::vector<int> order(static_cast<std::size_t>(ranks));
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i] = static_cast<int>(i);
      std::swap(order[i], order[draw(++who, static_cast<std::uint32_t>(i) + 1)]);
    }
    order.resize(region == "body" ? 1 : 1 + draw(++who, 3) % static_cast<std::uint32_t>(ranks));
    for (const int rank : order) busy[static_cast<std::size_t>(rank)] = true;
    where[std::string(region)] = order;
  }
  for (int rank = 0; rank < ranks; ++rank) {
    if (!busy[static_cast<std::size_t>(rank)]) where["cortex"].push_back(rank);
  }
  std::string text;
  for (const auto& [region, order] : where) {
    text += " " + region;
    for (std::size_t i = 0; i < order.size(); ++i) {
      text += i == 0 ? ":" : ",";
      text += std::to_string(order[i]);
    }
  }
  return Placement::parse(text, ranks);
}

FakeBrain::FakeBrain(Communicator& communicator, const Placement& placement,
                     std::span<const TractLesion> lesions)
    : exchange(communicator, placement, fake_tracts(), fake_ports(), lesions),
      hosted_(placement.hosted_by(communicator.rank())) {}

void FakeBrain::run(Step end) {
  for (Step t = exchange.step(); t < end && t < exchange.stop_step(); ++t) {
    exchange.receive(t);
    for (const HostedSlice& slice : hosted_) advance(slice, t);
    each_step(t);
    exchange.send(t);
  }
}

void FakeBrain::run_or_fail(Step end) {
  exchange.run_or_fail([&] { run(end); });
}

void FakeBrain::advance(const HostedSlice& slice, Step t) {
  const RegionPorts& ports = ports_of(slice.region);
  const Inbox& inbox = exchange.inbox(slice.region);
  for (std::size_t i = 0; i < ports.inputs.size(); ++i) {
    const Port& input = ports.inputs[i];
    const auto tract = std::find_if(tracts.begin(), tracts.end(),
                                    [&](const Tract& other) { return other.name == input.name; });
    Port sender = input;
    sender.name = std::string(tract->out_port);
    const Step sent = t - tract->delay_ms;
    const auto spikes = inbox.spikes(i);
    if (slice.slice == 0) {
      auto& list = arrived[input.name];
      list.insert(list.end(), spikes.begin(), spikes.end());
    }
    if (unchecked.contains(input.name)) continue;
    if (input.kind == PortKind::spikes) {
      const auto expected = emitted(sender, sent);
      const bool same = std::equal(spikes.begin(), spikes.end(), expected.begin(), expected.end());
      wrong += same ? 0 : 1;
      checked += same ? static_cast<std::int64_t>(spikes.size()) : 0;
    } else {
      const auto values = inbox.analog(i);
      const auto expected = emitted_values(sender, sent);
      wrong += !std::equal(values.begin(), values.end(), expected.begin(), expected.end());
    }
  }

  Peers& peers = exchange.peers(slice.region);
  for (int call = 0; call < 4; ++call) {
    const auto all = recurrent(slice.region, t, call);
    auto spikes = own(all, recurrent_size, slice);
    if (call == 3) std::reverse(spikes.begin(), spikes.end());
    peers.all_gather(spikes);
    wrong += spikes != all;
  }

  Outbox& outbox = exchange.outbox(slice.region);
  for (std::size_t i = 0; i < ports.outputs.size(); ++i) {
    const Port& output = ports.outputs[i];
    if (output.kind == PortKind::analog) {
      if (slice.slice != 0) continue;
      const auto values = emitted_values(output, t);
      std::copy(values.begin(), values.end(), outbox.analog(i).begin());
      continue;
    }
    auto spikes = own(emitted(output, t), output.size, slice);
    if (drops_a_spike && t == 9 && output.name == "PT" && slice.slice == 0) spikes.pop_back();
    if (t % 2 == 0) std::reverse(spikes.begin(), spikes.end());
    outbox.spikes(i) = spikes;
  }
}

std::uint64_t MemoryState::length(std::string_view name) {
  return arrays.find(name)->second.size() / 4;  // only asked for u32
}

void MemoryState::put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t,
                      const void* data, std::uint64_t count) {
  if (count != length) throw std::logic_error("shared arrays are whole");
  const auto* begin = static_cast<const std::byte*>(data);
  if (!arrays.emplace(name, Bytes(begin, begin + count * state_type_size(type))).second) {
    throw std::logic_error("an array is written twice");
  }
}

void MemoryState::get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t,
                      void* data, std::uint64_t count) {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw std::runtime_error(std::string(name) + " is missing");
  if (found->second.size() != length * state_type_size(type)) {
    throw std::runtime_error(std::string(name) + " has another length");
  }
  if (count > 0) std::memcpy(data, found->second.data(), found->second.size());
}

MemoryState save_all(Communicator& communicator, Exchange& exchange, const Placement& placement) {
  exchange.quiesce();
  Bytes mine;
  const auto append = [&mine](const void* data, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    mine.insert(mine.end(), begin, begin + size);
  };
  for (const HostedSlice& slice : placement.hosted_by(communicator.rank())) {
    MemoryState state(slice.slice == 0);
    exchange.save(slice.region, state);
    for (const auto& [name, bytes] : state.arrays) {
      const std::uint64_t sizes[] = {name.size(), bytes.size()};
      append(sizes, sizeof sizes);
      append(name.data(), name.size());
      append(bytes.data(), bytes.size());
    }
  }
  Bytes everything;
  for (const Bytes& part : communicator.gather("state", 0, mine)) {
    everything.insert(everything.end(), part.begin(), part.end());
  }
  communicator.broadcast("state", 0, everything);
  MemoryState all(true);
  for (const std::byte* at = everything.data(); at != everything.data() + everything.size();) {
    std::uint64_t sizes[2];
    std::memcpy(sizes, at, sizeof sizes);
    at += sizeof sizes;
    const std::string name(reinterpret_cast<const char*>(at), sizes[0]);
    at += sizes[0];
    all.arrays[name] = Bytes(at, at + sizes[1]);
    at += sizes[1];
  }
  return all;
}

void load_all(Communicator& communicator, Exchange& exchange, const Placement& placement, Step t,
              MemoryState& state) {
  for (const HostedSlice& slice : placement.hosted_by(communicator.rank())) {
    exchange.load(slice.region, t, state);
  }
}

}  // namespace quartet
