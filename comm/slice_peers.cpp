#include "comm/slice_peers.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace quartet {
namespace {

constexpr std::size_t message_bytes = 8192;
constexpr std::size_t spikes_per_message = (message_bytes - sizeof(ControlWord)) / sizeof(Spike);
// A slice can be one message ahead of another, which may not have taken the one before; one more
// for a notice.
constexpr int slots = 4;

}  // namespace

SlicePeers::SlicePeers(Communicator& communicator, std::span<const int> ranks, int tag,
                       std::function<void(std::string_view)> on_failure)
    : on_failure_(std::move(on_failure)) {
  for (const int rank : ranks) {
    if (rank == communicator.rank()) continue;
    peers_.push_back({rank,
                      communicator.open_send(rank, tag, message_bytes, slots),
                      communicator.open_receive(rank, tag, message_bytes, slots),
                      {}});
  }
}

void SlicePeers::all_gather(std::vector<Spike>& spikes) {
  sort_spikes(spikes);
  if (peers_.empty()) return;

  // Rounds of one message to and from each, until nobody has more to send.
  std::size_t sent = 0;
  for (bool more = true; more;) {
    ControlWord control;
    control.step = step_;
    control.count = static_cast<std::uint32_t>(std::min(spikes_per_message, spikes.size() - sent));
    control.more = sent + control.count < spikes.size() ? 1 : 0;
    for (Peer& peer : peers_) {
      const std::span<std::byte> message = peer.to->buffer();
      const std::size_t payload = control.count * sizeof(Spike);
      write_control(message, control);
      if (payload > 0) std::memcpy(message.data() + sizeof control, spikes.data() + sent, payload);
      peer.to->send(sizeof control + payload);
    }
    sent += control.count;
    more = control.more != 0;
    for (Peer& peer : peers_) {
      const std::span<const std::byte> message = peer.from->receive();
      const ControlWord theirs = read(peer, message);
      const std::span<const std::byte> payload = message.subspan(sizeof theirs);
      if (payload.size() != theirs.count * sizeof(Spike)) refuse_length(peer.rank);
      const std::size_t before = peer.arrived.size();
      peer.arrived.resize(before + theirs.count);
      if (theirs.count > 0) {
        std::memcpy(peer.arrived.data() + before, payload.data(), payload.size());
      }
      more = more || theirs.more != 0;
    }
  }

  runs_.clear();
  runs_.spikes().assign(spikes.begin(), spikes.end());
  runs_.end_run();
  for (Peer& peer : peers_) {
    runs_.spikes().insert(runs_.spikes().end(), peer.arrived.begin(), peer.arrived.end());
    runs_.end_run();
    peer.arrived.clear();
  }
  runs_.merge(scratch_);
  spikes.assign(runs_.spikes().begin(), runs_.spikes().end());
}

ControlWord SlicePeers::read(const Peer& peer, std::span<const std::byte> message) const {
  try {
    return read_control(message, step_, peer.rank);
  } catch (const PeerFailure& failure) {
    on_failure_(failure.what());
    throw;
  }
}

void SlicePeers::notify(MessageKind kind, Step step, std::string_view reason) {
  for (Peer& peer : peers_) send_notice(*peer.to, kind, step, reason);
}

void SlicePeers::drain_all() {
  for (Peer& peer : peers_) drain(*peer.from);
}

}  // namespace quartet
