/// What a GoogleTest program under mpirun sees of its main (mpi_test.cpp).
#pragma once

#include "comm/communicator.hpp"

namespace quartet {

/// All ranks. Only collectives that all ranks reach: EXPECT_ before them, never ASSERT_.
Communicator& test_world();

}  // namespace quartet
