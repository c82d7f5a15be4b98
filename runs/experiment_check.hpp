/// Whether an experiment can be simulated: what the reader of its file cannot see in one place.
#pragma once

namespace quartet {

class Placement;
struct Experiment;

/// Refuses values of groups that do not go together, and regions that cannot be built from their
/// values or not in the placement's slices. Throws ExperimentError.
void check_experiment(const Experiment& experiment, const Placement& placement);

}  // namespace quartet
