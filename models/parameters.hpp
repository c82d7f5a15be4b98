/// One declaration per parameter, from which the reader of experiment files, `validate`,
/// `describe` and resolved.toml all follow.
///
/// A parameter struct has plain fields with defaults and a member
///   `void visit(ParameterVisitor& v) { v.real("ltd", ltd, {"1", 0, 1}, "what (source)"); }`
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace quartet {

/// Unit and closed range of a number.
struct Bounds {
  std::string_view unit = "1";  ///< UDUNITS spelling, "1" for none
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
};

class ParameterVisitor {
 public:
  virtual ~ParameterVisitor() = default;
  virtual void real(std::string_view name, double& value, Bounds bounds, std::string_view doc) = 0;
  virtual void integer(std::string_view name, std::int64_t& value, Bounds bounds,
                       std::string_view doc) = 0;
  virtual void boolean(std::string_view name, bool& value, std::string_view doc) = 0;
  virtual void text(std::string_view name, std::string& value, std::string_view doc) = 0;
  /// One of `choices`; `value` is the index of the chosen one.
  virtual void choice(std::string_view name, int& value, const std::vector<std::string>& choices,
                      std::string_view doc) = 0;
  virtual void reals(std::string_view name, std::vector<double>& values, Bounds bounds,
                     std::string_view doc) = 0;

  /// A nested table: calls `struct_.visit(*this)` between enter and leave.
  template <class Struct>
  void table(std::string_view name, Struct& struct_, std::string_view doc) {
    enter(name, doc);
    struct_.visit(*this);
    leave();
  }
  /// An enum whose values count 0, 1, … in the order of `choices`.
  template <class Enum>
  void choice_of(std::string_view name, Enum& value, const std::vector<std::string>& choices,
                 std::string_view doc) {
    int index = static_cast<int>(value);
    choice(name, index, choices, doc);
    value = static_cast<Enum>(index);
  }

 protected:
  virtual void enter(std::string_view name, std::string_view doc) = 0;
  virtual void leave() = 0;
};

}  // namespace quartet
