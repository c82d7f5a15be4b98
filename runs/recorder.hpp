/// Writes a run's NetCDF files: behaviour.nc per trial, and per region rates over time, spikes and
/// snapshots of weights. One process writes a file. Recording never changes a result.
///
/// A run has members (subjects of all groups, counted 0, 1, … in the dimension `subject`) that are
/// simulated one after the other, each through trials of `trial_ms` timesteps. Times count from a
/// member's start; intervals are half-open (t, t+1] ms.
///
/// Exact restart: every recorder saves how far it has come (and its open bin). When it is built
/// with that state, it drops from its files what was written after the checkpoint and goes on, so
/// the files end up equal to those of an uninterrupted run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/energy.hpp"
#include "models/signal.hpp"
#include "models/state.hpp"
#include "regions/region.hpp"
#include "runs/laboratory.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/provenance.hpp"

namespace quartet {

/// What files say about one member.
struct RecordedSubject {
  std::string name;   ///< "adapt/3"
  std::string group;  ///< name of the group
  std::int32_t group_index = 0;
  std::uint64_t seed = 0;
};

/// What all files of a run say.
struct RecordedRun {
  std::string title;
  std::string summary;  ///< may be empty
  std::string cut;      ///< what is not as the file in full, for people
  std::int64_t trial_ms = 0;
  std::vector<RecordedSubject> subjects;  ///< by member
  Provenance provenance;
};

/// A variable of behaviour.nc with dimensions (trial, subject).
struct Column {
  std::string name;
  std::string unit;  ///< UDUNITS spelling, "1" for none, "ms" for milliseconds
  std::string long_name;
  bool is_integer = false;
};

/// Positions of subjects in a file whose variables have dimensions (record, subject); see .cpp.
class SubjectTable;

/// behaviour.nc: what the body did and what the teachers said, trial by trial.
class BehaviourRecorder {
 public:
  /// Creates `directory`/behaviour.nc, or with `resume_from` continues it. Throws
  /// std::runtime_error where it cannot be written, or differs from what the run should write.
  BehaviourRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                    std::vector<Column> columns, StateReader* resume_from = nullptr);
  ~BehaviourRecorder();

  /// Writes the next trial of a member: one value per column; NaN where there is none.
  /// Trials of a member come in order, 0, 1, …
  void trial(std::size_t member, std::int64_t trial, std::span<const double> values);

  /// Before a checkpoint is published: what was written is on the disk.
  void sync_to_disk();
  void save(StateWriter& writer) const;
  void close();

 private:
  std::vector<Column> columns_;
  std::unique_ptr<SubjectTable> table_;
  std::vector<int> ids_;
};

/// probes.nc: every trial of stimulation of every probe, one after another.
class ProbeRecorder {
 public:
  /// Creates `directory`/probes.nc, or with `resume_from` continues it. Throws std::runtime_error.
  ProbeRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                StateReader* resume_from = nullptr);

  /// A whole probe of a member, for `muscle`, before trial `trial`, the first of block `block`.
  void probe(std::size_t member, std::size_t block, std::int64_t trial, int muscle,
             std::span<const StimulationTrial> trials);

  void sync_to_disk() { file_.sync_to_disk(); }
  void save(StateWriter& writer) const { writer.shared_value("probes.written", written_); }
  void close() { file_.close(); }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from);
  void define(const RecordedRun& run);

  std::uint64_t written_ = 0;
  NetcdfFile file_;  // after written_, which open() reads
};

/// What is recorded of a region. Members are counted over the run; empty lists record nothing and
/// make no file.
struct RegionRecording {
  std::int64_t bin_ms = 10;  ///< of the rates; divides trial_ms
  std::vector<std::int32_t> rate_members;
  std::vector<std::int32_t> spike_members;
  std::vector<std::int32_t> weight_members;
};

/// What files say about a region, from any slice of it.
struct RegionDescription {
  std::string name;
  std::uint32_t substeps = 1;
  std::vector<PopulationInfo> populations;
  std::vector<ProjectionInfo> projections;
};
RegionDescription describe_region(const Region& region);

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

  /// The end of a trial: what each population did in it. Trials of a member come in order.
  void trial(std::size_t member, std::int64_t trial, std::span<const energy::Activity> activity);

  bool records_weights(std::size_t member) const;
  /// A snapshot of the weights after timestep `t` − 1 (that is, at time t): begin, then all rows of
  /// every projection in any order, then end. Rows [first, first + values.size() / in_degree).
  /// In a member's first snapshot with the source cell of each synapse, in the same order.
  /// No-ops for members whose weights are not recorded.
  void begin_snapshot(std::size_t member, std::int64_t trial, Step t);
  void put_weights(std::size_t projection, std::uint32_t first, std::span<const float> values,
                   std::span<const std::uint32_t> sources = {});
  void end_snapshot();

  /// Writes what is buffered, to the disk: before a checkpoint is published.
  void sync_to_disk();
  /// Pre: sync_to_disk() since the last step.
  void save(StateWriter& writer) const;
  /// At the end of the run.
  void close();

 private:
  class Rates;
  class Spikes;
  class Weights;
  class Energy;
  RegionDescription region_;
  std::unique_ptr<Rates> rates_;      // null: not recorded
  std::unique_ptr<Spikes> spikes_;    // likewise
  std::unique_ptr<Weights> weights_;  // likewise
  std::unique_ptr<Energy> energy_;    // null: a region without cells
};

/// Counts the spikes of one population in a window (from_ms, to_ms] of every trial. Integers until
/// somebody asks, so that the answer does not depend on any order.
class TrialObserver {
 public:
  TrialObserver(std::string name, PopulationInfo population, Step from_ms, Step to_ms);

  void begin_trial();
  /// Spikes of timestep `t`, counted from the trial's start.
  void step(Step t, std::span<const Spike> spikes);

  std::span<const std::uint32_t> counts() const { return counts_; }
  Step duration_ms() const { return to_ - from_; }
  /// Mean rate of a cell over the window, Hz.
  double mean_rate() const;
  /// Direction of the population vector Σ count · (cos, sin)(preferred direction), degrees in
  /// [−180, 180); NaN without spikes, without preferred directions, or where they cancel.
  double angle() const;

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  std::string name_;
  PopulationInfo population_;
  Step from_;
  Step to_;
  std::vector<std::uint32_t> counts_;
  std::vector<double> cosines_;
  std::vector<double> sines_;
};

}  // namespace quartet
