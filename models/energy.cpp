#include "models/energy.hpp"

namespace quartet::energy {

double true_in_degree(std::string_view population) {
  if (population == "GrC") return 4;       // Eccles, Ito & Szentágothai 1967: four dendrites
  if (population == "PC") return 175'000;  // Napper & Harvey 1988, J Comp Neurol 274:168
  return 8000;
}

double upscaling(double in_degree, std::int64_t cells, std::int64_t synapses) {
  return synapses == 0 ? 0 : in_degree * static_cast<double>(cells) / static_cast<double>(synapses);
}

Ledger ledger(const Activity& activity, double synapses, double seconds) {
  const double vesicles = kReleaseProbability * synapses;  // per arrival
  const double excitatory = vesicles * static_cast<double>(activity.excitatory);
  const double inhibitory = vesicles * static_cast<double>(activity.inhibitory);
  const double plastic_excitatory =
      vesicles * static_cast<double>(activity.plastic - activity.plastic_inhibitory);
  const double plastic_inhibitory = vesicles * static_cast<double>(activity.plastic_inhibitory);
  Ledger joule{};
  joule[Term::spikes] = kSpike * static_cast<double>(activity.spikes);
  joule[Term::synapses] = kVesiclePostsynaptic * (excitatory + kInhibitoryCost * inhibitory);
  joule[Term::release] = kVesiclePresynaptic * (excitatory + inhibitory);
  joule[Term::recycling] = kVesicleRecycling * (excitatory + inhibitory);
  joule[Term::rest] = kRestPerSecond * static_cast<double>(activity.cells) * seconds;
  joule[Term::plasticity] =
      kPlasticShare * (kVesiclePostsynaptic + kVesiclePresynaptic) * plastic_excitatory +
      kPlasticShare * (kInhibitoryCost * kVesiclePostsynaptic + kVesiclePresynaptic) *
          plastic_inhibitory;
  joule[Term::spines] = kSpineBirth * synapses * static_cast<double>(activity.formed);
  for (double& term : joule) term *= kJoulePerAtp;
  return joule;
}

}  // namespace quartet::energy
