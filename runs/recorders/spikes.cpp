#include "runs/recorders/spikes.hpp"

namespace quartet {

SpikesRecorder::SpikesRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                               const RegionDescription& region, const RegionRecording& recording,
                               StateReader* resume_from)
    : members_(recording.spike_members),
      populations_(region.populations.size()),
      substep_ms_(1.0 / region.substeps),
      file_(open(directory / (region.name + "_spikes.nc"), resume_from)) {
  if (resume_from != nullptr) {
    update_builds(file_, run.provenance);
    resume_from->shared_value("spikes.member", member_);
    recorded_ = column_of(members_, member_) >= 0;
  } else {
    define(run, region);
  }
  file_.skip_filling();  // all records are written whole
  time_ = file_.variable_id("time_ms");
  subject_ = file_.variable_id("subject");
  population_ = file_.variable_id("population");
  cell_ = file_.variable_id("cell");
}

void SpikesRecorder::begin_member(std::size_t member) {
  member_ = static_cast<std::int64_t>(member);
  recorded_ = column_of(members_, member_) >= 0;
}

void SpikesRecorder::step(Step t, const Region& region) {
  if (!recorded_) return;
  for (std::size_t p = 0; p < populations_; ++p) {
    for (const Spike& spike : region.spikes(p)) {
      times_.push_back(static_cast<double>(t) + (spike.substep + 1) * substep_ms_);
      cells_.push_back(spike.id);
      population_indices_.push_back(static_cast<std::int32_t>(p));
      subjects_.push_back(static_cast<std::int32_t>(member_));
    }
  }
  if (times_.size() >= 65536) flush();
}

void SpikesRecorder::flush() {
  const std::size_t n = times_.size();
  if (n == 0) return;
  file_.put<double>(time_, {written_}, {n}, times_);
  file_.put<std::int32_t>(subject_, {written_}, {n}, subjects_);
  file_.put<std::int32_t>(population_, {written_}, {n}, population_indices_);
  file_.put<std::uint32_t>(cell_, {written_}, {n}, cells_);
  written_ += n;
  times_.clear();
  subjects_.clear();
  population_indices_.clear();
  cells_.clear();
  file_.sync();
}

void SpikesRecorder::save(StateWriter& writer) const {
  writer.shared_value("spikes.written", written_);
  writer.shared_value("spikes.member", member_);
}

NetcdfFile SpikesRecorder::open(const std::filesystem::path& path, StateReader* resume_from) {
  if (resume_from == nullptr) return NetcdfFile::create(path);
  resume_from->shared_value("spikes.written", written_);
  truncate_records(path, written_);
  return NetcdfFile::open_to_write(path);
}

void SpikesRecorder::define(const RecordedRun& run, const RegionDescription& region) {
  define_header(file_, run, "Spikes of the " + region.name);
  file_.put_attribute(NetcdfFile::global, "recorded_subjects",
                      std::span<const std::int32_t>(members_));
  const int spike = file_.define_unlimited_dimension("spike");
  const int time = file_.define_variable("time_ms", NetcdfType::f64, {spike});
  describe_variable(file_, time, "ms", "time of the spike, from the subject's start");
  file_.put_attribute(time, "resolution_ms", substep_ms_);
  const int subject = file_.define_variable("subject", NetcdfType::i32, {spike});
  describe_variable(file_, subject, "1", "subject, counted over all groups from 0");
  const int population = file_.define_variable("population", NetcdfType::i32, {spike});
  describe_variable(file_, population, "1", "population of the cell");
  std::vector<std::int32_t> indices;
  std::vector<std::int64_t> sizes;
  std::string names;
  for (std::size_t p = 0; p < populations_; ++p) {
    indices.push_back(static_cast<std::int32_t>(p));
    sizes.push_back(region.populations[p].size);
    names += (p == 0 ? "" : " ") + region.populations[p].name;
  }
  file_.put_attribute(population, "flag_values", std::span<const std::int32_t>(indices));
  file_.put_attribute(population, "flag_meanings", names);
  file_.put_attribute(population, "cells", std::span<const std::int64_t>(sizes));
  const int cell = file_.define_variable("cell", NetcdfType::u32, {spike});
  describe_variable(file_, cell, "1", "index of the cell within its population, from 0");
  file_.end_definitions();
  file_.sync();
}

}  // namespace quartet
