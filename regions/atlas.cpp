#include "regions/atlas.hpp"

#include <array>

namespace quartet {

namespace {
constexpr std::array<std::string_view, 5> kRegions = {"cortex", "cerebellum", "basal_ganglia",
                                                      "thalamus", "body"};
constexpr std::array<Tract, 18> kAtlas = {{
    {"ppc_to_striatum", "cortex", "PPC", "basal_ganglia", 4, "Lindahl & Hellgren Kotaleski 2016"},
    {"pmd_to_stn", "cortex", "PMd", "basal_ganglia", 3, "hyperdirect 2.5-3 ms, Lindahl 2016"},
    {"pmd_to_cerebellum", "cortex", "PMd", "cerebellum", 4, "through pons 3-5 ms, assumed"},
    {"pt_to_cerebellum", "cortex", "L5PT", "cerebellum", 4, "through pons 3-5 ms, assumed"},
    {"ct_to_thalamus", "cortex", "L6CT", "thalamus", 4, "3-8 ms, assumed"},
    {"corticospinal", "cortex", "L5PT", "body", 8, "cortex to hand motoneurons, assumed"},
    {"vl_to_cortex", "thalamus", "VL", "cortex", 3, "2-4 ms, assumed"},
    {"va_to_cortex", "thalamus", "VA", "cortex", 3, "2-4 ms, assumed"},
    {"va_to_striatum", "thalamus", "VA", "basal_ganglia", 4, "assumed as corticostriatal"},
    {"dcn_to_thalamus", "cerebellum", "DCN", "thalamus", 3, "Gambosi 2024 loop delay 3 ms"},
    {"olive_to_thalamus", "cerebellum", "IO", "thalamus", 3, "with dcn_to_thalamus"},
    {"gpi_to_thalamus", "basal_ganglia", "GPi", "thalamus", 3,
     "GPi to relay 3 ms, van Albada 2009"},
    {"snc_to_cortex", "basal_ganglia", "SNc", "cortex", 10, "unmyelinated, 10-20 ms"},
    {"snc_to_cerebellum", "basal_ganglia", "SNc", "cerebellum", 10, "unmyelinated, 10-20 ms"},
    {"snc_to_thalamus", "basal_ganglia", "SNc", "thalamus", 10, "unmyelinated, 10-20 ms"},
    {"senses_to_cerebellum", "body", "senses", "cerebellum", 2, "sensory delays are the body's"},
    {"senses_to_basal_ganglia", "body", "senses", "basal_ganglia", 2,
     "sensory delays are the body's"},
    {"senses_to_cortex", "body", "senses", "cortex", 2, "sensory delays are the body's"},
}};
}  // namespace

std::span<const std::string_view> region_names() { return kRegions; }
std::span<const Tract> atlas() { return kAtlas; }

}  // namespace quartet
