#include "regions/spiking_region.hpp"

#include "regions/sheet.hpp"
#include "regions/sizes.hpp"

namespace quartet {

void SpikingRegion::advance(Step t, const Inbox& in, Outbox& out, Peers& peers) {
  prepare(t, in);
  network_.advance(t, in, peers);
  learn(t, in);
  for (std::size_t port = 0; port < outputs_.size(); ++port)
    network_.send(output_population_[port], out.spikes(port));
}

std::vector<energy::Activity> SpikingRegion::activity_by_place() const {
  std::vector<energy::Activity> activity;
  for (std::size_t population = 0; population < populations_.size(); ++population) {
    const PopulationInfo& info = populations_[population];
    if (info.x.empty()) continue;
    std::vector<std::uint32_t> bins;
    for (std::size_t cell = 0; cell < info.x.size(); ++cell)
      bins.push_back(sheet_bin(info.x[cell], info.y[cell]));
    const auto here = network_.activity_by_place(population, bins, kSheetBins);
    activity.insert(activity.end(), here.begin(), here.end());
  }
  return activity;
}

void SpikingRegion::weights(std::size_t index, std::uint32_t& first,
                            std::vector<float>& values) const {
  first = plastic_[index]->first_target();
  values = plastic_[index]->canonical_weights();
}

std::vector<std::uint32_t> SpikingRegion::sources(std::size_t index) const {
  const std::span<const std::uint32_t> cells = plastic_[index]->source_of();
  return {cells.begin(), cells.end()};
}

Spines SpikingRegion::spines(std::size_t index) const {
  if (spine_rules_[index] == nullptr) return {};
  const auto state = spine_rules_[index]->spines();
  const auto day = spine_rules_[index]->formed_day();
  return {{state.begin(), state.end()}, {day.begin(), day.end()}};
}

void SpikingRegion::save(StateWriter& writer) const {
  network_.save(writer);
  save_extra(writer);
}

void SpikingRegion::load(StateReader& reader) {
  network_.load(reader);
  load_extra(reader);
}

std::size_t SpikingRegion::add_spike_input(std::string tract, std::uint32_t cells,
                                           std::uint32_t substeps, std::vector<float> directions) {
  inputs_.push_back({std::move(tract), PortKind::spikes, cells, substeps});
  const std::size_t index = network_.add_tract(inputs_.size() - 1, cells, substeps);
  directions_[index] = std::move(directions);
  return index;
}

std::size_t SpikingRegion::add_analog_input(std::string tract, std::uint32_t values) {
  inputs_.push_back({std::move(tract), PortKind::analog, values, 1});
  return inputs_.size() - 1;
}

std::size_t SpikingRegion::add_population(PopulationInfo info, const LifParameters& parameters,
                                          SynapseKind kind, std::vector<Receptor> receptors) {
  const std::size_t index =
      network_.add_population(info.name, parameters, kind, std::move(receptors), info.size);
  directions_[index] = info.preferred_direction_deg;
  places_[index] = {info.x, info.y};
  populations_.push_back(std::move(info));
  return index;
}

void SpikingRegion::add_output(std::size_t population) {
  outputs_.push_back({populations_[population].name, PortKind::spikes,
                      populations_[population].size, network_.substeps()});
  output_population_.push_back(population);
}

Projection& SpikingRegion::connect(ProjectionSpec spec) {
  const std::size_t source = spec.source, target = spec.target;
  Projection& projection = network_.connect(std::move(spec));
  if (projection.plastic()) {
    plastic_.push_back(&projection);
    spine_rules_.push_back(nullptr);
    plastic_infos_.push_back({projection.name(), projection.all_targets(), projection.in_degree(),
                              projection.kind() == SynapseKind::current ? "mV" : "1",
                              projection.sources(), projection.vacant_sites() != 0,
                              directions_[source], directions_[target], places_[source][0],
                              places_[source][1], places_[target][0], places_[target][1]});
  }
  return projection;
}

void SpikingRegion::connect_alike(const char* name, std::size_t source, std::size_t target,
                                  std::size_t receptor, std::uint32_t in_degree, double weight,
                                  double delay_ms, SourceRule sources) {
  connect({.name = name,
           .source = source,
           .target = target,
           .receptor = receptor,
           .in_degree = in_degree,
           .weight = weight / in_degree,
           .delay_ms = delay_ms,
           .sources = std::move(sources)});
}

void SpikingRegion::diffuse(const char* name, std::size_t source, Cells sources, std::size_t target,
                            std::size_t receptor, std::uint32_t in_degree, double weight,
                            double delay_ms) {
  connect_alike(name, source, target, receptor, in_degree, weight, delay_ms,
                uniform_sources(sources));
}

std::vector<float> ring_directions(std::uint32_t size) {
  std::vector<float> directions(size);
  for (std::uint32_t i = 0; i < size; ++i)
    directions[i] = static_cast<float>(ring_direction(i, size));
  return directions;
}

std::vector<float> group_directions(std::uint32_t size, std::uint32_t groups,
                                    double (*direction)(std::uint32_t)) {
  std::vector<float> directions(size);
  for (std::uint32_t i = 0; i < size; ++i)
    directions[i] = static_cast<float>(direction(group_of(i, size, groups)));
  return directions;
}

ProjectionSpec overlap_synapses(std::string name, std::size_t source, Cells ring,
                                std::size_t target, std::function<double(std::uint32_t)> direction,
                                std::size_t receptor, double weight) {
  return {.name = std::move(name),
          .source = source,
          .target = target,
          .receptor = receptor,
          .in_degree = ring.families,
          .weight = weight / ring.families,
          .delay_ms = 2,
          .sources = each_family_in_turn(ring),
          .factor = [=](std::uint32_t cell, std::uint32_t of, Draws&) {
            return direction_overlap(ring_direction(cell, ring), direction(of));
          }};
}

}  // namespace quartet
