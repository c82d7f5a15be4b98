#pragma once
#include "models/parameters.hpp"
namespace quartet {
struct CortexParameters {
  void visit(ParameterVisitor&) {}
};
}  // namespace quartet
