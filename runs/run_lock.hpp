/// One writer per run directory.
#pragma once

#include <filesystem>

namespace quartet {

/// Holds a run directory for this process until it is destroyed or the process ends, however it
/// ends: a lock of the operating system on the directory itself, so nothing is left behind.
class RunLock {
 public:
  /// Throws std::runtime_error where another process holds the directory.
  explicit RunLock(const std::filesystem::path& directory);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  /// False where the file system has no locks.
  bool holds() const { return holds_; }

 private:
  int file_;
  bool holds_;
};

}  // namespace quartet
