/// From layers of settings to an experiment: the layers are put on top of each other.
#pragma once

#include <set>
#include <string>

#include "runs/experiment.hpp"
#include "runs/experiment_document.hpp"
#include "runs/schema.hpp"

namespace quartet {

/// Puts the layers on top of each other, without [quick] unless told. Marks the settings that some
/// struct knows. Adds a group where the document has none.
Experiment build_experiment(Document& document, bool use_quick, Problems& problems);

/// Labels of all blocks of all schedules.
std::set<std::string> phases_of(Document& document);

}  // namespace quartet
