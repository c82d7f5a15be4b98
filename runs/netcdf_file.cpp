#include "runs/netcdf_file.hpp"

#include <fcntl.h>
#include <netcdf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
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

}  // namespace

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
  if (status != NC_NOERR) fail(path, status, "cannot open it");
  return {path, id};
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
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  if (!file) throw error("cannot open it for writing; a run is resumed where its files are");
  std::array<unsigned char, 12> header{};
  file.read(reinterpret_cast<char*>(header.data()), header.size());
  if (!file || std::memcmp(header.data(), "CDF\x05", 4) != 0) {
    throw error("is not a CDF-5 file (packed with nccopy?); put back the file that the run wrote");
  }
  std::uint64_t present = 0;
  for (int i = 4; i < 12; ++i) present = present << 8 | header[i];
  if (present < records) {
    throw error("has " + std::to_string(present) + " records where the checkpoint counts " +
                std::to_string(records) +
                "; put back the file that the run wrote, or start the run again");
  }
  for (int i = 11; i >= 4; --i, records >>= 8) header[i] = records & 0xff;
  file.seekp(4);
  file.write(reinterpret_cast<const char*>(header.data()) + 4, 8);
  file.close();
  if (!file) throw error("cannot write it");
}

}  // namespace quartet
