/// The simulation loop: subject after subject, timestep after timestep, on every rank.
///
/// A subject's timestep is MemberRun::advance. At the end of a trial the ranks bring together what
/// they saw of it, at the end of a block the weights, and now and then, or when a signal asks to
/// stop, a checkpoint. run_experiment is declared in runs/run.hpp.
#pragma once

#include "runs/experiment.hpp"
#include "runs/run.hpp"

namespace quartet {

/// What the reader of experiment files cannot see in one place: values of groups that do not go
/// together. Throws ExperimentError.
void check_experiment(const Experiment& experiment);

}  // namespace quartet
