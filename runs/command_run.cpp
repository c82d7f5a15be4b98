/// `quartet run` and `quartet resume`: read, check, get the ranks going.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

#include "comm/placement.hpp"
#include "regions/sizes.hpp"
#include "runs/commands.hpp"
#include "runs/experiment.hpp"
#include "runs/experiment_check.hpp"
#include "runs/launcher.hpp"
#include "runs/run.hpp"
#include "runs/run_lock.hpp"
#include "runs/signals.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

/// Flags that `run` and `resume` share.
struct LoopFlags : PlacementFlags {
  std::optional<std::int64_t> checkpoint_every_trials;
  bool quiet = false;

  /// `usual_cadence`: what holds without --checkpoint-every.
  void add_to(CLI::App& command, const std::string& usual_cadence) {
    PlacementFlags::add_to(command, "processes to start (default 4; 1: without MPI)");
    command
        .add_option("--checkpoint-every", checkpoint_every_trials,
                    fmt::format("trials between checkpoints (default: {}; 0: only when stopped)",
                                usual_cadence))
        ->type_name("TRIALS")
        ->check(whole_number(0, "--checkpoint-every 200"));
    command.add_flag("--quiet", quiet, "no progress");
  }
};

/// The most ranks of which a brain has something. The standard placement gives three to the smaller
/// regions and halves the rest between cortex and cerebellum; a slice with fewer cells of the
/// largest population takes longer over its messages than over its cells.
int most_ranks(double scale) {
  constexpr std::uint32_t kCellsOfASlice = 64;
  const Sizes sizes(scale);
  const std::uint32_t cells = std::min(sizes.l23e.size(), sizes.granule.count);
  return std::max(8, 3 + 2 * static_cast<int>(cells / kCellsOfASlice));
}

void check_ranks(const LaunchPlan& plan, double scale) {
  const int most = most_ranks(scale);
  if (plan.ranks > most) {
    const bool own = plan.launch == Launch::as_rank;
    throw UsageError(fmt::format(
        "{}{}: a brain of scale {} has no use for more than {}; {} 4, or {} at the most",
        own ? "ranks started by mpirun or srun: " : "--ranks ", plan.ranks, scale, most,
        own ? "start" : "write --ranks", most));
  }
}

/// Refuses a directory that `run` could not make, before any rank is started.
void check_out(const fs::path& out) {
  if (out.empty()) throw UsageError("--out '': names no directory; write --out results/mine");
  std::error_code error;
  if (fs::exists(fs::symlink_status(out, error))) {
    const std::string word = shell_word(out.string());
    throw UsageError(
        fs::exists(out / "resolved.toml", error)
            ? fmt::format("--out {}: exists already; name another directory, remove it (rm -r {}), "
                          "or continue it (quartet resume {})",
                          out.string(), word, word)
            : fmt::format("--out {}: exists already and is no run directory; name another",
                          out.string()));
  }
  fs::path parent = fs::absolute(out).parent_path();
  while (!fs::exists(parent, error) && parent.has_relative_path()) parent = parent.parent_path();
  std::string attempt = (parent / ".quartet-XXXXXX").string();
  if (!mkdtemp(attempt.data())) {
    throw UsageError(fmt::format("--out {}: no directory can be made in {}: {}; name another place",
                                 out.string(), parent.string(), std::strerror(errno)));
  }
  rmdir(attempt.c_str());
}

Placement placement_of(const PlacementFlags& flags, int ranks) {
  if (flags.placement.empty()) return Placement::standard(ranks);
  try {
    return Placement::parse(flags.placement, ranks);
  } catch (const std::invalid_argument& error) {
    throw UsageError("--" + std::string(error.what()));  // "placement: …"
  }
}

/// Either watches over mpirun or is one of the ranks.
int start(const Experiment& experiment, const LoopFlags& flags, RunOptions options,
          const LaunchPlan& plan, const Arguments& arguments) {
  if (!plan.supervised) check_placed(experiment, flags, plan);
  if (plan.launch == Launch::supervise) {
    const std::string warning =
        crowding(plan.ranks, static_cast<int>(std::thread::hardware_concurrency()));
    if (!warning.empty()) std::fprintf(stderr, "quartet: %s\n", warning.c_str());
    return supervise_mpirun(plan.ranks, arguments, options.out);
  }
  options.placement = flags.placement;
  options.checkpoint_every_trials = flags.checkpoint_every_trials;
  options.quiet = flags.quiet;
  options.in_process = plan.launch == Launch::in_process;
  options.command_line = "quartet";
  for (const std::string& word : arguments) (options.command_line += ' ') += shell_word(word);
  return run_experiment(experiment, options);
}

LaunchPlan plan(const LoopFlags& flags) {
  try {
    return plan_launch(process_environment(), flags.ranks);
  } catch (const std::invalid_argument& error) {
    throw UsageError(error.what());
  }
}

}  // namespace

void PlacementFlags::add_to(CLI::App& command, const std::string& ranks_are) {
  command.add_option("--ranks", ranks, ranks_are)
      ->type_name("N")
      ->check(whole_number(1, "--ranks 4"));
  command
      .add_option("--placement", placement,
                  "ranks of each region's slices, e.g. \"cortex:0,1 body:0 cerebellum:2 "
                  "basal_ganglia:3 thalamus:1\"; never changes a result")
      ->type_name("TEXT");
}

void check_placed(const Experiment& experiment, const PlacementFlags& flags,
                  const LaunchPlan& plan) {
  check_ranks(plan, experiment.groups.front().brain.scale);
  check_experiment(experiment, placement_of(flags, plan.ranks));
}

std::function<std::string(const std::string&)> whole_number(int least, const std::string& example) {
  return [=](const std::string& text) -> std::string {
    constexpr int kMost = 1000000;
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && *end == '\0' && value >= least && value <= kMost) return "";
    return fmt::format("{} is not a whole number from {} to {}; write for example {}", text, least,
                       kMost, example);
  };
}

void add_overrides(CLI::App& command, Overrides& overrides) {
  command
      .add_option("--set", overrides.set,
                  "replace a value: brain.KEY, body.KEY, record.KEY, block.KEY, block.PHASE.KEY, "
                  "or group.NAME. before any of them; repeatable")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  command.add_option("--seed", overrides.seed, "seed of the experiment")->type_name("N");
  command.add_option("--subjects", overrides.subjects, "subjects in every group")->type_name("N");
  command.add_option("--scale", overrides.scale, "size of the brain (brain.scale)")->type_name("X");
  command.add_flag("--full", overrides.full, "the whole experiment, without its [quick]");
}

void add_group_choice(CLI::App& command, Overrides& overrides) {
  command.add_option("--group", overrides.groups, "only this group; repeatable")
      ->type_name("NAME")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
}

void add_run(CLI::App& app, const Arguments& arguments, int& exit_code) {
  struct Flags : LoopFlags {
    std::string file;
    std::optional<std::string> out;
    Overrides overrides;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("run", "Simulate an experiment");
  command->add_option("FILE", flags->file, "experiment file (TOML)")->required();
  command->add_option("--out", flags->out, "run directory (default: results/<experiment>)")
      ->type_name("DIR");
  add_overrides(*command, flags->overrides);
  add_group_choice(*command, flags->overrides);
  flags->add_to(*command, std::to_string(kCheckpointEveryTrials));
  command->footer(
      "Example:\n  quartet run runs/experiments/smoke.toml --ranks 2 --set brain.scale=0.5 --out "
      "/tmp/smoke\n\nCtrl-C, SIGTERM, SIGUSR1 or a closed terminal stop it with a checkpoint (exit "
      "code 75); `quartet "
      "resume DIR`\ncontinues. Under your own mpirun or srun, send SIGUSR1.");
  command->callback([flags, &arguments, &exit_code] {
    const LaunchPlan launch = plan(*flags);
    const Experiment experiment = load_experiment(flags->file, flags->overrides);
    fs::path out = flags->out ? fs::path(*flags->out) : fs::path("results") / experiment.name;
    if (!out.has_filename()) out = out.parent_path();  // "mine/"
    check_out(out);
    if (launch.rank == 0 && launch.launch != Launch::supervise && !experiment.cut.empty() &&
        !flags->quiet) {
      std::fprintf(stderr, "%s\n", unlike_file(experiment).c_str());
    }
    RunOptions options;
    options.out = out;
    exit_code = start(experiment, *flags, options, launch, arguments);
  });
}

void add_resume(CLI::App& app, const Arguments& arguments, int& exit_code) {
  struct Flags : LoopFlags {
    std::string directory;
    bool other_version = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("resume", "Continue a run from its newest checkpoint");
  command->add_option("DIR", flags->directory, "run directory")->required();
  command->add_flag("--other-version", flags->other_version,
                    "go on also with a run of another version or commit of Quartet; its files name "
                    "both (provenance_version, provenance_commit)");
  flags->add_to(*command, "as before");
  command->footer(
      "Example:\n  quartet resume results/smoke --ranks 2\n\nThe files come out as if the run had "
      "never stopped, on any number of ranks.");
  command->callback([flags, &arguments, &exit_code] {
    const LaunchPlan launch = plan(*flags);
    const fs::path file = fs::path(flags->directory) / "resolved.toml";
    if (!fs::exists(file)) {
      throw UsageError(fmt::format(
          "{}: not a run directory (no resolved.toml); write the directory that `quartet run` made",
          flags->directory));
    }
    // Both are written when the run begins; reading what was given back in would take its flags
    // too.
    const fs::path given = fs::path(flags->directory) / "experiment.toml";
    std::error_code none;
    if (!launch.supervised && launch.rank == 0 &&
        fs::last_write_time(given, none) >
            fs::last_write_time(file, none) + std::chrono::seconds(2))
      std::fprintf(stderr,
                   "quartet: %s: was changed after the run began, which goes on as resolved.toml "
                   "says; run it anew to change it\n",
                   given.c_str());
    if (launch.launch != Launch::as_rank) {
      try {
        const RunLock free(flags->directory);  // rank 0 takes it again
      } catch (const std::runtime_error& error) {
        throw UsageError(error.what());
      }
    }
    RunOptions options;
    options.out = flags->directory;
    options.resume = true;
    options.other_version = flags->other_version;
    exit_code = start(load_experiment(file), *flags, options, launch, arguments);
  });
}

}  // namespace quartet
