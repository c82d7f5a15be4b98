/// What behaviour.nc says about the spikes of a trial: directions and rates of populations in
/// windows of the trial, as one would take them from recordings.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"
#include "regions/body.hpp"
#include "regions/region.hpp"
#include "runs/recorders/behaviour.hpp"
#include "runs/trial_observer.hpp"

namespace quartet {

/// Columns that the spikes of region `region` give, in the order of RegionObserver::values; none
/// for the body.
std::vector<Column> observation_columns(std::string_view region);

/// Observes a region through a trial. Any slice of the region may be asked (each sees all spikes),
/// one is: what it says depends on integer counts only.
class RegionObserver {
 public:
  /// `region`: one with spikes, which outlives the observer. `body` gives the windows.
  RegionObserver(const Region& region, const BodyParameters& body);

  /// Of a block with `task`, which the windows depend on.
  void begin_trial(Task task);
  /// After region.advance; `t` counts from the trial's start.
  void step(Step t, const Region& region);
  /// One value per column; `target_deg` is the direction of the trial's target, NaN where there is
  /// none.
  std::vector<double> values(double target_deg) const;

  void save(StateWriter& writer) const;
  /// In the middle of a trial of such a block.
  void load(StateReader& reader, Task task);

 private:
  void set_windows(Task task);

  std::string_view region_;  // of the table in the .cpp
  BodyParameters body_;
  std::vector<std::size_t> population_;  // of each observer
  std::vector<TrialObserver> observers_;
  std::vector<std::span<const float>> directions_;  // preferred ones, of each observer's cells
};

}  // namespace quartet
