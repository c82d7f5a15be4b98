#include "runs/provenance.hpp"

#include <boost/version.hpp>
#include <chrono>
#include <ctime>
#include <utility>

#include "runs/build_commit.hpp"

namespace quartet {

Provenance build_provenance() {
  Provenance provenance;
  provenance.version = QUARTET_VERSION;
  provenance.commit = build_commit;
  provenance.compiler = QUARTET_COMPILER;
  provenance.flags = QUARTET_FLAGS;
  provenance.mpi = "none";
  provenance.netcdf = netcdf_library_version();
  provenance.boost = BOOST_LIB_VERSION;
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  provenance.created = text;
  return provenance;
}

void put_provenance(NetcdfFile& file, const Provenance& provenance) {
  const auto put = [&](const char* name, const std::string& value) {
    file.put_attribute(NetcdfFile::global, std::string("provenance_") + name, value);
  };
  put("config_digest", provenance.config_digest);
  put("seed", provenance.seed);
  put("version", provenance.version);
  put("commit", provenance.commit);
  put("compiler", provenance.compiler);
  put("flags", provenance.flags);
  put("mpi", provenance.mpi);
  put("netcdf", provenance.netcdf);
  put("boost", provenance.boost);
  put("placement", provenance.placement);
  put("command", provenance.command);
  put("created", provenance.created);
}

void update_builds(NetcdfFile& file, const Provenance& provenance) {
  for (const auto& [name, value] : {std::pair("provenance_version", provenance.version),
                                    std::pair("provenance_commit", provenance.commit)}) {
    if (file.global_text(name) != value) file.replace_global_text(name, value);
  }
}

}  // namespace quartet
