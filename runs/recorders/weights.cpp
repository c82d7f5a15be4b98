#include "runs/recorders/weights.hpp"

#include <stdexcept>
#include <utility>

namespace quartet {

WeightsRecorder::WeightsRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                                 const RegionDescription& region, const RegionRecording& recording,
                                 StateReader* resume_from)
    : members_(recording.weight_members),
      projections_(region.projections),
      groups_(padded_groups(run)),
      file_(open(directory / (region.name + "_weights.nc"), resume_from)) {
  if (resume_from == nullptr) {
    define(run, region);
  } else {
    update_builds(file_, run.provenance);
  }
  file_.skip_filling();  // all records are written whole
  const auto id_of = [&](const std::string& name) { return variable_to_continue(file_, name); };
  group_name_ = id_of("group_name");
  for (const ProjectionInfo& projection : projections_) {
    ids_.push_back(id_of("weight_" + projection.name));
    source_ids_.push_back(id_of("source_" + projection.name));
    spine_ids_.push_back(projection.structural ? id_of("spine_" + projection.name) : -1);
    day_ids_.push_back(projection.structural ? id_of("formed_day_" + projection.name) : -1);
  }
}

void WeightsRecorder::begin(std::size_t member, std::int64_t trial, Step t) {
  column_ = column_of(members_, static_cast<std::int64_t>(member));
  open_ = column_ >= 0;
  if (!open_) return;
  rows_.assign(projections_.size(), 0);
  file_.put_value<std::int32_t>(file_.variable_id("subject"), {snapshots_},
                                static_cast<std::int32_t>(member));
  file_.put_value<std::int32_t>(file_.variable_id("trial"), {snapshots_},
                                static_cast<std::int32_t>(trial));
  file_.put_value<double>(file_.variable_id("time_ms"), {snapshots_}, static_cast<double>(t));
  const std::string& group = groups_.at(member);
  file_.put<char>(group_name_, {snapshots_, 0}, {1, group.size()}, group);
}

void WeightsRecorder::put(std::size_t index, std::uint32_t first, std::span<const float> values,
                          std::span<const std::uint32_t> sources, const Spines& spines) {
  if (!open_ || values.empty()) return;
  const ProjectionInfo& projection = projections_.at(index);
  const std::size_t rows = values.size() / projection.in_degree;
  if (values.size() % projection.in_degree != 0 || first + rows > projection.targets) {
    throw std::runtime_error(
        file_.path().string() + ": projection '" + projection.name +
        "' has another size in this group than in the first; give all groups the same sizes "
        "(brain.scale), or set record.weights_subjects = 0");
  }
  const std::vector<std::size_t> count{1, rows, projection.in_degree};
  file_.put<float>(ids_[index], {snapshots_, first, 0}, count, values);
  if (!sources.empty()) {
    const std::size_t wiring =
        projection.structural ? snapshots_ : static_cast<std::size_t>(column_);
    file_.put<std::uint32_t>(source_ids_[index], {wiring, first, 0}, count, sources);
  }
  if (projection.structural) {
    file_.put<std::uint8_t>(spine_ids_[index], {snapshots_, first, 0}, count, spines.state);
    file_.put<float>(day_ids_[index], {snapshots_, first, 0}, count, spines.formed_day);
  }
  rows_[index] += rows;
}

void WeightsRecorder::end() {
  if (!open_) return;
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    if (rows_[p] != projections_[p].targets) {
      throw std::runtime_error(
          file_.path().string() + ": snapshot has " + std::to_string(rows_[p]) + " of " +
          std::to_string(projections_[p].targets) + " rows of '" + projections_[p].name +
          "'; give all groups the same sizes (brain.scale), or set "
          "record.weights_subjects = 0");
    }
  }
  open_ = false;
  ++snapshots_;
  file_.sync();
}

NetcdfFile WeightsRecorder::open(const std::filesystem::path& path, StateReader* resume_from) {
  if (resume_from == nullptr) return NetcdfFile::create(path);
  resume_from->shared_value("weights.snapshots", snapshots_);
  truncate_records(path, snapshots_);
  return NetcdfFile::open_to_write(path);
}

void WeightsRecorder::define(const RecordedRun& run, const RegionDescription& region) {
  define_header(file_, run, "Snapshots of the plastic weights of the " + region.name);
  file_.put_attribute(NetcdfFile::global, "recorded_subjects",
                      std::span<const std::int32_t>(members_));
  const int snapshot = file_.define_unlimited_dimension("snapshot");
  const int subject = file_.define_variable("subject", NetcdfType::i32, {snapshot});
  describe_variable(file_, subject, "1", "subject, counted over all groups from 0");
  const int trial = file_.define_variable("trial", NetcdfType::i32, {snapshot});
  describe_variable(file_, trial, "1", "number of trials that the subject had done");
  const int time = file_.define_variable("time_ms", NetcdfType::f64, {snapshot});
  describe_variable(file_, time, "ms", "time of the snapshot, from the subject's start");
  const int group = file_.define_variable(
      "group_name", NetcdfType::text,
      {snapshot, file_.define_dimension("group_name_length", groups_.front().size())});
  describe_variable(file_, group, "1", "name of the group of the subject");
  file_.put_attribute(group, "_Encoding", "utf-8");
  // Each subject has its own wiring, the same in all its snapshots unless synapses come and go.
  const int wired = file_.define_dimension("recorded_subject", members_.size());
  const int wired_id = file_.define_variable("recorded_subject", NetcdfType::i32, {wired});
  describe_variable(file_, wired_id, "1", "subject, counted over all groups from 0");
  std::vector<std::pair<int, std::span<const float>>> fixed;
  const auto define_directions = [&](const std::string& name, int dimension,
                                     std::span<const float> values, const char* whose) {
    const int id = file_.define_variable(name, NetcdfType::f32, {dimension});
    describe_variable(file_, id, "degree", std::string("preferred direction of the ") + whose);
    fixed.emplace_back(id, values);
  };
  const auto define_places = [&](const std::string& which, const std::string& name, int dimension,
                                 std::span<const float> x, std::span<const float> y) {
    for (const auto& [axis, values] : {std::pair{"x", x}, std::pair{"y", y}}) {
      const int id =
          file_.define_variable(which + "_" + axis + "_" + name, NetcdfType::f32, {dimension});
      describe_variable(file_, id, "1",
                        "place of the " + which + " cells on the motor sheet, sheet units");
      fixed.emplace_back(id, values);
    }
  };
  for (const ProjectionInfo& projection : projections_) {
    const std::string& name = projection.name;
    const int target = file_.define_dimension("target_" + name, projection.targets);
    const int synapse = file_.define_dimension("synapse_" + name, projection.in_degree);
    std::string target_coordinate;
    if (!projection.target_direction_deg.empty()) {
      define_directions("target_direction_" + name, target, projection.target_direction_deg,
                        "target cells");
      target_coordinate = " target_direction_" + name;
    }
    if (!projection.target_x.empty())
      define_places("target", name, target, projection.target_x, projection.target_y);
    const int id =
        file_.define_variable("weight_" + name, NetcdfType::f32, {snapshot, target, synapse});
    describe_variable(file_, id, projection.unit,
                      "synaptic weights of projection " + name +
                          (projection.unit == "1" ? ", in leak conductances" : ""));
    file_.put_attribute(id, "coordinates", "subject trial time_ms group_name" + target_coordinate);
    // No _FillValue: with one, readers make floating-point numbers of the indices.
    const int source =
        file_.define_variable("source_" + name, NetcdfType::u32,
                              {projection.structural ? snapshot : wired, target, synapse});
    describe_variable(
        file_, source, "1",
        "source cell of each synapse of projection " + name +
            ", index within its population, from 0; as many as there are cells: no synapse");
    if (projection.structural) {
      const int spine =
          file_.define_variable("spine_" + name, NetcdfType::u8, {snapshot, target, synapse});
      describe_variable(file_, spine, "1",
                        "spines of projection " + name + ": 0 none, 1 transient, 2 stable");
      const int day =
          file_.define_variable("formed_day_" + name, NetcdfType::f32, {snapshot, target, synapse});
      describe_variable(file_, day, "d",
                        "model day on which the synapse formed; 0: there at the start, or none");
    }
    file_.put_attribute(source, "cells", static_cast<std::int64_t>(projection.sources));
    if (projection.source_direction_deg.empty() && projection.source_x.empty()) continue;
    const int cell = file_.define_dimension("source_cell_" + name, projection.sources);
    if (!projection.source_direction_deg.empty()) {
      define_directions("source_direction_" + name, cell, projection.source_direction_deg,
                        "source cells");
    }
    if (!projection.source_x.empty())
      define_places("source", name, cell, projection.source_x, projection.source_y);
  }
  file_.end_definitions();
  file_.put<std::int32_t>(wired_id, {0}, {members_.size()}, members_);
  for (const auto& [id, values] : fixed) file_.put<float>(id, {0}, {values.size()}, values);
  file_.sync();
}

}  // namespace quartet
