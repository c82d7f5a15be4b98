#include "runs/recorder.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "models/math.hpp"

namespace quartet {

namespace {

constexpr std::int32_t missing_integer = -2147483647;  // NetCDF's own default
constexpr double missing_real = std::numeric_limits<double>::quiet_NaN();
constexpr float missing_float = std::numeric_limits<float>::quiet_NaN();
constexpr char subject_coordinates[] = "group group_name subject_name seed";

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

/// Name of each subject's group, all of the same length.
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

/// The dimension `subject` with its coordinates; `members` says which subjects a file holds.
class SubjectAxis {
 public:
  SubjectAxis(NetcdfFile& file, const RecordedRun& run, std::span<const std::int32_t> members)
      : run_(run), members_(members), groups_(padded_groups(run)) {
    std::vector<std::int32_t> group_indices;
    std::string group_names;
    for (const RecordedSubject& subject : run.subjects) {
      if (std::find(group_indices.begin(), group_indices.end(), subject.group_index) ==
          group_indices.end()) {
        group_indices.push_back(subject.group_index);
        group_names += (group_names.empty() ? "" : " ") + subject.group;
      }
      name_length_ = std::max(name_length_, subject.name.size());
    }
    dimension_ = file.define_dimension("subject", members.size());
    const int name_length = file.define_dimension("subject_name_length", name_length_);
    const int group_length =
        file.define_dimension("group_name_length", groups_.empty() ? 1 : groups_[0].size());
    subject_ = file.define_variable("subject", NetcdfType::i32, {dimension_});
    describe_variable(file, subject_, "1", "subject, counted over all groups from 0");
    group_ = file.define_variable("group", NetcdfType::i32, {dimension_});
    describe_variable(file, group_, "1", "group of the subject");
    file.put_attribute<std::int32_t>(group_, "flag_values",
                                     std::span<const std::int32_t>(group_indices));
    file.put_attribute(group_, "flag_meanings", group_names);
    group_name_ = file.define_variable("group_name", NetcdfType::text, {dimension_, group_length});
    describe_variable(file, group_name_, "1", "name of the group of the subject");
    file.put_attribute(group_name_, "_Encoding", "utf-8");
    subject_name_ =
        file.define_variable("subject_name", NetcdfType::text, {dimension_, name_length});
    describe_variable(file, subject_name_, "1", "name of the subject");
    file.put_attribute(subject_name_, "_Encoding", "utf-8");
    seed_ = file.define_variable("seed", NetcdfType::u64, {dimension_});
    describe_variable(file, seed_, "1", "seed of the subject's random numbers");
  }

  int dimension() const { return dimension_; }

  /// After end_definitions().
  void write(NetcdfFile& file) const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const RecordedSubject& subject = run_.subjects.at(members_[i]);
      file.put_value<std::int32_t>(subject_, {i}, members_[i]);
      file.put_value<std::int32_t>(group_, {i}, subject.group_index);
      file.put_value<std::uint64_t>(seed_, {i}, subject.seed);
      std::string name = subject.name;
      name.resize(name_length_, '\0');
      file.put<char>(subject_name_, {i, 0}, {1, name_length_}, name);
      const std::string& group = groups_.at(members_[i]);
      file.put<char>(group_name_, {i, 0}, {1, group.size()}, group);
    }
  }

 private:
  const RecordedRun& run_;
  std::span<const std::int32_t> members_;
  std::vector<std::string> groups_;  // of all subjects
  std::size_t name_length_ = 1;
  int dimension_, subject_, group_, group_name_, subject_name_, seed_;
};

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
    put(missing_integer);
  } else if (type == NetcdfType::f32) {
    put(missing_float);
  } else {
    put(missing_real);
  }
}

/// "cortex.nc: …": what a file on disk does not agree with.
[[noreturn]] void refuse_to_continue(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what +
                           "; resume with the experiment and the version of Quartet that began "
                           "the run, or start a new run with another --out");
}

}  // namespace

/// A file whose variables have dimensions (record, subject, …), written subject after subject: the
/// records grow with the first subject, and later ones fill in their column.
class SubjectTable {
 public:
  SubjectTable(NetcdfFile file, std::size_t subjects)
      : file(std::move(file)), written(subjects, 0) {}

  /// Opens a file again at what `state` counts, and drops all that was written after it.
  static std::unique_ptr<SubjectTable> resume(const std::filesystem::path& path,
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
          blank(table->file, static_cast<int>(id), variables[id].type, column,
                table->written[column], records);
        }
      }
    }
    return table;
  }

  NetcdfFile file;
  std::vector<std::int64_t> written;  ///< records of each subject
};

BehaviourRecorder::BehaviourRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                                     std::vector<Column> columns, StateReader* resume_from)
    : columns_(std::move(columns)) {
  const std::filesystem::path path = directory / "behaviour.nc";
  if (resume_from != nullptr) {
    table_ = SubjectTable::resume(path, run.subjects.size(), *resume_from, "behaviour.written");
    update_builds(table_->file, run.provenance);
    for (const Column& column : columns_) {
      if (!table_->file.has_variable(column.name)) {
        refuse_to_continue(path, "has no variable '" + column.name + "'");
      }
      ids_.push_back(table_->file.variable_id(column.name));
    }
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
  file.put_attribute(done, "coordinates", subject_coordinates);
  for (const Column& column : columns_) {
    const NetcdfType type = column.is_integer ? NetcdfType::i32 : NetcdfType::f64;
    const int id = file.define_variable(column.name, type, {trial, subjects.dimension()});
    describe_variable(file, id, column.unit, column.long_name);
    file.put_attribute(id, "coordinates", subject_coordinates);
    if (column.is_integer) {
      file.define_fill(id, missing_integer);
    } else {
      file.define_fill(id, missing_real);
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
                                     ? missing_integer
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

ProbeRecorder::ProbeRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                             StateReader* resume_from)
    : file_(open(directory / "probes.nc", resume_from)) {
  if (resume_from != nullptr) {
    update_builds(file_, run.provenance);
  } else {
    define(run);
  }
  file_.skip_filling();  // all records are written whole
}

NetcdfFile ProbeRecorder::open(const std::filesystem::path& path, StateReader* resume_from) {
  if (resume_from == nullptr) return NetcdfFile::create(path);
  resume_from->shared_value("probes.written", written_);
  truncate_records(path, written_);
  return NetcdfFile::open_to_write(path);
}

void ProbeRecorder::define(const RecordedRun& run) {
  NetcdfFile& file = file_;
  define_header(file, run, "Responses of the resting motor sheet to stimulation");
  file.put_attribute(NetcdfFile::global, "mep_window_ms", kMepMs);
  const int pulse = file.define_unlimited_dimension("pulse");
  const int muscle = file.define_dimension("muscle", kMuscles);
  std::size_t longest = 0;
  for (const MuscleField& field : kMuscleFields) longest = std::max(longest, field.name.size());
  const int letters = file.define_dimension("muscle_name_length", longest);
  const int time = file.define_dimension("time", kVolleyBins);

  const int name_id = file.define_variable("muscle_name", NetcdfType::text, {muscle, letters});
  describe_variable(file, name_id, "1", "name of the muscle");
  file.put_attribute(name_id, "_Encoding", "utf-8");
  const int muscle_x = file.define_variable("muscle_x", NetcdfType::f64, {muscle});
  describe_variable(file, muscle_x, "1", "centre of the muscle's field, sheet units");
  const int muscle_y = file.define_variable("muscle_y", NetcdfType::f64, {muscle});
  describe_variable(file, muscle_y, "1", "centre of the muscle's field, sheet units");
  const int time_id = file.define_variable("time", NetcdfType::f64, {time});
  describe_variable(file, time_id, "ms", "end of the bin, from the test pulse");

  const auto integer = [&](const char* name, const char* long_name) {
    const int id = file.define_variable(name, NetcdfType::i32, {pulse});
    describe_variable(file, id, "1", long_name);
    return id;
  };
  integer("subject", "subject, counted over all groups from 0");
  integer("block", "block before which the probe is, from 0");
  integer("trial", "trial before which the probe is, from 0");
  const int stage = integer("stage", "what the pulse is for");
  std::vector<std::int32_t> values;
  std::string meanings;
  for (const char* meaning : kStageNames) {
    values.push_back(static_cast<std::int32_t>(values.size()));
    if (!meanings.empty()) meanings += ' ';
    meanings += meaning;
  }
  file.put_attribute(stage, "flag_values", std::span<const std::int32_t>(values));
  file.put_attribute(stage, "flag_meanings", meanings);
  integer("target_muscle", "muscle whose threshold and test response are sought");
  const auto real = [&](const char* name, const char* unit, const char* long_name) {
    const int id = file.define_variable(name, NetcdfType::f64, {pulse});
    describe_variable(file, id, unit, long_name);
  };
  real("x", "1", "stimulated site, sheet units");
  real("y", "1", "stimulated site, sheet units");
  real("intensity", "1", "test pulse, in thresholds of layer 2/3 axons");
  real("conditioning", "1", "conditioning pulse, likewise; NaN: none");
  real("interval", "ms", "from the conditioning to the test pulse; NaN: none");
  real("rmt", "1", "resting motor threshold of the target muscle; NaN: not found yet");
  const auto of_muscles = [&](const char* name, const char* long_name) {
    const int id = file.define_variable(name, NetcdfType::f64, {pulse, muscle});
    describe_variable(file, id, "1", long_name);
  };
  of_muscles("mep",
             "spikes per corticospinal cell of the muscle within mep_window_ms after the test "
             "pulse, background included");
  of_muscles("background", "the same for as long a time at rest, from the 100 ms before");
  const int volley = file.define_variable("volley", NetcdfType::f64, {pulse, time});
  describe_variable(file, volley, "1",
                    "spikes per corticospinal cell of the target muscle in the bin");
  file.end_definitions();

  for (std::size_t m = 0; m < kMuscles; ++m) {
    std::string name(kMuscleFields[m].name);
    name.resize(longest, '\0');
    file.put<char>(name_id, {m, 0}, {1, longest}, name);
    file.put_value(muscle_x, {m}, kMuscleFields[m].x);
    file.put_value(muscle_y, {m}, kMuscleFields[m].y);
  }
  for (std::size_t bin = 0; bin < kVolleyBins; ++bin)
    file.put_value(time_id, {bin}, static_cast<double>(bin + 1) / kCortexSubsteps);
  file.sync();
}

void ProbeRecorder::probe(std::size_t member, std::size_t block, std::int64_t trial, int muscle,
                          std::span<const StimulationTrial> trials) {
  const auto column = [&]<class T>(const char* name, auto value_of, T) {
    std::vector<T> values;
    for (const StimulationTrial& row : trials) values.push_back(static_cast<T>(value_of(row)));
    file_.put<T>(file_.variable_id(name), {written_}, {values.size()}, values);
  };
  const auto matrix = [&](const char* name, auto row_of) {
    std::vector<double> values;
    std::size_t width = 0;
    for (const StimulationTrial& row : trials) {
      const auto& own = row_of(row);
      width = own.size();
      values.insert(values.end(), own.begin(), own.end());
    }
    file_.put<double>(file_.variable_id(name), {written_, 0}, {trials.size(), width}, values);
  };
  const auto same = [](auto value) { return [=](const StimulationTrial&) { return value; }; };
  using Row = const StimulationTrial&;
  column("subject", same(member), std::int32_t{});
  column("block", same(block), std::int32_t{});
  column("trial", same(trial), std::int32_t{});
  column(
      "stage", [](Row row) { return row.stage; }, std::int32_t{});
  column("target_muscle", same(muscle), std::int32_t{});
  column(
      "x", [](Row row) { return row.stimulus.x; }, double{});
  column(
      "y", [](Row row) { return row.stimulus.y; }, double{});
  column(
      "intensity", [](Row row) { return row.stimulus.intensity; }, double{});
  column(
      "conditioning", [](Row row) { return row.stimulus.conditioning; }, double{});
  column(
      "interval", [](Row row) { return row.stimulus.interval_ms; }, double{});
  column(
      "rmt", [](Row row) { return row.rmt; }, double{});
  matrix(
      "mep", [](Row row) -> const auto& { return row.response.mep; });
  matrix(
      "background", [](Row row) -> const auto& { return row.response.background; });
  matrix(
      "volley", [](Row row) -> const auto& { return row.response.volley; });
  written_ += trials.size();
  file_.sync();
}

RegionDescription describe_region(const Region& region) {
  return {std::string(region.name()),
          region.substeps(),
          {region.populations().begin(), region.populations().end()},
          {region.plastic_projections().begin(), region.plastic_projections().end()}};
}

namespace {

/// Position of `member` in `members`, −1 where it is not recorded.
int column_of(std::span<const std::int32_t> members, std::int64_t member) {
  const auto at = std::find(members.begin(), members.end(), member);
  return at == members.end() ? -1 : static_cast<int>(at - members.begin());
}

}  // namespace

/// <region>.nc.
class RegionRecorder::Rates {
 public:
  Rates(const std::filesystem::path& directory, const RecordedRun& run,
        const RegionDescription& region, const RegionRecording& recording, StateReader* resume_from)
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
      const std::string name = "rate_" + population.name;
      if (!table_->file.has_variable(name)) {
        refuse_to_continue(path, "has no variable '" + name + "'");
      }
      ids_.push_back(table_->file.variable_id(name));
    }
  }

  void begin_member(std::size_t member) {
    flush();
    member_ = static_cast<std::int64_t>(member);
    column_ = column_of(members_, member_);
    std::fill(counts_.begin(), counts_.end(), 0);
  }

  void step(Step t, const Region& region) {
    if (column_ < 0) return;
    for (std::size_t p = 0; p < counts_.size(); ++p) counts_[p] += region.spikes(p).size();
    if ((t + 1) % bin_ms_ != 0) return;
    const std::int64_t bin =
        table_->written[column_] + static_cast<std::int64_t>(pending_times_.size());
    if (bin != t / bin_ms_) throw std::logic_error("recorder: timesteps come in order, from 0");
    pending_times_.push_back(static_cast<double>(t + 1));
    pending_trials_.push_back(static_cast<std::int32_t>(t / trial_ms_));
    for (std::size_t p = 0; p < counts_.size(); ++p) {
      const double cell_seconds =
          region.populations()[p].size * 1e-3 * static_cast<double>(bin_ms_);
      pending_[p].push_back(static_cast<float>(static_cast<double>(counts_[p]) / cell_seconds));
      counts_[p] = 0;
    }
    if (pending_times_.size() >= 256) flush();
  }

  void flush() {
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

  void save(StateWriter& writer) const {
    writer.shared<std::int64_t>("rates.written", table_->written);
    writer.shared_value("rates.member", member_);
    writer.shared<std::uint64_t>("rates.counts", counts_);
  }

  NetcdfFile& file() { return table_->file; }

 private:
  void define(const RecordedRun& run, const RegionDescription& region) {
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
      describe_variable(file, id, "Hz", "mean firing rate of " + population.long_name);
      file.put_attribute(id, "cell_methods", "time: mean");
      file.put_attribute(id, "cells", static_cast<std::int64_t>(population.size));
      file.put_attribute(id, "coordinates", std::string("trial ") + subject_coordinates);
      file.define_fill(id, missing_float);
    }
    file.end_definitions();
    subjects.write(file);
    file.sync();
  }

  std::vector<std::int32_t> members_;
  std::int64_t bin_ms_;
  std::int64_t trial_ms_;
  std::unique_ptr<SubjectTable> table_;
  int time_ = -1;
  int trial_ = -1;
  std::vector<int> ids_;  // per population
  std::int64_t member_ = -1;
  int column_ = -1;
  std::vector<std::uint64_t> counts_;  // spikes in the open bin, per population
  std::vector<double> pending_times_;
  std::vector<std::int32_t> pending_trials_;
  std::vector<std::vector<float>> pending_;  // per population
};

/// <region>_spikes.nc.
class RegionRecorder::Spikes {
 public:
  Spikes(const std::filesystem::path& directory, const RecordedRun& run,
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

  void begin_member(std::size_t member) {
    member_ = static_cast<std::int64_t>(member);
    recorded_ = column_of(members_, member_) >= 0;
  }

  void step(Step t, const Region& region) {
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

  void flush() {
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

  void save(StateWriter& writer) const {
    writer.shared_value("spikes.written", written_);
    writer.shared_value("spikes.member", member_);
  }

  NetcdfFile& file() { return file_; }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from) {
    if (resume_from == nullptr) return NetcdfFile::create(path);
    resume_from->shared_value("spikes.written", written_);
    truncate_records(path, written_);
    return NetcdfFile::open_to_write(path);
  }

  void define(const RecordedRun& run, const RegionDescription& region) {
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

  std::vector<std::int32_t> members_;
  std::size_t populations_;
  double substep_ms_;
  std::uint64_t written_ = 0;
  NetcdfFile file_;  // after written_, which open() reads
  int time_ = -1, subject_ = -1, population_ = -1, cell_ = -1;
  std::int64_t member_ = -1;
  bool recorded_ = false;
  std::vector<double> times_;
  std::vector<std::int32_t> subjects_;
  std::vector<std::int32_t> population_indices_;
  std::vector<std::uint32_t> cells_;
};

/// <region>_weights.nc.
class RegionRecorder::Weights {
 public:
  Weights(const std::filesystem::path& directory, const RecordedRun& run,
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
    const auto id_of = [&](const std::string& name) {
      if (!file_.has_variable(name)) {
        refuse_to_continue(file_.path(), "has no variable '" + name + "'");
      }
      return file_.variable_id(name);
    };
    group_name_ = id_of("group_name");
    for (const ProjectionInfo& projection : projections_) {
      ids_.push_back(id_of("weight_" + projection.name));
      source_ids_.push_back(id_of("source_" + projection.name));
    }
  }

  bool records(std::int64_t member) const { return column_of(members_, member) >= 0; }

  void begin(std::size_t member, std::int64_t trial, Step t) {
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

  void put(std::size_t index, std::uint32_t first, std::span<const float> values,
           std::span<const std::uint32_t> sources) {
    if (!open_ || values.empty()) return;
    const ProjectionInfo& projection = projections_.at(index);
    const std::size_t rows = values.size() / projection.in_degree;
    if (values.size() % projection.in_degree != 0 || first + rows > projection.targets) {
      throw std::runtime_error(
          file_.path().string() + ": projection '" + projection.name +
          "' has another size in this group than in the first; give all groups the same sizes "
          "(brain.scale), or set record.weights_subjects = 0");
    }
    file_.put<float>(ids_[index], {snapshots_, first, 0}, {1, rows, projection.in_degree}, values);
    if (!sources.empty()) {
      file_.put<std::uint32_t>(source_ids_[index], {static_cast<std::size_t>(column_), first, 0},
                               {1, rows, projection.in_degree}, sources);
    }
    rows_[index] += rows;
  }

  void end() {
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

  void save(StateWriter& writer) const { writer.shared_value("weights.snapshots", snapshots_); }

  NetcdfFile& file() { return file_; }

 private:
  NetcdfFile open(const std::filesystem::path& path, StateReader* resume_from) {
    if (resume_from == nullptr) return NetcdfFile::create(path);
    resume_from->shared_value("weights.snapshots", snapshots_);
    truncate_records(path, snapshots_);
    return NetcdfFile::open_to_write(path);
  }

  void define(const RecordedRun& run, const RegionDescription& region) {
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
    // Each subject has its own wiring, the same in all its snapshots.
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
      file_.put_attribute(id, "coordinates",
                          "subject trial time_ms group_name" + target_coordinate);
      // No _FillValue: with one, readers make floating-point numbers of the indices.
      const int source =
          file_.define_variable("source_" + name, NetcdfType::u32, {wired, target, synapse});
      describe_variable(file_, source, "1",
                        "source cell of each synapse of projection " + name +
                            ", index within its population, from 0");
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

  std::vector<std::int32_t> members_;
  std::vector<ProjectionInfo> projections_;
  std::vector<std::string> groups_;  // name of its group, padded, by member
  std::uint64_t snapshots_ = 0;
  NetcdfFile file_;  // after snapshots_, which open() reads
  int group_name_ = -1;
  std::vector<int> ids_, source_ids_;  // per projection
  int column_ = -1;                    // of the open snapshot's member
  std::vector<std::size_t> rows_;      // rows of the open snapshot, per projection
  bool open_ = false;
};

/// <region>_energy.nc: counts and joules of every trial.
class RegionRecorder::Energy {
 public:
  Energy(const std::filesystem::path& directory, const RecordedRun& run,
         const RegionDescription& region, StateReader* resume_from)
      : region_(region), seconds_(1e-3 * static_cast<double>(run.trial_ms)) {
    const std::filesystem::path path = directory / (region.name + "_energy.nc");
    if (resume_from != nullptr) {
      table_ = SubjectTable::resume(path, run.subjects.size(), *resume_from, "energy.written");
      update_builds(table_->file, run.provenance);
    } else {
      table_ = std::make_unique<SubjectTable>(NetcdfFile::create(path), run.subjects.size());
      define(run);
    }
    const auto id_of = [&](const std::string& name) {
      if (!table_->file.has_variable(name)) {
        refuse_to_continue(path, "has no variable '" + name + "'");
      }
      return table_->file.variable_id(name);
    };
    trial_ = id_of("trial");
    for (const Count& count : kCounts) ids_.push_back(id_of(count.name));
    rule_of_thumb_ = id_of("energy_rule_of_thumb");
    energy_ = id_of("energy");
  }

  void trial(std::size_t member, std::int64_t trial, std::span<const energy::Activity> activity) {
    const std::size_t populations = region_.populations.size();
    if (activity.size() != populations || table_->written.at(member) != trial) {
      throw std::logic_error(
          "recorder: trials come in order, with the activity of every population");
    }
    NetcdfFile& file = table_->file;
    const auto row = static_cast<std::size_t>(trial);
    file.put_value<std::int32_t>(trial_, {row}, static_cast<std::int32_t>(trial));
    std::vector<double> values(populations);
    const auto put = [&](int id, auto value) {
      std::transform(activity.begin(), activity.end(), values.begin(), value);
      file.put<double>(id, {row, member, 0}, {1, 1, populations}, values);
    };
    for (std::size_t i = 0; i < kCounts.size(); ++i) {
      put(ids_[i],
          [&](const energy::Activity& a) { return static_cast<double>(a.*(kCounts[i].count)); });
    }
    put(rule_of_thumb_, [](const energy::Activity& a) {
      return energy::rule_of_thumb(static_cast<double>(a.spikes));
    });
    std::vector<double> joules;
    for (std::size_t p = 0; p < populations; ++p) {
      const energy::Ledger ledger = energy::ledger(
          activity[p], energy::true_in_degree(region_.populations[p].name), seconds_);
      joules.insert(joules.end(), ledger.begin(), ledger.end());
    }
    file.put<double>(energy_, {row, member, 0, 0}, {1, 1, populations, energy::kTerms.size()},
                     joules);
    table_->written[member] = trial + 1;
    file.sync();
  }

  void save(StateWriter& writer) const {
    writer.shared<std::int64_t>("energy.written", table_->written);
  }

  NetcdfFile& file() { return table_->file; }

 private:
  struct Count {
    const char* name;
    const char* long_name;
    std::int64_t energy::Activity::*count;
  };
  static constexpr std::array<Count, 6> kCounts = {{
      {"cells", "cells that are not removed", &energy::Activity::cells},
      {"spikes", "spikes of all cells", &energy::Activity::spikes},
      {"excitatory_arrivals", "spikes that arrived at excitatory synapses, before release fails",
       &energy::Activity::excitatory},
      {"inhibitory_arrivals", "spikes that arrived at inhibitory synapses, before release fails",
       &energy::Activity::inhibitory},
      {"plastic_arrivals", "those of both that arrived at plastic synapses",
       &energy::Activity::plastic},
      {"synapses", "synapses on all cells, also removed ones", &energy::Activity::synapses},
  }};

  /// A coordinate of names along `dimension`.
  template <class Names>
  static void put_names(NetcdfFile& file, int id, const Names& names, std::size_t length) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string name(names[i]);
      name.resize(length, '\0');
      file.put<char>(id, {i, 0}, {1, length}, name);
    }
  }

  void define(const RecordedRun& run) {
    NetcdfFile& file = table_->file;
    define_header(file, run, "Energy that the populations of the " + region_.name + " use");
    std::vector<std::int32_t> members(run.subjects.size());
    for (std::size_t i = 0; i < members.size(); ++i) members[i] = static_cast<std::int32_t>(i);
    const SubjectAxis subjects(file, run, members);
    const int trial = file.define_unlimited_dimension("trial");
    describe_variable(file, file.define_variable("trial", NetcdfType::i32, {trial}), "1",
                      "trial of the subject, from 0");
    std::vector<std::string> names;
    std::vector<double> in_degrees;
    std::size_t length = 1;
    for (const PopulationInfo& population : region_.populations) {
      names.push_back(population.name);
      in_degrees.push_back(energy::true_in_degree(population.name));
      length = std::max(length, population.name.size());
    }
    const int population = file.define_dimension("population", names.size());
    const int population_names =
        file.define_variable("population", NetcdfType::text,
                             {population, file.define_dimension("population_name_length", length)});
    describe_variable(file, population_names, "1", "population");
    file.put_attribute(population_names, "_Encoding", "utf-8");
    std::size_t term_length = 1;
    for (const std::string_view name : energy::kTerms)
      term_length = std::max(term_length, name.size());
    const int term = file.define_dimension("term", energy::kTerms.size());
    const int term_names = file.define_variable(
        "term", NetcdfType::text, {term, file.define_dimension("term_name_length", term_length)});
    describe_variable(file, term_names, "1", "what the energy is used for");
    file.put_attribute(term_names, "_Encoding", "utf-8");
    const int in_degree = file.define_variable("true_in_degree", NetcdfType::f64, {population});
    describe_variable(file, in_degree, "1",
                      "synapses on a cell of the rat, to which arrivals are scaled up");
    const auto define_variable = [&](const char* name, const char* unit, const char* long_name,
                                     const std::vector<int>& dimensions) {
      const int id = file.define_variable(name, NetcdfType::f64, dimensions);
      describe_variable(file, id, unit, long_name);
      file.put_attribute(id, "coordinates", subject_coordinates);
      file.define_fill(id, missing_real);
      return id;
    };
    const int subject = subjects.dimension();
    for (const Count& count : kCounts)
      define_variable(count.name, "1", count.long_name, {trial, subject, population});
    define_variable("energy_rule_of_thumb", "J", "2 nJ for every spike",
                    {trial, subject, population});
    const int joules =
        define_variable("energy", "J", "ledger of the energy used, by term; their sum is the total",
                        {trial, subject, population, term});
    file.put_attribute(joules, "assumed",
                       "plasticity: 7.6 % of transmission at plastic synapses; inhibitory vesicles "
                       "cost 0.2 of excitatory ones; 8000 synapses on cells without a number of "
                       "their own");
    file.end_definitions();
    subjects.write(file);
    put_names(file, population_names, names, length);
    put_names(file, term_names, energy::kTerms, term_length);
    file.put<double>(in_degree, {0}, {in_degrees.size()}, in_degrees);
    file.sync();
  }

  RegionDescription region_;
  double seconds_;  // of a trial
  std::unique_ptr<SubjectTable> table_;
  int trial_ = -1, rule_of_thumb_ = -1, energy_ = -1;
  std::vector<int> ids_;  // of kCounts
};

RegionRecorder::RegionRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                               RegionDescription region, const RegionRecording& recording,
                               StateReader* resume_from)
    : region_(std::move(region)) {
  if (!recording.rate_members.empty() && !region_.populations.empty()) {
    rates_ = std::make_unique<Rates>(directory, run, region_, recording, resume_from);
  }
  if (!recording.spike_members.empty() && !region_.populations.empty()) {
    spikes_ = std::make_unique<Spikes>(directory, run, region_, recording, resume_from);
  }
  if (!recording.weight_members.empty() && !region_.projections.empty()) {
    weights_ = std::make_unique<Weights>(directory, run, region_, recording, resume_from);
  }
  if (!region_.populations.empty()) {
    energy_ = std::make_unique<Energy>(directory, run, region_, resume_from);
  }
}

RegionRecorder::~RegionRecorder() = default;

void RegionRecorder::begin_member(std::size_t member) {
  if (rates_) rates_->begin_member(member);
  if (spikes_) spikes_->begin_member(member);
}

void RegionRecorder::step(Step t, const Region& region) {
  if (rates_) rates_->step(t, region);
  if (spikes_) spikes_->step(t, region);
}

void RegionRecorder::trial(std::size_t member, std::int64_t trial,
                           std::span<const energy::Activity> activity) {
  if (energy_) energy_->trial(member, trial, activity);
}

bool RegionRecorder::records_weights(std::size_t member) const {
  return weights_ && weights_->records(static_cast<std::int64_t>(member));
}

void RegionRecorder::begin_snapshot(std::size_t member, std::int64_t trial, Step t) {
  if (weights_) weights_->begin(member, trial, t);
}

void RegionRecorder::put_weights(std::size_t projection, std::uint32_t first,
                                 std::span<const float> values,
                                 std::span<const std::uint32_t> sources) {
  if (weights_) weights_->put(projection, first, values, sources);
}

void RegionRecorder::end_snapshot() {
  if (weights_) weights_->end();
}

void RegionRecorder::sync_to_disk() {
  if (rates_) {
    rates_->flush();
    rates_->file().sync_to_disk();
  }
  if (spikes_) {
    spikes_->flush();
    spikes_->file().sync_to_disk();
  }
  if (weights_) weights_->file().sync_to_disk();
  if (energy_) energy_->file().sync_to_disk();
}

void RegionRecorder::save(StateWriter& writer) const {
  if (rates_) rates_->save(writer);
  if (spikes_) spikes_->save(writer);
  if (weights_) weights_->save(writer);
  if (energy_) energy_->save(writer);
}

void RegionRecorder::close() {
  if (rates_) {
    rates_->flush();
    rates_->file().close();
  }
  if (spikes_) {
    spikes_->flush();
    spikes_->file().close();
  }
  if (weights_) weights_->file().close();
  if (energy_) energy_->file().close();
}

TrialObserver::TrialObserver(std::string name, PopulationInfo population, Step from_ms, Step to_ms)
    : name_(std::move(name)),
      population_(std::move(population)),
      from_(from_ms),
      to_(to_ms),
      counts_(population_.size, 0) {
  if (from_ < 0 || to_ <= from_) {
    throw std::invalid_argument("observer '" + name_ + "': its window (" + std::to_string(from_) +
                                ", " + std::to_string(to_) + "] ms is empty");
  }
  for (float direction : population_.preferred_direction_deg) {
    cosines_.push_back(math::cos(math::radians(direction)));
    sines_.push_back(math::sin(math::radians(direction)));
  }
}

void TrialObserver::begin_trial() { std::fill(counts_.begin(), counts_.end(), 0); }

void TrialObserver::step(Step t, std::span<const Spike> spikes) {
  if (t < from_ || t >= to_) return;
  for (const Spike& spike : spikes) ++counts_[spike.id];
}

double TrialObserver::mean_rate() const {
  std::uint64_t total = 0;
  for (std::uint32_t count : counts_) total += count;
  return static_cast<double>(total) /
         (static_cast<double>(counts_.size()) * 1e-3 * static_cast<double>(to_ - from_));
}

double TrialObserver::angle() const {
  double x = 0.0;
  double y = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < cosines_.size(); ++i) {
    x += counts_[i] * cosines_[i];
    y += counts_[i] * sines_[i];
    total += counts_[i];
  }
  // Counts that cancel leave a vector of rounding errors, which points nowhere.
  if (x * x + y * y <= 1e-18 * total * total) return missing_real;
  return math::wrap_degrees(math::degrees(math::atan2(y, x)));
}

void TrialObserver::save(StateWriter& writer) const {
  writer.shared<std::uint32_t>(name_ + ".counts", counts_);
}

void TrialObserver::load(StateReader& reader) {
  reader.shared<std::uint32_t>(name_ + ".counts", counts_);
}

}  // namespace quartet
