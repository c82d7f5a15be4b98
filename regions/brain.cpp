#include "regions/brain.hpp"

#include <stdexcept>
#include <string>

namespace quartet {

void BrainParameters::visit(ParameterVisitor& v) {
  v.real("scale", scale, {"1", 0.1, 100},
         "number of cells relative to the shipped brain; in-degrees stay, so that mean and "
         "variance of every cell's input stay (regions/README.md)");
  v.table("cortex", cortex, "motor sheet, premotor and parietal cortex");
  v.table("cerebellum", cerebellum, "microzones with their nuclei and olive");
  v.table("basal_ganglia", basal_ganglia, "action channels, critic and dopamine");
  v.table("thalamus", thalamus, "relay and reticular cells");
}

}  // namespace quartet
