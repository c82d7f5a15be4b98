/// Cortex: parietal cells that see the target (PPC) and the cursor (PPCc), cells that feel the hand
/// (Proprio) and estimate where it is (Felt), premotor cells that hold the aim (PMd), and one
/// two-dimensional motor sheet with layers 2/3, 5 (IT, PT) and 6 and three kinds of inhibitory
/// cells. Corticospinal (PT) cells drive muscles through spatial fields (sheet.hpp).
///
/// The only things injected are seen, felt or told: one or two targets, into PPC; that there are
/// two, into PMdC; the cursor, into PPCc; that one is seen, into TaskError; the instruction to use
/// no strategy, into PrePMd; and that to move fingers, into PMv; where the hand is, into Proprio.
/// The aim is in premotor spikes: parietal input proposes the target's direction, the thalamic (VA)
/// channels that the basal ganglia select shift it, and so do rostral premotor cells (PrePMd),
/// which hold a strategy. TaskError cells compare: PPC excites them and PPCc inhibits them, so
/// while a cursor is seen beyond a third of the way they fire for directions on the target's other
/// side, and instruct the synapses of PPC on PrePMd, by their apical dendrites (decision 0008).
/// While two targets are seen, aims inhibit each other through PMdC cells (decision 0010).
///
/// Felt cells take the hand to be where Proprio cells say, and nearer to where a cursor was seen
/// when these fired: what they do not predict of a seen cursor instructs synapses of Proprio on
/// Felt. They drive nothing (decision 0014).
///
/// Where hands are seen (brain.cortex.observation), cells of the superior temporal sulcus (STS)
/// fire for the fingers that bend, of whatever hand. Inferior parietal cells (PFG), which a cue to
/// move fingers lifts as well, learn what is seen while they fire, and PMv cells what PFG cells do:
/// both then fire for movements that are only seen (decision 0017).
///
/// Where nerves of the body report (brain.cortex.afferents), somatosensory cells (S1) of each part
/// fire at rest and excite the sheet's interneurons over the part's field, which keeps silent what
/// horizontal fibres of layer 2/3 would bring from other parts (decision 0020).
///
/// A cue to move fingers lifts their ventral premotor cells (PMv), otherwise silent, which drive
/// the fingers' parts of the sheet, and wider ones of its SOM cells, which inhibit their surround
/// (decision 0021). With brain.cortex.sheet_plasticity the sheet learns: recurrent
/// and corticospinal excitation by spike timing and dopamine, inhibition of these cells by their
/// rates (decision 0012).
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "models/arm.hpp"
#include "models/drug.hpp"
#include "models/parameters.hpp"
#include "models/plasticity.hpp"
#include "models/spines.hpp"
#include "models/stdp.hpp"
#include "models/stimulation.hpp"
#include "regions/region.hpp"
#include "regions/sizes.hpp"
#include "regions/spiking_region.hpp"
#include "regions/tuned_drive.hpp"

namespace quartet {

/// The window after a focal lesion in which the sheet is more plastic, by growth factors that are
/// not modelled: the speed of excitatory learning, and that of forming new synapses without growth
/// (models/spines.hpp), are multiplied by
///   1 + amplitude · (t/peak_days) · exp(1 − t/peak_days)        t: days since the last lesion
/// in days of spines.day_s. The only curve that is given as a function of time.
struct WindowParameters {
  double amplitude = 0.0;
  double peak_days = 7.0;
  void visit(ParameterVisitor& v);

  double factor(double days) const;
};

/// Cells that see hands, and synapses by which cells that move the own fingers come to fire for
/// what is seen.
struct ObservationParameters {
  bool connected = false;
  double seen_drive_mv = 20.0;
  double cue_drive_mv = 22.0;
  double sts_pfg_weight_mv = 185.0;
  double pfg_pmv_weight_mv = 250.0;
  double inhibition_mv = 60.0;
  HebbianParameters learning;
  void visit(ParameterVisitor& v);
};

/// Cells that fire at rest for what skin and muscles report, and what they and horizontal fibres do
/// to the sheet.
struct AfferentParameters {
  bool connected = false;
  double drive_mv = 12.0;
  double spread = 3.0;
  double pv_weight = 7.3;
  double som_weight = 2.5;
  double e_weight = 0.1;
  double horizontal_sd = 3.0;
  double horizontal_pt_weight = 8.0;
  double horizontal_pv_weight = 2.0;
  void visit(ParameterVisitor& v);
};

/// Whether and how synapses among cells of the sheet learn.
struct SheetPlasticityParameters {
  bool plastic = false;
  bool learning = true;
  double wide_share = 0.3;
  double wide_sd = 1.4;
  DopamineGateParameters dopamine;
  TripletParameters excitatory;
  SpineParameters spines;
  WindowParameters window;
  InhibitoryParameters inhibitory;

  void visit(ParameterVisitor& v);
};

struct CortexParameters {
  double cue_drive_mv = 24.0;
  double ppc_pmd_weight_mv = 170.0;
  double choice_drive_mv = 197.0;
  double pmd_chooser_weight_mv = 120.0;
  double chooser_pmd_weight_mv = 150.0;
  bool strategy_learning = true;
  bool silence_task_error = false;
  double strategy_weight_mv = 500.0;
  double strategy_inhibition_mv = 300.0;
  double strategy_max_weight_mv = 8.0;
  double task_error_weight_mv = 800.0;
  double task_error_drive_mv = 97.0;
  double instruction_mv = 60.0;
  InstructedParameters strategy{
      .rate = 0.046, .decay = 0.009, .inhibition = 0.3, .sensitization = 0.05};
  double proprio_felt_weight_mv = 72.0;
  double recalibration_max_weight_mv = 4.0;
  InstructedParameters recalibration{.rate = 0.0005, .decay = 0.005};
  SheetPlasticityParameters sheet_plasticity;
  ObservationParameters observation;
  AfferentParameters afferents;
  double va_pmd_weight_mv = 360.0;
  double pmd_e_weight = 2.0;
  double pmd_pt_weight = 5.0;
  double finger_drive_mv = 124.0;
  double pmv_e_weight = 2.0;
  double pmv_pt_weight = 6.0;
  double pmv_som_weight = 5.0;
  double vl_e_weight = 0.2;
  double vl_pt_weight = 10.0;
  double e_pt_weight = 4.0;
  double gaba_a_factor = 1.0;
  double gaba_b_factor = 1.0;
  double nmda_factor = 1.0;
  AxonParameters axons;
  // Membrane time constants are typical of the cell types; the rest is tuned to rates at rest and
  // in reaches.
  LifParameters ppc{.tau_m_ms = 15, .bias_mv = 3, .noise_mv = 3.75};
  LifParameters ppc_cursor{.tau_m_ms = 15, .bias_mv = 3, .noise_mv = 3.75};
  // Silent unless a seen cursor lifts them.
  LifParameters task_error{.tau_m_ms = 10, .bias_mv = -100, .noise_mv = 3.75};
  LifParameters proprio{.tau_m_ms = 15, .bias_mv = 3, .noise_mv = 3.75};
  LifParameters felt{.tau_m_ms = 15, .bias_mv = 3, .noise_mv = 3.75};
  // Silent unless it has a strategy.
  LifParameters pre_pmd{.tau_m_ms = 15, .bias_mv = 1, .noise_mv = 3.75};
  LifParameters pmd{.tau_m_ms = 15, .bias_mv = 3, .noise_mv = 3.75};
  LifParameters pmd_inhibitory{.tau_m_ms = 10, .refractory_ms = 1, .bias_mv = 4, .noise_mv = 4};
  // Silent unless two targets lift them.
  LifParameters pmd_chooser{.tau_m_ms = 10, .refractory_ms = 1, .bias_mv = -200, .noise_mv = 4};
  // Silent unless a cue to move fingers lifts them.
  LifParameters pmv{.tau_m_ms = 15, .bias_mv = -100, .noise_mv = 3.75};
  LifParameters sts{.tau_m_ms = 15, .noise_mv = 3.75};
  LifParameters s1{.tau_m_ms = 15, .noise_mv = 3.75};
  LifParameters pfg{.tau_m_ms = 15, .bias_mv = 2, .noise_mv = 3.75};
  LifParameters l23e{.tau_m_ms = 15,
                     .rest_mv = -70,
                     .threshold_mv = -52,
                     .reset_mv = -60,
                     .bias_mv = 9.5,
                     .noise_mv = 4.5,
                     .adaptation_mv = 1,
                     .adaptation_tau_ms = 80};
  LifParameters pv{.tau_m_ms = 8,
                   .rest_mv = -70,
                   .threshold_mv = -52,
                   .reset_mv = -60,
                   .refractory_ms = 1,
                   .bias_mv = 11,
                   .noise_mv = 4};
  LifParameters som{.tau_m_ms = 15,
                    .rest_mv = -70,
                    .threshold_mv = -52,
                    .reset_mv = -60,
                    .bias_mv = 8,
                    .noise_mv = 4,
                    .adaptation_mv = .5,
                    .adaptation_tau_ms = 80};
  LifParameters ngf{.tau_m_ms = 15,
                    .rest_mv = -70,
                    .threshold_mv = -52,
                    .reset_mv = -60,
                    .bias_mv = 9,
                    .noise_mv = 4};
  LifParameters l5it{.tau_m_ms = 15,
                     .rest_mv = -70,
                     .threshold_mv = -52,
                     .reset_mv = -60,
                     .bias_mv = 11,
                     .noise_mv = 4.5,
                     .adaptation_mv = 1,
                     .adaptation_tau_ms = 80};
  LifParameters l5pt{.tau_m_ms = 15,
                     .rest_mv = -70,
                     .threshold_mv = -52,
                     .reset_mv = -60,
                     .refractory_ms = 1.5,
                     .bias_mv = 12,
                     .noise_mv = 3.0,
                     .adaptation_mv = 0.5,
                     .adaptation_tau_ms = 80};
  LifParameters l6ct{.tau_m_ms = 15,
                     .rest_mv = -70,
                     .threshold_mv = -52,
                     .reset_mv = -60,
                     .bias_mv = 8,
                     .noise_mv = 4.5,
                     .adaptation_mv = 1,
                     .adaptation_tau_ms = 80};

  void visit(ParameterVisitor& v);
};

class Cortex final : public SpikingRegion {
 public:
  /// `arm`: whose mechanics the input map has learned.
  Cortex(const CortexParameters& parameters, const ArmParameters& arm, double scale,
         std::uint64_t seed, Slice slice);

  /// Excites the axons that `pulse` recruits among the motor sheet's cells. Before the timestep in
  /// which pulse.substep lies.
  void stimulate(const Pulse& pulse);
  /// Removes this slice's cells of the motor sheet within `radius` of (x, y), sheet units, for
  /// good.
  void lesion(double x, double y, double radius);
  /// Depolarises the sheet's pyramidal cells by direct current, until it is called again. `mv`: at
  /// the soma of a cell at rest.
  void polarize(double mv);
  /// To the receptors of the sheet's cells.
  void medicate(const Drug& drug) override;
  /// From the next timestep on the premotor cells of these digits (1: thumb) are driven as by a cue
  /// to move them, beside what the body asks for. Of a probe, which ends with none: no state.
  void ask_fingers(std::span<const double> digits);
  /// Spikes of corticospinal cells in the last timestep, of all slices.
  std::span<const Spike> corticospinal() const { return network_.spikes(l5pt_.population); }

 private:
  /// A population of the motor sheet.
  struct Layer {
    std::size_t population = 0;
    SheetLayout sheet;
  };

  void prepare(Step t, const Inbox& in) override;
  void learn(Step t, const Inbox& in) override;
  void save_extra(StateWriter& writer) const override;
  void load_extra(StateReader& reader) override;
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  // Parts of the constructor, in its order.
  void add_populations();
  void connect_aim(std::size_t va);
  void connect_choice();
  void connect_strategy();
  void connect_felt_hand();
  void connect_observation();
  void lateral(const char* name, const Layer& from, const Layer& to, std::size_t receptor,
               std::uint32_t in_degree, double sd, double sum, double delay_ms);
  void connect_sheet();
  void connect_afferents();
  void connect_sheet_inputs(const ArmParameters& arm, std::size_t vl);
  /// Interneurons that all of a population's cells excite and that inhibit them all. `mv`: summed
  /// inhibition of a cell.
  void inhibit(std::size_t population, Cells cells, std::size_t interneurons,
               Cells interneuron_cells, double mv);

  /// A layer as a stimulator meets it.
  struct Axons {
    Layer layer;
    AxonThreshold threshold;
    bool excitatory;
    RandomKey key;
  };

  CortexParameters parameters_;
  Sizes sizes_;
  std::uint64_t seed_;
  std::vector<Axons> axons_;
  std::size_t senses_ = 0, dopamine_ = 0;  // input ports
  std::size_t ppc_ = 0, ppc_cursor_ = 0, task_error_ = 0, proprio_ = 0, felt_ = 0, pre_pmd_ = 0,
              pmd_ = 0, pmd_inhibitory_ = 0, pmd_chooser_ = 0, pmv_ = 0, sts_ = 0, pfg_ = 0,
              s1_ = 0;
  Layer l23e_, pv_, som_, ngf_, l5it_, l5pt_, l6ct_;
  std::unique_ptr<TunedDrive> target_drive_, cursor_drive_, hand_drive_;
  GroupDrive pmv_drive_, s1_drive_, sts_drive_, pfg_drive_;
  std::unique_ptr<InstructedRule> strategy_rule_, recalibration_rule_;
  std::unique_ptr<HebbianRule> sts_rule_, pfg_rule_;  // null where no hands are seen
  std::array<double, finger_count> asked_{};          // by a probe
  double polarization_mv_ = 0;                        // state
  Drug drug_;                                         // state
  std::int64_t since_lesion_ms_ = -1;                 // state; -1: there was none
  // Plasticity of the sheet; no rules where it is fixed.
  struct ExcitatoryPathway {
    std::size_t source, target;  // populations
    TripletRule rule;
    std::unique_ptr<SpineRule> spines;  // null where synapses neither come nor go
  };
  struct InhibitoryPathway {
    std::size_t source, target;
    InhibitoryRule rule;
  };
  DopamineGate dopamine_gate_;
  std::vector<ExcitatoryPathway> excitatory_;
  std::vector<InhibitoryPathway> inhibitory_;
};

}  // namespace quartet
