/// Which rank hosts which slices of which regions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quartet {

/// A slice that a rank hosts.
struct HostedSlice {
  std::string_view region;  ///< one of region_names()
  int slice = 0;            ///< 0 … slices−1
  int slices = 1;
};

/// Every region has at least one slice and every rank at least one slice to host; a rank hosts at
/// most one slice of each region; the body is never split. Results do not depend on the placement.
class Placement {
 public:
  /// What suits `world_size` ranks. Throws std::invalid_argument where world_size < 1.
  static Placement standard(int world_size);

  /// Reads "cortex:0,1 body:0 cerebellum:2 basal_ganglia:3 thalamus:1": for each region the ranks
  /// of its slices, in slice order. Throws std::invalid_argument, saying what to write instead.
  static Placement parse(std::string_view text, int world_size);

  /// What `parse` reads, regions in the order of region_names().
  std::string to_string() const;

  int world_size() const { return world_size_; }
  /// Ranks that host `region`, in slice order.
  std::span<const int> ranks_of(std::string_view region) const;
  /// What `rank` hosts, in the order of region_names().
  std::vector<HostedSlice> hosted_by(int rank) const;

 private:
  /// Checks what the class promises; takes ranks by region in the order of region_names().
  Placement(std::vector<std::vector<int>> ranks, int world_size);

  std::vector<std::vector<int>> ranks_;  // [region][slice]
  int world_size_;
};

}  // namespace quartet
