/// The files that one rank writes during a run: those of the regions whose slice 0 it hosts, and
/// behaviour.nc where it hosts the body.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "models/signal.hpp"
#include "regions/region.hpp"
#include "runs/experiment.hpp"
#include "runs/provenance.hpp"
#include "runs/recorders/behaviour.hpp"
#include "runs/recorders/probes.hpp"
#include "runs/recorders/region.hpp"

namespace quartet {

/// Columns of behaviour.nc: what the body did, then what is observed of the regions in the order
/// of region_names().
std::vector<Column> behaviour_columns();

class Recording {
 public:
  /// Creates the files in `directory`, or with `checkpoint` (its directory) continues them.
  /// `regions`: those of which this rank hosts slice 0, of any member.
  Recording(const std::filesystem::path& directory, const Experiment& experiment,
            const Provenance& provenance, std::span<const Region* const> regions,
            const std::optional<std::filesystem::path>& checkpoint);

  /// Before the first timestep of a member.
  void begin_member(std::size_t member);
  /// After the timestep, for a region of which this rank hosts slice 0.
  void step(Step t, const Region& region);
  /// The end of a trial, where this rank hosts the body: one value per column.
  void trial(std::size_t member, std::int64_t trial, std::span<const double> values);
  /// A whole probe before trial `trial`, the first of block `block`; the same.
  void probe(std::size_t member, std::size_t block, std::int64_t trial, int muscle,
             const Findings& found);
  /// Recorder of a region, for snapshots; null where this rank has none.
  RegionRecorder* recorder(std::string_view region);

  /// Puts all that was written on the disk and writes the recorders' state into a checkpoint.
  void save(const std::filesystem::path& checkpoint);
  void close();

 private:
  std::unique_ptr<BehaviourRecorder> behaviour_;  // null: elsewhere
  std::unique_ptr<ProbeRecorder> probes_;         // likewise, or no block has a probe
  std::map<std::string, RegionRecorder, std::less<>> regions_;
};

}  // namespace quartet
