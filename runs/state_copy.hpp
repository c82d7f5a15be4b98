/// State of one slice kept in memory, for the same slice to come back to.
#pragma once

#include <cstddef>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/state.hpp"

namespace quartet {

class StateCopy final : public StateWriter, public StateReader {
 public:
  std::uint64_t length(std::string_view name) override { return find(name).length; }

 protected:
  bool writes_shared() const override { return true; }  // every slice keeps its own
  void put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t,
           const void* data, std::uint64_t count) override {
    const auto* bytes = static_cast<const std::byte*>(data);
    arrays_[std::string(name)] = {length, {bytes, bytes + count * state_type_size(type)}};
  }
  void get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t, void* data,
           std::uint64_t count) override {
    const Array& array = find(name);
    if (array.length != length || array.bytes.size() != count * state_type_size(type))
      throw std::logic_error(std::string(name) + ": is read with another length than written");
    if (count > 0) std::memcpy(data, array.bytes.data(), array.bytes.size());
  }

 private:
  struct Array {
    std::uint64_t length = 0;  // over all slices
    std::vector<std::byte> bytes;
  };
  const Array& find(std::string_view name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end())
      throw std::logic_error(std::string(name) + ": is read but was not written");
    return found->second;
  }

  std::map<std::string, Array, std::less<>> arrays_;
};

}  // namespace quartet
