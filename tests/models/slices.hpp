/// Slices of a network that run together, one thread each, for tests.
#pragma once

#include <algorithm>
#include <barrier>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "models/network.hpp"
#include "tests/models/memory_state.hpp"

namespace quartet {

/// The same spikes on every port, given per timestep.
class FixedInbox : public Inbox {
 public:
  explicit FixedInbox(std::vector<Spike> spikes = {}) : spikes_(std::move(spikes)) {}
  std::span<const Spike> spikes(std::size_t) const override { return spikes_; }
  std::span<const double> analog(std::size_t) const override { return {}; }

 private:
  std::vector<Spike> spikes_;
};

class Slices {
 public:
  /// `build` adds populations and projections to an empty slice.
  Slices(int slices, std::uint32_t substeps, std::uint64_t seed,
         const std::function<void(Network&)>& build) {
    for (int slice = 0; slice < slices; ++slice) {
      networks_.push_back(std::make_unique<Network>(substeps, slice, slices, seed));
      build(*networks_.back());
    }
  }

  Network& operator[](int slice) { return *networks_[static_cast<std::size_t>(slice)]; }
  int count() const { return static_cast<int>(networks_.size()); }

  /// Advances [from, to); returns the spikes of all populations per timestep, as slice 0 sees
  /// them. `input` gives what arrives in a timestep.
  std::vector<std::vector<std::vector<Spike>>> run(Step from, Step to,
                                                   const std::function<FixedInbox(Step)>& input) {
    std::vector<std::vector<std::vector<Spike>>> seen;
    std::vector<std::vector<Spike>> mail(networks_.size());
    std::barrier barrier(count());
    auto advance = [&](int slice) {
      Meeting peers(static_cast<std::size_t>(slice), mail, barrier);
      for (Step t = from; t < to; ++t) {
        (*this)[slice].advance(t, input(t), peers);
        if (slice != 0) continue;
        seen.emplace_back();
        for (std::size_t p = 0; p < (*this)[0].population_count(); ++p) {
          const auto spikes = (*this)[0].spikes(p);
          seen.back().emplace_back(spikes.begin(), spikes.end());
        }
      }
    };
    std::vector<std::thread> threads;
    for (int slice = 1; slice < count(); ++slice) threads.emplace_back(advance, slice);
    advance(0);
    for (std::thread& thread : threads) thread.join();
    return seen;
  }

  MemoryState save() {
    MemoryState state;
    for (int slice = 0; slice < count(); ++slice) {
      MemoryWriter writer(state, slice);
      (*this)[slice].save(writer);
    }
    return state;
  }
  void load(const MemoryState& state) {
    for (int slice = 0; slice < count(); ++slice) {
      MemoryReader reader(state);
      (*this)[slice].load(reader);
    }
  }

 private:
  class Meeting : public Peers {
   public:
    Meeting(std::size_t slice, std::vector<std::vector<Spike>>& mail, std::barrier<>& barrier)
        : slice_(slice), mail_(mail), barrier_(barrier) {}
    void all_gather(std::vector<Spike>& spikes) override {
      mail_[slice_] = spikes;
      barrier_.arrive_and_wait();
      spikes.clear();
      for (const auto& letter : mail_) spikes.insert(spikes.end(), letter.begin(), letter.end());
      std::sort(spikes.begin(), spikes.end());
      barrier_.arrive_and_wait();
    }

   private:
    std::size_t slice_;
    std::vector<std::vector<Spike>>& mail_;
    std::barrier<>& barrier_;
  };

  std::vector<std::unique_ptr<Network>> networks_;
};

}  // namespace quartet
