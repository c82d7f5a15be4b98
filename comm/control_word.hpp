/// What every message of the exchange begins with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "comm/communicator.hpp"
#include "models/signal.hpp"

namespace quartet {

enum class MessageKind : std::uint32_t {
  data,    ///< signals follow
  failed,  ///< the sender, or one that it heard from, has failed; the reason follows
  left     ///< the sender has ended its exchange; no message will follow
};

struct ControlWord {
  std::uint32_t magic = expected_magic;
  MessageKind kind = MessageKind::data;
  Step step = 0;            ///< that the message belongs to
  Step stop_step = 0;       ///< earliest that the sender knows of
  std::uint32_t count = 0;  ///< between slices: spikes in this message …
  std::uint32_t more = 0;   ///< … and whether another message of the same call follows

  static constexpr std::uint32_t expected_magic = 0x51543031;  // "QT01"
};

inline void write_control(std::span<std::byte> message, const ControlWord& control) {
  std::memcpy(message.data(), &control, sizeof control);
}

/// Bytes that any lane's messages have room for, so that a reason fits.
inline constexpr std::size_t min_message_bytes = 1024;

/// Sends `kind` with `reason`, cut to what fits.
inline void send_notice(SendLane& lane, MessageKind kind, Step step, std::string_view reason) {
  const std::span<std::byte> message = lane.buffer();
  ControlWord control;
  control.kind = kind;
  control.step = step;
  write_control(message, control);
  const std::size_t length = std::min(reason.size(), message.size() - sizeof control);
  std::copy_n(reinterpret_cast<const std::byte*>(reason.data()), length,
              message.begin() + sizeof control);
  lane.send(sizeof control + length);
}

/// Receives until the sender's notice, its last message.
inline void drain(ReceiveLane& lane) {
  for (ControlWord control; control.kind == MessageKind::data;) {
    const std::span<const std::byte> message = lane.receive();
    if (message.size() < sizeof control) return;
    std::memcpy(&control, message.data(), sizeof control);
  }
}

/// What is wrong with a message may have happened on its way: another node may do.
[[noreturn]] inline void refuse_message(int sender, std::string_view what) {
  throw std::runtime_error("rank " + std::to_string(sender) + " sent a message " +
                           std::string(what) +
                           "; resume the run, on other nodes if it comes again");
}
[[noreturn]] inline void refuse_length(int sender) {
  refuse_message(sender, "of an unexpected length");
}

/// Reads the control word of data for `step` from `sender`. Throws PeerFailure with the reason.
/// Where the message is of another step or the sender has left, that is known here alone: an error
/// of this rank's own, which the others are told of (Exchange::fail).
inline ControlWord read_control(std::span<const std::byte> message, Step step, int sender) {
  ControlWord control;
  const auto from = [sender] { return "rank " + std::to_string(sender); };
  if (message.size() < sizeof control) refuse_length(sender);
  std::memcpy(&control, message.data(), sizeof control);
  if (control.magic != ControlWord::expected_magic) {
    refuse_message(sender, "that is not the exchange's");
  }
  if (control.kind == MessageKind::failed) {
    throw PeerFailure(to_text(message.subspan(sizeof control)));
  }
  if (control.kind == MessageKind::left) {
    throw std::runtime_error(from() + " has left the exchange before timestep " +
                             std::to_string(control.step) + ", but its signals of timestep " +
                             std::to_string(step) + " are waited for");
  }
  if (control.step != step) {
    throw std::runtime_error(from() + " sent timestep " + std::to_string(control.step) + " where " +
                             std::to_string(step) + " was expected");
  }
  return control;
}

}  // namespace quartet
