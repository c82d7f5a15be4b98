#include "models/spines.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "models/math.hpp"

namespace quartet {

namespace {
constexpr double kMostLoss = 10.0;      // chosen: the smallest synapses last days at least
constexpr std::uint64_t kAttempts = 8;  // to find a source that lives

std::uint8_t code(Spine spine) { return static_cast<std::uint8_t>(spine); }

/// x^y for x > 0.
double power(double x, double y) { return y == 0 ? 1.0 : math::exp(y * math::log(x)); }
}  // namespace

void SpineParameters::visit(ParameterVisitor& v) {
  v.boolean("structural", structural,
            "whether the plastic excitatory synapses can come and go, with sites to spare; needs a "
            "plastic sheet (the same for all groups)");
  v.boolean("turnover", turnover, "false: none comes or goes");
  v.real("spare", spare, {"1", 0.05, 4},
         "vacant sites at the start per synapse (chosen: room for all that form)");
  v.real("day_s", day_s, {"s", 1, 86400},
         "simulated seconds that stand for a day (chosen: a week of practice takes a "
         "minute)");
  v.real("formation", formation, {"1/d", 0, 10},
         "synapses that form per day and synapse, without growth (chosen: 2-5 % of spines form per "
         "day or two in untrained mice; Xu et al. 2009)");
  v.real("growth_gain", growth_gain, {"1", 0, 1e5},
         "what growth of the cell's synapses adds to formation (tuned with an earlier sheet: "
         "practice of fingers forms half as many again about their fields)");
  v.real("transient_days", transient_days, {"d", 0.05, 1000},
         "mean time until a new synapse stays or goes (chosen: days; Holtmaat et al. 2005)");
  v.real(
      "half_weight", half_weight, {"1", 0.01, 20},
      "weight, in initial weights, at which half of the new synapses stay (tuned, with steepness: "
      "between weights at rest and those of a practised movement)");
  v.real(
      "steepness", steepness, {"1", 0, 20},
      "exponent with which weight makes them stay (tuned: 8 % of those of the initial weight do; "
      "10-25 % of new spines survive two weeks in untrained mice)");
  v.real("loss", loss, {"1/d", 0, 10},
         "share of the stable synapses of initial weight that are lost per day (tuned: balances "
         "formation in an untrained brain)");
  v.real(
      "protection", protection, {"1", 0, 20},
      "exponent with which weight protects stable synapses (tuned: with normalised weights, which "
      "are smaller the more there are, numbers return within weeks of practice)");
}

std::uint32_t SpineParameters::vacant_sites(std::uint32_t in_degree) const {
  return structural ? std::max(1u, static_cast<std::uint32_t>(spare * in_degree + 0.5)) : 0;
}

SpineRule::SpineRule(Projection& projection, const SpineParameters& parameters, std::uint64_t seed)
    : projection_(projection),
      parameters_(parameters),
      key_{seed, purpose(projection.name() + ".spines")},
      initial_number_(projection.in_degree() - projection.vacant_sites()),
      dead_(projection.sources(), 0),
      weight_before_(projection.canonical_weights()) {
  initial_weight_ = weight_before_.empty() ? 0.0f : weight_before_.front();
  const double young = std::min(1.0, parameters.formation * parameters.transient_days);
  const std::size_t k = projection.in_degree();
  for (std::size_t s = 0; s < weight_before_.size(); ++s) {
    const auto id = static_cast<std::uint32_t>(projection.first_target() + s / k);
    const double chance =
        uniform01(random_block(key_, id, static_cast<std::uint32_t>(s % k), 0)[0]);
    spines_.push_back(code(projection.source_of()[s] == projection.sources() ? Spine::vacant
                           : chance < young                                  ? Spine::transient
                                                                             : Spine::stable));
  }
  formed_day_.assign(spines_.size(), 0.0f);
}

std::span<const Rewired> SpineRule::step(bool learning, double speed) {
  changes_.clear();
  ++now_ms_;
  if (now_ms_ % kPeriodMs == 0 && learning && parameters_.turnover) turn_over(speed);
  return changes_;
}

void SpineRule::kill_sources(std::span<const std::uint32_t> cells) {
  for (const std::uint32_t cell : cells) dead_[cell] = 1;
}

void SpineRule::turn_over(double speed) {
  const SpineParameters& p = parameters_;
  const double days = 1e-3 * kPeriodMs / p.day_s;  // that pass in a period
  const auto second = static_cast<std::uint64_t>(now_ms_ / kPeriodMs);
  const double today = static_cast<double>(second) * days;
  const double deciding = 1.0 - math::exp(-days / p.transient_days);
  const std::vector<float> weights = projection_.canonical_weights();
  const std::size_t k = projection_.in_degree();
  const std::span<const std::uint32_t> sources = projection_.source_of();
  for (std::size_t first = 0; first < spines_.size(); first += k) {
    const auto own = static_cast<std::uint32_t>(first / k);
    if (!projection_.alive(own)) continue;
    const std::uint32_t id = projection_.first_target() + own;
    double grown = 0;
    std::size_t vacant = 0;
    for (std::size_t s = first; s < first + k; ++s) {
      grown += static_cast<double>(std::max(0.0f, weights[s] - weight_before_[s]));
      vacant += spines_[s] == code(Spine::vacant) ? 1 : 0;
    }
    grown /= initial_number_ * static_cast<double>(initial_weight_);
    const double forming = initial_number_ * p.formation * (speed + p.growth_gain * grown) * days;
    const double forms_here = vacant == 0 ? 0.0 : forming / static_cast<double>(vacant);
    std::array<std::uint32_t, 4> bits{};
    for (std::size_t s = first; s < first + k; ++s) {
      const auto site = static_cast<std::uint32_t>(s - first);
      if (site % 4 == 0) bits = random_block(key_, id, site / 4, second);
      const double chance = uniform01(bits[site % 4]);
      const double weight = static_cast<double>(weights[s] / initial_weight_);
      bool goes = false;
      if (spines_[s] == code(Spine::vacant)) {
        if (chance >= forms_here) continue;
        // Another number for every second, site and attempt.
        std::uint64_t later = kAttempts * (second * k + site) + 1;
        std::uint32_t source = projection_.draw_source(id, later);
        for (const std::uint64_t end = later + kAttempts; dead_[source] != 0 && ++later < end;)
          source = projection_.draw_source(id, later);
        if (dead_[source] != 0) continue;
        changes_.push_back({static_cast<std::uint32_t>(s), source, initial_weight_});
        spines_[s] = code(Spine::transient);
        formed_day_[s] = static_cast<float>(today);
      } else if (dead_[sources[s]] != 0) {
        goes = true;
      } else if (spines_[s] == code(Spine::transient)) {
        if (chance >= deciding) continue;
        const double stays =
            weight > 0 ? 1.0 / (1.0 + power(p.half_weight / weight, p.steepness)) : 0.0;
        goes = chance >= deciding * stays;
        if (!goes) spines_[s] = code(Spine::stable);
      } else {
        const double faster =
            weight > 0 ? std::min(kMostLoss, power(weight, -p.protection)) : kMostLoss;
        goes = chance < 1.0 - math::exp(-p.loss * faster * days);
      }
      if (!goes) continue;
      changes_.push_back({static_cast<std::uint32_t>(s), kVacant, 0});
      spines_[s] = code(Spine::vacant);
      formed_day_[s] = 0;
    }
  }
  weight_before_ = weights;
  for (const Rewired& change : changes_) weight_before_[change.site] = change.weight;
}

template <class State, class Self>
void SpineRule::visit_state(State& state, Self& self) {
  const Projection& projection = self.projection_;
  state.shared_value(projection.name() + ".spines.now_ms", self.now_ms_);
  state.shared(projection.name() + ".spines.dead", std::span(self.dead_));
  projection.visit_per_synapse(state, ".spines", self.spines_);
  projection.visit_per_synapse(state, ".formed_day", self.formed_day_);
  projection.visit_per_synapse(state, ".weight_before", self.weight_before_);
}
void SpineRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void SpineRule::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
