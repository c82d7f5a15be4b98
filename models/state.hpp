/// How state leaves a model for a checkpoint and comes back, on any placement.
///
/// State is a set of named arrays, each with a length over all slices of the region, of which a
/// slice owns a contiguous range. Names are unique within a region ("L5PT.v"). What is the same
/// on every slice (clocks, traces of presynaptic cells) is `shared`: written by slice 0, read by
/// all. Derived values are never saved.
///
/// What a class saves and loads alike it lists once, in a private `visit_state(state, self)`: its
/// `save` calls it with a StateWriter and a const self, its `load` with a StateReader.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace quartet {

/// Element types a checkpoint can hold; fixed width, so files are portable.
enum class StateType : std::uint8_t { u8, i32, u32, i64, u64, f32, f64 };

template <class T>
constexpr StateType state_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return StateType::u8;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return StateType::i32;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return StateType::u32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return StateType::i64;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return StateType::u64;
  else if constexpr (std::is_same_v<T, float>)
    return StateType::f32;
  else {
    static_assert(std::is_same_v<T, double>, "not a type that a checkpoint can hold");
    return StateType::f64;
  }
}

constexpr std::size_t state_type_size(StateType type) {
  switch (type) {
    case StateType::u8:
      return 1;
    case StateType::i32:
    case StateType::u32:
    case StateType::f32:
      return 4;
    default:
      return 8;
  }
}

class StateWriter {
 public:
  virtual ~StateWriter() = default;

  /// Elements [first, first + values.size()) of array `name`, which has `length` elements.
  template <class T>
  void block(std::string_view name, std::uint64_t length, std::uint64_t first,
             std::span<const T> values) {
    put(name, state_type<T>(), length, first, values.data(), values.size());
  }
  /// An array that every slice holds whole and alike.
  template <class T>
  void shared(std::string_view name, std::span<const T> values) {
    if (writes_shared()) put(name, state_type<T>(), values.size(), 0, values.data(), values.size());
  }
  template <class T>
  void shared_value(std::string_view name, const T& value) {
    shared(name, std::span<const T>(&value, 1));
  }
  /// Several values as one array, of the type that holds them all.
  template <class... Values>
  void shared_values(std::string_view name, const Values&... values) {
    using T = std::common_type_t<Values...>;
    const T array[] = {static_cast<T>(values)...};
    shared<T>(name, array);
  }
  /// What saves its own state, with `save(writer, name...)`.
  template <class Part, class... Name>
  void part(const Part& part, const Name&... name) {
    part.save(*this, name...);
  }

 protected:
  virtual bool writes_shared() const = 0;  ///< true on slice 0
  virtual void put(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
                   const void* data, std::uint64_t count) = 0;
};

/// Reads what a StateWriter wrote, whatever the slices were then. Throws std::runtime_error with
/// region, array, and what is wrong (missing, other type, other length).
class StateReader {
 public:
  virtual ~StateReader() = default;

  template <class T>
  void block(std::string_view name, std::uint64_t length, std::uint64_t first,
             std::span<T> values) {
    get(name, state_type<T>(), length, first, values.data(), values.size());
  }
  template <class T>
  void shared(std::string_view name, std::span<T> values) {
    get(name, state_type<T>(), values.size(), 0, values.data(), values.size());
  }
  template <class T>
  void shared_value(std::string_view name, T& value) {
    shared(name, std::span<T>(&value, 1));
  }
  template <class... Values>
  void shared_values(std::string_view name, Values&... values) {
    using T = std::common_type_t<Values...>;
    T array[sizeof...(values)];
    shared<T>(name, array);
    const T* next = array;
    ((values = static_cast<Values>(*next++)), ...);
  }
  template <class Part, class... Name>
  void part(Part& part, const Name&... name) {
    part.load(*this, name...);
  }
  /// Length of array `name`: for state whose size changes (lists of events).
  virtual std::uint64_t length(std::string_view name) = 0;

 protected:
  virtual void get(std::string_view name, StateType type, std::uint64_t length, std::uint64_t first,
                   void* data, std::uint64_t count) = 0;
};

}  // namespace quartet
