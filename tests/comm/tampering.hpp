/// A communicator whose lanes a test sees being opened, and whose messages it may change.
#pragma once

#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include "comm/communicator.hpp"

namespace quartet {

struct Tampering {
  /// A lane to another rank is opened.
  std::function<void(int to, int tag, std::size_t max_bytes)> opened = [](int, int, std::size_t) {};
  /// A message of `bytes` bytes in `buffer` is about to leave; returns how many do leave.
  std::function<std::size_t(int to, int tag, std::span<std::byte> buffer, std::size_t bytes)>
      sends = [](int, int, std::span<std::byte>, std::size_t bytes) { return bytes; };
};

class TamperedCommunicator final : public Communicator {
 public:
  /// Both must live as long.
  TamperedCommunicator(Communicator& inner, const Tampering& tampering)
      : inner_(inner), tampering_(tampering) {}
  TamperedCommunicator(std::unique_ptr<Communicator> inner, const Tampering& tampering)
      : owned_(std::move(inner)), inner_(*owned_), tampering_(tampering) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  std::unique_ptr<SendLane> open_send(int to, int tag, std::size_t max_bytes, int slots) override {
    tampering_.opened(to, tag, max_bytes);
    return std::make_unique<Lane>(inner_.open_send(to, tag, max_bytes, slots), to, tag, tampering_);
  }
  std::unique_ptr<ReceiveLane> open_receive(int from, int tag, std::size_t max_bytes,
                                            int slots) override {
    return inner_.open_receive(from, tag, max_bytes, slots);
  }
  void barrier(std::string_view name) override { inner_.barrier(name); }
  void all_reduce_sum(std::string_view name, std::span<std::int64_t> values) override {
    inner_.all_reduce_sum(name, values);
  }
  void all_reduce_max(std::string_view name, std::span<std::int64_t> values) override {
    inner_.all_reduce_max(name, values);
  }
  std::vector<Bytes> gather(std::string_view name, int root,
                            std::span<const std::byte> bytes) override {
    return inner_.gather(name, root, bytes);
  }
  void broadcast(std::string_view name, int root, Bytes& bytes) override {
    inner_.broadcast(name, root, bytes);
  }
  std::unique_ptr<Communicator> split(std::string_view name, int color, int key) override {
    return std::make_unique<TamperedCommunicator>(inner_.split(name, color, key), tampering_);
  }
  [[noreturn]] void abort(std::string_view reason, int code) override {
    inner_.abort(reason, code);
    std::abort();  // GCC 12 forgets that a virtual function does not return
  }

 private:
  class Lane final : public SendLane {
   public:
    Lane(std::unique_ptr<SendLane> inner, int to, int tag, const Tampering& tampering)
        : inner_(std::move(inner)), to_(to), tag_(tag), tampering_(tampering) {}
    std::span<std::byte> buffer() override { return buffer_ = inner_->buffer(); }
    void send(std::size_t bytes) override {
      inner_->send(tampering_.sends(to_, tag_, buffer_, bytes));
    }

   private:
    std::unique_ptr<SendLane> inner_;
    int to_, tag_;
    const Tampering& tampering_;
    std::span<std::byte> buffer_;
  };

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
  const Tampering& tampering_;
};

}  // namespace quartet
