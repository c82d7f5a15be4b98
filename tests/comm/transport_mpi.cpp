#include "tests/comm/mpi_test.hpp"
#include "tests/comm/transport.hpp"

namespace quartet {

void on_all_ranks(const std::function<void(Communicator&)>& body) { body(test_world()); }

}  // namespace quartet
