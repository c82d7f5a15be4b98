/// Learning rules on plastic projections. A rule owns the traces that it needs; the weights are
/// the projection's. Rules run once per timestep of 1 ms, on the timestep's spikes.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/projection.hpp"
#include "models/signal.hpp"

namespace quartet {

/// Parallel fibre – Purkinje cell plasticity under climbing-fibre control.
///
/// Each presynaptic spike runs through a cascade of four stages of `cascade_ms` each, whose
/// output peaks about 3·cascade_ms later (granule-cell activity of 100 ms before a complex spike
/// is depressed most: Wang, Denk & Hausser 2000; Suvrathan, Payne & Raymond 2016).
///   complex spike of target j:  w_ij ← w_ij − depression · min(1.5, trace_i) · w_max, at least 0
///   presynaptic spike of i:     w_ij ← w_ij + potentiation · (goal · w_max − w_ij), up or down
///   every 25 ms:                w_ij ← w_ij + (1 − exp(−reward_damping · n)) · l_ij, until goal
///                               w_ij ← w_ij + share · (settled · w_max − w_ij),
///                                      share = 1 − exp(−25 ms / forgetting_ms)
/// l_ij: depression that is still labile, what complex spikes took from w_ij less what rewards gave
/// back, decaying with labile_ms; n: spikes per cell, in the period, of a population that reports
/// rewards. So what an error taught is partly undone when a reward follows it (people learn less
/// from an error that comes with a hit: Kim et al. 2019); the equation is ours.
///
/// The trace is 1 at the peak after `reference_spikes` spikes. So the weight settles at a value
/// that falls linearly with the rate r of complex spikes, as long as traces stay below 1.5:
///   w = w_max · (settled + k (baseline_hz − r) · ν/(ν + 1/(potentiation · forgetting_ms)))
///   k = depression · cascade_ms / (.224 · reference_spikes · potentiation)
/// with presynaptic spikes at rate ν. What is forgotten between two spikes thus takes the more the
/// rarer they are, and so where learning waits for something (a seen cursor) that forgetting does
/// not. The ratio of depression to potentiation sets how far an error is compensated, their size
/// how fast. The goal is where a weight settles without an error and what complex spikes take
/// there:
///   goal = settled + k · baseline_hz, at most 1
/// (rewards leave weights a little higher). Zones whose rate rises and zones whose rate falls with
/// an error change alike, until these fall silent.
struct ClimbingFibreParameters {
  double depression = 0.042;
  double potentiation = 0.036;
  double settled = 0.5;      ///< set by who knows the weight at the start
  double baseline_hz = 1.1;  ///< and the olive's mean rate
  double cascade_ms = 33.0;
  double reference_spikes = 2.0;
  double labile_ms = 400.0;
  double reward_damping = 0.07;
  double forgetting_ms = 180000.0;

  /// Weight to which potentiation leads, as a share of w_max.
  double goal() const;
  void visit(ParameterVisitor& v);
};

class ClimbingFibreRule {
 public:
  static constexpr int kPeriodMs = 25;

  ClimbingFibreRule(Projection& projection, const ClimbingFibreParameters& parameters);

  /// Advances traces by 1 ms with the presynaptic spikes; moves weights to their goal if
  /// `learning`.
  void presynaptic(std::span<const Spike> spikes, bool learning);
  /// Complex spikes by target cell (ids over all slices).
  void complex_spikes(std::span<const Spike> spikes);
  /// Ends a timestep: spikes per cell of those that report a reward. Without `plastic` a period's
  /// end changes no weight.
  void end_step(double reward_spikes_per_cell, bool plastic);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  static constexpr int kStages = 4;

  /// Whether rewards undo depression. Without own targets labile_ is empty all the same.
  bool damped() const { return parameters_.reward_damping > 0; }
  /// At the end of a period.
  void undo_labile_depression(double share);
  void forget();
  /// Lets the labile depression of an own target decay up to now.
  void age(std::size_t target);

  Projection& projection_;
  ClimbingFibreParameters parameters_;
  float decay_, feed_, unit_, goal_;  // goal_: of weights
  // State.
  std::vector<float> stage_[kStages];  // per source cell
  // Labile depression per synapse, canonical order, as of aged_ms_; none without damping.
  std::vector<float> labile_;
  std::vector<std::int64_t> aged_ms_;  // per own target
  std::int64_t now_ms_ = 0;
  double reward_spikes_ = 0;  // per cell, in the period
};

/// Reward-modulated plasticity: an eligibility trace per synapse, turned into a weight change by
/// a third factor (dopamine).
///   postsynaptic spike:  e_ij ← e_ij + trace_i      (trace: presynaptic spikes, trace_ms)
///   de/dt = −e/eligibility_ms
/// or, where eligibility rises late, through two stages before it:
///   postsynaptic spike:  a_ij ← a_ij + trace_i
///   da/dt = −a/rise_ms,  db/dt = (a − b)/rise_ms,  de/dt = b/rise_ms − e/eligibility_ms
///   every 10 ms:         w_ij ← w_ij + rate · m · (e_ij − ē_ij) · 4 w_ij (w_max − w_ij) / w_max
///                                    − decay · |m| · (w_ij − w_max/2)
/// ē is the mean of e weighted by |m|: a plain one until Σ|m| over windows of 10 ms has come to
/// 1/mean_rate, then a running one, which moves by mean_rate · |m| of its distance from e per
/// window. The part of e that is there at every outcome says nothing about this trial's action. The
/// factor 4 w (w_max − w) / w_max bounds weights softly; decay takes them off the bounds, to which
/// noise in directions that reward does not tell apart would drive them. mean_rate 0: no mean.
/// Eligibility after Izhikevich 2007; mean and decay, tuned.
struct ThreeFactorParameters {
  double rate = 0.01;
  double trace_ms = 20.0;
  double eligibility_ms = 400.0;
  double mean_rate = 0.005;
  double decay = 0.0;
  double rise_ms = 0.0;  ///< 0: at once
  void visit(ParameterVisitor& v);
};

class ThreeFactorRule {
 public:
  static constexpr int kPeriodMs = 10;

  ThreeFactorRule(Projection& projection, const ThreeFactorParameters& parameters);

  /// One timestep: traces from presynaptic spikes, eligibility from postsynaptic ones.
  void spikes(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic);
  /// Every kPeriodMs: decays eligibility; with `learning`, changes weights by factor `m` and
  /// follows the mean.
  void modulate(double m, bool learning);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  bool late() const { return parameters_.rise_ms > 0; }

  Projection& projection_;
  ThreeFactorParameters parameters_;
  float trace_decay_, eligibility_decay_, rise_decay_ = 0;
  std::vector<float> trace_;               // per source cell
  std::vector<float> eligibility_, mean_;  // per synapse, canonical order
  std::vector<float> early_, later_;       // the stages before, where eligibility rises late
  double modulated_ = 0;                   // sum of |m| that the mean is over, to its limit
};

/// Plasticity of synapses on cells whose apical dendrites receive an instructive signal, which
/// changes active synapses whether or not the cell fires (dendritic plateaus do in hippocampus:
/// Bittner et al. 2017; there over seconds and without a sign). The equation is ours.
///   spike of source i:  w_ij ← w_ij + rate · A_j − decay · w_ij,  within 0 and w_max
/// A_j: what the instructing ring brings to the dendrite, Hz, low-passed (apical_ms):
///   A_j = 2/n Σ_k (cos(θ_j − θ_k) − inhibition) r_k
/// over its n cells of directions θ_k and rates r_k: excitation from cells of similar direction,
/// inhibition, through interneurons that are not modelled, from opposite ones, and from all,
/// `inhibition` times the largest excitation, which keeps what is learned to fewer directions.
/// These all-to-all synapses have rank three, so three sums stand for them: they have no delay, do
/// not make the cell fire, and are not among the projections. Decay forgets with use.
///
/// A dendrite that was instructed learns faster: its rate is multiplied by s_j, 1 at first,
///   ds_j/dt = sensitization · max(0, A_j) · (largest_sensitivity − s_j)  while learning
/// So an error that was met before is answered faster, also after its answer was unlearned, and the
/// answer that it left is given up faster; where nothing is left, its opposite is learned as at
/// first (people's memory of errors: Herzfeld et al. 2014; the equation is ours).
struct InstructedParameters {
  double rate = 0.04;
  double decay = 0.01;
  double apical_ms = 30.0;
  double inhibition = 0.0;
  double sensitization = 0.0;
  double largest_sensitivity = 2.0;
  void visit(ParameterVisitor& v);
};

class InstructedRule {
 public:
  /// `instructing_cells`: of the instructing ring. The targets are a ring as well.
  InstructedRule(Projection& projection, const InstructedParameters& parameters,
                 std::uint32_t instructing_cells);

  /// One timestep. `learning`: whether synapses change. `predicting`: spikes of the targets, where
  /// they inhibit what instructs them, so that only what they do not predict is left in A_j.
  void step(std::span<const Spike> presynaptic, std::span<const Spike> instructing, bool learning,
            std::span<const Spike> predicting = {});

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  Projection& projection_;
  InstructedParameters parameters_;
  double apical_decay_, unit_, predicted_unit_;
  std::vector<std::array<double, 2>> instructing_, target_;  // directions, of all slices
  std::vector<float> change_;  // per own target: rate · s · A (this timestep)
  // State: the instructive signal as a vector and as a sum, Hz; sensitivity per own target.
  double x_ = 0, y_ = 0, sum_ = 0;
  std::vector<float> sensitivity_;
};

/// Hebbian plasticity gated by presynaptic spikes (outstar: Grossberg 1976, Biol. Cybern. 23:121):
/// a synapse's weight comes to tell how active its target usually is when its source fires.
///   spike of source i:  w_ij ← w_ij + rate · (min(1, r_j/full_hz) · w_max − w_ij)
/// r_j: rate of the target, low-passed (trace_ms).
struct HebbianParameters {
  double rate = 0.01;
  double full_hz = 40.0;
  double trace_ms = 100.0;
  void visit(ParameterVisitor& v);
};

class HebbianRule {
 public:
  HebbianRule(Projection& projection, const HebbianParameters& parameters);

  /// One timestep. `learning`: whether synapses change.
  void step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic, bool learning);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  Projection& projection_;
  HebbianParameters parameters_;
  float decay_, unit_;
  std::vector<float> change_;  // per own target: rate · goal of the weight (this timestep)
  // State.
  std::vector<float> activity_;  // per own target: r_j/full_hz
};

/// Slow plasticity of mossy-fibre – nuclear synapses, guided by the Purkinje inhibition that the
/// nuclear cell receives (Medina & Mauk 1999):
///   spike of fibre i:  Δw_ij = rate · share · (P − P_z − S_iz) − decay · (w_ij − w0)
/// P_z: rate of the living Purkinje cells of the target's zone (Hz, low-passed, 50 ms); P: the same
/// over all zones; S_iz: set-point, what P − P_z usually is when the fibre fires: the plain mean
/// over its first `set_point_spikes` spikes (this one included), which from there on moves by
/// set_point_rate per spike (0 and 0: no set-point). Without it the slow site would learn
/// the chance differences between zones, which no error taught. share: the zone's living cells, as
/// the inhibition of a nuclear cell varies less when fewer cells give it. Rate and decay are tuned.
struct NuclearParameters {
  double rate = 1e-4;
  double decay = 3e-4;
  std::int64_t set_point_spikes = 40;
  double set_point_rate = 1e-4;
  void visit(ParameterVisitor& v);
};

class NuclearRule {
 public:
  /// `zones` equal groups of targets and of Purkinje cells, which all live.
  NuclearRule(Projection& projection, const NuclearParameters& parameters, std::uint32_t zones,
              std::uint32_t purkinje_cells);

  /// How many Purkinje cells are left per zone. Not state: whoever removes them says so again
  /// after a load.
  void set_living(std::span<const std::uint32_t> living);

  /// One timestep. `active`: whether synapses change.
  void step(std::span<const Spike> presynaptic, std::span<const Spike> purkinje, bool active);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  Projection& projection_;
  NuclearParameters parameters_;
  std::uint32_t zones_, purkinje_cells_;
  std::vector<std::uint32_t> living_;  // per zone
  float initial_weight_;
  double rate_decay_;
  std::vector<double> purkinje_hz_;      // per zone
  std::vector<float> set_point_hz_;      // per fibre and zone
  std::vector<float> fired_;             // spikes per fibre, to set_point_spikes
  std::vector<float> rate_;              // learning rate per zone: rate · share
  std::vector<float> below_, guidance_;  // per zone: P − P_z (this timestep), change (this spike)
  std::vector<std::int64_t> counted_;
};

}  // namespace quartet
