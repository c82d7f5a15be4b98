#include "runs/compare.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runs/netcdf_file.hpp"

namespace quartet {

namespace fs = std::filesystem;

namespace {

/// What differs, for people; none where all is equal.
using Difference = std::optional<std::string>;

template <class T>
std::map<std::string, T> by_name(const std::vector<T>& list) {
  std::map<std::string, T> map;
  for (const T& item : list) map.emplace(item.name, item);
  return map;
}

/// The first name that only one of two maps has.
template <class T>
Difference only_in_one(const std::string& what, const std::map<std::string, T>& a,
                       const std::map<std::string, T>& b) {
  for (const auto& [name, item] : a) {
    if (!b.contains(name)) return what + " '" + name + "' is only in the first";
  }
  for (const auto& [name, item] : b) {
    if (!a.contains(name)) return what + " '" + name + "' is only in the second";
  }
  return std::nullopt;
}

/// "1.5 against 1.25"; with their bits where they read alike (two kinds of NaN).
std::string against(NetcdfType type, std::span<const std::byte> a, std::span<const std::byte> b) {
  std::string left = netcdf_text(type, a);
  std::string right = netcdf_text(type, b);
  if (left == right || type == NetcdfType::text) {
    const auto bits = [](std::span<const std::byte> bytes) {
      std::string text = " (bits 0x";
      for (auto at = bytes.rbegin(); at != bytes.rend(); ++at) {
        char digits[3];
        std::snprintf(digits, sizeof(digits), "%02x", static_cast<unsigned>(*at));
        text += digits;
      }
      return text + ")";
    };
    left += bits(a);
    right += bits(b);
  }
  return left + " against " + right;
}

Difference compare_attributes(const NetcdfFile& a, int variable_a, const NetcdfFile& b,
                              int variable_b, const std::string& owner) {
  const auto kept = [](std::vector<NetcdfFile::Attribute> list) {
    std::erase_if(list, [](const auto& item) { return item.name.starts_with("provenance_"); });
    return by_name(list);
  };
  const auto left = kept(a.attributes(variable_a));
  const auto right = kept(b.attributes(variable_b));
  if (Difference difference = only_in_one(owner + "attribute", left, right)) return difference;
  for (const auto& [name, attribute] : left) {
    const NetcdfFile::Attribute& other = right.at(name);
    if (attribute.type != other.type || attribute.bytes != other.bytes) {
      return owner + "attribute '" + name + "': " + netcdf_text(attribute.type, attribute.bytes) +
             " against " + netcdf_text(other.type, other.bytes);
    }
  }
  return std::nullopt;
}

/// Compares a variable by its bits, some megabytes at a time.
Difference compare_values(const NetcdfFile& a, int id_a, const NetcdfFile& b, int id_b,
                          const NetcdfFile::Variable& variable,
                          const std::vector<std::string>& axes) {
  const std::vector<std::size_t> shape = a.shape(id_a);
  const std::size_t value_size = netcdf_type_size(variable.type);
  std::size_t row_size = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) row_size *= shape[i];
  const std::size_t rows = shape.empty() ? 1 : shape[0];
  if (rows * row_size == 0) return std::nullopt;
  const std::size_t rows_at_once =
      std::max<std::size_t>(1, (std::size_t{4} << 20) / std::max<std::size_t>(1, row_size));
  for (std::size_t row = 0; row < rows; row += rows_at_once) {
    std::vector<std::size_t> start(shape.size(), 0);
    std::vector<std::size_t> count = shape;
    if (!shape.empty()) {
      start[0] = row;
      count[0] = std::min(rows_at_once, rows - row);
    }
    const std::vector<std::byte> left = a.get_raw(id_a, start, count);
    const std::vector<std::byte> right = b.get_raw(id_b, start, count);
    const auto at = std::mismatch(left.begin(), left.end(), right.begin()).first;
    if (at == left.end()) continue;
    std::size_t element = static_cast<std::size_t>(at - left.begin()) / value_size;
    const auto value = [&](const std::vector<std::byte>& bytes) {
      return std::span(bytes).subspan(element * value_size, value_size);
    };
    const std::string both = against(variable.type, value(left), value(right));
    element += row * row_size;
    std::string index;
    for (std::size_t i = shape.size(); i-- > 0;) {
      index =
          axes[i] + " " + std::to_string(element % shape[i]) + (index.empty() ? "" : ", ") + index;
      element /= shape[i];
    }
    return "variable '" + variable.name + "'" + (index.empty() ? "" : " at " + index) + ": " + both;
  }
  return std::nullopt;
}

Difference compare_files(const fs::path& path_a, const fs::path& path_b) {
  const NetcdfFile a = NetcdfFile::open_whole(path_a);
  const NetcdfFile b = NetcdfFile::open_whole(path_b);
  const auto dimension_list_a = a.dimensions();
  const auto dimension_list_b = b.dimensions();
  const auto dimensions_a = by_name(dimension_list_a);
  const auto dimensions_b = by_name(dimension_list_b);
  if (Difference d = only_in_one("dimension", dimensions_a, dimensions_b)) return d;
  for (const auto& [name, dimension] : dimensions_a) {
    const std::size_t other = dimensions_b.at(name).size;
    if (dimension.size != other) {
      return "dimension '" + name + "': " + std::to_string(dimension.size) + " against " +
             std::to_string(other);
    }
  }
  const auto variable_list = a.variables();
  const auto variables_a = by_name(variable_list);
  const auto variables_b = by_name(b.variables());
  if (Difference d = only_in_one("variable", variables_a, variables_b)) return d;
  for (const NetcdfFile::Variable& variable : variable_list) {
    const NetcdfFile::Variable& other = variables_b.at(variable.name);
    std::vector<std::string> axes;
    std::vector<std::string> other_axes;
    for (int id : variable.dimensions) axes.push_back(dimension_list_a[id].name);
    for (int id : other.dimensions) other_axes.push_back(dimension_list_b[id].name);
    if (variable.type != other.type || axes != other_axes) {
      return "variable '" + variable.name + "' has another type or other dimensions";
    }
    const int id_a = a.variable_id(variable.name);
    const int id_b = b.variable_id(variable.name);
    if (Difference d = compare_values(a, id_a, b, id_b, variable, axes)) return d;
    if (Difference d = compare_attributes(a, id_a, b, id_b, "variable '" + variable.name + "', ")) {
      return d;
    }
  }
  return compare_attributes(a, NetcdfFile::global, b, NetcdfFile::global, "");
}

/// Compares two texts line by line. A comment that differs, as a digest does with every key, is
/// told only where no other line differs.
Difference compare_texts(const fs::path& path_a, const fs::path& path_b) {
  std::ifstream a(path_a);
  std::ifstream b(path_b);
  if (!a) throw std::runtime_error(path_a.string() + ": cannot open it");
  if (!b) throw std::runtime_error(path_b.string() + ": cannot open it");
  Difference in_comment;
  for (int number = 1;; ++number) {
    std::string left;
    std::string right;
    const bool more_a = static_cast<bool>(std::getline(a, left));
    const bool more_b = static_cast<bool>(std::getline(b, right));
    if (!more_a && !more_b) return in_comment;
    if (left == right && more_a == more_b) continue;
    const std::string found = "line " + std::to_string(number) + ": " +
                              (more_a ? "'" + left + "'" : "(end)") + " against " +
                              (more_b ? "'" + right + "'" : "(end)");
    if (!left.starts_with('#') || !right.starts_with('#')) return found;
    if (!in_comment) in_comment = found;
  }
}

/// Names of the files of a run that a comparison reads.
std::set<std::string> files_to_compare(const fs::path& directory) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".nc" || name == "resolved.toml") names.insert(name);
  }
  return names;
}

}  // namespace

int compare_runs(const fs::path& a, const fs::path& b, std::ostream& out) {
  for (const fs::path& path : {a, b}) {
    if (!fs::exists(path)) {
      throw std::invalid_argument(path.string() +
                                  ": is not there; give two run directories or two .nc files");
    }
  }
  if (fs::is_directory(a) != fs::is_directory(b)) {
    throw std::invalid_argument(a.string() + " and " + b.string() +
                                ": give two run directories or two .nc files");
  }
  if (!fs::is_directory(a)) {
    for (const fs::path& path : {a, b}) {
      if (path.extension() != ".nc") {
        throw std::invalid_argument(path.string() +
                                    ": is no .nc file; give two run directories or two .nc files");
      }
    }
    const Difference difference = compare_files(a, b);
    if (difference) out << a.filename().string() << ": " << *difference << "\n";
    return difference ? 1 : 0;
  }
  const std::set<std::string> names_a = files_to_compare(a);
  const std::set<std::string> names_b = files_to_compare(b);
  std::set<std::string> names = names_a;
  names.insert(names_b.begin(), names_b.end());
  if (names.empty()) {
    throw std::invalid_argument(a.string() + ": has no .nc file; is it a run directory?");
  }
  bool equal = true;
  for (const std::string& name : names) {
    Difference difference;
    if (!names_b.contains(name)) {
      difference = "is only in the first";
    } else if (!names_a.contains(name)) {
      difference = "is only in the second";
    } else if (name == "resolved.toml") {
      difference = compare_texts(a / name, b / name);
    } else {
      difference = compare_files(a / name, b / name);
    }
    if (!difference) continue;
    equal = false;
    out << name << ": " << *difference << "\n";
  }
  return equal ? 0 : 1;
}

}  // namespace quartet
