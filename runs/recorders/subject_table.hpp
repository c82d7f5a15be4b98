/// What all files of a run have in common: header, subjects, and records that grow.
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

#include "models/state.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/provenance.hpp"

namespace quartet {

/// What files say about one member.
struct RecordedSubject {
  std::string name;   ///< "adapt/3"
  std::string group;  ///< name of the group
  std::int32_t group_index = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> phases = {};  ///< by block; may be empty strings
  std::vector<double> varied = {};       ///< by RecordedRun::varied
};

/// A parameter that differs between subjects.
struct RecordedParameter {
  std::string key, unit, long_name;
};

/// What all files of a run say.
struct RecordedRun {
  std::string title;
  std::string summary;  ///< may be empty
  std::string cut;      ///< what is not as the file in full, for people
  std::int64_t trial_ms = 0;
  std::vector<RecordedSubject> subjects;  ///< by member
  std::vector<RecordedParameter> varied = {};
  Provenance provenance;
};

inline constexpr std::int32_t kMissingInteger = -2147483647;  // NetCDF's own default
inline constexpr double kMissingReal = std::numeric_limits<double>::quiet_NaN();
inline constexpr float kMissingFloat = std::numeric_limits<float>::quiet_NaN();
/// Attribute `coordinates` of variables with the dimension `subject`.
inline constexpr char kSubjectCoordinates[] = "group group_name subject_name seed";

/// Global attributes of a file that holds `what`.
void define_header(NetcdfFile& file, const RecordedRun& run, const std::string& what);

/// Attributes of a variable.
void describe_variable(NetcdfFile& file, int id, const std::string& unit,
                       const std::string& long_name);

/// Attributes of an integer variable with the values of `group_index`.
void describe_groups(NetcdfFile& file, int id, const RecordedRun& run);

/// Name of each subject's group, all of the same length.
std::vector<std::string> padded_groups(const RecordedRun& run);

/// Position of `member` in `members`, −1 where it is not recorded.
int column_of(std::span<const std::int32_t> members, std::int64_t member);

/// "cortex.nc: …": what a file on disk does not agree with.
[[noreturn]] void refuse_to_continue(const std::filesystem::path& path, const std::string& what);

/// Id of a variable that a recorder is to go on writing. Refuses to continue where there is none.
int variable_to_continue(const NetcdfFile& file, const std::string& name);

/// The dimension `subject` with its coordinates; `members` says which subjects a file holds.
class SubjectAxis {
 public:
  SubjectAxis(NetcdfFile& file, const RecordedRun& run, std::span<const std::int32_t> members);

  int dimension() const { return dimension_; }

  /// After end_definitions().
  void write(NetcdfFile& file) const;

 private:
  const RecordedRun& run_;
  std::span<const std::int32_t> members_;
  std::vector<std::string> groups_;  // of all subjects
  std::size_t name_length_ = 1;
  int dimension_, subject_, group_, group_name_, subject_name_, seed_;
  std::vector<int> varied_;
};

/// A file whose variables have dimensions (record, subject, …), written subject after subject: the
/// records grow with the first subject, and later ones fill in their column.
class SubjectTable {
 public:
  SubjectTable(NetcdfFile file, std::size_t subjects)
      : file(std::move(file)), written(subjects, 0) {}

  /// Opens a file again at what `state` counts, and drops all that was written after it.
  static std::unique_ptr<SubjectTable> resume(const std::filesystem::path& path,
                                              std::size_t subjects, StateReader& state,
                                              const std::string& state_name);

  NetcdfFile file;
  std::vector<std::int64_t> written;  ///< records of each subject
};

}  // namespace quartet
