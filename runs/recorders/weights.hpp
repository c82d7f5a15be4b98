/// REGION_weights.nc: snapshots of plastic weights of recorded members.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/recorders/region_recording.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

class WeightsRecorder {
 public:
  WeightsRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                  const RegionDescription& region, const RegionRecording& recording,
                  StateReader* resume_from);

  void begin(std::size_t member, std::int64_t trial, Step t);
  void put(std::size_t index, std::uint32_t first, std::span<const float> values,
           std::span<const std::uint32_t> sources, const Spines& spines);
  void end();
  void save(StateWriter& writer) const { writer.shared_value("weights.snapshots", snapshots_); }

  NetcdfFile& file() { return file_; }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from);
  void define(const RecordedRun& run, const RegionDescription& region);

  std::vector<std::int32_t> members_;
  std::vector<ProjectionInfo> projections_;
  std::vector<std::string> groups_;  // name of its group, padded, by member
  std::uint64_t snapshots_ = 0;
  NetcdfFile file_;  // after snapshots_, which open() reads
  int group_name_ = -1;
  std::vector<int> ids_, source_ids_;     // per projection
  std::vector<int> spine_ids_, day_ids_;  // likewise; -1 unless it is structural
  int column_ = -1;                       // of the open snapshot's member
  std::vector<std::size_t> rows_;         // rows of the open snapshot, per projection
  bool open_ = false;
};

}  // namespace quartet
