#pragma once
#include "models/parameters.hpp"
namespace quartet {
struct CerebellumParameters {
  void visit(ParameterVisitor&) {}
};
}  // namespace quartet
