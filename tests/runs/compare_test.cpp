#include "runs/compare.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <sstream>

#include "runs/netcdf_file.hpp"
#include "tests/runs/files_support.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

struct Contents {
  std::vector<double> error = {0.5, 1.0, std::numeric_limits<double>::quiet_NaN(), 2.0, 2.5, -0.0};
  std::int32_t block = 3;
  std::string title = "A run";
  std::string units = "degree";
  std::string command = "quartet run";
  std::string extra;  // name of one more variable
  std::size_t subjects = 2;
  std::string resolved = "# 12\na = 1\nb = 2\n";
  bool weights = false;
};

void write_run(const fs::path& directory, const Contents& contents) {
  fs::create_directories(directory);
  write_bytes(directory / "resolved.toml", contents.resolved);
  NetcdfFile file = NetcdfFile::create(directory / "behaviour.nc");
  const int trial = file.define_unlimited_dimension("trial");
  const int subject = file.define_dimension("subject", contents.subjects);
  const int error = file.define_variable("error", NetcdfType::f64, {trial, subject});
  const int block = file.define_variable("block", NetcdfType::i32, {});
  if (!contents.extra.empty()) file.define_variable(contents.extra, NetcdfType::f32, {});
  file.put_attribute(error, "units", contents.units);
  file.put_attribute(NetcdfFile::global, "title", contents.title);
  file.put_attribute(NetcdfFile::global, "provenance_command", contents.command);
  file.end_definitions();
  file.put<double>(error, {0, 0}, {contents.error.size() / contents.subjects, contents.subjects},
                   contents.error);
  file.put_value(block, {}, contents.block);
  file.close();
  if (contents.weights) NetcdfFile::create(directory / "cortex_weights.nc").close();
}

/// Compares a run with one that differs by `change`: (result, message).
std::pair<int, std::string> compare_with(const std::function<void(Contents&)>& change) {
  TemporaryDirectory directory;
  Contents contents;
  write_run(directory / "a", contents);
  change(contents);
  write_run(directory / "b", contents);
  std::ostringstream out;
  const int result = compare_runs(directory / "a", directory / "b", out);
  return {result, out.str()};
}

TEST(Compare, EqualRunsAreEqualWhateverTheirProvenance) {
  EXPECT_EQ(compare_with([](Contents&) {}), (std::pair<int, std::string>(0, "")));
  EXPECT_EQ(compare_with([](Contents& c) { c.command = "quartet resume"; }),
            (std::pair<int, std::string>(0, "")));
}

TEST(Compare, RefusesFilesThatAreCutOff) {
  TemporaryDirectory directory;
  for (const char* name : {"a", "b"}) write_run(directory / name, {});
  const fs::path path = directory / "b/behaviour.nc";
  fs::resize_file(path, fs::file_size(path) - 1);  // NetCDF would read a zero
  std::ostringstream out;
  try {
    compare_runs(directory / "a", directory / "b", out);
    FAIL() << out.str();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("b/behaviour.nc: is cut off ("), std::string::npos)
        << error.what();
  }
}

TEST(Compare, NamesTheFirstDifference) {
  using Result = std::pair<int, std::string>;
  EXPECT_EQ(compare_with([](Contents& c) { c.error[3] = 2.25; }),
            Result(1, "behaviour.nc: variable 'error' at trial 1, subject 1: 2 against 2.25\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.error[5] = 0.0; }),
            Result(1, "behaviour.nc: variable 'error' at trial 2, subject 1: -0 against 0\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.block = 4; }),
            Result(1, "behaviour.nc: variable 'block': 3 against 4\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.title = "Another"; }),
            Result(1, "behaviour.nc: attribute 'title': A run against Another\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.units = "rad"; }),
            Result(1, "behaviour.nc: variable 'error', attribute 'units': degree against rad\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.extra = "aim"; }),
            Result(1, "behaviour.nc: variable 'aim' is only in the second\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.error.resize(4); }),
            Result(1, "behaviour.nc: dimension 'trial': 3 against 2\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.weights = true; }),
            Result(1, "cortex_weights.nc: is only in the second\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.resolved = "# 13\na = 1\nb = 3\n"; }),
            Result(1, "resolved.toml: line 3: 'b = 2' against 'b = 3'\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.resolved = "# 13\na = 1\nb = 2\n"; }),
            Result(1, "resolved.toml: line 1: '# 12' against '# 13'\n"));
  EXPECT_EQ(compare_with([](Contents& c) { c.resolved = "# 12\na = 1\n"; }),
            Result(1, "resolved.toml: line 3: 'b = 2' against (end)\n"));
}

TEST(Compare, TellsNansApart) {
  const auto [result, message] = compare_with([](Contents& c) {
    c.error[2] = std::bit_cast<double>(std::bit_cast<std::uint64_t>(c.error[2]) ^ 1u);
  });
  EXPECT_EQ(result, 1);
  EXPECT_NE(message.find("bits 0x7ff8000000000001"), std::string::npos) << message;
}

TEST(Compare, EveryBitOfEveryValueCounts) {
  for (std::size_t element : {0, 4}) {
    for (int bit = 0; bit < 64; ++bit) {
      EXPECT_EQ(compare_with([&](Contents& c) {
                  const auto bits = std::bit_cast<std::uint64_t>(c.error[element]);
                  c.error[element] = std::bit_cast<double>(bits ^ std::uint64_t{1} << bit);
                }).first,
                1);
    }
  }
}

TEST(Compare, TakesTwoFiles) {
  TemporaryDirectory directory;
  Contents contents;
  write_run(directory / "a", contents);
  contents.resolved = "c = 3\n";  // not read
  write_run(directory / "b", contents);
  std::ostringstream out;
  EXPECT_EQ(
      compare_runs(directory.path() / "a/behaviour.nc", directory.path() / "b/behaviour.nc", out),
      0);
  contents.error[0] = 7.0;
  write_run(directory / "b", contents);
  EXPECT_EQ(
      compare_runs(directory.path() / "a/behaviour.nc", directory.path() / "b/behaviour.nc", out),
      1);
  EXPECT_EQ(out.str(), "behaviour.nc: variable 'error' at trial 0, subject 0: 0.5 against 7\n");
}

TEST(Compare, FindsADifferenceFarIntoALargeVariable) {
  TemporaryDirectory directory;
  for (const char* name : {"a.nc", "b.nc"}) {
    NetcdfFile file = NetcdfFile::create(directory / name);
    const int time = file.define_unlimited_dimension("time");
    const int cell = file.define_dimension("cell", 1000);
    const int rate = file.define_variable("rate", NetcdfType::f32, {time, cell});
    file.end_definitions();
    std::vector<float> values(10'000'000, 1.0f);
    if (std::string(name) == "b.nc") values[9'876'543] = 2.0f;
    file.put<float>(rate, {0, 0}, {10'000, 1000}, values);
    file.close();
  }
  std::ostringstream out;
  EXPECT_EQ(compare_runs(directory / "a.nc", directory / "b.nc", out), 1);
  EXPECT_EQ(out.str(), "a.nc: variable 'rate' at time 9876, cell 543: 1 against 2\n");
}

TEST(Compare, RefusesWhatCannotBeCompared) {
  TemporaryDirectory directory;
  write_run(directory / "a", {});
  fs::create_directories(directory / "empty");
  std::ostringstream out;
  EXPECT_THROW(compare_runs(directory / "a", directory / "none", out), std::invalid_argument);
  EXPECT_THROW(compare_runs(directory / "a", directory.path() / "a/behaviour.nc", out),
               std::invalid_argument);
  EXPECT_THROW(compare_runs(directory / "empty", directory / "empty", out), std::invalid_argument);
  EXPECT_THROW(
      compare_runs(directory.path() / "a/resolved.toml", directory.path() / "a/resolved.toml", out),
      std::invalid_argument);
  write_bytes(directory / "text.nc", "not NetCDF at all");
  EXPECT_THROW(compare_runs(directory / "text.nc", directory / "text.nc", out), std::runtime_error);
}

}  // namespace
}  // namespace quartet
