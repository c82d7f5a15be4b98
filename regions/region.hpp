/// A region of the motor system, as the simulation loop sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/cell_loss.hpp"
#include "models/drug.hpp"
#include "models/energy.hpp"
#include "models/signal.hpp"
#include "models/state.hpp"

namespace quartet {

/// Part `index` of `count` of a region. Every population is cut into `count` contiguous gid
/// ranges; a slice owns range `index` of each.
struct Slice {
  int index = 0;
  int count = 1;
};

/// What files say about a population.
struct PopulationInfo {
  std::string name;        ///< field's standard name, unique in its region ("L5PT")
  std::string long_name;   ///< for people ("layer 5 pyramidal-tract neurons")
  std::uint32_t size = 0;  ///< cells over all slices
  /// Preferred direction of each cell in degrees (empty where it has none).
  std::vector<float> preferred_direction_deg;
  /// Place of each cell on the motor sheet, in sheet units (empty where it has none).
  std::vector<float> x = {}, y = {};
};

/// A plastic projection, as snapshots see it.
struct ProjectionInfo {
  std::string name;             ///< "GrC_PC"
  std::uint32_t targets = 0;    ///< postsynaptic cells over all slices
  std::uint32_t in_degree = 0;  ///< sites for synapses per cell, all taken unless structural
  std::string unit = "mV";      ///< of the weights; "1" where they are in leak conductances
  std::uint32_t sources = 0;    ///< presynaptic cells over all slices
  bool structural = false;      ///< whether synapses come and go
  /// Preferred directions of the source and target cells in degrees (empty where they have none).
  std::vector<float> source_direction_deg = {}, target_direction_deg = {};
  /// Places of the cells on the motor sheet in sheet units (empty where they have none).
  std::vector<float> source_x = {}, source_y = {}, target_x = {}, target_y = {};
};

/// Of the synapses of a structural projection: spines.hpp.
struct Spines {
  std::vector<std::uint8_t> state;  ///< a Spine
  std::vector<float> formed_day;
};

class Region {
 public:
  virtual ~Region() = default;

  virtual std::string_view name() const = 0;
  /// The same on every slice, whatever the placement.
  virtual std::span<const Port> inputs() const = 0;
  virtual std::span<const Port> outputs() const = 0;
  virtual std::span<const PopulationInfo> populations() const = 0;
  virtual std::span<const ProjectionInfo> plastic_projections() const = 0;
  /// Substeps in a timestep: dt = 1 ms / substeps.
  virtual std::uint32_t substeps() const = 0;
  /// Neurons and synapses of this slice: over all slices they are those of the whole region.
  virtual std::uint64_t neuron_count() const = 0;
  virtual std::uint64_t synapse_count() const = 0;

  /// Advances (t, t+1]. Pre: state at t; `in` holds all signals due in this timestep.
  /// Post: `out` holds this slice's spikes and signals of the timestep.
  /// Collective over the region's slices.
  virtual void advance(Step t, const Inbox& in, Outbox& out, Peers& peers) = 0;

  /// For a probe (runs/laboratory.hpp): with `stream` > 0 membranes draw noise of that stream of
  /// their own and the body rests, with nothing shown and nothing learned; 0: back to the task. Not
  /// state: whoever sets it saves the region before and loads it after.
  virtual void set_rest(std::uint32_t) {}

  // Between trials; part of the state.
  /// Cells die; see CellLoss.
  virtual void lose_cells(const CellLoss&) {}
  /// What drugs do until it is called again.
  virtual void medicate(const Drug&) {}

  /// Spikes of population `index` in the last timestep, of all slices, in canonical order
  /// (every slice sees them all; ids count within the population).
  virtual std::span<const Spike> spikes(std::size_t population) const = 0;

  /// Begins to count anew; before the first timestep of a trial.
  virtual void begin_count() {}
  /// Per population what this slice did since then; slices add up to the region.
  virtual std::vector<energy::Activity> activity() const { return {}; }
  /// The same by place: for each population whose cells have places on the motor sheet, in order,
  /// its kSheetBins bins (sheet.hpp): of living cells, without counts of synapses, of new and of
  /// lost ones. `activity()` has arrivals at dead cells too.
  virtual std::vector<energy::Activity> activity_by_place() const { return {}; }

  /// Weights of plastic projection `index` onto this slice's own targets, evaluated on a copy:
  /// `first` = first own target; row-major [own targets][in_degree], canonical order.
  virtual void weights(std::size_t index, std::uint32_t& first,
                       std::vector<float>& values) const = 0;
  /// Source cell of each of these synapses, in the same order; where there is none, as many as
  /// there are sources. Never changes unless the projection is structural.
  virtual std::vector<std::uint32_t> sources(std::size_t index) const = 0;
  /// Whether each of these synapses is there, transient or stable, and the day on which it formed,
  /// in the same order; empty unless the projection is structural.
  virtual Spines spines(std::size_t) const { return {}; }

  virtual void save(StateWriter& writer) const = 0;
  virtual void load(StateReader& reader) = 0;
};

}  // namespace quartet
