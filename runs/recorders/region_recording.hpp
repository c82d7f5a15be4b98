/// What is recorded of a region, and what its files say about it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regions/region.hpp"

namespace quartet {

/// What is recorded of a region. Members are counted over the run; empty lists record nothing and
/// make no file.
struct RegionRecording {
  std::int64_t bin_ms = 10;  ///< of the rates; divides trial_ms
  std::vector<std::int32_t> rate_members;
  std::vector<std::int32_t> spike_members;
  std::vector<std::int32_t> weight_members;
};

/// What files say about a region, from any slice of it.
struct RegionDescription {
  std::string name;
  std::uint32_t substeps = 1;
  std::vector<PopulationInfo> populations;
  std::vector<ProjectionInfo> projections;
};

}  // namespace quartet
