/// Leaky integrate-and-fire cells with exponential synapses, as structure of arrays.
///
/// Equations (per cell; synaptic states s_k jump by the weight of an arriving spike):
///   current synapses      τ dV/dt = E_L − V + Σ s_k + I − a               (s_k, I, a in mV)
///   conductance synapses  τ dV/dt = E_L − V + Σ s_k B_k(V) (E_k − V) + I − a   (s_k in g_L),
///                         of which one may be tonic: s_k constant, B_k = 1
///
///   ds_k/dt = −s_k/τ_k,  da/dt = −a/τ_a,  I = bias + drive + membrane noise
///
///   B_k = 1, for NMDA 1/(1 + [Mg]/3.57 mM · exp(−V/16.13 mV))  (Jahr & Stevens 1990)
///
///   V ≥ threshold: spike, V ← reset for the refractory period, a ← a + adaptation
/// Current synapses are integrated exactly (Rotter & Diesmann 1999); conductance synapses with
/// the exponential Euler step, conductances held at their mean over the substep. A receptor with a
/// rise time is the difference of two exponentials with peak 1. Noise is white: independent uniform
/// numbers per substep, scaled so that free V has the given stationary SD.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/parameters.hpp"
#include "models/random.hpp"
#include "models/state.hpp"

namespace quartet {

enum class SynapseKind { current, conductance };

struct Receptor {
  double decay_ms = 5.0;
  double rise_ms = 0.0;      ///< 0: instantaneous
  double reversal_mv = 0.0;  ///< conductance synapses only
  bool magnesium_block = false;
  /// Index of an earlier receptor whose input this one shares (AMPA and NMDA receptors of one
  /// synapse), with weights `ratio` times as large; −1: input of its own. Sharers come last.
  int shares_input_of = -1;
  double ratio = 1.0;
};

struct LifParameters {
  double tau_m_ms = 20.0;
  double rest_mv = -65.0;
  double threshold_mv = -50.0;
  double reset_mv = -65.0;
  double refractory_ms = 2.0;
  double bias_mv = 0.0;        ///< constant drive, as depolarisation at rest
  double bias_sd_mv = 0.0;     ///< SD of the bias over cells (uniform distribution)
  double noise_mv = 0.0;       ///< stationary SD of free V
  double adaptation_mv = 0.0;  ///< added to a at each spike
  double adaptation_tau_ms = 100.0;
  double floor_mv = -100.0;  ///< V is not driven below (current synapses only)

  /// The parameters a user may set; receptors belong to the model.
  void visit(ParameterVisitor& v);
};

/// Fixed point of synaptic input: 2⁻¹⁸ mV (current) or 2⁻¹⁸ g_L (conductance). Sums of integers
/// do not depend on their order. The range is ±8192; `Network` refuses what could overflow.
inline constexpr double kInputQuantum = 1.0 / 262144.0;

/// A slice's cells of one population.
class LifPopulation {
 public:
  static constexpr int kMaxStates = 8;

  /// `size` cells over all slices, of which this object owns [first, last). Throws
  /// std::invalid_argument with the population's name where a parameter makes no sense.
  LifPopulation(std::string name, const LifParameters& parameters, SynapseKind kind,
                std::vector<Receptor> receptors, std::uint32_t size, std::uint32_t first,
                std::uint32_t last, std::uint32_t substeps_per_ms, std::uint64_t seed);

  const std::string& name() const { return name_; }
  SynapseKind kind() const { return kind_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t first() const { return first_; }
  std::uint32_t last() const { return first_ + count_; }
  std::uint32_t count() const { return count_; }
  /// Receptors with input of their own.
  std::size_t receptor_count() const { return inputs_; }
  /// Whether a conductance of this receptor keeps V under the threshold.
  bool is_inhibitory(std::size_t receptor) const {
    return receptors_[receptor].reversal_mv < parameters_.threshold_mv;
  }

  /// Whether anything can reach `receptor` (as it can at first), and those that share its input;
  /// where nothing can, no time is spent on it.
  void set_reached(std::size_t receptor, bool reached) { reached_[receptor] = reached; }

  /// Makes room for delays of up to `substeps`. Before the first step only.
  void reserve_delay(std::uint32_t substeps);
  std::uint32_t delay_capacity() const { return slots_ - 1; }

  /// Accumulator of `receptor` for input due in substep `n` (absolute); [count()] integers.
  std::int32_t* input(std::size_t receptor, std::int64_t n) {
    return ring_.data() +
           (receptor * slots_ + static_cast<std::size_t>(n & (slots_ - 1))) * stride_;
  }

  /// Drive of each own cell in mV, held until changed.
  std::span<float> drive() { return drive_; }
  /// The same for all cells.
  void set_drive(float mv) { std::fill(drive_.begin(), drive_.begin() + count(), mv); }
  /// Shift of all cells' drive in mV, held until changed.
  void set_shift(float mv) { shift_ = mv; }
  /// Multiplies all conductances of `receptor` (as given to the constructor; of a sharer its own
  /// part alone), whatever has arrived, until changed. Conductance synapses only.
  void set_receptor_factor(std::size_t receptor, float factor);
  /// A conductance that is always open, of all cells, in g_L, until changed. Conductance synapses
  /// only.
  void set_tonic(float conductance, float reversal_mv) {
    tonic_ = conductance;
    tonic_reversal_ = reversal_mv;
  }

  /// Integrates substep n; appends own cells (ids over all slices) that fire.
  void integrate(std::int64_t n, std::vector<std::uint32_t>& fired);

  /// The axon of own cell `id` is excited in substep `n`, from outside: unless the cell is
  /// refractory or dead it fires then, and is reset as by a spike of its own (the spike also runs
  /// back into it). Excited axons are not state: none may be waiting when the population is saved.
  void evoke(std::int64_t n, std::uint32_t id) { evoked_.push_back({n, id - first_}); }
  /// Which of independent streams membrane noise is drawn from: 0 unless set. Not state.
  void set_noise_stream(std::uint32_t stream) {
    noise_key_.purpose = noise_purpose_ + stream * 0x9E3779B9u;
  }

  /// Removes own cell `id` (over all slices) for good: it never fires again.
  void kill(std::uint32_t id);
  bool alive(std::uint32_t id) const { return refractory_[id - first_] >= 0; }

  std::span<const float> potential() const { return {v_.data(), count_}; }

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  std::string name_;
  LifParameters parameters_;
  SynapseKind kind_;
  std::vector<Receptor> receptors_;
  std::vector<char> reached_;  // by receptor with input of its own
  std::size_t inputs_ = 0;
  std::uint32_t size_, first_, count_, stride_;
  RandomKey noise_key_;
  std::uint32_t noise_purpose_;  // of stream 0

  // Derived: propagators of one substep.
  int states_ = 0;
  int state_receptor_[kMaxStates] = {};  // whose input
  int state_owner_[kMaxStates] = {};     // whose conductance
  float state_decay_[kMaxStates] = {}, state_gain_[kMaxStates] = {}, state_to_v_[kMaxStates] = {},
        state_reversal_[kMaxStates] = {};
  bool state_blocked_[kMaxStates] = {};
  float v_decay_ = 0, drive_gain_ = 0, noise_gain_ = 0, adaptation_decay_ = 0, dt_over_tau_ = 0;
  std::int32_t refractory_substeps_ = 0;
  std::vector<float> bias_;

  // Inputs.
  std::vector<float> drive_;
  float shift_ = 0;
  float state_factor_[kMaxStates] = {};
  float tonic_ = 0, tonic_reversal_ = 0;
  struct Evoked {
    std::int64_t n;
    std::uint32_t cell;  // own, from 0
  };
  std::vector<Evoked> evoked_;

  // State.
  std::vector<float> v_, a_, s_;          // s_: [state][stride]
  std::vector<std::int32_t> refractory_;  // substeps left; −1: dead
  std::vector<std::int32_t> ring_;        // [receptor][slot][stride]
  std::uint32_t slots_ = 1;

  // Buffers.
  std::vector<std::int16_t> noise_;
  std::vector<std::int32_t> spiked_;
  std::vector<float> total_, conductance_, open_;  // of this substep

  // The free membrane over substep n, before threshold.
  void integrate_current(std::int64_t n);
  void integrate_conductance(std::int64_t n);
  // Lifts the cells that are evoked in substep n to threshold.
  void excite_axons(std::int64_t n);
};

}  // namespace quartet
