/// Ranks as threads of one process: the default for one rank, and what tests run on.
#pragma once

#include <functional>

#include "comm/communicator.hpp"

namespace quartet {

/// Runs `body` once per rank, 0 … ranks−1, each on a thread of its own with flush-to-zero set; one
/// rank runs on the calling thread. Returns when all have ended.
///
/// Never deadlocks in calls of the communicator: when every rank that has not ended waits for what
/// cannot come, all get DivergedCalls, which says what each rank is doing. After a failure all
/// other ranks' calls throw PeerFailure. Rethrows the first failure.
void run_in_process(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace quartet
