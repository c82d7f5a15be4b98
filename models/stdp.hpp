/// Spike-timing-dependent plasticity of recurrent synapses, excitatory and inhibitory. Spikes of
/// the same timestep do not count as a pair. Rules run once per timestep of 1 ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "models/dopamine.hpp"
#include "models/projection.hpp"
#include "models/signal.hpp"

namespace quartet {

/// How much a reward-prediction error lets cortical synapses change:
///   gate = max(0, 1 + gain · m),  m: dopamine_effect of D − D̄ (models/dopamine.hpp)
/// The Hill curve keeps small bursts, and most of the noise of few dopamine cells, from teaching:
/// at 5 Hz, irregular, its mean is some 17 with 30 cells (scale .5) and 5 with 60. D follows
/// slowly, so that the short burst of a reward that was expected, and the pause after it, nearly
/// cancel.
struct DopamineGateParameters {
  double gain = 2800.0;
  double half_hz = 2.0;
  double hill = 4.0;
  double tau_ms = 300.0;
  double adaptation_ms = 20000.0;
  void visit(ParameterVisitor& v);
};

class DopamineGate {
 public:
  /// `cells`: dopamine cells of an intact brain that reach these synapses.
  DopamineGate(const DopamineGateParameters& parameters, std::uint32_t cells)
      : parameters_(parameters), dopamine_(parameters.tau_ms, parameters.adaptation_ms, cells) {}

  /// One timestep in which `spikes` of them fired.
  void update(std::size_t spikes) { dopamine_.update(spikes); }
  double value() const;

  void save(StateWriter& writer) const { dopamine_.save(writer, "dopamine_gate"); }
  void load(StateReader& reader) { dopamine_.load(reader, "dopamine_gate"); }

 private:
  DopamineGateParameters parameters_;
  DopamineConcentration dopamine_;
};

/// Excitatory synapses: the triplet rule in its minimal form (Pfister & Gerstner 2006, J. Neurosci.
/// 26:9673; all pairs of spikes), turned into changes by a third factor, with bounded weights.
///   spike of source i:  e_ij ← e_ij − depression · s_j · y_j · (1 − b + b w_ij/w0) · w0
///   spike of target j:  e_ij ← e_ij + potentiation · x_i · z_j · (1 − b + b u_ij) · w0
///   dw/dt = rate · gate · e/(1 + |e|/(eligibility_limit · w0))/eligibility_ms
///   de/dt = −e/eligibility_ms
/// u_ij = (w_max − w_ij)/(w_max − w0). x, y and z jump by 1 with every spike, after it is counted,
/// and decay with plus_ms, minus_ms and slow_ms. At the initial weight w0, and as long as e
/// is far below its limit, changes are those of slices, as shares of w0, times rate and gate;
/// regular firing potentiates above depression · s_j · minus_ms / (potentiation · plus_ms ·
/// slow_ms), 20 Hz for s_j = 1. b: weight_dependence, from 0 (changes know nothing of the weight
/// but its bounds 0 and w_max = max_weight · w0: small differences between synapses grow) to 1
/// (they balance at a weight between them; Gütig et al. 2003, J. Neurosci. 23:3697, have powers
/// instead).
///
/// Above reference_hz the threshold slides with the cell's activity (Bienenstock, Cooper & Munro
/// 1982):
///   s_j = max(1, ⟨z²⟩_j / (⟨z⟩_j · slow_ms · reference_hz))^sliding
/// ⟨⟩: means over sliding_s, followed every 20 ms and taken over into s_j every second. Where z is
/// steady their ratio is the cell's rate; where it comes and goes more slowly than slow_ms, the
/// rate while it fires, whatever the share of time that it does; single spikes add 1/(2 slow_ms).
/// So a cell tells the inputs with which it fires most from those with which it fires less. With
/// sliding 1 potentiation and depression by a steady rate stay in the ratio that they have at
/// reference_hz: what bounds rates then is weight dependence, normalisation and inhibition.
///
/// Every second, two slow processes act on the synapses of each target:
///   w ← w · (1 + normalisation · (W0/Σw − 1))                     W0: the initial sum
///   w ← w − (w − c)/labile_s,  c ← c + (w − c)/(labile_s · capacity)
/// The first is heterosynaptic: what some synapses gain, others lose. The second is consolidation:
/// a synapse's weight is coupled to a hidden, slower variable c of `capacity` times its size (the
/// first two of the chain of Benna & Fusi 2016, Nat. Neurosci. 19:1697). Changes that are not kept
/// up flow back; long practice fills c, and stays.
struct TripletParameters {
  double rate = 0.016;
  double potentiation = 6.5e-3;
  double depression = 0.0073;
  double weight_dependence = 0.5;
  double sliding = 1.0;
  double reference_hz = 25.0;
  double sliding_s = 20.0;
  double plus_ms = 16.8;
  double minus_ms = 33.7;
  double slow_ms = 114.0;
  double eligibility_ms = 1000.0;
  double eligibility_limit = 0.1;
  double max_weight = 5.0;
  double normalisation = 0.25;
  double labile_s = 90.0;
  double capacity = 10.0;
  void visit(ParameterVisitor& v);
};

class TripletRule {
 public:
  static constexpr std::int64_t kPeriodMs = 20;  ///< between changes of weights by eligibility
  static constexpr std::int64_t kSlowPeriodMs = 1000;

  /// The projection's synapses begin with the same weight; its largest must be `max_weight` times
  /// that.
  TripletRule(Projection& projection, const TripletParameters& parameters);

  /// One timestep. `learning`: whether weights change.
  void step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic, double gate,
            bool learning);
  /// Changes who is connected to whom: new synapses have no eligibility, and their first weight as
  /// their consolidated one.
  void rewire(std::span<const Rewired> changes);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  /// `eligibility`: in canonical order.
  template <class State, class Self, class Eligibility>
  static void visit_state(State& state, Self& self, Eligibility& eligibility);
  void follow(double gate);
  void follow_rate();
  void slide();
  void settle();
  std::vector<float> canonical_eligibility() const;
  void set_eligibility(std::span<const float> canonical);

  Projection& projection_;
  TripletParameters parameters_;
  float initial_weight_, plus_decay_, minus_decay_, slow_decay_, eligibility_decay_;
  // State.
  std::int64_t now_ms_ = 0;
  std::vector<float> x_;                  // per source cell, and 0 for where there is no synapse
  std::vector<float> y_, z_;              // per own target
  std::vector<float> z_mean_, z_square_;  // per own target
  std::vector<float> eligibility_;        // per synapse, in the order of delivery
  std::vector<float> consolidated_;       // per synapse, in canonical order
  std::vector<float> depression_;         // per own target: depression · s_j

  std::vector<float> loss_;  // per own target: depression_ · y_ (this timestep)
};

/// Inhibitory synapses that hold their target's rate (Vogels, Sprekeler, Zenke, Clopath & Gerstner
/// 2011, Science 334:1569):
///   spike of source i:  w_ij ← w_ij + rate · w0 · (y_j − 2 trace · r_j)
///   spike of target j:  w_ij ← w_ij + rate · w0 · x_i
/// x and y: traces of the spikes of i and j (trace_ms); weights stay in [0, w_max]. r_j is the
/// cell's own set-point (cells return to rates of their own: Hengen et al. 2016, Cell 165:180): its
/// mean rate over the first calibration_s, in which weights stay, and from there on a running mean
/// (set_point_s).
struct InhibitoryParameters {
  double rate = 5e-5;
  double trace_ms = 20.0;
  double calibration_s = 10.0;
  double set_point_s = 600.0;
  void visit(ParameterVisitor& v);
};

class InhibitoryRule {
 public:
  InhibitoryRule(Projection& projection, const InhibitoryParameters& parameters);

  /// One timestep. `learning`: whether weights change.
  void step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic, bool learning);

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  Projection& projection_;
  InhibitoryParameters parameters_;
  float change_, decay_;
  // State.
  std::int64_t now_ms_ = 0;
  std::vector<float> x_;          // per source cell
  std::vector<float> y_;          // per own target
  std::vector<float> set_point_;  // per own target: 2 trace · r
};

}  // namespace quartet
