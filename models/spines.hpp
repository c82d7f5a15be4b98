/// Structural plasticity: synapses of a plastic projection, one to a dendritic spine, form, are
/// stabilised or withdrawn, and are lost.
///
/// Time is in model days of `day_s` simulated seconds. Rates per day, per target cell of N0
/// synapses at the start; w: a synapse's weight in initial weights:
///   forming       N0 · formation · (speed + growth_gain · G)   new, transient synapses
///   transient     decides at rate 1/transient_days: stays, as stable, with probability
///                 p(w) = 1/(1 + (half_weight/w)^steepness), else is withdrawn
///   stable        lost at rate loss · min(10, w^-protection)
/// speed: 1, or more in a window of plasticity. G: by how much the cell's synapses have grown in
/// the last second, in initial sums of weights (positive changes only, whatever made them:
/// potentiation, but also what normalisation gives the others when one goes): new spines appear
/// where potentiation is (Hedrick et al. 2022, Nat. Neurosci. 25:726). A new synapse has the
/// initial weight and a source that the projection's own rule draws, and learns as all do: if it is
/// active together with its cell it grows, and stays (survival by co-activity, the same);
/// heterosynaptic normalisation (stdp.hpp) shrinks what does not take part, which is lost: so
/// practice first adds synapses and then replaces others (Xu et al. 2009, Nature 462:915). With
/// steepness, protection and growth_gain 0 all probabilities are constant, and the density follows
/// the closed forms of transient and stable pools (spines_test).
///
/// At the start as many are transient as form in the time that they take to decide, so that the
/// density stays where nothing is learned if loss · (1 - formation · transient_days) = formation ·
/// p(1).
///
/// Synapses from cells that have died go within a second, and none form from them; those on cells
/// that have died stay as they are, and count for nothing.
///
/// Changes happen once a simulated second, from random numbers of (seed, projection, cell, site,
/// second) alone.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/parameters.hpp"
#include "models/projection.hpp"

namespace quartet {

struct SpineParameters {
  bool structural = false;
  bool turnover = true;
  double spare = 0.5;
  double day_s = 9.0;
  double formation = 0.05;
  double growth_gain = 25.0;
  double transient_days = 3.0;
  double half_weight = 1.25;
  double steepness = 10.9;
  double loss = 0.0047;
  double protection = 6.0;
  void visit(ParameterVisitor& v);

  /// Sites beyond those of `in_degree` synapses.
  std::uint32_t vacant_sites(std::uint32_t in_degree) const;
};

enum class Spine : std::uint8_t { vacant, transient, stable };

class SpineRule {
 public:
  static constexpr std::int64_t kPeriodMs = 1000;

  /// The projection's synapses begin with the same weight.
  SpineRule(Projection& projection, const SpineParameters& parameters, std::uint64_t seed);

  /// One timestep; `speed`: of formation, 1 as the parameters say. Returns what forms and what
  /// goes, nearly always nothing: for whoever owns the weights to apply, before the next step.
  std::span<const Rewired> step(bool learning, double speed = 1);

  /// Sources (ids over all slices) that have died: alike on all slices.
  void kill_sources(std::span<const std::uint32_t> cells);

  /// By site, in canonical order.
  std::span<const std::uint8_t> spines() const { return spines_; }
  /// Day on which the synapse at a site formed; 0 for the first ones and where there is none.
  std::span<const float> formed_day() const { return formed_day_; }

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);
  void turn_over(double speed);

  Projection& projection_;
  SpineParameters parameters_;
  RandomKey key_;
  double initial_number_;
  float initial_weight_;
  std::vector<Rewired> changes_;
  // State.
  std::int64_t now_ms_ = 0;
  std::vector<std::uint8_t> dead_;  // per source cell
  std::vector<std::uint8_t> spines_;
  std::vector<float> formed_day_, weight_before_;  // by site, canonical order
};

}  // namespace quartet
