/// A slice of a spiking network: populations, projections, and the loop over substeps.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/energy.hpp"
#include "models/lif.hpp"
#include "models/projection.hpp"
#include "models/signal.hpp"

namespace quartet {

class Network {
 public:
  /// Part `slice` of `slices`; `substeps` per timestep of 1 ms (a power of two).
  Network(std::uint32_t substeps, int slice, int slices, std::uint64_t seed);

  /// First cell of slice `index` (up to `slices`: the end) of a population of `size` cells. Slices
  /// meet at multiples of 8 cells: 8 cells share a block of random numbers.
  static std::uint32_t first_of_slice(std::uint32_t size, int index, int slices);

  /// Adds a population of `size` cells; returns its index, which is also its source index.
  std::size_t add_population(std::string name, const LifParameters& parameters, SynapseKind kind,
                             std::vector<Receptor> receptors, std::uint32_t size);
  /// Adds spikes that arrive on input port `port`; returns the source index.
  std::size_t add_tract(std::size_t port, std::uint32_t cells, std::uint32_t sender_substeps);
  /// Draws the synapses. `spec.source` and `spec.target` are indices returned above.
  Projection& connect(ProjectionSpec spec);
  /// Removes a fraction of a population's cells, chosen by the seed (the same on every slice).
  /// Returns their ids over all slices.
  std::vector<std::uint32_t> remove_cells(std::size_t population, double fraction);

  LifPopulation& population(std::size_t index) { return *populations_[index]; }
  const LifPopulation& population(std::size_t index) const { return *populations_[index]; }
  std::size_t population_count() const { return populations_.size(); }
  std::deque<Projection>& projections() { return projections_; }
  const std::deque<Projection>& projections() const { return projections_; }

  /// Advances (t, t+1]: delivers what arrived, integrates, delivers recurrent spikes.
  void advance(Step t, const Inbox& in, Peers& peers);

  /// Spikes of the last timestep of a population, of all slices, in canonical order.
  std::span<const Spike> spikes(std::size_t population) const { return spikes_[population]; }
  /// Appends this slice's own spikes of a population to an output port.
  void send(std::size_t population, std::vector<Spike>& out) const;

  /// Forgets what `activity` counts.
  void begin_count();
  /// Per population since begin_count(): spikes of this slice's own cells and arrivals at its own
  /// synapses, counted when the spike is sent on, a delay before they arrive.
  std::vector<energy::Activity> activity() const;
  /// The same of one population's living cells by place, without counts of synapses, of new and of
  /// lost ones: `place[id]` of a cell (over all slices) is below `places`.
  std::vector<energy::Activity> activity_by_place(std::size_t population,
                                                  std::span<const std::uint32_t> place,
                                                  std::size_t places) const;

  /// LifPopulation::set_noise_stream for all populations.
  void set_noise_stream(std::uint32_t stream);

  std::uint32_t substeps() const { return substeps_; }
  std::uint64_t neuron_count() const;
  std::uint64_t synapse_count() const;

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  struct TractSource {
    std::size_t port;
    std::uint32_t cells, substeps;
  };

  std::uint32_t substeps_;
  int slice_, slices_;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<LifPopulation>> populations_;
  std::vector<std::uint32_t> offset_;  // of each population in the region's numbering
  std::vector<TractSource> tracts_;
  std::deque<Projection> projections_;  // stable addresses
  std::vector<std::vector<Projection*>> from_population_, from_tract_;
  std::vector<std::vector<std::int64_t>> worst_input_;  // [population][receptor]
  std::uint32_t min_delay_ = 0;                         // substeps; 0: none yet

  std::vector<std::vector<Spike>> spikes_;
  // Spikes of every cell since begin_count(), alike on all slices: with the fan-outs they give all
  // arrivals, at one addition per spike.
  std::vector<std::vector<std::uint32_t>> fired_of_population_, fired_of_tract_;
  std::vector<Spike> gathered_;
  std::vector<std::uint32_t> fired_;

  /// Of every cell of a source (its index in the network) since begin_count().
  std::span<const std::uint32_t> fired_of(std::size_t source) const;

  static constexpr std::size_t kTractBase = 1u << 16;
};

}  // namespace quartet
