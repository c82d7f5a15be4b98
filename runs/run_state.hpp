/// How far a run has come, as the files in its directory say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "runs/experiment.hpp"

namespace quartet {

struct RunState {
  bool all_trials = false;  ///< behaviour.nc holds every trial of the experiment
  bool ended = false;       ///< the run has closed its files: nothing is left to do
  std::string logged;       ///< what run.log tells of: "a checkpoint", or "the end of the run"
  /// What is wrong with the files of a run that has ended, with the file's path; empty: nothing.
  std::string problem;
};

/// On one rank, when no one writes.
RunState look_at_run(const std::filesystem::path& directory, const Experiment& experiment);

/// After all files are closed: from now on the run has ended, whatever becomes of other files.
void mark_ended(const std::filesystem::path& directory);

/// Throws std::runtime_error, naming the file, where it is missing, is no NetCDF file, or holds
/// fewer bytes than its header tells of.
void check_netcdf(const std::filesystem::path& path);

}  // namespace quartet
