#include "regions/brain.hpp"

#include <stdexcept>
#include <string>

namespace quartet {

void TractParameters::visit(ParameterVisitor& v) {
  for (std::size_t i = 0; i < state.size(); ++i) {
    const Tract& tract = atlas()[i];
    const std::string way = std::string(tract.from) + " " + std::string(tract.out_port) + " to " +
                            std::string(tract.to) + ", " + std::to_string(tract.delay_ms) +
                            " ms (" + std::string(tract.source) + "); cut: nothing arrives";
    if (tract.from == "body")
      // Numbers of different meaning, which nothing can take for each other.
      v.choice_of(tract.name, state[i], {"intact", "cut"}, way + ", nor that there is plasticity");
    else
      v.choice_of(tract.name, state[i], {"intact", "cut", "shuffled"},
                  way + "; shuffled: as many spikes at the same times, of other cells");
  }
}

void BrainParameters::visit(ParameterVisitor& v) {
  v.real(
      "scale", scale, {"1", 0.25, 100},
      "number of cells relative to the shipped brain; from .5 on every cell keeps its numbers of "
      "partners and synapses, so that mean and variance of its input stay (regions/README.md)");
  v.table("cortex", cortex, "motor sheet, premotor and parietal cortex");
  v.table("cerebellum", cerebellum, "microzones with their nuclei and olive");
  v.table("basal_ganglia", basal_ganglia, "action channels, critic and dopamine");
  v.table("thalamus", thalamus, "relay and reticular cells");
  v.table("tracts", tracts, "tracts between regions, from the first timestep on");
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
