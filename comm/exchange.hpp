/// Moves the signals of one subject along its tracts, between the slices that this rank hosts and
/// those of other ranks.
///
/// The loop on every rank:
/// ```
/// Exchange exchange(communicator, placement, atlas(), ports);
/// for (Step t = exchange.step(); t < end && t < exchange.stop_step(); ++t) {
///   exchange.receive(t);
///   for (each hosted slice)
///     slice.advance(t, exchange.inbox(name), exchange.outbox(name), exchange.peers(name));
///   exchange.send(t);
/// }
/// ```
/// A signal sent in timestep t is in the inbox in timestep t + delay. A rank waits in receive(t)
/// only for the messages of timestep t − (shortest delay from that sender), so ranks run apart by
/// whole delays. Everything for one other rank and timestep is one message, behind a control word
/// that carries the timestep, the agreed stop step and a failure, if there is one.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/placement.hpp"
#include "models/signal.hpp"
#include "models/state.hpp"
#include "regions/atlas.hpp"

namespace quartet {

/// Ports of a region, as Region::inputs() and Region::outputs() give them.
struct RegionPorts {
  std::string region;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

/// The ports of all regions on every rank, from those that each hosts; collective. Throws
/// SharedFailure where slices disagree or a region is missing.
std::vector<RegionPorts> gather_ports(Communicator& communicator,
                                      std::span<const RegionPorts> hosted);

/// What happens to the signals of a tract where they arrive.
struct TractLesion {
  enum class Kind {
    cut,     ///< nothing arrives (zeros, where analog)
    shuffle  ///< ids of spikes are exchanged by a bijection from (seed, tract): same counts, times
  };
  std::string tract;
  Kind kind = Kind::cut;
  std::uint64_t seed = 0;  ///< of the bijection
};

/// What a rank has sent since it was built. Sums over ranks depend on the placement, except spikes.
struct TractTraffic {
  std::string tract;
  std::uint64_t spikes = 0;    ///< handed to the tract by slices of this rank
  std::uint64_t messages = 0;  ///< to other ranks with anything of this tract in them
  std::uint64_t bytes = 0;     ///< of those messages, this tract's part
};

class Exchange {
 public:
  static constexpr Step no_stop = std::numeric_limits<Step>::max();

  /// Collective. `ports` holds all regions (gather_ports) and is the same on all ranks, like
  /// `placement`, `tracts` and `lesions`. Throws SharedFailure where they do not fit one
  /// another, naming tract, region and port.
  Exchange(Communicator& communicator, const Placement& placement, std::span<const Tract> tracts,
           std::span<const RegionPorts> ports, std::span<const TractLesion> lesions = {});
  /// Collective: waits until all others leave too. While an exception unwinds it does not wait, but
  /// tells the others (see `fail`).
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// The timestep to do next: 0 at first, then one after the last `send`, or as loaded.
  Step step() const;

  /// Waits for what is due in timestep t = step() and fills the inboxes; clears the outboxes.
  /// Throws PeerFailure where another rank has failed.
  void receive(Step t);
  /// Sends what the outboxes hold. Throws std::logic_error where it is not a valid set of spikes of
  /// its port, naming region and port.
  void send(Step t);

  /// Of a hosted region. References stay valid as long as the exchange.
  const Inbox& inbox(std::string_view region) const;
  Outbox& outbox(std::string_view region);
  Peers& peers(std::string_view region);

  /// Asks all ranks to stop, after a signal; any number of ranks may, at any time. They agree on
  /// the earliest step that was proposed, and no rank gets there before it knows.
  void request_stop();
  /// The first timestep not to do: no_stop until one is agreed.
  Step stop_step() const;

  /// Tells all ranks that this one has failed: their next `receive` throws PeerFailure. Returns the
  /// message that they show, which begins with this rank, its regions and the timestep: throw it.
  std::string fail(std::string_view reason) noexcept;
  /// Runs the loop, or a part of it, and where it throws what other ranks do not know of yet, calls
  /// `fail` and throws its message as std::runtime_error.
  void run_or_fail(const std::function<void()>& loop);

  /// Receives all that was sent before step(), without changing what comes of it. Collective: all
  /// ranks have done the same timesteps. To be called before `save`.
  void quiesce();
  /// Writes the signals on their way to `region` (hosted), by tract and due step: the same on any
  /// placement. `writer` is the one for this slice of the region; arrays are named "exchange.…".
  void save(std::string_view region, StateWriter& writer) const;
  /// Reads them into an exchange that is new or quiesced; step() becomes `t`, the step() at
  /// which they were saved. All ranks load all their regions.
  void load(std::string_view region, Step t, StateReader& reader);

  /// By tract, in the order of the atlas.
  const std::vector<TractTraffic>& traffic() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quartet
