/// Synapses from one population (or tract) to another, laid out in the order of delivery.
///
/// A spike of source j touches row j: a contiguous run of 16-bit target indices (and, where the
/// projection is plastic, of float weights). A static projection has one weight for all its
/// synapses or a 16-bit weight each. Rows are cut by delay into fans. Plastic weights can also be
/// walked by target through `position`, in the canonical order (target, synapse) in which they
/// are drawn, saved and recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/connectivity.hpp"
#include "models/lif.hpp"
#include "models/signal.hpp"

namespace quartet {

struct ProjectionSpec {
  std::string name;             ///< "GrC_PC"; also the random purpose
  std::size_t source = 0;       ///< source index of the network
  std::size_t target = 0;       ///< population index of the network
  std::size_t receptor = 0;     ///< of the target
  std::uint32_t in_degree = 0;  ///< synapses drawn per target cell; static ones of no weight go
  double weight = 0;            ///< of one synapse; mV (current) or g_L (conductance)
  double delay_ms = 1.0;        ///< for a tract: on top of the tract's own, mostly 0
  SourceRule sources = {};
  /// Factor on the weight of a synapse (source, target ids over all slices), −8 to 8; empty: 1.
  std::function<double(std::uint32_t source, std::uint32_t target, Draws&)> factor = {};
  /// Delay of a synapse in ms instead of `delay_ms`, from `min_delay_ms` to `max_delay_ms`; empty:
  /// the same for all.
  std::function<double(std::uint32_t source, std::uint32_t target)> delay_of = {};
  /// Bounds of `delay_of`, both included. No slice has all synapses, so whatever must be alike on
  /// all slices (rings, phases) is derived from these.
  double min_delay_ms = 0, max_delay_ms = 0;
  bool plastic = false;
  double max_weight = 0;  ///< plastic: weights stay in [0, max_weight]
  /// Plastic: sites per target cell, beyond in_degree, for synapses that may form later.
  std::uint32_t vacant_sites = 0;
};

/// A synapse that forms at a vacant site of an own target, or with source `kVacant` goes.
struct Rewired {
  std::uint32_t site;    ///< in canonical order: own target · sites + k
  std::uint32_t source;  ///< over all slices, or kVacant
  float weight;
};
inline constexpr std::uint32_t kVacant = ~0u;

class Projection {
 public:
  /// Cells of the target in one slice, which has 16-bit indices.
  static constexpr std::uint32_t kMostTargets = 65536;

  /// Draws the synapses onto the target's own cells. Throws std::invalid_argument naming the
  /// projection.
  Projection(const ProjectionSpec& spec, std::uint32_t sources, LifPopulation& target,
             std::uint32_t substeps_per_ms, std::uint64_t seed);

  const std::string& name() const { return name_; }
  std::size_t source() const { return source_; }
  std::size_t target() const { return target_index_; }
  std::uint32_t sources() const { return sources_; }
  /// Sites for synapses on a target; all are taken unless synapses come and go, or have factor 0.
  std::uint32_t in_degree() const { return in_degree_; }
  std::uint32_t vacant_sites() const { return vacant_sites_; }  ///< at the start
  std::uint32_t first_target() const { return target_->first(); }
  std::uint32_t own_targets() const { return target_->count(); }
  std::uint32_t all_targets() const { return target_->size(); }
  /// Calls `visit` with each own target (0 … own_targets()−1) that is among the cells that fired.
  template <class Visit>
  void for_own(std::span<const Spike> fired, Visit visit) const {
    for (const Spike& spike : fired)
      if (spike.id >= first_target() && spike.id - first_target() < own_targets())
        visit(std::size_t{spike.id - first_target()});
  }
  /// Whether an own target lives.
  bool alive(std::uint32_t target) const { return target_->alive(first_target() + target); }
  /// The shortest delay that a synapse on any slice may have.
  std::uint32_t min_delay_substeps() const { return min_delay_; }
  /// At the start.
  std::uint64_t synapse_count() const { return synapses_; }
  bool plastic() const { return plastic_; }
  /// By its weight, or where that is a conductance by the reversal potential.
  bool inhibitory() const { return inhibitory_; }
  /// Synapses that a spike of source cell `cell` reaches in this slice.
  std::uint32_t fan_out(std::uint32_t cell) const;
  /// Adds to each own target the spikes that reach it when source cell k has fired `fired[k]`
  /// times.
  void add_arrivals(std::span<const std::uint32_t> fired, std::span<std::int64_t> arrivals) const;
  /// Of the target: current (weights in mV) or conductance (in g_L).
  SynapseKind kind() const { return target_->kind(); }

  /// Adds the synaptic weights of source cell `cell` that fired in substep n.
  void deliver(std::uint32_t cell, std::int64_t n);

  // Plastic projections have a single fan.
  std::span<float> weights() { return weights_; }
  std::span<const float> weights() const { return weights_; }
  /// Row of a source cell: range of positions in weights().
  std::uint32_t row_begin(std::uint32_t cell) const { return fans_[0].row[cell]; }
  std::uint32_t row_end(std::uint32_t cell) const { return fans_[0].row[cell + 1]; }
  /// Own target index (0 … own_targets()−1) of each position.
  std::span<const std::uint16_t> targets() const { return fans_[0].target; }
  /// Position in weights() of synapse k of own target i: position()[i · in_degree + k].
  std::span<const std::uint32_t> position() const { return position_; }
  /// Source cell of synapse k of own target i, in the same order; sources() where there is none,
  /// whose weight is 0. They lie behind the rows of all sources, where no spike comes by.
  std::span<const std::uint32_t> source_of() const { return source_of_; }
  float max_weight() const { return max_weight_; }

  // Where there are vacant sites; else std::logic_error.
  /// A source for one more synapse of a target (id over all slices): drawn by the rule by which the
  /// first ones were, which must not remember earlier calls. `later`: another number, from 1, for
  /// each.
  std::uint32_t draw_source(std::uint32_t target, std::uint64_t later);
  /// Changes who is connected to whom. Positions change for all.
  void rewire(std::span<const Rewired> changes);
  /// Synapses that formed and that went, since begin_count().
  std::int64_t formed() const;
  std::int64_t lost() const;
  void begin_count();

  /// Weights in canonical order (plastic projections).
  std::vector<float> canonical_weights() const;

  /// The largest sum of input to any target, in quanta, if all sources fire at once and every
  /// factor is the largest: alike on all slices, with or without targets of their own.
  std::int64_t worst_input() const { return worst_input_; }

  void save(StateWriter& writer) const;
  void load(StateReader& reader);
  /// State that goes with the projection, as array name() + `what`: a value per own target, or per
  /// synapse in canonical order. `state`: a StateWriter or a StateReader.
  template <class State, class Values>
  void visit_per_target(State& state, const std::string& what, Values& values) const {
    state.block(name_ + what, all_targets(), first_target(), std::span(values));
  }
  template <class State, class Values>
  void visit_per_synapse(State& state, const std::string& what, Values& values) const {
    const std::uint64_t k = in_degree_;
    state.block(name_ + what, k * all_targets(), k * first_target(), std::span(values));
  }

 private:
  /// `weights`: in canonical order.
  template <class State, class Self, class Weights>
  static void visit_state(State& state, Self& self, Weights& weights);
  void require_vacant_sites() const;
  /// Lays synapses out in rows, from source_of_ and weights in canonical order.
  void lay_out(std::span<const float> canonical);

  struct Fan {
    std::uint32_t delay = 0;         // substeps
    std::vector<std::uint32_t> row;  // sources + 1
    std::vector<std::uint16_t> target;
    std::vector<std::int16_t> units;  // heterogeneous static weights, in unit_
  };

  std::string name_;
  std::size_t source_, target_index_, receptor_;
  LifPopulation* target_;
  std::uint32_t sources_, in_degree_, vacant_sites_;
  std::uint32_t min_delay_, max_delay_;  // substeps
  std::uint64_t synapses_ = 0;
  bool plastic_, inhibitory_ = false;
  float max_weight_ = 0;
  std::int32_t unit_ = 0;  // quanta of one synapse, or of a unit of a 16-bit weight
  std::vector<Fan> fans_;
  std::vector<float> weights_;
  std::vector<std::uint32_t> position_, source_of_;
  // Where synapses come and go.
  RandomKey key_;
  SourceRule source_rule_;
  std::vector<std::uint32_t> formed_, lost_;  // per own target
  std::int64_t worst_input_ = 0;
};

}  // namespace quartet
