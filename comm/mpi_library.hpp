/// Which MPI library a run uses, for its provenance.
#pragma once

#include <string>

namespace quartet {

/// "Open MPI v4.1.4, …": the first line of what the library says of itself.
std::string mpi_library();

}  // namespace quartet
