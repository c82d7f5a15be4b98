/// Speed of the engine on two reference networks, on one core. Not part of any test.
///
///   engine_bench coba|brunel [simulated seconds] [seed] [folder]
///
/// prints one JSON object: CPU seconds per simulated second, mean rate, CV of inter-spike
/// intervals, last spike, bytes per synapse, CPU seconds of construction. Into a folder it writes
/// the network, its start and all spikes. brian_bench.py runs the same networks in Brian2 in
/// alternation, and this very one with --same (README.md). dt is .125 ms instead of the usual .1
/// ms: a timestep of 1 ms has a power of two of substeps.
///
/// coba: 4,000 conductance cells, 3,200 of them excitatory, in-degree 2 %, self-sustained after a
///   kick (Vogels & Abbott 2005; benchmark 1 of Brette et al. 2007), delay of one dt.
/// brunel: 12,500 current cells, in-degree 1,000 excitatory + 250 inhibitory, delay 1.5 ms,
///   g = 5, eta = 2 (Brunel 2000). The 20,000 external spikes/s of a cell are white noise of the
///   same mean and variance. A jump of V by J = .1 mV is spread over an exponential current of
///   .625 ms with the same integral, 3.2 mV at its start.
#include <malloc.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/network.hpp"

namespace quartet {
namespace {

constexpr std::uint32_t kSubsteps = 8;
constexpr double kDelayOfOneSubstep = 1.0 / kSubsteps;
constexpr Step kTransientMs = 500;  // not counted in rate and CV

class NoInput : public Inbox {
 public:
  std::span<const Spike> spikes(std::size_t) const override { return {}; }
  std::span<const double> analog(std::size_t) const override { return {}; }
};
class NoPeers : public Peers {
 public:
  void all_gather(std::vector<Spike>&) override {}
};

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
std::size_t heap_bytes() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// What brian_bench.py --same needs to run the same network; cells are numbered over populations.
struct Written {
  std::vector<std::int32_t> source, target;
  std::vector<double> v, ge, gi;
  std::vector<std::int32_t> spike_substep, spike_cell;

  void write(const std::string& folder) const {
    const auto put = [&](const char* name, const auto& values) {
      std::ofstream file(folder + "/" + name, std::ios::binary);
      file.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(values[0])));
      if (!file.flush()) throw std::runtime_error(folder + ": cannot be written");
    };
    put("source", source);
    put("target", target);
    put("v", v);
    put("ge", ge);
    put("gi", gi);
    put("spike_substep", spike_substep);
    put("spike_cell", spike_cell);
  }
};

std::uint32_t offset_of(const Network& network, std::size_t population) {
  std::uint32_t cells = 0;
  for (std::size_t p = 0; p < population; ++p) cells += network.population(p).size();
  return cells;
}

void connect(Network& network, Written* written, const char* name, std::size_t source,
             std::size_t target, std::size_t receptor, std::uint32_t in_degree, double weight,
             double delay_ms) {
  ProjectionSpec spec;
  spec.name = name;
  spec.source = source;
  spec.target = target;
  spec.receptor = receptor;
  spec.in_degree = in_degree;
  spec.weight = weight;
  spec.delay_ms = delay_ms;
  spec.sources = uniform_sources(network.population(source).size());
  if (written != nullptr) {
    const std::uint32_t first_source = offset_of(network, source);
    const std::uint32_t first_target = offset_of(network, target);
    spec.sources = [=, rule = spec.sources](std::uint32_t cell, Draws& draws) {
      const std::uint32_t drawn = rule(cell, draws);
      written->source.push_back(static_cast<std::int32_t>(first_source + drawn));
      written->target.push_back(static_cast<std::int32_t>(first_target + cell));
      return drawn;
    };
  }
  network.connect(std::move(spec));
}

void build_coba(Network& network, std::uint64_t seed, Written* written) {
  LifParameters p;
  p.rest_mv = p.reset_mv = -60;
  p.threshold_mv = -50;
  p.refractory_ms = 5;
  const std::vector<Receptor> receptors{{.decay_ms = 5, .reversal_mv = 0},
                                        {.decay_ms = 10, .reversal_mv = -80}};
  const auto e = network.add_population("E", p, SynapseKind::conductance, receptors, 3200);
  const auto i = network.add_population("I", p, SynapseKind::conductance, receptors, 800);
  connect(network, written, "EE", e, e, 0, 64, .6, kDelayOfOneSubstep);
  connect(network, written, "EI", e, i, 0, 64, .6, kDelayOfOneSubstep);
  connect(network, written, "IE", i, e, 1, 16, 6.7, kDelayOfOneSubstep);
  connect(network, written, "II", i, i, 1, 16, 6.7, kDelayOfOneSubstep);
  // The kick: conductances that a random history could have left.
  for (const std::size_t index : {e, i}) {
    LifPopulation& cells = network.population(index);
    for (std::uint32_t cell = 0; cell < cells.count(); ++cell) {
      Draws draws({seed, purpose(cells.name() + ".kick")}, cell);
      const double excitation = 4.0 + 1.5 * draws.normal();
      const double inhibition = 20.0 + 20.0 * draws.normal();
      cells.input(0, 0)[cell] = static_cast<std::int32_t>(excitation / kInputQuantum);
      cells.input(1, 0)[cell] = static_cast<std::int32_t>(inhibition / kInputQuantum);
      if (written == nullptr) continue;
      written->v.push_back(cells.potential()[cell]);
      written->ge.push_back(cells.input(0, 0)[cell] * kInputQuantum);
      written->gi.push_back(cells.input(1, 0)[cell] * kInputQuantum);
    }
  }
}

void build_brunel(Network& network, Written* written) {
  LifParameters p;
  p.rest_mv = 0;
  p.threshold_mv = 20;
  p.reset_mv = 10;
  p.refractory_ms = 2;
  p.bias_mv = 40;
  p.noise_mv = std::sqrt(2.0);
  p.floor_mv = -1000;
  const std::vector<Receptor> receptors{{.decay_ms = .625}};
  const auto e = network.add_population("E", p, SynapseKind::current, receptors, 10000);
  const auto i = network.add_population("I", p, SynapseKind::current, receptors, 2500);
  connect(network, written, "EE", e, e, 0, 1000, 3.2, 1.5);
  connect(network, written, "EI", e, i, 0, 1000, 3.2, 1.5);
  connect(network, written, "IE", i, e, 0, 250, -16, 1.5);
  connect(network, written, "II", i, i, 0, 250, -16, 1.5);
}

/// Mean over cells with at least three spikes of the CV of their inter-spike intervals.
double mean_cv(const std::vector<std::vector<double>>& times) {
  double sum = 0;
  int cells = 0;
  for (const auto& t : times) {
    if (t.size() < 3) continue;
    double mean = 0, square = 0;
    for (std::size_t k = 1; k < t.size(); ++k) {
      mean += t[k] - t[k - 1];
      square += (t[k] - t[k - 1]) * (t[k] - t[k - 1]);
    }
    const auto n = static_cast<double>(t.size() - 1);
    mean /= n;
    sum += std::sqrt(std::max(0.0, square / n - mean * mean)) / mean;
    ++cells;
  }
  return cells == 0 ? 0 : sum / cells;
}

int run(const std::string& which, Step milliseconds, std::uint64_t seed,
        const std::string& folder) {
  Written everything;
  Written* const written = folder.empty() ? nullptr : &everything;
  const std::size_t before = heap_bytes();
  const double start = cpu_seconds();
  Network network(kSubsteps, 0, 1, seed);
  if (which == "coba")
    build_coba(network, seed, written);
  else
    build_brunel(network, written);
  const double built = cpu_seconds();
  const std::size_t bytes = heap_bytes() - before;

  std::vector<std::vector<double>> times(network.neuron_count());
  NoInput in;
  NoPeers peers;
  double simulating = 0, last_spike_ms = 0;
  std::size_t counted = 0;
  for (Step t = 0; t < milliseconds; ++t) {
    const double begin = cpu_seconds();
    network.advance(t, in, peers);
    simulating += cpu_seconds() - begin;
    for (std::size_t p = 0; written != nullptr && p < network.population_count(); ++p) {
      for (const Spike& spike : network.spikes(p)) {
        written->spike_substep.push_back(static_cast<std::int32_t>(t * kSubsteps + spike.substep));
        written->spike_cell.push_back(static_cast<std::int32_t>(offset_of(network, p) + spike.id));
      }
    }
    if (t < kTransientMs) continue;
    std::size_t offset = 0;
    for (std::size_t p = 0; p < network.population_count(); ++p) {
      for (const Spike& spike : network.spikes(p))
        times[offset + spike.id].push_back(static_cast<double>(t) +
                                           (spike.substep + 1) / double{kSubsteps});
      counted += network.spikes(p).size();
      if (!network.spikes(p).empty()) last_spike_ms = static_cast<double>(t) + 1;
      offset += network.population(p).size();
    }
  }
  if (written != nullptr) written->write(folder);
  const auto cells = static_cast<double>(network.neuron_count());
  std::printf(
      "{\"network\": \"%s\", \"cpu_per_s\": %.4f, \"rate_hz\": %.3f, \"cv\": %.4f, "
      "\"last_spike_s\": %.3f, "
      "\"bytes_per_synapse\": %.2f, \"construction_s\": %.3f}\n",
      which.c_str(), simulating * 1e3 / static_cast<double>(milliseconds),
      static_cast<double>(counted) * 1e3 /
          (cells * static_cast<double>(milliseconds - kTransientMs)),
      mean_cv(times), last_spike_ms / 1e3,
      static_cast<double>(bytes) / static_cast<double>(network.synapse_count()), built - start);
  return 0;
}

}  // namespace
}  // namespace quartet

int main(int argc, char** argv) {
  const std::string which = argc > 1 ? argv[1] : "";
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2;
  const double seed = argc > 3 ? std::atof(argv[3]) : 1;
  if ((which != "coba" && which != "brunel") || seconds <= .5 || seed < 0) {
    std::fprintf(stderr,
                 "usage: engine_bench coba|brunel [simulated seconds > .5] [seed] [folder]\n");
    return 2;
  }
  return quartet::run(which, static_cast<quartet::Step>(seconds * 1000),
                      static_cast<std::uint64_t>(seed), argc > 4 ? argv[4] : "");
}
