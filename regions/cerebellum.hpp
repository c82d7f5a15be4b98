/// Cerebellum: mossy fibres, granule cells, Golgi cells, molecular-layer interneurons, Purkinje
/// cells, deep nuclei and inferior olive, in eight microzones by the direction of the error that
/// their climbing fibres report.
///
/// The olive makes the error: cells tuned to the direction of the seen cursor excite it, cells that
/// predict that direction from a delayed copy of the aim (premotor spikes, about as late as vision
/// is) inhibit it; both inputs are slow, so that the noise of their sources does not hide small
/// errors (decision 0001). Prediction cells saturate, by a long refractory period under a strong
/// drive; they are silent unless the presence of a seen cursor, without its direction, lifts them
/// (`predicted_drive_mv`), so nothing is compared where nothing is seen. An olivary cell fires
/// about once a second; an error in its direction makes a spike likely, and its long refractory
/// period limits it to about one, so the response saturates with the error's size. While a cursor
/// is seen and learning is on, synapses of cursor cells are scaled slowly, all alike, by the whole
/// olive's rate (synaptic scaling: Turrigiano et al. 1998), which balances excitation and
/// inhibition and knows no direction.
///
/// A granule cell gets motor fibres and aim fibres of similar directions, so that what one target
/// teaches is not undone by reaches to others (decision 0006).
///
/// Cells that report a reward, as soon as it is seen, can damp what the trial's complex spikes
/// taught (ClimbingFibreRule; decision 0009).
///
/// Purkinje cells move the nuclei's rate up and down without silencing them; the nuclei's
/// excitability follows their mean rate slowly (homeostasis). Spikes of SNc arrive, and no cell
/// reads them.
#pragma once

#include <memory>

#include "models/homeostasis.hpp"
#include "models/parameters.hpp"
#include "models/plasticity.hpp"
#include "regions/region.hpp"
#include "regions/sizes.hpp"
#include "regions/spiking_region.hpp"
#include "regions/tuned_drive.hpp"

namespace quartet {

struct CerebellumParameters {
  double lesion = 0.0;
  double lesion_nuclei = 0.0;
  double lesion_olive = 0.0;
  bool learning = true;
  bool nuclear_learning = true;
  bool silence_olive = false;
  bool silence_reward = false;
  double aim_copy_weight_mv = 250.0;
  double aim_copy_delay_ms = 110.0;
  double cursor_drive_mv = 36.0;
  double cursor_weight_mv = 500.0;
  double predicted_weight_mv = 700.0;
  double predicted_drive_mv = 197.0;
  double olive_synapse_ms = 60.0;
  double olive_target_hz = 1.1;
  double olive_scaling_rate = 3e-5;
  double mf_grc_weight_mv = 22.0;
  double granule_spread_deg = 20.0;
  double pf_pc_weight_mv = 1.6;
  double mf_dcn_weight_mv = 0.8;
  double pc_dcn_weight_mv = 20.0;
  ClimbingFibreParameters climbing_fibre;
  NuclearParameters nuclear;
  // 45 +- 7 Hz: Geminiani et al. 2024.
  HomeostasisParameters nuclear_homeostasis{.target_hz = 42, .rate = 2e-5};
  // Membrane time constants are typical of the cell types; the rest is tuned to rates at rest.
  LifParameters mossy{.tau_m_ms = 10, .bias_mv = 4, .noise_mv = 3.75};
  LifParameters granule{.tau_m_ms = 12, .bias_mv = 0, .noise_mv = 1.0};
  LifParameters golgi{.tau_m_ms = 20, .bias_mv = 9, .noise_mv = 4.5};
  LifParameters mli{.tau_m_ms = 10, .refractory_ms = 1, .bias_mv = 11, .noise_mv = 2.0};
  LifParameters purkinje{.tau_m_ms = 15, .bias_mv = 28, .noise_mv = 1.0};
  LifParameters dcn{.tau_m_ms = 15, .bias_mv = 34, .noise_mv = 4.0};
  // Its long refractory period is no olivary cell's: it bounds the response to an error (decision
  // 0001).
  LifParameters olive{.tau_m_ms = 11, .refractory_ms = 250, .bias_mv = 5.0, .noise_mv = 4.0};
  LifParameters cursor{.tau_m_ms = 10, .bias_mv = 0, .noise_mv = 3.0};
  LifParameters predicted{.tau_m_ms = 10, .refractory_ms = 8, .bias_mv = -200, .noise_mv = 3.0};
  LifParameters reward{.tau_m_ms = 15, .bias_mv = 2, .noise_mv = 3.75};

  void visit(ParameterVisitor& v);
};

class Cerebellum final : public SpikingRegion {
 public:
  Cerebellum(const CerebellumParameters& parameters, double scale, std::uint64_t seed, Slice slice);

  void lose_cells(const CellLoss& loss) override;

 private:
  void prepare(Step t, const Inbox& in) override;
  void learn(Step t, const Inbox& in) override;
  void save_extra(StateWriter& writer) const override;
  void load_extra(StateReader& reader) override;
  template <class State, class Self>
  static void visit_state(State& state, Self& self);

  CerebellumParameters parameters_;
  Sizes sizes_;
  std::size_t senses_ = 0;
  std::size_t mossy_, granule_, golgi_, mli_, purkinje_, dcn_, olive_, cursor_, predicted_, reward_;
  Projection* cursor_synapses_ = nullptr;  // on the olive
  std::unique_ptr<TunedDrive> cursor_drive_;
  std::unique_ptr<ClimbingFibreRule> parallel_fibre_rule_;
  std::unique_ptr<NuclearRule> nuclear_rule_;

  std::uint32_t living_nuclear_ = 0, living_olivary_ = 0;  // cells; derived from loss_

  // State.
  CellLoss loss_;
  Homeostasis nuclear_homeostasis_;
  double olive_scale_ = 1;  // of the cursor cells' synapses

  std::vector<float> cursor_weights_;  // of these at scale 1
};

}  // namespace quartet
