#include "regions/brain.hpp"

#include <stdexcept>
#include <string>

namespace quartet {

void BrainParameters::visit(ParameterVisitor& v) {
  v.real(
      "scale", scale, {"1", 0.25, 100},
      "number of cells relative to the shipped brain; from .5 on every cell keeps its numbers of "
      "partners and synapses, so that mean and variance of its input stay (regions/README.md)");
  v.table("cortex", cortex, "motor sheet, premotor and parietal cortex");
  v.table("cerebellum", cerebellum, "microzones with their nuclei and olive");
  v.table("basal_ganglia", basal_ganglia, "action channels, critic and dopamine");
  v.table("thalamus", thalamus, "relay and reticular cells");
}

std::unique_ptr<Region> make_region(std::string_view name, const Subject& subject, Slice slice) {
  const BrainParameters& brain = subject.brain;
  const double scale = brain.scale;
  const std::uint64_t seed = subject.seed;
  if (name == "cortex")
    return std::make_unique<Cortex>(brain.cortex, subject.body.arm, scale, seed, slice);
  if (name == "cerebellum")
    return std::make_unique<Cerebellum>(brain.cerebellum, scale, seed, slice);
  if (name == "basal_ganglia")
    return std::make_unique<BasalGanglia>(brain.basal_ganglia, scale, seed, slice);
  if (name == "thalamus") return std::make_unique<Thalamus>(brain.thalamus, scale, seed, slice);
  if (name == "body") return std::make_unique<Body>(subject.body, subject.schedule, scale, seed);
  throw std::invalid_argument("there is no region '" + std::string(name) + "'");
}

}  // namespace quartet
