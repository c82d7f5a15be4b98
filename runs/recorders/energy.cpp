#include "runs/recorders/energy.hpp"

#include <algorithm>
#include <stdexcept>

#include "regions/sheet.hpp"

namespace quartet {

EnergyRecorder::EnergyRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                               const RegionDescription& region, StateReader* resume_from)
    : region_(region), seconds_(1e-3 * static_cast<double>(run.trial_ms)) {
  for (std::size_t p = 0; p < region.populations.size(); ++p)
    if (!region.populations[p].x.empty()) on_sheet_.push_back(p);
  const std::filesystem::path path = directory / (region.name + "_energy.nc");
  if (resume_from != nullptr) {
    table_ = SubjectTable::resume(path, run.subjects.size(), *resume_from, "energy.written");
    update_builds(table_->file, run.provenance);
  } else {
    table_ = std::make_unique<SubjectTable>(NetcdfFile::create(path), run.subjects.size());
    define(run);
  }
  const auto id_of = [&](const char* name) { return variable_to_continue(table_->file, name); };
  trial_ = id_of("trial");
  for (const Count& count : kCounts) ids_.push_back(id_of(count.name));
  rule_of_thumb_ = id_of("energy_rule_of_thumb");
  energy_ = id_of("energy");
  if (!on_sheet_.empty()) map_ = id_of("transmission_energy");
}

void EnergyRecorder::trial(std::size_t member, std::int64_t trial,
                           std::span<const energy::Activity> activity,
                           std::span<const energy::Activity> by_place) {
  const std::size_t populations = region_.populations.size();
  if (activity.size() != populations || by_place.size() != on_sheet_.size() * kSheetBins ||
      table_->written.at(member) != trial) {
    throw std::logic_error("recorder: trials come in order, with the activity of every population");
  }
  NetcdfFile& file = table_->file;
  const auto row = static_cast<std::size_t>(trial);
  file.put_value<std::int32_t>(trial_, {row}, static_cast<std::int32_t>(trial));
  std::vector<double> values(populations);
  const auto put = [&](int id, auto value) {
    std::transform(activity.begin(), activity.end(), values.begin(), value);
    file.put<double>(id, {row, member, 0}, {1, 1, populations}, values);
  };
  for (std::size_t i = 0; i < kCounts.size(); ++i) {
    put(ids_[i],
        [&](const energy::Activity& a) { return static_cast<double>(a.*(kCounts[i].count)); });
  }
  put(rule_of_thumb_, [](const energy::Activity& a) {
    return energy::rule_of_thumb(static_cast<double>(a.spikes));
  });
  // Of the arrivals at all cells those that live have their share. On the sheet they are counted
  // themselves: a focal lesion takes cells of one place, which were not as active as the others.
  std::vector<energy::Activity> used(activity.begin(), activity.end());
  std::vector<std::int64_t> cells(populations);
  for (std::size_t p = 0; p < populations; ++p) cells[p] = activity[p].cells;
  for (std::size_t i = 0; i < on_sheet_.size(); ++i) {
    const std::size_t p = on_sheet_[i];
    used[p] = {.formed = activity[p].formed};
    for (const energy::Activity& here : by_place.subspan(i * kSheetBins, kSheetBins))
      used[p] += here;
    cells[p] = region_.populations[p].size;
  }
  std::vector<double> synapses(populations), joules;
  for (std::size_t p = 0; p < populations; ++p) {
    const double in_degree = energy::true_in_degree(region_.populations[p].name);
    synapses[p] = energy::upscaling(in_degree, cells[p], activity[p].synapses);
    const energy::Ledger ledger = energy::ledger(used[p], synapses[p], seconds_);
    joules.insert(joules.end(), ledger.begin(), ledger.end());
  }
  file.put<double>(energy_, {row, member, 0, 0}, {1, 1, populations, energy::kTerms.size()},
                   joules);
  if (!on_sheet_.empty())
    file.put<double>(map_, {row, member, 0, 0}, {1, 1, kSheetRows, kSheetColumns},
                     map_of(synapses, by_place));
  table_->written[member] = trial + 1;
  file.sync();
}

std::vector<double> EnergyRecorder::map_of(std::span<const double> synapses,
                                           std::span<const energy::Activity> by_place) const {
  std::vector<double> map(kSheetBins, 0.0);
  for (std::size_t i = 0; i < on_sheet_.size(); ++i)
    for (std::size_t bin = 0; bin < kSheetBins; ++bin)
      map[bin] += energy::transmission(
          energy::ledger(by_place[i * kSheetBins + bin], synapses[on_sheet_[i]], seconds_));
  return map;
}

void EnergyRecorder::save(StateWriter& writer) const {
  writer.shared<std::int64_t>("energy.written", table_->written);
}

void EnergyRecorder::define(const RecordedRun& run) {
  NetcdfFile& file = table_->file;
  define_header(file, run, "Energy that the populations of the " + region_.name + " use");
  std::vector<std::int32_t> members(run.subjects.size());
  for (std::size_t i = 0; i < members.size(); ++i) members[i] = static_cast<std::int32_t>(i);
  const SubjectAxis subjects(file, run, members);
  const int trial = file.define_unlimited_dimension("trial");
  describe_variable(file, file.define_variable("trial", NetcdfType::i32, {trial}), "1",
                    "trial of the subject, from 0");
  std::vector<std::string> names;
  std::vector<double> in_degrees;
  std::size_t length = 1;
  for (const PopulationInfo& population : region_.populations) {
    names.push_back(population.name);
    in_degrees.push_back(energy::true_in_degree(population.name));
    length = std::max(length, population.name.size());
  }
  const int population = file.define_dimension("population", names.size());
  const int population_names =
      file.define_variable("population", NetcdfType::text,
                           {population, file.define_dimension("population_name_length", length)});
  describe_variable(file, population_names, "1", "population");
  file.put_attribute(population_names, "_Encoding", "utf-8");
  std::size_t term_length = 1;
  for (const std::string_view name : energy::kTerms)
    term_length = std::max(term_length, name.size());
  const int term = file.define_dimension("term", energy::kTerms.size());
  const int term_names = file.define_variable(
      "term", NetcdfType::text, {term, file.define_dimension("term_name_length", term_length)});
  describe_variable(file, term_names, "1", "what the energy is used for");
  file.put_attribute(term_names, "_Encoding", "utf-8");
  const int in_degree = file.define_variable("true_in_degree", NetcdfType::f64, {population});
  describe_variable(file, in_degree, "1",
                    "synapses on a cell of the rat, to which arrivals are scaled up");
  const auto define_variable = [&](const char* name, const char* unit, const char* long_name,
                                   const std::vector<int>& dimensions) {
    const int id = file.define_variable(name, NetcdfType::f64, dimensions);
    describe_variable(file, id, unit, long_name);
    file.put_attribute(id, "coordinates", kSubjectCoordinates);
    file.define_fill(id, kMissingReal);
    return id;
  };
  const int subject = subjects.dimension();
  for (const Count& count : kCounts)
    define_variable(count.name, "1", count.long_name, {trial, subject, population});
  define_variable("energy_rule_of_thumb", "J", "2 nJ for every spike",
                  {trial, subject, population});
  const int joules =
      define_variable("energy", "J", "ledger of the energy used, by term; their sum is the total",
                      {trial, subject, population, term});
  file.put_attribute(joules, "assumed",
                     "plasticity: 7.6 % of transmission at plastic synapses; inhibitory vesicles "
                     "cost 0.2 of excitatory ones; 8000 synapses on cells without a number of "
                     "their own");
  int sheet_x = -1, sheet_y = -1;
  if (!on_sheet_.empty()) {
    const auto axis = [&](const char* name, std::uint32_t bins, const char* long_name, int& id) {
      const int dimension = file.define_dimension(name, bins);
      id = file.define_variable(name, NetcdfType::f64, {dimension});
      describe_variable(file, id, "1", long_name);
      return dimension;
    };
    const int rows = axis("sheet_y", kSheetRows, "middle of a bin across the motor sheet", sheet_y);
    const int columns = axis("sheet_x", kSheetColumns,
                             "middle of a bin from the sheet's medial to its lateral end", sheet_x);
    define_variable(
        "transmission_energy", "J",
        "energy of synapses, release and recycling by place on the motor sheet, of living "
        "cells of its seven populations",
        {trial, subject, rows, columns});
  }
  file.end_definitions();
  subjects.write(file);
  const auto put_bins = [&](int id, std::uint32_t bins) {
    std::vector<double> middles(bins);
    for (std::uint32_t bin = 0; bin < bins; ++bin) middles[bin] = bin + 0.5;
    file.put<double>(id, {0}, {bins}, middles);
  };
  if (!on_sheet_.empty()) {
    put_bins(sheet_y, kSheetRows);
    put_bins(sheet_x, kSheetColumns);
  }
  put_names(file, population_names, names, length);
  put_names(file, term_names, energy::kTerms, term_length);
  file.put<double>(in_degree, {0}, {in_degrees.size()}, in_degrees);
  file.sync();
}

}  // namespace quartet
