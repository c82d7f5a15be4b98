/// Spikes of several slices, each slice's in canonical order, and their merge.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "models/signal.hpp"

namespace quartet {

class SpikeRuns {
 public:
  /// To append one slice's spikes to; then call end_run().
  std::vector<Spike>& spikes() { return spikes_; }
  const std::vector<Spike>& spikes() const { return spikes_; }
  void end_run() {
    const std::size_t begin = ends_.empty() ? 0 : ends_.back();
    if (spikes_.size() == begin) return;
    if (begin > 0 && spikes_[begin - 1] < spikes_[begin]) ends_.pop_back();  // goes on with it
    ends_.push_back(spikes_.size());
  }
  void clear() {
    spikes_.clear();
    ends_.clear();
  }
  /// Puts all spikes in canonical order; `scratch` is overwritten. Runs are merged two by two, then
  /// the results: canonical order begins with the substep, so those of two slices interleave where
  /// the sender has more than one.
  void merge(std::vector<Spike>& scratch) {
    while (ends_.size() > 1) {
      scratch.resize(spikes_.size());
      std::size_t begin = 0;
      std::size_t merged = 0;
      for (std::size_t run = 0; run < ends_.size(); run += 2) {
        const std::size_t middle = ends_[run];
        const std::size_t end = ends_[std::min(run + 1, ends_.size() - 1)];
        const Spike* const spikes = spikes_.data();
        std::merge(spikes + begin, spikes + middle, spikes + middle, spikes + end,
                   scratch.data() + begin);
        ends_[merged++] = begin = end;
      }
      ends_.resize(merged);
      spikes_.swap(scratch);
    }
  }

 private:
  std::vector<Spike> spikes_;
  std::vector<std::size_t> ends_;  // of runs, none of which goes on with the one before
};

/// Sorts into canonical order what usually is already.
inline void sort_spikes(std::vector<Spike>& spikes) {
  if (!std::is_sorted(spikes.begin(), spikes.end())) std::sort(spikes.begin(), spikes.end());
}

}  // namespace quartet
