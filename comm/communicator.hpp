/// What the ranks of a run can say to one another; nothing here knows MPI.
///
/// Two kinds of talk. *Lanes* carry the messages of every timestep from one rank to one other:
/// preposted, buffers reused, no allocation. *Collectives* are for set-up, checkpoints and the end:
/// every rank calls the same one with the same name, and ranks that do not get DivergedCalls, which
/// names the calls of both, never a hang.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quartet {

using Bytes = std::vector<std::byte>;

/// What went wrong is known to all ranks alike: each throws it with the same message, so one says
/// it.
class SharedFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Ranks called different collectives, or wait for what no rank will send.
class DivergedCalls : public SharedFailure {
 public:
  using SharedFailure::SharedFailure;
};

/// Another rank failed; `what()` is that rank's own message, which it has reported itself.
class PeerFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// `abort` was called in a process that cannot be ended for one rank alone.
class Aborted : public std::runtime_error {
 public:
  Aborted(const std::string& reason, int code) : std::runtime_error(reason), code(code) {}
  int code;
};

/// The sending end of a lane. Messages arrive whole and in order.
class SendLane {
 public:
  virtual ~SendLane() = default;
  /// Where to write the next message: max_bytes bytes. Waits until the message that last used
  /// this slot has left.
  virtual std::span<std::byte> buffer() = 0;
  /// Sends the first `bytes` bytes of the buffer; does not wait.
  virtual void send(std::size_t bytes) = 0;
};

/// The receiving end of a lane, all of whose slots are posted before a message can come.
class ReceiveLane {
 public:
  virtual ~ReceiveLane() = default;
  /// Waits for the next message, which stays valid until the next call (its slot is then posted
  /// again).
  virtual std::span<const std::byte> receive() = 0;
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  // Lanes. Both ends are opened with the same arguments. A sender that is never more than `slots`
  // messages ahead of the receiver never waits. Tags: 0 … 30000; one open lane per (from, to, tag).
  // Before a lane is closed all its messages are received.
  virtual std::unique_ptr<SendLane> open_send(int to, int tag, std::size_t max_bytes,
                                              int slots) = 0;
  virtual std::unique_ptr<ReceiveLane> open_receive(int from, int tag, std::size_t max_bytes,
                                                    int slots) = 0;

  // Collectives. Reductions are of integers only: sums of floats depend on their order.
  virtual void barrier(std::string_view name) = 0;
  /// Element-wise over all ranks, in place; the same number of values on every rank.
  virtual void all_reduce_sum(std::string_view name, std::span<std::int64_t> values) = 0;
  virtual void all_reduce_max(std::string_view name, std::span<std::int64_t> values) = 0;
  /// On `root`: the bytes of every rank, by rank; empty elsewhere.
  virtual std::vector<Bytes> gather(std::string_view name, int root,
                                    std::span<const std::byte> bytes) = 0;
  /// Replaces `bytes` on all ranks by those of `root`.
  virtual void broadcast(std::string_view name, int root, Bytes& bytes) = 0;
  /// A communicator of the ranks with the same `color`, ordered by (key, rank). Its messages never
  /// meet those of this one.
  virtual std::unique_ptr<Communicator> split(std::string_view name, int color, int key) = 0;

  /// Ends all ranks with exit code `code` (≠ 0), after `reason` on standard error. In-process:
  /// throws Aborted here and PeerFailure on the others.
  [[noreturn]] virtual void abort(std::string_view reason, int code) = 0;
};

// Texts, for what is gathered and broadcast.
inline Bytes to_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}
inline std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace quartet
