#include "regions/cortex.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "models/math.hpp"
#include "regions/muscle_map.hpp"
#include "regions/sheet.hpp"

namespace quartet {

namespace {
// The sheet's cells have conductances; NMDA shares AMPA's input. Time constants are chosen within
// what slices show, those of NMDA and GABA-B at the fast end.
enum : std::size_t { kGlutamate, kGabaA, kGabaB, kNmda };
constexpr double kGabaAReversalMv = -75;
std::vector<Receptor> sheet_receptors(double nmda_ratio) {
  return {{.decay_ms = 2, .reversal_mv = 0},
          {.decay_ms = 4, .reversal_mv = kGabaAReversalMv},
          {.decay_ms = 80, .rise_ms = 35, .reversal_mv = -90},
          {.decay_ms = 25,
           .reversal_mv = 0,
           .magnesium_block = true,
           .shares_input_of = kGlutamate,
           .ratio = nmda_ratio}};
}

// What a drug is in a state.
constexpr std::pair<const char*, double Drug::*> kDrugState[] = {
    {"drug.gaba_a", &Drug::gaba_a},
    {"drug.gaba_b", &Drug::gaba_b},
    {"drug.nmda", &Drug::nmda},
    {"drug.tonic_gaba", &Drug::tonic_gaba}};

// Aims that are closer than this do not compete (chosen: wider than the spread of one).
constexpr double kRivalDeg = 50;

// SD of the directions from which cells of a ring draw those of another, and premotor cells the
// channels of VA (chosen).
constexpr double kRingSpreadDeg = 10.0;
constexpr double kChannelSpreadDeg = 12.0;

// Exponent of the parietal cells' von Mises tuning to a target or cursor (chosen).
constexpr double kSeenSharpness = 4.0;

// SD of the premotor input to the sheet around a finger's field, sheet units: to layer 2/3 wider
// than the field, so that borders can move (tuned: at .7 practised territory comes back below what
// it was, at 1.4 movements spread); to PT cells narrower than the field (tuned: at .6 and .7
// neighbours move more with the finger); to SOM cells, which inhibit, as wide as to layer 2/3
// (tuned: at 1.4 the finger after next is inhibited by half, at .7 movements are less individual).
constexpr double kFingerInputSd = 1.0;
constexpr double kFingerOutputSd = 0.5;
constexpr double kFingerSurroundSd = 1.0;
// Delay of the sheet's excitatory synapses between cells of one place (chosen).
constexpr double kExcitationDelayMs = 1.5;
// Largest weight of a plastic inhibitory synapse, in initial weights (chosen).
constexpr double kMostInhibition = 4.0;
}  // namespace

void WindowParameters::visit(ParameterVisitor& v) {
  v.real("amplitude", amplitude, {"1", 0, 100},
         "what the window adds to the speed of plasticity at its peak (0: no window)");
  v.real("peak_days", peak_days, {"d", 0.1, 1000},
         "time of its peak (tuned: so that a month later little of it is left; rodents' growth "
         "factors "
         "peak after one to two weeks, people's window is longer)");
}

void ObservationParameters::visit(ParameterVisitor& v) {
  v.boolean("connected", connected,
            "whether there are cells that see hands (STS) and inferior parietal cells (PFG) that "
            "learn what they see (the same for all groups). For PMv cells to fire for it they must "
            "be nearer to their threshold than is shipped: pmv.bias_mv = 2, finger_drive_mv = 22");
  v.real("seen_drive_mv", seen_drive_mv, {"mV", 0, 200},
         "drive of an STS cell while its finger is seen to bend (tuned: its rate)");
  v.real("cue_drive_mv", cue_drive_mv, {"mV", 0, 200},
         "drive of a PFG cell while a cue asks its finger to move (tuned: its rate)");
  v.real(
      "sts_pfg_weight_mv", sts_pfg_weight_mv, {"mV", 0, 10000},
      "summed weight of a finger's STS cells on a PFG cell if each synapse has its largest (tuned: "
      "PMv fires a third to two thirds as much for what is seen as in movement)");
  v.real("pfg_pmv_weight_mv", pfg_pmv_weight_mv, {"mV", 0, 10000},
         "the same of a finger's PFG cells on a PMv cell (tuned: as above)");
  v.real("inhibition_mv", inhibition_mv, {"mV", 0, 1000},
         "summed inhibition of a PFG, or PMv, cell by interneurons that all of them excite (tuned: "
         "movements of several fingers that are seen at once do not add up)");
  v.table("learning", learning, "STS - PFG and PFG - PMv plasticity");
}

void AfferentParameters::visit(ParameterVisitor& v) {
  v.boolean("connected", connected,
            "whether somatosensory cells (S1) fire for what the parts of the body report at rest, "
            "and the sheet has horizontal fibres beyond its fields (the same for all groups). What "
            "these give must be taken off elsewhere for rates at rest to stay: pv.bias_mv = -5, "
            "som.bias_mv = 2.5, l5pt.bias_mv = 5, l23e.bias_mv = 8.5");
  v.real("drive_mv", drive_mv, {"mV", 0, 200},
         "drive of an S1 cell while its part's nerves conduct (chosen: 18 Hz)");
  v.real("spread", spread, {"1", 0.1, 18},
         "SD about a part's field in which its S1 cells excite the sheet, in sheet units (tuned: a "
         "part's neighbours lose inhibition as well when its nerves are silent)");
  v.real("pv_weight", pv_weight, {"1", 0, 100},
         "summed S1 conductance of a PV cell, in leak conductances (tuned: PV's rate at rest, "
         "nearly all of which is S1's)");
  v.real("som_weight", som_weight, {"1", 0, 100}, "the same of a SOM cell (tuned: its rate)");
  v.real("e_weight", e_weight, {"1", 0, 100},
         "the same of a layer 2/3 pyramidal cell (chosen: weak)");
  v.real("horizontal_sd", horizontal_sd, {"1", 0.1, 18},
         "SD of horizontal fibres of layer 2/3, in sheet units (chosen: 2.4 mm; between "
         "representations of parts they run some mm: Huntley & Jones 1991)");
  v.real("horizontal_pt_weight", horizontal_pt_weight, {"1", 0, 100},
         "summed horizontal conductance of a PT cell, in leak conductances (tuned: while "
         "inhibition is whole, few sites of the hand move its neighbours)");
  v.real("horizontal_pv_weight", horizontal_pv_weight, {"1", 0, 100},
         "the same of a PV cell (chosen: a quarter of PT's)");
}

double WindowParameters::factor(double days) const {
  const double t = days / peak_days;
  return 1.0 + amplitude * t * math::exp(1.0 - t);
}

void SheetPlasticityParameters::visit(ParameterVisitor& v) {
  v.boolean(
      "plastic", plastic,
      "whether the synapses L23E - L23E, L23E - L5PT, PV - L23E and PV - L5PT can change: each "
      "then has a weight of its own, which snapshots hold (the same for all groups)");
  v.boolean("learning", learning, "false freezes these synapses");
  v.real("wide_share", wide_share, {"1", 0, 1},
         "share of the excitatory ones that come from farther away (horizontal fibres reach beyond "
         "a muscle's field: Huntley & Jones 1991; tuned: borders can move)");
  v.real("wide_sd", wide_sd, {"1", 0.1, 18},
         "SD of the places of these synapses' sources, in sheet units (chosen: the next finger's "
         "field)");
  v.table("dopamine", dopamine, "what a reward-prediction error does to excitatory plasticity");
  v.table("excitatory", excitatory, "plasticity of L23E - L23E and L23E - L5PT");
  v.table("spines", spines, "how synapses of L23E - L23E and L23E - L5PT come and go");
  v.table("window", window, "faster plasticity after a focal lesion");
  v.table("inhibitory", inhibitory, "plasticity of PV - L23E and PV - L5PT");
}

void CortexParameters::visit(ParameterVisitor& v) {
  v.real("cue_drive_mv", cue_drive_mv, {"mV", 0, 200},
         "drive of a parietal cell tuned to the seen target, or cursor (tuned: parietal rate)");
  v.real("ppc_pmd_weight_mv", ppc_pmd_weight_mv, {"mV", 0, 1000},
         "summed parietal excitation of a premotor cell (tuned: premotor rate)");
  v.real("choice_drive_mv", choice_drive_mv, {"mV", 0, 1000},
         "drive of a PMdC cell while two targets are seen (tuned: just under threshold)");
  v.real("pmd_chooser_weight_mv", pmd_chooser_weight_mv, {"mV", 0, 1000},
         "summed premotor excitation of a PMdC cell (tuned: one of two aims wins)");
  v.real("chooser_pmd_weight_mv", chooser_pmd_weight_mv, {"mV", 0, 1000},
         "summed inhibition of a premotor cell by PMdC cells (tuned: one of two aims wins)");
  v.boolean("strategy_learning", strategy_learning, "plasticity of parietal - PrePMd synapses");
  v.boolean("silence_task_error", silence_task_error, "removes all TaskError cells");
  v.real("strategy_weight_mv", strategy_weight_mv, {"mV", 0, 1000},
         "summed PrePMd excitation of a premotor cell (tuned: reach of strategies)");
  v.real("strategy_inhibition_mv", strategy_inhibition_mv, {"mV", 0, 1000},
         "summed PrePMd excitation of a premotor inhibitory cell (tuned: strategies turn the aim "
         "and leave premotor cells as active as without)");
  v.real("strategy_max_weight_mv", strategy_max_weight_mv, {"mV", 0, 80},
         "largest weight of a parietal - PrePMd synapse (tuned: reach of strategies)");
  v.real(
      "task_error_weight_mv", task_error_weight_mv, {"mV", 0, 1000},
      "summed weight of target cells, and of cursor cells, on a TaskError cell (tuned: its rate)");
  v.real("task_error_drive_mv", task_error_drive_mv, {"mV", 0, 1000},
         "drive of a TaskError cell while a cursor is seen beyond a third of the way (tuned: under "
         "threshold for the errors of noise)");
  v.real(
      "instruction_mv", instruction_mv, {"mV", 0, 1000},
      "inhibition of PrePMd cells by the instruction to aim at the target (chosen: silences them)");
  v.table("strategy", strategy, "parietal - PrePMd plasticity");
  v.real("proprio_felt_weight_mv", proprio_felt_weight_mv, {"mV", 0, 1000},
         "summed fixed excitation of a Felt cell by Proprio cells of its direction (tuned: as many "
         "spikes as PPCc where both agree)");
  v.real("recalibration_max_weight_mv", recalibration_max_weight_mv, {"mV", 0, 80},
         "largest weight of a plastic Proprio - Felt synapse (chosen: out of reach)");
  v.table(
      "recalibration", recalibration,
      "Proprio - Felt plasticity, instructed by a seen cursor (tuned: the felt hand moves 7° to a "
      "cursor turned by 30°, as in Salomonczyk, Cressman & Henriques 2011)");
  v.table("sheet_plasticity", sheet_plasticity, "plasticity within the motor sheet");
  v.table("observation", observation, "cells that see hands, and what they teach");
  v.table("afferents", afferents, "cells that feel the body at rest, and what they hold down");
  v.real("va_pmd_weight_mv", va_pmd_weight_mv, {"mV", 0, 1000},
         "summed thalamic (VA) excitation of a premotor cell (tuned: shift of the aim)");
  v.real("pmd_e_weight", pmd_e_weight, {"1", 0, 100},
         "summed premotor conductance of a layer 2/3 cell, in leak conductances (tuned: rate)");
  v.real(
      "pmd_pt_weight", pmd_pt_weight, {"1", 0, 100},
      "summed premotor conductance of a PT cell, in leak conductances (tuned: speed of reaches)");
  v.real("finger_drive_mv", finger_drive_mv, {"mV", 0, 1000},
         "drive of a ventral premotor cell while a cue asks its finger to move (tuned: its rate)");
  v.real(
      "pmv_e_weight", pmv_e_weight, {"1", 0, 100},
      "summed ventral premotor conductance of a layer 2/3 cell in the middle of a finger's field, "
      "in leak conductances (tuned with the next two: the finger's rate, and that maps follow what "
      "is practised)");
  v.real("pmv_pt_weight", pmv_pt_weight, {"1", 0, 100},
         "the same of a PT cell (tuned: movements that are only seen raise responses though SOM "
         "cells fire; in mice premotor axons excite layer 5B, PT cells included, more than "
         "others: Hooks et al. 2013; 0: none)");
  v.real(
      "pmv_som_weight", pmv_som_weight, {"1", 0, 100},
      "the same of a SOM cell, which gets fingers farther away too and inhibits them (tuned: "
      "individuation of movements; that SOM cells do it is chosen; people's cortex inhibits what "
      "surrounds a movement as it begins: Sohn & Hallett 2004; 0: none)");
  v.real(
      "vl_e_weight", vl_e_weight, {"1", 0, 100},
      "summed VL conductance of a layer 2/3 cell, in leak conductances (tuned: stable learning)");
  v.real("vl_pt_weight", vl_pt_weight, {"1", 0, 100},
         "summed VL conductance of a PT cell, in leak conductances (tuned: compensation of 30 "
         "degrees, stable learning)");
  v.real("e_pt_weight", e_pt_weight, {"1", 0, 100},
         "summed layer 2/3 conductance of a PT cell, in leak conductances (tuned: pulses elicit "
         "indirect waves)");
  v.real("gaba_a_factor", gaba_a_factor, {"1", 0, 10},
         "multiplies the sheet's GABA-A conductances (a drug or a disease)");
  v.real("gaba_b_factor", gaba_b_factor, {"1", 0, 10},
         "multiplies the sheet's GABA-B conductances");
  v.real("nmda_factor", nmda_factor, {"1", 0, 10}, "multiplies the sheet's NMDA conductances");
  v.table("axons", axons, "what stimulation of the motor sheet recruits");
  v.table("ppc", ppc, "parietal cells");
  v.table("ppc_cursor", ppc_cursor, "parietal cells tuned to the seen cursor");
  v.table("task_error", task_error, "cells that compare target and cursor");
  v.table("proprio", proprio, "cells that feel where the hand is");
  v.table("felt", felt, "cells that estimate where the hand is");
  v.table("pre_pmd", pre_pmd, "rostral premotor cells");
  v.table("pmd", pmd, "premotor cells");
  v.table("pmd_inhibitory", pmd_inhibitory, "premotor inhibitory cells");
  v.table("pmd_chooser", pmd_chooser, "premotor inhibitory cells by which aims compete");
  v.table("pmv", pmv, "ventral premotor cells (fingers)");
  v.table("sts", sts, "cells of the superior temporal sulcus that see fingers bend");
  v.table("pfg", pfg, "inferior parietal cells (fingers)");
  v.table("s1", s1, "somatosensory cells that fire for what is felt at rest");
  v.table("l23e", l23e, "layer 2/3 pyramidal cells");
  v.table("pv", pv, "parvalbumin cells");
  v.table("som", som, "somatostatin cells");
  v.table("ngf", ngf, "neurogliaform cells");
  v.table("l5it", l5it, "layer 5 intratelencephalic cells");
  v.table("l5pt", l5pt, "layer 5 pyramidal-tract cells");
  v.table("l6ct", l6ct, "layer 6 corticothalamic cells");
}

Cortex::Cortex(const CortexParameters& p, const ArmParameters& arm, double scale,
               std::uint64_t seed, Slice slice)
    : SpikingRegion("cortex", kCortexSubsteps, slice, seed),
      parameters_(p),
      sizes_(scale),
      seed_(seed),
      dopamine_gate_(p.sheet_plasticity.dopamine, sizes_.mesocortical) {
  const Sizes& n = sizes_;
  const std::size_t vl = add_spike_input("vl_to_cortex", n.vl, kThalamusSubsteps);
  const std::size_t va = add_spike_input("va_to_cortex", n.va, kThalamusSubsteps);
  dopamine_ = inputs().size();
  add_spike_input("snc_to_cortex", n.snc, kBasalGangliaSubsteps);
  senses_ = add_analog_input("senses_to_cortex", sense::count);
  add_populations();
  // Weights given as numbers in what follows are tuned to firing rates.
  connect_aim(va);
  connect_choice();
  connect_strategy();
  connect_felt_hand();
  if (p.observation.connected) connect_observation();
  connect_sheet();
  if (p.afferents.connected) connect_afferents();
  connect_sheet_inputs(arm, vl);
}

void Cortex::add_populations() {
  const CortexParameters& p = parameters_;
  const Sizes& n = sizes_;
  auto ring = [&](const char* name, const char* long_name, std::uint32_t size,
                  const LifParameters& lif) {
    return add_population({name, long_name, size, ring_directions(size)}, lif, SynapseKind::current,
                          fast_receptors());
  };
  ppc_ = ring("PPC", "parietal cells tuned to the seen target", n.ppc, p.ppc);
  ppc_cursor_ = ring("PPCc", "parietal cells tuned to the seen cursor", n.ppc_cursor, p.ppc_cursor);
  task_error_ = ring("TaskError", "parietal cells that compare target and cursor", n.task_error,
                     p.task_error);
  pre_pmd_ = ring("PrePMd", "rostral premotor cells (strategy)", n.pre_pmd, p.pre_pmd);
  pmd_ = ring("PMd", "dorsal premotor cells (aim)", n.pmd, p.pmd);
  pmd_inhibitory_ = add_population({"PMdI", "premotor inhibitory cells", n.pmd_inhibitory, {}},
                                   p.pmd_inhibitory, SynapseKind::current, fast_receptors());
  pmd_chooser_ =
      ring("PMdC", "premotor inhibitory cells by which aims compete", n.pmd_chooser, p.pmd_chooser);
  auto layer = [&](const char* name, const char* long_name, const SheetLayout& sheet,
                   const LifParameters& lif, double nmda_ratio) {
    PopulationInfo info{name, long_name, sheet.size(), {}};
    for (std::uint32_t cell = 0; cell < sheet.size(); ++cell) {
      info.x.push_back(static_cast<float>(sheet.x(cell)));
      info.y.push_back(static_cast<float>(sheet.y(cell)));
    }
    return Layer{add_population(std::move(info), lif, SynapseKind::conductance,
                                sheet_receptors(nmda_ratio * p.nmda_factor)),
                 sheet};
  };
  l23e_ = layer("L23E", "layer 2/3 pyramidal cells", n.l23e, p.l23e, 0.5);
  pv_ = layer("PV", "parvalbumin cells", n.pv, p.pv, 0.05);
  som_ = layer("SOM", "somatostatin cells", n.som, p.som, 0.1);
  ngf_ = layer("NGF", "neurogliaform cells", n.ngf, p.ngf, 0.033);
  l5it_ = layer("L5IT", "layer 5 intratelencephalic cells", n.l5it, p.l5it, 0.5);
  l5pt_ = layer("L5PT", "layer 5 pyramidal-tract cells", n.l5pt, p.l5pt, 0.5);
  l6ct_ = layer("L6CT", "layer 6 corticothalamic cells", n.l6ct, p.l6ct, 0.5);
  proprio_ = ring("Proprio", "cells that feel where the hand is", n.proprio, p.proprio);
  felt_ = ring("Felt", "cells that estimate where the hand is", n.felt, p.felt);
  pmv_ = add_population({"PMv", "ventral premotor cells (fingers)", n.pmv, {}}, p.pmv,
                        SynapseKind::current, fast_receptors());
  if (p.observation.connected) {
    sts_ = add_population({"STS", "temporal cells that see fingers bend", n.sts, {}}, p.sts,
                          SynapseKind::current, fast_receptors());
    pfg_ = add_population({"PFG", "inferior parietal cells (fingers)", n.pfg, {}}, p.pfg,
                          SynapseKind::current, fast_receptors());
  }
  if (p.afferents.connected)
    s1_ = add_population({"S1", "somatosensory cells (parts of the body)", n.s1, {}}, p.s1,
                         SynapseKind::current, fast_receptors());
  target_drive_ = std::make_unique<TunedDrive>(network_.population(ppc_), kSeenSharpness);
  cursor_drive_ = std::make_unique<TunedDrive>(network_.population(ppc_cursor_), kSeenSharpness);
  hand_drive_ = std::make_unique<TunedDrive>(network_.population(proprio_), kSeenSharpness);
  add_output(ppc_);
  add_output(pmd_);
  add_output(l5pt_.population);
  add_output(l6ct_.population);

  const AxonParameters& axons = p.axons;
  const auto stimulable = [&](const Layer& cells, AxonThreshold threshold, bool excitatory) {
    const std::string& name = network_.population(cells.population).name();
    axons_.push_back({cells, threshold, excitatory, {seed_, purpose(name + ".axons")}});
  };
  stimulable(l23e_, axons.l23e, true);
  stimulable(pv_, axons.pv, false);
  stimulable(som_, axons.som, false);
  stimulable(ngf_, axons.ngf, false);
  stimulable(l5it_, axons.l5, true);
  stimulable(l5pt_, axons.l5, true);
  stimulable(l6ct_, axons.l5, true);
}

void Cortex::connect_aim(std::size_t va) {
  const CortexParameters& p = parameters_;
  const Sizes n = sizes_;
  const auto pmd_direction = [=](std::uint32_t cell) { return ring_direction(cell, n.pmd); };
  connect({.name = "PPC_PMd",
           .source = ppc_,
           .target = pmd_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = p.ppc_pmd_weight_mv / 40,
           .delay_ms = 3,
           .sources = ring_sources(n.ppc, pmd_direction, kRingSpreadDeg)});
  connect({.name = "VA_PMd",
           .source = va,
           .target = pmd_,
           .receptor = kExcitation,
           .in_degree = 30,
           .weight = p.va_pmd_weight_mv / 30,
           .delay_ms = 0,
           .sources = [=](std::uint32_t cell, Draws& draws) {
             const double direction = pmd_direction(cell) + kChannelSpreadDeg * draws.normal();
             return draw_from_group(ring_cell(direction, kChannels), n.va, kChannels, draws);
           }});
  inhibit(pmd_, n.pmd, pmd_inhibitory_, n.pmd_inhibitory, 80.0);
}

void Cortex::inhibit(std::size_t population, Cells cells, std::size_t interneurons,
                     Cells interneuron_cells, double mv) {
  const std::string name = network_.population(population).name();
  const std::string inhibitor = network_.population(interneurons).name();
  connect({.name = name + "_" + inhibitor,
           .source = population,
           .target = interneurons,
           .receptor = kExcitation,
           .in_degree = 60,
           .weight = 150.0 / 60,
           .delay_ms = 1.5,
           .sources = uniform_sources(cells)});
  connect({.name = inhibitor + "_" + name,
           .source = interneurons,
           .target = population,
           .receptor = kInhibition,
           .in_degree = 20,
           .weight = -mv / 20,
           .delay_ms = 1,
           .sources = uniform_sources(interneuron_cells)});
}

// While two targets are seen, candidate aims inhibit each other.
void Cortex::connect_choice() {
  const CortexParameters& p = parameters_;
  const Sizes n = sizes_;
  auto chooser_direction = [=](std::uint32_t cell) { return ring_direction(cell, n.pmd_chooser); };
  connect({.name = "PMd_PMdC",
           .source = pmd_,
           .target = pmd_chooser_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = p.pmd_chooser_weight_mv / 40,
           .delay_ms = 1.5,
           .sources = ring_sources(n.pmd, chooser_direction, kRingSpreadDeg)});
  connect({.name = "PMdC_PMd",
           .source = pmd_chooser_,
           .target = pmd_,
           .receptor = kInhibition,
           .in_degree = 20,
           .weight = -p.chooser_pmd_weight_mv / 20,
           .delay_ms = 1,
           .sources = [=](std::uint32_t cell, Draws& draws) {
             // From anywhere but within kRivalDeg.
             const double away = kRivalDeg + (360.0 - 2 * kRivalDeg) * draws.uniform();
             const double direction = ring_direction(cell, n.pmd) + away;
             return member(ring_cell(direction, n.pmd_chooser.families), n.pmd_chooser, draws);
           }});
}

void Cortex::connect_strategy() {
  const CortexParameters& p = parameters_;
  const Sizes n = sizes_;
  auto compare = [&](const char* name, std::size_t source, Cells ring, std::size_t receptor,
                     double weight) {
    connect(overlap_synapses(
        name, source, ring, task_error_,
        [=](std::uint32_t cell) { return ring_direction(cell, n.task_error); }, receptor, weight));
  };
  compare("PPC_TaskError", ppc_, n.ppc, kExcitation, p.task_error_weight_mv);
  // Of the same charge.
  compare("PPCc_TaskError", ppc_cursor_, n.ppc_cursor, kInhibition,
          -p.task_error_weight_mv * (kExcitationMs / kInhibitionMs));
  if (p.silence_task_error) network_.remove_cells(task_error_, 1.0);
  Projection& strategy = connect({.name = "PPC_PrePMd",
                                  .source = ppc_,
                                  .target = pre_pmd_,
                                  .receptor = kExcitation,
                                  .in_degree = Sizes(kReferenceScale).ppc,
                                  .weight = 0,
                                  .delay_ms = 3,
                                  .sources = each_family_in_turn(n.ppc),
                                  .plastic = true,
                                  .max_weight = p.strategy_max_weight_mv});
  strategy_rule_ = std::make_unique<InstructedRule>(strategy, p.strategy, n.task_error);
  connect({.name = "PrePMd_PMd",
           .source = pre_pmd_,
           .target = pmd_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = p.strategy_weight_mv / 40,
           .delay_ms = 1.5,
           .sources = ring_sources(
               n.pre_pmd, [=](std::uint32_t cell) { return ring_direction(cell, n.pmd); },
               kRingSpreadDeg)});
  connect({.name = "PrePMd_PMdI",
           .source = pre_pmd_,
           .target = pmd_inhibitory_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = p.strategy_inhibition_mv / 40,
           .delay_ms = 1.5,
           .sources = uniform_sources(n.pre_pmd)});
}

// The felt hand: what the body's map says, and what sight has taught.
void Cortex::connect_felt_hand() {
  const CortexParameters& p = parameters_;
  const Sizes n = sizes_;
  connect({.name = "Proprio_Felt",
           .source = proprio_,
           .target = felt_,
           .receptor = kExcitation,
           .in_degree = 40,
           .weight = p.proprio_felt_weight_mv / 40,
           .delay_ms = 3,
           .sources = ring_sources(
               n.proprio, [=](std::uint32_t cell) { return ring_direction(cell, n.felt); },
               kRingSpreadDeg)});
  Projection& recalibration = connect({.name = "Proprio_FeltSeen",
                                       .source = proprio_,
                                       .target = felt_,
                                       .receptor = kExcitation,
                                       .in_degree = Sizes(kReferenceScale).proprio,
                                       .weight = 0,
                                       .delay_ms = 3,
                                       .sources = each_family_in_turn(n.proprio),
                                       .plastic = true,
                                       .max_weight = p.recalibration_max_weight_mv});
  recalibration_rule_ =
      std::make_unique<InstructedRule>(recalibration, p.recalibration, n.ppc_cursor);
}

// What is seen of hands.
void Cortex::connect_observation() {
  const CortexParameters& p = parameters_;
  const Sizes& n = sizes_;
  auto learned = [&](const char* name, std::size_t source, Cells sources, std::size_t target,
                     double weight) {
    Projection& projection = connect({.name = name,
                                      .source = source,
                                      .target = target,
                                      .receptor = kExcitation,
                                      .in_degree = sources.families,
                                      .weight = 0,
                                      .delay_ms = 3,
                                      .sources = each_family_in_turn(sources),
                                      .plastic = true,
                                      .max_weight = weight * finger_count / sources.families});
    return std::make_unique<HebbianRule>(projection, p.observation.learning);
  };
  sts_rule_ = learned("STS_PFG", sts_, n.sts, pfg_, p.observation.sts_pfg_weight_mv);
  pfg_rule_ = learned("PFG_PMv", pfg_, n.pfg, pmv_, p.observation.pfg_pmv_weight_mv);
  const auto interneurons = [&](const char* name, const char* long_name) {
    return add_population({name, long_name, n.finger_inhibitory, {}}, p.pmd_inhibitory,
                          SynapseKind::current, fast_receptors());
  };
  inhibit(pfg_, n.pfg, interneurons("PFGI", "inferior parietal inhibitory cells"),
          n.finger_inhibitory, p.observation.inhibition_mv);
  inhibit(pmv_, n.pmv, interneurons("PMvI", "ventral premotor inhibitory cells"),
          n.finger_inhibitory, p.observation.inhibition_mv);
}

// Recurrent synapses of the sheet, with a delay that grows with distance. `sd`: of the sources'
// places, in sheet units; `sum`: summed weight of a cell, in leak conductances.
void Cortex::lateral(const char* name, const Layer& from, const Layer& to, std::size_t receptor,
                     std::uint32_t in_degree, double sd, double sum, double delay_ms) {
  const SheetLayout source = from.sheet, target = to.sheet;
  if (receptor == kGabaA) sum *= parameters_.gaba_a_factor;
  if (receptor == kGabaB) sum *= parameters_.gaba_b_factor;
  // Rounded to half milliseconds beyond the shortest: few fans, long rows.
  const auto delay_at = [=](double dx, double dy) {
    return delay_ms + 0.5 * std::floor(0.15 * std::sqrt(dx * dx + dy * dy) * 2 + 0.5);
  };
  connect({.name = name,
           .source = from.population,
           .target = to.population,
           .receptor = receptor,
           .in_degree = in_degree,
           .weight = sum / in_degree,
           .sources = sheet_sources(source, target, sd),
           .delay_of =
               [=](std::uint32_t a, std::uint32_t b) {
                 return delay_at(source.x(a) - target.x(b), source.y(a) - target.y(b));
               },
           .min_delay_ms = delay_ms,
           .max_delay_ms = delay_at(source.width, source.height)});
}

// Recurrent sheet: in-degree, SD (units), summed weight (g_L); delay .15 ms per unit of distance on
// top of 1.5 (excitatory) or .8 ms (inhibitory). Weights are tuned to rates and to the spread of
// fields.
void Cortex::connect_sheet() {
  const CortexParameters& p = parameters_;
  const Layer &E = l23e_, &PV = pv_, &SOM = som_, &NGF = ngf_, &IT = l5it_, &PT = l5pt_,
              &CT = l6ct_;
  constexpr double kE = kExcitationDelayMs, kI = 0.8;
  // Where the sheet is plastic, these have weights of their own and one delay: that some come from
  // afar, where axons of a fixed sheet take up to half a millisecond longer, is neglected.
  auto learned = [&](const char* name, const Layer& from, const Layer& to, std::size_t receptor,
                     std::uint32_t in_degree, SourceRule sources, double sum, double delay_ms,
                     double max_weight, std::uint32_t vacant_sites = 0) -> Projection& {
    return connect({.name = name,
                    .source = from.population,
                    .target = to.population,
                    .receptor = receptor,
                    .in_degree = in_degree,
                    .weight = sum / in_degree,
                    .delay_ms = delay_ms,
                    .sources = std::move(sources),
                    .plastic = true,
                    .max_weight = max_weight * sum / in_degree,
                    .vacant_sites = vacant_sites});
  };
  const SheetPlasticityParameters& plasticity = p.sheet_plasticity;
  for (const auto& [asked, key] : {std::pair{plasticity.spines.structural, "spines.structural"},
                                   {plasticity.window.amplitude > 0, "window.amplitude"}})
    if (asked && !plasticity.plastic)
      throw std::invalid_argument(std::string("sheet_plasticity.") + key +
                                  " needs synapses that can change; set sheet_plasticity.plastic "
                                  "= true as well");
  // Changes are shares of the initial weight.
  if (plasticity.plastic && p.e_pt_weight == 0)
    throw std::invalid_argument(
        "e_pt_weight = 0 leaves a plastic sheet no weight to change; set it above 0 or "
        "sheet_plasticity.plastic = false");
  auto excitatory = [&](const char* name, const Layer& to, std::uint32_t in_degree, double sd,
                        double sum) {
    if (!plasticity.plastic) return lateral(name, E, to, kGlutamate, in_degree, sd, sum, kE);
    SourceRule sources = [near = sheet_sources(E.sheet, to.sheet, sd),
                          wide = sheet_sources(E.sheet, to.sheet, plasticity.wide_sd),
                          share = plasticity.wide_share](std::uint32_t cell, Draws& draws) {
      return draws.uniform() < share ? wide(cell, draws) : near(cell, draws);
    };
    Projection& projection =
        learned(name, E, to, kGlutamate, in_degree, std::move(sources), sum, kE,
                plasticity.excitatory.max_weight, plasticity.spines.vacant_sites(in_degree));
    excitatory_.push_back(
        {E.population, to.population, TripletRule(projection, plasticity.excitatory), nullptr});
    if (!plasticity.spines.structural) return;
    excitatory_.back().spines = std::make_unique<SpineRule>(projection, plasticity.spines, seed_);
    connected_by(*excitatory_.back().spines);
  };
  auto inhibitory = [&](const char* name, const Layer& to, double sum) {
    if (!plasticity.plastic) return lateral(name, PV, to, kGabaA, 40, 0.6, sum, kI);
    sum *= p.gaba_a_factor;
    Projection& projection = learned(
        name, PV, to, kGabaA, 40, sheet_sources(PV.sheet, to.sheet, 0.6), sum, kI, kMostInhibition);
    inhibitory_.push_back(
        {PV.population, to.population, InhibitoryRule(projection, plasticity.inhibitory)});
  };
  excitatory("L23E_L23E", E, 80, 0.7, 0.8);
  lateral("L23E_PV", E, PV, kGlutamate, 60, 0.7, 1.6, kE);
  lateral("L23E_SOM", E, SOM, kGlutamate, 60, 1.2, 1.2, kE);
  lateral("L23E_NGF", E, NGF, kGlutamate, 60, 1.0, 1.5, kE);
  lateral("L23E_L5IT", E, IT, kGlutamate, 80, 1.0, 6.0, kE);
  excitatory("L23E_L5PT", PT, 120, 0.5, p.e_pt_weight);
  lateral("L23E_L6CT", E, CT, kGlutamate, 60, 1.0, 3.0, kE);
  lateral("L5IT_L5PT", IT, PT, kGlutamate, 40, 0.7, 1.0, kE);
  lateral("L5IT_L23E", IT, E, kGlutamate, 10, 1.0, 0.2, kE);
  lateral("L5PT_L23E", PT, E, kGlutamate, 10, 0.8, 0.16, kE);
  lateral("L5PT_PV", PT, PV, kGlutamate, 10, 0.8, 0.12, kE);
  lateral("L5PT_L6CT", PT, CT, kGlutamate, 20, 0.8, 0.6, kE);
  inhibitory("PV_L23E", E, 2.5);
  lateral("PV_PV", PV, PV, kGabaA, 20, 0.6, 2.5, kI);
  lateral("PV_NGF", PV, NGF, kGabaA, 20, 0.6, 1.5, kI);
  lateral("PV_L5IT", PV, IT, kGabaA, 40, 0.6, 3.0, kI);
  inhibitory("PV_L5PT", PT, 5.0);
  lateral("PV_L6CT", PV, CT, kGabaA, 20, 0.6, 2.0, kI);
  lateral("SOM_L23E", SOM, E, kGabaA, 40, 1.5, 2.0, kI);
  lateral("SOM_L5IT", SOM, IT, kGabaA, 40, 1.5, 2.0, kI);
  lateral("SOM_L5PT", SOM, PT, kGabaA, 40, 1.5, 3.0, kI);
  lateral("SOM_PV", SOM, PV, kGabaA, 20, 1.5, 0.8, kI);
  lateral("SOM_NGF", SOM, NGF, kGabaA, 20, 1.5, 0.5, kI);
  lateral("NGF_L23E", NGF, E, kGabaB, 20, 1.0, 0.18, kI);
  lateral("NGF_PV", NGF, PV, kGabaB, 20, 1.0, 0.18, kI);
  lateral("NGF_L5PT", NGF, PT, kGabaB, 20, 1.0, 0.3, kI);
}

// What is felt at rest, and what it keeps from being heard.
void Cortex::connect_afferents() {
  const AfferentParameters& p = parameters_.afferents;
  const Cells sources = sizes_.s1;
  // Every cell of the sheet is reached by as many, of the parts whose fields are nearest.
  auto afferent = [&](const char* name, const Layer& to, std::uint32_t in_degree, double sum) {
    const auto near = [sheet = to.sheet, sd = p.spread](std::uint32_t cell,
                                                        std::span<double> weights) {
      for (int m = 0; m < kMuscles; ++m)
        weights[static_cast<std::size_t>(m)] = field(m, sheet.x(cell), sheet.y(cell), sd);
    };
    connect({.name = name,
             .source = s1_,
             .target = to.population,
             .receptor = kGlutamate,
             .in_degree = in_degree,
             .weight = sum / in_degree,
             .delay_ms = 3,
             .sources = weighted_groups(sources, kMuscles, {kMuscles, near})});
  };
  afferent("S1_PV", pv_, 40, p.pv_weight);
  afferent("S1_SOM", som_, 40, p.som_weight);
  afferent("S1_L23E", l23e_, 40, p.e_weight);
  // Not on layer 2/3 itself: a recurrence of such reach sets the whole sheet on fire.
  const auto horizontal = [&](const char* name, const Layer& to, double sum) {
    lateral(name, l23e_, to, kGlutamate, 60, p.horizontal_sd, sum, kExcitationDelayMs);
  };
  horizontal("L23E_L5PT_horizontal", l5pt_, p.horizontal_pt_weight);
  horizontal("L23E_PV_horizontal", pv_, p.horizontal_pv_weight);
}

void Cortex::connect_sheet_inputs(const ArmParameters& arm, std::size_t vl) {
  const CortexParameters& p = parameters_;
  const Sizes n = sizes_;
  // A cell of the arm's part belongs to muscles by their fields and gets premotor and
  // thalamic input for the directions in which these muscles pull: what motor development has
  // learned (muscle_map.hpp). Input strength follows the muscles' demand, so the sum of all
  // cells' pushes points where the aim points.
  const MuscleMap muscles(arm);
  struct Directed {
    std::size_t population;
    Cells cells;
    std::uint32_t bins;                          // groups of cells by the direction
    std::function<double(std::uint32_t)> pulls;  // in which a bin's cells are to pull
    double delay_ms;
  };
  const Directed aim{pmd_, n.pmd, kChannels,
                     [](std::uint32_t bin) { return ring_direction(bin, kChannels); }, 3.0};
  // A zone's cells push against the error that the zone reports.
  const Directed correction{vl, n.vl, kZones,
                            [](std::uint32_t zone) { return zone_direction(zone) + 180.0; }, 0.0};
  auto directed = [&](const char* name, const Directed& from, const Layer& to,
                      std::uint32_t in_degree, double sum) {
    std::vector<std::array<double, kArmMuscles>> demand(from.bins);
    for (std::uint32_t bin = 0; bin < from.bins; ++bin)
      for (int m = 0; m < kArmMuscles; ++m)
        demand[bin][static_cast<std::size_t>(m)] = muscles.demand(m, from.pulls(bin));
    GroupWeights weights(from.bins,
                         [demand, sheet = to.sheet](std::uint32_t cell, std::span<double> of_bin) {
                           std::fill(of_bin.begin(), of_bin.end(), 0.0);
                           for (int m = 0; m < kArmMuscles; ++m) {
                             const double membership = field(m, sheet.x(cell), sheet.y(cell));
                             for (std::size_t bin = 0; bin < of_bin.size(); ++bin)
                               of_bin[bin] += membership * demand[bin][static_cast<std::size_t>(m)];
                           }
                         });
    connect(
        {.name = name,
         .source = from.population,
         .target = to.population,
         .receptor = kGlutamate,
         .in_degree = in_degree,
         .weight = sum / in_degree,
         .delay_ms = from.delay_ms,
         .sources = weighted_groups(from.cells, from.bins, weights),
         // Mean demand over directions, about 1 where a cell serves one muscle fully.
         .factor = [weights, bins = from.bins](std::uint32_t, std::uint32_t cell, Draws&) mutable {
           return weights.total(cell) / bins * 4.0;
         }});
  };
  // Input of the fingers: a cell near a finger's field gets that finger's premotor cells. `weight`:
  // summed conductance in the middle of a field.
  auto finger_input = [&](const char* name, const Layer& to, double sd, double weight) {
    if (weight == 0) return;
    GroupWeights near(
        finger_count, [sheet = to.sheet, sd](std::uint32_t cell, std::span<double> weights) {
          for (std::size_t finger = 0; finger < weights.size(); ++finger)
            weights[finger] =
                field(kArmMuscles + static_cast<int>(finger), sheet.x(cell), sheet.y(cell), sd);
        });
    connect({.name = name,
             .source = pmv_,
             .target = to.population,
             .receptor = kGlutamate,
             .in_degree = 40,
             .weight = weight / 40,
             .delay_ms = 3,
             .sources = weighted_groups(n.pmv, finger_count, near),
             .factor = [near](std::uint32_t, std::uint32_t cell, Draws&) mutable {
               return near.total(cell);
             }});
  };
  finger_input("PMv_L23E", l23e_, kFingerInputSd, p.pmv_e_weight);
  finger_input("PMv_L5PT", l5pt_, kFingerOutputSd, p.pmv_pt_weight);
  finger_input("PMv_SOM", som_, kFingerSurroundSd, p.pmv_som_weight);
  directed("PMd_L23E", aim, l23e_, 40, p.pmd_e_weight);
  directed("PMd_L5PT", aim, l5pt_, 40, p.pmd_pt_weight);
  directed("VL_L23E", correction, l23e_, 40, p.vl_e_weight);
  directed("VL_L5PT", correction, l5pt_, 40, p.vl_pt_weight);
  diffuse("VL_PV", vl, n.vl, pv_.population, kGlutamate, 40, 1.5, 0);
  diffuse("VL_SOM", vl, n.vl, som_.population, kGlutamate, 30, 1.5, 0);
  diffuse("VL_L6CT", vl, n.vl, l6ct_.population, kGlutamate, 30, 0.6, 0);
}

void Cortex::stimulate(const Pulse& pulse) {
  const double intensity = jittered_intensity(pulse, parameters_.axons.jitter, seed_);
  for (const Axons& axons : axons_) {
    if (pulse.stimulator == Stimulator::electrode && !axons.excitatory) continue;
    LifPopulation& population = network_.population(axons.layer.population);
    for (std::uint32_t cell = population.first(); cell < population.last(); ++cell) {
      const double field =
          field_at(pulse, intensity, axons.layer.sheet.x(cell), axons.layer.sheet.y(cell));
      const auto bits =
          random_block(axons.key, cell, pulse.stream, static_cast<std::uint64_t>(pulse.substep));
      if (uniform01(bits[0]) < recruitment_probability(field, axons.threshold))
        population.evoke(pulse.substep, cell);
    }
  }
}

void Cortex::polarize(double mv) {
  polarization_mv_ = mv;
  for (const Axons& axons : axons_)
    if (axons.excitatory)
      network_.population(axons.layer.population).set_shift(static_cast<float>(mv));
}

void Cortex::medicate(const Drug& drug) {
  drug_ = drug;
  for (const Axons& axons : axons_) {
    LifPopulation& cells = network_.population(axons.layer.population);
    cells.set_receptor_factor(kGabaA, static_cast<float>(drug.gaba_a));
    cells.set_receptor_factor(kGabaB, static_cast<float>(drug.gaba_b));
    cells.set_receptor_factor(kNmda, static_cast<float>(drug.nmda));
    if (axons.excitatory)
      cells.set_tonic(static_cast<float>(drug.tonic_gaba), static_cast<float>(kGabaAReversalMv));
  }
}

void Cortex::ask_fingers(std::span<const double> digits) {
  asked_ = {};
  for (const double digit : digits) asked_[finger_of_digit(digit)] = 1;
}

void Cortex::lesion(double x, double y, double radius) {
  since_lesion_ms_ = 0;
  for (const Axons& axons : axons_) {
    LifPopulation& population = network_.population(axons.layer.population);
    std::vector<std::uint32_t> dead;  // of all slices
    for (std::uint32_t cell = 0; cell < population.size(); ++cell) {
      const double dx = axons.layer.sheet.x(cell) - x, dy = axons.layer.sheet.y(cell) - y;
      if (dx * dx + dy * dy <= radius * radius) dead.push_back(cell);
    }
    for (const std::uint32_t cell : dead)
      if (cell >= population.first() && cell < population.last()) population.kill(cell);
    for (ExcitatoryPathway& pathway : excitatory_)
      if (pathway.spines && pathway.source == axons.layer.population)
        pathway.spines->kill_sources(dead);
  }
}

void Cortex::prepare(Step, const Inbox& in) {
  const std::span<const double> senses = in.analog(senses_);
  const double seen = senses[sense::cursor_on];
  cursor_drive_->set(
      network_.population(ppc_cursor_),
      {seen * parameters_.cue_drive_mv, senses[sense::cursor_x], senses[sense::cursor_y]});
  hand_drive_->set(network_.population(proprio_),
                   {senses[sense::hand_on] * parameters_.cue_drive_mv, senses[sense::hand_x],
                    senses[sense::hand_y]});
  // The presence of a cursor that is far enough out for its direction to tell (chosen).
  network_.population(task_error_)
      .set_drive(seen >= 1 ? static_cast<float>(parameters_.task_error_drive_mv) : 0.0f);
  network_.population(pre_pmd_).set_drive(
      senses[sense::aim_at_target] > 0 ? -static_cast<float>(parameters_.instruction_mv) : 0.0f);
  const std::span<const double> cued = senses.subspan(sense::finger, finger_count);
  std::array<double, finger_count> moving;
  std::transform(cued.begin(), cued.end(), asked_.begin(), moving.begin(),
                 [](double cue, double asked) { return std::max(cue, asked); });
  pmv_drive_.set(network_.population(pmv_), moving, parameters_.finger_drive_mv);
  if (parameters_.afferents.connected)
    s1_drive_.set(network_.population(s1_), senses.subspan(sense::afferent, kMuscles),
                  parameters_.afferents.drive_mv);
  if (sts_rule_) {
    sts_drive_.set(network_.population(sts_), senses.subspan(sense::seen_finger, finger_count),
                   parameters_.observation.seen_drive_mv);
    pfg_drive_.set(network_.population(pfg_), cued, parameters_.observation.cue_drive_mv);
  }
  network_.population(pmd_chooser_)
      .set_drive(senses[sense::second_on] > 0 ? static_cast<float>(parameters_.choice_drive_mv)
                                              : 0.0f);
  const double cue = parameters_.cue_drive_mv;
  target_drive_->set(
      network_.population(ppc_),
      {senses[sense::target_on] > 0 ? cue : 0.0, senses[sense::target_x], senses[sense::target_y]},
      {senses[sense::second_on] > 0 ? cue : 0.0, senses[sense::second_x], senses[sense::second_y]});
}

void Cortex::learn(Step, const Inbox& in) {
  const bool learning = in.analog(senses_)[sense::learning] != 0;
  strategy_rule_->step(network_.spikes(ppc_), network_.spikes(task_error_),
                       learning && parameters_.strategy_learning);
  // Without a seen cursor nothing says where the hand is.
  recalibration_rule_->step(network_.spikes(proprio_), network_.spikes(ppc_cursor_),
                            learning && in.analog(senses_)[sense::cursor_on] > 0,
                            network_.spikes(felt_));
  if (sts_rule_) {
    sts_rule_->step(network_.spikes(sts_), network_.spikes(pfg_), learning);
    pfg_rule_->step(network_.spikes(pfg_), network_.spikes(pmv_), learning);
  }
  if (excitatory_.empty()) return;
  const std::span<const Spike> dopamine = in.spikes(dopamine_);
  dopamine_gate_.update(static_cast<std::size_t>(std::ranges::count_if(
      dopamine, [&](const Spike& spike) { return spike.id < sizes_.mesocortical; })));
  double window = 1.0;
  if (since_lesion_ms_ >= 0) {
    ++since_lesion_ms_;
    window = parameters_.sheet_plasticity.window.factor(
        1e-3 * static_cast<double>(since_lesion_ms_) / parameters_.sheet_plasticity.spines.day_s);
  }
  const double gate = dopamine_gate_.value() * window;
  const bool sheet_learns = learning && parameters_.sheet_plasticity.learning;
  for (auto& [source, target, rule, spines] : excitatory_) {
    rule.step(network_.spikes(source), network_.spikes(target), gate, sheet_learns);
    if (spines) rule.rewire(spines->step(sheet_learns, window));
  }
  for (auto& [source, target, rule] : inhibitory_)
    rule.step(network_.spikes(source), network_.spikes(target), sheet_learns);
}

template <class State, class Self>
void Cortex::visit_state(State& state, Self& self) {
  state.part(*self.strategy_rule_);
  state.part(*self.recalibration_rule_);
  state.shared_value("polarization_mv", self.polarization_mv_);
  for (const auto& [name, value] : kDrugState) state.shared_value(name, self.drug_.*value);
  if (self.sts_rule_) {
    state.part(*self.sts_rule_);
    state.part(*self.pfg_rule_);
  }
  if (self.excitatory_.empty()) return;
  state.part(self.dopamine_gate_);
  state.shared_value("since_lesion_ms", self.since_lesion_ms_);
  for (auto& pathway : self.excitatory_) {
    state.part(pathway.rule);
    if (pathway.spines) state.part(*pathway.spines);
  }
  for (auto& pathway : self.inhibitory_) state.part(pathway.rule);
}
void Cortex::save_extra(StateWriter& writer) const { visit_state(writer, *this); }
void Cortex::load_extra(StateReader& reader) {
  visit_state(reader, *this);
  polarize(polarization_mv_);
  medicate(drug_);
  asked_ = {};
}

}  // namespace quartet
