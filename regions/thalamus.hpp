#pragma once
#include "models/parameters.hpp"
namespace quartet {
struct ThalamusParameters {
  void visit(ParameterVisitor&) {}
};
}  // namespace quartet
