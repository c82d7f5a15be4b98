#include "runs/checkpoint.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <limits>
#include <sstream>

#include "runs/durable_file.hpp"
#include "tests/runs/files_support.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t cells = 101;

/// What a region might hold: a float per cell, a list, values that all slices share.
struct State {
  std::vector<float> v;
  std::vector<std::int64_t> events;
  std::vector<std::uint8_t> flags;
  double clock = 0.0;
  std::vector<std::uint32_t> none;

  friend bool operator==(const State& a, const State& b) {
    // By bits: there are NaNs among the values.
    return a.v.size() == b.v.size() &&
           std::memcmp(a.v.data(), b.v.data(), a.v.size() * sizeof(float)) == 0 &&
           a.events == b.events && a.flags == b.flags && a.clock == b.clock && a.none == b.none;
  }
};

State make_state() {
  State state;
  for (std::uint64_t i = 0; i < cells; ++i) {
    state.v.push_back(static_cast<float>(mix(i) % 100000) / 7.0f);
    state.flags.push_back(static_cast<std::uint8_t>(mix(i, 1)));
  }
  state.v[3] = std::numeric_limits<float>::quiet_NaN();
  state.v[4] = std::numeric_limits<float>::infinity();
  state.v[5] = -0.0f;
  for (std::int64_t i = 0; i < 17; ++i) state.events.push_back(i * i - 40);
  state.clock = 0.1;
  return state;
}

std::uint64_t first_of(std::uint64_t length, int slice, int slices) {
  return length * static_cast<std::uint64_t>(slice) / static_cast<std::uint64_t>(slices);
}

void save(const State& state, StateWriter& writer, int slice, int slices) {
  const auto own = [&]<class T>(const char* name, const std::vector<T>& values) {
    const std::uint64_t first = first_of(values.size(), slice, slices);
    const std::uint64_t last = first_of(values.size(), slice + 1, slices);
    writer.block<T>(name, values.size(), first, std::span(values).subspan(first, last - first));
  };
  own("L5PT.v", state.v);
  own("L5PT.flags", state.flags);
  writer.shared<std::int64_t>("events", state.events);
  writer.shared_value("clock", state.clock);
  writer.shared<std::uint32_t>("none", state.none);
}

/// Reads the whole state back, as `slices` slices would.
State load(StateReader& reader, int slices) {
  State state;
  state.v.resize(cells);
  state.flags.resize(cells);
  for (int slice = 0; slice < slices; ++slice) {
    const std::uint64_t first = first_of(cells, slice, slices);
    const std::uint64_t last = first_of(cells, slice + 1, slices);
    reader.block<float>("L5PT.v", cells, first, std::span(state.v).subspan(first, last - first));
    reader.block<std::uint8_t>("L5PT.flags", cells, first,
                               std::span(state.flags).subspan(first, last - first));
  }
  state.events.resize(reader.length("events"));
  reader.shared<std::int64_t>("events", state.events);
  reader.shared_value("clock", state.clock);
  state.none.resize(reader.length("none"));
  reader.shared<std::uint32_t>("none", state.none);
  return state;
}

void write_slices(const fs::path& directory, const State& state, int slices) {
  for (int slice = 0; slice < slices; ++slice) {
    CheckpointWriter writer("cortex", slice, slices);
    save(state, writer, slice, slices);
    writer.write(directory);
  }
}

/// What reading says, "" where it has nothing to say.
std::string refusal(const fs::path& directory) {
  try {
    CheckpointReader reader(directory, "cortex");
    load(reader, 1);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

const auto alone = [](bool ok) { return ok; };

void publish(const fs::path& checkpoints, const CheckpointPosition& position) {
  write_checkpoint(
      checkpoints, position, {"digest", "0.1", "abc", 7}, true,
      [](const fs::path& directory) { write_slices(directory, make_state(), 2); }, alone);
}

TEST(Checkpoint, ComesBackWhateverTheSlices) {
  for (int written : {1, 2, 3, 7}) {
    TemporaryDirectory directory;
    write_slices(directory.path(), make_state(), written);
    for (int read : {1, 2, 5}) {
      CheckpointReader reader(directory.path(), "cortex");
      const State state = load(reader, read);
      EXPECT_TRUE(state == make_state()) << written << " slices read as " << read;
      EXPECT_TRUE(reader.unread().empty());
      State other = make_state();
      other.v[50] += 1.0f;
      EXPECT_FALSE(state == other);
    }
  }
}

TEST(Checkpoint, TellsWhatNobodyRead) {
  TemporaryDirectory directory;
  write_slices(directory.path(), make_state(), 2);
  CheckpointReader reader(directory.path(), "cortex");
  double clock = 0.0;
  reader.shared_value("clock", clock);
  EXPECT_EQ(reader.unread(), (std::vector<std::string>{"L5PT.flags", "L5PT.v", "events", "none"}));
}

TEST(Checkpoint, EveryFlippedBitIsFound) {
  TemporaryDirectory directory;
  write_slices(directory.path(), make_state(), 1);
  const fs::path path = directory / "cortex.0-of-1.state";
  const std::string good = read_bytes(path);
  ASSERT_EQ(refusal(directory.path()), "");
  for (std::uint64_t i = 0; i < 400; ++i) {
    // The envelope and the first fields bit by bit, then anywhere.
    const std::size_t at = i < 200 ? i : mix(i) % good.size();
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << mix(i, 2) % 8);
    write_bytes(path, bad);
    const std::string text = refusal(directory.path());
    EXPECT_NE(text, "") << "byte " << at;
    EXPECT_NE(text.find("cortex.0-of-1.state"), std::string::npos) << text;
    EXPECT_NE(text.find("delete this checkpoint"), std::string::npos) << text;
  }
  for (std::size_t size : {std::size_t{0}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    write_bytes(path, good.substr(0, size));
    EXPECT_NE(refusal(directory.path()).find("truncated"), std::string::npos);
  }
  write_bytes(path, good + "x");
  EXPECT_NE(refusal(directory.path()), "");
  write_bytes(path, good);
  EXPECT_EQ(refusal(directory.path()), "");
}

TEST(Checkpoint, NamesTheDamagedArray) {
  TemporaryDirectory directory;
  const State state = make_state();
  write_slices(directory.path(), state, 1);
  const fs::path path = directory / "cortex.0-of-1.state";
  std::string bytes = read_bytes(path);
  const std::string flags(reinterpret_cast<const char*>(state.flags.data()), 50);
  bytes[bytes.find(flags) + 20] ^= 4;
  write_bytes(path, bytes);
  EXPECT_NE(refusal(directory.path()).find("array 'L5PT.flags'"), std::string::npos)
      << refusal(directory.path());
}

TEST(Checkpoint, RefusesGapsOverlapsAndOtherSizes) {
  const auto say = [](std::uint64_t first_a, std::uint64_t count_a, std::uint64_t first_b,
                      std::uint64_t count_b, std::uint64_t length_b = 10) {
    TemporaryDirectory directory;
    const std::vector<float> values(20, 1.0f);
    CheckpointWriter a("cortex", 0, 2);
    a.block<float>("v", 10, first_a, std::span(values).subspan(0, count_a));
    a.write(directory.path());
    CheckpointWriter b("cortex", 1, 2);
    b.block<float>("v", length_b, first_b, std::span(values).subspan(0, count_b));
    b.write(directory.path());
    try {
      CheckpointReader reader(directory.path(), "cortex");
      std::vector<float> back(10);
      reader.shared<float>("v", back);
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(say(0, 5, 5, 5), "");
  EXPECT_EQ(say(0, 10, 10, 0), "");
  EXPECT_EQ(say(5, 5, 0, 5), "");
  EXPECT_NE(say(0, 5, 6, 4).find("array 'v' has a gap at element 5"), std::string::npos);
  EXPECT_NE(say(0, 5, 4, 6).find("array 'v' has an overlap at element 4"), std::string::npos);
  EXPECT_NE(say(0, 5, 5, 4).find("array 'v' has a gap at element 9"), std::string::npos);
  EXPECT_NE(say(0, 5, 5, 5, 11).find("where another slice has 10"), std::string::npos);
}

TEST(Checkpoint, RefusesOtherTypesLengthsAndNames) {
  TemporaryDirectory directory;
  write_slices(directory.path(), make_state(), 1);
  CheckpointReader reader(directory.path(), "cortex");
  const auto say = [](const auto& action) {
    try {
      action();
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  std::vector<double> doubles(cells);
  EXPECT_NE(say([&] { reader.shared<double>("L5PT.v", doubles); })
                .find("is 101 f32 where the run "
                      "needs 101 f64"),
            std::string::npos);
  std::vector<float> fewer(cells - 1);
  EXPECT_NE(say([&] { reader.shared<float>("L5PT.v", fewer); }).find("array 'L5PT.v' is 101"),
            std::string::npos);
  float none = 0.0f;
  EXPECT_NE(say([&] { reader.shared_value("L6.v", none); }).find("array 'L6.v' is missing"),
            std::string::npos);
}

TEST(Checkpoint, RefusesMissingSlicesAndParts) {
  TemporaryDirectory directory;
  write_slices(directory.path(), make_state(), 3);
  EXPECT_THROW(CheckpointReader(directory.path(), "cerebellum"), std::runtime_error);
  fs::remove(directory / "cortex.1-of-3.state");
  EXPECT_NE(refusal(directory.path()).find("cortex.1-of-3.state is missing"), std::string::npos);
}

TEST(Checkpoint, RefusesToSaveAnArrayTwice) {
  CheckpointWriter writer("cortex", 0, 1);
  writer.shared_value("clock", 1.0);
  EXPECT_THROW(writer.shared_value("clock", 2.0), std::logic_error);
  const std::vector<float> values(3);
  EXPECT_THROW(writer.block<float>("v", 4, 2, values), std::logic_error);
}

TEST(Checkpoint, KeepsTheTwoNewest) {
  TemporaryDirectory directory;
  for (Step step : {100, 200, 300}) publish(directory.path(), {0, step, step / 10});
  publish(directory.path(), {1, 50, 5});
  const std::vector<Checkpoint> list = list_checkpoints(directory.path());
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].directory.filename(), "000001-000000000050");
  EXPECT_EQ(list[0].problem, "");
  EXPECT_EQ(list[0].position.member, 1);
  EXPECT_EQ(list[0].position.step, 50);
  EXPECT_EQ(list[0].position.trial, 5);
  EXPECT_EQ(list[0].origin.config_digest, "digest");
  EXPECT_EQ(list[0].origin.version, "0.1");
  EXPECT_EQ(list[0].origin.commit, "abc");
  EXPECT_EQ(list[0].origin.every_trials, 7);
  EXPECT_GT(list[0].bytes, 500u);
  EXPECT_EQ(list[1].position.step, 300);
}

TEST(Checkpoint, FallsBackToTheOneBefore) {
  TemporaryDirectory directory;
  publish(directory.path(), {0, 100, 1});
  publish(directory.path(), {0, 200, 2});
  std::ostringstream warnings;
  EXPECT_EQ(latest_checkpoint(directory.path(), warnings)->position.step, 200);
  EXPECT_EQ(warnings.str(), "");
  const fs::path newest = directory.path() / "000000-000000000200";
  for (const auto& entry : fs::directory_iterator(newest)) {
    const std::string good = read_bytes(entry.path());
    for (std::uint64_t i = 0; i < 30; ++i) {
      std::string bad = good;
      bad[mix(i) % bad.size()] ^= 1 << i % 8;
      write_bytes(entry.path(), bad);
      std::ostringstream damage;
      const auto checkpoint = latest_checkpoint(directory.path(), damage);
      ASSERT_TRUE(checkpoint.has_value());
      EXPECT_EQ(checkpoint->position.step, 100) << entry.path();
      EXPECT_NE(damage.str().find("000000-000000000200"), std::string::npos);
    }
    write_bytes(entry.path(), good);
  }
  fs::remove(newest / "cortex.1-of-2.state");
  std::ostringstream missing;
  EXPECT_EQ(latest_checkpoint(directory.path(), missing)->position.step, 100);
  // The run goes on from 100: what it writes next replaces the damaged one.
  publish(directory.path(), {0, 150, 1});
  std::ostringstream none;
  EXPECT_EQ(latest_checkpoint(directory.path(), none)->position.step, 150);
  EXPECT_EQ(none.str(), "");
  publish(directory.path(), {0, 150, 1});  // again over itself
  EXPECT_EQ(list_checkpoints(directory.path()).size(), 2u);
  EXPECT_FALSE(latest_checkpoint(directory / "none", none).has_value());
}

TEST(Checkpoint, ADamagedOneIsNeverTheOneBefore) {
  TemporaryDirectory directory;
  publish(directory.path(), {0, 100, 1});
  publish(directory.path(), {0, 200, 2});
  write_bytes(directory.path() / "000000-000000000200" / "manifest.toml", "torn");
  std::ostringstream warnings;
  set_aside_damaged(*latest_checkpoint(directory.path(), warnings), warnings);
  EXPECT_NE(warnings.str().find("kept as 000000-000000000200.damaged"), std::string::npos);
  EXPECT_TRUE(fs::exists(directory.path() / "000000-000000000200.damaged"));
  publish(directory.path(), {0, 300, 3});
  std::vector<Step> steps;
  for (const Checkpoint& checkpoint : list_checkpoints(directory.path())) {
    EXPECT_EQ(checkpoint.problem, "");
    steps.push_back(checkpoint.position.step);
  }
  EXPECT_EQ(steps, (std::vector<Step>{300, 100}));
}

TEST(Checkpoint, AFailureOnAnyRankLeavesTheEarlierOnes) {
  TemporaryDirectory directory;
  publish(directory.path(), {0, 100, 1});
  const auto say = [&](const std::function<void(const fs::path&)>& write_parts,
                       const std::function<bool(bool)>& agree) {
    try {
      write_checkpoint(directory.path(), {0, 200, 2}, {"digest"}, true, write_parts, agree);
    } catch (const std::runtime_error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto broken = [](const fs::path&) { throw std::runtime_error("the disk is full"); };
  EXPECT_EQ(say(broken, alone), "checkpoint 000000-000000000200: the disk is full");
  int calls = 0;
  const auto other_rank_fails = [&](bool ok) { return ok && ++calls != 2; };
  EXPECT_NE(say([](const fs::path& path) { write_slices(path, make_state(), 2); }, other_rank_fails)
                .find("another rank"),
            std::string::npos);
  const auto slice_missing = [](const fs::path& path) {
    CheckpointWriter writer("cortex", 0, 2);
    writer.write(path);
  };
  EXPECT_NE(say(slice_missing, alone).find("1 of 2 slices"), std::string::npos);
  const std::vector<Checkpoint> list = list_checkpoints(directory.path());
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].problem, "");
  EXPECT_FALSE(fs::exists(directory.path() / "000000-000000000200.partial"));
}

TEST(Checkpoint, RemovesWhatAKilledWriterLeft) {
  TemporaryDirectory directory;
  publish(directory.path(), {0, 100, 1});
  fs::create_directories(directory.path() / "000000-000000000200.partial");
  write_slices(directory.path() / "000000-000000000200.partial", make_state(), 2);
  EXPECT_EQ(list_checkpoints(directory.path()).size(), 1u);
  remove_partial_checkpoints(directory.path());
  EXPECT_FALSE(fs::exists(directory.path() / "000000-000000000200.partial"));
  EXPECT_EQ(list_checkpoints(directory.path()).size(), 1u);
  remove_partial_checkpoints(directory / "none");
}

TEST(Checkpoint, AKilledWriterLeavesAGoodOne) {
  TemporaryDirectory directory;
  publish(directory.path(), {0, 0, 0});
  Step last = 0;
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    const pid_t writer = fork();
    if (writer == 0) {
      for (Step step = last + 1;; ++step) publish(directory.path(), {0, step, 0});
    }
    const auto wrote_more = [&] {
      const std::string before = CheckpointPosition{0, last, 0}.key();
      for (const auto& entry : fs::directory_iterator(directory.path())) {
        const std::string name = entry.path().filename().string();
        if (entry.path().extension() != ".partial" && name > before) return true;
      }
      return false;
    };
    while (!wrote_more()) usleep(100);
    usleep(static_cast<useconds_t>(mix(static_cast<std::uint64_t>(kill_number)) % 20000));
    kill(writer, SIGKILL);
    int status = 0;
    waitpid(writer, &status, 0);
    std::ostringstream warnings;
    const auto checkpoint = latest_checkpoint(directory.path(), warnings);
    ASSERT_TRUE(checkpoint.has_value());
    EXPECT_EQ(warnings.str(), "");
    EXPECT_GT(checkpoint->position.step, last);
    last = checkpoint->position.step;
    CheckpointReader reader(checkpoint->directory, "cortex");
    EXPECT_TRUE(load(reader, 3) == make_state());
  }
}

TEST(Checkpoint, AFullDiskIsNamedWithARemedy) {
  TemporaryDirectory directory;
  const pid_t writer = fork();
  if (writer == 0) {
    signal(SIGXFSZ, SIG_IGN);  // so that writing fails with EFBIG, as it would with ENOSPC
    const rlimit limit{500, 500};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_slices(directory.path(), make_state(), 1);
    } catch (const std::exception& error) {
      const std::string text = error.what();
      _exit(text.find("cortex.0-of-1.state") != std::string::npos &&
                    text.find("free space") != std::string::npos
                ? 0
                : 1);
    }
    _exit(2);
  }
  int status = 0;
  waitpid(writer, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(DurableFile, IsThereWholeOrNotAtAll) {
  TemporaryDirectory directory;
  const auto replace_on_a_full_disk = [&](const fs::path& path) {
    const pid_t child = fork();
    if (child == 0) {
      signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{10, 10};
      setrlimit(RLIMIT_FSIZE, &limit);
      try {
        replace_file(path, "twenty bytes of text");
      } catch (const std::runtime_error&) {
        _exit(1);
      }
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 1);
  };
  const fs::path path = directory.path() / "resolved.toml";
  replace_on_a_full_disk(path);
  EXPECT_FALSE(fs::exists(path));
  replace_file(path, "before");
  EXPECT_EQ(read_bytes(path), "before");
  replace_on_a_full_disk(path);
  EXPECT_EQ(read_bytes(path), "before");
  replace_file(path, "twenty bytes of text");
  EXPECT_EQ(read_bytes(path), "twenty bytes of text");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace quartet
