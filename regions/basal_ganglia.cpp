#include "regions/basal_ganglia.hpp"

#include <algorithm>
#include <utility>

#include "models/math.hpp"
#include "models/random.hpp"

namespace quartet {

namespace {
constexpr std::size_t kMuscarinic = 2, kNeurogliaform = 3;
/// D1 cells also have slow receptors: an excitatory (muscarinic M1) one, and one by which
/// neurogliaform cells inhibit them, as slow (chosen).
std::vector<Receptor> d1_receptors() {
  std::vector<Receptor> receptors = fast_receptors();
  receptors.push_back({.decay_ms = 400});
  receptors.push_back({.decay_ms = 400});
  return receptors;
}
// SD of the directions from which a channel draws parietal cells (chosen).
constexpr double kCorticostriatalSpreadDeg = 20.0;
// Largest summed weight of parietal, or instruction, cells on a striosome or PPN cell (tuned: rates
// that a sure reward needs).
constexpr double kLargestExpectationMv = 400;
/// Adaptation of dopamine receptors to the prevailing concentration (chosen: some twenty trials).
constexpr double kAdaptationMs = 20000;
}  // namespace

void BasalGangliaParameters::visit(ParameterVisitor& v) {
  v.real("dopamine_depletion", dopamine_depletion, {"1", 0, 1}, "fraction of SNc cells removed");
  v.real("phasic_dopamine_loss", phasic_dopamine_loss, {"1", 0, 1},
         "fraction removed of the synapses of reward, PPN, habenula and striosome cells on SNc "
         "cells: of bursts and dips");
  v.real("tonic_dopamine_loss", tonic_dopamine_loss, {"1", 0, 1},
         "fraction removed of the constant drive (snc.bias_mv) that stands for SNc cells' "
         "pacemaking; noise leaves them some spikes");
  v.real(
      "dopamine_medication_hz", dopamine_medication_hz, {"Hz", 0, 100},
      "drug (L-dopa, an agonist), as the tonic rate of intact SNc cells that does the same: adds "
      "to what excites D1 and cholinergic cells and inhibits D2 cells, and fills dips, not bursts, "
      "in what teaches D2 cells (after Frank et al. 2004)");
  v.boolean("learning", learning, "plasticity of corticostriatal synapses");
  v.boolean("critic_learning", critic_learning,
            "plasticity of the synapses of the critic and on PPN cells");
  v.boolean("silence_dopamine", silence_dopamine, "removes all SNc cells");
  v.real("dopamine_tau_ms", dopamine_tau_ms, {"ms", 10, 5000},
         "decay of the dopamine concentration (chosen: order of reuptake, 100-300 ms)");
  v.real("dopamine_tonic_hz", dopamine_tonic_hz, {"Hz", 0.1, 50},
         "tonic rate of the intact SNc (chosen; it fires 5 to 6 Hz)");
  v.real("dopamine_half_hz", dopamine_half_hz, {"Hz", 0.1, 100},
         "half-saturation of the third factor (tuned with the exponent: reward teaches as much)");
  v.real("dopamine_hill", dopamine_hill, {"1", 1, 6},
         "Hill exponent of the third factor (tuned: what dopamine cells do between events hardly "
         "teaches, and sequences are kept)");
  v.real("d1_affinity_per_hz", d1_affinity_per_hz, {"1/Hz", 0, 10},
         "affinity of the receptors that teach D1, striosome and PPN cells: half are bound at its "
         "inverse; 0: they never saturate");
  v.real("d2_affinity_per_hz", d2_affinity_per_hz, {"1/Hz", 0, 10},
         "the same for D2 cells; a high one sees dips but hardly bursts");
  v.real("tan_dopamine_mv", tan_dopamine_mv, {"mV", 0, 20},
         "depolarisation of cholinergic cells per Hz of tonic dopamine, by D5 receptors (tuned: "
         "exploration is lost with dopamine)");
  v.real(
      "tan_value_mv", tan_value_mv, {"mV", 0, 20},
      "hyperpolarisation of cholinergic cells per Hz of the value trace (tuned: more exploration "
      "after failures)");
  v.real("tan_d1_weight_mv", tan_d1_weight_mv, {"mV", 0, 1000},
         "summed slow (M1) excitation of a D1 cell by its channel's cholinergic cells (tuned: "
         "spread of reward learners' reaches)");
  v.real("tan_ngf_d1_weight_mv", tan_ngf_d1_weight_mv, {"mV", 0, 1000},
         "summed slow inhibition of a D1 cell by all cholinergic cells, by way of neurogliaform "
         "cells (chosen: as large and as slow as their excitation)");
  v.real("value_initial_hz", value_initial_hz, {"Hz", 0, 100},
         "value trace at the start (chosen: somewhat above that of rewarded reaches, 3.4 Hz, to "
         "which it comes within some ten trials)");
  v.real("critic_gate_mv", critic_gate_mv, {"mV", 0, 1000},
         "summed excitation of a striosome cell by outcomes (tuned: just under threshold)");
  v.real("critic_weight_mv", critic_weight_mv, {"mV", 0, kLargestExpectationMv},
         "summed initial parietal excitation of a striosome cell (that of reaches that are "
         "rewarded)");
  v.real(
      "instruction_weight_mv", instruction_weight_mv, {"mV", 0, kLargestExpectationMv},
      "summed initial excitation of a striosome cell by instruction cells, of which a fifth fires "
      "at a time (chosen: as for reaches)");
  v.real("value_tau_ms", value_tau_ms, {"ms", 100, 1e6},
         "memory of the value trace (chosen: some ten trials)");
  v.real(
      "striosome_weight_mv", striosome_weight_mv, {"mV", 0, 1000},
      "summed inhibition of a dopamine cell by striosome cells (tuned: the dip where an expected "
      "reward fails)");
  v.real(
      "habenula_weight_mv", habenula_weight_mv, {"mV", 0, 1000},
      "summed inhibition of a dopamine cell by habenula cells, through RMTg (chosen: that of the "
      "excitation by reward)");
  v.real("ppn_weight_mv", ppn_weight_mv, {"mV", 0, kLargestExpectationMv},
         "summed initial parietal excitation of a PPN cell (tuned: weak)");
  v.real("ppn_snc_weight_mv", ppn_snc_weight_mv, {"mV", 0, 1000},
         "summed excitation of a dopamine cell by PPN cells (tuned: its answer to a cue)");
  v.real("d1_excitability_mv", d1_excitability_mv, {"mV", 0, 10},
         "depolarisation of D1 (and hyperpolarisation of D2) cells per Hz of dopamine (chosen: "
         "under 1 mV at 5 Hz)");
  v.real("collateral_weight_mv", collateral_weight_mv, {"mV", 0, 1000},
         "summed inhibition of a D1 (D2) cell by D1 (D2) cells (such collaterals: Taverna et al. "
         "2008, "
         "who also found D2 to D1; strength tuned: weights stay off their bounds)");
  v.table("actor_d1", actor_d1, "plasticity of cortical synapses on D1 cells");
  v.table("actor_d2", actor_d2, "plasticity of cortical synapses on D2 cells");
  v.table(
      "critic", critic,
      "plasticity of parietal and instruction cells' synapses on striosome cells (tuned: hits and "
      "misses surprise alike, and choices follow rewards that change)");
  v.table("cue", cue,
          "plasticity of parietal - PPN synapses (tuned: dopamine moves to a cue in some twenty "
          "rewards)");
  v.table("d1_homeostasis", d1_homeostasis, "excitability of the D1 cells as a whole");
  v.table("d2_homeostasis", d2_homeostasis, "excitability of the D2 cells as a whole");
  v.table("d1", d1, "D1 medium spiny cells");
  v.table("d2", d2, "D2 medium spiny cells");
  v.table("fsi", fsi, "fast-spiking interneurons");
  v.table("tan", tan, "tonically active cholinergic interneurons");
  v.table("gpe", gpe, "external pallidum");
  v.table("stn", stn, "subthalamic nucleus");
  v.table("gpi", gpi, "internal pallidum and SNr");
  v.table("snc", snc, "dopamine cells");
  v.table("striosome", striosome, "striosome cells (critic)");
  v.table("ppn", ppn,
          "pedunculopontine cells (adaptation tuned: they answer the beginning of a cue)");
  v.table("habenula", habenula, "habenula cells");
  v.table("instruction", instruction, "cells that are shown which fingers are to move");
  v.table("outcome", outcome, "cells driven by the seen outcome or by reward");
}

BasalGanglia::BasalGanglia(const BasalGangliaParameters& p, double scale, std::uint64_t seed,
                           Slice slice)
    : SpikingRegion("basal_ganglia", kBasalGangliaSubsteps, slice, seed),
      parameters_(p),
      sizes_(scale),
      dopamine_(p.dopamine_tau_ms, kAdaptationMs, sizes_.snc),
      d1_homeostasis_(p.d1_homeostasis),
      d2_homeostasis_(p.d2_homeostasis) {
  const Sizes& n = sizes_;
  cue_port_ = inputs().size();
  const std::size_t cue =
      add_spike_input("ppc_to_striatum", n.ppc, kCortexSubsteps, ring_directions(n.ppc));
  const std::size_t hyperdirect = add_spike_input("pmd_to_stn", n.pmd, kCortexSubsteps);
  const std::size_t va = add_spike_input("va_to_striatum", n.va, kThalamusSubsteps);
  senses_ = add_analog_input("senses_to_basal_ganglia", sense::count);

  auto channels = [&](const char* name, const char* long_name, std::uint32_t size,
                      const LifParameters& lif, std::vector<Receptor> receptors) {
    return add_population(
        {name, long_name, size, group_directions(size, kChannels, channel_direction)}, lif,
        SynapseKind::current, std::move(receptors));
  };
  auto plain = [&](const char* name, const char* long_name, std::uint32_t size,
                   const LifParameters& lif) {
    return add_population({name, long_name, size, {}}, lif, SynapseKind::current, fast_receptors());
  };
  d1_ = channels("D1", "D1 medium spiny cells", n.d1, p.d1, d1_receptors());
  d2_ = channels("D2", "D2 medium spiny cells", n.d2, p.d2, fast_receptors());
  fsi_ = plain("FSI", "fast-spiking interneurons", n.fsi, p.fsi);
  tan_ =
      channels("TAN", "tonically active cholinergic interneurons", n.tan, p.tan, fast_receptors());
  gpe_ = channels("GPe", "external pallidum", n.gpe, p.gpe, fast_receptors());
  stn_ = channels("STN", "subthalamic nucleus", n.stn, p.stn, fast_receptors());
  gpi_ = channels("GPi", "internal pallidum and substantia nigra reticulata", n.gpi, p.gpi,
                  fast_receptors());
  LifParameters snc = p.snc;
  snc.bias_mv *= 1.0 - p.tonic_dopamine_loss;
  snc_ = plain("SNc", "dopamine cells", n.snc, snc);
  striosome_ = plain("Striosome", "striosome cells (critic)", n.striosome, p.striosome);
  outcome_ = plain("Outcome", "cells driven by the seen outcome", n.outcome, p.outcome);
  reward_ = plain("Reward", "cells driven by reward", n.reward, p.outcome);
  habenula_ = plain("LHb", "lateral habenula cells, driven by punishment", n.habenula, p.habenula);
  instruction_ = plain("Instruction", "cells that are shown which fingers are to move",
                       n.instruction, p.instruction);
  ppn_ = plain("PPN", "pedunculopontine cells, which answer cues of reward", n.ppn, p.ppn);
  add_output(gpi_);
  add_output(snc_);

  auto to_channels = [&](const char* name, std::size_t source, Cells sources, std::size_t target,
                         std::uint32_t targets, std::size_t receptor, std::uint32_t in_degree,
                         double sum, double delay_ms) {
    connect_alike(name, source, target, receptor, in_degree, sum, delay_ms,
                  same_group(sources, targets, kChannels));
  };
  auto corticostriatal = [&](const char* name, std::size_t target, std::uint32_t targets,
                             double sum) -> Projection& {
    auto direction = [=](std::uint32_t cell) {
      return channel_direction(group_of(cell, targets, kChannels));
    };
    constexpr std::uint32_t in_degree = 40;
    return connect({.name = name,
                    .source = cue,
                    .target = target,
                    .receptor = kExcitation,
                    .in_degree = in_degree,
                    .weight = sum / in_degree,
                    .delay_ms = 0,
                    .sources = ring_sources(n.ppc, direction, kCorticostriatalSpreadDeg),
                    .factor = [](std::uint32_t, std::uint32_t,
                                 Draws& draws) { return 0.75 + 0.5 * draws.uniform(); },
                    .plastic = true,
                    .max_weight = 2.0 * sum / in_degree});
  };
  // Weights given as numbers, here and below, are tuned to firing rates.
  Projection& direct = corticostriatal("PPC_D1", d1_, n.d1, 70.0);
  Projection& indirect = corticostriatal("PPC_D2", d2_, n.d2, 75.0);
  diffuse("PPC_FSI", cue, n.ppc, fsi_, kExcitation, 30, 60.0, 0);
  diffuse("FSI_D1", fsi_, n.fsi, d1_, kInhibition, 8, -10.0, 1.5);
  diffuse("FSI_D2", fsi_, n.fsi, d2_, kInhibition, 8, -10.0, 1.5);
  diffuse("D1_D1", d1_, n.d1, d1_, kInhibition, 40, -p.collateral_weight_mv, 1.5);
  diffuse("D2_D2", d2_, n.d2, d2_, kInhibition, 40, -p.collateral_weight_mv, 1.5);
  to_channels("TAN_D1", tan_, n.tan, d1_, n.d1, kMuscarinic, 6, p.tan_d1_weight_mv, 1.5);
  // Neurogliaform cells, which TANs excite (English et al. 2012), are not modelled: each would hear
  // so many TANs that it passed on their mean. That takes from D1 cells what M1 receptors add on
  // the whole: exploration moves activity between channels, and more of it is hardly more activity.
  diffuse("TAN_NGF_D1", tan_, n.tan, d1_, kNeurogliaform, 60, -p.tan_ngf_d1_weight_mv, 3);
  diffuse("VA_FSI", va, n.va, fsi_, kExcitation, 20, 15.0, 0);

  to_channels("D1_GPi", d1_, n.d1, gpi_, n.gpi, kInhibition, 16, -45.0, 7);
  to_channels("D2_GPe", d2_, n.d2, gpe_, n.gpe, kInhibition, 16, -40.0, 7);
  to_channels("GPe_GPi", gpe_, n.gpe, gpi_, n.gpi, kInhibition, 4, -9.0, 3);
  to_channels("GPe_STN", gpe_, n.gpe, stn_, n.stn, kInhibition, 4, -6.0, 2);
  diffuse("STN_GPe", stn_, n.stn, gpe_, kExcitation, 24, 12.0, 2);
  diffuse("STN_GPi", stn_, n.stn, gpi_, kExcitation, 24, 14.0, 3);
  diffuse("PMd_STN", hyperdirect, n.pmd, stn_, kExcitation, 30, 60.0, 0);

  // Critic. An outcome brings striosome cells near their threshold, and what is seen with it, the
  // target, says how much reward it is going to be.
  diffuse("Outcome_Striosome", outcome_, n.outcome, striosome_, kExcitation, 40, p.critic_gate_mv,
          4);
  auto seen_promise = [&](const char* name, std::size_t source, Cells sources, std::size_t target,
                          double sum, double delay_ms) -> Projection& {
    constexpr std::uint32_t in_degree = 40;
    return connect({.name = name,
                    .source = source,
                    .target = target,
                    .receptor = kExcitation,
                    .in_degree = in_degree,
                    .weight = sum / in_degree,
                    .delay_ms = delay_ms,
                    .sources = uniform_sources(sources),
                    .plastic = true,
                    .max_weight = kLargestExpectationMv / in_degree});
  };
  Projection& expectation =
      seen_promise("PPC_Striosome", cue, n.ppc, striosome_, p.critic_weight_mv, 0);
  Projection& instructed_expectation = seen_promise(
      "Instruction_Striosome", instruction_, n.instruction, striosome_, p.instruction_weight_mv, 4);
  auto onto_dopamine_cells = [&](const char* name, std::size_t source, Cells sources,
                                 std::size_t receptor, double sum, double delay_ms) {
    constexpr std::uint32_t in_degree = 30;
    ProjectionSpec spec{.name = name,
                        .source = source,
                        .target = snc_,
                        .receptor = receptor,
                        .in_degree = in_degree,
                        .weight = sum / in_degree,
                        .delay_ms = delay_ms,
                        .sources = uniform_sources(sources)};
    // Not by `Draws`: what is left is as it was, and a larger loss takes more of the same.
    if (p.phasic_dopamine_loss > 0)
      spec.factor = [loss = p.phasic_dopamine_loss,
                     key = RandomKey{seed, purpose(spec.name + ".lesion")}](
                        std::uint32_t from, std::uint32_t to, Draws&) {
        return uniform01(random_block(key, to, from, 0)[0]) < loss ? 0.0 : 1.0;
      };
    connect(std::move(spec));
  };
  onto_dopamine_cells("Reward_SNc", reward_, n.reward, kExcitation, 30.0, 4);
  onto_dopamine_cells("LHb_SNc", habenula_, n.habenula, kInhibition, -p.habenula_weight_mv, 4);
  onto_dopamine_cells("Striosome_SNc", striosome_, n.striosome, kInhibition, -p.striosome_weight_mv,
                      2);

  // What is seen comes to excite dopamine cells by way of the pedunculopontine nucleus, once, as
  // its cells adapt, and to inhibit them when an outcome opens the gate of the striosome cells: two
  // pathways that learn from the same dopamine, so that its burst moves from the reward to the cue
  // (after Brown, Bullock & Grossberg 1999, whose first pathway learns in the ventral striatum and
  // whose second learns when the reward is due; a direct synapse and the gate stand for that).
  Projection& promise = seen_promise("PPC_PPN", cue, n.ppc, ppn_, p.ppn_weight_mv, 0);
  onto_dopamine_cells("PPN_SNc", ppn_, n.ppn, kExcitation, p.ppn_snc_weight_mv, 3);

  // Every set of fingers excites a fifth of the instruction cells, drawn for it: mixed selectivity
  // (Rigotti et al. 2013, Nature 497:585), so that a set's rewards are hardly expected of another.
  const LifPopulation& instruction = network_.population(instruction_);
  const RandomKey mixture{seed, purpose("basal_ganglia.instruction")};
  for (std::uint32_t set = 1; set < instructed_.size(); ++set) {
    std::vector<std::pair<double, std::uint32_t>> order;
    for (std::uint32_t cell = 0; cell < instruction.size(); ++cell)
      order.emplace_back(uniform01(random_block(mixture, cell, set, 0)[0]), cell);
    std::sort(order.begin(), order.end());
    order.resize((order.size() + finger_count / 2) / finger_count);
    for (const auto& [draw, cell] : order)
      if (cell >= instruction.first() && cell < instruction.last())
        instructed_[set].push_back(cell - instruction.first());
  }

  value_ = p.value_initial_hz;
  d1_rule_ = std::make_unique<ThreeFactorRule>(direct, p.actor_d1);
  d2_rule_ = std::make_unique<ThreeFactorRule>(indirect, p.actor_d2);
  critic_rule_ = std::make_unique<ThreeFactorRule>(expectation, p.critic);
  instruction_rule_ = std::make_unique<ThreeFactorRule>(instructed_expectation, p.critic);
  cue_rule_ = std::make_unique<ThreeFactorRule>(promise, p.cue);
  lose_cells({.dopamine = p.silence_dopamine ? 1.0 : p.dopamine_depletion});
}

void BasalGanglia::lose_cells(const CellLoss& loss) { network_.remove_cells(snc_, loss.dopamine); }

void BasalGanglia::medicate(const Drug& drug) { drug_hz_ = drug.dopamine_hz; }

double BasalGanglia::third_factor(double affinity, double drug_hz) const {
  const BasalGangliaParameters& p = parameters_;
  auto bound = [&](double hz) { return dopamine_bound(hz, affinity, p.dopamine_tonic_hz); };
  const double adapted = dopamine_.adapted_hz();
  const double now = dopamine_with_drug(dopamine_.hz(), adapted, drug_hz);
  return dopamine_effect(bound(now) - bound(adapted), p.dopamine_half_hz, p.dopamine_hill);
}

void BasalGanglia::prepare(Step, const Inbox& in) {
  const std::span<const double> senses = in.analog(senses_);
  const BasalGangliaParameters& p = parameters_;
  auto drive = [&](std::size_t population, double event) {
    network_.population(population).set_drive(static_cast<float>(kEventMv * event));
  };
  drive(outcome_, senses[sense::outcome]);
  drive(reward_, senses[sense::reward]);
  // From below, where they are silent, to where others answer an event.
  const auto lifted = [](double event, const LifParameters& lif) {
    return event > 0 ? static_cast<float>(kEventMv * event - lif.bias_mv) : 0.0f;
  };
  network_.population(habenula_).set_drive(lifted(senses[sense::punishment], p.habenula));
  std::size_t fingers = 0;
  for (std::uint32_t f = 0; f < finger_count; ++f)
    if (senses[sense::instructed_finger + f] > 0) fingers |= std::size_t{1} << f;
  LifPopulation& instruction = network_.population(instruction_);
  instruction.set_drive(0);
  for (const std::uint32_t cell : instructed_[fingers])
    instruction.drive()[cell] = lifted(1, p.instruction);
  const double drug = medication_hz();
  const double excess = dopamine_.hz() + drug - p.dopamine_tonic_hz;
  network_.population(d1_).set_shift(
      static_cast<float>(p.d1_excitability_mv * excess + d1_homeostasis_.shift_mv()));
  network_.population(d2_).set_shift(
      static_cast<float>(-p.d1_excitability_mv * excess + d2_homeostasis_.shift_mv()));
  network_.population(tan_).set_shift(
      static_cast<float>(p.tan_dopamine_mv * (dopamine_.adapted_hz() + drug - p.dopamine_tonic_hz) -
                         p.tan_value_mv * value_));
}

void BasalGanglia::learn(Step t, const Inbox& in) {
  const BasalGangliaParameters& p = parameters_;
  const bool learning = in.analog(senses_)[sense::learning] != 0;
  const double striosome_hz =
      1000.0 * static_cast<double>(network_.spikes(striosome_).size()) / sizes_.striosome;
  dopamine_.update(network_.spikes(snc_).size());
  value_ += (striosome_hz - value_) / p.value_tau_ms;
  d1_homeostasis_.update(network_.spikes(d1_).size(), sizes_.d1);
  d2_homeostasis_.update(network_.spikes(d2_).size(), sizes_.d2);

  const auto cue = in.spikes(cue_port_);
  d1_rule_->spikes(cue, network_.spikes(d1_));
  d2_rule_->spikes(cue, network_.spikes(d2_));
  critic_rule_->spikes(cue, network_.spikes(striosome_));
  instruction_rule_->spikes(network_.spikes(instruction_), network_.spikes(striosome_));
  cue_rule_->spikes(cue, network_.spikes(ppn_));
  if ((t + 1) % ThreeFactorRule::kPeriodMs != 0) return;
  const double d1 = d1_third_factor(), d2 = d2_third_factor();
  d1_rule_->modulate(d1, learning && p.learning);
  d2_rule_->modulate(-d2, learning && p.learning);
  critic_rule_->modulate(d1, learning && p.critic_learning);
  instruction_rule_->modulate(d1, learning && p.critic_learning);
  cue_rule_->modulate(d1, learning && p.critic_learning);
}

template <class State, class Self>
void BasalGanglia::visit_state(State& state, Self& self) {
  state.part(*self.d1_rule_);
  state.part(*self.d2_rule_);
  state.part(*self.critic_rule_);
  state.part(*self.instruction_rule_);
  state.part(*self.cue_rule_);
  state.part(self.dopamine_, "dopamine");
  state.shared_value("value", self.value_);
  state.shared_value("drug_hz", self.drug_hz_);
  state.shared_value("d1_shift_mv", self.d1_homeostasis_.shift_mv());
  state.shared_value("d2_shift_mv", self.d2_homeostasis_.shift_mv());
}
void BasalGanglia::save_extra(StateWriter& writer) const { visit_state(writer, *this); }
void BasalGanglia::load_extra(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
