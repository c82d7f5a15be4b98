/// Ranks as MPI processes (Open MPI 4.1 and 5, MPICH). Only comm/mpi_* include <mpi.h>.
#pragma once

#include <functional>
#include <memory>

#include "comm/communicator.hpp"

namespace quartet {

/// MPI from initialisation to its end, once per process. Sets flush-to-zero. While an exception
/// unwinds, the destructor ends all ranks instead of waiting for them in MPI_Finalize.
class MpiSession {
 public:
  MpiSession(int& argc, char**& argv);
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  /// All ranks.
  Communicator& world() { return *world_; }

 private:
  std::unique_ptr<Communicator> world_;
  int exceptions_at_start_;
};

/// Runs `body` in a session and returns its exit code. If it throws on any rank, that rank writes
/// one line with its number and the exception's text to standard error and all ranks end with
/// `failure_code`; ranks that end by PeerFailure leave the word to the one that failed.
int run_under_mpi(int argc, char** argv, const std::function<int(Communicator&)>& body,
                  int failure_code = 1);

}  // namespace quartet
