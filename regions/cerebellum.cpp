#include "regions/cerebellum.hpp"

#include <algorithm>

#include "models/math.hpp"

namespace quartet {

namespace {
// SD of the directions from which aim fibres and prediction cells draw premotor cells (chosen).
constexpr double kAimSpreadDeg = 12.0;
// Largest weight of a plastic mossy fibre - nuclear synapse, in initial weights (chosen).
constexpr double kLargestNuclear = 8.0;
// Exponent of the cursor cells' von Mises tuning: as sharp as the prediction is (tuned).
constexpr double kCursorSharpness = 3.5;
// Largest weight of a parallel fibre synapse, in mean initial weights (chosen: as far up as down).
constexpr double kLargestParallelFibre = 2.0;
// Bound of the scaling of their synapses on the olive, relative to the start (chosen).
constexpr double kLargestOliveScale = 4.0;
}  // namespace

void CerebellumParameters::visit(ParameterVisitor& v) {
  v.real("lesion", lesion, {"1", 0, 1},
         "fraction of Purkinje cells removed (cerebellar degeneration)");
  v.real("lesion_nuclei", lesion_nuclei, {"1", 0, 1}, "fraction of deep nuclear cells removed");
  v.real("lesion_olive", lesion_olive, {"1", 0, 1}, "fraction of olivary cells removed");
  v.boolean("learning", learning, "plasticity of parallel fibre - Purkinje synapses");
  v.boolean("nuclear_learning", nuclear_learning, "plasticity of mossy fibre - nuclear synapses");
  v.boolean("silence_olive", silence_olive, "removes all olivary cells");
  v.boolean("silence_reward", silence_reward, "removes all cells that report a reward");
  v.real("aim_copy_weight_mv", aim_copy_weight_mv, {"mV", 0, 1000},
         "summed premotor excitation of a prediction cell (tuned: as active as cursor cells)");
  v.real("aim_copy_delay_ms", aim_copy_delay_ms, {"ms", 1, 200},
         "delay of the aim's copy to the prediction cells (tuned: as late as vision)");
  v.real("cursor_drive_mv", cursor_drive_mv, {"mV", 0, 100},
         "drive of a cell tuned to the seen cursor (tuned: its rate)");
  v.real("cursor_weight_mv", cursor_weight_mv, {"mV", 0, 10000},
         "summed weight of cursor cells on an olivary cell, before it is scaled (tuned: an error "
         "makes a spike likely)");
  v.real("predicted_weight_mv", predicted_weight_mv, {"mV", 0, 10000},
         "summed weight of prediction cells on an olivary cell (tuned: no error at baseline)");
  v.real("predicted_drive_mv", predicted_drive_mv, {"mV", 0, 1000},
         "drive of a prediction cell while a cursor is seen (tuned: tuning width of cursor cells)");
  v.real(
      "olive_synapse_ms", olive_synapse_ms, {"ms", 1, 1000},
      "decay of excitation and inhibition of olivary cells (slow as the olive's known inputs are: "
      "Turecek et al. 2014, Best & Regehr 2009; tuned: noise does not hide a small error)");
  v.real("olive_target_hz", olive_target_hz, {"Hz", 0, 10},
         "rate of the whole olive, while a cursor is seen, that scales no synapse (.5-2 Hz)");
  v.real("olive_scaling_rate", olive_scaling_rate, {"1", 0, 1e-3},
         "relative change of the cursor cells' weights on the olive per ms and Hz (tuned: slow)");
  v.real("mf_grc_weight_mv", mf_grc_weight_mv, {"mV", 0, 1000},
         "weight of a mossy fibre - granule synapse (tuned: granule cells' rate)");
  v.real("granule_spread_deg", granule_spread_deg, {"degree", 0, 360},
         "SD of the directions of the aim fibres that meet in a granule cell (chosen: alike, as "
         "fibres of one receptive field meet in the cat's: Jorntell & Ekerot 2006)");
  v.real("pf_pc_weight_mv", pf_pc_weight_mv, {"mV", 0, 10},
         "mean initial weight of a parallel fibre synapse (tuned: Purkinje rate at baseline)");
  v.real("mf_dcn_weight_mv", mf_dcn_weight_mv, {"mV", 0, 100},
         "initial weight of a mossy fibre - nuclear synapse (tuned: nuclear rate at rest)");
  v.real("pc_dcn_weight_mv", pc_dcn_weight_mv, {"mV", 0, 1000},
         "summed Purkinje inhibition of a nuclear cell (tuned: moves its rate, never silences it)");
  v.table("climbing_fibre", climbing_fibre, "parallel fibre - Purkinje plasticity");
  v.table("nuclear", nuclear, "mossy fibre - nuclear plasticity");
  v.table("nuclear_homeostasis", nuclear_homeostasis, "excitability of the nuclei as a whole");
  v.table("mossy", mossy, "mossy fibres");
  v.table("granule", granule, "granule cells");
  v.table("golgi", golgi, "Golgi cells");
  v.table("mli", mli, "molecular-layer interneurons");
  v.table("purkinje", purkinje, "Purkinje cells");
  v.table("dcn", dcn, "deep nuclear cells");
  v.table("olive", olive, "inferior olivary cells");
  v.table("cursor", cursor, "cells tuned to the direction of the seen cursor");
  v.table("predicted", predicted, "cells that predict that direction from the aim");
  v.table("reward", reward, "cells that report a reward");
}

Cerebellum::Cerebellum(const CerebellumParameters& p, double scale, std::uint64_t seed, Slice slice)
    : SpikingRegion("cerebellum", kCerebellumSubsteps, slice, seed),
      parameters_(p),
      sizes_(scale),
      nuclear_homeostasis_(p.nuclear_homeostasis) {
  const Sizes& n = sizes_;
  const std::size_t aim = add_spike_input("pmd_to_cerebellum", n.pmd, kCortexSubsteps);
  const std::size_t motor = add_spike_input("pt_to_cerebellum", n.l5pt.size(), kCortexSubsteps);
  add_spike_input("snc_to_cerebellum", n.snc, kBasalGangliaSubsteps);
  senses_ = add_analog_input("senses_to_cerebellum", sense::count);

  auto current = [&](PopulationInfo info, const LifParameters& lif) {
    return add_population(std::move(info), lif, SynapseKind::current, fast_receptors());
  };
  mossy_ = current({"MF", "mossy fibres", n.mossy, {}}, p.mossy);
  granule_ = current({"GrC", "granule cells", n.granule, ring_directions(n.granule)}, p.granule);
  golgi_ = current({"GoC", "Golgi cells", n.golgi, {}}, p.golgi);
  mli_ = current({"MLI", "molecular-layer interneurons", n.mli,
                  group_directions(n.mli, kZones, zone_direction)},
                 p.mli);
  purkinje_ = current(
      {"PC", "Purkinje cells", n.purkinje, group_directions(n.purkinje, kZones, zone_direction)},
      p.purkinje);
  dcn_ = current(
      {"DCN", "deep nuclear cells", n.dcn, group_directions(n.dcn, kZones, zone_direction)}, p.dcn);
  olive_ = add_population(
      {"IO", "inferior olivary cells", n.olive, group_directions(n.olive, kZones, zone_direction)},
      p.olive, SynapseKind::current,
      {{.decay_ms = p.olive_synapse_ms}, {.decay_ms = p.olive_synapse_ms}});
  cursor_ = current(
      {"Cursor", "cells tuned to the seen cursor", n.cursor, ring_directions(n.cursor)}, p.cursor);
  predicted_ = current({"Predicted", "cells that predict the cursor from the aim", n.predicted,
                        ring_directions(n.predicted)},
                       p.predicted);
  reward_ = current({"RewardReport", "cells that report a reward", n.reward_report, {}}, p.reward);
  add_output(dcn_);
  add_output(olive_);
  cursor_drive_ = std::make_unique<TunedDrive>(network_.population(cursor_), kCursorSharpness);

  // Weights given as numbers, here and below, are tuned to firing rates.

  // Granular layer. Two thirds of the mossy fibres copy the aim, one third motor output.
  const Cells aim_fibres{n.mossy.count * 2 / 3, n.mossy.families * 2 / 3};
  auto aim_direction = [=](std::uint32_t fibre) { return ring_direction(fibre, aim_fibres); };
  const SourceRule aim_sources = ring_sources(n.pmd, aim_direction, kAimSpreadDeg);
  connect({.name = "PMd_MF",
           .source = aim,
           .target = mossy_,
           .receptor = kExcitation,
           .in_degree = 30,
           .weight = 45.0 / 30,
           .delay_ms = 0,
           .sources =
               [=](std::uint32_t fibre, Draws& draws) {
                 return fibre < aim_fibres ? aim_sources(fibre, draws) : draws.below(n.pmd);
               },
           .factor = [=](std::uint32_t, std::uint32_t fibre,
                         Draws&) { return fibre < aim_fibres ? 1.0 : 0.0; }});
  connect({.name = "PT_MF",
           .source = motor,
           .target = mossy_,
           .receptor = kExcitation,
           .in_degree = 10,
           .weight = 60.0 / 10,
           .delay_ms = 0,
           .sources = uniform_sources(n.l5pt.cells()),
           .factor = [=](std::uint32_t, std::uint32_t fibre, Draws&) {
             return fibre < aim_fibres ? 0.0 : 1.0;
           }});
  // A granule cell hears of similar aims, so that what one target teaches does not undo what
  // another did (decision 0006).
  const Cells motor_fibres{n.mossy.count - aim_fibres.count,
                           n.mossy.families - aim_fibres.families};
  auto granule_direction = [=](std::uint32_t cell) { return ring_direction(cell, n.granule); };
  connect({.name = "MF_GrC",
           .source = mossy_,
           .target = granule_,
           .receptor = kExcitation,
           .in_degree = 4,
           .weight = p.mf_grc_weight_mv,
           .delay_ms = 2,
           .sources = [=, near = ring_sources(aim_fibres, granule_direction, p.granule_spread_deg),
                       any = uniform_sources(motor_fibres)](std::uint32_t cell, Draws& draws) {
             if (draws.uniform() * n.mossy.count < aim_fibres.count) return near(cell, draws);
             return aim_fibres.count + any(cell, draws);
           }});
  connect({.name = "MF_GoC",
           .source = mossy_,
           .target = golgi_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = 40.0 / 40,
           .delay_ms = 2,
           .sources = uniform_sources(n.mossy)});
  connect({.name = "GrC_GoC",
           .source = granule_,
           .target = golgi_,
           .receptor = kExcitation,
           .in_degree = 200,
           .weight = 60.0 / 200,
           .delay_ms = 3,
           .sources = uniform_sources(n.granule)});
  connect({.name = "GoC_GrC",
           .source = golgi_,
           .target = granule_,
           .receptor = kInhibition,
           .in_degree = 6,
           .weight = -40.0 / 6,
           .delay_ms = 2,
           .sources = uniform_sources(n.golgi)});

  // Molecular layer.
  Projection& parallel_fibres =
      connect({.name = "GrC_PC",
               .source = granule_,
               .target = purkinje_,
               .receptor = kExcitation,
               .in_degree = 800,
               .weight = p.pf_pc_weight_mv,
               .delay_ms = 3,
               .sources = uniform_sources(n.granule),
               .factor = [](std::uint32_t, std::uint32_t,
                            Draws& draws) { return 0.8 + 0.4 * draws.uniform(); },
               .plastic = true,
               .max_weight = kLargestParallelFibre * p.pf_pc_weight_mv});
  connect({.name = "GrC_MLI",
           .source = granule_,
           .target = mli_,
           .receptor = kExcitation,
           .in_degree = 400,
           .weight = 220.0 / 400,
           .delay_ms = 3,
           .sources = uniform_sources(n.granule)});
  connect({.name = "MLI_PC",
           .source = mli_,
           .target = purkinje_,
           .receptor = kInhibition,
           .in_degree = 16,
           .weight = -80.0 / 16,
           .delay_ms = 2,
           .sources = same_group(n.mli, n.purkinje, kZones)});

  // Nuclei.
  connect({.name = "PC_DCN",
           .source = purkinje_,
           .target = dcn_,
           .receptor = kInhibition,
           .in_degree = 16,
           .weight = -p.pc_dcn_weight_mv / 16,
           .delay_ms = 4,
           .sources = same_group(n.purkinje, n.dcn, kZones)});
  Projection& nuclear = connect({.name = "MF_DCN",
                                 .source = mossy_,
                                 .target = dcn_,
                                 .receptor = kExcitation,
                                 .in_degree = 48,
                                 .weight = p.mf_dcn_weight_mv,
                                 .delay_ms = 4,
                                 .sources = uniform_sources(aim_fibres),
                                 .plastic = true,
                                 .max_weight = kLargestNuclear * p.mf_dcn_weight_mv});
  connect({.name = "IO_DCN",
           .source = olive_,
           .target = dcn_,
           .receptor = kExcitation,
           .in_degree = 4,
           .weight = 1.0,
           .delay_ms = 4,
           .sources = same_group(n.olive, n.dcn, kZones)});

  // Olive: seen minus predicted, as a difference of cosine-tuned codes.
  auto predicted_direction = [=](std::uint32_t cell) { return ring_direction(cell, n.predicted); };
  connect({.name = "PMd_Predicted",
           .source = aim,
           .target = predicted_,
           .receptor = kExcitation,
           .in_degree = 30,
           .weight = p.aim_copy_weight_mv / 30,
           .delay_ms = p.aim_copy_delay_ms,
           .sources = ring_sources(n.pmd, predicted_direction, kAimSpreadDeg)});
  auto compare = [&](const char* name, std::size_t source, Cells ring, std::size_t receptor,
                     double weight) {
    return overlap_synapses(
        name, source, ring, olive_,
        [=](std::uint32_t cell) { return zone_direction(group_of(cell, n.olive, kZones)); },
        receptor, weight);
  };
  ProjectionSpec seen = compare("Cursor_IO", cursor_, n.cursor, kExcitation, p.cursor_weight_mv);
  seen.plastic = true;
  seen.max_weight = kLargestOliveScale * seen.weight;
  cursor_synapses_ = &connect(std::move(seen));
  cursor_weights_.assign(cursor_synapses_->weights().begin(), cursor_synapses_->weights().end());
  connect(compare("Predicted_IO", predicted_, n.predicted, kInhibition, -p.predicted_weight_mv));

  ClimbingFibreParameters climbing_fibre = p.climbing_fibre;
  climbing_fibre.settled = 1.0 / kLargestParallelFibre;
  climbing_fibre.baseline_hz = p.olive_target_hz;
  parallel_fibre_rule_ = std::make_unique<ClimbingFibreRule>(parallel_fibres, climbing_fibre);
  nuclear_rule_ = std::make_unique<NuclearRule>(nuclear, p.nuclear, kZones, n.purkinje);
  lose_cells({.purkinje = p.lesion,
              .nuclei = p.lesion_nuclei,
              .olive = p.silence_olive ? 1.0 : p.lesion_olive});
  if (p.silence_reward) network_.remove_cells(reward_, 1.0);
}

void Cerebellum::lose_cells(const CellLoss& loss) {
  loss_.add(loss);
  const Sizes& n = sizes_;
  std::vector<std::uint32_t> living(kZones, n.purkinje / kZones);
  for (const std::uint32_t id : network_.remove_cells(purkinje_, loss_.purkinje))
    --living[group_of(id, n.purkinje, kZones)];
  nuclear_rule_->set_living(living);
  const auto left = [&](std::size_t population, std::uint32_t cells, double share) {
    return cells - static_cast<std::uint32_t>(network_.remove_cells(population, share).size());
  };
  living_nuclear_ = left(dcn_, n.dcn, loss_.nuclei);
  living_olivary_ = left(olive_, n.olive, loss_.olive);
}

void Cerebellum::prepare(Step, const Inbox& in) {
  network_.population(dcn_).set_shift(static_cast<float>(nuclear_homeostasis_.shift_mv()));
  const std::span<const double> senses = in.analog(senses_);
  const double seen = senses[sense::cursor_on];
  cursor_drive_->set(
      network_.population(cursor_),
      {seen * parameters_.cursor_drive_mv, senses[sense::cursor_x], senses[sense::cursor_y]});
  // The seen cursor's presence, without its direction or distance.
  network_.population(predicted_)
      .set_drive(seen > 0 ? static_cast<float>(parameters_.predicted_drive_mv) : 0.0f);
  network_.population(reward_).set_drive(static_cast<float>(kEventMv * senses[sense::reward]));
}

void Cerebellum::learn(Step, const Inbox& in) {
  const std::span<const double> senses = in.analog(senses_);
  // What is not seen teaches nothing: without feedback memories fade, and no others form.
  const bool learning = senses[sense::learning] != 0 && senses[sense::cursor_on] > 0;
  parallel_fibre_rule_->presynaptic(network_.spikes(granule_), learning && parameters_.learning);
  if (learning && parameters_.learning)
    parallel_fibre_rule_->complex_spikes(network_.spikes(olive_));
  parallel_fibre_rule_->end_step(
      static_cast<double>(network_.spikes(reward_).size()) / sizes_.reward_report,
      senses[sense::learning] != 0 && parameters_.learning);
  // Cells follow their own rates: the dead do not count.
  if (learning && living_olivary_ > 0) {
    const double olive_hz =
        1000.0 * static_cast<double>(network_.spikes(olive_).size()) / living_olivary_;
    olive_scale_ = std::min(kLargestOliveScale,
                            olive_scale_ * math::exp(parameters_.olive_scaling_rate *
                                                     (parameters_.olive_target_hz - olive_hz)));
    const std::span<float> weights = cursor_synapses_->weights();
    const auto scale = static_cast<float>(olive_scale_);
    for (std::size_t s = 0; s < weights.size(); ++s) weights[s] = scale * cursor_weights_[s];
  }
  if (living_nuclear_ > 0)
    nuclear_homeostasis_.update(network_.spikes(dcn_).size(), living_nuclear_);
  nuclear_rule_->step(network_.spikes(mossy_), network_.spikes(purkinje_),
                      learning && parameters_.nuclear_learning);
}

template <class State, class Self>
void Cerebellum::visit_state(State& state, Self& self) {
  state.part(*self.parallel_fibre_rule_);
  state.part(*self.nuclear_rule_);
  state.shared_value("lost_purkinje", self.loss_.purkinje);
  state.shared_value("lost_nuclei", self.loss_.nuclei);
  state.shared_value("lost_olive", self.loss_.olive);
  state.shared_value("olive_scale", self.olive_scale_);
  state.shared_value("nuclear_shift_mv", self.nuclear_homeostasis_.shift_mv());
}
void Cerebellum::save_extra(StateWriter& writer) const { visit_state(writer, *this); }
void Cerebellum::load_extra(StateReader& reader) {
  visit_state(reader, *this);
  lose_cells({});
}

}  // namespace quartet
