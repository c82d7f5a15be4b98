/// Checkpointed state in memory, for tests: what several slices wrote, for any other slices.
#pragma once

#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/state.hpp"

namespace quartet {

/// Arrays by name, as a checkpoint would hold them.
struct MemoryState {
  struct Array {
    StateType type;
    std::uint64_t length;
    std::vector<unsigned char> bytes;
    std::vector<bool> written;  // per element

    friend bool operator==(const Array&, const Array&) = default;
  };
  std::map<std::string, Array> arrays;

  friend bool operator==(const MemoryState&, const MemoryState&) = default;

  /// Whether each element has been written by exactly one slice (a second one throws).
  bool complete() const {
    for (const auto& [name, array] : arrays)
      for (const bool written : array.written)
        if (!written) return false;
    return true;
  }
};

class MemoryWriter : public StateWriter {
 public:
  MemoryWriter(MemoryState& state, int slice) : state_(state), slice_(slice) {}

 protected:
  bool writes_shared() const override { return slice_ == 0; }
  void put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           const void* data, std::uint64_t count) override {
    const std::size_t size = state_type_size(type);
    auto& array =
        state_.arrays
            .try_emplace(std::string(name),
                         MemoryState::Array{type, length, std::vector<unsigned char>(length * size),
                                            std::vector<bool>(length)})
            .first->second;
    if (array.type != type || array.length != length || first + count > length)
      throw std::logic_error(std::string(name) + ": slices do not agree about it");
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (array.written[i]) throw std::logic_error(std::string(name) + ": written twice");
      array.written[i] = true;
    }
    if (count > 0) std::memcpy(array.bytes.data() + first * size, data, count * size);
  }

 private:
  MemoryState& state_;
  int slice_;
};

class MemoryReader : public StateReader {
 public:
  explicit MemoryReader(const MemoryState& state) : state_(state) {}
  std::uint64_t length(std::string_view name) override { return at(name).length; }

 protected:
  void get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
           void* data, std::uint64_t count) override {
    const MemoryState::Array& array = at(name);
    if (array.type != type || array.length != length || first + count > length)
      throw std::runtime_error(std::string(name) + ": other type or length");
    const std::size_t size = state_type_size(type);
    if (count > 0) std::memcpy(data, array.bytes.data() + first * size, count * size);
  }

 private:
  const MemoryState& state_;
  const MemoryState::Array& at(std::string_view name) const {
    const auto found = state_.arrays.find(std::string(name));
    if (found == state_.arrays.end()) throw std::runtime_error(std::string(name) + ": missing");
    return found->second;
  }
};

/// State of what has one slice.
template <class Saved>
MemoryState saved(const Saved& of) {
  MemoryState state;
  MemoryWriter writer(state, 0);
  of.save(writer);
  return state;
}

}  // namespace quartet
