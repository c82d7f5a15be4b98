/// `quartet inspect`: what is in a run directory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace quartet {

/// What one tract carried.
struct TractTotals {
  std::string tract;
  std::uint64_t spikes = 0;
  std::uint64_t bytes = 0;     ///< as encoded in messages between processes
  std::uint64_t messages = 0;  ///< between processes
  std::uint64_t steps = 0;     ///< timesteps over which they were counted
};

/// `directory`/traffic.csv: tract,spikes,bytes,messages,steps. It depends on the placement, so
/// comparisons leave it out. Replaces the file as a whole.
/// `before_publishing`: called when all is written under another name.
void write_traffic(const std::filesystem::path& directory, const std::vector<TractTotals>& tracts,
                   const std::function<void()>& before_publishing = {});
/// Gives traffic.csv its name, where a run was ended before it could.
void publish_traffic(const std::filesystem::path& directory);
/// Throws std::runtime_error with file and line where it cannot be read.
std::vector<TractTotals> read_traffic(const std::filesystem::path& directory);

/// Prints what a run is: title, subjects, trials done, provenance, files with sizes, checkpoints
/// and whether they are valid; with `traffic`, spikes and bytes per tract and timestep. Damaged
/// files are named, and false returned. Throws std::invalid_argument where `directory` is not a
/// run.
bool inspect_run(const std::filesystem::path& directory, bool traffic, std::ostream& out);

}  // namespace quartet
