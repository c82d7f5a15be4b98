/// probes.nc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/state.hpp"
#include "runs/laboratory.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

/// probes.nc: every trial of stimulation of every probe, one after another.
class ProbeRecorder {
 public:
  /// Creates `directory`/probes.nc, or with `resume_from` continues it. Throws std::runtime_error.
  ProbeRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                StateReader* resume_from = nullptr);

  /// A whole probe of a member, for `muscle`, before trial `trial`, the first of block `block`.
  void probe(std::size_t member, std::size_t block, std::int64_t trial, int muscle,
             const Findings& found);

  void sync_to_disk() { file_.sync_to_disk(); }
  void save(StateWriter& writer) const { writer.shared_value("probes.written", written_); }
  void close() { file_.close(); }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from);
  /// Fills group_ and phase_; returns the phases in the order of their flag values.
  std::vector<std::string> count_phases(const RecordedRun& run);
  void define(const RecordedRun& run, const std::vector<std::string>& phases);

  // By member: the group, and of each block the phase, as flag values.
  std::vector<std::int32_t> group_;
  std::vector<std::vector<std::int32_t>> phase_;
  std::uint64_t written_ = 0;
  NetcdfFile file_;  // after written_, which open() reads
};

}  // namespace quartet
