/// A whole subject in one process, for tests of what regions do together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "comm/exchange.hpp"
#include "regions/brain.hpp"

namespace quartet {

/// What a subject did and how its populations fired, trial by trial.
struct LoopResult {
  std::vector<TrialRecord> trials;
  /// Mean rate of a population in Hz, before the target is seen
  /// (`rest`) and from 150 ms before the go signal to 50 ms after it (`movement`); by
  /// "region.POPULATION", over all trials but the first.
  std::map<std::string, double> rest_hz, movement_hz;
  /// Coefficient of variation of a cell's intervals between spikes over the whole run, mean over
  /// cells with at least 20; only populations that have such cells.
  std::map<std::string, double> interval_cv;
  /// Spikes of a population over the whole run.
  std::map<std::string, std::int64_t> spikes;
  /// Weights of plastic projections at the start and at the end, by "region.PROJECTION".
  std::map<std::string, std::vector<float>> weights_before, weights_after;

  /// Mean hand angle relative to the target over trials [first, last), degrees.
  double mean_angle(std::size_t first, std::size_t last) const;
};

/// Runs all trials of `subject` on one rank.
LoopResult run_closed_loop(const Subject& subject, std::vector<TractLesion> lesions = {});

/// A subject of half size with `aligned` unrotated trials and then `rotated` ones of 30°.
Subject rotated_subject(int aligned, int rotated);

}  // namespace quartet
