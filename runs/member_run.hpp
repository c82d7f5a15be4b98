/// One subject while it is simulated, as one rank sees it: the slices that the rank hosts, the
/// exchange between them and all others, and the observers of the trial.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/exchange.hpp"
#include "comm/placement.hpp"
#include "models/signal.hpp"
#include "regions/body.hpp"
#include "regions/cortex.hpp"
#include "regions/region.hpp"
#include "runs/experiment.hpp"
#include "runs/observations.hpp"
#include "runs/recording.hpp"
#include "runs/state_copy.hpp"

namespace quartet {

class MemberRun {
 public:
  /// Builds the slices; collective. `index` counts members over the experiment.
  MemberRun(Communicator& world, const Placement& placement, std::size_t index,
            const Subject& subject);

  std::size_t index() const { return index_; }
  Step step() const { return exchange_->step(); }  ///< timesteps done
  Step end() const { return trials_ * trial_ms_; }
  std::int64_t trial_ms() const { return trial_ms_; }
  std::int64_t trials_done() const { return step() / trial_ms_; }  ///< whole ones
  bool between_trials() const { return step() % trial_ms_ == 0; }
  /// True after the last trial of a block of the schedule.
  bool between_blocks() const;
  /// The block of the schedule whose first trial is next, counted from 0; none within a block.
  std::optional<std::size_t> block_to_begin() const;
  const std::vector<Block>& schedule() const { return schedule_; }
  Exchange& exchange() { return *exchange_; }
  const Exchange& exchange() const { return *exchange_; }
  /// The regions of which this rank hosts slice 0.
  std::vector<const Region*> regions() const;
  /// The body, where this rank hosts it; null elsewhere.
  const Body* body() const { return body_; }
  /// This rank's slice of cortex; null where it hosts none.
  Cortex* cortex() const { return cortex_; }
  /// What a block brings to the hosted regions.
  void treat(const CellLoss& loss, const Drug& drug);
  /// Spikes and bytes of the tracts, without those of probes.
  std::vector<TractTraffic> traffic() const;

  /// One timestep on this rank.
  void advance(Recording& recording);

  /// A probe is run between begin_probe and end_probe, by advance_probe: end_probe brings back the
  /// state that begin_probe found, signals in flight and the clock included. Collective. Nothing of
  /// it is recorded, observed or counted as traffic. `stream` > 0: see Region::set_rest.
  void begin_probe(std::uint32_t stream);
  void advance_probe() { advance_regions(); }
  void end_probe();

  /// At the end of a trial, collective: on the rank of the body one value per column of
  /// behaviour.nc, empty elsewhere.
  std::vector<double> trial_values();

  /// At the end of a trial, collective: puts what all slices did in it into the recorders of their
  /// regions.
  void record_activity(Recording& recording);

  /// Puts the weights of all slices into the recorders of their regions; collective.
  void snapshot(Recording& recording);

  /// Writes the state of this rank's slices into the checkpoint. Pre: exchange().quiesce().
  void save(const std::filesystem::path& checkpoint) const;
  /// Continues at timestep `t`, in a new MemberRun. All ranks load.
  void load(const std::filesystem::path& checkpoint, Step t);

 private:
  struct Hosted {
    HostedSlice place;
    std::unique_ptr<Region> region;
    std::optional<RegionObserver> observer;  // where this is slice 0 of a region with spikes
  };

  /// What is asked for in timestep `t`.
  Task task_at(Step t) const;
  /// Receives, advances the hosted slices, sends.
  void advance_regions();

  Communicator& world_;
  const Placement& placement_;
  std::size_t index_;
  std::vector<Block> schedule_;
  std::int64_t trial_ms_;
  std::int64_t trials_;
  std::vector<Hosted> hosted_;
  const Body* body_ = nullptr;
  Cortex* cortex_ = nullptr;
  std::unique_ptr<Exchange> exchange_;
  // Of the probe that is running: the state to come back to, by hosted slice, and its timestep.
  std::vector<StateCopy> before_probe_;
  Step probe_from_ = 0;
  std::vector<TractTraffic> traffic_before_probe_;
  std::vector<TractTraffic> probe_traffic_;  // of all probes so far
};

}  // namespace quartet
