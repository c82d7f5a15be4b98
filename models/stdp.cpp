#include "models/stdp.hpp"

#include <algorithm>

#include "models/math.hpp"

namespace quartet {

namespace {
float decay_per_ms(double tau_ms) { return static_cast<float>(math::exp(-1.0 / tau_ms)); }

void decay(std::vector<float>& trace, float factor) {
  for (float& value : trace) value *= factor;
}

float first_weight(const Projection& projection) {
  return projection.weights().empty() ? 0.0f : projection.weights()[0];
}

}  // namespace

void DopamineGateParameters::visit(ParameterVisitor& v) {
  v.real("gain", gain, {"1", 0, 1e6},
         "what saturating dopamine adds to the gate's 1 (tuned: rewards teach, not rest)");
  v.real("half_hz", half_hz, {"Hz", 0.1, 100},
         "half-saturation (tuned: between what expected rewards leave and what others do)");
  v.real("hill", hill, {"1", 1, 10}, "Hill exponent (tuned with half_hz)");
  v.real(
      "tau_ms", tau_ms, {"ms", 1, 60000},
      "decay of the dopamine concentration (tuned: the burst and the pause of an expected reward "
      "cancel; no source: slower than in striatum, as cortex has few transporters)");
  v.real("adaptation_ms", adaptation_ms, {"ms", 100, 1e7},
         "time over which the prevailing concentration is averaged (chosen: some twenty trials)");
}

double DopamineGate::value() const {
  const double m = dopamine_effect(dopamine_.hz() - dopamine_.adapted_hz(), parameters_.half_hz,
                                   parameters_.hill);
  return std::max(0.0, 1.0 + parameters_.gain * m);
}

void TripletParameters::visit(ParameterVisitor& v) {
  v.real(
      "rate", rate, {"1", 0, 1000},
      "speed of learning; 1: as in slices where the gate is 1 and eligibility far below its limit; "
      "the gate goes from 0 to 1 + dopamine.gain (tuned: some hundred rewarded movements change "
      "maps)");
  v.real("potentiation", potentiation, {"1", 0, 1},
         "potentiation per triplet at traces of 1, as a share of the initial weight (Pfister & "
         "Gerstner 2006, visual cortex, all-to-all)");
  v.real("depression", depression, {"1", 0, 1},
         "depression per pair at a trace of 1, as a share of the initial weight (Pfister & "
         "Gerstner 2006: 7.1e-3; "
         "tuned within some 3 %: the rate at which it gives way to potentiation, 20 Hz or more, "
         "lies between those "
         "of a finger that is asked to move and of its neighbour)");
  v.real("weight_dependence", weight_dependence, {"1", 0, 1},
         "how far depression is in proportion to the weight, and potentiation to what it lacks of "
         "the largest (tuned: weights differ by practice, and do not run to their bounds)");
  v.real(
      "sliding", sliding, {"1", 0, 4},
      "exponent with which depression follows the rate at which the cell fires (Pfister & Gerstner "
      "2006: 2, of its mean rate; tuned: overlap of maps follows the correlation of movements; 0: "
      "it does not)");
  v.real("reference_hz", reference_hz, {"Hz", 0.1, 1000},
         "rate from which on it does (tuned with it: below those of movements)");
  v.real("sliding_s", sliding_s, {"s", 0.1, 1e6},
         "time over which that rate is averaged (tuned with it: some thirty movements)");
  v.real("plus_ms", plus_ms, {"ms", 1, 1000},
         "decay of the presynaptic trace (Pfister & Gerstner 2006)");
  v.real("minus_ms", minus_ms, {"ms", 1, 1000},
         "decay of the postsynaptic trace (Pfister & Gerstner 2006)");
  v.real("slow_ms", slow_ms, {"ms", 1, 10000},
         "decay of the slow postsynaptic trace (Pfister & Gerstner 2006)");
  v.real("eligibility_ms", eligibility_ms, {"ms", 10, 60000},
         "decay of eligibility (chosen: spans movement and outcome; seconds in cortex: He et al. "
         "2015)");
  v.real("eligibility_limit", eligibility_limit, {"1", 1e-3, 1e9},
         "limit of what eligibility drives at a time, in initial weights; of this size it counts "
         "half, and what one event teaches grows with its logarithm (tuned: rates of a finger that "
         "practises do not run away before the threshold follows)");
  v.real("max_weight", max_weight, {"1", 1.01, 20}, "largest weight, in initial weights (chosen)");
  v.real("normalisation", normalisation, {"1", 0, 1},
         "share of the way by which a cell's summed weight returns to the initial sum per second "
         "(tuned: faster than it is changed, and slow enough that practised inputs add to it)");
  v.real("labile_s", labile_s, {"s", 1, 1e9},
         "time constant with which a weight returns to its consolidated one (tuned: maps return "
         "within the minutes that stand for the month after practice)");
  v.real("capacity", capacity, {"1", 0.1, 1e6},
         "size of the consolidated variable relative to the weight's (chosen)");
}

TripletRule::TripletRule(Projection& projection, const TripletParameters& parameters)
    : projection_(projection),
      parameters_(parameters),
      initial_weight_(first_weight(projection)),
      plus_decay_(decay_per_ms(parameters.plus_ms)),
      minus_decay_(decay_per_ms(parameters.minus_ms)),
      slow_decay_(decay_per_ms(parameters.slow_ms)),
      eligibility_decay_(static_cast<float>(math::exp(-kPeriodMs / parameters.eligibility_ms))),
      x_(projection.sources() + 1, 0.0f),
      y_(projection.own_targets(), 0.0f),
      z_(projection.own_targets(), 0.0f),
      z_mean_(projection.own_targets(), 0.0f),
      z_square_(projection.own_targets(), 0.0f),
      eligibility_(projection.weights().size(), 0.0f),
      consolidated_(projection.canonical_weights()),
      depression_(projection.own_targets(), static_cast<float>(parameters.depression)),
      loss_(projection.own_targets()) {}

void TripletRule::step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic,
                       double gate, bool learning) {
  decay(x_, plus_decay_);
  decay(y_, minus_decay_);
  decay(z_, slow_decay_);
  const std::span<const float> weights = projection_.weights();
  const auto targets = projection_.targets();
  const auto soft = static_cast<float>(parameters_.weight_dependence);
  const float hard = (1.0f - soft) * initial_weight_;
  for (std::size_t target = 0; target < loss_.size(); ++target)
    loss_[target] = depression_[target] * y_[target];
  for (const Spike& spike : presynaptic)
    for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id); ++s)
      eligibility_[s] -= loss_[targets[s]] * (hard + soft * weights[s]);
  const auto position = projection_.position();
  const auto source = projection_.source_of();
  const std::size_t k = projection_.in_degree();
  const float top = projection_.max_weight();
  const auto potentiation = static_cast<float>(parameters_.potentiation);
  const float slope = soft * initial_weight_ / (top - initial_weight_);
  projection_.for_own(postsynaptic, [&](std::size_t target) {
    const float gain = potentiation * z_[target];
    for (std::size_t s = target * k; s < (target + 1) * k; ++s)
      eligibility_[position[s]] +=
          gain * x_[source[s]] * (hard + slope * (top - weights[position[s]]));
  });
  for (const Spike& spike : presynaptic) x_[spike.id] += 1.0f;
  projection_.for_own(postsynaptic, [&](std::size_t target) {
    y_[target] += 1.0f;
    z_[target] += 1.0f;
  });
  ++now_ms_;
  if (now_ms_ % kPeriodMs == 0) {
    if (learning && gate > 0) follow(gate);
    if (parameters_.sliding > 0) follow_rate();
    decay(eligibility_, eligibility_decay_);
  }
  if (now_ms_ % kSlowPeriodMs != 0) return;
  if (parameters_.sliding > 0) slide();
  if (learning) settle();
}

void TripletRule::follow(double gate) {
  const auto share = static_cast<float>(parameters_.rate * gate) * (1.0f - eligibility_decay_);
  const float top = projection_.max_weight();
  const auto per_limit = static_cast<float>(
      1.0 / (parameters_.eligibility_limit * static_cast<double>(initial_weight_)));
  float* __restrict weight = projection_.weights().data();
  const float* __restrict eligibility = eligibility_.data();
  for (std::size_t s = 0; s < eligibility_.size(); ++s) {
    const float e = eligibility[s];
    const float changed = weight[s] + share * e / (1.0f + (e < 0.0f ? -e : e) * per_limit);
    const float bounded = changed < top ? changed : top;
    weight[s] = bounded > 0.0f ? bounded : 0.0f;
  }
}

void TripletRule::follow_rate() {
  const double over_ms = std::min(1000.0 * parameters_.sliding_s, static_cast<double>(now_ms_));
  const auto share = static_cast<float>(kPeriodMs / over_ms);
  for (std::size_t target = 0; target < z_.size(); ++target) {
    const float z = z_[target];
    z_mean_[target] += share * (z - z_mean_[target]);
    z_square_[target] += share * (z * z - z_square_[target]);
  }
}

void TripletRule::slide() {
  const double unit = 1e-3 * parameters_.slow_ms * parameters_.reference_hz;
  for (std::size_t target = 0; target < z_.size(); ++target) {
    const double mean = z_mean_[target];
    const double rate = mean > 0 ? z_square_[target] / (mean * unit) : 0.0;
    depression_[target] = static_cast<float>(
        parameters_.depression * (rate > 1 ? math::pow(rate, parameters_.sliding) : 1.0));
  }
}

void TripletRule::settle() {
  const std::span<float> weights = projection_.weights();
  const auto position = projection_.position();
  const std::size_t k = projection_.in_degree();
  const double initial_sum =
      static_cast<double>(initial_weight_) * static_cast<double>(k - projection_.vacant_sites());
  const auto labile = static_cast<float>(1.0 / parameters_.labile_s);
  const auto consolidated = static_cast<float>(1.0 / (parameters_.labile_s * parameters_.capacity));
  for (std::size_t target = 0; target < projection_.own_targets(); ++target) {
    double sum = 0;
    for (std::size_t s = target * k; s < (target + 1) * k; ++s)
      sum += static_cast<double>(weights[position[s]]);
    const auto factor = static_cast<float>(
        sum > 0 ? 1.0 + parameters_.normalisation * (initial_sum / sum - 1.0) : 1.0);
    for (std::size_t s = target * k; s < (target + 1) * k; ++s) {
      float& weight = weights[position[s]];
      const float normalised = weight * factor;
      const float beyond = normalised - consolidated_[s];
      weight = std::min(normalised - labile * beyond, projection_.max_weight());
      consolidated_[s] += consolidated * beyond;
    }
  }
}

std::vector<float> TripletRule::canonical_eligibility() const {
  std::vector<float> canonical(eligibility_.size());
  const auto position = projection_.position();
  for (std::size_t s = 0; s < canonical.size(); ++s) canonical[s] = eligibility_[position[s]];
  return canonical;
}

void TripletRule::set_eligibility(std::span<const float> canonical) {
  const auto position = projection_.position();
  for (std::size_t s = 0; s < canonical.size(); ++s) eligibility_[position[s]] = canonical[s];
}

void TripletRule::rewire(std::span<const Rewired> changes) {
  if (changes.empty()) return;
  std::vector<float> eligibility = canonical_eligibility();
  for (const Rewired& change : changes) {
    eligibility[change.site] = 0;
    consolidated_[change.site] = change.source == kVacant ? 0 : change.weight;
  }
  projection_.rewire(changes);
  set_eligibility(eligibility);
}

template <class State, class Self, class Eligibility>
void TripletRule::visit_state(State& state, Self& self, Eligibility& eligibility) {
  const Projection& projection = self.projection_;
  state.shared_value(projection.name() + ".now_ms", self.now_ms_);
  state.shared(projection.name() + ".x", std::span(self.x_));
  projection.visit_per_target(state, ".y", self.y_);
  projection.visit_per_target(state, ".z", self.z_);
  projection.visit_per_target(state, ".z_mean", self.z_mean_);
  projection.visit_per_target(state, ".z_square", self.z_square_);
  projection.visit_per_target(state, ".depression", self.depression_);
  projection.visit_per_synapse(state, ".eligibility", eligibility);
  projection.visit_per_synapse(state, ".consolidated", self.consolidated_);
}
void TripletRule::save(StateWriter& writer) const {
  const std::vector<float> eligibility = canonical_eligibility();
  visit_state(writer, *this, eligibility);
}
void TripletRule::load(StateReader& reader) {
  std::vector<float> eligibility(eligibility_.size());
  visit_state(reader, *this, eligibility);
  set_eligibility(eligibility);
}

void InhibitoryParameters::visit(ParameterVisitor& v) {
  v.real("rate", rate, {"1", 0, 1},
         "change per spike at a trace of 1, as a share of the initial weight (tuned: too slow to "
         "undo within a block what excitatory synapses learn)");
  v.real("trace_ms", trace_ms, {"ms", 1, 1000}, "decay of the traces (Vogels et al. 2011)");
  v.real("calibration_s", calibration_s, {"s", 0.001, 1e6},
         "time at the start in which a cell finds its set-point (chosen)");
  v.real(
      "set_point_s", set_point_s, {"s", 0.001, 1e9},
      "time over which the set-point follows the cell's rate later (chosen: longer than practice)");
}

InhibitoryRule::InhibitoryRule(Projection& projection, const InhibitoryParameters& parameters)
    : projection_(projection),
      parameters_(parameters),
      change_(static_cast<float>(parameters.rate) * first_weight(projection)),
      decay_(decay_per_ms(parameters.trace_ms)),
      x_(projection.sources(), 0.0f),
      y_(projection.own_targets(), 0.0f),
      set_point_(projection.own_targets(), 0.0f) {}

void InhibitoryRule::step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic,
                          bool learning) {
  decay(x_, decay_);
  decay(y_, decay_);
  ++now_ms_;
  const double calibration_ms = 1000.0 * parameters_.calibration_s;
  const auto now = static_cast<double>(now_ms_);
  const bool calibrated = now > calibration_ms;
  const auto follow =
      static_cast<float>(1.0 / (calibrated ? 1000.0 * parameters_.set_point_s : now));
  const auto spike_share = static_cast<float>(2.0 * parameters_.trace_ms) * follow;
  decay(set_point_, 1.0f - follow);
  projection_.for_own(postsynaptic, [&](std::size_t target) { set_point_[target] += spike_share; });
  if (learning && calibrated) {
    const std::span<float> weights = projection_.weights();
    const auto targets = projection_.targets();
    const float top = projection_.max_weight();
    for (const Spike& spike : presynaptic)
      for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id);
           ++s)
        weights[s] =
            std::clamp(weights[s] + change_ * (y_[targets[s]] - set_point_[targets[s]]), 0.0f, top);
    const auto position = projection_.position();
    const auto source = projection_.source_of();
    const std::size_t k = projection_.in_degree();
    projection_.for_own(postsynaptic, [&](std::size_t target) {
      for (std::size_t s = target * k; s < (target + 1) * k; ++s) {
        float& weight = weights[position[s]];
        weight = std::min(weight + change_ * x_[source[s]], top);
      }
    });
  }
  for (const Spike& spike : presynaptic) x_[spike.id] += 1.0f;
  projection_.for_own(postsynaptic, [&](std::size_t target) { y_[target] += 1.0f; });
}

template <class State, class Self>
void InhibitoryRule::visit_state(State& state, Self& self) {
  const Projection& projection = self.projection_;
  state.shared_value(projection.name() + ".now_ms", self.now_ms_);
  state.shared(projection.name() + ".x", std::span(self.x_));
  projection.visit_per_target(state, ".y", self.y_);
  projection.visit_per_target(state, ".set_point", self.set_point_);
}
void InhibitoryRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void InhibitoryRule::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
