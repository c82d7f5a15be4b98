/// Which keys of a block go together: combinations that no single key's range excludes.
#pragma once

#include <string>
#include <vector>

#include "models/task.hpp"

namespace quartet {

/// A block, and what of its group its keys must suit.
struct BlockOfGroup {
  const Block& block;
  bool says_end;            ///< whether rotation_end_deg is written, be it 0
  double nearest_target_m;  ///< of any subject's targets
  bool sees_hands;          ///< whether the group's brains do
  bool feels;               ///< whether they have afferents at rest
};

/// A rule that a block breaks.
struct BlockRefusal {
  std::string what, remedy;

  bool operator==(const BlockRefusal&) const = default;
};

/// All rules that the block breaks.
std::vector<BlockRefusal> check_block(const BlockOfGroup& block);

}  // namespace quartet
