#include "runs/durable_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

namespace quartet {

namespace fs = std::filesystem;

namespace {

std::string remedy_for(int error) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return "; free space (or raise the quota or file size limit) there, then continue with "
           "`quartet resume`";
  }
  return "";
}

[[noreturn]] void fail(const fs::path& path, const std::string& what, int error) {
  throw std::runtime_error(path.string() + ": " + what + ": " + std::strerror(error) +
                           remedy_for(error));
}

}  // namespace

void write_file(const fs::path& path, std::initializer_list<std::string_view> pieces) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) fail(path, "cannot create it", errno);
  int error = 0;
  for (std::string_view piece : pieces) {
    while (error == 0 && !piece.empty()) {
      const ssize_t written = ::write(descriptor, piece.data(), piece.size());
      if (written < 0 && errno != EINTR) error = errno;
      if (written > 0) piece.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  if (error == 0 && ::fsync(descriptor) != 0) error = errno;
  // Some network file systems report a full disk only here.
  if (::close(descriptor) != 0 && error == 0) error = errno;
  if (error != 0) fail(path, "cannot write it", error);
}

void sync_directory(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(path, "cannot open it", errno);
  // Some file systems cannot sync a directory, and say so with EINVAL.
  const int error = ::fsync(descriptor) != 0 && errno != EINVAL ? errno : 0;
  ::close(descriptor);
  if (error != 0) fail(path, "cannot put it on the disk", error);
}

void rename_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(to, "cannot give this name to " + from.filename().string(), error.value());
  sync_directory(to.has_parent_path() ? to.parent_path() : ".");
}

void replace_file(const fs::path& path, std::string_view text) {
  fs::path written = path;
  written += ".partial";
  write_file(written, {text});
  rename_file(written, path);
}

}  // namespace quartet
