/// `quartet validate`, `describe`, `compare`, `inspect` and `version`: what can be said without
/// simulating.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "runs/commands.hpp"
#include "runs/compare.hpp"
#include "runs/experiment.hpp"
#include "runs/inspect.hpp"
#include "runs/launcher.hpp"
#include "runs/provenance.hpp"
#include "runs/run.hpp"

namespace quartet {

void add_validate(CLI::App& app, int& exit_code) {
  struct Flags {
    std::vector<std::string> files;
    Overrides overrides;
    PlacementFlags placed;
    bool resolved = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("validate", "Check experiment files without running them");
  command->add_option("FILE", flags->files, "experiment files (TOML)")->required();
  add_overrides(*command, flags->overrides);
  add_group_choice(*command, flags->overrides);
  flags->placed.add_to(*command, "check for so many processes (default 4, as run)");
  command->add_flag("--resolved", flags->resolved, "print every key as it would be used");
  command->footer("Example:\n  quartet validate runs/experiments/*.toml");
  command->callback([flags, &exit_code] {
    std::vector<std::string> problems;
    for (const std::string& file : flags->files) {
      try {
        const Experiment experiment = load_experiment(file, flags->overrides);
        LaunchPlan plan;
        plan.ranks = flags->placed.ranks.value_or(plan.ranks);
        check_placed(experiment, flags->placed, plan);
        if (flags->resolved) {
          std::cout << resolved_toml(experiment);
          continue;
        }
        std::int64_t subjects = 0, trials = 0;
        for (const Group& group : experiment.groups) {
          subjects += group.subjects;
          trials += group.subjects * trials_of(group.blocks);
        }
        const auto counted = [](std::int64_t n, const char* what) {
          return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
        };
        std::cout << fmt::format("{}: good; {}, {}, {}{}\n", file,
                                 counted(std::ssize(experiment.groups), "group"),
                                 counted(subjects, "subject"), counted(trials, "trial"),
                                 experiment.cut.empty() ? "" : "; " + unlike_file(experiment));
      } catch (const ExperimentError& error) {
        problems.insert(problems.end(), error.problems().begin(), error.problems().end());
      }
    }
    if (!problems.empty()) throw ExperimentError(problems);
    exit_code = exit_done;
  });
}

void add_describe(CLI::App& app, int& exit_code) {
  struct Flags {
    bool markdown = false;
    std::vector<std::string> words;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("describe", "Reference of all keys of experiment files");
  command->add_option("WORD", flags->words, "only keys whose name or meaning has one of them");
  command->add_flag("--markdown", flags->markdown, "as Markdown tables");
  command->footer(
      "Example:\n  quartet describe | less\n  quartet describe gaba\n  "
      "quartet describe --markdown > keys.md");
  command->callback([flags, &exit_code] {
    for (const std::string& word : flags->words)
      if (describe_keys(flags->markdown, {word}).empty())
        throw UsageError(fmt::format(
            "describe: no key has \"{}\" in its name or meaning; write another word, or "
            "none for all keys",
            word));
    std::cout << describe_keys(flags->markdown, flags->words);
    exit_code = exit_done;
  });
}

void add_compare(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string a, b;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("compare", "Whether two runs are the same to the bit (0 equal, 1 not)");
  command->add_option("A", flags->a, "run directory or .nc file")->required();
  command->add_option("B", flags->b, "run directory or .nc file")->required();
  command->footer(
      "Example:\n  quartet compare results/smoke results/smoke-2\n\nCompares dimensions, variables "
      "and attributes except provenance_*.");
  command->callback([flags, &exit_code] {
    try {
      exit_code = compare_runs(flags->a, flags->b, std::cout);
      if (exit_code == exit_done) std::cout << "the same to the bit\n";
    } catch (const std::invalid_argument& error) {
      throw UsageError(error.what());
    }
  });
}

void add_inspect(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string directory;
    bool traffic = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("inspect", "What is in a run directory");
  command->add_option("DIR", flags->directory, "run directory")->required();
  command->add_flag("--traffic", flags->traffic, "spikes and bytes per tract and timestep");
  command->footer(
      "Example:\n  quartet inspect results/smoke --traffic\n\nExit codes: 0 all files can be read, "
      "1 "
      "some are damaged, 2 no run directory.");
  command->callback([flags, &exit_code] {
    try {
      const bool good = inspect_run(flags->directory, flags->traffic, std::cout);
      exit_code = good ? exit_done : exit_failed;
    } catch (const std::invalid_argument& error) {
      throw UsageError(error.what());
    }
  });
}

void add_version(CLI::App& app, int& exit_code) {
  const auto text = [] {
    const Provenance build = build_provenance();
    return fmt::format(
        "quartet {}\ncommit    {}\ncompiler  {}\nflags     {}\nNetCDF    {}\nBoost     {}",
        build.version, build.commit, build.compiler, build.flags, build.netcdf, build.boost);
  };
  const char* what = "Version, commit, compiler, libraries";
  CLI::App* command = app.add_subcommand("version", what);
  command->footer("Example:\n  quartet version");
  command->callback([&exit_code, text] {
    std::cout << text() << '\n';
    exit_code = exit_done;
  });
  app.set_version_flag("--version", text, what);
}

}  // namespace quartet
