/// Keys that nobody has read: what is told of them, and which were meant.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runs/experiment_document.hpp"
#include "runs/schema.hpp"

namespace quartet {

/// Tells of all settings that are not marked as used. `groups` and `phases`: those that there are.
void report_unknown_keys(const Document& document, const std::vector<std::string>& groups,
                         const std::set<std::string>& phases, Problems& problems);

}  // namespace quartet
