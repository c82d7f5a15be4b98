/// How the ranks of a run come to be.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace quartet {

/// Value of an environment variable, or none.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

enum class Launch {
  as_rank,     ///< mpirun or srun has started this process as one of the ranks
  supervise,   ///< start mpirun and watch over it
  in_process,  ///< one rank, without MPI
};

struct LaunchPlan {
  Launch launch = Launch::supervise;
  int ranks = 4;
  int rank = 0;             ///< own rank where as_rank
  bool supervised = false;  ///< as_rank: by supervise_mpirun, which has checked the experiment
};

/// What to do, from the environment and `--ranks` (≥ 1). Throws std::invalid_argument, with a
/// remedy, where they contradict each other.
LaunchPlan plan_launch(const Environment& environment, std::optional<int> ranks);

/// Settings that mpirun needs to run as root, with more ranks than cores, and fast on one node
/// (names of Open MPI 4 and 5). What the user has set stays.
std::vector<std::pair<std::string, std::string>> mpirun_settings();

/// Runs `arguments` (of this program, without its name) on `ranks` ranks under mpirun, forwards
/// SIGINT, SIGTERM, SIGHUP and SIGUSR1 as SIGUSR1 once the ranks run, waits, and returns the ranks'
/// exit code; exit_stopped where stop_requested() before a rank is started. A second SIGINT or
/// SIGTERM ends the ranks at once. QUARTET_MPIRUN names another mpirun. Explains on standard error
/// any other end than 0, 2, 70 and 75 (70: the rank has); `directory` is the run's, for remedies.
/// Throws std::runtime_error, with a remedy, where mpirun cannot be started.
int supervise_mpirun(int ranks, const std::vector<std::string>& arguments,
                     const std::filesystem::path& directory);

/// Tells supervise_mpirun, if that watches over this rank, that all ranks run and can be asked to
/// stop. Called by one of them, when all have connected.
void announce_ranks();

/// What a process ends with that has said why it failed: exit_failed, or exit_told where it is a
/// rank under supervise_mpirun, which then need not speak as well.
int failure_code();

/// Path of this program.
std::string own_path();

/// A word as it can be pasted into a shell.
std::string shell_word(const std::string& word);

/// What to warn of where `ranks` are too many for a machine with so many cores; empty otherwise. A
/// few ranks too many (the usual four on two cores) do no harm.
std::string crowding(int ranks, int cores);

}  // namespace quartet
