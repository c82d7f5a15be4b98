/// Which keys of a block go together: combinations that no single key's range excludes.
#pragma once

#include "models/task.hpp"
#include "runs/schema.hpp"

namespace quartet {

/// A block, and what of its group its keys must suit.
struct BlockOfGroup {
  const Block& block;
  double nearest_target_m;  ///< of any subject's targets
  bool sees_hands;          ///< whether the group's brains do
  bool feels;               ///< whether they have afferents at rest
};

/// Tells of all rules that the block, which stands at `where`, breaks.
void check_block(const BlockOfGroup& block, const Place& where, Problems& problems);

}  // namespace quartet
