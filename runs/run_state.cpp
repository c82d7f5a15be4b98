#include "runs/run_state.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "regions/atlas.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/provenance.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

/// In behaviour.nc; comparisons leave out what begins with "provenance_".
constexpr char kEnded[] = "provenance_ended";

/// True where every member has done all of its trials.
bool has_all_trials(const NetcdfFile& behaviour, const Experiment& experiment) {
  const auto done = behaviour.get_all<std::int32_t>("trials_done");
  const std::vector<Member> members = experiment.members();
  if (done.size() != members.size()) return false;
  for (std::size_t m = 0; m < members.size(); ++m) {
    if (done[m] < trials_of(experiment.groups[members[m].group].blocks)) return false;
  }
  return true;
}

/// What a run leaves behind in any case, and all else that is there.
std::vector<fs::path> data_files(const fs::path& directory, const Experiment& experiment) {
  std::vector<fs::path> files;
  for (const std::string_view region : region_names()) {
    if (region == "body") continue;
    const std::string name(region);
    files.push_back(directory / (name + "_energy.nc"));
    if (experiment.record.rate_subjects > 0) files.push_back(directory / (name + ".nc"));
    if (experiment.record.spikes.wants(region, 0))
      files.push_back(directory / (name + "_spikes.nc"));
    // Of the regions thalamus alone has no plastic projections.
    if (experiment.record.weights_subjects > 0 && region != "thalamus")
      files.push_back(directory / (name + "_weights.nc"));
  }
  if (experiment.has_probes()) files.push_back(directory / "probes.nc");
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.path().extension() == ".nc") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

RunState look_at_run(const fs::path& directory, const Experiment& experiment) {
  RunState state;
  std::ifstream log(directory / "run.log");
  for (std::string line; std::getline(log, line);) {
    // "TIME checkpoint KEY", "TIME done after …"
    if (line.find("Z checkpoint ") != line.npos) state.logged = "a checkpoint";
    if (line.find("Z done after ") != line.npos) state.logged = "the end of the run";
  }
  // Runs of earlier versions have no mark; the table of traffic is what a run writes last.
  state.ended = fs::exists(directory / "traffic.csv");
  const fs::path behaviour = directory / "behaviour.nc";
  try {
    check_netcdf(behaviour);
    const NetcdfFile file = NetcdfFile::open_to_read(behaviour);
    state.all_trials = has_all_trials(file, experiment);
    state.ended = state.ended || !file.global_text(kEnded).empty();
    if (state.ended && !state.all_trials) {
      throw std::runtime_error(behaviour.string() +
                               ": lacks trials of the experiment in resolved.toml");
    }
    if (state.ended) {
      for (const fs::path& path : data_files(directory, experiment)) check_netcdf(path);
    }
  } catch (const std::exception& error) {
    state.problem = error.what();
  }
  return state;
}

void mark_ended(const fs::path& directory) {
  NetcdfFile file = NetcdfFile::open_to_write(directory / "behaviour.nc");
  file.replace_global_text(kEnded, build_provenance().created);
  file.sync_to_disk();
  file.close();
}

void check_netcdf(const fs::path& path) {
  if (!fs::exists(path)) throw std::runtime_error(path.string() + ": is missing");
  const std::string problem = cut_off(path);
  if (!problem.empty()) throw std::runtime_error(path.string() + ": " + problem);
  NetcdfFile::open_to_read(path);
}

}  // namespace quartet
