/// All parameters of brain and body, and how to build a region from them.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "models/task.hpp"
#include "regions/atlas.hpp"
#include "regions/basal_ganglia.hpp"
#include "regions/body.hpp"
#include "regions/cerebellum.hpp"
#include "regions/cortex.hpp"
#include "regions/region.hpp"
#include "regions/thalamus.hpp"

namespace quartet {

enum class TractState { intact, cut, shuffled };

/// What becomes of the signals of each tract.
struct TractParameters {
  std::vector<TractState> state = std::vector<TractState>(atlas().size());  ///< in its order

  void visit(ParameterVisitor& v);
};

struct BrainParameters {
  double scale = 1.0;
  CortexParameters cortex;
  CerebellumParameters cerebellum;
  BasalGangliaParameters basal_ganglia;
  ThalamusParameters thalamus;
  TractParameters tracts;

  void visit(ParameterVisitor& v);
};

/// Everything that defines one subject: given these, a run is determined to the bit.
struct Subject {
  std::uint64_t seed = 1;
  BrainParameters brain;
  BodyParameters body;
  std::vector<Block> schedule;
};

/// Builds slice `slice` of region `name`. Throws std::invalid_argument where parameters cannot
/// be combined, naming them and a remedy.
std::unique_ptr<Region> make_region(std::string_view name, const Subject& subject, Slice slice);

}  // namespace quartet
