#include "runs/inspect.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace quartet
