#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <sstream>

#include "runs/checkpoint.hpp"
#include "runs/compare.hpp"
#include "runs/trial_observer.hpp"
#include "tests/runs/files_support.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

const std::vector<std::int64_t> trials_of = {3, 2, 4};  // per member: others have fewer, or more

std::vector<Column> fake_columns() {
  return {{"block", "1", "block of the schedule", true},
          {"error", "degree", "direction of the cursor from the target", false},
          {"hits", "1", "whether the target was hit", true}};
}

RegionRecording fake_recording() {
  RegionRecording recording;
  recording.bin_ms = 20;
  recording.rate_members = {0, 2};
  recording.spike_members = {1, 2};
  recording.weight_members = {0, 1, 2};
  return recording;
}

double fake_error(std::size_t member, std::int64_t trial) {
  return 1.0 / 3.0 * static_cast<double>(trial + 1) + static_cast<double>(member);
}

/// A place in a run: before timestep `step` of `member`.
struct Place {
  std::size_t member = 0;
  Step step = 0;
};

/// A run in miniature, from its start or from a checkpoint, as the simulation loop does it.
/// Saves a checkpoint at each of `checkpoints`; stops dead at `end`, or finishes.
void run_fake(const fs::path& directory, const std::vector<Place>& checkpoints = {},
              const Place* resume_from = nullptr, const Place* end = nullptr,
              const RecordedRun& run = fake_run()) {
  Place place;
  std::unique_ptr<CheckpointReader> state;
  if (resume_from != nullptr) {
    place = *resume_from;
    const CheckpointPosition position{static_cast<std::int64_t>(place.member), place.step, 0};
    state = std::make_unique<CheckpointReader>(directory / "checkpoints" / position.key(), "files");
  }
  BehaviourRecorder behaviour(directory, run, fake_columns(), state.get());
  RegionRecorder recorder(directory, run, describe_region(FakeRegion()), fake_recording(),
                          state.get());
  TrialObserver observer("alpha", FakeRegion().populations()[0], 10, 50);
  if (state) observer.load(*state);
  bool inside = state != nullptr;
  for (; place.member < run.subjects.size(); ++place.member, place.step = 0, inside = false) {
    FakeRegion region(place.member + 1);
    if (!inside) recorder.begin_member(place.member);
    for (;; ++place.step) {
      for (const Place& at : checkpoints) {
        if (at.member != place.member || at.step != place.step) continue;
        const CheckpointPosition position{static_cast<std::int64_t>(at.member), at.step, 0};
        write_checkpoint(
            directory / "checkpoints", position, {"abc"}, true,
            [&](const fs::path& folder) {
              recorder.sync_to_disk();
              behaviour.sync_to_disk();
              CheckpointWriter writer("files", 0, 1);
              recorder.save(writer);
              behaviour.save(writer);
              observer.save(writer);
              writer.write(folder);
            },
            [](bool ok) { return ok; });
      }
      if (end != nullptr && end->member == place.member && end->step == place.step) return;
      if (place.step == trials_of[place.member] * run.trial_ms) break;
      const std::int64_t trial = place.step / run.trial_ms;
      const Step in_trial = place.step % run.trial_ms;
      if (in_trial == 0) {
        observer.begin_trial();
        if (trial % 2 == 0) {
          recorder.begin_snapshot(place.member, trial, place.step);
          region.jump(place.step);
          for (std::size_t p = 0; p < 2; ++p) {
            std::uint32_t first = 0;
            std::vector<float> weights;
            region.weights(p, first, weights);
            if (trial == 0) {
              recorder.put_weights(p, first, weights, region.sources(p));
            } else {
              recorder.put_weights(p, first, weights);
            }
          }
          recorder.end_snapshot();
        }
      }
      region.advance(place.step);
      recorder.step(place.step, region);
      observer.step(in_trial, region.spikes(0));
      if (in_trial + 1 == run.trial_ms) {
        behaviour.trial(place.member, trial,
                        {{static_cast<double>(trial / 2), fake_error(place.member, trial),
                          observer.mean_rate() > 100.0 ? std::nan("") : 1.0}});
      }
    }
  }
  recorder.close();
  behaviour.close();
}

TEST(Recorder, BehaviourHoldsWhatWasGiven) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "behaviour.nc");
  EXPECT_EQ(file.shape(file.variable_id("error")), (std::vector<std::size_t>{4, 3}));
  const auto error = file.get_all<double>("error");
  const auto block = file.get_all<std::int32_t>("block");
  for (std::size_t member = 0; member < 3; ++member) {
    for (std::int64_t trial = 0; trial < 4; ++trial) {
      const std::size_t at = static_cast<std::size_t>(trial) * 3 + member;
      if (trial < trials_of[member]) {
        EXPECT_EQ(error[at], fake_error(member, trial));
        EXPECT_EQ(block[at], trial / 2);
      } else {
        EXPECT_TRUE(std::isnan(error[at]));
        EXPECT_EQ(block[at], -2147483647);
      }
    }
  }
  EXPECT_EQ(file.get_all<std::int32_t>("trial"), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(file.get_all<std::int32_t>("trials_done"), (std::vector<std::int32_t>{3, 2, 4}));
  EXPECT_EQ(file.get_all<std::int32_t>("group"), (std::vector<std::int32_t>{0, 0, 1}));
  EXPECT_EQ(file.get_all<std::uint64_t>("seed"), (std::vector<std::uint64_t>{11, 12, 11}));
  EXPECT_EQ(file.global_text("provenance_config_digest"), "abc");
  EXPECT_EQ(file.global_text("provenance_version"), build_provenance().version);
}

TEST(Recorder, RatesAreCountsPerCellAndSecond) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake.nc");
  EXPECT_EQ(file.get_all<std::int32_t>("subject"), (std::vector<std::int32_t>{0, 2}));
  const auto time = file.get_all<double>("time");
  const auto trial = file.get_all<std::int32_t>("trial");
  const auto rates = file.get_all<float>("rate_Alpha");
  ASSERT_EQ(time.size(), 12u);
  ASSERT_EQ(rates.size(), 24u);
  for (std::size_t column = 0; column < 2; ++column) {
    FakeRegion region(column == 0 ? 1 : 3);
    for (std::size_t bin = 0; bin < 12; ++bin) {
      EXPECT_EQ(time[bin], 20.0 * static_cast<double>(bin + 1));
      EXPECT_EQ(trial[bin], static_cast<std::int32_t>(bin / 3));
      std::size_t spikes = 0;
      for (Step t = static_cast<Step>(bin) * 20; t < static_cast<Step>(bin + 1) * 20; ++t) {
        region.advance(t);
        spikes += region.spikes(0).size();
      }
      const float rate = rates[bin * 2 + column];
      if (column == 0 && bin >= 9) {
        EXPECT_TRUE(std::isnan(rate));  // its subject has three trials
      } else {
        EXPECT_EQ(rate, static_cast<float>(static_cast<double>(spikes) / (8 * 0.020)));
      }
    }
  }
}

TEST(Recorder, SpikesCarryTimeSubjectPopulationAndCell) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake_spikes.nc");
  const auto time = file.get_all<double>("time_ms");
  const auto subject = file.get_all<std::int32_t>("subject");
  const auto population = file.get_all<std::int32_t>("population");
  const auto cell = file.get_all<std::uint32_t>("cell");
  std::size_t at = 0;
  for (std::size_t member : {1, 2}) {
    FakeRegion region(member + 1);
    for (Step t = 0; t < trials_of[member] * 60; ++t) {
      region.advance(t);
      for (std::size_t p = 0; p < 2; ++p) {
        for (const Spike& spike : region.spikes(p)) {
          ASSERT_LT(at, time.size());
          EXPECT_EQ(time[at], static_cast<double>(t) + (spike.substep + 1) * 0.25);
          EXPECT_EQ(subject[at], static_cast<std::int32_t>(member));
          EXPECT_EQ(population[at], static_cast<std::int32_t>(p));
          EXPECT_EQ(cell[at], spike.id);
          ++at;
        }
      }
    }
  }
  EXPECT_EQ(at, time.size());
  EXPECT_GT(at, 100u);
}

TEST(Recorder, SnapshotsHoldAllRows) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake_weights.nc");
  EXPECT_EQ(file.get_all<std::int32_t>("subject"), (std::vector<std::int32_t>{0, 0, 1, 2, 2}));
  EXPECT_EQ(file.get_all<std::int32_t>("trial"), (std::vector<std::int32_t>{0, 2, 0, 0, 2}));
  const auto weights = file.get_all<float>("weight_Beta_Alpha");
  ASSERT_EQ(weights.size(), 5u * 16u);
  FakeRegion region(3);
  region.jump(120);
  std::uint32_t first = 0;
  std::vector<float> expected;
  region.weights(1, first, expected);
  EXPECT_EQ(std::vector<float>(weights.end() - 16, weights.end()), expected);
}

TEST(Recorder, SnapshotsNameSourcesDirectionsAndGroups) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake_weights.nc");
  EXPECT_EQ(file.get_all<std::int32_t>("recorded_subject"), (std::vector<std::int32_t>{0, 1, 2}));
  for (std::size_t p = 0; p < 2; ++p) {
    const std::string name = FakeRegion().plastic_projections()[p].name;
    std::vector<std::uint32_t> expected;
    for (const std::uint64_t seed : {1, 2, 3}) {  // each subject has its own wiring
      for (const std::uint32_t cell : FakeRegion(seed).sources(p)) expected.push_back(cell);
    }
    EXPECT_EQ(file.get_all<std::uint32_t>("source_" + name), expected);
    ++expected.back();
    EXPECT_NE(file.get_all<std::uint32_t>("source_" + name), expected);
  }
  const std::vector<float> alpha = FakeRegion().populations()[0].preferred_direction_deg;
  EXPECT_EQ(file.get_all<float>("source_direction_Alpha_Beta"), alpha);
  EXPECT_EQ(file.get_all<float>("target_direction_Beta_Alpha"), alpha);
  EXPECT_FALSE(file.has_variable("target_direction_Alpha_Beta"));  // they have none
  EXPECT_FALSE(file.has_variable("source_direction_Beta_Alpha"));
  EXPECT_EQ(file.get_all<char>("group_name").size(), 5 * std::string("savings").size());
}

TEST(Recorder, WeightsHaveTheirOwnUnits) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake_weights.nc");
  const auto text = [&](const std::string& variable, const std::string& name) {
    for (const auto& attribute : file.attributes(file.variable_id(variable))) {
      if (attribute.name == name) return netcdf_text(attribute.type, attribute.bytes);
    }
    return std::string();
  };
  EXPECT_EQ(text("weight_Alpha_Beta", "units"), "mV");
  EXPECT_EQ(text("weight_Beta_Alpha", "units"), "1");
  EXPECT_EQ(text("weight_Beta_Alpha", "long_name"),
            "synaptic weights of projection Beta_Alpha, in leak conductances");
}

TEST(Recorder, FilesNameTheBuildsThatWroteThem) {
  TemporaryDirectory whole, directory;
  run_fake(whole.path());
  const Place place{1, 70};
  run_fake(directory.path(), {place}, nullptr, &place);
  RecordedRun run = fake_run();
  run.provenance.commit += ", then 0123456789abcdef0123456789abcdef01234567-dirty";
  run_fake(directory.path(), {}, &place, nullptr, run);
  for (const char* name : {"behaviour.nc", "fake.nc", "fake_spikes.nc", "fake_weights.nc"}) {
    const NetcdfFile file = NetcdfFile::open_to_read(directory / name);
    EXPECT_EQ(file.global_text("provenance_commit"), run.provenance.commit) << name;
    EXPECT_EQ(file.global_text("provenance_version"), run.provenance.version) << name;
    // It fits into the room that the header has.
    EXPECT_EQ(fs::file_size(directory / name), fs::file_size(whole / name)) << name;
  }
  std::ostringstream differences;
  EXPECT_EQ(compare_runs(whole.path(), directory.path(), differences), 0) << differences.str();
}

TEST(Recorder, EveryVariableHasUnitsAndALongName) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  int variables = 0;
  for (const auto& entry : fs::directory_iterator(directory.path())) {
    if (entry.path().extension() != ".nc") continue;
    const NetcdfFile file = NetcdfFile::open_to_read(entry.path());
    EXPECT_EQ(read_bytes(entry.path()).substr(0, 4), "CDF\x05");
    for (const auto& variable : file.variables()) {
      std::string units;
      std::string long_name;
      for (const auto& attribute : file.attributes(file.variable_id(variable.name))) {
        if (attribute.name == "units") units = netcdf_text(attribute.type, attribute.bytes);
        if (attribute.name == "long_name") long_name = netcdf_text(attribute.type, attribute.bytes);
      }
      EXPECT_NE(units, "") << variable.name;
      EXPECT_NE(units, "milliseconds") << variable.name;
      EXPECT_NE(long_name, "") << variable.name;
      ++variables;
    }
  }
  EXPECT_GT(variables, 20);
}

TEST(Recorder, XarrayOpensEveryFileWithItsCoordinates) {
  TemporaryDirectory directory;
  run_fake(directory.path());
  const std::string command =
      "/usr/bin/python3 -B '" OPEN_IN_XARRAY "' '" + directory.path().string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
}

TEST(Recorder, AResumedRunEqualsTheUninterruptedOne) {
  TemporaryDirectory whole;
  run_fake(whole.path());
  // From the start, inside a bin, between trials, between members; killed soon and much later.
  const std::vector<std::pair<Place, Place>> cases = {
      {{0, 0}, {0, 90}},  {{0, 73}, {0, 150}}, {{0, 120}, {1, 30}}, {{0, 180}, {2, 200}},
      {{1, 0}, {1, 119}}, {{1, 61}, {2, 1}},   {{2, 5}, {2, 239}},  {{2, 240}, {2, 240}}};
  for (const auto& [checkpoint, killed] : cases) {
    SCOPED_TRACE(testing::Message() << checkpoint.member << ":" << checkpoint.step << " killed at "
                                    << killed.member << ":" << killed.step);
    TemporaryDirectory part;
    run_fake(part.path(), {checkpoint}, nullptr, &killed);
    std::ostringstream unfinished;
    if (killed.step < 240) {
      EXPECT_EQ(compare_runs(whole.path(), part.path(), unfinished), 1);
    }
    run_fake(part.path(), {}, &checkpoint);
    std::ostringstream differences;
    EXPECT_EQ(compare_runs(whole.path(), part.path(), differences), 0) << differences.str();
    std::ostringstream bites;
    write_bytes(part / "behaviour.nc", [&] {
      std::string bytes = read_bytes(part / "behaviour.nc");
      bytes.back() ^= 1;
      return bytes;
    }());
    EXPECT_EQ(compare_runs(whole.path(), part.path(), bites), 1);
  }
}

TEST(Recorder, AResumeDropsWhatCameAfterTheCheckpoint) {
  TemporaryDirectory directory;
  const Place checkpoint{1, 60};
  const Place killed{2, 200};
  run_fake(directory.path(), {checkpoint}, nullptr, &killed);
  run_fake(directory.path(), {}, &checkpoint, &checkpoint);
  const NetcdfFile file = NetcdfFile::open_to_read(directory / "behaviour.nc");
  EXPECT_EQ(file.get_all<std::int32_t>("trials_done"), (std::vector<std::int32_t>{3, 1, 0}));
  const auto error = file.get_all<double>("error");
  ASSERT_EQ(error.size(), 9u);
  for (std::size_t at : {2, 4, 5, 7, 8}) EXPECT_TRUE(std::isnan(error[at])) << at;
  EXPECT_EQ(error[6], fake_error(0, 2));
}

TEST(Netcdf, EveryMissingByteIsSeenButPadding) {
  TemporaryDirectory directory;
  const fs::path path = directory / "file.nc";
  for (const int variables : {1, 2}) {
    for (const std::size_t records : {0, 1, 3}) {
      {
        NetcdfFile file = NetcdfFile::create(path);
        const std::vector<int> axes = {file.define_unlimited_dimension("time"),
                                       file.define_dimension("cell", 5)};
        const int name = file.define_variable("name", NetcdfType::text, {axes[1]});
        std::vector<int> ids;
        for (int v = 0; v < variables; ++v) {
          ids.push_back(file.define_variable(v == 0 ? "first" : "second", NetcdfType::text, axes));
          file.put_attribute(ids.back(), "units", "mV");
        }
        file.end_definitions();
        file.put<char>(name, {0}, {5}, std::string("abcde"));
        for (const int id : ids)
          file.put<char>(id, {0, 0}, {records, 5}, std::string(5 * records, 'x'));
        file.close();
      }
      const std::string whole = read_bytes(path);
      // What comes last begins at a multiple of 4; records of one variable alone are not padded.
      const std::size_t last = records > 0 && variables == 1 ? 5 * records : 5;
      const std::size_t padding = whole.size() % 4 == 0 ? (4 - last % 4) % 4 : 0;
      for (const std::size_t missing : {std::size_t{0}, padding, padding + 1, whole.size() - 100}) {
        write_bytes(path, whole.substr(0, whole.size() - missing));
        const std::string found = cut_off(path);
        EXPECT_EQ(found.empty(), missing <= padding)
            << variables << " " << records << " " << missing << " " << found;
        const bool in_header = found.find("100 bytes end within the header") != found.npos;
        EXPECT_EQ(in_header, missing > padding + 1) << found;
      }
    }
  }
  write_bytes(path, "another format");
  EXPECT_EQ(cut_off(path), "");
}

TEST(Recorder, AResumeRefusesAnotherFile) {
  TemporaryDirectory directory;
  const Place checkpoint{1, 60};
  run_fake(directory.path(), {checkpoint});
  const std::string good = read_bytes(directory / "behaviour.nc");
  const auto refusal = [&] {
    try {
      run_fake(directory.path(), {}, &checkpoint);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("none");
  };
  write_bytes(directory / "behaviour.nc", "CDF\x01 and more of it");
  EXPECT_NE(refusal().find("is not a CDF-5 file"), std::string::npos) << refusal();
  std::string fewer = good;
  fewer[11] = 1;  // the number of records
  write_bytes(directory / "behaviour.nc", fewer);
  EXPECT_NE(refusal().find("has 1 records"), std::string::npos) << refusal();
  write_bytes(directory / "behaviour.nc", good.substr(0, good.size() / 2));
  EXPECT_NE(refusal().find("behaviour.nc: is cut off ("), std::string::npos) << refusal();
  EXPECT_NE(refusal().find("; put back the file"), std::string::npos) << refusal();
  fs::remove(directory / "behaviour.nc");
  EXPECT_NE(refusal().find("behaviour.nc: is missing; put back"), std::string::npos) << refusal();
  write_bytes(directory / "behaviour.nc", good);
  EXPECT_EQ(refusal(), "none");
}

TEST(Recorder, RefusesBinsThatDoNotDivideATrial) {
  TemporaryDirectory directory;
  RegionRecording recording = fake_recording();
  recording.bin_ms = 25;
  try {
    RegionRecorder recorder(directory.path(), fake_run(), describe_region(FakeRegion()), recording);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("rate_bin_ms"), std::string::npos) << error.what();
  }
}

TEST(Recorder, MakesNoFileOfWhatIsNotRecordedButOfEnergy) {
  TemporaryDirectory directory;
  RegionRecorder recorder(directory.path(), fake_run(), describe_region(FakeRegion()), {});
  FakeRegion region;
  recorder.begin_member(0);
  region.advance(0);
  recorder.step(0, region);
  recorder.sync_to_disk();
  recorder.close();
  for (const auto& file : fs::directory_iterator(directory.path()))
    EXPECT_TRUE(file.path().string().ends_with("_energy.nc")) << file.path();
}

/// Runs `child` in another process, which ends with its result.
template <class Child>
pid_t start(Child child) {
  const pid_t process = fork();
  if (process == 0) {
    int code = 99;
    try {
      code = child();
    } catch (const std::exception&) {
    }
    _exit(code);
  }
  return process;
}

TEST(Recorder, AKilledWriterLeavesReadableFiles) {
  int rows_seen = 0;
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    TemporaryDirectory directory;
    const pid_t writer = start([&] {
      RecordedRun run = fake_run();
      run.trial_ms = 20;
      RegionRecording recording;
      recording.bin_ms = 1;
      recording.rate_members = {0};
      recording.spike_members = {0};
      BehaviourRecorder behaviour(directory.path(), run, fake_columns());
      FakeRegion region(1);
      RegionRecorder recorder(directory.path(), run, describe_region(region), recording);
      recorder.begin_member(0);
      for (Step t = 0;; ++t) {
        region.advance(t);
        recorder.step(t, region);
        if (t % 20 == 19) {
          behaviour.trial(0, t / 20, {{1.0, fake_error(0, t / 20), 1.0}});
          recorder.sync_to_disk();
        }
      }
      return 0;
    });
    const auto size = [&](const char* name) {
      std::error_code none_yet;
      const std::uintmax_t bytes = fs::file_size(directory / name, none_yet);
      return none_yet ? 0 : bytes;
    };
    // Spikes come last: once there are some, all files have their headers.
    const auto has_spikes = [&] {
      if (size("fake_spikes.nc") == 0) return false;
      try {
        return NetcdfFile::open_to_read(directory / "fake_spikes.nc")
                   .get_all<double>("time_ms")
                   .size() > 0;
      } catch (const std::exception&) {
        return false;  // its header is being written
      }
    };
    while (!has_spikes()) usleep(100);
    usleep(static_cast<useconds_t>(mix(static_cast<std::uint64_t>(kill_number)) % 20000));
    kill(writer, SIGKILL);
    int status = 0;
    waitpid(writer, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    std::size_t whole_ms = 0, whole_spikes = 0;
    {
      const NetcdfFile file = NetcdfFile::open_to_read(directory / "behaviour.nc");
      const auto error = file.get_all<double>("error");
      const auto done = file.get_all<std::int32_t>("trials_done");
      // Rates and spikes follow the trial's values: those of the last trial may be missing.
      whole_ms = 20 * static_cast<std::size_t>(std::max(0, done[0] - 1));
      FakeRegion region(1);
      for (std::size_t t = 0; t < whole_ms; ++t) {
        region.advance(static_cast<Step>(t));
        for (std::size_t p = 0; p < region.populations().size(); ++p)
          whole_spikes += region.spikes(p).size();
      }
      // Trials that the file says are done are whole; the one after may be half written.
      ASSERT_LE(static_cast<std::size_t>(done[0]), error.size() / 3);
      EXPECT_GE(static_cast<std::size_t>(done[0]) + 1, error.size() / 3);
      for (std::size_t row = 0; row < static_cast<std::size_t>(done[0]); ++row) {
        EXPECT_EQ(error[row * 3], fake_error(0, static_cast<std::int64_t>(row)));
        ++rows_seen;
      }
    }
    {
      const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake.nc");
      const auto rates = file.get_all<float>("rate_Beta");
      FakeRegion region(1);
      ASSERT_GE(rates.size(), whole_ms);
      for (std::size_t row = 0; row < whole_ms; ++row) {
        region.advance(static_cast<Step>(row));
        EXPECT_EQ(rates[row], static_cast<float>(region.spikes(1).size() / (4 * 1e-3)));
      }
    }
    {
      const NetcdfFile file = NetcdfFile::open_to_read(directory / "fake_spikes.nc");
      const auto times = file.get_all<double>("time_ms");
      const auto cells = file.get_all<std::uint32_t>("cell");
      for (std::size_t i = 0; i < times.size() && i < whole_spikes; ++i) {
        EXPECT_LT(cells[i], 8u);
        EXPECT_GT(times[i], i == 0 ? 0.0 : std::ceil(times[i - 1]) - 1.0);
      }
    }
  }
  EXPECT_GT(rows_seen, 20);
}

TEST(Recorder, AFullDiskIsNamedWithARemedy) {
  TemporaryDirectory directory;
  const pid_t writer = start([&] {
    signal(SIGXFSZ, SIG_IGN);  // so that writing fails with EFBIG, as it would with ENOSPC
    const rlimit limit{20000, 20000};
    setrlimit(RLIMIT_FSIZE, &limit);
    BehaviourRecorder behaviour(directory.path(), fake_run(), fake_columns());
    try {
      for (std::int64_t t = 0;; ++t) behaviour.trial(0, t, {{0.0, 0.0, 0.0}});
    } catch (const std::runtime_error& error) {
      const std::string text = error.what();
      return text.find("behaviour.nc") != std::string::npos &&
                     text.find("free space") != std::string::npos
                 ? 0
                 : 1;
    }
  });
  int status = 0;
  waitpid(writer, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(TrialObserver, CountsOnlyInItsWindow) {
  TrialObserver observer("alpha", {"Alpha", "alpha cells", 4, {0.0f, 90.0f, 180.0f, 270.0f}}, 10,
                         30);
  observer.begin_trial();
  const std::vector<Spike> first = {{0, 0}, {1, 0}};
  observer.step(9, first);
  EXPECT_EQ(observer.mean_rate(), 0.0);
  EXPECT_TRUE(std::isnan(observer.angle()));
  observer.step(10, first);
  observer.step(29, first);
  observer.step(30, first);
  EXPECT_DOUBLE_EQ(observer.mean_rate(), 4 / (4 * 0.020));
  EXPECT_NEAR(observer.angle(), 45.0, 1e-12);
  const std::vector<Spike> opposite = {{2, 0}, {2, 1}, {3, 0}, {3, 1}};
  observer.step(11, opposite);
  EXPECT_TRUE(std::isnan(observer.angle()));  // all cancels
  observer.step(12, opposite);
  EXPECT_NEAR(observer.angle(), -135.0, 1e-12);
  observer.begin_trial();
  EXPECT_EQ(observer.mean_rate(), 0.0);
  EXPECT_THROW(TrialObserver("empty", {"Alpha", "alpha cells", 4, {}}, 10, 10),
               std::invalid_argument);
}

}  // namespace
}  // namespace quartet
