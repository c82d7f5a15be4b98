/// The simulation loop: subject after subject, timestep after timestep, on every rank.
///
/// A subject's timestep is MemberRun::advance. At the end of a trial the ranks bring together what
/// they saw of it, at the end of a block the weights, and now and then, or when a signal asks to
/// stop, a checkpoint.

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "comm/handshake.hpp"
#include "comm/inprocess_communicator.hpp"
#include "comm/mpi_communicator.hpp"
#include "comm/mpi_library.hpp"
#include "comm/placement.hpp"
#include "models/math.hpp"
#include "regions/atlas.hpp"
#include "runs/brain_at_rest.hpp"
#include "runs/checkpoint.hpp"
#include "runs/durable_file.hpp"
#include "runs/inspect.hpp"
#include "runs/launcher.hpp"
#include "runs/member_run.hpp"
#include "runs/progress.hpp"
#include "runs/provenance.hpp"
#include "runs/recording.hpp"
#include "runs/run.hpp"
#include "runs/run_lock.hpp"
#include "runs/run_state.hpp"
#include "runs/signals.hpp"

namespace quartet {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kThen = ", then ";  // between builds of which one went on with a run

/// The last of the builds in a text of provenance.
std::string last_build(const std::string& builds) {
  const std::size_t then = builds.rfind(kThen);
  return then == builds.npos ? builds : builds.substr(then + kThen.size());
}

std::string followed_by(const std::string& builds, const std::string& build) {
  return last_build(builds) == build ? builds : fmt::format("{}{}{}", builds, kThen, build);
}

/// One rank's part in a run.
class Simulation {
 public:
  Simulation(Communicator& world, const Experiment& experiment, const RunOptions& options);
  int run();

 private:
  /// Makes the run directory, or finds what to continue from. Collective.
  void open_directory();
  /// Whether nothing is left to do, on rank 0; throws where files of an ended run are damaged.
  bool is_complete() const;
  /// Throws where work of this run would be lost, on rank 0.
  void refuse_to_begin_anew() const;
  /// Where to go on from `latest`, on rank 0; throws where this run cannot.
  void go_on_from(const Checkpoint& latest);
  /// True where the member is done, false where all ranks stopped with a checkpoint.
  bool run_member(std::size_t index);
  /// Makes the lesion, polarises the sheet and carries out the probe of the block that is to begin,
  /// if it has them. False where a signal stopped the probe: the member is then as it was before
  /// the probe.
  bool begin_block(MemberRun& member);
  bool run_probe(MemberRun& member, std::size_t block);
  void end_trial(MemberRun& member);
  void write_checkpoint(MemberRun& member);
  /// The same with the present member's.
  std::vector<std::int64_t> traffic(const MemberRun& member) const;
  void write_traffic();
  std::int64_t trials_of(std::size_t member) const;
  bool any(std::string_view name, bool mine);
  void warn_without_lock() const;
  /// A line in run.log, on rank 0.
  void log(const std::string& text);

  Communicator& world_;
  const Experiment& experiment_;
  const RunOptions& options_;
  const std::vector<Member> members_;
  const std::string digest_;
  const Placement placement_;
  Provenance provenance_;
  std::int64_t every_trials_;  // between checkpoints

  std::optional<RunLock> lock_;         // on rank 0
  CheckpointPosition start_;            // where the run begins or goes on
  std::optional<fs::path> checkpoint_;  // to go on from
  bool complete_ = false;               // nothing is left to do

  std::optional<Recording> recording_;   // from the first member on
  std::optional<Progress> progress_;     // on the rank of the body
  std::int64_t trials_before_ = 0;       // of the members before the present one
  std::int64_t steps_ = 0, trials_ = 0;  // done since the start or the resume
  // Spikes, bytes and messages of every tract, of the members before the present one. Of this rank;
  // on rank 0 also what all ranks had counted when the run was resumed.
  std::vector<std::int64_t> traffic_;
};

Simulation::Simulation(Communicator& world, const Experiment& experiment, const RunOptions& options)
    : world_(world),
      experiment_(experiment),
      options_(options),
      members_(experiment.members()),
      digest_(config_digest(experiment)),
      placement_(options.placement.empty() ? Placement::standard(world.size())
                                           : Placement::parse(options.placement, world.size())),
      provenance_(build_provenance()),
      every_trials_(options.checkpoint_every_trials.value_or(kCheckpointEveryTrials)),
      traffic_(3 * atlas().size(), 0) {
  provenance_.config_digest = digest_;
  provenance_.seed = std::to_string(experiment.seed);
  provenance_.mpi = options.in_process ? "none" : mpi_library();
  provenance_.placement = placement_.to_string();
  provenance_.command = options.command_line;
}

/// Tables and figures that analyses have put into a run directory, by name.
std::vector<std::string> readings_in(const fs::path& directory) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const fs::path extension = entry.path().extension();
    const std::string name = entry.path().filename().string();
    if ((extension == ".csv" && name != "traffic.csv") || extension == ".png" ||
        extension == ".pdf")
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

int Simulation::run() {
  handshake(world_, {{"version", provenance_.version},
                     {"commit", provenance_.commit},
                     {"experiment digest", digest_},
                     {"placement", placement_.to_string()},
                     {"checkpoint cadence", std::to_string(every_trials_)},
                     {"run directory", options_.out.string()}});
  open_directory();
  if (complete_) {
    if (world_.rank() == 0 && !options_.quiet) {
      std::cerr << fmt::format("{}: the run is complete already\n", options_.out.string());
    }
    return exit_done;
  }

  std::int64_t total = 0, done = start_.trial;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    total += trials_of(m);
    if (static_cast<std::int64_t>(m) < start_.member) done += trials_of(m);
  }
  trials_before_ = done - start_.trial;
  if (checkpoint_ && world_.rank() == 0 && !options_.quiet) {
    std::cerr << fmt::format("{}: goes on after trial {} of {}\n", options_.out.string(), done,
                             total);
  }
  if (!options_.quiet && world_.rank() == placement_.ranks_of("body")[0]) {
    progress_.emplace(total, done, std::cerr, error_output_is_terminal());
  }

  const auto begin = std::chrono::steady_clock::now();
  bool stopped = false;
  for (auto m = static_cast<std::size_t>(start_.member); m < members_.size() && !stopped; ++m) {
    stopped = !run_member(m);
    trials_before_ += trials_of(m);
  }
  if (recording_) recording_->close();
  if (progress_) progress_->finish();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  log(fmt::format("{} after {} trials in {:.1f} s ({:.2f} trials/s, {:.2f} × real time)",
                  stopped ? "stopped" : "done", trials_, seconds.count(),
                  static_cast<double>(trials_) / seconds.count(),
                  1e-3 * static_cast<double>(steps_) / seconds.count()));
  if (stopped) {
    if (world_.rank() == 0) {
      std::cerr << fmt::format(
          "quartet: stopped after trial {} of {}, with a checkpoint; continue: quartet resume {}\n",
          done + trials_, total, shell_word(options_.out.string()));
    }
    return exit_stopped;
  }
  write_traffic();
  if (world_.rank() == 0 && !options_.quiet) {
    std::cerr << fmt::format("quartet: done; results are in {}\n", options_.out.string());
    if (const std::vector<std::string> early = readings_in(options_.out); !early.empty())
      std::cerr << fmt::format("quartet: made of a part of the run, make them again: {}\n",
                               fmt::join(early, ", "));
  }
  return exit_done;
}

void Simulation::open_directory() {
  std::string found;  // "complete", or the directory of a checkpoint
  if (world_.rank() == 0) {
    if (!options_.resume) {
      fs::create_directories(options_.out.parent_path().empty() ? "." : options_.out.parent_path());
      if (!fs::create_directory(options_.out)) {
        throw std::runtime_error(options_.out.string() +
                                 ": exists already; name another directory with --out");
      }
      try {
        lock_.emplace(options_.out);
        warn_without_lock();
        replace_file(options_.out / "experiment.toml", experiment_.source_text);
        replace_file(options_.out / "resolved.toml", resolved_toml(experiment_));
      } catch (const std::exception& error) {
        // Neither `run` nor `resume` could do anything with it.
        std::error_code ignored;
        fs::remove_all(options_.out, ignored);
        const std::string what = error.what();
        throw std::runtime_error(
            fmt::format("{}; nothing has been simulated, and {} is removed again: when that is "
                        "mended, write the same command",
                        what.substr(0, what.find(';')), options_.out.string()));
      }
    } else if (lock_.emplace(options_.out); is_complete()) {
      found = "complete";
    } else {
      warn_without_lock();
      const fs::path checkpoints = options_.out / "checkpoints";
      remove_partial_checkpoints(checkpoints);
      if (const auto latest = latest_checkpoint(checkpoints, std::cerr)) {
        go_on_from(*latest);
        found = latest->directory.string();
      } else if (fs::exists(checkpoints) && !fs::is_empty(checkpoints)) {
        throw std::runtime_error(
            checkpoints.string() +
            ": none of its checkpoints is good; copy a good one back, or start a new run with "
            "another --out");
      } else {
        refuse_to_begin_anew();
        std::cerr << fmt::format("{}: there is no checkpoint yet, so it begins anew\n",
                                 options_.out.string());
      }
    }
    if (found != "complete") {
      log(
          fmt::format("{} by process {} with {} {}, {} ranks, placement {}, experiment {}, {} "
                      "subjects, from {}",
                      options_.resume ? "resume" : "run", getpid(), provenance_.version,
                      provenance_.commit, world_.size(), placement_.to_string(), digest_,
                      members_.size(), found.empty() ? "the start" : found));
    }
  }
  // The path comes last: it alone may hold a line break.
  Bytes bytes = to_bytes(
      fmt::format("{}\n{}\n{}\n{}", every_trials_, provenance_.version, provenance_.commit, found));
  world_.broadcast("where to begin", 0, bytes);
  std::istringstream lines(to_text(bytes));
  lines >> every_trials_;
  lines.ignore();
  std::getline(lines, provenance_.version);
  std::getline(lines, provenance_.commit);
  std::getline(lines, found, '\0');
  complete_ = found == "complete";
  if (complete_ || found.empty()) return;
  checkpoint_ = found;
  // Rank 0 has checked the files; the position is in the name.
  const std::string key = checkpoint_->filename().string();
  start_.member = std::stoll(key);
  start_.step = std::stoll(key.substr(key.find('-') + 1));
  const Member& member = members_.at(static_cast<std::size_t>(start_.member));
  start_.trial = start_.step / experiment_.groups[member.group].body.trial_ms;
}

bool Simulation::is_complete() const {
  const RunState state = look_at_run(options_.out, experiment_);
  if (state.ended && !state.problem.empty()) {
    throw std::runtime_error(state.problem +
                             ", and the run has ended, so nothing would write it again; put the "
                             "file back, or start a new run with another --out");
  }
  if (state.ended) publish_traffic(options_.out);
  return state.ended;
}

void Simulation::refuse_to_begin_anew() const {
  const RunState state = look_at_run(options_.out, experiment_);
  if (!state.all_trials && state.logged.empty()) return;
  throw std::runtime_error(fmt::format(
      "{}: {}, and there is no checkpoint to go on from; put the newest one back into {}, or start "
      "a new run with another --out",
      (options_.out / (state.all_trials ? "behaviour.nc" : "run.log")).string(),
      state.all_trials ? "has every trial, though the run was not ended properly"
                       : "tells of " + state.logged,
      (options_.out / "checkpoints").string()));
}

void Simulation::go_on_from(const Checkpoint& latest) {
  const CheckpointOrigin& origin = latest.origin;
  if (origin.config_digest != digest_) {
    throw std::runtime_error(latest.directory.string() + ": is of another experiment (digest " +
                             origin.config_digest + ") than resolved.toml (" + digest_ +
                             "); restore the resolved.toml that the run wrote, or start a new run");
  }
  const std::string version = last_build(origin.version), commit = last_build(origin.commit);
  if ((version != provenance_.version || commit != provenance_.commit) && !options_.other_version) {
    throw std::runtime_error(fmt::format(
        "{}: was written by version {}, commit {}, and this is version {}, commit {}; resume with "
        "that build, or go on with this one (--other-version), which may give another result",
        latest.directory.string(), version, commit, provenance_.version, provenance_.commit));
  }
  set_aside_damaged(latest, std::cerr);
  provenance_.version = followed_by(origin.version, provenance_.version);
  provenance_.commit = followed_by(origin.commit, provenance_.commit);
  if (!options_.checkpoint_every_trials) every_trials_ = origin.every_trials;
}

void Simulation::warn_without_lock() const {
  if (lock_->holds()) return;
  std::cerr << fmt::format(
      "warning: {}: its file system has no locks, so nothing keeps a second process from writing "
      "this run; see to it that there is none\n",
      options_.out.string());
}

bool Simulation::run_member(std::size_t index) {
  MemberRun member(world_, placement_, index, experiment_.subject(members_[index]));
  Exchange& exchange = member.exchange();
  const bool last = index + 1 == members_.size();
  bool stop = false;
  Step saved = -1;  // the timestep of the newest checkpoint
  exchange.run_or_fail([&] {
    if (!recording_) {
      recording_.emplace(options_.out, experiment_, provenance_, member.regions(), checkpoint_);
    }
    const bool records_weights = members_[index].subject < experiment_.record.weights_subjects;
    if (checkpoint_) {
      member.load(*checkpoint_, start_.step);
      saved = start_.step;
      if (world_.rank() == 0)
        CheckpointReader(*checkpoint_, "traffic").shared<std::int64_t>("totals", traffic_);
      checkpoint_.reset();
    } else {
      recording_->begin_member(index);
      if (records_weights) member.snapshot(*recording_);
    }

    while (!stop && member.step() < member.end()) {
      if (!begin_block(member)) {
        stop = true;
        if (saved != member.step()) write_checkpoint(member);
        break;
      }
      if (stop_requested()) exchange.request_stop();
      member.advance(*recording_);
      ++steps_;
      stop = member.step() == exchange.stop_step();
      bool save = stop;
      if (member.between_trials()) {
        end_trial(member);
        if (records_weights && member.between_blocks()) member.snapshot(*recording_);
        save = save ||
               (every_trials_ > 0 && (trials_before_ + member.trials_done()) % every_trials_ == 0);
      }
      if (member.step() == member.end()) {
        // A request may have come too late for a step to be agreed on. After the last subject
        // there is nothing to stop.
        stop = !last && any("stop between subjects",
                            stop_requested() || exchange.stop_step() != Exchange::no_stop);
        save = !last && (save || stop);
      }
      if (save) {
        write_checkpoint(member);
        saved = member.step();
      }
    }
  });

  traffic_ = traffic(member);
  return !stop;
}

bool Simulation::begin_block(MemberRun& member) {
  const std::optional<std::size_t> block = member.block_to_begin();
  if (!block) return true;
  const Block& begins = member.schedule()[*block];
  // After a stop in the probe the lesion is made again, of cells that are dead.
  if (begins.lesion_radius > 0 && member.cortex() != nullptr)
    member.cortex()->lesion(begins.lesion_site[0], begins.lesion_site[1], begins.lesion_radius);
  if (Cortex* cortex = member.cortex()) cortex->polarize(begins.polarization_mv);
  member.treat(begins.cell_loss, begins.drug);
  if (begins.lesion_radius > 0)
    log(fmt::format(
        "subject {} before block {}: cells of the motor sheet within {} of ({}, {}) die",
        member.index(), *block, begins.lesion_radius, begins.lesion_site[0],
        begins.lesion_site[1]));
  if (const CellLoss& loss = begins.cell_loss; loss != CellLoss{})
    log(
        fmt::format("subject {} before block {}: shares of cells that die: purkinje {}, nuclei {}, "
                    "olive {}, dopamine {}, vl {}, va {}",
                    member.index(), *block, loss.purkinje, loss.nuclei, loss.olive, loss.dopamine,
                    loss.vl, loss.va));
  return begins.probe.kind == ProbeKind::none || run_probe(member, *block);
}

bool Simulation::run_probe(MemberRun& member, std::size_t block) {
  const Block& begins = member.schedule()[block];
  const Probe& probe = begins.probe;
  const auto stream = static_cast<std::uint32_t>(block + 1);
  const int root = placement_.ranks_of("cortex")[0];
  const Member& subject = members_[member.index()];
  const Group& group = experiment_.groups[subject.group];
  if (progress_) {
    const std::string& phase = group.phases[block];
    progress_->busy(fmt::format("{}/{}  stimulation before {}", group.name, subject.subject,
                                phase.empty() ? fmt::format("block {}", block) : phase));
  }
  member.begin_probe(stream);
  Findings found;
  bool done = true;
  try {
    BrainAtRest brain(world_, root, member, probe, begins.polarization_mv, group.brain.scale,
                      stream);
    found = carry_out(probe, brain);
  } catch (const ProbeStopped&) {
    done = false;
  }
  member.end_probe();
  if (!done) return false;
  recording_->probe(member.index(), block, member.trials_done(), muscle_index(probe.muscle), found);
  log(fmt::format("probe of subject {} before block {}: {} trials of stimulation, {}",
                  member.index(), block, found.trials.size(),
                  std::isnan(found.rmt)
                      ? "no threshold"
                      : fmt::format("resting motor threshold {:.2f}", found.rmt)));
  return true;
}

void Simulation::end_trial(MemberRun& member) {
  ++trials_;
  member.record_activity(*recording_);
  const std::vector<double> values = member.trial_values();
  if (values.empty()) return;
  recording_->trial(member.index(), member.trials_done() - 1, values);
  if (!progress_) return;
  const TrialRecord& record = member.body()->record();
  const double angle = record.angle_third_deg - record.target_deg;
  const Member& subject = members_[member.index()];
  progress_->trial_done(
      fmt::format("{}/{}", experiment_.groups[subject.group].name, subject.subject),
      std::isnan(angle) ? 0.0 : math::wrap_degrees(angle), member.trial_ms());
}

void Simulation::write_checkpoint(MemberRun& member) {
  member.exchange().quiesce();
  const CheckpointPosition position{static_cast<std::int64_t>(member.index()), member.step(),
                                    member.trials_done()};
  std::vector<std::int64_t> totals = traffic(member);
  world_.all_reduce_sum("traffic", totals);
  int speaker = -1;  // lowest rank that could not write
  try {
    quartet::write_checkpoint(
        options_.out / "checkpoints", position,
        {digest_, provenance_.version, provenance_.commit, every_trials_}, world_.rank() == 0,
        [&](const fs::path& directory) {
          member.save(directory);
          recording_->save(directory);
          if (world_.rank() != 0) return;
          CheckpointWriter writer("traffic", 0, 1);
          writer.shared<std::int64_t>("totals", totals);
          writer.write(directory);
        },
        [&](bool ok) {
          std::int64_t failed = ok ? 0 : world_.size() - world_.rank();
          world_.all_reduce_max("checkpoint", {&failed, 1});
          if (failed > 0) speaker = world_.size() - static_cast<int>(failed);
          return failed == 0;
        });
  } catch (const std::runtime_error& error) {
    if (speaker >= 0 && speaker != world_.rank()) throw PeerFailure(error.what());
    throw;
  }
  log("checkpoint " + position.key());
}

std::vector<std::int64_t> Simulation::traffic(const MemberRun& member) const {
  std::vector<std::int64_t> totals = traffic_;
  const std::vector<TractTraffic> now = member.traffic();
  for (std::size_t i = 0; i < now.size(); ++i) {
    totals[3 * i] += static_cast<std::int64_t>(now[i].spikes);
    totals[3 * i + 1] += static_cast<std::int64_t>(now[i].bytes);
    totals[3 * i + 2] += static_cast<std::int64_t>(now[i].messages);
  }
  return totals;
}

void Simulation::write_traffic() {
  world_.all_reduce_sum("traffic", traffic_);
  if (world_.rank() != 0) return;
  const std::int64_t steps =
      trials_before_ * experiment_.groups.front().body.trial_ms;  // as all groups' are
  std::vector<TractTotals> totals;
  for (std::size_t i = 0; i < atlas().size(); ++i) {
    totals.push_back({std::string(atlas()[i].name), static_cast<std::uint64_t>(traffic_[3 * i]),
                      static_cast<std::uint64_t>(traffic_[3 * i + 1]),
                      static_cast<std::uint64_t>(traffic_[3 * i + 2]),
                      static_cast<std::uint64_t>(steps)});
  }
  // What a run writes last, so that it counts as ended only when its mark is whole.
  quartet::write_traffic(options_.out, totals, [this] { mark_ended(options_.out); });
}

std::int64_t Simulation::trials_of(std::size_t member) const {
  return quartet::trials_of(experiment_.groups[members_[member].group].blocks);
}

bool Simulation::any(std::string_view name, bool mine) {
  std::int64_t value = mine ? 1 : 0;
  world_.all_reduce_max(name, {&value, 1});
  return value != 0;
}

void Simulation::log(const std::string& text) {
  if (world_.rank() != 0) return;
  std::ofstream file(options_.out / "run.log", std::ios::app);
  file << fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(std::time(nullptr)), text);
  file.close();
  // A later `run` sees from it that work would be lost.
  if (!file)
    throw std::runtime_error((options_.out / "run.log").string() +
                             ": cannot write it: " + std::strerror(errno));
}

}  // namespace

int run_experiment(const Experiment& experiment, const RunOptions& options) {
  int code = exit_failed;
  const auto body = [&](Communicator& world) {
    if (world.rank() == 0) announce_ranks();
    return code = Simulation(world, experiment, options).run();
  };
  if (options.in_process) {
    run_in_process(1, body);
    return code;
  }
  int argc = 0;
  char** argv = nullptr;
  return run_under_mpi(argc, argv, body, failure_code());
}

}  // namespace quartet
