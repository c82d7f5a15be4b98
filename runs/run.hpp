/// How the command line starts the simulation loop (simulation.cpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "runs/experiment.hpp"

namespace quartet {

/// Exit codes of the program.
enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,   ///< a failure; for `compare`, a difference
  exit_usage = 2,    ///< command line or experiment file
  exit_told = 70,    ///< a rank under supervise_mpirun, to that: failed, and has said why
  exit_stopped = 75  ///< stopped on a signal, with a good checkpoint or before anything was written
};

/// Trials between checkpoints unless told.
inline constexpr std::int64_t kCheckpointEveryTrials = 200;

struct RunOptions {
  /// Run directory. For a new run it does not exist yet: every rank has checked that, so rank 0
  /// creates it only after a collective (the handshake). For `resume` it holds the run.
  std::filesystem::path out;
  /// Continue from the newest good checkpoint in `out`; from the start where there is none.
  bool resume = false;
  /// Continue also what another version or commit of Quartet wrote.
  bool other_version = false;
  std::string placement;  ///< placement text of comm/; empty: the usual one for the ranks
  /// Trials between checkpoints; 0: only when stopped; none: as the checkpoint says from which the
  /// run goes on, or kCheckpointEveryTrials.
  std::optional<std::int64_t> checkpoint_every_trials;
  bool quiet = false;        ///< no progress
  bool in_process = false;   ///< one process, no MPI (`--ranks 1`)
  std::string command_line;  ///< for provenance
};

/// Simulates all members of a checked `experiment` into `options.out`. Called on every rank.
/// Returns the same ExitCode on every rank: exit_done, exit_stopped (stop_requested() of
/// runs/signals.hpp became true and a checkpoint is on disk) or exit_failed (message printed).
int run_experiment(const Experiment& experiment, const RunOptions& options);

}  // namespace quartet
