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
    if (spikes_.size() > (ends_.empty() ? 0 : ends_.back())) ends_.push_back(spikes_.size());
  }
  void clear() {
    spikes_.clear();
    ends_.clear();
  }
  /// Puts all spikes in canonical order; `scratch` is overwritten.
  void merge(std::vector<Spike>& scratch) {
    for (std::size_t run = 1; run < ends_.size(); ++run) {
      const auto begin = spikes_.begin();
      const auto middle = begin + static_cast<std::ptrdiff_t>(ends_[run - 1]);
      const auto end = begin + static_cast<std::ptrdiff_t>(ends_[run]);
      if (*(middle - 1) < *middle) continue;
      scratch.resize(ends_[run]);
      std::merge(begin, middle, middle, end, scratch.begin());
      std::copy(scratch.begin(), scratch.end(), begin);
    }
    if (ends_.size() > 1) ends_.erase(ends_.begin(), ends_.end() - 1);
  }

 private:
  std::vector<Spike> spikes_;
  std::vector<std::size_t> ends_;  // of non-empty runs
};

/// Sorts into canonical order what usually is already.
inline void sort_spikes(std::vector<Spike>& spikes) {
  if (!std::is_sorted(spikes.begin(), spikes.end())) std::sort(spikes.begin(), spikes.end());
}

}  // namespace quartet
