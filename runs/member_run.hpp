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
#include "regions/region.hpp"
#include "runs/experiment.hpp"
#include "runs/observations.hpp"
#include "runs/recording.hpp"

namespace quartet {

class MemberRun {
 public:
  /// Builds the slices; collective. `index` counts members over the experiment.
  MemberRun(Communicator& world, const Placement& placement, std::size_t index,
            const Member& member);

  std::size_t index() const { return index_; }
  Step step() const { return exchange_->step(); }  ///< timesteps done
  Step end() const { return trials_ * trial_ms_; }
  std::int64_t trial_ms() const { return trial_ms_; }
  std::int64_t trials() const { return trials_; }                  ///< of the schedule
  std::int64_t trials_done() const { return step() / trial_ms_; }  ///< whole ones
  bool between_trials() const { return step() % trial_ms_ == 0; }
  /// True after the last trial of a block of the schedule.
  bool between_blocks() const;
  Exchange& exchange() { return *exchange_; }
  const Exchange& exchange() const { return *exchange_; }
  /// The regions of which this rank hosts slice 0.
  std::vector<const Region*> regions() const;
  /// The body, where this rank hosts it; null elsewhere.
  const Body* body() const { return body_; }

  /// One timestep on this rank.
  void advance(Recording& recording);

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

  Communicator& world_;
  const Placement& placement_;
  std::size_t index_;
  std::vector<Block> schedule_;
  std::int64_t trial_ms_;
  std::int64_t trials_ = 0;
  std::vector<Hosted> hosted_;
  const Body* body_ = nullptr;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace quartet
