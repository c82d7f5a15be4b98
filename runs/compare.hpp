/// `quartet compare`: whether two runs are the same to the bit.
#pragma once

#include <filesystem>
#include <ostream>

namespace quartet {

/// Compares two run directories (all .nc files and resolved.toml) or two .nc files: dimensions,
/// variables, values by their bits (a NaN equals the same NaN), attributes except `provenance_*`.
/// Writes the first difference of every file to `out`, with variable, index and both values.
/// Returns 0 where all is equal, 1 where anything differs. Throws std::invalid_argument where
/// either is not there, or there is nothing to compare, and std::runtime_error where a file cannot
/// be read.
int compare_runs(const std::filesystem::path& a, const std::filesystem::path& b, std::ostream& out);

}  // namespace quartet
