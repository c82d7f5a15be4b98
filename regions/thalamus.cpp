#include "regions/thalamus.hpp"

namespace quartet {
namespace {
// SD of the directions of the channels that converge on a VL cell (chosen).
constexpr double kConvergenceSpreadDeg = 15.0;
}  // namespace

void ThalamusParameters::visit(ParameterVisitor& v) {
  v.real(
      "convergence", convergence, {"1", 0, 1},
      "share of relay cells that get cerebellar and pallidal input (assumed: 0 in primates, .3-.6 "
      "in rodents)");
  v.real("lesion_vl", lesion_vl, {"1", 0, 1}, "fraction of VL cells removed");
  v.real("lesion_va", lesion_va, {"1", 0, 1}, "fraction of VA/VM cells removed");
  v.real("dcn_vl_weight_mv", dcn_vl_weight_mv, {"mV", 0, 1000},
         "summed nuclear excitation of a VL cell (tuned: VL rate follows the nuclei)");
  v.real("gpi_va_weight_mv", gpi_va_weight_mv, {"mV", 0, 1000},
         "summed pallidal inhibition of a VA/VM cell (tuned: silent unless disinhibited)");
  v.table("vl", vl, "cerebellar relay cells");
  v.table("va", va, "basal-ganglia relay cells");
  v.table("trn", trn, "reticular cells");
}

Thalamus::Thalamus(const ThalamusParameters& p, double scale, std::uint64_t seed, Slice slice)
    : SpikingRegion("thalamus", kThalamusSubsteps, slice, seed) {
  const Sizes n(scale);
  const std::size_t ct = add_spike_input("ct_to_thalamus", n.l6ct.size(), kCortexSubsteps);
  const std::size_t dcn = add_spike_input("dcn_to_thalamus", n.dcn, kCerebellumSubsteps);
  add_spike_input("olive_to_thalamus", n.olive, kCerebellumSubsteps);
  const std::size_t gpi = add_spike_input("gpi_to_thalamus", n.gpi, kBasalGangliaSubsteps);
  add_spike_input("snc_to_thalamus", n.snc, kBasalGangliaSubsteps);

  const std::size_t vl = add_population(
      {"VL", "ventrolateral relay cells", n.vl, group_directions(n.vl, kZones, zone_direction)},
      p.vl, SynapseKind::current, fast_receptors());
  const std::size_t va =
      add_population({"VA", "ventral anterior and ventromedial relay cells", n.va,
                      group_directions(n.va, kChannels, channel_direction)},
                     p.va, SynapseKind::current, fast_receptors());
  vl_ = vl;
  va_ = va;
  const std::size_t trn = add_population({"TRN", "reticular cells", n.trn, {}}, p.trn,
                                         SynapseKind::current, fast_receptors());
  add_output(vl);
  add_output(va);

  auto mixed = [=](const char* name) {
    return [key = RandomKey{seed, purpose(name)}, share = p.convergence](std::uint32_t cell) {
      return uniform01(random_block(key, cell, 0, 0)[0]) < share;
    };
  };
  const auto mixed_vl = mixed("VL.mixed"), mixed_va = mixed("VA.mixed");

  connect({.name = "DCN_VL",
           .source = dcn,
           .target = vl,
           .receptor = kExcitation,
           .in_degree = 24,
           .weight = p.dcn_vl_weight_mv / 24,
           .delay_ms = 0,
           .sources = same_group(n.dcn, n.vl, kZones)});
  connect({.name = "GPi_VA",
           .source = gpi,
           .target = va,
           .receptor = kInhibition,
           .in_degree = 8,
           .weight = -p.gpi_va_weight_mv / 8,
           .delay_ms = 0,
           .sources = same_group(n.gpi, n.va, kChannels)});
  // Convergence: a quarter as strong as the driving input.
  connect({.name = "GPi_VL",
           .source = gpi,
           .target = vl,
           .receptor = kInhibition,
           .in_degree = 8,
           .weight = -p.gpi_va_weight_mv / 8 / 4,
           .delay_ms = 0,
           .sources =
               [=](std::uint32_t cell, Draws& draws) {
                 const double direction = zone_direction(group_of(cell, n.vl, kZones)) + 180.0;
                 return draw_from_group(
                     ring_cell(direction + kConvergenceSpreadDeg * draws.normal(), kChannels),
                     n.gpi, kChannels, draws);
               },
           .factor = [=](std::uint32_t, std::uint32_t cell,
                         Draws&) { return mixed_vl(cell) ? 1.0 : 0.0; }});
  connect({.name = "DCN_VA",
           .source = dcn,
           .target = va,
           .receptor = kExcitation,
           .in_degree = 24,
           .weight = p.dcn_vl_weight_mv / 24 / 4,
           .delay_ms = 0,
           .sources =
               [=](std::uint32_t cell, Draws& draws) {
                 const double direction =
                     channel_direction(group_of(cell, n.va, kChannels)) + 180.0;
                 return draw_from_group(ring_cell(direction + 22.5, kZones), n.dcn, kZones, draws);
               },
           .factor = [=](std::uint32_t, std::uint32_t cell,
                         Draws&) { return mixed_va(cell) ? 1.0 : 0.0; }});
  // Weights given as numbers are tuned to firing rates.
  diffuse("CT_VL", ct, n.l6ct.cells(), vl, kExcitation, 40, 20.0, 0);
  diffuse("CT_VA", ct, n.l6ct.cells(), va, kExcitation, 40, 20.0, 0);
  diffuse("CT_TRN", ct, n.l6ct.cells(), trn, kExcitation, 40, 40.0, 0);
  diffuse("VL_TRN", vl, n.vl, trn, kExcitation, 30, 30.0, 2);
  diffuse("VA_TRN", va, n.va, trn, kExcitation, 20, 15.0, 2);
  diffuse("TRN_VL", trn, n.trn, vl, kInhibition, 20, -10.0, 2);
  diffuse("TRN_VA", trn, n.trn, va, kInhibition, 20, -8.0, 2);
  diffuse("TRN_TRN", trn, n.trn, trn, kInhibition, 15, -5.0, 1);
  lose_cells({.vl = p.lesion_vl, .va = p.lesion_va});
}

void Thalamus::lose_cells(const CellLoss& loss) {
  network_.remove_cells(vl_, loss.vl);
  network_.remove_cells(va_, loss.va);
}

}  // namespace quartet
