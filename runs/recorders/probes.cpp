#include "runs/recorders/probes.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace quartet {

namespace {
/// Attributes of an integer variable that stands for words (CF conventions, 3.5); an empty one is
/// "unnamed".
void describe_flags(NetcdfFile& file, int variable, const std::vector<std::string>& words) {
  std::vector<std::int32_t> values;
  std::string meanings;
  for (const std::string& word : words) {
    values.push_back(static_cast<std::int32_t>(values.size()));
    if (!meanings.empty()) meanings += ' ';
    meanings += word.empty() ? "unnamed" : word;
  }
  file.put_attribute(variable, "flag_values", std::span<const std::int32_t>(values));
  file.put_attribute(variable, "flag_meanings", meanings);
}
}  // namespace

ProbeRecorder::ProbeRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                             StateReader* resume_from)
    : file_(open(directory / "probes.nc", resume_from)) {
  const std::vector<std::string> phases = count_phases(run);
  if (resume_from != nullptr) {
    // Files of earlier versions may lack them.
    for (const char* name : {"group", "phase", "digit"}) variable_to_continue(file_, name);
    update_builds(file_, run.provenance);
  } else {
    define(run, phases);
  }
  file_.skip_filling();  // all records are written whole
}

NetcdfFile ProbeRecorder::open(const std::filesystem::path& path, StateReader* resume_from) {
  if (resume_from == nullptr) return NetcdfFile::create(path);
  resume_from->shared_value("probes.written", written_);
  truncate_records(path, written_);
  return NetcdfFile::open_to_write(path);
}

std::vector<std::string> ProbeRecorder::count_phases(const RecordedRun& run) {
  std::vector<std::string> phases;
  for (const RecordedSubject& subject : run.subjects) {
    group_.push_back(subject.group_index);
    phase_.emplace_back();
    for (const std::string& phase : subject.phases) {
      const auto at = std::find(phases.begin(), phases.end(), phase);
      phase_.back().push_back(static_cast<std::int32_t>(at - phases.begin()));
      if (at == phases.end()) phases.push_back(phase);
    }
  }
  return phases;
}

void ProbeRecorder::define(const RecordedRun& run, const std::vector<std::string>& phases) {
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
  describe_groups(file, integer("group", "group of the subject"), run);
  integer("block", "block before which the probe is, from 0");
  integer("trial", "trial before which the probe is, from 0");
  describe_flags(file, integer("phase", "phase of that block"), phases);
  describe_flags(file, integer("stage", "what the pulse is for"),
                 {std::begin(kStageNames), std::end(kStageNames)});
  integer("digit", "the only finger that is asked to move, 1 (thumb) to 5; 0: not one alone");
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
  real("polarization", "mV", "of the sheet's pyramidal cells, on top of the block's");
  real("onset", "ms",
       "for how long other fingers are asked to move before the test pulse; NaN: not");
  real("rmt", "1", "resting motor threshold of the target muscle; NaN: there is none");
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
                          const Findings& found) {
  const std::vector<StimulationTrial>& trials = found.trials;
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
  column("group", same(group_.at(member)), std::int32_t{});
  column("block", same(block), std::int32_t{});
  column("trial", same(trial), std::int32_t{});
  column("phase", same(phase_.at(member).at(block)), std::int32_t{});
  column(
      "stage", [](Row row) { return row.stage; }, std::int32_t{});
  column(
      "digit", [](Row row) { return row.stimulus.digit; }, std::int32_t{});
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
      "polarization", [](Row row) { return row.stimulus.polarization_mv; }, double{});
  column(
      "onset", [](Row row) { return row.stimulus.onset_ms; }, double{});
  column("rmt", same(found.rmt), double{});
  matrix(
      "mep", [](Row row) -> const auto& { return row.response.mep; });
  matrix(
      "background", [](Row row) -> const auto& { return row.response.background; });
  matrix(
      "volley", [](Row row) -> const auto& { return row.response.volley; });
  written_ += trials.size();
  file_.sync();
}

}  // namespace quartet
