/// A NetCDF file that closes itself, with errors that name the file and a remedy.
///
/// New files are CDF-5 (64-bit data): a writer that is killed leaves them readable, and they can be
/// read while they grow. Any NetCDF file can be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace quartet {

/// External types, with NetCDF's own numbers.
enum class NetcdfType : int {
  i8 = 1,
  text = 2,
  i16 = 3,
  i32 = 4,
  f32 = 5,
  f64 = 6,
  u8 = 7,
  u16 = 8,
  u32 = 9,
  i64 = 10,
  u64 = 11
};

template <class T>
constexpr NetcdfType netcdf_type() {
  if constexpr (std::is_same_v<T, char>) {
    return NetcdfType::text;
  } else if constexpr (std::is_same_v<T, std::uint8_t>) {
    return NetcdfType::u8;
  } else if constexpr (std::is_same_v<T, std::int32_t>) {
    return NetcdfType::i32;
  } else if constexpr (std::is_same_v<T, std::uint32_t>) {
    return NetcdfType::u32;
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return NetcdfType::i64;
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return NetcdfType::u64;
  } else if constexpr (std::is_same_v<T, float>) {
    return NetcdfType::f32;
  } else {
    static_assert(std::is_same_v<T, double>, "not a type that Quartet's files hold");
    return NetcdfType::f64;
  }
}

/// Bytes of one value; 0 for types that are not listed above.
std::size_t netcdf_type_size(NetcdfType type);

/// For people: text as it is, numbers with all digits, separated by commas.
std::string netcdf_text(NetcdfType type, std::span<const std::byte> bytes);

/// Version of the NetCDF library.
std::string netcdf_library_version();

class NetcdfFile {
 public:
  struct Dimension {
    std::string name;
    std::size_t size = 0;
    bool unlimited = false;
  };
  struct Attribute {
    std::string name;
    NetcdfType type = NetcdfType::text;
    std::size_t count = 0;
    std::vector<std::byte> bytes;  ///< as in memory
  };
  struct Variable {
    std::string name;
    NetcdfType type = NetcdfType::f64;
    std::vector<int> dimensions;  ///< indices into dimensions()
  };

  /// Variable id for attributes of the file itself.
  static constexpr int global = -1;

  /// All throw std::runtime_error, as do all members that touch the file.
  static NetcdfFile create(const std::filesystem::path& path);  ///< replaces an existing file
  static NetcdfFile open_to_read(const std::filesystem::path& path);
  static NetcdfFile open_whole(const std::filesystem::path& path);  ///< to read; not if cut_off()
  static NetcdfFile open_to_write(const std::filesystem::path& path);

  NetcdfFile(NetcdfFile&& other) noexcept;
  NetcdfFile& operator=(NetcdfFile&& other) noexcept;
  NetcdfFile(const NetcdfFile&) = delete;
  NetcdfFile& operator=(const NetcdfFile&) = delete;
  ~NetcdfFile();

  const std::filesystem::path& path() const { return path_; }

  // Definitions, between create() and end_definitions().
  int define_dimension(const std::string& name, std::size_t size);
  int define_unlimited_dimension(const std::string& name);
  int define_variable(const std::string& name, NetcdfType type, const std::vector<int>& dimensions);
  void put_attribute(int variable, const std::string& name, std::string_view text);
  template <class T>
  requires std::is_arithmetic_v<T>
  void put_attribute(int variable, const std::string& name, std::span<const T> values) {
    put_attribute_of(variable, name, netcdf_type<T>(), values.data(), values.size());
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  void put_attribute(int variable, const std::string& name, T value) {
    put_attribute(variable, name, std::span<const T>(&value, 1));
  }
  /// Values that were never written read as `value` (attribute `_FillValue`).
  template <class T>
  void define_fill(int variable, T value) {
    put_attribute(variable, "_FillValue", value);
  }
  /// Leaves values that were never written undefined: for files whose records are all written.
  void skip_filling();
  void end_definitions();
  /// Changes a text of the file itself after the definitions, also in a file opened again. Short
  /// ones fit into the room that end_definitions() leaves; beyond it all data move.
  void replace_global_text(const std::string& name, std::string_view text);

  // Values: the box [start, start + count), row-major.
  template <class T>
  void put(int variable, const std::vector<std::size_t>& start,
           const std::vector<std::size_t>& count, std::span<const T> values) {
    check_size(variable, count, values.size(), netcdf_type<T>());
    put_bytes(variable, start, count, values.data());
  }
  /// One value.
  template <class T>
  void put_value(int variable, const std::vector<std::size_t>& at, T value) {
    put(variable, at, std::vector<std::size_t>(at.size(), 1), std::span<const T>(&value, 1));
  }
  template <class T>
  void get(int variable, const std::vector<std::size_t>& start,
           const std::vector<std::size_t>& count, std::span<T> values) const {
    check_size(variable, count, values.size(), netcdf_type<T>());
    get_bytes(variable, start, count, values.data());
  }
  /// The box in the variable's own type, as it lies in memory.
  std::vector<std::byte> get_raw(int variable, const std::vector<std::size_t>& start,
                                 const std::vector<std::size_t>& count) const;
  /// A whole variable.
  template <class T>
  std::vector<T> get_all(const std::string& name) const {
    const int id = variable_id(name);
    std::vector<std::size_t> count = shape(id);
    std::size_t size = 1;
    for (std::size_t n : count) size *= n;
    std::vector<T> values(size);
    if (size > 0) get(id, std::vector<std::size_t>(count.size(), 0), count, std::span<T>(values));
    return values;
  }

  // What is in the file. Ids are positions in these lists.
  std::vector<Dimension> dimensions() const;
  std::vector<Variable> variables() const;
  std::vector<Attribute> attributes(int variable) const;
  /// Throws where there is none of that name.
  int variable_id(const std::string& name) const;
  bool has_variable(const std::string& name) const;
  std::vector<std::size_t> shape(int variable) const;
  /// Text of a global attribute, "" where there is none.
  std::string global_text(const std::string& name) const;

  /// Hands what was written to the operating system: readers see it, a kill does not lose it.
  void sync();
  /// sync(), and waits until it is on the disk.
  void sync_to_disk();
  /// Unlike the destructor, throws where the last bytes could not be written.
  void close();

 private:
  NetcdfFile(std::filesystem::path path, int id) : path_(std::move(path)), id_(id) {}
  void check(int status, const std::string& what) const;
  void check_size(int variable, const std::vector<std::size_t>& count, std::size_t size,
                  NetcdfType type) const;
  void put_attribute_of(int variable, const std::string& name, NetcdfType type, const void* values,
                        std::size_t count);
  void put_bytes(int variable, const std::vector<std::size_t>& start,
                 const std::vector<std::size_t>& count, const void* values);
  void get_bytes(int variable, const std::vector<std::size_t>& start,
                 const std::vector<std::size_t>& count, void* values) const;

  std::filesystem::path path_;
  int id_ = -1;  ///< −1: closed
};

/// "is cut off (90 bytes where its header tells of 120)" for a classic or CDF-5 file that ends too
/// early, where NetCDF would read zeros; else empty. Padding at the end is not missed. With as many
/// `records` as are given instead of the header's.
std::string cut_off(const std::filesystem::path& path,
                    std::optional<std::uint64_t> records = std::nullopt);

/// Drops the records of a CDF-5 file (which nobody has open) from record `records` on.
/// Throws where the file is missing, may not be written, has fewer records, is cut off or is not
/// CDF-5.
void truncate_records(const std::filesystem::path& path, std::uint64_t records);

}  // namespace quartet
