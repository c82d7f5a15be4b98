/// Between text and parameter structs: layers of settings are read into structs, and structs are
/// listed as keys, both by walking the structs' `visit`. So the reader of experiment files,
/// `--set`, `describe` and resolved.toml know a parameter as soon as its struct declares it.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "models/parameters.hpp"

namespace quartet {

/// Where something was written: in a file, or (line 0) in the command-line flag `source`.
struct Place {
  std::string source;
  int line = 0;
  int column = 0;

  /// "file:line:column", or the flag.
  std::string text() const;
};

/// What is wrong, one line each: "where: what; remedy".
class Problems {
 public:
  /// A `consequence` may follow from something else that is wrong (a misspelt key leaves a value at
  /// its default), and is told only where nothing else is.
  void add(const Place& place, const std::string& what, const std::string& remedy,
           bool consequence = false);
  bool empty() const { return found_.empty(); }
  /// In the order of the file, flags first; one line for each thing that is wrong in a place, also
  /// where it was met several times (an override meets every group).
  std::vector<std::string> lines() const;

 private:
  struct Problem {
    int line, column;
    std::string what;  ///< with the place
    std::string remedy;
    bool consequence;
  };
  std::vector<Problem> found_;
};

/// A value that no key takes, by the name that messages give it ("a date", "a table").
struct Unusable {
  std::string kind;
};

using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<double>, Unusable>;

/// One `key = value`, with the place where it was written.
struct Setting {
  std::string key;  ///< dotted
  Value value;
  Place where;
  bool used = false;  ///< some struct has this key
};

/// Settings of equal rank, in the order in which they were written.
using Layer = std::vector<Setting>;

/// The last setting of `key`, or null.
Setting* find_setting(Layer& layer, std::string_view key);

/// Puts a layer's values into a struct. A key's value is the first that is found under
/// `prefixes` (most specific first); all settings that match are marked as used. Wrong types,
/// units and ranges go to `problems`, and the field keeps its value.
class SettingsReader : public ParameterVisitor {
 public:
  SettingsReader(Layer& layer, std::vector<std::string> prefixes, Problems& problems)
      : layer_(layer), prefixes_(std::move(prefixes)), problems_(problems) {}

  void real(std::string_view name, double& value, Bounds bounds, std::string_view doc) override;
  void integer(std::string_view name, std::int64_t& value, Bounds bounds,
               std::string_view doc) override;
  void boolean(std::string_view name, bool& value, std::string_view doc) override;
  void text(std::string_view name, std::string& value, std::string_view doc) override;
  void choice(std::string_view name, int& value, const std::vector<std::string>& choices,
              std::string_view doc) override;
  void reals(std::string_view name, std::vector<double>& values, Bounds bounds,
             std::string_view doc) override;

 protected:
  void enter(std::string_view name, std::string_view doc) override;
  void leave() override;

 private:
  const Setting* find(std::string_view name);
  void wrong_type(const Setting& setting, const std::string& expected, const std::string& example);
  bool number(const Setting& setting, const Value& given, Bounds bounds, double& value,
              const std::string& example);

  Layer& layer_;
  std::vector<std::string> prefixes_;
  Problems& problems_;
  std::string path_;  ///< of the enclosing tables, with a dot at its end
};

/// Puts a layer's values into a struct that has a `visit`.
template <class Struct>
void read_settings(Struct&& target, Layer& layer, const std::vector<std::string>& prefixes,
                   Problems& problems) {
  SettingsReader reader(layer, prefixes, problems);
  target.visit(reader);
}

/// A key as the code declares it, with its present value.
struct Key {
  enum class Kind { table, real, integer, boolean, text, choice, reals };

  std::string name;  ///< dotted
  Kind kind = Kind::table;
  std::string value;  ///< in TOML; empty for a table
  std::string unit;   ///< numbers only
  double min = 0, max = 0;
  std::vector<std::string> choices;
  std::string doc;

  /// "number", "whole number", "one of \"a\", \"b\"" …
  std::string type() const;
  /// "0 … 1", "≥ 0", or empty where any number goes.
  std::string range() const;
};

/// Lists keys in the order of declaration.
class KeyLister : public ParameterVisitor {
 public:
  explicit KeyLister(std::string prefix = "") : path_(std::move(prefix)) {}

  const std::vector<Key>& keys() const { return keys_; }

  void real(std::string_view name, double& value, Bounds bounds, std::string_view doc) override;
  void integer(std::string_view name, std::int64_t& value, Bounds bounds,
               std::string_view doc) override;
  void boolean(std::string_view name, bool& value, std::string_view doc) override;
  void text(std::string_view name, std::string& value, std::string_view doc) override;
  void choice(std::string_view name, int& value, const std::vector<std::string>& choices,
              std::string_view doc) override;
  void reals(std::string_view name, std::vector<double>& values, Bounds bounds,
             std::string_view doc) override;

 protected:
  void enter(std::string_view name, std::string_view doc) override;
  void leave() override;

 private:
  Key& add(std::string_view name, Key::Kind kind, std::string_view doc);

  std::vector<Key> keys_;
  std::string path_;
};

/// Keys of a struct with its present values, names under `prefix` ("brain.").
template <class Struct>
std::vector<Key> list_keys(Struct struct_, const std::string& prefix = "") {
  KeyLister lister(prefix);
  struct_.visit(lister);
  return lister.keys();
}

/// Shortest TOML number that reads back to the same bits, always with a point or an exponent.
std::string toml_real(double value);
/// TOML basic string, quoted and escaped.
std::string toml_text(std::string_view text);

/// The candidate that a person most likely meant, the first that there is: one that goes on from
/// what is given, the only one of the same table that has it among its words, one few typing errors
/// away, one whose last part is or goes on from the given one's, the only one of any table that has
/// it among its words. Empty if there is none.
std::string nearest(std::string_view given, const std::vector<std::string>& candidates);

/// "; did you mean X?" or `otherwise`.
std::string did_you_mean(std::string_view given, const std::vector<std::string>& candidates,
                         const std::string& otherwise);

}  // namespace quartet
