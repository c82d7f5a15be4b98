#include "runs/inspect.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <sstream>

#include "runs/checkpoint.hpp"
#include "tests/runs/files_support.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

std::string inspect(const fs::path& directory, bool traffic = false, bool good = true) {
  std::ostringstream out;
  EXPECT_EQ(inspect_run(directory, traffic, out), good);
  return out.str();
}

void write_small_run(const fs::path& directory) {
  BehaviourRecorder behaviour(directory, fake_run(), {{"block", "1", "block", true}});
  for (std::int64_t trial = 0; trial < 7; ++trial) behaviour.trial(1, trial, {{0.0}});
  behaviour.close();
  for (Step step : {100, 200}) {
    write_checkpoint(
        directory / "checkpoints", {1, step, step / 60}, {"abc"}, true,
        [&](const fs::path& folder) {
          CheckpointWriter writer("clock", 0, 1);
          writer.shared_value("step", step);
          writer.write(folder);
        },
        [](bool ok) { return ok; });
  }
}

TEST(Inspect, SaysWhatARunIs) {
  TemporaryDirectory directory;
  write_small_run(directory.path());
  const std::string text = inspect(directory.path());
  for (const char* part :
       {"A fake run", "quartet run fake.toml", "subjects: 3, trials done: 7", "savings/0",
        "behaviour.nc", "trial: 7", "000001-000000000200  valid, subject 1 after 3 trials",
        "000001-000000000100  valid"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Inspect, NamesDamageAndGoesOn) {
  TemporaryDirectory directory;
  write_small_run(directory.path());
  write_bytes(directory.path() / "checkpoints/000001-000000000200/clock.0-of-1.state", "torn");
  fs::create_directories(directory.path() / "checkpoints/000001-000000000300.partial");
  EXPECT_NE(inspect(directory.path(), false, false).find("000001-000000000200  damaged: "),
            std::string::npos);
  write_bytes(directory / "behaviour.nc", "torn");
  const std::string text = inspect(directory.path(), false, false);
  for (const char* part : {"behaviour.nc is unreadable",
                           "000001-000000000200  damaged: ", "000001-000000000100  valid",
                           "000001-000000000300.partial  unfinished"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Inspect, NamesFilesThatAreCutOff) {
  TemporaryDirectory directory;
  write_small_run(directory.path());
  EXPECT_EQ(inspect(directory.path()).find("cut off"), std::string::npos);
  const fs::path path = directory / "behaviour.nc";
  fs::resize_file(path, fs::file_size(path) - 4);
  EXPECT_NE(inspect(directory.path(), false, false).find("damaged: is cut off ("),
            std::string::npos);
}

TEST(Inspect, RefusesWhatIsNoRun) {
  TemporaryDirectory directory;
  EXPECT_THROW(inspect(directory.path()), std::invalid_argument);
}

TEST(Inspect, ShowsTraffic) {
  TemporaryDirectory directory;
  write_small_run(directory.path());
  EXPECT_THROW(inspect(directory.path(), true), std::runtime_error);
  write_traffic(directory.path(),
                {{"dcn_to_thalamus", 1500, 3000, 20, 1000}, {"idle", 0, 0, 0, 0}});
  const std::vector<TractTotals> tracts = read_traffic(directory.path());
  ASSERT_EQ(tracts.size(), 2u);
  EXPECT_EQ(tracts[0].tract, "dcn_to_thalamus");
  EXPECT_EQ(tracts[0].spikes, 1500u);
  EXPECT_EQ(tracts[0].steps, 1000u);
  const std::string text = inspect(directory.path(), true);
  EXPECT_NE(text.find("1.50"), std::string::npos) << text;
  EXPECT_NE(text.find("3.00"), std::string::npos) << text;
  write_bytes(directory / "traffic.csv", "tract,spikes,bytes,messages,steps\nx,1,2,oops\n");
  try {
    inspect(directory.path(), true);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("traffic.csv:2"), std::string::npos) << error.what();
  }
}

// Traffic of a run of which the table cannot be written: the one that was there stays whole, what
// keeps the new one away is said, and the run is not marked as ended before its table is on the
// disk.

const std::vector<TractTotals> kOld = {{"dcn_to_thalamus", 1, 2, 3, 4}},
                               kNew = {{"dcn_to_thalamus", 1500, 3000, 20, 1000},
                                       {"snc_to_cortex", 500, 1000, 20, 1000}};

/// What is said where traffic cannot be written; empty where it can.
std::string refusal_of_traffic(const fs::path& directory,
                               const std::function<void()>& before_publishing) {
  try {
    write_traffic(directory, kNew, before_publishing);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Traffic, OnAFullDiskStaysWhatItWas) {
  TemporaryDirectory directory;
  const fs::path path = directory / "traffic.csv";
  write_traffic(directory.path(), kOld);
  const std::string before = read_bytes(path);
  const pid_t writer = fork();
  if (writer == 0) {
    signal(SIGXFSZ, SIG_IGN);  // so that writing fails with EFBIG, as it would with ENOSPC
    const rlimit limit{50, 50};
    setrlimit(RLIMIT_FSIZE, &limit);
    bool marked = false;
    const std::string said = refusal_of_traffic(directory.path(), [&] { marked = true; });
    _exit(said.starts_with(path.string()) && said.find("cannot write it") != said.npos &&
                  said.find("free space") != said.npos && !marked
              ? 0
              : 1);
  }
  int status = 0;
  waitpid(writer, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_bytes(path), before);
  EXPECT_EQ(refusal_of_traffic(directory.path(), {}), "");  // once there is room
  EXPECT_EQ(read_traffic(directory.path()).size(), kNew.size());
  EXPECT_FALSE(fs::exists(directory / "traffic.csv.partial"));
}

TEST(Traffic, WhereItCannotBeCreatedStaysWhatItWas) {
  TemporaryDirectory directory;
  const fs::path path = directory / "traffic.csv", partial = directory / "traffic.csv.partial";
  write_traffic(directory.path(), kOld);
  const std::string before = read_bytes(path);
  fs::create_directory(partial);  // also root cannot write there
  bool marked = false;
  EXPECT_EQ(refusal_of_traffic(directory.path(), [&] { marked = true; }),
            partial.string() + ": cannot create it: Is a directory");
  EXPECT_FALSE(marked);
  EXPECT_EQ(read_bytes(path), before);
}

TEST(Traffic, ThatCannotBeRenamedStaysWhatItWas) {
  TemporaryDirectory directory;
  const fs::path path = directory / "traffic.csv", partial = directory / "traffic.csv.partial";
  write_traffic(directory.path(), kOld);
  const std::string before = read_bytes(path);
  // A directory cannot take the place of a file, nor a file that of a directory.
  EXPECT_EQ(refusal_of_traffic(directory.path(),
                               [&] {
                                 fs::remove(partial);
                                 fs::create_directory(partial);
                               }),
            path.string() + ": cannot give this name to traffic.csv.partial: Not a directory");
  EXPECT_EQ(read_bytes(path), before);
  fs::remove(partial);
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_EQ(refusal_of_traffic(directory.path(), {}),
            path.string() + ": cannot give this name to traffic.csv.partial: Is a directory");
  // Nothing is lost: it gets its name once that is free.
  fs::remove(path);
  publish_traffic(directory.path());
  EXPECT_EQ(read_traffic(directory.path()).size(), kNew.size());
}

}  // namespace
}  // namespace quartet
