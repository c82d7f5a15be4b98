/// Counting spikes within trials.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/signal.hpp"
#include "models/state.hpp"
#include "regions/region.hpp"

namespace quartet {

/// Σ count · (cos, sin)(direction) over cells.
class PopulationVector {
 public:
  void add(double count, double cosine, double sine) {
    x_ += count * cosine;
    y_ += count * sine;
    total_ += count;
  }
  /// Where it points, degrees in [−180, 180); NaN without spikes or where they cancel.
  double angle() const;

 private:
  double x_ = 0, y_ = 0, total_ = 0;
};

/// Counts the spikes of one population in a window (from_ms, to_ms] of a trial. Integers until
/// somebody asks, so that the answer does not depend on any order.
class TrialObserver {
 public:
  TrialObserver(std::string name, PopulationInfo population, Step from_ms, Step to_ms);

  /// Another window, from the next begin_trial() or load() on.
  void set_window(Step from_ms, Step to_ms);
  void begin_trial();
  /// Spikes of timestep `t`, counted from the trial's start.
  void step(Step t, std::span<const Spike> spikes);

  std::span<const std::uint32_t> counts() const { return counts_; }
  Step duration_ms() const { return to_ - from_; }
  /// Mean rate over the window, Hz per cell of the intact population: removed ones count as silent.
  double mean_rate() const;
  /// Of the population vector of preferred directions; NaN also without these.
  double angle() const;

  void save(StateWriter& writer) const;
  void load(StateReader& reader);

 private:
  std::string name_;
  PopulationInfo population_;
  Step from_ = 0;
  Step to_ = 0;
  std::vector<std::uint32_t> counts_;
  std::vector<double> cosines_;
  std::vector<double> sines_;
};

}  // namespace quartet
