/// The slices of one region, as one of them sees the others inside a timestep.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "comm/communicator.hpp"
#include "comm/control_word.hpp"
#include "comm/spike_runs.hpp"

namespace quartet {

class SlicePeers final : public Peers {
 public:
  /// `ranks` host the slices; `tag` is this region's own. `on_failure` is told the
  /// reason where another slice's rank has failed, before all_gather throws it as PeerFailure.
  SlicePeers(Communicator& communicator, std::span<const int> ranks, int tag,
             std::function<void(std::string_view)> on_failure);

  void all_gather(std::vector<Spike>& spikes) override;

  /// The timestep that messages are marked with.
  void set_step(Step t) { step_ = t; }
  /// See send_notice; to all other slices.
  void notify(MessageKind kind, Step step, std::string_view reason);
  /// See drain; from all other slices.
  void drain_all();

 private:
  struct Peer {
    int rank;
    std::unique_ptr<SendLane> to;
    std::unique_ptr<ReceiveLane> from;
    std::vector<Spike> arrived;
  };
  ControlWord read(const Peer& peer, std::span<const std::byte> message) const;

  std::function<void(std::string_view)> on_failure_;
  Step step_ = 0;
  std::vector<Peer> peers_;
  SpikeRuns runs_;
  std::vector<Spike> scratch_;
};

}  // namespace quartet
