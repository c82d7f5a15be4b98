#include "runs/netcdf_file.hpp"

#include <fcntl.h>
#include <netcdf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <utility>

namespace quartet {

namespace {

static_assert(NC_CHAR == static_cast<int>(NetcdfType::text) &&
              NC_UINT64 == static_cast<int>(NetcdfType::u64) && NetcdfFile::global == NC_GLOBAL);

/// What a person can do about a status of the library (positive: errno).
std::string remedy(int status) {
  switch (status) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return "; free space (or raise the quota or file size limit) there, then continue with "
             "`quartet resume`";
    case EACCES:
    case EPERM:
    case EROFS:
      return "; choose a directory that you may write, with --out";
    case ENOENT:
      return "; check the path";
    case NC_ENOTNC:
      return "; it is not a NetCDF file, or its header is damaged: write it again";
    default:
      return "";
  }
}

[[noreturn]] void fail(const std::filesystem::path& path, int status, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what + ": " + nc_strerror(status) +
                           remedy(status));
}

template <class T>
void append_numbers(std::string& text, std::span<const std::byte> bytes, const char* format) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    char digits[40];
    if constexpr (std::is_floating_point_v<T>) {
      std::snprintf(digits, sizeof(digits), format, static_cast<double>(value));
    } else if constexpr (std::is_signed_v<T>) {
      std::snprintf(digits, sizeof(digits), format, static_cast<long long>(value));
    } else {
      std::snprintf(digits, sizeof(digits), format, static_cast<unsigned long long>(value));
    }
    if (!text.empty()) text += ", ";
    text += digits;
  }
}

/// Steps through the header of a classic or CDF-5 file, whose layout is in "The NetCDF Classic
/// Format Specification". Sizes are real numbers: those of a damaged header may be of any size.
class Header {
 public:
  explicit Header(const std::filesystem::path& path) : file_(path, std::ios::binary) {
    char magic[4] = {};
    file_.read(magic, sizeof magic);
    const bool known = file_ && std::memcmp(magic, "CDF", 3) == 0;
    version_ = known ? magic[3] : 0;
  }

  /// Bytes that the file needs, without padding at its end; 0 for other formats, and infinity where
  /// the header itself is cut off.
  double needed_bytes(std::optional<std::uint64_t> records) {
    if (version_ != 1 && version_ != 2 && version_ != 5) return 0;
    const double in_header = number();
    std::vector<double> dimensions;
    entries([&] { dimensions.push_back(number()); });
    attributes();
    double end = 0;
    std::vector<std::pair<double, double>> in_records;  // begin and size of a variable's part
    entries([&] {
      double size = 1;
      bool has_records = false;
      const double rank = number();
      for (double i = 0; i < rank && file_; ++i) {
        const double id = number();
        const double length = id < static_cast<double>(dimensions.size())
                                  ? dimensions[static_cast<std::size_t>(id)]
                                  : 0;
        if (i == 0 && length == 0)
          has_records = true;
        else
          size *= length;
      }
      attributes();
      size *= type_size();
      number();  // the same, but may overflow
      const double begin = number(version_ == 1 ? 4 : 8);
      if (has_records)
        in_records.emplace_back(begin, size);
      else
        end = std::max(end, begin + size);
    });
    if (!file_) return std::numeric_limits<double>::infinity();
    end = std::max(end, static_cast<double>(file_.tellg()));
    const double count = records ? static_cast<double>(*records) : in_header;
    double record = 0;  // one variable alone is not padded
    for (const auto& [begin, size] : in_records)
      record += in_records.size() == 1 ? size : padded(size);
    if (count > 0)
      for (const auto& [begin, size] : in_records)
        end = std::max(end, begin + (count - 1) * record + size);
    return end;
  }

 private:
  static double padded(double size) { return 4 * std::ceil(size / 4); }

  double number(int width) {
    double value = 0;
    for (; width > 0; --width) value = 256 * value + std::max(0, file_.get());
    return value;
  }
  double number() { return number(version_ == 5 ? 8 : 4); }
  double type_size() {
    return static_cast<double>(
        netcdf_type_size(static_cast<NetcdfType>(static_cast<std::uint32_t>(number(4)))));
  }
  void skip(double size) {
    if (size < 1e15)
      file_.seekg(static_cast<std::streamoff>(padded(size)), std::ios::cur);
    else
      file_.setstate(std::ios::failbit);
  }
  /// A list: calls `entry` behind the name of each.
  template <class Entry>
  void entries(Entry entry) {
    number(4);  // the list's tag
    const double count = number();
    for (double i = 0; i < count && file_; ++i) {
      skip(number());
      entry();
    }
  }
  void attributes() {
    entries([&] {
      const double size = type_size();
      skip(size * number());
    });
  }

  std::ifstream file_;
  int version_ = 0;  // 1, 2 or 5; 0: another format
};

}  // namespace

std::string cut_off(const std::filesystem::path& path, std::optional<std::uint64_t> records) {
  const double needed = Header(path).needed_bytes(records);
  std::error_code none;
  const auto size = std::filesystem::file_size(path, none);
  if (none || static_cast<double>(size) >= needed) return "";
  char text[80];
  if (std::isinf(needed))
    std::snprintf(text, sizeof text, "is cut off (its %ju bytes end within the header)", size);
  else
    std::snprintf(text, sizeof text, "is cut off (%ju bytes where its header tells of %.0f)", size,
                  needed);
  return text;
}

std::size_t netcdf_type_size(NetcdfType type) {
  switch (type) {
    case NetcdfType::i8:
    case NetcdfType::u8:
    case NetcdfType::text:
      return 1;
    case NetcdfType::i16:
    case NetcdfType::u16:
      return 2;
    case NetcdfType::i32:
    case NetcdfType::u32:
    case NetcdfType::f32:
      return 4;
    case NetcdfType::i64:
    case NetcdfType::u64:
    case NetcdfType::f64:
      return 8;
  }
  return 0;
}

std::string netcdf_library_version() {
  std::string text = nc_inq_libvers();  // "4.9.0 of Aug  7 2022 23:41:41 $"
  text.erase(text.find_last_not_of(" $") + 1);
  return text;
}

std::string netcdf_text(NetcdfType type, std::span<const std::byte> bytes) {
  std::string text;
  switch (type) {
    case NetcdfType::text:
      return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    case NetcdfType::i8:
      append_numbers<std::int8_t>(text, bytes, "%lld");
      break;
    case NetcdfType::u8:
      append_numbers<std::uint8_t>(text, bytes, "%llu");
      break;
    case NetcdfType::i16:
      append_numbers<std::int16_t>(text, bytes, "%lld");
      break;
    case NetcdfType::u16:
      append_numbers<std::uint16_t>(text, bytes, "%llu");
      break;
    case NetcdfType::i32:
      append_numbers<std::int32_t>(text, bytes, "%lld");
      break;
    case NetcdfType::u32:
      append_numbers<std::uint32_t>(text, bytes, "%llu");
      break;
    case NetcdfType::i64:
      append_numbers<std::int64_t>(text, bytes, "%lld");
      break;
    case NetcdfType::u64:
      append_numbers<std::uint64_t>(text, bytes, "%llu");
      break;
    case NetcdfType::f32:
      append_numbers<float>(text, bytes, "%.9g");
      break;
    case NetcdfType::f64:
      append_numbers<double>(text, bytes, "%.17g");
      break;
  }
  return text;
}

NetcdfFile NetcdfFile::create(const std::filesystem::path& path) {
  int id = -1;
  const int status = nc_create(path.c_str(), NC_CLOBBER | NC_64BIT_DATA, &id);
  if (status != NC_NOERR) fail(path, status, "cannot create it");
  return {path, id};
}

NetcdfFile NetcdfFile::open_to_read(const std::filesystem::path& path) {
  int id = -1;
  const int status = nc_open(path.c_str(), NC_NOWRITE, &id);
  if (status == EACCES || status == EPERM)
    throw std::runtime_error(path.string() + ": cannot open it: " + nc_strerror(status) +
                             "; ask its owner for the right to read it");
  if (status != NC_NOERR) fail(path, status, "cannot open it");
  return {path, id};
}

NetcdfFile NetcdfFile::open_whole(const std::filesystem::path& path) {
  if (const std::string problem = quartet::cut_off(path); !problem.empty())
    throw std::runtime_error(path.string() + ": " + problem + "; copy it again, or run again");
  return open_to_read(path);
}

NetcdfFile NetcdfFile::open_to_write(const std::filesystem::path& path) {
  int id = -1;
  const int status = nc_open(path.c_str(), NC_WRITE, &id);
  if (status != NC_NOERR) fail(path, status, "cannot open it for writing");
  return {path, id};
}

NetcdfFile::NetcdfFile(NetcdfFile&& other) noexcept
    : path_(std::move(other.path_)), id_(std::exchange(other.id_, -1)) {}

NetcdfFile& NetcdfFile::operator=(NetcdfFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(id_, other.id_);
  return *this;
}

NetcdfFile::~NetcdfFile() {
  if (id_ >= 0) nc_close(id_);
}

void NetcdfFile::check(int status, const std::string& what) const {
  if (status != NC_NOERR) fail(path_, status, what);
}

int NetcdfFile::define_dimension(const std::string& name, std::size_t size) {
  int id = -1;
  // A size of 0 would mean unlimited.
  if (size == 0) throw std::runtime_error(path_.string() + ": dimension '" + name + "' is empty");
  check(nc_def_dim(id_, name.c_str(), size, &id), "cannot define dimension '" + name + "'");
  return id;
}

int NetcdfFile::define_unlimited_dimension(const std::string& name) {
  int id = -1;
  check(nc_def_dim(id_, name.c_str(), NC_UNLIMITED, &id), "cannot define dimension '" + name + "'");
  return id;
}

int NetcdfFile::define_variable(const std::string& name, NetcdfType type,
                                const std::vector<int>& dimensions) {
  int id = -1;
  check(nc_def_var(id_, name.c_str(), static_cast<int>(type), static_cast<int>(dimensions.size()),
                   dimensions.data(), &id),
        "cannot define variable '" + name + "'");
  return id;
}

void NetcdfFile::put_attribute(int variable, const std::string& name, std::string_view text) {
  put_attribute_of(variable, name, NetcdfType::text, text.data(), text.size());
}

void NetcdfFile::put_attribute_of(int variable, const std::string& name, NetcdfType type,
                                  const void* values, std::size_t count) {
  check(nc_put_att(id_, variable, name.c_str(), static_cast<int>(type), count, values),
        "cannot write attribute '" + name + "'");
}

void NetcdfFile::skip_filling() {
  int before = 0;
  check(nc_set_fill(id_, NC_NOFILL, &before), "cannot set the fill mode");
}

void NetcdfFile::end_definitions() {
  constexpr std::size_t kRoom = 1024, kAlignment = 4;
  check(nc__enddef(id_, kRoom, kAlignment, 0, kAlignment), "cannot write the header");
}

void NetcdfFile::replace_global_text(const std::string& name, std::string_view text) {
  check(nc_redef(id_), "cannot change the header");
  put_attribute(global, name, text);
  check(nc_enddef(id_), "cannot write the header");
}

void NetcdfFile::check_size(int variable, const std::vector<std::size_t>& count, std::size_t size,
                            NetcdfType type) const {
  char name[NC_MAX_NAME + 1];
  nc_type actual = NC_NAT;
  int rank = 0;
  check(nc_inq_var(id_, variable, name, &actual, &rank, nullptr, nullptr), "no such variable");
  std::size_t box = 1;
  for (std::size_t n : count) box *= n;
  if (actual != static_cast<int>(type) || static_cast<std::size_t>(rank) != count.size() ||
      box != size) {
    throw std::runtime_error(path_.string() + ": variable '" + name +
                             "' has another type or shape than this version of Quartet uses");
  }
}

void NetcdfFile::put_bytes(int variable, const std::vector<std::size_t>& start,
                           const std::vector<std::size_t>& count, const void* values) {
  const int status = nc_put_vara(id_, variable, start.data(), count.data(), values);
  if (status == NC_NOERR) return;
  char name[NC_MAX_NAME + 1] = "?";
  nc_inq_varname(id_, variable, name);
  fail(path_, status, std::string("cannot write variable '") + name + "'");
}

void NetcdfFile::get_bytes(int variable, const std::vector<std::size_t>& start,
                           const std::vector<std::size_t>& count, void* values) const {
  const int status = nc_get_vara(id_, variable, start.data(), count.data(), values);
  if (status == NC_NOERR) return;
  char name[NC_MAX_NAME + 1] = "?";
  nc_inq_varname(id_, variable, name);
  fail(path_, status, std::string("cannot read variable '") + name + "'");
}

std::vector<std::byte> NetcdfFile::get_raw(int variable, const std::vector<std::size_t>& start,
                                           const std::vector<std::size_t>& count) const {
  nc_type type = NC_NAT;
  check(nc_inq_vartype(id_, variable, &type), "no such variable");
  std::size_t bytes = netcdf_type_size(static_cast<NetcdfType>(type));
  if (bytes == 0) {
    throw std::runtime_error(path_.string() + ": holds a variable of a type (NetCDF number " +
                             std::to_string(type) + ") that Quartet does not write");
  }
  for (std::size_t n : count) bytes *= n;
  std::vector<std::byte> values(bytes);
  if (bytes > 0) get_bytes(variable, start, count, values.data());
  return values;
}

std::vector<NetcdfFile::Dimension> NetcdfFile::dimensions() const {
  int n = 0;
  int unlimited = -1;
  check(nc_inq_ndims(id_, &n), "cannot read dimensions");
  check(nc_inq_unlimdim(id_, &unlimited), "cannot read dimensions");
  std::vector<Dimension> list;
  for (int i = 0; i < n; ++i) {
    char name[NC_MAX_NAME + 1];
    std::size_t size = 0;
    check(nc_inq_dim(id_, i, name, &size), "cannot read dimensions");
    list.push_back({name, size, i == unlimited});
  }
  return list;
}

std::vector<NetcdfFile::Variable> NetcdfFile::variables() const {
  int n = 0;
  check(nc_inq_nvars(id_, &n), "cannot read variables");
  std::vector<Variable> list;
  for (int i = 0; i < n; ++i) {
    char name[NC_MAX_NAME + 1];
    nc_type type = NC_NAT;
    int rank = 0;
    check(nc_inq_var(id_, i, name, &type, &rank, nullptr, nullptr), "cannot read variables");
    Variable variable{name, static_cast<NetcdfType>(type), std::vector<int>(rank)};
    check(nc_inq_vardimid(id_, i, variable.dimensions.data()), "cannot read variables");
    list.push_back(std::move(variable));
  }
  return list;
}

std::vector<NetcdfFile::Attribute> NetcdfFile::attributes(int variable) const {
  int n = 0;
  check(variable == global ? nc_inq_natts(id_, &n) : nc_inq_varnatts(id_, variable, &n),
        "cannot read attributes");
  std::vector<Attribute> list;
  for (int i = 0; i < n; ++i) {
    char name[NC_MAX_NAME + 1];
    nc_type type = NC_NAT;
    Attribute attribute;
    check(nc_inq_attname(id_, variable, i, name), "cannot read attributes");
    check(nc_inq_att(id_, variable, name, &type, &attribute.count), "cannot read attributes");
    attribute.name = name;
    attribute.type = static_cast<NetcdfType>(type);
    const std::size_t size = netcdf_type_size(attribute.type);
    if (size == 0) {
      throw std::runtime_error(path_.string() + ": attribute '" + attribute.name +
                               "' has a type that Quartet does not write");
    }
    attribute.bytes.resize(size * attribute.count);
    check(nc_get_att(id_, variable, name, attribute.bytes.data()), "cannot read attributes");
    list.push_back(std::move(attribute));
  }
  return list;
}

int NetcdfFile::variable_id(const std::string& name) const {
  int id = -1;
  check(nc_inq_varid(id_, name.c_str(), &id), "variable '" + name + "'");
  return id;
}

bool NetcdfFile::has_variable(const std::string& name) const {
  int id = -1;
  return nc_inq_varid(id_, name.c_str(), &id) == NC_NOERR;
}

std::vector<std::size_t> NetcdfFile::shape(int variable) const {
  int rank = 0;
  check(nc_inq_varndims(id_, variable, &rank), "no such variable");
  std::vector<int> ids(rank);
  check(nc_inq_vardimid(id_, variable, ids.data()), "no such variable");
  std::vector<std::size_t> sizes(rank);
  for (int i = 0; i < rank; ++i) check(nc_inq_dimlen(id_, ids[i], &sizes[i]), "no such dimension");
  return sizes;
}

std::string NetcdfFile::global_text(const std::string& name) const {
  for (const Attribute& attribute : attributes(global)) {
    if (attribute.name == name) return netcdf_text(attribute.type, attribute.bytes);
  }
  return "";
}

void NetcdfFile::sync() { check(nc_sync(id_), "cannot write it"); }

void NetcdfFile::sync_to_disk() {
  sync();
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const int status = descriptor < 0 || ::fsync(descriptor) != 0 ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  check(status, "cannot put it on the disk");
}

void NetcdfFile::close() {
  if (id_ < 0) return;
  check(nc_close(std::exchange(id_, -1)), "cannot write its end");
}

void truncate_records(const std::filesystem::path& path, std::uint64_t records) {
  // The header of a CDF-5 file starts with 'C' 'D' 'F' 5 and the number of records, 8 bytes,
  // highest first. NetCDF-C has no call that lowers it.
  const auto error = [&](const std::string& what) {
    return std::runtime_error(path.string() + ": " + what);
  };
  const std::string remedy = "; put back the file that the run wrote, or start the run again";
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  if (!file && errno == ENOENT) throw error("is missing" + remedy);
  if (!file)
    throw error(std::string("cannot open it for writing: ") + std::strerror(errno) +
                "; a run is resumed where its files may be written");
  std::array<unsigned char, 12> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (!file || std::memcmp(header.data(), "CDF\x05", 4) != 0) {
    throw error("is not a CDF-5 file (packed with nccopy?); put back the file that the run wrote");
  }
  std::uint64_t present = 0;
  for (int i = 4; i < 12; ++i) present = present << 8 | header[i];
  if (present < records) {
    throw error("has " + std::to_string(present) + " records where the checkpoint counts " +
                std::to_string(records) + remedy);
  }
  if (const std::string problem = cut_off(path, records); !problem.empty())
    throw error(problem + remedy);
  for (int i = 11; i >= 4; --i, records >>= 8) header[i] = records & 0xff;
  file.seekp(4);
  file.write(reinterpret_cast<const char*>(header.data()) + 4, 8);
  file.close();
  if (!file) throw error("cannot write it");
}

}  // namespace quartet
