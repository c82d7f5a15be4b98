/// All files of a region.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "models/energy.hpp"
#include "models/signal.hpp"
#include "models/state.hpp"
#include "regions/region.hpp"
#include "runs/recorders/region_recording.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

RegionDescription describe_region(const Region& region);

class RatesRecorder;
class SpikesRecorder;
class WeightsRecorder;
class EnergyRecorder;

/// <region>.nc, <region>_energy.nc, <region>_spikes.nc and <region>_weights.nc; held by the process
/// that hosts slice 0 of the region.
class RegionRecorder {
 public:
  /// Creates the files in `directory`, or with `resume_from` continues them. Throws
  /// std::runtime_error, also where bin_ms does not divide trial_ms.
  RegionRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                 RegionDescription region, const RegionRecording& recording,
                 StateReader* resume_from = nullptr);
  ~RegionRecorder();

  /// Before the first timestep of a member. Not after a resume in the middle of one.
  void begin_member(std::size_t member);
  /// After region.advance(t): `t` counts from the member's start. Timesteps come in order.
  void step(Step t, const Region& region);

  /// The end of a trial: what each population did in it, in all and by place on the motor sheet
  /// (Region::activity() and activity_by_place()). Trials of a member come in order.
  void trial(std::size_t member, std::int64_t trial, std::span<const energy::Activity> activity,
             std::span<const energy::Activity> by_place);

  /// A snapshot of the weights after timestep `t` − 1 (that is, at time t): begin, then all rows of
  /// every projection in any order, then end. Rows [first, first + values.size() / in_degree).
  /// In a member's first snapshot, and always where the projection is structural, with the source
  /// cell of each synapse, in the same order; there with their spines as well.
  /// No-ops for members whose weights are not recorded.
  void begin_snapshot(std::size_t member, std::int64_t trial, Step t);
  void put_weights(std::size_t projection, std::uint32_t first, std::span<const float> values,
                   std::span<const std::uint32_t> sources = {}, const Spines& spines = {});
  void end_snapshot();

  /// Writes what is buffered, to the disk: before a checkpoint is published.
  void sync_to_disk();
  /// Pre: sync_to_disk() since the last step.
  void save(StateWriter& writer) const;
  /// At the end of the run.
  void close();

 private:
  RegionDescription region_;
  std::unique_ptr<RatesRecorder> rates_;      // null: not recorded
  std::unique_ptr<SpikesRecorder> spikes_;    // likewise
  std::unique_ptr<WeightsRecorder> weights_;  // likewise
  std::unique_ptr<EnergyRecorder> energy_;    // null: a region without cells
};

}  // namespace quartet
