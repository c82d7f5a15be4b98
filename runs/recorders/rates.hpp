/// REGION.nc: mean rates of the populations in bins, of recorded members.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/recorders/region_recording.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

class RatesRecorder {
 public:
  RatesRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                const RegionDescription& region, const RegionRecording& recording,
                StateReader* resume_from);
  void begin_member(std::size_t member);
  void step(Step t, const Region& region);

  void flush();
  void save(StateWriter& writer) const;
  NetcdfFile& file() { return table_->file; }

 private:
  void define(const RecordedRun& run, const RegionDescription& region);

  std::vector<std::int32_t> members_;
  std::int64_t bin_ms_;
  std::int64_t trial_ms_;
  std::unique_ptr<SubjectTable> table_;
  int time_ = -1;
  int trial_ = -1;
  std::vector<int> ids_;  // per population
  std::int64_t member_ = -1;
  int column_ = -1;
  std::vector<std::uint64_t> counts_;  // spikes in the open bin, per population
  std::vector<double> pending_times_;
  std::vector<std::int32_t> pending_trials_;
  std::vector<std::vector<float>> pending_;  // per population
};

}  // namespace quartet
