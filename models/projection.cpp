#include "models/projection.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>

namespace quartet {

namespace {
constexpr double kLongestDelayMs = 1000.0;
constexpr double kLargestFactor = 8.0;
constexpr double kSmallestWeight = 0.0002;  // some 50 quanta: rounded by 1 % at most

/// Truncated, which vectorises: a plastic weight is delivered up to one quantum low.
std::int32_t quantised(float weight) {
  return static_cast<std::int32_t>(weight * static_cast<float>(1.0 / kInputQuantum));
}

/// Quanta per unit of a 16-bit weight: the smallest power of two with which `kLargestFactor` times
/// the weight fits, so that factor 1 is rounded by 1/4096 at most, or by half a quantum where the
/// unit is one (1 % of the smallest weight). It follows from the specification alone, hence is
/// alike on all slices.
std::int32_t unit_of(double weight) {
  std::int32_t unit = 1;
  while (kLargestFactor * std::abs(weight) / kInputQuantum > 32767.0 * unit) unit *= 2;
  return unit;
}

/// A number in as many digits as tell it from all others.
std::string shown(double value) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::uint32_t delay_substeps(double ms, std::uint32_t substeps_per_ms) {
  return std::max(1u, static_cast<std::uint32_t>(std::floor(ms * substeps_per_ms + 0.5)));
}
}  // namespace

Projection::Projection(const ProjectionSpec& spec, std::uint32_t sources, LifPopulation& target,
                       std::uint32_t substeps_per_ms, std::uint64_t seed)
    : name_(spec.name),
      source_(spec.source),
      target_index_(spec.target),
      receptor_(spec.receptor),
      target_(&target),
      sources_(sources),
      in_degree_(spec.in_degree + spec.vacant_sites),
      vacant_sites_(spec.vacant_sites),
      plastic_(spec.plastic),
      max_weight_(static_cast<float>(spec.max_weight)) {
  if (target.count() > kMostTargets)
    throw std::invalid_argument(name_ + ": more than 65,536 cells of " + target.name() +
                                " in one slice; split the region over more ranks");
  if (receptor_ >= target.receptor_count())
    throw std::invalid_argument(name_ + ": " + target.name() + " has no such receptor");

  inhibitory_ = kind() == SynapseKind::current ? spec.weight < 0 : target.is_inhibitory(receptor_);

  if (spec.weight != 0 && std::abs(spec.weight) < kSmallestWeight)
    throw std::invalid_argument(name_ + ": a weight of " + shown(spec.weight) +
                                " per synapse is too small to be represented; use 0 or at least " +
                                shown(kSmallestWeight));

  if (spec.delay_of) {
    const double shortest = spec.min_delay_ms, longest = spec.max_delay_ms;
    if (!(shortest >= 0 && longest > 0 && shortest <= longest && longest <= kLongestDelayMs))
      throw std::invalid_argument(
          name_ + ": delay_of with bounds of " + shown(shortest) + " to " + shown(longest) +
          " ms; state min_delay_ms and max_delay_ms, from 0 to " + shown(kLongestDelayMs) + " ms");
    min_delay_ = delay_substeps(shortest, substeps_per_ms);
    max_delay_ = delay_substeps(longest, substeps_per_ms);
  } else {
    min_delay_ = spec.delay_ms <= 0 ? 0 : delay_substeps(spec.delay_ms, substeps_per_ms);
    max_delay_ = min_delay_;
  }
  if (plastic_ && min_delay_ != max_delay_)
    throw std::invalid_argument(name_ + ": a plastic projection has one delay");
  if (!plastic_ && vacant_sites_ != 0)
    throw std::invalid_argument(name_ +
                                ": only plastic synapses come and go; vacant sites are for "
                                "a plastic projection");
  target.reserve_delay(max_delay_ + substeps_per_ms);

  const bool own_weights = spec.factor && !plastic_;
  unit_ = own_weights ? unit_of(spec.weight)
                      : static_cast<std::int32_t>(std::floor(spec.weight / kInputQuantum + 0.5));
  const auto units_of = [&](double factor) {
    return std::floor(spec.weight * factor / (kInputQuantum * unit_) + 0.5);
  };
  struct Synapse {
    std::uint32_t source, target;
    std::uint32_t delay;
    float factor;
  };
  const std::uint32_t own = target.count();
  std::vector<Synapse> synapses;
  synapses.reserve(static_cast<std::size_t>(own) * in_degree_);
  key_ = {seed, purpose(name_)};
  std::map<std::uint32_t, std::size_t> fan_of_delay;
  for (std::uint32_t i = 0; i < own; ++i) {
    const std::uint32_t id = target.first() + i;
    Draws draws(key_, id);
    for (std::uint32_t k = 0; k < spec.in_degree; ++k) {
      const std::uint32_t source = spec.sources(id, draws);
      const double factor = spec.factor ? spec.factor(source, id, draws) : 1.0;
      // Static synapses without weight (a factor of 0, or next to it) are not kept.
      if (own_weights && units_of(static_cast<float>(factor)) == 0.0) continue;
      std::uint32_t delay = min_delay_;
      if (spec.delay_of) {
        const double ms = spec.delay_of(source, id);
        if (!(ms >= spec.min_delay_ms && ms <= spec.max_delay_ms))
          throw std::invalid_argument(
              name_ + ": a delay of " + shown(ms) + " ms from source " + std::to_string(source) +
              " to " + target.name() + " " + std::to_string(id) + ", outside the stated " +
              shown(spec.min_delay_ms) + " to " + shown(spec.max_delay_ms) +
              " ms; widen min_delay_ms and max_delay_ms or correct delay_of");
        delay = delay_substeps(ms, substeps_per_ms);
      }
      fan_of_delay.try_emplace(delay, 0);
      // Plastic ones leave a vacant site.
      synapses.push_back({factor == 0.0 ? sources_ : source, i, delay, static_cast<float>(factor)});
    }
  }
  const std::int64_t largest =
      plastic_ ? quantised(max_weight_)
      : own_weights
          ? unit_ * static_cast<std::int64_t>(std::floor(
                        kLargestFactor * std::abs(spec.weight) / kInputQuantum / unit_ + 0.5))
          : std::abs(unit_);
  worst_input_ = in_degree_ * largest;

  synapses_ = static_cast<std::uint64_t>(std::count_if(
      synapses.begin(), synapses.end(), [&](const Synapse& s) { return s.source < sources_; }));
  if (plastic_) {
    if (vacant_sites_ != 0) {
      source_rule_ = spec.sources;
      formed_.assign(own, 0);
      lost_.assign(own, 0);
    }
    source_of_.assign(static_cast<std::size_t>(own) * in_degree_, sources_);
    std::vector<float> weights(source_of_.size(), 0.0f);
    for (std::size_t s = 0; s < synapses.size(); ++s) {
      const std::size_t site = s / spec.in_degree * in_degree_ + s % spec.in_degree;
      const auto weight = static_cast<float>(spec.weight) * synapses[s].factor;
      source_of_[site] = synapses[s].source;
      weights[site] = std::clamp(weight, 0.0f, max_weight_);
    }
    fans_.push_back({min_delay_, {}, {}, {}});
    lay_out(weights);
    return;
  }

  if (fan_of_delay.empty()) fan_of_delay.try_emplace(min_delay_, 0);
  if (fan_of_delay.size() > 256)
    throw std::invalid_argument(name_ + ": more than 256 different delays; round them");

  // Counting sort by (delay, source): stable, so rows keep the order of targets.
  std::size_t next_fan = 0;
  for (auto& [delay, index] : fan_of_delay) {
    index = next_fan++;
    fans_.push_back({delay, std::vector<std::uint32_t>(sources_ + 1, 0), {}, {}});
  }
  std::vector<std::uint8_t> fan_index(synapses.size());
  for (std::size_t s = 0; s < synapses.size(); ++s) {
    fan_index[s] = static_cast<std::uint8_t>(fan_of_delay[synapses[s].delay]);
    ++fans_[fan_index[s]].row[synapses[s].source + 1];
  }
  for (Fan& fan : fans_) {
    for (std::uint32_t j = 0; j < sources_; ++j) fan.row[j + 1] += fan.row[j];
    fan.target.resize(fan.row[sources_]);
    if (own_weights) fan.units.resize(fan.row[sources_]);
  }
  std::vector<std::vector<std::uint32_t>> next(fans_.size());
  for (std::size_t f = 0; f < fans_.size(); ++f) next[f] = fans_[f].row;
  for (std::size_t s = 0; s < synapses.size(); ++s) {
    const Synapse& synapse = synapses[s];
    Fan& fan = fans_[fan_index[s]];
    const std::uint32_t at = next[fan_index[s]][synapse.source]++;
    fan.target[at] = static_cast<std::uint16_t>(synapse.target);
    if (own_weights) {
      if (!(std::abs(synapse.factor) <= kLargestFactor))
        throw std::invalid_argument(name_ + ": a weight factor of " + shown(synapse.factor) +
                                    ", beyond " + shown(kLargestFactor) + "; raise the weight");
      fan.units[at] = static_cast<std::int16_t>(units_of(synapse.factor));
    }
  }
}

void Projection::lay_out(std::span<const float> canonical) {
  // Counting sort by source: stable, so rows keep the order of targets. What has no source comes
  // last.
  Fan& fan = fans_[0];
  fan.row.assign(sources_ + 1, 0);
  for (const std::uint32_t source : source_of_)
    if (source < sources_) ++fan.row[source + 1];
  for (std::uint32_t j = 0; j < sources_; ++j) fan.row[j + 1] += fan.row[j];
  fan.target.resize(source_of_.size());
  weights_.resize(source_of_.size());
  position_.resize(source_of_.size());
  std::vector<std::uint32_t> next = fan.row;
  for (std::size_t s = 0; s < source_of_.size(); ++s) {
    const std::uint32_t at = next[source_of_[s]]++;
    fan.target[at] = static_cast<std::uint16_t>(s / in_degree_);
    weights_[at] = canonical[s];
    position_[s] = at;
  }
}

void Projection::require_vacant_sites() const {
  if (vacant_sites_ == 0)
    throw std::logic_error(name_ + ": its synapses stay; give it vacant_sites to rewire it");
}

std::uint32_t Projection::draw_source(std::uint32_t target, std::uint64_t later) {
  require_vacant_sites();
  Draws draws(key_, target, later);
  return source_rule_(target, draws);
}

void Projection::rewire(std::span<const Rewired> changes) {
  require_vacant_sites();
  std::vector<float> weights = canonical_weights();
  for (const Rewired& change : changes) {
    const bool goes = change.source == kVacant;
    ++(goes ? lost_ : formed_)[change.site / in_degree_];
    source_of_[change.site] = goes ? sources_ : change.source;
    weights[change.site] = goes ? 0.0f : change.weight;
  }
  lay_out(weights);
}

std::int64_t Projection::formed() const {
  return std::accumulate(formed_.begin(), formed_.end(), std::int64_t{0});
}
std::int64_t Projection::lost() const {
  return std::accumulate(lost_.begin(), lost_.end(), std::int64_t{0});
}
void Projection::begin_count() {
  std::fill(formed_.begin(), formed_.end(), 0u);
  std::fill(lost_.begin(), lost_.end(), 0u);
}

void Projection::deliver(std::uint32_t cell, std::int64_t n) {
  for (const Fan& fan : fans_) {
    std::int32_t* __restrict input = target_->input(receptor_, n + fan.delay);
    const std::uint32_t begin = fan.row[cell], end = fan.row[cell + 1];
    const std::uint16_t* __restrict target = fan.target.data();
    if (plastic_) {
      const float* __restrict weight = weights_.data();
      for (std::uint32_t s = begin; s < end; ++s) input[target[s]] += quantised(weight[s]);
    } else if (!fan.units.empty()) {
      const std::int16_t* __restrict units = fan.units.data();
      const std::int32_t unit = unit_;
      for (std::uint32_t s = begin; s < end; ++s) input[target[s]] += unit * units[s];
    } else {
      const std::int32_t unit = unit_;
      for (std::uint32_t s = begin; s < end; ++s) input[target[s]] += unit;
    }
  }
}

std::uint32_t Projection::fan_out(std::uint32_t cell) const {
  std::uint32_t synapses = 0;
  for (const Fan& fan : fans_) synapses += fan.row[cell + 1] - fan.row[cell];
  return synapses;
}

void Projection::add_arrivals(std::span<const std::uint32_t> fired,
                              std::span<std::int64_t> arrivals) const {
  for (const Fan& fan : fans_)
    for (std::uint32_t cell = 0; cell < sources_; ++cell)
      if (fired[cell] != 0)
        for (std::uint32_t s = fan.row[cell]; s < fan.row[cell + 1]; ++s)
          arrivals[fan.target[s]] += fired[cell];
}

std::vector<float> Projection::canonical_weights() const {
  std::vector<float> values(position_.size());
  for (std::size_t s = 0; s < position_.size(); ++s) values[s] = weights_[position_[s]];
  return values;
}

template <class State, class Self, class Weights>
void Projection::visit_state(State& state, Self& self, Weights& weights) {
  self.visit_per_synapse(state, ".w", weights);
  if (self.vacant_sites_ == 0) return;
  self.visit_per_synapse(state, ".source", self.source_of_);
  self.visit_per_target(state, ".formed", self.formed_);
  self.visit_per_target(state, ".lost", self.lost_);
}

void Projection::save(StateWriter& writer) const {
  if (!plastic_) return;
  const std::vector<float> weights = canonical_weights();
  visit_state(writer, *this, weights);
}

void Projection::load(StateReader& reader) {
  if (!plastic_) return;
  std::vector<float> weights(position_.size());
  visit_state(reader, *this, weights);
  lay_out(weights);
}

}  // namespace quartet
