/// The commands of the program. Each `add_…` declares one on the command line; when it is chosen,
/// its callback does the work and puts the exit code into `exit_code`. What a user did wrong is
/// thrown as UsageError or ExperimentError (exit code 2), any other exception is a failure (1).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace quartet {

struct Experiment;
struct LaunchPlan;
struct Overrides;

/// One message that says where, what, and what to do instead.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The program's arguments without its name, as given.
using Arguments = std::vector<std::string>;

void add_run(CLI::App& app, const Arguments& arguments, int& exit_code);
void add_resume(CLI::App& app, const Arguments& arguments, int& exit_code);
void add_validate(CLI::App& app, int& exit_code);
void add_describe(CLI::App& app, int& exit_code);
void add_compare(CLI::App& app, int& exit_code);
void add_inspect(CLI::App& app, int& exit_code);
void add_plot(CLI::App& app, int& exit_code);
void add_score(CLI::App& app, int& exit_code);
void add_scaling(CLI::App& app, int& exit_code);
void add_energy(CLI::App& app, int& exit_code);
void add_robustness(CLI::App& app, int& exit_code);
/// `thalamus`, `tms` and all others that do nothing but read a run out.
void add_readings(CLI::App& app, int& exit_code);
void add_version(CLI::App& app, int& exit_code);

/// The flags that change an experiment file's values, for `run` and `validate`.
void add_overrides(CLI::App& command, Overrides& overrides);

/// The flag that leaves out all groups but those it names, for the same.
void add_group_choice(CLI::App& command, Overrides& overrides);

/// Flags that say where a brain is to be simulated.
struct PlacementFlags {
  std::optional<int> ranks;
  std::string placement;

  void add_to(CLI::App& command, const std::string& ranks_are);
};

/// Refuses what cannot be simulated on the ranks of `plan`: for `run` before a rank is started, and
/// the same for `validate`. Throws UsageError or ExperimentError.
void check_placed(const Experiment& experiment, const PlacementFlags& flags,
                  const LaunchPlan& plan);

/// Checks a flag's value: a whole number from `least` on. `example` is a flag with a good value.
std::function<std::string(const std::string&)> whole_number(int least, const std::string& example);

/// Where the analysis scripts are: $QUARTET_ANALYSIS, the source tree of a build, or
/// ../share/quartet/analysis beside an installed program. Throws UsageError where they are not.
std::string analysis_directory();

}  // namespace quartet
