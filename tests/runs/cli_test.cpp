/// The built program from outside: exit codes, messages, and how it watches over mpirun. Stand-ins
/// take mpirun's place (QUARTET_MPIRUN), so nothing is simulated here.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace quartet {
namespace {

namespace fs = std::filesystem;

const std::string kProgram = QUARTET_PROGRAM;
const std::string kExperiments = QUARTET_SOURCE_DIR "/runs/experiments/";

std::string read_file(const fs::path& path) {
  std::ifstream stream(path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

struct Outcome {
  int code;
  std::string text;  ///< standard output and error together
};

class Cli : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "quartet_cli_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  void TearDown() override { fs::remove_all(directory_); }

  /// Starts the program in the test's directory, outside of any mpirun.
  pid_t start(std::vector<std::string> arguments, const std::string& mpirun = "") {
    arguments.insert(arguments.begin(), kProgram);
    const pid_t child = fork();
    if (child != 0) return child;
    if (chdir(directory_.c_str()) != 0) _exit(99);
    const int out = open("output", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "PMIX_RANK",
                             "PMI_RANK", "PMI_SIZE", "SLURM_STEP_ID"}) {
      unsetenv(name);
    }
    if (!mpirun.empty()) setenv("QUARTET_MPIRUN", mpirun.c_str(), 1);
    std::vector<char*> argv;
    for (std::string& word : arguments) argv.push_back(word.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(98);
  }

  Outcome wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            read_file(directory_ / "output")};
  }

  Outcome run(const std::vector<std::string>& arguments, const std::string& mpirun = "") {
    return wait_for(start(arguments, mpirun));
  }

  /// An executable script to stand in for mpirun.
  std::string script(const std::string& body) {
    const fs::path path = directory_ / "mpirun";
    std::ofstream(path) << "#!/bin/sh\n" << body;
    fs::permissions(path, fs::perms::owner_all);
    return path.string();
  }

  /// Waits until a script has created `name`.
  void wait_for_file(const std::string& name) {
    for (int i = 0; i < 1000 && !fs::exists(directory_ / name); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ASSERT_TRUE(fs::exists(directory_ / name));
  }

  void expect_refusal(const std::vector<std::string>& arguments, const std::string& part) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.text;
    EXPECT_NE(outcome.text.find(part), std::string::npos) << outcome.text;
  }

  fs::path directory_;
};

TEST_F(Cli, EveryHelpHasAnExample) {
  EXPECT_EQ(run({"--help"}).code, 0);
  for (const char* command : {"run", "resume", "validate", "describe", "compare", "inspect", "plot",
                              "score", "scaling", "robustness", "thalamus", "dopamine", "energy",
                              "tms", "maps", "spines", "observation", "nerves", "version"}) {
    const Outcome outcome = run({command, "--help"});
    EXPECT_EQ(outcome.code, 0) << command;
    EXPECT_NE(outcome.text.find("Example:\n  quartet " + std::string(command)), std::string::npos)
        << outcome.text;
    EXPECT_NE(run({"--help"}).text.find(command), std::string::npos) << command;
  }
}

TEST_F(Cli, ScalingSaysHowLongItTakes) {
  EXPECT_NE(run({"scaling", "--help"}).text.find(" minutes on 2 cores"), std::string::npos);
}

TEST_F(Cli, RefusesWrongCommandLines) {
  expect_refusal({}, "A subcommand is required");
  expect_refusal({"rnu"}, "quartet: there is no command rnu; did you mean run? Commands: run, ");
  expect_refusal(
      {"bogus", "x.toml"},
      "quartet: there is no command bogus; Commands: run, resume, validate, describe, "
      "compare, inspect, plot, score, scaling, robustness, energy, thalamus, dopamine, tms, "
      "maps, spines, observation, nerves, version\n");
  expect_refusal({"run"}, "FILE is required");
  expect_refusal({"run", "x.toml", "--sedd=3"}, "did you mean --seed?");
  for (const char* ranks : {"many", "0", "2.5", "99999999999", ""}) {
    expect_refusal({"run", "x.toml", "--ranks", ranks},
                   "quartet: --ranks: " + std::string(ranks) +
                       " is not a whole number from 1 to 1000000; write for example --ranks 4\n");
  }
  expect_refusal({"scaling", "x", "--ranks", "many"}, "write for example --ranks 4\n");
  expect_refusal({"run", "x.toml", "--checkpoint-every", "-5"},
                 "--checkpoint-every: -5 is not a whole number from 0 to 1000000; write for "
                 "example --checkpoint-every 200\n");
  expect_refusal({"run", "x.toml", "--scale", "1", "--scale", "2"},
                 "quartet: --scale: given more than once; give it once\n");
  expect_refusal({"run", "x.toml", "--seed"}, "quartet: --seed: its value is missing; ");
  const std::vector<std::string> energy = {"energy", "results/mine", "--between", "a", "b", "c"};
  for (const int phases : {1, 3})
    expect_refusal({energy.begin(), energy.begin() + 3 + phases},
                   "quartet: --between: takes 2 values (two phases of the schedule to compare; "
                   "default: its first two); write for example quartet energy results/mine "
                   "--between baseline rotated\n");
  expect_refusal({"run", kExperiments + "smoke.toml", "--placement", "cortx:0"},
                 "quartet: --placement: there is no region 'cortx'; ");
}

TEST_F(Cli, RefusesMoreRanksThanABrainCanUse) {
  for (const char* ranks : {"22", "9999"}) {
    for (const char* command : {"run", "validate"}) {
      expect_refusal({command, kExperiments + "smoke.toml", "--ranks", ranks},
                     "--ranks " + std::string(ranks) +
                         ": a brain of scale 0.25 has no use for more than 21; write --ranks 4, or "
                         "21 at the most");
    }
  }
  EXPECT_EQ(run({"validate", kExperiments + "smoke.toml", "--ranks", "21"}).code, 0);
  EXPECT_EQ(run({"run", kExperiments + "smoke.toml", "--ranks", "21"}, script("exit 0\n")).code, 0);
}

TEST_F(Cli, RefusesBadExperimentsAndMissingFiles) {
  expect_refusal({"run", "nowhere.toml"}, "nowhere.toml: cannot read the experiment file");
  expect_refusal({"validate", "nowhere.toml"}, "nowhere.toml: cannot read the experiment file");
  expect_refusal({"run", directory_.string()}, "it is a directory");
  std::ofstream(directory_ / "bad.toml") << "subjets = 3\n[schedules.s]\nblocks = [{}]\n";
  for (const char* command : {"run", "validate"}) {
    const Outcome outcome = run({command, "bad.toml"});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.text, "bad.toml:1:1: unknown key subjets; did you mean subjects?\n");
  }
  expect_refusal({"run", kExperiments + "smoke.toml", "--set", "brain.scal=1"},
                 "--set brain.scal=1: unknown key brain.scal; did you mean brain.scale?");
  expect_refusal({"run", kExperiments + "smoke.toml", "--scale", "big"}, "--scale big: ");
}

TEST_F(Cli, RefusesBrainsThatCannotBeBuilt) {
  // Before anything is written, and with the groups that are meant.
  const std::string file = kExperiments + "cerebellar_vs_dopaminergic.toml";
  for (const char* command : {"run", "validate"}) {
    expect_refusal({command, file, "--set", "brain.cortex.l5pt.reset_mv=-50"},
                   "brain.cortex: L5PT: threshold_mv = -52 must be above reset_mv = -50");
    expect_refusal(
        {command, file, "--set", "group.reward_depleted.brain.cerebellum.pf_pc_weight_mv=9"},
        "group reward_depleted: brain.cerebellum: GrC_PC: input to PC could overflow");
  }
  // Also where the slice that is tried has none of the cells.
  for (const char* scale : {"brain.scale=0.25", "brain.scale=1"}) {
    for (const char* command : {"run", "validate"}) {
      expect_refusal(
          {command, file, "--set", scale, "--set", "brain.cerebellum.mf_dcn_weight_mv=30"},
          "brain.cerebellum: MF_DCN: input to DCN could overflow");
    }
  }
  EXPECT_FALSE(fs::exists(directory_ / "results"));
}

TEST_F(Cli, SaysWhereTheCauseOfWhatCannotBeBuiltWasWritten) {
  std::ofstream(directory_ / "bad.toml") << "[body]\n"
                                            "vision_delay_ms = 200\n"
                                            "[brain.cerebellum]\n"
                                            "mf_dcn_weight_mv = 30\n"
                                            "[schedules.s]\n"
                                            "blocks = [{trials = 2}]\n"
                                            "[[group]]\n"
                                            "name = \"a\"\n"
                                            "[[group]]\n"
                                            "name = \"b\"\n"
                                            "set = {\"brain.cortex.l5pt.reset_mv\" = -50}\n";
  const std::string text = run({"validate", "bad.toml", "--set", "record.rate_bin_ms=7", "--set",
                                "group.b.body.trial_ms=1000"})
                               .text;
  for (const char* line : {
           "bad.toml:2:1: group a: body: the outcome",  // a key that is named
           "bad.toml:4:1: brain.cerebellum: MF_DCN",    // the only one of its table
           "bad.toml:11:8: group b: brain.cortex: L5PT",
           "--set group.b.body.trial_ms=1000: group b: trials of 1000 ms",
           "--set record.rate_bin_ms=7: record.rate_bin_ms",
       })
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  // Keys of other tables and of blocks are no cause, though their last part is named; of several
  // that are named none is left out.
  std::ofstream(directory_ / "bad.toml")
      << "[brain.cortex]\n"
         "pmd.reset_mv = -40\n"
         "[brain.cerebellum]\n"
         "purkinje.threshold_mv = -50\n"
         "[schedules.s]\n"
         "blocks = [{trials = 2, learning = false, cursor_gain = 0.9}]\n"
         "[[group]]\n"
         "name = \"a\"\n"
         "[[group]]\n"
         "name = \"b\"\n"
         "[group.set]\n"
         "body.trial_ms = 1005\n"
         "brain.cortex.sheet_plasticity.plastic = true\n";
  const std::string causes = run({"validate", "bad.toml"}).text;
  for (const char* line : {
           "bad.toml:2:5: brain.cortex: PMd: threshold_mv = -50 must be above reset_mv",
           "bad.toml:12:6: group b: trials of 1005 ms",
           "bad.toml:13:31: group b: brain.cortex.sheet_plasticity.plastic is other",
       })
    EXPECT_NE(causes.find(line), std::string::npos) << line << "\n" << causes;
  std::ofstream(directory_ / "bad.toml") << "[body]\n"
                                            "trial_ms = 860\n"
                                            "vision_delay_ms = 200\n"
                                            "[schedules.s]\n"
                                            "blocks = [{trials = 2}]\n";
  EXPECT_EQ(run({"validate", "bad.toml"})
                .text.find("bad.toml:2:1, bad.toml:3:1: body: the outcome of a slow reach"),
            0u);
  // Where no key is named: the group.
  std::ofstream(directory_ / "bad.toml") << "[schedules.s]\n"
                                            "blocks = [{trials = 2}]\n"
                                            "[[group]]\n"
                                            "name = \"a\"\n"
                                            "[group.set]\n"
                                            "brain.cerebellum.mf_dcn_weight_mv = 30\n"
                                            "brain.cerebellum.pf_pc_weight_mv = 1\n";
  EXPECT_EQ(run({"validate", "bad.toml"}).text.find("bad.toml:3:1: brain.cerebellum: MF_DCN"), 0u);
}

TEST_F(Cli, RefusesBodiesThatCannotBe) {
  for (const auto& [set, part] : {
           std::pair("body.arm.elbow_min_deg=170", "body.arm: elbow_min_deg is not below"),
           std::pair("body.arm.shoulder_max_deg=-40", "body.arm: shoulder_min_deg is not below"),
           std::pair("body.arm.forearm_m=0.05", "body: distance_m: a target at"),
           std::pair("body.feedback_hold_ms=4000", "body: feedback_hold_ms would show"),
           std::pair("body.arm.specific_tension_N_cm2=0",
                     "body.arm.specific_tension_N_cm2 = 0 is out of range; write a value from 0.1"),
       }) {
    for (const char* command : {"run", "validate"}) {
      const Outcome outcome = run({command, kExperiments + "smoke.toml", "--set", set});
      EXPECT_EQ(outcome.code, 2) << outcome.text;
      EXPECT_NE(outcome.text.find(part), std::string::npos) << outcome.text;
      EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
    }
  }
  EXPECT_FALSE(fs::exists(directory_ / "results"));
}

TEST_F(Cli, RefusesSlicesOfTooManyCells) {
  const std::string refusal =
      "brain.cerebellum: 68000 cells of GrC in a slice, which can hold 65536; split the region "
      "over 2 ranks or more (--ranks with --placement), or write a smaller brain.scale";
  const auto with = [](const char* command, std::initializer_list<std::string> flags) {
    std::vector<std::string> arguments = {command, kExperiments + "smoke.toml", "--set",
                                          "brain.scale=17"};
    arguments.insert(arguments.end(), flags);
    return arguments;
  };
  expect_refusal(with("validate", {}), refusal);
  expect_refusal(with("run", {"--ranks", "1"}), refusal);
  expect_refusal(with("run", {"--ranks", "2", "--placement",
                              "cortex:0 body:0 cerebellum:1 basal_ganglia:0 thalamus:0"}),
                 refusal);
  EXPECT_FALSE(fs::exists(directory_ / "results"));
  for (const char* command : {"run", "validate"}) {
    const Outcome split =
        run(with(command, {"--ranks", "2", "--placement",
                           "cortex:0 body:0 cerebellum:0,1 basal_ganglia:0 thalamus:0"}),
            script("exit 0\n"));
    EXPECT_EQ(split.code, 0) << split.text;
  }
}

TEST_F(Cli, RefusesAnExistingRunDirectoryWithRemedies) {
  for (const auto& [name, word] : {std::pair("smoke", "smoke"), std::pair("my run", "'my run'")}) {
    fs::create_directories(directory_ / name);
    std::ofstream(directory_ / name / "resolved.toml");
    expect_refusal({"run", kExperiments + "smoke.toml", "--out", name},
                   "--out " + std::string(name) +
                       ": exists already; name another directory, remove it (rm -r " + word +
                       "), or continue it (quartet resume " + word + ")");
  }
}

TEST_F(Cli, NeverProposesToRemoveWhatIsNoRunDirectory) {
  std::ofstream(directory_ / "x.toml") << read_file(kExperiments + "smoke.toml");
  for (const char* out : {"x.toml", "."}) {
    const Outcome outcome = run({"run", "x.toml", "--out", out});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.text, "quartet: --out " + std::string(out) +
                                ": exists already and is no run directory; name another\n");
  }
}

TEST_F(Cli, RefusesAPlaceWhereNoDirectoryCanBeMade) {
  std::ofstream(directory_ / "file");
  expect_refusal({"run", kExperiments + "smoke.toml", "--out", "file/a/b"},
                 "--out file/a/b: no directory can be made in " + (directory_ / "file").string() +
                     ": Not a directory; name another place");
  // No one may, not even root.
  expect_refusal({"run", kExperiments + "smoke.toml", "--out", "/proc/a/b"},
                 "--out /proc/a/b: no directory can be made in /proc: ");
  expect_refusal({"run", kExperiments + "smoke.toml", "--out", ""},
                 "--out '': names no directory; write --out results/mine");
}

TEST_F(Cli, RefusesWhatIsNoRunDirectory) {
  expect_refusal({"resume", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"compare", "nowhere", "elsewhere"}, "nowhere");
  std::ofstream(directory_ / "resolved.toml");
  expect_refusal({"compare", "resolved.toml", "resolved.toml"},
                 "resolved.toml: is no .nc file; give two run directories or two .nc files");
  expect_refusal({"inspect", "nowhere"}, "nowhere");
  expect_refusal({"plot", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"score", "nowhere"},
                 "nowhere: neither a run directory (no behaviour.nc) nor one with such in it");
  expect_refusal({"thalamus", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"tms", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"maps", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"spines", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"observation", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"nerves", "nowhere"}, "nowhere: not a run directory");
  expect_refusal({"score", "nowhere", "--seed", "3"}, "--seed requires --run");
  // One run is not several.
  expect_refusal({"scaling", "."}, ".: is the directory of one run (it has a resolved.toml)");
  expect_refusal({"robustness", "."}, ".: is the directory of one run (it has a resolved.toml)");
}

TEST_F(Cli, ShippedExperimentsAreGood) {
  for (const auto& entry : fs::directory_iterator(kExperiments)) {
    if (entry.path().extension() != ".toml") continue;
    for (const std::vector<std::string>& version : {std::vector<std::string>{}, {"--full"}}) {
      std::vector<std::string> arguments = {"validate", entry.path().string()};
      arguments.insert(arguments.end(), version.begin(), version.end());
      const Outcome outcome = run(arguments);
      EXPECT_EQ(outcome.code, 0) << outcome.text;
      EXPECT_NE(outcome.text.find(": good; "), std::string::npos) << outcome.text;
    }
  }
}

TEST_F(Cli, ValidateTakesTheFlagsOfRun) {
  const std::vector<std::string> validate = {"validate", kExperiments + "smoke.toml"};
  const auto with = [&](std::initializer_list<std::string> flags) {
    std::vector<std::string> arguments = validate;
    arguments.insert(arguments.end(), flags);
    return arguments;
  };
  const Outcome outcome =
      run(with({"--resolved", "--seed", "77", "--subjects", "3", "--scale", "0.75"}));
  EXPECT_EQ(outcome.code, 0) << outcome.text;
  for (const char* line : {"\nseed = 77 ", "\nsubjects = 3\n", "\nscale = 0.75 "}) {
    EXPECT_NE(outcome.text.find(line), std::string::npos) << line << outcome.text;
  }
  const Outcome single = run({"validate", kExperiments + "scaling.toml", "--subjects", "1"});
  EXPECT_NE(single.text.find(": good; 1 group, 1 subject, 12 trials;"), std::string::npos)
      << single.text;
  expect_refusal(with({"--scale", "1000"}), "--scale 1000: brain.scale = 1000 is out of range");
  expect_refusal(with({"--subjects", "0"}), "--subjects 0: ");
}

TEST_F(Cli, ResolvedExperimentIsValid) {
  std::ofstream(directory_ / "again.toml")
      << run({"validate", "--resolved", kExperiments + "smoke.toml"}).text;
  EXPECT_EQ(run({"validate", "again.toml"}).code, 0);
}

TEST_F(Cli, DescribesKeysAndVersion) {
  EXPECT_NE(run({"describe"}).text.find("brain.scale = "), std::string::npos);
  EXPECT_NE(run({"describe", "--markdown"}).text.find("| `brain.scale` |"), std::string::npos);
  const std::string some = run({"describe", "GABA", "hit_share"}).text;
  for (const char* key :
       {"brain.cortex.gaba_a_factor = ", "drug.tonic_gaba = ", "finger_hit_share"})
    EXPECT_NE(some.find(key), std::string::npos) << key;
  EXPECT_EQ(some.find("brain.scale"), std::string::npos);
  EXPECT_EQ(some.find("index_finger: "), std::string::npos);
  EXPECT_NE(run({"describe", "lesion_site"}).text.find("index_finger: 14.4, 3\n"),
            std::string::npos);
  const auto none = run({"describe", "zebra"});
  EXPECT_EQ(none.code, 2);
  EXPECT_NE(none.text.find("no key has \"zebra\""), std::string::npos) << none.text;
  EXPECT_EQ(run({"version"}).text.rfind("quartet ", 0), 0u);
  EXPECT_EQ(run({"--version"}).text, run({"version"}).text);
}

TEST_F(Cli, FailsWhereItsOutputCannotBeWritten) {
  const std::string smoke = kExperiments + "smoke.toml";
  for (const std::string& words :
       {std::string("describe"), std::string("version"), std::string("--help"),
        std::string("--version"), "validate --resolved " + smoke, "validate " + smoke}) {
    const std::string said = (directory_ / "said").string();
    const int status = std::system((kProgram + " " + words + " >/dev/full 2>" + said).c_str());
    EXPECT_EQ(WEXITSTATUS(status), 1) << words;
    EXPECT_EQ(read_file(said), "quartet: the output cannot be written in full; is the disk full?\n")
        << words;
  }
}

TEST_F(Cli, AMissingMpirunGetsARemedy) {
  const Outcome outcome = run({"run", kExperiments + "smoke.toml"}, "/nowhere/mpirun");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.text.find("cannot start /nowhere/mpirun: No such file or directory; install "
                              "Open MPI (apt-get install openmpi-bin)"),
            std::string::npos)
      << outcome.text;
}

TEST_F(Cli, StartsItselfUnderMpirunWithTheSameArguments) {
  const std::string mpirun =
      script("printf '%s\\n' \"$*\" > arguments; env > environment; exit 0\n");
  EXPECT_EQ(run({"run", kExperiments + "smoke.toml", "--ranks", "3", "--quiet"}, mpirun).code, 0);
  EXPECT_EQ(read_file(directory_ / "arguments"), "-n 3 " + fs::canonical(kProgram).string() +
                                                     " run " + kExperiments +
                                                     "smoke.toml --ranks 3 --quiet\n");
  const std::string environment = read_file(directory_ / "environment");
  for (const char* setting :
       {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
        "OMPI_MCA_rmaps_base_oversubscribe=1", "OMPI_MCA_mpi_yield_when_idle=1",
        "OMPI_MCA_btl_vader_eager_limit=32768", "PRTE_ALLOW_RUN_AS_ROOT=1",
        "QUARTET_SUPERVISED=/"}) {
    EXPECT_NE(environment.find(setting), std::string::npos) << setting;
  }
}

TEST_F(Cli, ReturnsTheCodeOfTheRanks) {
  for (const int code : {0, 2, 75}) {
    const Outcome outcome =
        run({"run", kExperiments + "smoke.toml"}, script("exit " + std::to_string(code) + "\n"));
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.text, "");
  }
  const Outcome failed =
      run({"run", kExperiments + "smoke.toml", "--out", "my run"}, script("exit 1\n"));
  EXPECT_EQ(failed.code, 1);
  EXPECT_NE(failed.text.find("the ranks ended with code 1"), std::string::npos) << failed.text;
  EXPECT_NE(failed.text.find(" --out 'my run'\n"), std::string::npos) << failed.text;
  const Outcome killed = run({"run", kExperiments + "smoke.toml"}, script("exit 137\n"));
  EXPECT_EQ(killed.code, 1);
  EXPECT_NE(killed.text.find("a rank, or mpirun, was ended by signal 9 (Killed); nothing was "
                             "written; begin anew with the same command\n"),
            std::string::npos)
      << killed.text;
  const Outcome begun = run({"run", kExperiments + "smoke.toml"},
                            script("mkdir -p results/smoke && touch results/smoke/resolved.toml\n"
                                   "exit 137\n"));
  EXPECT_NE(begun.text.find("there is no checkpoint yet; begin anew: quartet resume "
                            "results/smoke\n"),
            std::string::npos)
      << begun.text;
}

// A parent may have ignored the signal by which ends of children are told.
TEST_F(Cli, SeesTheRanksEndWhereEndsOfChildrenAreIgnored) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  const pid_t child = start({"run", kExperiments + "smoke.toml"}, script("exit 75\n"));
  signal(SIGCHLD, before);
  EXPECT_EQ(wait_for(child).code, 75);
}

// A rank that has said why it failed is not spoken over.
TEST_F(Cli, IsSilentWhereARankHasSpoken) {
  const Outcome failed = run({"run", kExperiments + "smoke.toml"}, script("exit 70\n"));
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(failed.text, "");
}

// mpirun itself would answer SIGINT, SIGTERM and SIGHUP by killing the ranks.
TEST_F(Cli, ForwardsStopSignalsAsUsr1) {
  const std::string mpirun = script(
      "trap 'exit 75' USR1; trap 'exit 3' INT TERM\n"
      "touch ready \"$QUARTET_SUPERVISED\"; while :; do sleep 0.05; done\n");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    fs::remove(directory_ / "ready");
    const pid_t child = start({"run", kExperiments + "smoke.toml"}, mpirun);
    wait_for_file("ready");
    kill(child, signal);
    EXPECT_EQ(wait_for(child).code, 75) << strsignal(signal);
  }
}

TEST_F(Cli, AStopBeforeThereAreRanksIsNotLost) {
  const std::string mpirun = script("touch started\n");
  // The check of all groups takes far longer than to see that the signals are watched.
  const std::vector<std::string> run_it = {"run", kExperiments + "cerebellar_vs_dopaminergic.toml"};
  const auto watches = [](pid_t child) {
    const std::string status = read_file("/proc/" + std::to_string(child) + "/status");
    const std::string key = "SigCgt:";
    const std::size_t at = status.find(key);
    if (at == status.npos) return false;
    return (std::stoull(status.substr(at + key.size()), nullptr, 16) >> (SIGTERM - 1) & 1) != 0;
  };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    const pid_t child = start(run_it, mpirun);
    while (!watches(child)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    kill(child, signal);
    const Outcome outcome = wait_for(child);
    EXPECT_EQ(outcome.code, 75) << strsignal(signal);
    EXPECT_NE(outcome.text.find("stopped before a rank was started; nothing was written"),
              std::string::npos)
        << outcome.text;
    EXPECT_FALSE(fs::exists(directory_ / "started"));
  }
}

// While mpirun starts the ranks it would lose the signal, or die of it.
TEST_F(Cli, AStopWhileRanksStartWaitsForThem) {
  const std::string mpirun = script(
      "trap 'exit 4' USR1\n"
      "touch ready; while [ ! -e go ]; do sleep 0.05; done\n"
      "trap 'exit 75' USR1; touch \"$QUARTET_SUPERVISED\"; while :; do sleep 0.05; done\n");
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    for (const char* file : {"ready", "go"}) fs::remove(directory_ / file);
    const pid_t child = start({"run", kExperiments + "smoke.toml"}, mpirun);
    wait_for_file("ready");
    kill(child, signal);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    std::ofstream(directory_ / "go").close();
    EXPECT_EQ(wait_for(child).code, 75) << strsignal(signal);
  }
}

TEST_F(Cli, HangupsAskAsOftenAsTheyLikeAndNotUnderNohup) {
  const std::string mpirun = script(
      "trap 'touch asked; sleep 0.3; exit 75' USR1; trap 'exit 3' TERM HUP\n"
      "touch ready \"$QUARTET_SUPERVISED\"; while [ ! -e go ]; do sleep 0.05; done; exit 0\n");
  const pid_t child = start({"run", kExperiments + "smoke.toml"}, mpirun);
  wait_for_file("ready");
  kill(child, SIGHUP);
  wait_for_file("asked");
  kill(child, SIGHUP);
  EXPECT_EQ(wait_for(child).code, 75);

  fs::remove(directory_ / "ready");
  const auto before = signal(SIGHUP, SIG_IGN);
  const pid_t deaf = start({"run", kExperiments + "smoke.toml"}, mpirun);
  signal(SIGHUP, before);
  wait_for_file("ready");
  kill(deaf, SIGHUP);
  std::ofstream(directory_ / "go").close();
  EXPECT_EQ(wait_for(deaf).code, 0);
}

TEST_F(Cli, TheSecondTermEndsTheRanksAtOnce) {
  const std::string mpirun = script(
      "trap 'touch asked' USR1; trap 'exit 3' TERM\n"
      "touch ready \"$QUARTET_SUPERVISED\"; while :; do sleep 0.05; done\n");
  const pid_t child = start({"run", kExperiments + "smoke.toml"}, mpirun);
  wait_for_file("ready");
  kill(child, SIGTERM);
  wait_for_file("asked");
  kill(child, SIGTERM);
  EXPECT_EQ(wait_for(child).code, 1);
}

TEST_F(Cli, NoRanksWithoutASupervisor) {
  const std::string mpirun = script(
      "trap 'touch ended; exit 3' TERM\n"
      "touch ready \"$QUARTET_SUPERVISED\"; while :; do sleep 0.05; done\n");
  const pid_t child = start({"run", kExperiments + "smoke.toml"}, mpirun);
  wait_for_file("ready");
  kill(child, SIGKILL);
  wait_for(child);
  wait_for_file("ended");
}

}  // namespace
}  // namespace quartet
