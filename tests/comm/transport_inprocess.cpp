#include "comm/inprocess_communicator.hpp"
#include "tests/comm/transport.hpp"

namespace quartet {

void on_all_ranks(const std::function<void(Communicator&)>& body) {
  for (int ranks = 1; ranks <= 8; ++ranks) {
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    run_in_process(ranks, body);
  }
}

}  // namespace quartet
