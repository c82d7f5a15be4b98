/// What a lesion or a disease takes from the brain in the middle of a run.
#pragma once

#include <algorithm>

#include "models/parameters.hpp"

namespace quartet {

/// Shares of cells that die before a block's first trial, and before its probe, for good: those
/// that the parameter of the same lesion (`brain.cerebellum.lesion` …) would have removed from the
/// start. Smaller shares bring nobody back.
struct CellLoss {
  double purkinje = 0.0;
  double nuclei = 0.0;
  double olive = 0.0;
  double dopamine = 0.0;
  double vl = 0.0;
  double va = 0.0;

  /// Keeps the larger of both losses.
  void add(const CellLoss& more) {
    for (double CellLoss::*share : {&CellLoss::purkinje, &CellLoss::nuclei, &CellLoss::olive,
                                    &CellLoss::dopamine, &CellLoss::vl, &CellLoss::va})
      this->*share = std::max(this->*share, more.*share);
  }
  bool operator==(const CellLoss&) const = default;

  void visit(ParameterVisitor& v) {
    v.real("purkinje", purkinje, {"1", 0, 1}, "of Purkinje cells (as brain.cerebellum.lesion)");
    v.real("nuclei", nuclei, {"1", 0, 1},
           "of deep nuclear cells (as brain.cerebellum.lesion_nuclei)");
    v.real("olive", olive, {"1", 0, 1}, "of olivary cells (as brain.cerebellum.lesion_olive)");
    v.real("dopamine", dopamine, {"1", 0, 1},
           "of SNc cells (as brain.basal_ganglia.dopamine_depletion)");
    v.real("vl", vl, {"1", 0, 1}, "of VL cells (as brain.thalamus.lesion_vl)");
    v.real("va", va, {"1", 0, 1}, "of VA cells (as brain.thalamus.lesion_va)");
  }
};

}  // namespace quartet
