#include "runs/recorders/rates.hpp"

#include <algorithm>
#include <stdexcept>

namespace quartet {

RatesRecorder::RatesRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                             const RegionDescription& region, const RegionRecording& recording,
                             StateReader* resume_from)
    : members_(recording.rate_members),
      bin_ms_(recording.bin_ms),
      trial_ms_(run.trial_ms),
      counts_(region.populations.size(), 0),
      pending_(region.populations.size()) {
  const std::filesystem::path path = directory / (region.name + ".nc");
  if (bin_ms_ < 1 || trial_ms_ % bin_ms_ != 0) {
    throw std::runtime_error(path.string() + ": bins of " + std::to_string(bin_ms_) +
                             " ms do not divide a trial of " + std::to_string(trial_ms_) +
                             " ms; set record.rate_bin_ms to a divisor of it");
  }
  if (resume_from != nullptr) {
    table_ = SubjectTable::resume(path, members_.size(), *resume_from, "rates.written");
    update_builds(table_->file, run.provenance);
    resume_from->shared_value("rates.member", member_);
    resume_from->shared<std::uint64_t>("rates.counts", counts_);
    column_ = column_of(members_, member_);
  } else {
    table_ = std::make_unique<SubjectTable>(NetcdfFile::create(path), members_.size());
    define(run, region);
  }
  time_ = table_->file.variable_id("time");
  trial_ = table_->file.variable_id("trial");
  for (const PopulationInfo& population : region.populations) {
    ids_.push_back(variable_to_continue(table_->file, "rate_" + population.name));
  }
}

void RatesRecorder::begin_member(std::size_t member) {
  flush();
  member_ = static_cast<std::int64_t>(member);
  column_ = column_of(members_, member_);
  std::fill(counts_.begin(), counts_.end(), 0);
}

void RatesRecorder::step(Step t, const Region& region) {
  if (column_ < 0) return;
  for (std::size_t p = 0; p < counts_.size(); ++p) counts_[p] += region.spikes(p).size();
  if ((t + 1) % bin_ms_ != 0) return;
  const std::int64_t bin =
      table_->written[column_] + static_cast<std::int64_t>(pending_times_.size());
  if (bin != t / bin_ms_) throw std::logic_error("recorder: timesteps come in order, from 0");
  pending_times_.push_back(static_cast<double>(t + 1));
  pending_trials_.push_back(static_cast<std::int32_t>(t / trial_ms_));
  for (std::size_t p = 0; p < counts_.size(); ++p) {
    const double cell_seconds = region.populations()[p].size * 1e-3 * static_cast<double>(bin_ms_);
    pending_[p].push_back(static_cast<float>(static_cast<double>(counts_[p]) / cell_seconds));
    counts_[p] = 0;
  }
  if (pending_times_.size() >= 256) flush();
}

void RatesRecorder::flush() {
  const std::size_t rows = pending_times_.size();
  if (rows == 0) return;
  NetcdfFile& file = table_->file;
  const std::size_t column = static_cast<std::size_t>(column_);
  const std::size_t row = static_cast<std::size_t>(table_->written[column]);
  file.put<double>(time_, {row}, {rows}, pending_times_);
  file.put<std::int32_t>(trial_, {row}, {rows}, pending_trials_);
  for (std::size_t p = 0; p < ids_.size(); ++p) {
    file.put<float>(ids_[p], {row, column}, {rows, 1}, pending_[p]);
    pending_[p].clear();
  }
  pending_times_.clear();
  pending_trials_.clear();
  table_->written[column] += static_cast<std::int64_t>(rows);
  file.sync();
}

void RatesRecorder::save(StateWriter& writer) const {
  writer.shared<std::int64_t>("rates.written", table_->written);
  writer.shared_value("rates.member", member_);
  writer.shared<std::uint64_t>("rates.counts", counts_);
}

void RatesRecorder::define(const RecordedRun& run, const RegionDescription& region) {
  NetcdfFile& file = table_->file;
  define_header(file, run, "Mean firing rates of the populations of the " + region.name);
  file.put_attribute(NetcdfFile::global, "bin_width_ms", bin_ms_);
  const SubjectAxis subjects(file, run, members_);
  const int time = file.define_unlimited_dimension("time");
  const int time_id = file.define_variable("time", NetcdfType::f64, {time});
  describe_variable(file, time_id, "ms", "end of the bin, from the subject's start");
  file.put_attribute(time_id, "axis", "T");
  file.put_attribute(time_id, "interval", "half-open: (time - bin_width_ms, time]");
  const int trial_id = file.define_variable("trial", NetcdfType::i32, {time});
  describe_variable(file, trial_id, "1", "trial of the subject, from 0");
  for (const PopulationInfo& population : region.populations) {
    const int id = file.define_variable("rate_" + population.name, NetcdfType::f32,
                                        {time, subjects.dimension()});
    describe_variable(
        file, id, "Hz",
        "mean firing rate of " + population.long_name + ", per cell of the intact population");
    file.put_attribute(id, "cell_methods", "time: mean");
    file.put_attribute(id, "cells", static_cast<std::int64_t>(population.size));
    file.put_attribute(id, "coordinates", std::string("trial ") + kSubjectCoordinates);
    file.define_fill(id, kMissingFloat);
  }
  file.end_definitions();
  subjects.write(file);
  file.sync();
}

}  // namespace quartet
