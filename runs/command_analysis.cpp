/// `quartet plot`, `score`, `scaling`, `robustness`, `energy` and those that read a run out: hand
/// over to the analysis scripts.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "runs/commands.hpp"
#include "runs/experiment.hpp"
#include "runs/launcher.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

/// Becomes `/usr/bin/python3 SCRIPT ARGUMENTS…`. Debian's xarray, netCDF4 and matplotlib belong to
/// this Python, whatever PATH finds first.
void become_script(const std::string& script, const Arguments& arguments) {
  std::vector<std::string> command = {
      "/usr/bin/python3", (fs::path(analysis_directory()) / "start.py").string(), script};
  command.insert(command.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  throw std::runtime_error(
      fmt::format("cannot start {}: {}; install it (apt-get install python3 python3-xarray "
                  "python3-netcdf4 python3-matplotlib)",
                  command[0], std::strerror(errno)));
}

void check_run_directory(const std::string& directory) {
  if (!fs::exists(fs::path(directory) / "behaviour.nc")) {
    throw UsageError(fmt::format(
        "{}: not a run directory (no behaviour.nc); write the directory that `quartet run` made",
        directory));
  }
}

/// Refuses one run's directory where one for several is meant.
void check_for_several(const std::string& directory, const std::string& command) {
  for (const char* file : {"resolved.toml", "behaviour.nc"}) {
    if (!fs::exists(fs::path(directory) / file)) continue;
    throw UsageError(fmt::format(
        "{}: is the directory of one run (it has a {}), and {} makes a directory with several "
        "runs; name another",
        directory, file, command));
  }
}

/// A run directory, or a directory with such in it.
void check_scored(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error))
    if (fs::exists(entry.path() / "behaviour.nc")) return;
  if (fs::exists(fs::path(directory) / "behaviour.nc")) return;
  throw UsageError(fmt::format(
      "{}: neither a run directory (no behaviour.nc) nor one with such in it; write the "
      "directory that `quartet run` made, or let --run make the runs in it",
      directory));
}

}  // namespace

std::string analysis_directory() {
  const char* chosen = std::getenv("QUARTET_ANALYSIS");
  std::vector<fs::path> places;
  if (chosen) {
    places = {chosen};
  } else {
    const fs::path program = fs::path(own_path()).parent_path();
    places = {program.parent_path() / "share" / "quartet" / "analysis",
              QUARTET_SOURCE_DIR "/runs/analysis"};
  }
  for (const fs::path& place : places) {
    if (fs::exists(place / "score.py")) return place.string();
  }
  std::string looked;
  for (const fs::path& place : places) looked += (looked.empty() ? "" : ", ") + place.string();
  throw UsageError(fmt::format(
      "the analysis scripts are not in {}; set QUARTET_ANALYSIS to the folder with score.py",
      looked));
}

void add_plot(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string directory, out;
    std::vector<std::string> groups;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("plot", "Figure of a run");
  command->add_option("DIR", flags->directory, "run directory")->required();
  command->add_option(
      "--out", flags->out,
      "the figure's file (.png, .pdf or .svg); default: figure.png and .pdf in DIR");
  command
      ->add_option("--groups", flags->groups,
                   "draw these groups alone (default: all for which "
                   "there is room)")
      ->type_name("NAME");
  command->footer("Example:\n  quartet plot results/cerebellar_vs_dopaminergic");
  command->callback([flags, &exit_code] {
    check_run_directory(flags->directory);
    std::vector<std::string> arguments{flags->directory};
    if (!flags->out.empty()) arguments.insert(arguments.end(), {"--out", flags->out});
    if (!flags->groups.empty()) {
      arguments.push_back("--groups");
      arguments.insert(arguments.end(), flags->groups.begin(), flags->groups.end());
    }
    become_script("plot.py", arguments);
    exit_code = 1;
  });
}

void add_score(CLI::App& app, int& exit_code) {
  struct Flags {
    std::vector<std::string> directories;
    bool json = false, strict = false, run = false;
    Overrides overrides;
    int ranks = 4;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("score", "Table of runs beside what people do");
  command
      ->add_option("DIR", flags->directories, "run directories, or directories with such in them")
      ->required();
  command->add_flag("--json", flags->json, "as JSON");
  command->add_flag("--strict", flags->strict,
                    "exit with 1 if a target is missed or undefined, or none judged");
  CLI::Option* run = command->add_flag(
      "--run", flags->run,
      "run the standard experiments into DIR first, each in a directory of its own and shortened "
      "as its [quick] says; flags below are for that, and --set takes keys that all of them have");
  add_overrides(*command, flags->overrides);
  command->add_option("--ranks", flags->ranks, "processes of a run")
      ->check(whole_number(1, "--ranks 4"))
      ->capture_default_str();
  for (const char* name : {"--set", "--seed", "--subjects", "--scale", "--full", "--ranks"})
    command->get_option(name)->needs(run);
  command->footer(
      "Example:\n  quartet score results/cerebellar_vs_dopaminergic --json\n"
      "  quartet score results/card --run          all targets; some 30 minutes on 2 cores\n"
      "  quartet score results/card --run --full   the same with whole groups; hours\n\n"
      "Once stopped, the same command continues.");
  command->callback([flags, &exit_code] {
    Arguments arguments = flags->directories;
    if (flags->run) {
      arguments.insert(arguments.end(),
                       {"--run", "--program", own_path(), "--ranks", std::to_string(flags->ranks)});
      const Overrides& overrides = flags->overrides;
      for (const auto& [name, value] : {std::pair{"--seed", overrides.seed},
                                        {"--subjects", overrides.subjects},
                                        {"--scale", overrides.scale}})
        if (!value.empty()) arguments.insert(arguments.end(), {name, value});
      for (const std::string& setting : overrides.set)
        arguments.insert(arguments.end(), {"--set", setting});
      if (overrides.full) arguments.push_back("--full");
    } else {
      for (const std::string& directory : flags->directories) check_scored(directory);
    }
    if (flags->json) arguments.push_back("--json");
    if (flags->strict) arguments.push_back("--strict");
    become_script("score.py", arguments);
    exit_code = 1;
  });
}

void add_scaling(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string directory, experiment;
    std::vector<std::string> scales;
    int ranks = 4;
    bool json = false, strict = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("scaling", "Runs reaches at several sizes of the brain, compares rates");
  command->add_option("DIR", flags->directory, "where the runs are, or will be")->required();
  command->add_option("--scales", flags->scales, "beside scale 1 (.5 and 2 unless given)");
  command->add_option("--experiment", flags->experiment, "instead of experiments/scaling.toml");
  command->add_option("--ranks", flags->ranks, "processes of a run")
      ->check(whole_number(1, "--ranks 4"))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "as JSON");
  command->add_flag("--strict", flags->strict, "exit with 1 if a change is out of the limits");
  command->footer(
      "Example:\n  quartet scaling results/scaling --scales 0.5 2\n\nScales .5, 1 and 2 take 5 to "
      "10 minutes on 2 cores, larger ones longer in proportion.\nOnce stopped, the same command "
      "continues.");
  command->callback([flags, &exit_code] {
    check_for_several(flags->directory, "scaling");
    Arguments arguments = {flags->directory, "--program", own_path(), "--ranks",
                           std::to_string(flags->ranks)};
    if (!flags->experiment.empty())
      arguments.insert(arguments.end(), {"--experiment", flags->experiment});
    if (flags->json) arguments.push_back("--json");
    if (flags->strict) arguments.push_back("--strict");
    if (!flags->scales.empty()) {
      arguments.push_back("--scales");
      arguments.insert(arguments.end(), flags->scales.begin(), flags->scales.end());
    }
    become_script("scaling.py", arguments);
    exit_code = 1;
  });
}

void add_robustness(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string directory, part, only, program = own_path();
    int ranks = 4;
    bool full = false, json = false, strict = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "robustness", "Varies seeds, scale and learning rates; tries falsifiers and graded lesions");
  command->add_option("DIR", flags->directory, "where the runs are, or will be")->required();
  command->add_option("--part", flags->part, "one part; default: all")
      ->check(CLI::IsMember({"seeds", "scales", "rates", "falsifiers", "doses"}));
  command->add_option("--only", flags->only, "one variant, falsifier or lesion")->type_name("NAME");
  command->add_flag("--full", flags->full,
                    "whole experiments, groups of all targets, all doses; default: two groups, "
                    "trials as the [quick] of their experiments says, 2 subjects, scale .5");
  command->add_option("--program", flags->program, "another build that simulates");
  command->add_option("--ranks", flags->ranks, "processes of a run")
      ->check(whole_number(1, "--ranks 4"))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "as JSON");
  command->add_flag("--strict", flags->strict, "exit with 1 if something fails or is not judged");
  command->footer(
      "Example:\n  quartet robustness results/robustness --part falsifiers\n  quartet robustness "
      "results/robustness --part doses --only olive\n\nWhat is varied, and what must hold, is in "
      "runs/analysis/robustness.toml. How long the runs\nthat are missing take is printed first. "
      "Once stopped, the same command continues.");
  command->callback([flags, &exit_code] {
    check_for_several(flags->directory, "robustness");
    Arguments arguments = {flags->directory, "--program", flags->program, "--ranks",
                           std::to_string(flags->ranks)};
    for (const auto& [name, value] : {std::pair{"--part", flags->part}, {"--only", flags->only}})
      if (!value.empty()) arguments.insert(arguments.end(), {name, value});
    for (const auto& [name, given] :
         {std::pair{"--full", flags->full}, {"--json", flags->json}, {"--strict", flags->strict}})
      if (given) arguments.push_back(name);
    become_script("robustness.py", arguments);
    exit_code = 1;
  });
}

void add_energy(CLI::App& app, int& exit_code) {
  struct Flags {
    std::string directory;
    std::vector<std::string> between;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "energy", "What regions and populations use, how it changes, and a BOLD-like map");
  command->add_option("DIR", flags->directory, "run directory")->required();
  command
      ->add_option("--between", flags->between,
                   "two phases of the schedule to compare; default: its first two")
      ->expected(2);
  command->footer(
      "Example:\n  quartet energy results/mine --between baseline rotated\n\nWrites energy.csv, "
      "and where a group has both phases bold.csv, bold.png and .pdf (a BOLD-like map of the motor "
      "sheet), and where fingers move alone bold_fingers.csv (how far their patterns differ), into "
      "DIR.");
  command->callback([flags, &exit_code] {
    check_run_directory(flags->directory);
    Arguments arguments = {flags->directory};
    if (!flags->between.empty())
      arguments.insert(arguments.end(), {"--between", flags->between[0], flags->between[1]});
    become_script("energy.py", arguments);
    exit_code = 1;
  });
}

void add_readings(CLI::App& app, int& exit_code) {
  struct Reading {
    const char *name, *what, *directory, *footer;
  };
  static constexpr std::array<Reading, 7> kReadings = {{
      {"thalamus", "Cells of VL and VA that follow error, reward error or both",
       "run directory with spikes of the thalamus",
       "Example:\n  quartet thalamus results/convergence\n\nOf a run of "
       "runs/experiments/convergence.toml, or of any with record.spikes.subjects."},
      {"dopamine", "Dopamine cells over a trial, early and late in every phase",
       "run directory with rates of the basal ganglia",
       "Example:\n  quartet dopamine results/cues\n\nOf a run of runs/experiments/cues.toml, or of "
       "any "
       "with record.rate_subjects."},
      {"tms",
       "What stimulation of the motor sheet shows: threshold, pulses, maps, surround, intention",
       "run directory with probes.nc",
       "Example:\n  quartet tms results/tms\n\nOf a run of runs/experiments/tms.toml, or of any "
       "with a block that has a probe."},
      {"maps", "Maps of the fingers on the motor sheet, by what they practised",
       "run directory with weights of a plastic sheet",
       "Example:\n  quartet maps results/finger_practice\n\nOf a run of "
       "runs/experiments/finger_practice.toml, or of any whose blocks practise fingers,\nwith "
       "brain.cortex.sheet_plasticity.plastic and record.weights_subjects."},
      {"spines", "Synapses of the motor sheet that come and go with practice",
       "run directory with weights of such a sheet",
       "Example:\n  quartet spines results/spines\n\nOf a run of runs/experiments/spines.toml, or "
       "of "
       "any whose blocks practise fingers, with\nbrain.cortex.sheet_plasticity.spines.structural "
       "and "
       "record.weights_subjects."},
      {"observation", "What seen movements and direct current do, alone and together",
       "run directory of brains that see hands",
       "Example:\n  quartet observation results/observation\n\nOf a run of "
       "runs/experiments/observation.toml, or of any with task = \"observe\" or\nprobes of kind "
       "\"polarization\"."},
      {"nerves", "What the motor sheet does while nerves of a part are blocked",
       "run directory with probes before and during a block",
       "Example:\n  quartet nerves results/nerve_block\n\nOf a run of "
       "runs/experiments/nerve_block.toml or amputation.toml, or of any with\nnerve_block and "
       "probes in blocks before and in it. Counts new synapses where these come and\ngo "
       "and weights are recorded."},
  }};
  struct Flags {
    std::string directory;
    bool json = false;
  };
  for (const Reading& reading : kReadings) {
    auto flags = std::make_shared<Flags>();
    CLI::App* command = app.add_subcommand(reading.name, reading.what);
    command->add_option("DIR", flags->directory, reading.directory)->required();
    command->add_flag("--json", flags->json, "as JSON");
    command->footer(reading.footer);
    command->callback([flags, script = std::string(reading.name) + ".py", &exit_code] {
      check_run_directory(flags->directory);
      Arguments arguments = {flags->directory};
      if (flags->json) arguments.push_back("--json");
      become_script(script, arguments);
      exit_code = 1;
    });
  }
}

}  // namespace quartet
