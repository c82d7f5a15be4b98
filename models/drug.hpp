/// What drugs, or the state of the tissue, do to the receptors of the motor sheet and in place of
/// dopamine. Plain data; carried out by Region::medicate.
#pragma once

#include "models/parameters.hpp"

namespace quartet {

/// Receptors of the motor sheet, and dopamine, during a block and its probe.
struct Drug {
  double gaba_a = 1.0;
  double gaba_b = 1.0;
  double nmda = 1.0;
  double tonic_gaba = 0.0;
  double dopamine_hz = 0.0;

  void visit(ParameterVisitor& v) {
    v.real("gaba_a", gaba_a, {"1", 0, 10},
           "multiplies synaptic (phasic) GABA-A conductances of all cells, beside "
           "brain.cortex.gaba_a_factor (benzodiazepines, zolpidem: above 1; bicuculline: below)");
    v.real("gaba_b", gaba_b, {"1", 0, 10}, "multiplies GABA-B conductances (baclofen: above 1)");
    v.real("nmda", nmda, {"1", 0, 10},
           "multiplies NMDA conductances (dextromethorphan, memantine: below 1)");
    v.real("tonic_gaba", tonic_gaba, {"1", 0, 10},
           "GABA-A conductance of pyramidal cells that is always open, in leak conductances (by "
           "extrasynaptic receptors: raised around a stroke for weeks, and lowered by inverse "
           "agonists of alpha 5: Clarkson et al. 2010)");
    v.real("dopamine_hz", dopamine_hz, {"Hz", 0, 100},
           "medication (L-dopa, an agonist), beside brain.basal_ganglia.dopamine_medication_hz, as "
           "the tonic rate of intact SNc cells that does the same");
  }
};

}  // namespace quartet
