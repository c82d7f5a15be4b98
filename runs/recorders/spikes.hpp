/// REGION_spikes.nc: every spike of recorded members.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/recorders/region_recording.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

class SpikesRecorder {
 public:
  SpikesRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                 const RegionDescription& region, const RegionRecording& recording,
                 StateReader* resume_from);
  void begin_member(std::size_t member);
  void step(Step t, const Region& region);

  void flush();
  void save(StateWriter& writer) const;
  NetcdfFile& file() { return file_; }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from);
  void define(const RecordedRun& run, const RegionDescription& region);

  std::vector<std::int32_t> members_;
  std::size_t populations_;
  double substep_ms_;
  std::uint64_t written_ = 0;
  NetcdfFile file_;  // after written_, which open() reads
  int time_ = -1, subject_ = -1, population_ = -1, cell_ = -1;
  std::int64_t member_ = -1;
  bool recorded_ = false;
  std::vector<double> times_;
  std::vector<std::int32_t> subjects_;
  std::vector<std::int32_t> population_indices_;
  std::vector<std::uint32_t> cells_;
};

}  // namespace quartet
