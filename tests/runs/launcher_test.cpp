/// How ranks are started, and what progress says.
#include "runs/launcher.hpp"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "runs/progress.hpp"

namespace quartet {
namespace {

struct Decision {
  const char* name;
  std::map<std::string, std::string> environment;
  std::optional<int> ranks;
  Launch launch;
  int planned_ranks;
  int rank;
  const char* error;  ///< part of the message, or null
};

const Decision kDecisions[] = {
    {"plain", {}, {}, Launch::supervise, 4, 0, nullptr},
    {"plain_two", {}, 2, Launch::supervise, 2, 0, nullptr},
    {"plain_one", {}, 1, Launch::in_process, 1, 0, nullptr},
    {"open_mpi",
     {{"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_RANK", "3"}, {"PMIX_RANK", "3"}},
     {},
     Launch::as_rank,
     4,
     3,
     nullptr},
    {"open_mpi_same_ranks",
     {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "0"}},
     2,
     Launch::as_rank,
     2,
     0,
     nullptr},
    {"open_mpi_other_ranks",
     {{"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_RANK", "0"}},
     4,
     {},
     0,
     0,
     "--ranks 4: mpirun or srun has started 2 ranks; leave --ranks out"},
    {"hydra", {{"PMI_RANK", "1"}, {"PMI_SIZE", "4"}}, {}, Launch::as_rank, 4, 1, nullptr},
    {"srun_pmix",
     {{"PMIX_RANK", "2"}, {"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}},
     {},
     Launch::as_rank,
     4,
     2,
     nullptr},
    {"srun_without_mpi",
     {{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}},
     {},
     {},
     0,
     0,
     "srun has started 4 copies without MPI; write srun --mpi=pmix -n 4"},
    {"shell_inside_an_allocation",
     {{"SLURM_STEP_ID", "4294967290"}, {"SLURM_STEP_NUM_TASKS", "1"}},
     {},
     Launch::supervise,
     4,
     0,
     nullptr},
};

void PrintTo(const Decision& decision, std::ostream* out) { *out << decision.name; }

class Plan : public testing::TestWithParam<Decision> {};

TEST_P(Plan, FollowsEnvironmentAndFlag) {
  const Decision& expected = GetParam();
  const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = expected.environment.find(name);
    return found == expected.environment.end() ? std::nullopt : std::optional(found->second);
  };
  try {
    const LaunchPlan plan = plan_launch(environment, expected.ranks);
    ASSERT_EQ(expected.error, nullptr) << "no error";
    EXPECT_EQ(plan.launch, expected.launch);
    EXPECT_EQ(plan.ranks, expected.planned_ranks);
    EXPECT_EQ(plan.rank, expected.rank);
  } catch (const std::invalid_argument& error) {
    ASSERT_NE(expected.error, nullptr) << error.what();
    EXPECT_NE(std::string(error.what()).find(expected.error), std::string::npos) << error.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Launcher, Plan, testing::ValuesIn(kDecisions),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Launcher, ARankKnowsItsSupervisor) {
  for (const bool supervised : {false, true}) {
    const Environment environment = [&](const std::string& name) -> std::optional<std::string> {
      if (name == "PMIX_RANK") return "1";
      if (name == "QUARTET_SUPERVISED" && supervised) return "1";
      return std::nullopt;
    };
    EXPECT_EQ(plan_launch(environment, {}).supervised, supervised);
  }
  // What a rank starts itself is no rank.
  const Environment inherited = [](const std::string& name) -> std::optional<std::string> {
    return name == "QUARTET_SUPERVISED" ? std::optional<std::string>("1") : std::nullopt;
  };
  EXPECT_FALSE(plan_launch(inherited, {}).supervised);
}

TEST(Launcher, WordsCanBePastedIntoAShell) {
  EXPECT_EQ(shell_word("--set=brain.scale=0.5"), "--set=brain.scale=0.5");
  EXPECT_EQ(shell_word("my runs/x.toml"), "'my runs/x.toml'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word("$HOME"), "'$HOME'");
  EXPECT_EQ(shell_word(""), "''");
}

TEST(Launcher, WarnsOfManyMoreRanksThanCores) {
  EXPECT_EQ(crowding(4, 1), "");
  EXPECT_EQ(crowding(8, 2), "");
  EXPECT_EQ(crowding(32, 16), "");
  EXPECT_EQ(crowding(9, 2),
            "--ranks 9: this machine has 2 cores, so they wait for each other; --ranks 4 would be "
            "faster");
  EXPECT_NE(crowding(33, 16), "");
}

/// A clock that a test moves.
struct FakeClock {
  double now = 0.0;
  Progress::Clock clock() {
    return [this] { return now; };
  }
};

TEST(Progress, WritesALinePerFivePercentIntoALog) {
  FakeClock time;
  std::ostringstream out;
  Progress progress(200, 0, out, false, time.clock());
  for (int trial = 0; trial < 200; ++trial) {
    time.now += 0.5;
    progress.trial_done("intact 1", 0.0, 700);
  }
  progress.finish();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "  5 %  trial 10 of 200  intact 1  1.4 × real time, 95 s left");
}

TEST(Progress, AResumedRunCountsItsOwnRate) {
  FakeClock time;
  std::ostringstream out;
  Progress progress(100, 50, out, false, time.clock());
  for (int trial = 0; trial < 5; ++trial) {
    time.now += 2.0;
    progress.trial_done("a 2", 0.0, 1000);
  }
  EXPECT_EQ(out.str(), " 55 %  trial 55 of 100  a 2  0.5 × real time, 90 s left\n");
}

TEST(Progress, SaysOnATerminalWhatTakesAWhile) {
  FakeClock time;
  std::ostringstream log, terminal;
  Progress(8, 2, log, false, time.clock()).busy("a/1  stimulation");
  EXPECT_EQ(log.str(), "");
  Progress progress(8, 2, terminal, true, time.clock());
  progress.busy("a/1  stimulation");
  progress.finish();
  EXPECT_EQ(terminal.str(), "\r━━━━━───────────────  25 %  a/1  stimulation\033[K\n");
}

TEST(Progress, UpdatesOneLineWithTheLearningCurveOnATerminal) {
  FakeClock time;
  std::ostringstream out;
  Progress progress(8, 0, out, true, time.clock());
  for (int trial = 0; trial < 8; ++trial) {
    time.now += 1.0;
    progress.trial_done("a 1", trial, 1000);
  }
  progress.finish();
  const std::string text = out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_NE(
      text.find("\r━━━━━━━━━━━━━━━━━━━━ 100 %  a 1  ▁▂▃▄▅▆▇█ +7.0°  1.0 × real time, 0 s left"),
      text.npos)
      << text;
}

}  // namespace
}  // namespace quartet
