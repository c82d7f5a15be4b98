#include "runs/recording.hpp"

#include <fmt/format.h>

#include "regions/atlas.hpp"
#include "runs/checkpoint.hpp"
#include "runs/observations.hpp"

namespace quartet {
namespace {

RecordedRun describe(const Experiment& experiment, const Provenance& provenance) {
  RecordedRun run;
  run.title = experiment.title;
  run.summary = experiment.description;
  run.cut = experiment.cut;
  run.trial_ms = experiment.groups.front().body.trial_ms;
  run.provenance = provenance;
  const std::vector<std::string> varied = experiment.varied_keys();
  const std::vector<Member> members = experiment.members();
  for (const Member& member : members) {
    const Group& group = experiment.groups[member.group];
    const Subject subject = experiment.subject(member);
    run.subjects.push_back({group.name + "/" + std::to_string(member.subject), group.name,
                            static_cast<std::int32_t>(member.group), subject.seed, group.phases});
    for (const Number& number : numbers_of(subject, varied))
      run.subjects.back().varied.push_back(number.value);
  }
  const std::vector<Number> any = numbers_of(experiment.subject(members.front()), varied);
  for (std::size_t k = 0; k < varied.size(); ++k)
    run.varied.push_back({varied[k], any[k].unit, any[k].doc});
  return run;
}

RegionRecording what_of(std::string_view region, const Experiment& experiment) {
  const RecordParameters& record = experiment.record;
  RegionRecording recording;
  recording.bin_ms = record.rate_bin_ms;
  std::int32_t index = 0;
  for (const Member& member : experiment.members()) {
    if (member.subject < record.rate_subjects) recording.rate_members.push_back(index);
    if (record.spikes.wants(region, member.subject)) recording.spike_members.push_back(index);
    if (member.subject < record.weights_subjects) recording.weight_members.push_back(index);
    ++index;
  }
  return recording;
}

/// Name of a recorder's part of a checkpoint.
std::string part_of(std::string_view name) { return std::string(name) + "_recorder"; }

/// Calls `make(reader)` with a reader of the recorder's state, or with null where there is none.
template <class Make>
auto resumed(const std::optional<std::filesystem::path>& checkpoint, std::string_view name,
             Make make) {
  if (!checkpoint) return make(nullptr);
  CheckpointReader reader(*checkpoint, part_of(name));
  return make(&reader);
}

}  // namespace

std::vector<Column> behaviour_columns() {
  std::vector<Column> columns = {
      {"block", "1", "block of the schedule, from 0", true},
      {"target_angle", "degree",
       "direction of the target as in the schedule, before it jumps; of two, of the one that was "
       "chosen"},
      {"chose_second", "1",
       "whether the second of two targets was chosen; missing where neither was, or one was shown",
       true},
      {"rotation", "degree",
       "angle of the perturbation; 0 without one, and where the cursor is shifted"},
      {"angle_third", "degree", "direction of the hand at a third of the target's distance"},
      {"angle_end", "degree", "direction of the hand at the end of the reach"},
      {"cursor_angle", "degree", "direction of the cursor at the end of the reach"},
      {"error", "degree",
       "cursor_angle minus the direction of the target (where it jumped to); diagnostic, no region "
       "receives it"},
      {"reward", "1", "reward of the trial, 0 to 1"},
      {"punishment", "1", "punishment of the trial, 0 to 1"},
      {"reached", "1", "whether the hand travelled the target's distance in time", true},
      {"movement_time", "ms", "from 5 % of the target's distance to all of it"},
      {"path_length", "m", "length of the hand's path"},
      {"peak_speed", "m s-1", "highest speed of the hand"},
      {"fingers", "1",
       "fingers that the trial asks for, as the sum of 1 (thumb), 2 (index), 4 (middle), 8 (ring) "
       "and 16 (little finger)",
       true},
  };
  constexpr std::string_view fingers[] = {"thumb", "index", "middle", "ring", "little"};
  for (const std::string_view finger : fingers)
    columns.push_back({fmt::format("rate_{}", finger), "Hz",
                       fmt::format("mean rate of the {} finger's motor pool from when a cue can be "
                                   "seen to the movement's end",
                                   finger)});
  for (const std::string_view finger : fingers)
    columns.push_back({fmt::format("flexion_{}", finger), "degree",
                       fmt::format("largest flexion of the {} finger in that time", finger)});
  columns.push_back(
      {"individuation", "1",
       "1 - (mean flexion of the fingers that were not asked for) / (the least flexion "
       "of those that were), at least -1; missing where none were or one stayed still"});
  columns.push_back({"asked_individuation", "1",
                     "individuation from which the movement is a hit; missing where no finger was "
                     "asked for"});
  for (const std::string_view region : region_names()) {
    for (Column& column : observation_columns(region)) columns.push_back(std::move(column));
  }
  return columns;
}

Recording::Recording(const std::filesystem::path& directory, const Experiment& experiment,
                     const Provenance& provenance, std::span<const Region* const> regions,
                     const std::optional<std::filesystem::path>& checkpoint) {
  const RecordedRun run = describe(experiment, provenance);
  for (const Region* region : regions) {
    const std::string name(region->name());
    if (name == "body") {
      behaviour_ = resumed(checkpoint, "behaviour", [&](StateReader* state) {
        return std::make_unique<BehaviourRecorder>(directory, run, behaviour_columns(), state);
      });
      if (!experiment.has_probes()) continue;
      probes_ = resumed(checkpoint, "probes", [&](StateReader* state) {
        return std::make_unique<ProbeRecorder>(directory, run, state);
      });
      continue;
    }
    resumed(checkpoint, name, [&](StateReader* state) {
      regions_.try_emplace(name, directory, run, describe_region(*region),
                           what_of(name, experiment), state);
    });
  }
}

void Recording::begin_member(std::size_t member) {
  for (auto& [name, recorder] : regions_) recorder.begin_member(member);
}

void Recording::step(Step t, const Region& region) {
  const auto at = regions_.find(region.name());
  if (at != regions_.end()) at->second.step(t, region);
}

void Recording::trial(std::size_t member, std::int64_t trial, std::span<const double> values) {
  if (behaviour_) behaviour_->trial(member, trial, values);
}

void Recording::probe(std::size_t member, std::size_t block, std::int64_t trial, int muscle,
                      const Findings& found) {
  if (probes_) probes_->probe(member, block, trial, muscle, found);
}

RegionRecorder* Recording::recorder(std::string_view region) {
  const auto at = regions_.find(region);
  return at == regions_.end() ? nullptr : &at->second;
}

void Recording::save(const std::filesystem::path& checkpoint) {
  for (auto& [name, recorder] : regions_) {
    recorder.sync_to_disk();
    CheckpointWriter writer(part_of(name), 0, 1);
    recorder.save(writer);
    writer.write(checkpoint);
  }
  const auto save_one = [&](const char* name, auto& recorder) {
    if (!recorder) return;
    recorder->sync_to_disk();
    CheckpointWriter writer(part_of(name), 0, 1);
    recorder->save(writer);
    writer.write(checkpoint);
  };
  save_one("behaviour", behaviour_);
  save_one("probes", probes_);
}

void Recording::close() {
  for (auto& [name, recorder] : regions_) recorder.close();
  if (behaviour_) behaviour_->close();
  if (probes_) probes_->close();
}

}  // namespace quartet
