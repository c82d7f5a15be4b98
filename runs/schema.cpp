#include "runs/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <numeric>

namespace quartet {
namespace {

std::string kind_of(const Value& value) {
  struct Name {
    std::string operator()(bool) const { return "true or false"; }
    std::string operator()(std::int64_t) const { return "a number"; }
    std::string operator()(double) const { return "a number"; }
    std::string operator()(const std::string& text) const { return "the text " + toml_text(text); }
    std::string operator()(const std::vector<double>&) const { return "a list of numbers"; }
    std::string operator()(const Unusable& other) const { return other.kind; }
  };
  return std::visit(Name{}, value);
}

/// Splits "0.4 s" into number and unit; false if `text` does not begin with a number.
bool split_quantity(const std::string& text, double& number, std::string& unit) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  unit = text.substr(end - text.data());
  unit.erase(0, unit.find_first_not_of(' '));
  unit.erase(unit.find_last_not_of(' ') + 1);
  return true;
}

/// Whether `given` is a key's `unit`, degrees also as people write them.
bool is_unit(std::string_view given, std::string_view unit) {
  constexpr std::string_view kDegree[] = {"deg", "degrees", "°"};
  return given == unit || (unit == "degree" && std::find(std::begin(kDegree), std::end(kDegree),
                                                         given) != std::end(kDegree));
}

/// Factor from unit `from` to unit `to`, 0 where none is known.
double conversion(std::string_view from, std::string_view to) {
  struct Unit {
    std::string_view name, base;
    double factor;
  };
  static constexpr Unit kUnits[] = {{"s", "s", 1},        {"ms", "s", 1e-3},
                                    {"us", "s", 1e-6},    {"min", "s", 60},
                                    {"V", "V", 1},        {"mV", "V", 1e-3},
                                    {"m", "m", 1},        {"cm", "m", 1e-2},
                                    {"mm", "m", 1e-3},    {"Hz", "Hz", 1},
                                    {"kHz", "Hz", 1e3},   {"degree", "degree", 1},
                                    {"deg", "degree", 1}, {"rad", "degree", 57.29577951308232},
                                    {"kg", "kg", 1},      {"radian", "degree", 57.29577951308232},
                                    {"g", "kg", 1e-3},    {"A", "A", 1},
                                    {"mA", "A", 1e-3},    {"nA", "A", 1e-9},
                                    {"pA", "A", 1e-12},   {"%", "1", 1e-2},
                                    {"1", "1", 1}};
  const auto find = [](std::string_view name) {
    return std::find_if(std::begin(kUnits), std::end(kUnits),
                        [&](const Unit& unit) { return unit.name == name; });
  };
  const auto a = find(from), b = find(to);
  if (a == std::end(kUnits) || b == std::end(kUnits) || a->base != b->base) return 0.0;
  return a->factor / b->factor;
}

/// A number for people: six digits are enough.
std::string short_number(double value) { return fmt::format("{:g}", value); }

std::string whole(std::string_view key) { return std::string(key); }

std::string last_part(std::string_view key) {
  return std::string(key.substr(key.rfind('.') == key.npos ? 0 : key.rfind('.') + 1));
}

std::string table_of(std::string_view key) {
  return std::string(key.substr(0, key.rfind('.') == key.npos ? 0 : key.rfind('.')));
}

/// The candidate whose `part` is that of `given` or goes on from there, within its table and with
/// the least ("rotation_deg" from "rotation"). Empty if there is none.
std::string continuation(std::string_view given, const std::vector<std::string>& candidates,
                         std::string (*part)(std::string_view)) {
  const std::string beginning = part(given);
  std::string best;
  if (beginning.empty()) return best;
  for (const std::string& candidate : candidates) {
    const std::string name = part(candidate);
    if (!name.starts_with(beginning) || name.find('.', beginning.size()) != name.npos) continue;
    if (best.empty() || name.size() < part(best).size()) best = candidate;
  }
  return best;
}

/// The candidate that has what is given among the words of its last part ("cursor_gain" for
/// "gain"). Empty if there is none, or if others have it too: nobody can tell which was meant.
std::string with_words(std::string_view given, const std::vector<std::string>& candidates) {
  const std::string words = last_part(given);
  std::string only;
  if (words.empty()) return only;
  for (const std::string& candidate : candidates) {
    const std::string name = last_part(candidate);
    if (("_" + name + "_").find("_" + words + "_") == name.npos) continue;
    if (!only.empty() && last_part(only) != name) return {};
    if (only.empty()) only = candidate;
  }
  return only;
}

/// Insertions, deletions, substitutions and swaps of neighbours between two texts.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  std::iota(d[0].begin(), d[0].end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

std::string with_unit(const std::string& number, std::string_view unit) {
  return unit == "1" ? number : fmt::format("{} {}", number, unit);
}

std::string range_text(double min, double max) {
  const bool below = std::isfinite(min), above = std::isfinite(max);
  if (below && above) return fmt::format("{} … {}", short_number(min), short_number(max));
  if (below) return fmt::format("≥ {}", short_number(min));
  if (above) return fmt::format("≤ {}", short_number(max));
  return "";
}

std::string quoted_list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ", ") + toml_text(item);
  return text;
}

}  // namespace

std::string Place::text() const {
  return line == 0 ? source : fmt::format("{}:{}:{}", source, line, column);
}

void Problems::add(const Place& place, const std::string& what, const std::string& remedy,
                   bool consequence) {
  const std::string text = place.text() + ": " + what;
  if (std::none_of(found_.begin(), found_.end(),
                   [&](const Problem& problem) { return problem.what == text; })) {
    found_.push_back({place.line, place.column, text, remedy, consequence});
  }
}

std::vector<std::string> Problems::lines() const {
  std::vector<Problem> sorted = found_;
  const auto is_consequence = [](const Problem& problem) { return problem.consequence; };
  if (!std::all_of(sorted.begin(), sorted.end(), is_consequence)) {
    std::erase_if(sorted, is_consequence);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
  });
  std::vector<std::string> lines;
  for (const Problem& problem : sorted) lines.push_back(problem.what + "; " + problem.remedy);
  return lines;
}

Setting* find_setting(Layer& layer, std::string_view key) {
  const auto found = std::find_if(layer.rbegin(), layer.rend(),
                                  [&](const Setting& setting) { return setting.key == key; });
  return found == layer.rend() ? nullptr : &*found;
}

const Setting* SettingsReader::find(std::string_view name) {
  const Setting* best = nullptr;
  for (const std::string& prefix : prefixes_) {
    const std::string key = prefix + path_ + std::string(name);
    for (auto setting = layer_.rbegin(); setting != layer_.rend(); ++setting) {
      if (setting->key != key) continue;
      setting->used = true;
      if (!best) best = &*setting;
    }
  }
  return best;
}

void SettingsReader::wrong_type(const Setting& setting, const std::string& expected,
                                const std::string& example) {
  problems_.add(setting.where,
                fmt::format("{} takes {}, not {}", setting.key, expected, kind_of(setting.value)),
                fmt::format("write for example {} = {}", setting.key, example));
}

/// Reads `given` as a number within `bounds`; a text may be a number with the key's own unit.
bool SettingsReader::number(const Setting& setting, const Value& given, Bounds bounds,
                            double& value, const std::string& example) {
  if (const auto* whole = std::get_if<std::int64_t>(&given)) {
    value = static_cast<double>(*whole);
  } else if (const auto* real = std::get_if<double>(&given)) {
    value = *real;
  } else if (const auto* text = std::get_if<std::string>(&given)) {
    std::string unit;
    if (!split_quantity(*text, value, unit)) {
      wrong_type(setting, "a number", example);
      return false;
    }
    std::string pointed = *text, rest;
    std::replace(pointed.begin(), pointed.end(), ',', '.');
    double meant = 0.0;
    if (unit.starts_with(',') && split_quantity(pointed, meant, rest)) {
      problems_.add(setting.where, fmt::format("{} = {} has a comma", setting.key, *text),
                    fmt::format("write {} = {}", setting.key,
                                rest.empty() ? short_number(meant) : toml_text(pointed)));
      return false;
    }
    if (!unit.empty() && !is_unit(unit, bounds.unit)) {
      const double converted = value * conversion(unit, bounds.unit);  // 0: nobody knows
      const bool known = converted != 0 && converted >= bounds.min && converted <= bounds.max;
      problems_.add(setting.where,
                    bounds.unit == "1"
                        ? fmt::format("{} is a plain number, not in {}", setting.key, unit)
                        : fmt::format("{} is in {}, not in {}", setting.key, bounds.unit, unit),
                    known ? fmt::format("write {} = {}", setting.key, short_number(converted))
                    : bounds.unit == "1"
                        ? fmt::format("write a number alone (quartet describe {} says of what)",
                                      last_part(setting.key))
                        : fmt::format("write a number of {}", bounds.unit));
      return false;
    }
  } else {
    wrong_type(setting, "a number", example);
    return false;
  }
  if (!(value >= bounds.min && value <= bounds.max)) {
    const bool both = std::isfinite(bounds.min) && std::isfinite(bounds.max);
    std::string remedy;
    if (std::isnan(value) && !std::isfinite(bounds.min) && !std::isfinite(bounds.max)) {
      remedy = "write a finite number";
    } else if (both) {
      remedy = fmt::format("write a value from {} to {}", short_number(bounds.min),
                           with_unit(short_number(bounds.max), bounds.unit));
    } else {
      remedy = fmt::format("write a value {}",
                           with_unit(range_text(bounds.min, bounds.max), bounds.unit));
    }
    problems_.add(setting.where,
                  fmt::format("{} = {} is out of range", setting.key, short_number(value)), remedy);
    return false;
  }
  return true;
}

void SettingsReader::real(std::string_view name, double& value, Bounds bounds, std::string_view) {
  const Setting* setting = find(name);
  double given = 0.0;
  if (setting && number(*setting, setting->value, bounds, given, toml_real(value))) value = given;
}

void SettingsReader::integer(std::string_view name, std::int64_t& value, Bounds bounds,
                             std::string_view) {
  const Setting* setting = find(name);
  if (!setting) return;
  double given = 0.0;
  if (!number(*setting, setting->value, bounds, given, std::to_string(value))) return;
  if (const auto* whole = std::get_if<std::int64_t>(&setting->value)) {
    value = *whole;
  } else if (given == std::floor(given) && std::fabs(given) < 9e15 &&
             !std::holds_alternative<double>(setting->value)) {
    value = static_cast<std::int64_t>(given);
  } else {
    problems_.add(setting->where,
                  fmt::format("{} takes a whole number, not {}", setting->key,
                              std::holds_alternative<double>(setting->value) ? toml_real(given)
                                                                             : short_number(given)),
                  fmt::format("write {} = {:.0f}", setting->key, std::floor(given + 0.5)));
  }
}

void SettingsReader::boolean(std::string_view name, bool& value, std::string_view) {
  const Setting* setting = find(name);
  if (!setting) return;
  if (const auto* given = std::get_if<bool>(&setting->value)) {
    value = *given;
  } else {
    wrong_type(*setting, "true or false", value ? "false" : "true");
  }
}

void SettingsReader::text(std::string_view name, std::string& value, std::string_view) {
  const Setting* setting = find(name);
  if (!setting) return;
  if (const auto* given = std::get_if<std::string>(&setting->value)) {
    value = *given;
  } else {
    wrong_type(*setting, "text", "\"" + last_part(setting->key) + "\"");
  }
}

void SettingsReader::choice(std::string_view name, int& value,
                            const std::vector<std::string>& choices, std::string_view) {
  const Setting* setting = find(name);
  if (!setting) return;
  const auto* given = std::get_if<std::string>(&setting->value);
  if (!given) {
    wrong_type(*setting, "one of " + quoted_list(choices), toml_text(choices.front()));
    return;
  }
  const auto found = std::find(choices.begin(), choices.end(), *given);
  if (found != choices.end()) {
    value = static_cast<int>(found - choices.begin());
    return;
  }
  const std::string close = nearest(*given, choices);
  problems_.add(setting->where, fmt::format("{} has no choice {}", setting->key, toml_text(*given)),
                close.empty() ? "write one of " + quoted_list(choices)
                              : fmt::format("did you mean {}? (one of {})", toml_text(close),
                                            quoted_list(choices)));
}

void SettingsReader::reals(std::string_view name, std::vector<double>& values, Bounds bounds,
                           std::string_view) {
  const Setting* setting = find(name);
  if (!setting) return;
  const auto* given = std::get_if<std::vector<double>>(&setting->value);
  if (!given) {
    std::string example = values.empty() ? toml_real(bounds.min) : "";
    for (const double value : values) example += (example.empty() ? "" : ", ") + toml_real(value);
    wrong_type(*setting, "a list of numbers", "[" + example + "]");
    return;
  }
  for (const double element : *given) {
    double checked = 0.0;
    if (!number(*setting, element, bounds, checked, "")) return;
  }
  values = *given;
}

void SettingsReader::enter(std::string_view name, std::string_view) {
  // An empty table is legal; a value in a table's place is not.
  if (const Setting* setting = find(name)) {
    const auto* other = std::get_if<Unusable>(&setting->value);
    if (!other || other->kind != "a table") {
      problems_.add(
          setting->where,
          fmt::format("{} is a table of keys, not {}", setting->key, kind_of(setting->value)),
          fmt::format("write {}.KEY = VALUE (`quartet describe` lists the keys)", setting->key));
    }
  }
  path_ += std::string(name) + ".";
}

void SettingsReader::leave() {
  path_.pop_back();
  path_.erase(path_.rfind('.') == path_.npos ? 0 : path_.rfind('.') + 1);
}

std::string Key::type() const {
  switch (kind) {
    case Kind::table:
      return "table";
    case Kind::real:
      return "number";
    case Kind::integer:
      return "whole number";
    case Kind::boolean:
      return "true or false";
    case Kind::text:
      return "text";
    case Kind::choice:
      return "one of " + quoted_list(choices);
    case Kind::reals:
      return "list of numbers";
  }
  return "";
}

std::string Key::range() const {
  const bool numeric = kind == Kind::real || kind == Kind::integer || kind == Kind::reals;
  return numeric ? range_text(min, max) : "";
}

Key& KeyLister::add(std::string_view name, Key::Kind kind, std::string_view doc) {
  Key key;
  key.name = path_ + std::string(name);
  key.kind = kind;
  key.doc = std::string(doc);
  keys_.push_back(std::move(key));
  return keys_.back();
}

void KeyLister::real(std::string_view name, double& value, Bounds bounds, std::string_view doc) {
  Key& key = add(name, Key::Kind::real, doc);
  key.value = toml_real(value);
  key.unit = std::string(bounds.unit);
  key.min = bounds.min;
  key.max = bounds.max;
}

void KeyLister::integer(std::string_view name, std::int64_t& value, Bounds bounds,
                        std::string_view doc) {
  Key& key = add(name, Key::Kind::integer, doc);
  key.value = std::to_string(value);
  key.unit = std::string(bounds.unit);
  key.min = bounds.min;
  key.max = bounds.max;
}

void KeyLister::boolean(std::string_view name, bool& value, std::string_view doc) {
  add(name, Key::Kind::boolean, doc).value = value ? "true" : "false";
}

void KeyLister::text(std::string_view name, std::string& value, std::string_view doc) {
  add(name, Key::Kind::text, doc).value = toml_text(value);
}

void KeyLister::choice(std::string_view name, int& value, const std::vector<std::string>& choices,
                       std::string_view doc) {
  Key& key = add(name, Key::Kind::choice, doc);
  key.value = toml_text(choices.at(static_cast<std::size_t>(value)));
  key.choices = choices;
}

void KeyLister::reals(std::string_view name, std::vector<double>& values, Bounds bounds,
                      std::string_view doc) {
  Key& key = add(name, Key::Kind::reals, doc);
  for (const double value : values) key.value += (key.value.empty() ? "" : ", ") + toml_real(value);
  key.value = "[" + key.value + "]";
  key.unit = std::string(bounds.unit);
  key.min = bounds.min;
  key.max = bounds.max;
}

void KeyLister::enter(std::string_view name, std::string_view doc) {
  add(name, Key::Kind::table, doc);
  path_ += std::string(name) + ".";
}

void KeyLister::leave() {
  path_.pop_back();
  path_.erase(path_.rfind('.') == path_.npos ? 0 : path_.rfind('.') + 1);
}

std::string toml_real(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  std::string text(buffer, end);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

std::string toml_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string nearest(std::string_view given, const std::vector<std::string>& candidates) {
  std::string best = continuation(given, candidates, whole);
  if (!best.empty()) return best;
  // Before typing errors, of which three make "block.task" of "block.gain".
  std::vector<std::string> beside;
  std::copy_if(
      candidates.begin(), candidates.end(), std::back_inserter(beside),
      [&](const std::string& candidate) { return table_of(candidate) == table_of(given); });
  best = with_words(given, beside);
  if (!best.empty()) return best;
  const std::size_t tolerance = std::clamp<std::size_t>(given.size() / 3, 1, 3);
  std::size_t best_distance = tolerance + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(given, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (!best.empty()) return best;
  // The right key in the wrong table, or the table forgotten.
  best = continuation(given, candidates, last_part);
  return best.empty() ? with_words(given, candidates) : best;
}

std::string did_you_mean(std::string_view given, const std::vector<std::string>& candidates,
                         const std::string& otherwise) {
  const std::string close = nearest(given, candidates);
  return close.empty() ? otherwise : fmt::format("did you mean {}?", close);
}

}  // namespace quartet
