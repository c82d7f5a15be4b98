#include "models/plasticity.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "models/math.hpp"

namespace quartet {

void ClimbingFibreParameters::visit(ParameterVisitor& v) {
  v.real("depression", depression, {"1", 0, 1},
         "share of w_max lost per complex spike at trace 1 (tuned: a trial's correction, A3, A4)");
  v.real("potentiation", potentiation, {"1", 0, 1},
         "share of the way to its goal gained per parallel-fibre spike (tuned: what is left of an "
         "error, A1)");
  v.real(
      "cascade_ms", cascade_ms, {"ms", 1, 1000},
      "time constant of each eligibility stage (Wang, Denk & Hausser 2000: most depression after "
      "about 100 ms)");
  v.real("reference_spikes", reference_spikes, {"1", 0.01, 100},
         "presynaptic spikes at once that make a trace peak at 1 (tuned with depression)");
  v.real("labile_ms", labile_ms, {"ms", 1, 60000},
         "decay of the depression that a reward can undo (chosen: a reach and its outcome)");
  v.real(
      "reward_damping", reward_damping, {"1", 0, 10},
      "rate, per spike of a cell that reports a reward, at which labile depression is undone; 0: "
      "rewards do not damp learning from errors (tuned: hit and miss under a clamp, E_e1c)");
  v.real("forgetting_ms", forgetting_ms, {"ms", 0, 1e9},
         "time constant of the return of weights to where they settle, also while nothing is seen; "
         "0: none (tuned: C2_KEPT)");
}

namespace {
// A unit impulse into the first of four stages peaks in the fourth, as a density, at
// (3/e)³/6 / cascade_ms.
constexpr double kCascadePeak = 0.22404;
// A trace beyond this depresses no more (chosen).
constexpr float kMostTrace = 1.5f;
// Time over which nuclear plasticity averages the rate of a zone's Purkinje cells (chosen).
constexpr double kPurkinjeRateMs = 50.0;
}  // namespace

double ClimbingFibreParameters::goal() const {
  // Nothing potentiates: the goal has no effect but as the bound of what a reward gives back.
  if (potentiation == 0) return settled;
  const double per_spike_s = 1e-3 * depression * cascade_ms / (kCascadePeak * reference_spikes);
  return settled + baseline_hz * per_spike_s / potentiation;
}

ClimbingFibreRule::ClimbingFibreRule(Projection& projection,
                                     const ClimbingFibreParameters& parameters)
    : projection_(projection), parameters_(parameters) {
  decay_ = static_cast<float>(math::exp(-1.0 / parameters.cascade_ms));
  feed_ = 1.0f - decay_;
  const double peak = kCascadePeak / parameters.cascade_ms;
  unit_ = static_cast<float>(1.0 / (peak * parameters.reference_spikes));
  goal_ = static_cast<float>(parameters.goal()) * projection.max_weight();
  if (parameters.goal() > 1)
    throw std::invalid_argument(
        "climbing_fibre.potentiation is too weak against depression: the goal of " +
        projection.name() + " would be " + std::to_string(parameters.goal()) +
        " of the largest weight; use a larger potentiation, or a smaller depression or "
        "baseline_hz");
  for (auto& stage : stage_) stage.assign(projection.sources(), 0.0f);
  if (parameters.reward_damping > 0) {
    labile_.assign(projection.weights().size(), 0.0f);
    aged_ms_.assign(projection.own_targets(), 0);
  }
}

void ClimbingFibreRule::presynaptic(std::span<const Spike> spikes, bool learning) {
  ++now_ms_;
  const std::size_t n = stage_[0].size();
  const float decay = decay_, feed = feed_;
  float *s0 = stage_[0].data(), *s1 = stage_[1].data(), *s2 = stage_[2].data(),
        *s3 = stage_[3].data();
  for (std::size_t i = 0; i < n; ++i) {
    s3[i] = s3[i] * decay + feed * s2[i];
    s2[i] = s2[i] * decay + feed * s1[i];
    s1[i] = s1[i] * decay + feed * s0[i];
    s0[i] = s0[i] * decay;
  }
  for (const Spike& spike : spikes) s0[spike.id] += feed * unit_;
  if (!learning) return;
  std::span<float> weights = projection_.weights();
  const float gain = static_cast<float>(parameters_.potentiation);
  for (const Spike& spike : spikes)
    for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id); ++s)
      weights[s] += gain * (goal_ - weights[s]);
}

void ClimbingFibreRule::complex_spikes(std::span<const Spike> spikes) {
  std::span<float> weights = projection_.weights();
  const auto position = projection_.position();
  const auto source = projection_.source_of();
  const float gain = static_cast<float>(parameters_.depression) * projection_.max_weight();
  const std::uint32_t k = projection_.in_degree();
  projection_.for_own(spikes, [&](std::size_t target) {
    if (damped()) age(static_cast<std::uint32_t>(target));
    for (std::size_t s = target * k; s < (target + 1) * k; ++s) {
      float& weight = weights[position[s]];
      const float loss = std::min(weight, gain * std::min(kMostTrace, stage_[3][source[s]]));
      weight -= loss;
      if (damped()) labile_[s] += loss;
    }
  });
}

void ClimbingFibreRule::age(std::size_t target) {
  const auto ms = static_cast<double>(now_ms_ - aged_ms_[target]);
  const auto left = static_cast<float>(math::exp(-ms / parameters_.labile_ms));
  const std::size_t k = projection_.in_degree();
  for (std::size_t s = target * k; s < (target + 1) * k; ++s) labile_[s] *= left;
  aged_ms_[target] = now_ms_;
}

void ClimbingFibreRule::end_step(double reward_spikes_per_cell, bool plastic) {
  if (damped()) reward_spikes_ += reward_spikes_per_cell;
  if (now_ms_ % kPeriodMs != 0) return;
  const double share = 1.0 - math::exp(-parameters_.reward_damping * reward_spikes_);
  reward_spikes_ = 0;
  if (!plastic) return;
  if (share > 0) undo_labile_depression(share);
  if (parameters_.forgetting_ms > 0) forget();
}

void ClimbingFibreRule::undo_labile_depression(double share) {
  std::span<float> weights = projection_.weights();
  const auto position = projection_.position();
  const std::size_t k = projection_.in_degree();
  for (std::size_t target = 0; target < aged_ms_.size(); ++target) {
    age(target);
    for (std::size_t s = target * k; s < (target + 1) * k; ++s) {
      float& weight = weights[position[s]];
      const float gain = static_cast<float>(share) * labile_[s];
      weight = std::min(weight + gain, std::max(weight, goal_));
      labile_[s] -= gain;
    }
  }
}

void ClimbingFibreRule::forget() {
  const auto share = static_cast<float>(1.0 - math::exp(-kPeriodMs / parameters_.forgetting_ms));
  const float settled = static_cast<float>(parameters_.settled) * projection_.max_weight();
  for (float& weight : projection_.weights()) weight += share * (settled - weight);
}

template <class State, class Self>
void ClimbingFibreRule::visit_state(State& state, Self& self) {
  const Projection& projection = self.projection_;
  for (int i = 0; i < kStages; ++i)
    state.shared(projection.name() + ".trace" + std::to_string(i), std::span(self.stage_[i]));
  state.shared_value(projection.name() + ".now_ms", self.now_ms_);
  state.shared_value(projection.name() + ".reward_spikes", self.reward_spikes_);
  if (!self.damped()) return;
  projection.visit_per_synapse(state, ".labile", self.labile_);
  projection.visit_per_target(state, ".aged_ms", self.aged_ms_);
}
void ClimbingFibreRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void ClimbingFibreRule::load(StateReader& reader) { visit_state(reader, *this); }

void ThreeFactorParameters::visit(ParameterVisitor& v) {
  v.real("rate", rate, {"1", 0, 10}, "learning rate (tuned: what reward teaches in 40 trials)");
  v.real("trace_ms", trace_ms, {"ms", 1, 1000},
         "decay of the presynaptic trace (order of the window of spike timing: Bi & Poo 1998)");
  v.real("eligibility_ms", eligibility_ms, {"ms", 10, 60000},
         "decay of eligibility (striatal spines: .3-2 s, Yagishita et al. 2014)");
  v.real("mean_rate", mean_rate, {"1", 0, 1},
         "rate at which the mean eligibility is followed, once a plain mean is over as many (tuned "
         "with rate)");
  v.real(
      "decay", decay, {"1", 0, 1},
      "return of a weight to half the largest one per 10 ms of full third factor (tuned: weights "
      "stay off their bounds)");
  v.real(
      "rise_ms", rise_ms, {"ms", 0, 10000},
      "time constant of each of two stages by which eligibility rises late; 0: at once (chosen: a "
      "burst is not to strengthen what made it; that late a rise is known of striatal spines, "
      "Yagishita et al. 2014)");
}

ThreeFactorRule::ThreeFactorRule(Projection& projection, const ThreeFactorParameters& parameters)
    : projection_(projection), parameters_(parameters) {
  trace_decay_ = static_cast<float>(math::exp(-1.0 / parameters.trace_ms));
  eligibility_decay_ = static_cast<float>(math::exp(-kPeriodMs / parameters.eligibility_ms));
  trace_.assign(projection.sources(), 0.0f);
  eligibility_.assign(projection.weights().size(), 0.0f);
  mean_.assign(projection.weights().size(), 0.0f);
  if (!late()) return;
  rise_decay_ = static_cast<float>(math::exp(-kPeriodMs / parameters.rise_ms));
  early_ = later_ = eligibility_;
}

void ThreeFactorRule::spikes(std::span<const Spike> presynaptic,
                             std::span<const Spike> postsynaptic) {
  for (float& trace : trace_) trace *= trace_decay_;
  for (const Spike& spike : presynaptic) trace_[spike.id] += 1.0f;
  const auto source = projection_.source_of();
  const std::uint32_t k = projection_.in_degree();
  std::vector<float>& first = late() ? early_ : eligibility_;
  projection_.for_own(postsynaptic, [&](std::size_t target) {
    for (std::size_t s = target * k; s < (target + 1) * k; ++s) first[s] += trace_[source[s]];
  });
}

void ThreeFactorRule::modulate(double m, bool learning) {
  std::span<float> weights = projection_.weights();
  const auto position = projection_.position();
  const float top = projection_.max_weight();
  const float gain = static_cast<float>(parameters_.rate * m * 4.0) / top;
  // A plain mean, weighted with |m|, until a running one takes over.
  const double size = math::detail::abs(m);
  float follow = 0.0f;
  if (learning && parameters_.mean_rate > 0 && size > 0) {
    modulated_ = std::min(modulated_ + size, 1.0 / parameters_.mean_rate);
    follow = static_cast<float>(size / modulated_);
  }
  const float decay = eligibility_decay_;
  if (learning && m != 0.0) {
    const float relax = static_cast<float>(parameters_.decay * size), middle = 0.5f * top;
    for (std::size_t s = 0; s < eligibility_.size(); ++s) {
      float& w = weights[position[s]];
      w += gain * (eligibility_[s] - mean_[s]) * (top - w) * w - relax * (w - middle);
      w = std::clamp(w, 0.0f, top);
    }
  }
  for (std::size_t s = 0; s < eligibility_.size(); ++s) {
    mean_[s] += follow * (eligibility_[s] - mean_[s]);
    eligibility_[s] *= decay;
  }
  for (std::size_t s = 0; s < early_.size(); ++s) {
    eligibility_[s] += (1.0f - rise_decay_) * later_[s];
    later_[s] = rise_decay_ * later_[s] + (1.0f - rise_decay_) * early_[s];
    early_[s] *= rise_decay_;
  }
}

template <class State, class Self>
void ThreeFactorRule::visit_state(State& state, Self& self) {
  const Projection& projection = self.projection_;
  state.shared(projection.name() + ".trace", std::span(self.trace_));
  projection.visit_per_synapse(state, ".eligibility", self.eligibility_);
  projection.visit_per_synapse(state, ".mean", self.mean_);
  state.shared_value(projection.name() + ".modulated", self.modulated_);
  if (!self.late()) return;
  projection.visit_per_synapse(state, ".early", self.early_);
  projection.visit_per_synapse(state, ".later", self.later_);
}
void ThreeFactorRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void ThreeFactorRule::load(StateReader& reader) { visit_state(reader, *this); }

void InstructedParameters::visit(ParameterVisitor& v) {
  v.real("rate", rate, {"mV s", 0, 1},
         "weight change per presynaptic spike and Hz of the instructive signal (tuned: early "
         "adaptation A2)");
  v.real("decay", decay, {"1", 0, 1},
         "share of a weight that a presynaptic spike takes (tuned: A4)");
  v.real("apical_ms", apical_ms, {"ms", 1, 1000},
         "decay of the instructive signal in the dendrite (chosen: tens of ms, as dendritic spikes "
         "last)");
  v.real(
      "inhibition", inhibition, {"1", 0, 1},
      "inhibition of all dendrites by what instructs, relative to the excitation of those of its "
      "direction (tuned: of strategies, to A3)");
  v.real(
      "sensitization", sensitization, {"1/(Hz s)", 0, 10},
      "speed at which instructed dendrites come to learn faster (tuned: within some ten errors)");
  v.real("largest_sensitivity", largest_sensitivity, {"1", 1, 10},
         "factor of rate that they come to (tuned: SAVINGS)");
}

InstructedRule::InstructedRule(Projection& projection, const InstructedParameters& parameters,
                               std::uint32_t instructing_cells)
    : projection_(projection),
      parameters_(parameters),
      apical_decay_(math::exp(-1.0 / parameters.apical_ms)),
      unit_((1.0 - apical_decay_) * 2.0 * 1000.0 / instructing_cells),
      predicted_unit_((1.0 - apical_decay_) * 2.0 * 1000.0 / projection.all_targets()),
      change_(projection.own_targets()),
      sensitivity_(projection.own_targets(), 1.0f) {
  for (std::uint32_t k = 0; k < instructing_cells; ++k)
    instructing_.push_back(ring_vector(k, instructing_cells));
  for (std::uint32_t j = 0; j < projection.all_targets(); ++j)
    target_.push_back(ring_vector(j, projection.all_targets()));
}

void InstructedRule::step(std::span<const Spike> presynaptic, std::span<const Spike> instructing,
                          bool learning, std::span<const Spike> predicting) {
  x_ *= apical_decay_;
  y_ *= apical_decay_;
  sum_ = apical_decay_ * sum_ + unit_ * static_cast<double>(instructing.size());
  for (const Spike& spike : instructing) {
    x_ += unit_ * instructing_[spike.id][0];
    y_ += unit_ * instructing_[spike.id][1];
  }
  sum_ -= predicted_unit_ * static_cast<double>(predicting.size());
  for (const Spike& spike : predicting) {
    x_ -= predicted_unit_ * target_[spike.id][0];
    y_ -= predicted_unit_ * target_[spike.id][1];
  }
  if (!learning || (presynaptic.empty() && parameters_.sensitization == 0)) return;
  const auto own = std::span(target_).subspan(projection_.first_target(), change_.size());
  const auto rate = static_cast<float>(parameters_.rate);
  const auto sensitization = static_cast<float>(1e-3 * parameters_.sensitization);
  const auto largest = static_cast<float>(parameters_.largest_sensitivity);
  const double inhibition = parameters_.inhibition * sum_;
  for (std::size_t j = 0; j < change_.size(); ++j) {
    const auto apical = static_cast<float>(x_ * own[j][0] + y_ * own[j][1] - inhibition);
    change_[j] = rate * sensitivity_[j] * apical;
    sensitivity_[j] +=
        std::min(1.0f, sensitization * std::max(0.0f, apical)) * (largest - sensitivity_[j]);
  }
  if (presynaptic.empty()) return;
  const std::span<float> weights = projection_.weights();
  const auto targets = projection_.targets();
  const float keep = static_cast<float>(1.0 - parameters_.decay), top = projection_.max_weight();
  for (const Spike& spike : presynaptic)
    for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id); ++s)
      weights[s] = std::clamp(keep * weights[s] + change_[targets[s]], 0.0f, top);
}

template <class State, class Self>
void InstructedRule::visit_state(State& state, Self& self) {
  state.shared_value(self.projection_.name() + ".apical_x", self.x_);
  state.shared_value(self.projection_.name() + ".apical_y", self.y_);
  state.shared_value(self.projection_.name() + ".apical_sum", self.sum_);
  self.projection_.visit_per_target(state, ".sensitivity", self.sensitivity_);
}
void InstructedRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void InstructedRule::load(StateReader& reader) { visit_state(reader, *this); }

void HebbianParameters::visit(ParameterVisitor& v) {
  v.real("rate", rate, {"1", 0, 1},
         "share of the way to its goal that a weight goes per presynaptic spike (tuned: learned in "
         "some tens of movements)");
  v.real("full_hz", full_hz, {"Hz", 1, 1000},
         "rate of the target from which the goal is the largest weight (chosen: that of cells that "
         "move a finger)");
  v.real("trace_ms", trace_ms, {"ms", 1, 10000},
         "decay of the target's mean rate (chosen: longer than what is seen comes late)");
}

HebbianRule::HebbianRule(Projection& projection, const HebbianParameters& parameters)
    : projection_(projection),
      parameters_(parameters),
      decay_(static_cast<float>(math::exp(-1.0 / parameters.trace_ms))),
      unit_((1.0f - decay_) * 1000.0f / static_cast<float>(parameters.full_hz)),
      change_(projection.own_targets()),
      activity_(projection.own_targets(), 0.0f) {}

void HebbianRule::step(std::span<const Spike> presynaptic, std::span<const Spike> postsynaptic,
                       bool learning) {
  for (float& activity : activity_) activity *= decay_;
  projection_.for_own(postsynaptic, [&](std::size_t target) { activity_[target] += unit_; });
  if (!learning || presynaptic.empty()) return;
  const auto rate = static_cast<float>(parameters_.rate);
  for (std::size_t j = 0; j < change_.size(); ++j)
    change_[j] = rate * std::min(1.0f, activity_[j]) * projection_.max_weight();
  const std::span<float> weights = projection_.weights();
  const auto targets = projection_.targets();
  const float keep = 1.0f - rate;
  for (const Spike& spike : presynaptic)
    for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id); ++s)
      weights[s] = keep * weights[s] + change_[targets[s]];
}

void HebbianRule::save(StateWriter& writer) const {
  projection_.visit_per_target(writer, ".activity", activity_);
}
void HebbianRule::load(StateReader& reader) {
  projection_.visit_per_target(reader, ".activity", activity_);
}

void NuclearParameters::visit(ParameterVisitor& v) {
  v.real("rate", rate, {"mV s", 0, 1},
         "weight change per mossy-fibre spike and Hz that the zone's Purkinje cells fire less than "
         "all (tuned: A5)");
  v.real("decay", decay, {"1", 0, 1},
         "return to the initial weight per mossy-fibre spike (tuned: A5)");
  v.integer(
      "set_point_spikes", set_point_spikes, {"1", 0, 1000000},
      "first spikes of a mossy fibre over which its set-point is a plain mean (chosen: some six "
      "trials; 0 with set_point_rate 0: no set-point)");
  v.real("set_point_rate", set_point_rate, {"1", 0, 1},
         "rate per spike at which the set-point moves later (chosen: a thousand trials)");
}

NuclearRule::NuclearRule(Projection& projection, const NuclearParameters& parameters,
                         std::uint32_t zones, std::uint32_t purkinje_cells)
    : projection_(projection),
      parameters_(parameters),
      zones_(zones),
      purkinje_cells_(purkinje_cells),
      initial_weight_(projection.weights().empty() ? 0.0f : projection.weights()[0]),
      rate_decay_(math::exp(-1.0 / kPurkinjeRateMs)),
      purkinje_hz_(zones, 0.0),
      set_point_hz_(static_cast<std::size_t>(projection.sources()) * zones, 0.0f),
      fired_(projection.sources(), 0.0f),
      rate_(zones, 0.0f),
      below_(zones, 0.0f),
      guidance_(zones, 0.0f),
      counted_(zones, 0) {
  set_living(std::vector<std::uint32_t>(zones, purkinje_cells / zones));
}

void NuclearRule::set_living(std::span<const std::uint32_t> living) {
  living_.assign(living.begin(), living.end());
  for (std::uint32_t z = 0; z < zones_; ++z)
    rate_[z] = static_cast<float>(parameters_.rate * living_[z] * static_cast<double>(zones_) /
                                  purkinje_cells_);
}

void NuclearRule::step(std::span<const Spike> presynaptic, std::span<const Spike> purkinje,
                       bool active) {
  std::fill(counted_.begin(), counted_.end(), 0);
  for (const Spike& spike : purkinje) ++counted_[group_of(spike.id, purkinje_cells_, zones_)];
  double all_hz = 0, all_living = 0;
  for (std::uint32_t z = 0; z < zones_; ++z) {
    const double hz =
        living_[z] == 0 ? 0.0 : 1000.0 * static_cast<double>(counted_[z]) / living_[z];
    purkinje_hz_[z] = purkinje_hz_[z] * rate_decay_ + (1.0 - rate_decay_) * hz;
    all_hz += purkinje_hz_[z] * living_[z];
    all_living += living_[z];
  }
  if (!active) return;
  std::span<float> weights = projection_.weights();
  const auto targets = projection_.targets();
  const std::uint32_t all = projection_.all_targets();
  const auto decay = static_cast<float>(parameters_.decay);
  for (std::uint32_t z = 0; z < zones_; ++z)
    below_[z] = all_living == 0 ? 0.0f : static_cast<float>(all_hz / all_living - purkinje_hz_[z]);
  const auto slow = static_cast<float>(parameters_.set_point_rate);
  const auto plain = static_cast<float>(parameters_.set_point_spikes);
  for (const Spike& spike : presynaptic) {
    float* set_point = set_point_hz_.data() + static_cast<std::size_t>(spike.id) * zones_;
    float& fired = fired_[spike.id];
    const float follow = fired < plain ? 1.0f / ++fired : slow;
    for (std::uint32_t z = 0; z < zones_; ++z) {
      set_point[z] += follow * (below_[z] - set_point[z]);
      guidance_[z] = rate_[z] * (below_[z] - set_point[z]);
    }
    for (std::uint32_t s = projection_.row_begin(spike.id); s < projection_.row_end(spike.id);
         ++s) {
      const std::uint32_t zone = group_of(projection_.first_target() + targets[s], all, zones_);
      const float w = weights[s] + guidance_[zone] - decay * (weights[s] - initial_weight_);
      weights[s] = std::clamp(w, 0.0f, projection_.max_weight());
    }
  }
}

template <class State, class Self>
void NuclearRule::visit_state(State& state, Self& self) {
  const std::string& name = self.projection_.name();
  state.shared(name + ".purkinje_hz", std::span(self.purkinje_hz_));
  state.shared(name + ".set_point_hz", std::span(self.set_point_hz_));
  state.shared(name + ".fired", std::span(self.fired_));
}
void NuclearRule::save(StateWriter& writer) const { visit_state(writer, *this); }
void NuclearRule::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
