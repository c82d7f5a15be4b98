/// Checkpoints: the state of a run at the end of a timestep, from which it continues to the bit, on
/// any placement.
///
/// `checkpoints/<member>-<step>/` holds a file per part and slice, `<part>.<i>-of-<n>.state`, and
/// manifest.toml. A part is a region (with its signals in flight and what is observed of it), a
/// recorder, or `traffic`. A directory `….partial` is one that is being written, or whose writer
/// died.
///
/// A .state file is an envelope, "QUARTETC", schema, Boost version, length, digest, around a Boost
/// binary archive that holds only scalars and contiguous arrays of fixed-width numbers. (The
/// archive alone would accept a flipped bit silently.) All is in the byte order of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"

namespace quartet {

/// Where in the run a checkpoint was taken.
struct CheckpointPosition {
  std::int64_t member = 0;
  Step step = 0;           ///< timesteps done, from the member's start
  std::int64_t trial = 0;  ///< trials done, likewise

  std::string key() const;  ///< name of the directory: "000002-000000120000"
};

/// The run that wrote a checkpoint.
struct CheckpointOrigin {
  std::string config_digest;
  std::string version = "unknown";  ///< of Quartet; "A, then B" where B went on with a run of A's
  std::string commit = "unknown";   ///< of the build, likewise
  std::int64_t every_trials = 0;    ///< trials between checkpoints
};

/// Collects the state of one slice of a part, then writes it to a file.
class CheckpointWriter : public StateWriter {
 public:
  CheckpointWriter(std::string part, int slice, int slices);
  ~CheckpointWriter() override;

  /// Writes `<part>.<slice>-of-<slices>.state` into `directory` and waits until it is on the disk.
  /// Throws std::runtime_error (disk full).
  void write(const std::filesystem::path& directory);

 protected:
  bool writes_shared() const override { return slice_ == 0; }
  void put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           const void* data, std::uint64_t count) override;

 private:
  class Archive;  // keeps Boost out of this header
  std::string part_;
  int slice_;
  int slices_;
  std::unique_ptr<Archive> archive_;
  std::set<std::string, std::less<>> names_;
};

/// Reads the state of a part, written by however many slices. A slice reads a fraction of the part,
/// so all files are checked, one after the other, but values stay in them until they are asked for.
class CheckpointReader : public StateReader {
 public:
  /// Reads and checks the files of all slices of `part` in `directory` (one checkpoint). Throws
  /// std::runtime_error with file, array, what is wrong (damage, gap, overlap) and a remedy.
  CheckpointReader(const std::filesystem::path& directory, std::string part);

  std::uint64_t length(std::string_view name) override;
  /// Names of the arrays that nobody has asked for: state that the program does not know.
  std::vector<std::string> unread() const;

 protected:
  void get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           void* data, std::uint64_t count) override;

 private:
  struct Block {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::filesystem::path file;
    std::uint64_t at = 0;  // in the file
  };
  struct Array {
    StateType type = StateType::u8;
    std::uint64_t length = 0;
    std::vector<Block> blocks;  // in order, without gaps
    bool read = false;
  };
  void check_file(const std::filesystem::path& file, int slice, int slices);
  const Array& find(std::string_view name) const;
  [[noreturn]] void refuse(const std::string& what) const;

  std::filesystem::path directory_;
  std::string part_;
  std::map<std::string, Array, std::less<>> arrays_;
};

/// Writes checkpoint `position` under `checkpoints` (created where missing), collective over all
/// ranks:
///   - `write_parts(directory)` writes this rank's parts (CheckpointWriter::write) and puts its
///     recorders' files on the disk; it may throw;
///   - `agree(ok)` is collective: true on all ranks where all passed true.
/// The rank with `leader` makes and publishes the directory; then only this checkpoint and the one
/// before it are kept. Throws std::runtime_error on every rank where any failed; the earlier
/// checkpoints are then as they were.
void write_checkpoint(const std::filesystem::path& checkpoints, const CheckpointPosition& position,
                      const CheckpointOrigin& origin, bool leader,
                      const std::function<void(const std::filesystem::path&)>& write_parts,
                      const std::function<bool(bool)>& agree);

/// A published checkpoint, as its manifest tells.
struct Checkpoint {
  std::filesystem::path directory;
  CheckpointPosition position;
  CheckpointOrigin origin;
  std::uintmax_t bytes = 0;  ///< of its files
  std::string problem;       ///< what is wrong with it; empty: valid
};

/// All published checkpoints, newest first, each checked (manifest and digests of all files).
std::vector<Checkpoint> list_checkpoints(const std::filesystem::path& checkpoints);

/// The newest valid checkpoint; none where there is none. Says on `warnings` which newer ones are
/// damaged. Called on one rank; the others are told its directory.
std::optional<Checkpoint> latest_checkpoint(const std::filesystem::path& checkpoints,
                                            std::ostream& warnings);

/// Renames the damaged checkpoints that are newer than `used` (….damaged), and says so: the run
/// goes on from `used`, and keeps only good ones. On one rank, when no one writes.
void set_aside_damaged(const Checkpoint& used, std::ostream& warnings);

/// Reads one checkpoint's manifest and checks its files; never throws for what is wrong with it.
Checkpoint inspect_checkpoint(const std::filesystem::path& directory);

/// Removes what killed writers left behind (….partial). On one rank, when no one writes.
void remove_partial_checkpoints(const std::filesystem::path& checkpoints);

}  // namespace quartet
