#include "runs/checkpoint.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/version.hpp>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <utility>

#include "runs/digest.hpp"
#include "runs/durable_file.hpp"

namespace quartet {

namespace fs = std::filesystem;

namespace {

constexpr char magic[8] = {'Q', 'U', 'A', 'R', 'T', 'E', 'T', 'C'};
constexpr std::uint32_t schema = 1;
// Boost's own header says no more than the envelope does.
constexpr unsigned archive_flags = boost::archive::no_header;
constexpr std::size_t digest_size = 64;  // SHA-256 in hexadecimal digits

/// First bytes of a .state file; the payload follows. The digest covers all before it and the
/// payload.
struct Envelope {
  char magic[8];
  std::uint32_t schema;
  std::uint32_t boost_version;
  std::uint64_t payload_bytes;
  char digest[digest_size];
};
static_assert(sizeof(Envelope) == 24 + digest_size);

std::string envelope_digest(const Envelope& envelope, std::string_view payload) {
  Sha256 sha;
  sha.update(&envelope, offsetof(Envelope, digest));
  sha.update(payload.data(), payload.size());
  return sha.hex();
}

/// Digest of one block: names the damaged array. FNV-1a over words of 64 bits; every step maps the
/// state one to one, so a change within one word always shows.
std::uint64_t block_digest(const void* data, std::size_t bytes) {
  constexpr std::uint64_t prime = 0x100000001b3u;
  const char* at = static_cast<const char*>(data);
  std::uint64_t hash = 0xcbf29ce484222325u ^ bytes;
  for (; bytes >= 8; bytes -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    hash = (hash ^ word) * prime;
    hash ^= hash >> 32;
  }
  std::uint64_t rest = 0;
  if (bytes > 0) std::memcpy(&rest, at, bytes);
  hash = (hash ^ rest) * prime;
  return hash ^ hash >> 32;
}

std::string type_name(StateType type) {
  switch (type) {
    case StateType::u8:
      return "u8";
    case StateType::i32:
      return "i32";
    case StateType::u32:
      return "u32";
    case StateType::i64:
      return "i64";
    case StateType::u64:
      return "u64";
    case StateType::f32:
      return "f32";
    case StateType::f64:
      return "f64";
  }
  return "?";
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path.string() + ": cannot open it");
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  std::string text(error ? 0 : size, '\0');
  if (error || !file.read(text.data(), static_cast<std::streamsize>(size)))
    throw std::runtime_error(path.string() + ": cannot read it");
  return text;
}

std::string state_file_name(const std::string& part, int slice, int slices) {
  return part + "." + std::to_string(slice) + "-of-" + std::to_string(slices) + ".state";
}

/// Part, slice and number of slices from the name of a state file.
struct StateFileName {
  std::string part;
  int slice;
  int slices;
};
std::optional<StateFileName> parse_state_file_name(const std::string& name) {
  static const std::regex pattern(R"((.+)\.(\d{1,6})-of-(\d{1,6})\.state)");
  std::smatch match;
  if (!std::regex_match(name, match, pattern)) return std::nullopt;
  return StateFileName{match[1], std::stoi(match[2]), std::stoi(match[3])};
}

/// The payload of a .state file.
std::string_view payload_of(const std::string& bytes) {
  return std::string_view(bytes).substr(sizeof(Envelope));
}

/// Reads the envelope of a .state file. Returns what is wrong with its fields, "" where nothing is.
std::string open_envelope(const std::string& bytes, Envelope& envelope) {
  if (bytes.size() < sizeof(Envelope)) return "is truncated";
  std::memcpy(&envelope, bytes.data(), sizeof(Envelope));
  if (std::memcmp(envelope.magic, magic, sizeof(magic)) != 0) {
    return "is not a checkpoint file of Quartet, or its first bytes are damaged";
  }
  if (envelope.schema != schema) {
    return "has schema " + std::to_string(envelope.schema) + " where this version reads " +
           std::to_string(schema) + ", or is damaged";
  }
  if (envelope.boost_version > BOOST_VERSION) {
    return "was written with Boost " + std::to_string(envelope.boost_version / 100000) + "." +
           std::to_string(envelope.boost_version / 100 % 1000) +
           ", newer than this build's " BOOST_LIB_VERSION ", or is damaged";
  }
  const std::size_t payload_bytes = payload_of(bytes).size();
  if (payload_bytes != envelope.payload_bytes) {
    return std::string(payload_bytes < envelope.payload_bytes ? "is truncated" : "is damaged") +
           ": it has " + std::to_string(payload_bytes) + " bytes of state where it says " +
           std::to_string(envelope.payload_bytes);
  }
  return "";
}

bool is_intact(const Envelope& envelope, std::string_view payload) {
  return envelope_digest(envelope, payload) == std::string_view(envelope.digest, digest_size);
}

/// Reads from memory, without a copy.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view view) {
    char* begin = const_cast<char*>(view.data());  // never written: it has no put area
    setg(begin, begin, begin + view.size());
  }
  std::uint64_t left() const { return static_cast<std::uint64_t>(egptr() - gptr()); }
  /// The next `bytes`, of at least so many, which it passes over.
  const char* skip(std::uint64_t bytes) {
    const char* at = gptr();
    setg(eback(), gptr() + bytes, egptr());
    return at;
  }
};

constexpr char use_the_previous[] =
    "; delete this checkpoint's directory to resume from the one before it";

}  // namespace

std::string CheckpointPosition::key() const {
  char text[64];
  std::snprintf(text, sizeof(text), "%06" PRId64 "-%012" PRId64, member, step);
  return text;
}

class CheckpointWriter::Archive {
 public:
  std::ostringstream stream;
  boost::archive::binary_oarchive archive{stream, archive_flags};
};

CheckpointWriter::CheckpointWriter(std::string part, int slice, int slices)
    : part_(std::move(part)),
      slice_(slice),
      slices_(slices),
      archive_(std::make_unique<Archive>()) {}

CheckpointWriter::~CheckpointWriter() = default;

void CheckpointWriter::put(std::string_view name, StateType type, std::uint64_t length,
                           std::uint64_t first, const void* data, std::uint64_t count) {
  if (!names_.emplace(name).second || first > length || count > length - first) {
    throw std::logic_error("checkpoint of " + part_ + ": array '" + std::string(name) +
                           "' is saved twice, or beyond its length");
  }
  const std::size_t bytes = static_cast<std::size_t>(count) * state_type_size(type);
  boost::archive::binary_oarchive& archive = archive_->archive;
  archive << std::uint8_t{1};  // a block follows
  archive << static_cast<std::uint32_t>(name.size());
  archive.save_binary(name.data(), name.size());
  archive << static_cast<std::uint8_t>(type) << length << first << count;
  archive << block_digest(data, bytes);
  if (bytes > 0) archive.save_binary(data, bytes);
}

void CheckpointWriter::write(const fs::path& directory) {
  archive_->archive << std::uint8_t{0};  // no more blocks
  const std::string payload = std::move(archive_->stream).str();
  Envelope envelope{};
  std::memcpy(envelope.magic, magic, sizeof(magic));
  envelope.schema = schema;
  envelope.boost_version = BOOST_VERSION;
  envelope.payload_bytes = payload.size();
  std::memcpy(envelope.digest, envelope_digest(envelope, payload).data(), digest_size);
  write_file(directory / state_file_name(part_, slice_, slices_),
             {{reinterpret_cast<const char*>(&envelope), sizeof(envelope)}, payload});
}

CheckpointReader::CheckpointReader(const fs::path& directory, std::string part)
    : directory_(directory), part_(std::move(part)) {
  std::map<int, fs::path> files;
  int slices = 0;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const auto name = parse_state_file_name(entry.path().filename().string());
    if (!name || name->part != part_) continue;
    if (slices != 0 && slices != name->slices) refuse("it is there in two divisions into slices");
    slices = name->slices;
    files.emplace(name->slice, entry.path());
  }
  if (files.empty()) refuse("no file of it is there");
  for (int slice = 0; slice < slices; ++slice) {
    if (!files.contains(slice)) {
      refuse("file " + state_file_name(part_, slice, slices) + " is missing");
    }
    check_file(files.at(slice), slice, slices);
  }
  for (auto& [name, array] : arrays_) {
    std::sort(array.blocks.begin(), array.blocks.end(), [](const Block& a, const Block& b) {
      return a.first != b.first ? a.first < b.first : a.count < b.count;
    });
    std::uint64_t next = 0;
    for (const Block& block : array.blocks) {
      if (block.first != next) {
        refuse("array '" + name + "' has " + (block.first < next ? "an overlap" : "a gap") +
               " at element " + std::to_string(std::min(block.first, next)) + " (" +
               block.file.filename().string() + ")");
      }
      next += block.count;
    }
    if (next != array.length) {
      refuse("array '" + name + "' has a gap at element " + std::to_string(next));
    }
  }
}

void CheckpointReader::check_file(const fs::path& path, int slice, int slices) {
  const std::string file = path.filename().string();
  const std::string bytes = read_file(path);
  Envelope envelope{};
  const std::string problem = open_envelope(bytes, envelope);
  if (!problem.empty()) {
    refuse("file " + file + " (slice " + std::to_string(slice) + " of " + std::to_string(slices) +
           ") " + problem);
  }
  // A damaged payload is read all the same, as far as it goes, to name the array.
  const bool intact = is_intact(envelope, payload_of(bytes));
  std::string name = "(none)";
  try {
    ViewBuffer buffer(payload_of(bytes));
    boost::archive::binary_iarchive archive(buffer, archive_flags);
    for (;;) {
      std::uint8_t more = 0;
      archive >> more;
      if (more == 0) break;
      std::uint32_t name_size = 0;
      archive >> name_size;
      if (name_size > buffer.left()) throw std::runtime_error("it is longer than the file");
      std::string block_name(name_size, '\0');
      archive.load_binary(block_name.data(), name_size);
      const bool readable = std::all_of(block_name.begin(), block_name.end(),
                                        [](char c) { return c >= ' ' && c <= '~'; });
      name = readable ? block_name : "(unreadable)";
      std::uint8_t type_number = 0;
      std::uint64_t length = 0;
      std::uint64_t digest = 0;
      Block block;
      archive >> type_number >> length >> block.first >> block.count >> digest;
      if (type_number > static_cast<std::uint8_t>(StateType::f64)) {
        throw std::runtime_error("its type is unknown");
      }
      const StateType type = static_cast<StateType>(type_number);
      if (block.count > buffer.left() / state_type_size(type)) {
        throw std::runtime_error("it is longer than the file");
      }
      const std::uint64_t size = block.count * state_type_size(type);
      const char* values = buffer.skip(size);
      if (digest != block_digest(values, size)) throw std::runtime_error("its digest is another");
      block.file = path;
      block.at = static_cast<std::uint64_t>(values - bytes.data());
      Array& array = arrays_[name];
      if (array.blocks.empty()) {
        array.type = type;
        array.length = length;
      } else if (array.type != type || array.length != length) {
        throw std::runtime_error("it is " + std::to_string(length) + " " + type_name(type) +
                                 " where another slice has " + std::to_string(array.length) + " " +
                                 type_name(array.type));
      }
      array.blocks.push_back(std::move(block));
    }
  } catch (const std::exception& error) {
    refuse("file " + file + " is damaged at array '" + name + "': " + error.what());
  }
  if (!intact) refuse("file " + file + " is damaged: its digest is another");
}

void CheckpointReader::refuse(const std::string& what) const {
  throw std::runtime_error(directory_.string() + ": state of " + part_ + ": " + what +
                           use_the_previous);
}

const CheckpointReader::Array& CheckpointReader::find(std::string_view name) const {
  const auto at = arrays_.find(name);
  if (at == arrays_.end()) {
    throw std::runtime_error(directory_.string() + ": state of " + part_ + ": array '" +
                             std::string(name) +
                             "' is missing; resume with the version of Quartet that began the run");
  }
  return at->second;
}

std::uint64_t CheckpointReader::length(std::string_view name) { return find(name).length; }

std::vector<std::string> CheckpointReader::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays_) {
    if (!array.read) names.push_back(name);
  }
  return names;
}

void CheckpointReader::get(std::string_view name, StateType type, std::uint64_t length,
                           std::uint64_t first, void* data, std::uint64_t count) {
  const Array& array = find(name);
  arrays_.find(name)->second.read = true;
  if (array.type != type || array.length != length) {
    throw std::runtime_error(
        directory_.string() + ": state of " + part_ + ": array '" + std::string(name) + "' is " +
        std::to_string(array.length) + " " + type_name(array.type) + " where the run needs " +
        std::to_string(length) + " " + type_name(type) +
        "; resume with the experiment and the version of Quartet that began the run");
  }
  if (first > length || count > length - first) {
    throw std::logic_error("array '" + std::string(name) + "' is read beyond its length");
  }
  const std::size_t size = state_type_size(type);
  char* to = static_cast<char*>(data);
  for (const Block& block : array.blocks) {
    const std::uint64_t begin = std::max(block.first, first);
    const std::uint64_t end = std::min(block.first + block.count, first + count);
    if (begin >= end) continue;
    std::ifstream file(block.file, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(block.at + (begin - block.first) * size));
    if (!file.read(to + (begin - first) * size, static_cast<std::streamsize>((end - begin) * size)))
      refuse("file " + block.file.filename().string() + ": cannot read array '" +
             std::string(name) + "'");
  }
}

namespace {

struct ManifestFile {
  std::string name;
  std::uintmax_t bytes = 0;
  std::string digest;
};

/// The manifest's last line is a digest of all lines before it.
std::string manifest_text(const CheckpointPosition& position, const CheckpointOrigin& origin,
                          const std::vector<ManifestFile>& files) {
  std::ostringstream text;
  text << "# A checkpoint of Quartet: see `quartet inspect`.\n"
       << "schema = " << schema << "\nconfig_digest = \"" << origin.config_digest
       << "\"\nversion = \"" << origin.version << "\"\ncommit = \"" << origin.commit
       << "\"\nevery_trials = " << origin.every_trials << "\nmember = " << position.member
       << "\nstep = " << position.step << "\ntrial = " << position.trial << "\nfiles = [\n";
  for (const ManifestFile& file : files) {
    text << "  { name = \"" << file.name << "\", bytes = " << file.bytes << ", digest = \""
         << file.digest << "\" },\n";
  }
  text << "]\n";
  return text.str() + "digest = \"" + sha256_hex(text.str()) + "\"\n";
}

/// The files of a checkpoint that was just written, with what their envelopes say.
std::vector<ManifestFile> collect_files(const fs::path& directory) {
  std::vector<ManifestFile> files;
  std::map<std::string, std::pair<int, int>> slices;  // part → (found, needed)
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string file = entry.path().filename().string();
    const auto name = parse_state_file_name(file);
    if (!name) continue;
    auto& [found, needed] = slices[name->part];
    if (found > 0 && needed != name->slices) {
      throw std::runtime_error(entry.path().string() + ": ranks disagree on the slices");
    }
    ++found;
    needed = name->slices;
    Envelope envelope{};
    std::ifstream stream(entry.path(), std::ios::binary);
    stream.read(reinterpret_cast<char*>(&envelope), sizeof(envelope));
    const std::uintmax_t bytes = fs::file_size(entry.path());
    if (!stream || bytes != sizeof(envelope) + envelope.payload_bytes) {
      throw std::runtime_error(entry.path().string() +
                               ": this rank does not see all that another wrote; --out must be on "
                               "a file system that all ranks share");
    }
    files.push_back({file, bytes, std::string(envelope.digest, digest_size)});
  }
  for (const auto& [part, count] : slices) {
    if (count.first != count.second) {
      throw std::runtime_error(directory.string() + ": state of " + part + ": " +
                               std::to_string(count.first) + " of " + std::to_string(count.second) +
                               " slices are there; --out must be on a file system that all ranks "
                               "share");
    }
  }
  std::sort(files.begin(), files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.name < b.name; });
  return files;
}

bool is_checkpoint_name(const std::string& name) {
  static const std::regex pattern(R"(\d{6,}-\d{12,})");
  return std::regex_match(name, pattern);
}

/// Member and step from the name of a published checkpoint.
std::pair<std::int64_t, std::int64_t> order_of(const fs::path& directory) {
  const std::string name = directory.filename().string();
  const std::size_t dash = name.find('-');
  return {std::stoll(name.substr(0, dash)), std::stoll(name.substr(dash + 1))};
}

/// Directories of published checkpoints, newest first.
std::vector<fs::path> published(const fs::path& checkpoints) {
  std::vector<fs::path> list;
  if (!fs::is_directory(checkpoints)) return list;
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    if (entry.is_directory() && is_checkpoint_name(entry.path().filename().string())) {
      list.push_back(entry.path());
    }
  }
  std::sort(list.begin(), list.end(),
            [](const fs::path& a, const fs::path& b) { return order_of(a) > order_of(b); });
  return list;
}

}  // namespace

void write_checkpoint(const fs::path& checkpoints, const CheckpointPosition& position,
                      const CheckpointOrigin& origin, bool leader,
                      const std::function<void(const fs::path&)>& write_parts,
                      const std::function<bool(bool)>& agree) {
  const fs::path final_directory = checkpoints / position.key();
  const fs::path directory = checkpoints / (position.key() + ".partial");
  // Every rank takes part in every agreement, whatever happened to it.
  const auto together = [&](bool takes_part, const std::function<void()>& action) {
    std::string error;
    try {
      if (takes_part) action();
    } catch (const std::exception& caught) {
      error = caught.what();
      if (error.empty()) error = "unknown error";
    }
    if (agree(error.empty())) return;
    if (leader) {
      std::error_code ignored;
      fs::remove_all(directory, ignored);
    }
    if (error.empty()) error = "another rank could not write its part";
    throw std::runtime_error("checkpoint " + position.key() + ": " + error);
  };

  together(leader, [&] {
    fs::remove_all(directory);
    fs::create_directories(directory);
  });
  together(true, [&] { write_parts(directory); });
  together(leader, [&] {
    write_file(directory / "manifest.toml",
               {manifest_text(position, origin, collect_files(directory))});
    sync_directory(directory);
    // One of the same name is damaged or was left behind by a resume from an earlier one.
    fs::remove_all(final_directory);
    rename_file(directory, final_directory);
    // Keep this one and the one before it. Later ones belong to a run that was given up.
    int before = 0;
    for (const fs::path& other : published(checkpoints)) {
      if (order_of(other) == order_of(final_directory)) continue;
      if (order_of(other) < order_of(final_directory) && before++ == 0) continue;
      std::error_code ignored;  // one too many does no harm
      fs::remove_all(other, ignored);
    }
  });
}

Checkpoint inspect_checkpoint(const fs::path& directory) {
  Checkpoint checkpoint;
  checkpoint.directory = directory;
  const auto check = [&] {
    const fs::path path = directory / "manifest.toml";
    const std::string text = read_file(path);
    const std::size_t end = text.rfind("digest = \"");
    if (end == std::string::npos ||
        text.substr(end) != "digest = \"" + sha256_hex(text.substr(0, end)) + "\"\n") {
      throw std::runtime_error("manifest.toml is damaged: its digest is another");
    }
    const toml::table table = toml::parse(text);
    if (table["schema"].value<std::int64_t>() != schema) {
      throw std::runtime_error("has another schema than this version reads (" +
                               std::to_string(schema) + ")");
    }
    CheckpointOrigin& origin = checkpoint.origin;
    origin.config_digest = table["config_digest"].value_or(origin.config_digest);
    origin.version = table["version"].value_or(origin.version);
    origin.commit = table["commit"].value_or(origin.commit);
    origin.every_trials = table["every_trials"].value_or(origin.every_trials);
    checkpoint.position = {table["member"].value_or<std::int64_t>(0),
                           table["step"].value_or<std::int64_t>(0),
                           table["trial"].value_or<std::int64_t>(0)};
    if (checkpoint.position.key() != directory.filename()) {
      throw std::runtime_error("is " + checkpoint.position.key() + " under another name");
    }
    std::set<std::string> listed;
    const toml::array* files = table["files"].as_array();
    for (std::size_t i = 0; files != nullptr && i < files->size(); ++i) {
      const auto file = toml::node_view((*files)[i]);
      const std::string name = file["name"].value_or(std::string());
      listed.insert(name);
      const std::string bytes = read_file(directory / name);
      Envelope envelope{};
      std::string problem = open_envelope(bytes, envelope);
      if (problem.empty() && !is_intact(envelope, payload_of(bytes))) {
        problem = "is damaged: its digest is another";
      }
      if (problem.empty() &&
          (file["bytes"].value<std::int64_t>() != static_cast<std::int64_t>(bytes.size()) ||
           file["digest"].value_or(std::string()) !=
               std::string_view(envelope.digest, digest_size))) {
        problem = "is not the file that the manifest lists";
      }
      if (!problem.empty()) throw std::runtime_error("file " + name + " " + problem);
      checkpoint.bytes += bytes.size();
    }
    for (const auto& entry : fs::directory_iterator(directory)) {
      const std::string name = entry.path().filename().string();
      if (parse_state_file_name(name) && !listed.contains(name)) {
        throw std::runtime_error("file " + name + " is not in the manifest");
      }
    }
  };
  try {
    check();
  } catch (const std::exception& error) {
    checkpoint.problem = error.what();
  }
  return checkpoint;
}

std::vector<Checkpoint> list_checkpoints(const fs::path& checkpoints) {
  std::vector<Checkpoint> list;
  for (const fs::path& directory : published(checkpoints)) {
    list.push_back(inspect_checkpoint(directory));
  }
  return list;
}

std::optional<Checkpoint> latest_checkpoint(const fs::path& checkpoints, std::ostream& warnings) {
  for (const fs::path& directory : published(checkpoints)) {
    Checkpoint checkpoint = inspect_checkpoint(directory);
    if (checkpoint.problem.empty()) return checkpoint;
    warnings << "warning: checkpoint " << directory.string() << ": " << checkpoint.problem
             << "; using the one before it\n";
  }
  return std::nullopt;
}

void set_aside_damaged(const Checkpoint& used, std::ostream& warnings) {
  for (const fs::path& directory : published(used.directory.parent_path())) {
    if (order_of(directory) <= order_of(used.directory)) break;
    fs::path aside = directory;
    aside += ".damaged";
    fs::remove_all(aside);
    rename_file(directory, aside);
    warnings << "warning: checkpoint " << directory.string() << ": kept as "
             << aside.filename().string() << "; remove it at will\n";
  }
}

void remove_partial_checkpoints(const fs::path& checkpoints) {
  if (!fs::is_directory(checkpoints)) return;
  std::vector<fs::path> partial;
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    if (entry.path().extension() == ".partial") partial.push_back(entry.path());
  }
  for (const fs::path& directory : partial) fs::remove_all(directory);
}

}  // namespace quartet
