#include "runs/recorders/behaviour.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

namespace quartet {

BehaviourRecorder::BehaviourRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                                     std::vector<Column> columns, StateReader* resume_from)
    : columns_(std::move(columns)) {
  const std::filesystem::path path = directory / "behaviour.nc";
  if (resume_from != nullptr) {
    table_ = SubjectTable::resume(path, run.subjects.size(), *resume_from, "behaviour.written");
    update_builds(table_->file, run.provenance);
    for (const Column& column : columns_)
      ids_.push_back(variable_to_continue(table_->file, column.name));
    for (std::size_t i = 0; i < table_->written.size(); ++i) {
      table_->file.put_value(table_->file.variable_id("trials_done"), {i},
                             static_cast<std::int32_t>(table_->written[i]));
    }
    return;
  }
  table_ = std::make_unique<SubjectTable>(NetcdfFile::create(path), run.subjects.size());
  NetcdfFile& file = table_->file;
  define_header(file, run, "Behaviour and teaching signals of every trial");
  std::vector<std::int32_t> members(run.subjects.size());
  for (std::size_t i = 0; i < members.size(); ++i) members[i] = static_cast<std::int32_t>(i);
  const SubjectAxis subjects(file, run, members);
  const int trial = file.define_unlimited_dimension("trial");
  const int trial_id = file.define_variable("trial", NetcdfType::i32, {trial});
  describe_variable(file, trial_id, "1", "trial of the subject, from 0");
  const int done = file.define_variable("trials_done", NetcdfType::i32, {subjects.dimension()});
  describe_variable(file, done, "1", "number of trials that the subject has done");
  file.put_attribute(done, "coordinates", kSubjectCoordinates);
  for (const Column& column : columns_) {
    const NetcdfType type = column.is_integer ? NetcdfType::i32 : NetcdfType::f64;
    const int id = file.define_variable(column.name, type, {trial, subjects.dimension()});
    describe_variable(file, id, column.unit, column.long_name);
    file.put_attribute(id, "coordinates", kSubjectCoordinates);
    if (column.is_integer) {
      file.define_fill(id, kMissingInteger);
    } else {
      file.define_fill(id, kMissingReal);
    }
    ids_.push_back(id);
  }
  file.end_definitions();
  subjects.write(file);
  file.put<std::int32_t>(done, {0}, {members.size()}, std::vector<std::int32_t>(members.size(), 0));
  file.sync();
}

BehaviourRecorder::~BehaviourRecorder() = default;

void BehaviourRecorder::trial(std::size_t member, std::int64_t trial,
                              std::span<const double> values) {
  NetcdfFile& file = table_->file;
  if (values.size() != columns_.size() || table_->written.at(member) != trial) {
    throw std::logic_error("behaviour.nc: trials come in order, with one value per column");
  }
  const std::size_t row = static_cast<std::size_t>(trial);
  file.put_value<std::int32_t>(file.variable_id("trial"), {row}, static_cast<std::int32_t>(trial));
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (columns_[i].is_integer) {
      const std::int32_t value = std::isnan(values[i])
                                     ? kMissingInteger
                                     : static_cast<std::int32_t>(std::llround(values[i]));
      file.put_value<std::int32_t>(ids_[i], {row, member}, value);
    } else {
      file.put_value<double>(ids_[i], {row, member}, values[i]);
    }
  }
  table_->written[member] = trial + 1;
  file.put_value<std::int32_t>(file.variable_id("trials_done"), {member},
                               static_cast<std::int32_t>(trial + 1));
  file.sync();
}

void BehaviourRecorder::sync_to_disk() { table_->file.sync_to_disk(); }

void BehaviourRecorder::save(StateWriter& writer) const {
  writer.shared<std::int64_t>("behaviour.written", table_->written);
}

void BehaviourRecorder::close() { table_->file.close(); }

}  // namespace quartet
