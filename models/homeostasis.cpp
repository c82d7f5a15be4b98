#include "models/homeostasis.hpp"

namespace quartet {

void HomeostasisParameters::visit(ParameterVisitor& v) {
  v.real("target_hz", target_hz, {"Hz", 0, 500}, "mean rate that excitability keeps");
  v.real("rate", rate, {"mV", 0, 1}, "change of excitability per ms and Hz (chosen: slow)");
}

}  // namespace quartet
