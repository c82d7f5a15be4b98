#include "runs/recorders/subject_table.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace quartet {

namespace {

/// Rows [first, last) of one column as if they had never been written.
void blank(NetcdfFile& file, int variable, NetcdfType type, std::size_t column, std::size_t first,
           std::size_t last) {
  std::vector<std::size_t> count = file.shape(variable);
  count[0] = last - first;
  count[1] = 1;
  std::size_t values = 1;
  for (std::size_t n : count) values *= n;
  std::vector<std::size_t> start(count.size(), 0);
  start[0] = first;
  start[1] = column;
  const auto put = [&](auto missing) {
    const std::vector<decltype(missing)> all(values, missing);
    file.put<decltype(missing)>(variable, start, count, all);
  };
  if (type == NetcdfType::i32) {
    put(kMissingInteger);
  } else if (type == NetcdfType::f32) {
    put(kMissingFloat);
  } else {
    put(kMissingReal);
  }
}

}  // namespace

void describe_variable(NetcdfFile& file, int id, const std::string& unit,
                       const std::string& long_name) {
  file.put_attribute(id, "long_name", long_name);
  file.put_attribute(id, "units", unit);
}

void define_header(NetcdfFile& file, const RecordedRun& run, const std::string& what) {
  file.put_attribute(NetcdfFile::global, "Conventions", "CF-1.8, ACDD-1.3");
  file.put_attribute(NetcdfFile::global, "title", run.title);
  file.put_attribute(NetcdfFile::global, "summary",
                     run.summary.empty() ? what : what + ". " + run.summary);
  file.put_attribute(NetcdfFile::global, "cut", run.cut);
  file.put_attribute(NetcdfFile::global, "keywords",
                     "motor learning, cerebellum, basal ganglia, spiking neural network");
  file.put_attribute(NetcdfFile::global, "source", "Quartet, simulation");
  file.put_attribute(NetcdfFile::global, "trial_duration_ms", run.trial_ms);
  put_provenance(file, run.provenance);
}

void describe_groups(NetcdfFile& file, int id, const RecordedRun& run) {
  std::vector<std::int32_t> indices;
  std::string names;
  for (const RecordedSubject& subject : run.subjects) {
    if (std::find(indices.begin(), indices.end(), subject.group_index) != indices.end()) continue;
    indices.push_back(subject.group_index);
    names += (names.empty() ? "" : " ") + subject.group;
  }
  describe_variable(file, id, "1", "group of the subject");
  file.put_attribute<std::int32_t>(id, "flag_values", std::span<const std::int32_t>(indices));
  file.put_attribute(id, "flag_meanings", names);
}

std::vector<std::string> padded_groups(const RecordedRun& run) {
  std::size_t length = 1;
  for (const RecordedSubject& subject : run.subjects)
    length = std::max(length, subject.group.size());
  std::vector<std::string> groups;
  for (const RecordedSubject& subject : run.subjects) {
    groups.push_back(subject.group);
    groups.back().resize(length, '\0');
  }
  return groups;
}

int column_of(std::span<const std::int32_t> members, std::int64_t member) {
  const auto at = std::find(members.begin(), members.end(), member);
  return at == members.end() ? -1 : static_cast<int>(at - members.begin());
}

void refuse_to_continue(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what +
                           "; resume with the experiment and the version of Quartet that began "
                           "the run, or start a new run with another --out");
}

int variable_to_continue(const NetcdfFile& file, const std::string& name) {
  if (!file.has_variable(name)) {
    refuse_to_continue(file.path(), "has no variable '" + name + "'");
  }
  return file.variable_id(name);
}

SubjectAxis::SubjectAxis(NetcdfFile& file, const RecordedRun& run,
                         std::span<const std::int32_t> members)
    : run_(run), members_(members), groups_(padded_groups(run)) {
  for (const RecordedSubject& subject : run.subjects)
    name_length_ = std::max(name_length_, subject.name.size());
  dimension_ = file.define_dimension("subject", members.size());
  const int name_length = file.define_dimension("subject_name_length", name_length_);
  const int group_length =
      file.define_dimension("group_name_length", groups_.empty() ? 1 : groups_[0].size());
  subject_ = file.define_variable("subject", NetcdfType::i32, {dimension_});
  describe_variable(file, subject_, "1", "subject, counted over all groups from 0");
  group_ = file.define_variable("group", NetcdfType::i32, {dimension_});
  describe_groups(file, group_, run);
  group_name_ = file.define_variable("group_name", NetcdfType::text, {dimension_, group_length});
  describe_variable(file, group_name_, "1", "name of the group of the subject");
  file.put_attribute(group_name_, "_Encoding", "utf-8");
  subject_name_ = file.define_variable("subject_name", NetcdfType::text, {dimension_, name_length});
  describe_variable(file, subject_name_, "1", "name of the subject");
  file.put_attribute(subject_name_, "_Encoding", "utf-8");
  seed_ = file.define_variable("seed", NetcdfType::u64, {dimension_});
  describe_variable(file, seed_, "1", "seed of the subject's random numbers");
  for (const auto& [key, unit, long_name] : run.varied) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '.', '_');
    varied_.push_back(file.define_variable(name, NetcdfType::f64, {dimension_}));
    describe_variable(file, varied_.back(), unit, key + ": " + long_name);
  }
}

void SubjectAxis::write(NetcdfFile& file) const {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const RecordedSubject& subject = run_.subjects.at(members_[i]);
    file.put_value<std::int32_t>(subject_, {i}, members_[i]);
    file.put_value<std::int32_t>(group_, {i}, subject.group_index);
    file.put_value<std::uint64_t>(seed_, {i}, subject.seed);
    for (std::size_t v = 0; v < varied_.size(); ++v)
      file.put_value<double>(varied_[v], {i}, subject.varied.at(v));
    std::string name = subject.name;
    name.resize(name_length_, '\0');
    file.put<char>(subject_name_, {i, 0}, {1, name_length_}, name);
    const std::string& group = groups_.at(members_[i]);
    file.put<char>(group_name_, {i, 0}, {1, group.size()}, group);
  }
}

std::unique_ptr<SubjectTable> SubjectTable::resume(const std::filesystem::path& path,
                                                   std::size_t subjects, StateReader& state,
                                                   const std::string& state_name) {
  std::vector<std::int64_t> written(subjects);
  state.shared<std::int64_t>(state_name, written);
  const std::int64_t records = *std::max_element(written.begin(), written.end());
  truncate_records(path, static_cast<std::uint64_t>(records));
  auto table = std::make_unique<SubjectTable>(NetcdfFile::open_to_write(path), subjects);
  table->written = std::move(written);
  const auto dimensions = table->file.dimensions();
  const auto variables = table->file.variables();
  for (std::size_t id = 0; id < variables.size(); ++id) {
    const std::vector<int>& axes = variables[id].dimensions;
    if (axes.size() < 2 || !dimensions[axes[0]].unlimited) continue;
    if (dimensions[axes[1]].size != subjects) {
      refuse_to_continue(path, "holds " + std::to_string(dimensions[axes[1]].size) +
                                   " subjects where the run records " + std::to_string(subjects));
    }
    for (std::size_t column = 0; column < subjects; ++column) {
      if (table->written[column] < records) {
        blank(table->file, static_cast<int>(id), variables[id].type, column, table->written[column],
              records);
      }
    }
  }
  return table;
}

}  // namespace quartet
