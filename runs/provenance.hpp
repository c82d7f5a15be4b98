/// Where a run's files come from: written as `provenance_*` attributes, which no comparison reads.
#pragma once

#include <string>

#include "runs/netcdf_file.hpp"

namespace quartet {

struct Provenance {
  std::string config_digest;  ///< SHA-256 of the experiment as used
  std::string seed;           ///< of the experiment
  std::string version;        ///< of Quartet; "A, then B" where B went on with a run of A's
  std::string commit;         ///< git commit of the build, likewise; "unknown" without repository
  std::string compiler;
  std::string flags;
  std::string mpi;     ///< MPI_Get_library_version, or "none"
  std::string netcdf;  ///< NetCDF library
  std::string boost;   ///< Boost library (checkpoints)
  std::string placement;
  std::string command;
  std::string created;  ///< UTC, ISO 8601
};

/// What is known at build time and now: version, commit, compiler, flags, netcdf, boost, created.
Provenance build_provenance();

/// Writes all as global attributes `provenance_<field>`; a file in definition mode.
void put_provenance(NetcdfFile& file, const Provenance& provenance);

/// Names the builds that wrote a file that is opened again, where they are not those it names.
void update_builds(NetcdfFile& file, const Provenance& provenance);

}  // namespace quartet
