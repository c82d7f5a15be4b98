#pragma once
#include "models/parameters.hpp"
namespace quartet {
struct BodyParameters {
  void visit(ParameterVisitor&) {}
};
}  // namespace quartet
