/// Five regions that emit known spikes and check that what arrives is what was sent, when it is
/// due.
///
/// What a port emits is a pure function of (port, timestep), so every rank knows what must arrive
/// anywhere, on any placement and transport.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/exchange.hpp"

namespace quartet {

/// Tracts with all forms that a message can take: lists of u16 and u32, bitmaps, analog values, one
/// port in two tracts, delays from 2 to 10 ms.
std::span<const Tract> fake_tracts();
const std::vector<RegionPorts>& fake_ports();

/// Spikes of all slices of a port in timestep t, in canonical order.
std::vector<Spike> emitted(const Port& port, Step t);
std::vector<double> emitted_values(const Port& port, Step t);
/// Recurrent spikes of the call `call` of Peers::all_gather.
std::vector<Spike> recurrent(std::string_view region, Step t, int call);

/// A random placement on `ranks` ranks, the same on all of them.
Placement random_placement(int ranks, std::uint32_t seed);

class FakeBrain {
 public:
  FakeBrain(Communicator& communicator, const Placement& placement,
            std::span<const TractLesion> lesions = {});

  /// Runs timesteps step() … end−1, or up to the agreed stop.
  void run(Step end);
  /// The same as a simulation does it: tells all ranks of an error of this rank's own.
  void run_or_fail(Step end);

  /// Called on every rank in every timestep, between receive and send.
  std::function<void(Step)> each_step = [](Step) {};
  /// Whether a slice leaves out one spike that it should send, in timestep 9 (slice 0 of all).
  bool drops_a_spike = false;
  /// Tracts whose arrivals are not checked, as lesions change them.
  std::set<std::string> unchecked;

  Exchange exchange;
  std::int64_t wrong = 0;    ///< arrivals that differ from what was emitted
  std::int64_t checked = 0;  ///< spikes that arrived as they should
  /// Spikes that arrived at slice 0, by tract.
  std::map<std::string, std::vector<Spike>> arrived;

 private:
  void advance(const HostedSlice& slice, Step t);

  std::vector<HostedSlice> hosted_;
};

/// State as arrays in memory, and back.
class MemoryState : public StateWriter, public StateReader {
 public:
  explicit MemoryState(bool slice_0) : slice_0_(slice_0) {}
  std::map<std::string, Bytes, std::less<>> arrays;

  std::uint64_t length(std::string_view name) override;

 protected:
  bool writes_shared() const override { return slice_0_; }
  void put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           const void* data, std::uint64_t count) override;
  void get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           void* data, std::uint64_t count) override;

 private:
  bool slice_0_;
};

/// Quiesces and saves all regions; every rank gets all arrays. Collective.
MemoryState save_all(Communicator& communicator, Exchange& exchange, const Placement& placement);
void load_all(Communicator& communicator, Exchange& exchange, const Placement& placement, Step t,
              MemoryState& state);

}  // namespace quartet
