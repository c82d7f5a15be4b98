/// REGION_energy.nc: what every population counts in a trial, and the joules of it, of all members;
/// of a region with a motor sheet also where on it transmission uses them.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "models/energy.hpp"
#include "models/state.hpp"
#include "runs/netcdf_file.hpp"
#include "runs/recorders/region_recording.hpp"
#include "runs/recorders/subject_table.hpp"

namespace quartet {

class EnergyRecorder {
 public:
  EnergyRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                 const RegionDescription& region, StateReader* resume_from);

  /// `by_place`: as of Region::activity_by_place().
  void trial(std::size_t member, std::int64_t trial, std::span<const energy::Activity> activity,
             std::span<const energy::Activity> by_place);

  void save(StateWriter& writer) const;

  NetcdfFile& file() { return table_->file; }

 private:
  struct Count {
    const char* name;
    const char* long_name;
    std::int64_t energy::Activity::*count;
  };
  static constexpr std::array<Count, 9> kCounts = {{
      {"cells", "cells that are not removed", &energy::Activity::cells},
      {"spikes", "spikes of all cells", &energy::Activity::spikes},
      {"excitatory_arrivals",
       "spikes that arrived at excitatory synapses, also of removed cells, before release fails",
       &energy::Activity::excitatory},
      {"inhibitory_arrivals",
       "spikes that arrived at inhibitory synapses, also of removed cells, before release fails",
       &energy::Activity::inhibitory},
      {"plastic_arrivals", "those of both that arrived at plastic synapses",
       &energy::Activity::plastic},
      {"plastic_inhibitory_arrivals", "those of them that arrived at inhibitory synapses",
       &energy::Activity::plastic_inhibitory},
      {"synapses", "synapses at the start, on all cells, also removed ones",
       &energy::Activity::synapses},
      {"formed", "synapses that formed", &energy::Activity::formed},
      {"lost", "synapses that went", &energy::Activity::lost},
  }};

  /// A coordinate of names along `dimension`.
  template <class Names>
  static void put_names(NetcdfFile& file, int id, const Names& names, std::size_t length) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::string name(names[i]);
      name.resize(length, '\0');
      file.put<char>(id, {i, 0}, {1, length}, name);
    }
  }

  void define(const RecordedRun& run);
  /// J of transmission by bin of the sheet, summed over populations. `synapses`: of an animal, for
  /// one of the model's, by population.
  std::vector<double> map_of(std::span<const double> synapses,
                             std::span<const energy::Activity> by_place) const;

  RegionDescription region_;
  double seconds_;                     // of a trial
  std::vector<std::size_t> on_sheet_;  // populations that are there
  std::unique_ptr<SubjectTable> table_;
  int trial_ = -1, rule_of_thumb_ = -1, energy_ = -1, map_ = -1;
  std::vector<int> ids_;  // of kCounts
};

}  // namespace quartet
