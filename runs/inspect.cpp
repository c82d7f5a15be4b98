#include "runs/inspect.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "runs/checkpoint.hpp"
#include "runs/durable_file.hpp"
#include "runs/netcdf_file.hpp"

namespace quartet {

namespace fs = std::filesystem;

namespace {

constexpr char traffic_header[] = "tract,spikes,bytes,messages,steps";

std::string size_text(std::uintmax_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1000.0 && unit + 1 < std::size(units); ++unit) value /= 1000.0;
  char text[32];
  std::snprintf(text, sizeof(text), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

/// Row `row` of a character variable with rows of `length`.
std::string row_text(const std::vector<char>& characters, std::size_t row, std::size_t length) {
  const std::string text(characters.begin() + static_cast<std::ptrdiff_t>(row * length),
                         characters.begin() + static_cast<std::ptrdiff_t>((row + 1) * length));
  return text.substr(0, text.find('\0'));
}

void print_behaviour(const fs::path& path, std::ostream& out) {
  const NetcdfFile file = NetcdfFile::open_to_read(path);
  const auto line = [&](const char* label, const char* attribute) {
    const std::string text = file.global_text(attribute);
    if (!text.empty()) out << "  " << std::left << std::setw(12) << label << text << "\n";
  };
  out << file.global_text("title") << "\n";
  line("created", "provenance_created");
  line("version", "provenance_version");
  line("commit", "provenance_commit");
  line("seed", "provenance_seed");
  line("config", "provenance_config_digest");
  line("placement", "provenance_placement");
  line("MPI", "provenance_mpi");
  line("command", "provenance_command");

  const auto done = file.get_all<std::int32_t>("trials_done");
  const auto seeds = file.get_all<std::uint64_t>("seed");
  const auto names = file.get_all<char>("subject_name");
  const auto groups = file.get_all<char>("group_name");
  std::int64_t trials = 0;
  for (std::int32_t n : done) trials += n;
  out << "\nsubjects: " << done.size() << ", trials done: " << trials << "\n";
  for (std::size_t i = 0; i < done.size(); ++i) {
    out << "  " << std::right << std::setw(4) << i << "  " << std::left << std::setw(24)
        << row_text(names, i, names.size() / done.size()) << " group " << std::setw(16)
        << row_text(groups, i, groups.size() / done.size()) << " trials " << std::setw(6) << done[i]
        << " seed " << seeds[i] << "\n";
  }
}

/// Returns whether all can be read.
bool print_files(const fs::path& directory, std::ostream& out) {
  bool good = true;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  out << "\nfiles:\n";
  for (const fs::path& path : files) {
    out << "  " << std::left << std::setw(32) << path.filename().string() << std::right
        << std::setw(10) << size_text(fs::file_size(path));
    if (path.extension() == ".nc") {
      try {
        if (const std::string problem = cut_off(path); !problem.empty()) {
          out << "  damaged: " << problem;
          good = false;
        } else {
          for (const auto& dimension : NetcdfFile::open_to_read(path).dimensions()) {
            if (dimension.unlimited) out << "  " << dimension.name << ": " << dimension.size;
          }
        }
      } catch (const std::exception& error) {
        out << "  unreadable: " << error.what();
        good = false;
      }
    }
    out << "\n";
  }
  return good;
}

/// Returns whether all are good.
bool print_checkpoints(const fs::path& checkpoints, std::ostream& out) {
  if (!fs::is_directory(checkpoints)) return true;
  bool good = true;
  out << "\ncheckpoints:\n";
  for (const Checkpoint& checkpoint : list_checkpoints(checkpoints)) {
    out << "  " << checkpoint.directory.filename().string() << "  ";
    if (checkpoint.problem.empty()) {
      out << "valid, subject " << checkpoint.position.member << " after "
          << checkpoint.position.trial << " trials, " << size_text(checkpoint.bytes) << "\n";
    } else {
      out << "damaged: " << checkpoint.problem << "\n";
      good = false;
    }
  }
  for (const auto& entry : fs::directory_iterator(checkpoints)) {
    if (entry.path().extension() == ".partial") {
      out << "  " << entry.path().filename().string() << "  unfinished\n";
    } else if (entry.path().extension() == ".damaged") {
      out << "  " << entry.path().filename().string() << "  damaged, set aside by a resume\n";
    }
  }
  return good;
}

void print_traffic(const std::vector<TractTotals>& tracts, std::ostream& out) {
  out << "\ntraffic:\n  " << std::left << std::setw(32) << "tract" << std::right << std::setw(14)
      << "spikes" << std::setw(14) << "bytes" << std::setw(12) << "messages" << std::setw(14)
      << "spikes/step" << std::setw(14) << "bytes/step"
      << "\n";
  const std::ios_base::fmtflags flags = out.flags();
  for (const TractTotals& tract : tracts) {
    const double steps = static_cast<double>(std::max<std::uint64_t>(1, tract.steps));
    out << "  " << std::left << std::setw(32) << tract.tract << std::right << std::setw(14)
        << tract.spikes << std::setw(14) << tract.bytes << std::setw(12) << tract.messages
        << std::fixed << std::setprecision(2) << std::setw(14)
        << static_cast<double>(tract.spikes) / steps << std::setw(14)
        << static_cast<double>(tract.bytes) / steps << "\n";
  }
  out.flags(flags);
}

}  // namespace

void write_traffic(const fs::path& directory, const std::vector<TractTotals>& tracts,
                   const std::function<void()>& before_publishing) {
  std::ostringstream text;
  text << traffic_header << "\n";
  for (const TractTotals& tract : tracts) {
    text << tract.tract << "," << tract.spikes << "," << tract.bytes << "," << tract.messages << ","
         << tract.steps << "\n";
  }
  write_file(directory / "traffic.csv.partial", {text.str()});
  if (before_publishing) before_publishing();
  publish_traffic(directory);
}

void publish_traffic(const fs::path& directory) {
  const fs::path written = directory / "traffic.csv.partial";
  if (!fs::exists(written)) return;  // it has its name
  rename_file(written, directory / "traffic.csv");
}

std::vector<TractTotals> read_traffic(const fs::path& directory) {
  const fs::path path = directory / "traffic.csv";
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error(path.string() + ": cannot open it; a run writes it at its end");
  }
  std::vector<TractTotals> tracts;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (number == 1 && line == traffic_header) continue;
    TractTotals tract;
    std::istringstream fields(line);
    std::getline(fields, tract.tract, ',');
    char comma[3] = {};
    fields >> tract.spikes >> comma[0] >> tract.bytes >> comma[1] >> tract.messages >> comma[2] >>
        tract.steps;
    if (!fields || std::string_view(comma, 3) != ",,,") {
      throw std::runtime_error(path.string() + ":" + std::to_string(number) +
                               ": is not a line of " + traffic_header);
    }
    tracts.push_back(std::move(tract));
  }
  return tracts;
}

bool inspect_run(const fs::path& directory, bool traffic, std::ostream& out) {
  const fs::path behaviour = directory / "behaviour.nc";
  if (!fs::exists(behaviour) && !fs::exists(directory / "resolved.toml") &&
      !fs::exists(directory / "experiment.toml")) {
    throw std::invalid_argument(directory.string() +
                                ": is not a run directory (no behaviour.nc, no resolved.toml); "
                                "give what `quartet run` had as --out");
  }
  bool good = true;
  try {
    print_behaviour(behaviour, out);
  } catch (const std::exception& error) {
    out << "behaviour.nc is unreadable: " << error.what() << "\n";
    good = false;
  }
  good = print_files(directory, out) && good;
  good = print_checkpoints(directory / "checkpoints", out) && good;
  if (traffic) print_traffic(read_traffic(directory), out);
  return good;
}

}  // namespace quartet
