#include "models/network.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace quartet {
namespace {

/// Adds arrivals at a projection's synapses to what its target counts.
void count_arrivals(const Projection& projection, std::int64_t arrivals, energy::Activity& target) {
  (projection.inhibitory() ? target.inhibitory : target.excitatory) += arrivals;
  if (!projection.plastic()) return;
  target.plastic += arrivals;
  if (projection.inhibitory()) target.plastic_inhibitory += arrivals;
}

}  // namespace

Network::Network(std::uint32_t substeps, int slice, int slices, std::uint64_t seed)
    : substeps_(substeps), slice_(slice), slices_(slices), seed_(seed) {}

std::uint32_t Network::first_of_slice(std::uint32_t size, int index, int slices) {
  if (index == slices) return size;
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(size) *
                                    static_cast<unsigned>(index) / static_cast<unsigned>(slices) /
                                    8 * 8);
}

std::size_t Network::add_population(std::string name, const LifParameters& parameters,
                                    SynapseKind kind, std::vector<Receptor> receptors,
                                    std::uint32_t size) {
  offset_.push_back(offset_.empty() ? 0 : offset_.back() + populations_.back()->size());
  worst_input_.emplace_back(receptors.size(), 0);
  populations_.push_back(
      std::make_unique<LifPopulation>(std::move(name), parameters, kind, std::move(receptors), size,
                                      first_of_slice(size, slice_, slices_),
                                      first_of_slice(size, slice_ + 1, slices_), substeps_, seed_));
  for (std::size_t r = 0; r < populations_.back()->receptor_count(); ++r)  // until connect
    populations_.back()->set_reached(r, false);
  from_population_.emplace_back();
  spikes_.emplace_back();
  fired_of_population_.emplace_back(size, 0);
  return populations_.size() - 1;
}

std::size_t Network::add_tract(std::size_t port, std::uint32_t cells,
                               std::uint32_t sender_substeps) {
  tracts_.push_back({port, cells, sender_substeps});
  from_tract_.emplace_back();
  fired_of_tract_.emplace_back(cells, 0);
  return kTractBase + tracts_.size() - 1;
}

Projection& Network::connect(ProjectionSpec spec) {
  const bool tract = spec.source >= kTractBase;
  const std::size_t index = tract ? spec.source - kTractBase : spec.source;
  const std::uint32_t sources = tract ? tracts_[index].cells : populations_[index]->size();
  if (!tract && spec.delay_ms <= 0)
    throw std::invalid_argument(spec.name + ": a projection within a region needs a delay");
  LifPopulation& target = *populations_[spec.target];
  target.set_reached(spec.receptor, true);
  projections_.emplace_back(spec, sources, target, substeps_, seed_);
  Projection& projection = projections_.back();
  // A faster sender can fire more than once in one of our substeps.
  const std::uint32_t repeats = tract ? std::max(1u, tracts_[index].substeps / substeps_) : 1u;
  std::int64_t& worst = worst_input_[spec.target][spec.receptor];
  worst += projection.worst_input() * repeats;
  if (worst > std::numeric_limits<std::int32_t>::max())
    throw std::invalid_argument(
        spec.name + ": input to " + target.name() +
        " could overflow its accumulator (±8192 mV or g_L); lower weight or in-degree");
  if (tract) {
    from_tract_[index].push_back(&projection);
  } else {
    from_population_[index].push_back(&projection);
    const std::uint32_t delay = projection.min_delay_substeps();
    min_delay_ = min_delay_ == 0 ? delay : std::min(min_delay_, delay);
  }
  return projection;
}

std::vector<std::uint32_t> Network::remove_cells(std::size_t index, double fraction) {
  LifPopulation& population = *populations_[index];
  std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
  const RandomKey key{seed_, purpose(population.name() + ".lesion")};
  for (std::uint32_t id = 0; id < population.size(); ++id)
    order.emplace_back(random_block(key, id, 0, 0)[0], id);
  std::sort(order.begin(), order.end());
  const auto removed = static_cast<std::size_t>(fraction * population.size() + 0.5);
  std::vector<std::uint32_t> ids;
  for (std::size_t i = 0; i < removed && i < order.size(); ++i) {
    const std::uint32_t id = order[i].second;
    ids.push_back(id);
    if (id >= population.first() && id < population.last()) population.kill(id);
  }
  return ids;
}

void Network::advance(Step t, const Inbox& in, Peers& peers) {
  const std::int64_t n0 = t * substeps_;
  for (std::size_t tract = 0; tract < tracts_.size(); ++tract) {
    const TractSource& source = tracts_[tract];
    for (const Spike& spike : in.spikes(source.port)) {
      ++fired_of_tract_[tract][spike.id];
      // First own substep that ends no earlier than the spike.
      const std::uint32_t due =
          ((spike.substep + 1) * substeps_ + source.substeps - 1) / source.substeps - 1;
      for (Projection* projection : from_tract_[tract]) projection->deliver(spike.id, n0 + due);
    }
  }
  for (auto& list : spikes_) list.clear();
  // Recurrent spikes are exchanged and delivered once per phase, which is no longer than the
  // shortest recurrent delay.
  std::uint32_t phase = substeps_;
  while (min_delay_ != 0 && phase > min_delay_) phase /= 2;
  for (std::uint32_t begin = 0; begin < substeps_; begin += phase) {
    gathered_.clear();
    for (std::uint32_t s = begin; s < begin + phase; ++s) {
      for (std::size_t p = 0; p < populations_.size(); ++p) {
        fired_.clear();
        populations_[p]->integrate(n0 + s, fired_);
        if (slices_ == 1) {
          for (std::uint32_t id : fired_) spikes_[p].push_back({id, s});
          for (Projection* projection : from_population_[p])
            for (std::uint32_t id : fired_) projection->deliver(id, n0 + s);
        } else {
          for (std::uint32_t id : fired_) gathered_.push_back({offset_[p] + id, s});
        }
      }
    }
    if (slices_ == 1) continue;
    peers.all_gather(gathered_);
    for (const Spike& spike : gathered_) {
      const std::size_t p = static_cast<std::size_t>(
          std::upper_bound(offset_.begin(), offset_.end(), spike.id) - offset_.begin() - 1);
      const std::uint32_t id = spike.id - offset_[p];
      spikes_[p].push_back({id, spike.substep});
      for (Projection* projection : from_population_[p])
        projection->deliver(id, n0 + spike.substep);
    }
  }
  for (std::size_t p = 0; p < populations_.size(); ++p)
    for (const Spike& spike : spikes_[p]) ++fired_of_population_[p][spike.id];
}

void Network::begin_count() {
  for (auto* all : {&fired_of_population_, &fired_of_tract_})
    for (auto& fired : *all) std::fill(fired.begin(), fired.end(), 0u);
  for (Projection& projection : projections_) projection.begin_count();
}

std::vector<energy::Activity> Network::activity() const {
  std::vector<energy::Activity> activity(populations_.size());
  for (std::size_t p = 0; p < populations_.size(); ++p) {
    const LifPopulation& population = *populations_[p];
    for (std::uint32_t id = population.first(); id < population.last(); ++id) {
      activity[p].spikes += fired_of_population_[p][id];
      activity[p].cells += population.alive(id) ? 1 : 0;
    }
  }
  // Synapses that came or went since then count as if they had been so all the time.
  for (const Projection& projection : projections_) {
    const auto fired = fired_of(projection.source());
    std::int64_t arrivals = 0;
    for (std::uint32_t cell = 0; cell < fired.size(); ++cell)
      if (fired[cell] != 0)
        arrivals += static_cast<std::int64_t>(fired[cell]) * projection.fan_out(cell);
    energy::Activity& of_target = activity[projection.target()];
    count_arrivals(projection, arrivals, of_target);
    of_target.synapses += static_cast<std::int64_t>(projection.synapse_count());
    of_target.formed += projection.formed();
    of_target.lost += projection.lost();
  }
  return activity;
}

std::vector<energy::Activity> Network::activity_by_place(std::size_t index,
                                                         std::span<const std::uint32_t> place,
                                                         std::size_t places) const {
  const LifPopulation& population = *populations_[index];
  std::vector<energy::Activity> of_cell(population.count());
  for (const Projection& projection : projections_) {
    if (projection.target() != index) continue;
    std::vector<std::int64_t> arrivals(population.count(), 0);
    projection.add_arrivals(fired_of(projection.source()), arrivals);
    for (std::size_t own = 0; own < arrivals.size(); ++own)
      count_arrivals(projection, arrivals[own], of_cell[own]);
  }
  std::vector<energy::Activity> activity(places);
  for (std::uint32_t id = population.first(); id < population.last(); ++id) {
    if (!population.alive(id)) continue;
    energy::Activity& own = of_cell[id - population.first()];
    own.cells = 1;
    own.spikes = fired_of_population_[index][id];
    activity[place[id]] += own;
  }
  return activity;
}

std::span<const std::uint32_t> Network::fired_of(std::size_t source) const {
  return source >= kTractBase ? fired_of_tract_[source - kTractBase] : fired_of_population_[source];
}

void Network::send(std::size_t index, std::vector<Spike>& out) const {
  const LifPopulation& population = *populations_[index];
  for (const Spike& spike : spikes_[index])
    if (spike.id >= population.first() && spike.id < population.last()) out.push_back(spike);
}

void Network::set_noise_stream(std::uint32_t stream) {
  for (auto& population : populations_) population->set_noise_stream(stream);
}

std::uint64_t Network::neuron_count() const {
  std::uint64_t count = 0;
  for (const auto& population : populations_) count += population->count();
  return count;
}

std::uint64_t Network::synapse_count() const {
  std::uint64_t count = 0;
  for (const Projection& projection : projections_) count += projection.synapse_count();
  return count;
}

template <class State, class Self>
void Network::visit_state(State& state, Self& self) {
  for (const auto& population : self.populations_) state.part(*population);
  for (auto& projection : self.projections_) state.part(projection);
  for (std::size_t p = 0; p < self.populations_.size(); ++p)
    state.shared(self.populations_[p]->name() + ".fired", std::span(self.fired_of_population_[p]));
  for (std::size_t tract = 0; tract < self.tracts_.size(); ++tract)
    state.shared("tract" + std::to_string(tract) + ".fired",
                 std::span(self.fired_of_tract_[tract]));
}
void Network::save(StateWriter& writer) const { visit_state(writer, *this); }
void Network::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
