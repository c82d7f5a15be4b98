/// What a timestep of the exchange costs, without any work in the regions:
///   mpirun -n 4 exchange_bench [steps] [placement]
/// All tracts of the atlas carry the spikes of ports of the shipped brain's order of size, firing
/// at 1, 20 and 200 spikes/s; slices of split regions gather spikes four times a timestep. Prints
/// µs per timestep (the slowest rank's time) and the bytes of all tracts. Only an idle machine
/// gives numbers that mean anything.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "comm/exchange.hpp"
#include "comm/mpi_communicator.hpp"
#include "models/random.hpp"

namespace {

using namespace quartet;

constexpr int patterns = 64;  // timesteps of spikes, made beforehand, over and over

const std::map<std::string_view, Port> out_ports = {
    {"PPC", {"PPC", PortKind::spikes, 1000, 4}},    {"PMd", {"PMd", PortKind::spikes, 1000, 4}},
    {"L5PT", {"L5PT", PortKind::spikes, 1000, 4}},  {"L6CT", {"L6CT", PortKind::spikes, 1000, 4}},
    {"VL", {"VL", PortKind::spikes, 400, 2}},       {"VA", {"VA", PortKind::spikes, 400, 2}},
    {"DCN", {"DCN", PortKind::spikes, 100, 1}},     {"IO", {"IO", PortKind::spikes, 100, 1}},
    {"GPi", {"GPi", PortKind::spikes, 100, 1}},     {"SNc", {"SNc", PortKind::spikes, 50, 1}},
    {"senses", {"senses", PortKind::analog, 16, 1}}};

std::vector<RegionPorts> atlas_ports() {
  std::vector<RegionPorts> ports;
  for (const std::string_view name : region_names()) {
    RegionPorts region{std::string(name), {}, {}};
    for (const Tract& tract : atlas()) {
      Port port = out_ports.at(tract.out_port);
      const bool known = std::any_of(region.outputs.begin(), region.outputs.end(),
                                     [&](const Port& other) { return other.name == port.name; });
      if (tract.from == name && !known) region.outputs.push_back(port);
      port.name = std::string(tract.name);
      if (tract.to == name) region.inputs.push_back(port);
    }
    ports.push_back(std::move(region));
  }
  return ports;
}

/// This slice's spikes of `port` at `rate` spikes/s per cell.
std::vector<Spike> make_spikes(const Port& port, const HostedSlice& slice, double rate, int t) {
  std::vector<Spike> spikes;
  const auto first = port.size * static_cast<std::uint32_t>(slice.slice) /
                     static_cast<std::uint32_t>(slice.slices);
  const auto last = port.size * static_cast<std::uint32_t>(slice.slice + 1) /
                    static_cast<std::uint32_t>(slice.slices);
  for (std::uint32_t id = first; id < last; ++id) {
    const auto bits = random_block({1, purpose(port.name)}, id, 0, static_cast<std::uint64_t>(t));
    if (uniform01(bits[0]) < rate / 1000.0) spikes.push_back({id, bits[1] % port.substeps});
  }
  std::sort(spikes.begin(), spikes.end());
  return spikes;
}

int bench(Communicator& world, Step steps, const Placement& placement) {
  const std::vector<RegionPorts> ports = atlas_ports();
  const auto hosted = placement.hosted_by(world.rank());
  if (world.rank() == 0) std::printf("placement %s\n", placement.to_string().c_str());
  for (const double rate : {1.0, 20.0, 200.0}) {
    Exchange exchange(world, placement, atlas(), ports);
    // [hosted slice][output port][pattern]
    std::vector<std::vector<std::vector<std::vector<Spike>>>> spikes(hosted.size());
    for (std::size_t h = 0; h < hosted.size(); ++h) {
      for (const RegionPorts& region : ports) {
        if (region.region != hosted[h].region) continue;
        for (const Port& port : region.outputs) {
          auto& list = spikes[h].emplace_back();
          for (int t = 0; t < patterns && port.kind == PortKind::spikes; ++t) {
            list.push_back(make_spikes(port, hosted[h], rate, t));
          }
        }
      }
    }
    std::vector<Spike> recurrent;
    const auto run = [&](Step end) {
      for (Step t = exchange.step(); t < end; ++t) {
        exchange.receive(t);
        for (std::size_t h = 0; h < hosted.size(); ++h) {
          for (int call = 0; call < 4 && hosted[h].slices > 1; ++call) {
            recurrent = spikes[h][0][static_cast<std::size_t>(t % patterns)];
            exchange.peers(hosted[h].region).all_gather(recurrent);
          }
          Outbox& outbox = exchange.outbox(hosted[h].region);
          for (std::size_t port = 0; port < spikes[h].size(); ++port) {
            if (spikes[h][port].empty()) continue;
            const auto& now = spikes[h][port][static_cast<std::size_t>(t % patterns)];
            outbox.spikes(port).assign(now.begin(), now.end());
          }
        }
        exchange.send(t);
      }
    };
    run(1000);
    world.barrier("warm");
    const auto sent_so_far = [&] {
      std::int64_t bytes = 0;
      for (const TractTraffic& tract : exchange.traffic()) {
        bytes += static_cast<std::int64_t>(tract.bytes);
      }
      return bytes;
    };
    const std::int64_t before = sent_so_far();
    const auto start = std::chrono::steady_clock::now();
    run(1000 + steps);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    std::int64_t slowest[] = {
        std::chrono::duration_cast<std::chrono::nanoseconds>(elapsed).count()};
    std::int64_t sent[] = {sent_so_far() - before};
    world.all_reduce_max("time", slowest);
    world.all_reduce_sum("sent", sent);
    if (world.rank() == 0) {
      const auto n = static_cast<double>(steps);
      std::printf("%4.0f spikes/s: %6.2f us per timestep, %7.0f bytes of tracts\n", rate,
                  static_cast<double>(slowest[0]) / 1000.0 / n, static_cast<double>(sent[0]) / n);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_under_mpi(argc, argv, [&](Communicator& world) {
    const Step steps = argc > 1 ? std::atoll(argv[1]) : 100000;
    return bench(
        world, steps,
        argc > 2 ? Placement::parse(argv[2], world.size()) : Placement::standard(world.size()));
  });
}
