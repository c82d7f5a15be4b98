#include "runs/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace quartet {

RunLock::RunLock(const std::filesystem::path& directory)
    : file_(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
      holds_(file_ >= 0 && flock(file_, LOCK_EX | LOCK_NB) == 0) {
  if (holds_ || file_ < 0 || errno != EWOULDBLOCK) return;
  close(file_);
  throw std::runtime_error(directory.string() +
                           ": another process is writing this run (the last line of its run.log "
                           "with \"by process\" says which); wait for it, or stop it first");
}

RunLock::~RunLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace quartet
