/// What the four spiking regions share: a network, its ports, and the order of a timestep.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "models/network.hpp"
#include "models/spines.hpp"
#include "regions/region.hpp"

namespace quartet {

class SpikingRegion : public Region {
 public:
  std::string_view name() const override { return name_; }
  std::span<const Port> inputs() const override { return inputs_; }
  std::span<const Port> outputs() const override { return outputs_; }
  std::span<const PopulationInfo> populations() const override { return populations_; }
  std::span<const ProjectionInfo> plastic_projections() const override { return plastic_infos_; }
  std::uint32_t substeps() const override { return network_.substeps(); }
  std::uint64_t neuron_count() const override { return network_.neuron_count(); }
  std::uint64_t synapse_count() const override { return network_.synapse_count(); }

  void advance(Step t, const Inbox& in, Outbox& out, Peers& peers) final;
  void set_rest(std::uint32_t stream) override { network_.set_noise_stream(stream); }
  std::span<const Spike> spikes(std::size_t population) const override {
    return network_.spikes(population);
  }
  void begin_count() override { network_.begin_count(); }
  std::vector<energy::Activity> activity() const override { return network_.activity(); }
  std::vector<energy::Activity> activity_by_place() const override;
  void weights(std::size_t index, std::uint32_t& first, std::vector<float>& values) const override;
  std::vector<std::uint32_t> sources(std::size_t index) const override;
  Spines spines(std::size_t index) const override;
  void save(StateWriter& writer) const override;
  void load(StateReader& reader) override;

 protected:
  SpikingRegion(std::string name, std::uint32_t substeps, Slice slice, std::uint64_t seed)
      : network_(substeps, slice.index, slice.count, seed), name_(std::move(name)) {}

  // Construction, in this order: inputs, populations, outputs, projections.
  /// An input port of spikes; returns the network's source index. `directions`: the sender's
  /// preferred directions, for files, where the projection from it is plastic.
  std::size_t add_spike_input(std::string tract, std::uint32_t cells, std::uint32_t substeps,
                              std::vector<float> directions = {});
  /// An input port of values; returns the port's index in the Inbox.
  std::size_t add_analog_input(std::string tract, std::uint32_t values);
  std::size_t add_population(PopulationInfo info, const LifParameters& parameters, SynapseKind kind,
                             std::vector<Receptor> receptors);
  /// An output port that carries the spikes of a population, under the population's name.
  void add_output(std::size_t population);
  /// Connects and, where plastic, registers the projection for snapshots.
  Projection& connect(ProjectionSpec spec);
  /// Registers who makes synapses of the last projection come and go; it must live as long.
  void connected_by(const SpineRule& rule) { spine_rules_.back() = &rule; }
  /// Static synapses of one delay from cells that `sources` draws; `weight`: summed over a target's
  /// synapses.
  void connect_alike(const char* name, std::size_t source, std::size_t target, std::size_t receptor,
                     std::uint32_t in_degree, double weight, double delay_ms, SourceRule sources);
  /// The same from any of the source's cells with equal chance.
  void diffuse(const char* name, std::size_t source, Cells sources, std::size_t target,
               std::size_t receptor, std::uint32_t in_degree, double weight, double delay_ms);

  /// Before the timestep's integration: drives and modulations from what arrived.
  virtual void prepare(Step, const Inbox&) {}
  /// After it: plasticity, from the timestep's spikes.
  virtual void learn(Step, const Inbox&) {}
  /// State beside the network's.
  virtual void save_extra(StateWriter&) const {}
  virtual void load_extra(StateReader&) {}

  Network network_;

 private:
  std::string name_;
  std::vector<Port> inputs_, outputs_;
  std::vector<std::size_t> output_population_;
  std::vector<PopulationInfo> populations_;
  std::map<std::size_t, std::vector<float>> directions_;             // of cells, by source index
  std::map<std::size_t, std::array<std::vector<float>, 2>> places_;  // on the sheet, likewise
  std::vector<ProjectionInfo> plastic_infos_;
  std::vector<const Projection*> plastic_;
  std::vector<const SpineRule*> spine_rules_;  // of these, null where nothing comes or goes
};

/// Receptors of cells with current synapses: fast excitation and inhibition (time constants typical
/// of AMPA and GABA-A).
enum : std::size_t { kExcitation, kInhibition };
inline constexpr double kExcitationMs = 5, kInhibitionMs = 10;
inline std::vector<Receptor> fast_receptors() {
  return {{.decay_ms = kExcitationMs}, {.decay_ms = kInhibitionMs}};
}

/// Directions of the cells of a ring, degrees.
std::vector<float> ring_directions(std::uint32_t size);
/// Directions of cells in `groups` equal groups, degrees.
std::vector<float> group_directions(std::uint32_t size, std::uint32_t groups,
                                    double (*direction)(std::uint32_t));

/// Synapses by which a ring of cells tells a direction to cells with directions of their own: the
/// whole ring reaches every target, one cell of each family, weighted by the overlap of directions.
/// `weight`: summed over the ring, before it is so weighted. Targets can thus compare two rings,
/// one of them inhibitory, as a difference of cosine-tuned codes.
ProjectionSpec overlap_synapses(std::string name, std::size_t source, Cells ring,
                                std::size_t target, std::function<double(std::uint32_t)> direction,
                                std::size_t receptor, double weight);

}  // namespace quartet
