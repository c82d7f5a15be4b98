#pragma once
#include "models/parameters.hpp"
namespace quartet {
struct BasalGangliaParameters {
  void visit(ParameterVisitor&) {}
};
}  // namespace quartet
