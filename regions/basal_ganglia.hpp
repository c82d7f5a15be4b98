/// Basal ganglia: 24 action channels (D1 and D2 striatum, GPe, STN, GPi), fast-spiking and
/// cholinergic interneurons, and a critic (striosome) with the dopamine cells that it trains.
///
/// A channel that D1 cells select is disinhibited in the thalamus and moves the aim. Cortical
/// synapses on D1 and D2 cells learn by dopamine times eligibility beyond its mean, and relax.
/// Channels compete through collaterals among spiny cells; the excitability of D1 and of D2 cells
/// follows their mean rate slowly (homeostasis). SNc makes the reward prediction error: reward
/// cells excite it, striosome cells, whose synapses learn how much reward follows what is seen,
/// inhibit it at the outcome, and so do habenula cells, which punishments drive (Matsumoto &
/// Hikosaka 2007); pedunculopontine cells (PPN) excite it where what is seen promises a reward
/// (decision 0019). What is seen is the target; striosome cells also hear which fingers are to
/// move. Exploration is the slow noise that tonically active cholinergic cells (TAN) put on their
/// channel, less their mean (decision 0007): striosome activity (expected reward) quietens them,
/// and tonic dopamine excites them. A subject begins as one who has reached before: critic and
/// value start near where rewarded reaches bring them, but PPN cells do not yet promise anything;
/// D1 cells take some hundred trials to come from 5 to their 8 Hz. Dopamine can be lost with its
/// cells, its tonic part with their pacemaking, its phasic part with synapses onto them, and a
/// drug can stand in for the tonic part (regions/decisions/0013).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "models/dopamine.hpp"
#include "models/homeostasis.hpp"
#include "models/parameters.hpp"
#include "models/plasticity.hpp"
#include "regions/region.hpp"
#include "regions/sizes.hpp"
#include "regions/spiking_region.hpp"

namespace quartet {

struct BasalGangliaParameters {
  double dopamine_depletion = 0.0;
  double phasic_dopamine_loss = 0.0;
  double tonic_dopamine_loss = 0.0;
  double dopamine_medication_hz = 0.0;
  bool learning = true;
  bool critic_learning = true;
  bool silence_dopamine = false;
  double dopamine_tau_ms = 100.0;
  double dopamine_tonic_hz = 5.0;
  double dopamine_half_hz = 8.0;
  double dopamine_hill = 3.0;
  double d1_affinity_per_hz = 0.0;
  double d2_affinity_per_hz = 0.0;
  double tan_dopamine_mv = 0.2;
  double tan_value_mv = 1.0;
  double tan_d1_weight_mv = 13.0;
  double tan_ngf_d1_weight_mv = 13.0;
  double value_initial_hz = 4.9;
  double critic_gate_mv = 120.0;
  double critic_weight_mv = 250.0;
  double instruction_weight_mv = 250.0;
  double value_tau_ms = 8000.0;
  double striosome_weight_mv = 30.0;
  double habenula_weight_mv = 30.0;
  double ppn_weight_mv = 80.0;
  double ppn_snc_weight_mv = 60.0;
  double d1_excitability_mv = 0.15;
  double collateral_weight_mv = 100.0;
  ThreeFactorParameters actor_d1{
      .rate = 0.006, .eligibility_ms = 800, .mean_rate = 0.01, .decay = 0.001, .rise_ms = 40};
  ThreeFactorParameters actor_d2{
      .rate = 0.001, .eligibility_ms = 800, .mean_rate = 0.01, .decay = 0.004};
  ThreeFactorParameters critic{.rate = 0.02, .eligibility_ms = 100, .mean_rate = 0.0};
  ThreeFactorParameters cue{.rate = 0.1, .eligibility_ms = 600, .mean_rate = 0.0, .rise_ms = 150};
  HomeostasisParameters d1_homeostasis{.target_hz = 8, .rate = 4e-5};
  HomeostasisParameters d2_homeostasis{.target_hz = 3, .rate = 4e-5};
  // Membrane time constants are typical of the cell types; the rest is tuned to rates at rest.
  LifParameters d1{.tau_m_ms = 15, .bias_mv = 4, .noise_mv = 3.75};
  LifParameters d2{.tau_m_ms = 15, .bias_mv = 1.3, .noise_mv = 3.75};
  LifParameters fsi{.tau_m_ms = 8, .refractory_ms = 1, .bias_mv = 8, .noise_mv = 4.5};
  LifParameters tan{.tau_m_ms = 20, .bias_mv = 9.2, .noise_mv = 5.0};
  LifParameters gpe{.tau_m_ms = 12, .bias_mv = 20, .noise_mv = 2.25};
  LifParameters stn{.tau_m_ms = 12, .bias_mv = 15.2, .noise_mv = 2.25};
  LifParameters gpi{.tau_m_ms = 12, .bias_mv = 26, .noise_mv = 2.25};
  LifParameters snc{.tau_m_ms = 15, .bias_mv = 4.8, .noise_mv = 5.25};
  LifParameters striosome{.tau_m_ms = 15, .bias_mv = -45, .noise_mv = 4.0};
  LifParameters outcome{.tau_m_ms = 15, .bias_mv = 2, .noise_mv = 3.75};
  // They answer the beginning of what excites them.
  LifParameters ppn{.tau_m_ms = 15,
                    .bias_mv = 4,
                    .noise_mv = 3.75,
                    .adaptation_mv = 30,
                    .adaptation_tau_ms = 600};
  // Silent unless a punishment lifts them.
  LifParameters habenula{.tau_m_ms = 15, .bias_mv = -50, .noise_mv = 3.75};
  // Silent unless fingers are to move.
  LifParameters instruction{.tau_m_ms = 15, .bias_mv = -50, .noise_mv = 3.75};

  void visit(ParameterVisitor& v);
};

class BasalGanglia final : public SpikingRegion {
 public:
  BasalGanglia(const BasalGangliaParameters& parameters, double scale, std::uint64_t seed,
               Slice slice);

  /// Third factors of learning: what the distance of the dopamine concentration from the adapted
  /// level brings about at D1 receptors (of striosome cells as well), and at D2 receptors, where a
  /// drug fills dips. On synapses of D2 cells it acts with the other sign.
  double d1_third_factor() const { return third_factor(parameters_.d1_affinity_per_hz, 0); }
  double d2_third_factor() const {
    return third_factor(parameters_.d2_affinity_per_hz, medication_hz());
  }

  void lose_cells(const CellLoss& loss) override;
  void medicate(const Drug& drug) override;

 private:
  double medication_hz() const { return parameters_.dopamine_medication_hz + drug_hz_; }
  void prepare(Step t, const Inbox& in) override;
  void learn(Step t, const Inbox& in) override;
  void save_extra(StateWriter& writer) const override;
  void load_extra(StateReader& reader) override;
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  double third_factor(double affinity, double drug_hz) const;

  BasalGangliaParameters parameters_;
  Sizes sizes_;
  std::size_t senses_ = 0;
  std::size_t d1_, d2_, fsi_, tan_, gpe_, stn_, gpi_, snc_, striosome_, outcome_, reward_,
      habenula_, ppn_, instruction_;
  std::unique_ptr<ThreeFactorRule> d1_rule_, d2_rule_, critic_rule_, instruction_rule_, cue_rule_;
  std::size_t cue_port_ = 0;
  /// Own instruction cells that each set of fingers (bit f: finger f from the little one) excites.
  std::array<std::vector<std::uint32_t>, 1 << finger_count> instructed_;

  // State; the value trace in Hz of striosome cells.
  DopamineConcentration dopamine_;
  double value_ = 0;
  double drug_hz_ = 0;  // of the block
  Homeostasis d1_homeostasis_, d2_homeostasis_;
};

}  // namespace quartet
