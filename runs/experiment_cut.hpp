/// What a run leaves out of its experiment file or does differently, in words for people.
#pragma once

#include <string>
#include <vector>

#include "runs/experiment.hpp"

namespace quartet {

std::vector<std::string> names_of_groups(const Experiment& experiment);

/// Leaves groups out that are not among `names`.
void keep_groups(const std::vector<std::string>& names, Experiment& experiment);

/// What `used` leaves out of `full` or does differently (Experiment::cut); empty if nothing.
std::string describe_cut(const Experiment& used, Experiment full);

}  // namespace quartet
