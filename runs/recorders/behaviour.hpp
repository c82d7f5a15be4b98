/// behaviour.nc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/state.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

/// A variable of behaviour.nc with dimensions (trial, subject).
struct Column {
  std::string name;
  std::string unit;  ///< UDUNITS spelling, "1" for none, "ms" for milliseconds
  std::string long_name;
  bool is_integer = false;
};

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

}  // namespace quartet
