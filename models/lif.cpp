#include "models/lif.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "models/math.hpp"

namespace quartet {

namespace {
constexpr float kQuantum = static_cast<float>(kInputQuantum);
// Variance of a uniform 16-bit integer: 2³²/12.
constexpr double kUniformSd = 18918.613;
constexpr float kMagnesiumOver357 = 1.0f / 3.57f;  // [Mg] = 1 mM
constexpr float kMagnesiumSlope = 0.062f;          // per mV

std::size_t padded(std::size_t n) { return (n + 15) / 16 * 16; }
}  // namespace

void LifParameters::visit(ParameterVisitor& v) {
  v.real("tau_m_ms", tau_m_ms, {"ms", 0.5, 500},
         "membrane time constant (typical of the cell type; regions/decisions/0018 has published "
         "ones)");
  v.real("rest_mv", rest_mv, {"mV", -120, 0}, "resting potential E_L (as above)");
  v.real("threshold_mv", threshold_mv, {"mV", -120, 50}, "firing threshold (as above)");
  v.real("reset_mv", reset_mv, {"mV", -120, 0}, "potential after a spike (as above)");
  v.real("refractory_ms", refractory_ms, {"ms", 0, 1000},
         "refractory period (as above; of olive and prediction cells tuned: saturation)");
  v.real("bias_mv", bias_mv, {"mV", -200, 200},
         "constant drive, as depolarisation at rest (tuned to the population's rate at rest)");
  v.real("bias_sd_mv", bias_sd_mv, {"mV", 0, 50}, "SD of the bias over cells (chosen: 0)");
  v.real("noise_mv", noise_mv, {"mV", 0, 50},
         "SD of the free membrane potential by noise (tuned with bias_mv)");
  v.real("adaptation_mv", adaptation_mv, {"mV", 0, 200},
         "spike-triggered adaptation per spike (tuned with bias_mv)");
  v.real("adaptation_tau_ms", adaptation_tau_ms, {"ms", 1, 1e5}, "decay of adaptation (chosen)");
}

LifPopulation::LifPopulation(std::string name, const LifParameters& p, SynapseKind kind,
                             std::vector<Receptor> receptors, std::uint32_t size,
                             std::uint32_t first, std::uint32_t last, std::uint32_t substeps_per_ms,
                             std::uint64_t seed)
    : name_(std::move(name)),
      parameters_(p),
      kind_(kind),
      receptors_(std::move(receptors)),
      size_(size),
      first_(first),
      count_(last - first),
      stride_(static_cast<std::uint32_t>(padded(last - first))),
      noise_key_{seed, purpose(name_ + ".noise")},
      noise_purpose_(noise_key_.purpose) {
  if (p.threshold_mv <= p.reset_mv) {
    std::ostringstream what;
    what << name_ << ": threshold_mv = " << p.threshold_mv
         << " must be above reset_mv = " << p.reset_mv << "; give it more, or reset_mv less";
    throw std::invalid_argument(what.str());
  }
  const double dt = 1.0 / substeps_per_ms;
  const double decay = math::exp(-dt / p.tau_m_ms);
  v_decay_ = static_cast<float>(decay);
  drive_gain_ = static_cast<float>(1.0 - decay);
  dt_over_tau_ = static_cast<float>(dt / p.tau_m_ms);
  noise_gain_ = static_cast<float>(p.noise_mv * std::sqrt(1.0 - decay * decay) / kUniformSd);
  adaptation_decay_ = static_cast<float>(math::exp(-dt / p.adaptation_tau_ms));
  refractory_substeps_ = static_cast<std::int32_t>(p.refractory_ms * substeps_per_ms + 0.5);

  auto add_state = [&](std::size_t receptor, double tau, double gain) {
    if (states_ == kMaxStates) throw std::invalid_argument(name_ + ": too many receptors");
    const double s_decay = math::exp(-dt / tau);
    // A conductance counts with its mean over the substep, not its value at the start.
    if (kind_ == SynapseKind::conductance) gain *= (1.0 - s_decay) * tau / dt;
    const int shared = receptors_[receptor].shares_input_of;
    state_receptor_[states_] = shared < 0 ? static_cast<int>(receptor) : shared;
    state_owner_[states_] = static_cast<int>(receptor);
    state_factor_[states_] = 1.0f;
    state_decay_[states_] = static_cast<float>(s_decay);
    state_gain_[states_] = static_cast<float>(gain);
    state_reversal_[states_] = static_cast<float>(receptors_[receptor].reversal_mv);
    state_blocked_[states_] = receptors_[receptor].magnesium_block;
    // ∫₀^dt exp(−(dt−u)/τ_m)/τ_m · exp(−u/τ_s) du
    const double to_v = std::abs(tau - p.tau_m_ms) < 1e-9
                            ? dt / tau * decay
                            : tau / (p.tau_m_ms - tau) * (decay - s_decay);
    state_to_v_[states_] = static_cast<float>(to_v * gain);
    ++states_;
  };
  for (std::size_t r = 0; r < receptors_.size(); ++r) {
    const Receptor& receptor = receptors_[r];
    if (receptor.shares_input_of < 0) {
      if (inputs_ != r) throw std::invalid_argument(name_ + ": receptors that share come last");
      ++inputs_;
    }
    if (receptor.rise_ms <= 0) {
      add_state(r, receptor.decay_ms, receptor.ratio);
    } else {
      if (receptor.rise_ms >= receptor.decay_ms)
        throw std::invalid_argument(name_ + ": a receptor's rise_ms must be below its decay_ms");
      const double tr = receptor.rise_ms, td = receptor.decay_ms;
      const double peak = tr * td / (td - tr) * math::log(td / tr);
      const double norm = 1.0 / (math::exp(-peak / td) - math::exp(-peak / tr));
      add_state(r, td, norm * receptor.ratio);
      add_state(r, tr, -norm * receptor.ratio);
    }
  }

  reached_.assign(inputs_, true);
  v_.assign(stride_, static_cast<float>(p.rest_mv));
  a_.assign(stride_, 0.0f);
  s_.assign(static_cast<std::size_t>(states_) * stride_, 0.0f);
  refractory_.assign(stride_, 0);
  for (std::uint32_t i = count_; i < stride_; ++i) refractory_[i] = -1;
  bias_.assign(stride_, 0.0f);
  drive_.assign(stride_, 0.0f);
  total_.assign(stride_, 0.0f);
  conductance_.assign(stride_, 0.0f);
  open_.assign(stride_, 0.0f);
  spiked_.assign(stride_, 0);
  noise_.assign(stride_ + 16, 0);
  const RandomKey bias_key{seed, purpose(name_ + ".bias")};
  const RandomKey start_key{seed, purpose(name_ + ".start")};
  for (std::uint32_t i = 0; i < count_; ++i) {
    const double u = uniform01(random_block(bias_key, first_ + i, 0, 0)[0]);
    bias_[i] = static_cast<float>(p.rest_mv + p.bias_mv +
                                  p.bias_sd_mv * 1.7320508075688772 * (2.0 * u - 1.0));
    const double start = uniform01(random_block(start_key, first_ + i, 0, 0)[0]);
    v_[i] = static_cast<float>(p.reset_mv + (p.threshold_mv - p.reset_mv) * start);
  }
  reserve_delay(1);
}

void LifPopulation::set_receptor_factor(std::size_t receptor, float factor) {
  for (int k = 0; k < states_; ++k)
    if (state_owner_[k] == static_cast<int>(receptor)) state_factor_[k] = factor;
}

void LifPopulation::reserve_delay(std::uint32_t substeps) {
  const std::uint32_t slots = std::bit_ceil(substeps + 1);
  if (slots <= slots_ && !ring_.empty()) return;
  slots_ = std::max(slots, slots_);
  ring_.assign(inputs_ * slots_ * stride_, 0);
}

namespace {
/// a where the mask is all ones, b where it is zero: a blend on bits, which vectorises.
inline float blend(std::int32_t mask, float a, float b) {
  return std::bit_cast<float>((std::bit_cast<std::int32_t>(a) & mask) |
                              (std::bit_cast<std::int32_t>(b) & ~mask));
}

/// Threshold, reset, refractoriness and adaptation of `cells` cells whose free potentials are in
/// `v`; `spiked` becomes −1 where a cell fires. A free function over plain arrays: gcc 12
/// vectorises it, while it does not when the same loop reads members.
void threshold_cells(std::size_t cells, float reset, float threshold, float jump, float a_decay,
                     std::int32_t rest, float* __restrict v, float* __restrict a,
                     std::int32_t* __restrict refractory, std::int32_t* __restrict spiked) {
  for (std::size_t i = 0; i < cells; ++i) {
    const std::int32_t left = refractory[i];
    const std::int32_t held = -static_cast<std::int32_t>(left != 0);
    const float x = blend(held, reset, v[i]);
    const std::int32_t fire = -static_cast<std::int32_t>(x >= threshold);
    v[i] = blend(fire, reset, x);
    const std::int32_t next = left - static_cast<std::int32_t>(left > 0);
    refractory[i] = (rest & fire) | (next & ~fire);
    a[i] = a[i] * a_decay + blend(fire, jump, 0.0f);
    spiked[i] = fire;
  }
}
}  // namespace

void LifPopulation::integrate_current(std::int64_t n) {
  const std::size_t cells = stride_;
  float* __restrict v = v_.data();
  float* __restrict total = total_.data();
  // s contributes to V over the substep, then decays and takes its jumps.
  for (int k = 0; k < states_; ++k) {
    if (!reached_[static_cast<std::size_t>(state_receptor_[k])]) continue;
    float* __restrict s = s_.data() + static_cast<std::size_t>(k) * stride_;
    const std::int32_t* __restrict in = input(static_cast<std::size_t>(state_receptor_[k]), n);
    const float to_v = state_to_v_[k], decay = state_decay_[k];
    for (std::size_t i = 0; i < cells; ++i) {
      total[i] += s[i] * to_v;
      s[i] = s[i] * decay + static_cast<float>(in[i]) * kQuantum;
    }
  }
  const float v_decay = v_decay_, floor = static_cast<float>(parameters_.floor_mv);
  for (std::size_t i = 0; i < cells; ++i) {
    const float x = v[i] * v_decay + total[i];
    v[i] = x < floor ? floor : x;
  }
}

void LifPopulation::integrate_conductance(std::int64_t n) {
  constexpr float kMostDecay = 3.46f;  // √12: there the form is smallest, .07
  const std::size_t cells = stride_;
  float* __restrict v = v_.data();
  float* __restrict current = total_.data();
  float* __restrict leak = conductance_.data();
  float* __restrict open = open_.data();
  std::fill_n(leak, cells, 1.0f + tonic_);
  if (const float tonic = tonic_ * tonic_reversal_; tonic_ != 0)
    for (std::size_t i = 0; i < cells; ++i) current[i] += tonic;
  for (int k = 0; k < states_; ++k) {
    if (!reached_[static_cast<std::size_t>(state_receptor_[k])]) continue;
    float* __restrict s = s_.data() + static_cast<std::size_t>(k) * stride_;
    const std::int32_t* __restrict in = input(static_cast<std::size_t>(state_receptor_[k]), n);
    const float gain = state_gain_[k] * state_factor_[k], reversal = state_reversal_[k],
                decay = state_decay_[k];
    if (state_blocked_[k]) {
      for (std::size_t i = 0; i < cells; ++i)
        open[i] = 1.0f / (1.0f + kMagnesiumOver357 * math::exp(-kMagnesiumSlope * v[i]));
      for (std::size_t i = 0; i < cells; ++i) {
        const float g = gain * s[i] * open[i];
        leak[i] += g;
        current[i] += g * reversal;
        s[i] = s[i] * decay + static_cast<float>(in[i]) * kQuantum;
      }
    } else {
      for (std::size_t i = 0; i < cells; ++i) {
        const float g = gain * s[i];
        leak[i] += g;
        current[i] += g * reversal;
        s[i] = s[i] * decay + static_cast<float>(in[i]) * kQuantum;
      }
    }
  }
  const float dt_over_tau = dt_over_tau_, noise_gain = noise_gain_;
  const std::int16_t* __restrict noise = noise_.data();
  for (std::size_t i = 0; i < cells; ++i) {
    const float target = current[i] / leak[i];
    // exp(−x) as its (2,2) Padé form, error below x⁵/720: positive, and falling as far as
    // kMostDecay.
    const float x = std::min(dt_over_tau * leak[i], kMostDecay);
    const float decay =
        (1.0f - x * (0.5f - x * (1.0f / 12))) / (1.0f + x * (0.5f + x * (1.0f / 12)));
    v[i] = target + (v[i] - target) * decay + noise_gain * static_cast<float>(noise[i]);
  }
}

void LifPopulation::integrate(std::int64_t n, std::vector<std::uint32_t>& fired) {
  const std::size_t cells = stride_;
  // Blocks of 8 cells share a draw; first_ is a multiple of 8 in every slice.
  if (noise_gain_ != 0)
    membrane_noise(noise_key_, static_cast<std::uint64_t>(n), first_ / 8, (count_ + 7) / 8,
                   noise_.data());
  {
    float* __restrict total = total_.data();
    const float* __restrict bias = bias_.data();
    const float* __restrict drive = drive_.data();
    const float* __restrict a = a_.data();
    const std::int16_t* __restrict noise = noise_.data();
    const float shift = shift_;
    if (kind_ == SynapseKind::current) {
      const float gain = drive_gain_, noise_gain = noise_gain_;
      for (std::size_t i = 0; i < cells; ++i)
        total[i] =
            (bias[i] + drive[i] + shift - a[i]) * gain + noise_gain * static_cast<float>(noise[i]);
    } else {
      for (std::size_t i = 0; i < cells; ++i) total[i] = bias[i] + drive[i] + shift - a[i];
    }
  }
  if (kind_ == SynapseKind::current)
    integrate_current(n);
  else
    integrate_conductance(n);
  if (!evoked_.empty()) excite_axons(n);
  threshold_cells(cells, static_cast<float>(parameters_.reset_mv),
                  static_cast<float>(parameters_.threshold_mv),
                  static_cast<float>(parameters_.adaptation_mv), adaptation_decay_,
                  refractory_substeps_, v_.data(), a_.data(), refractory_.data(), spiked_.data());
  for (std::size_t r = 0; r < inputs_; ++r)
    if (reached_[r]) std::fill_n(input(r, n), stride_, 0);
  const std::int32_t* spiked = spiked_.data();
  for (std::size_t block = 0; block < cells; block += 16) {
    std::int32_t any = 0;
    for (std::size_t i = 0; i < 16; ++i) any |= spiked[block + i];
    if (any == 0) continue;
    for (std::size_t i = block; i < block + 16; ++i)
      if (spiked[i] != 0) fired.push_back(first_ + static_cast<std::uint32_t>(i));
  }
}

void LifPopulation::excite_axons(std::int64_t n) {
  const auto threshold = static_cast<float>(parameters_.threshold_mv);
  std::erase_if(evoked_, [&](const Evoked& evoked) {
    if (evoked.n > n) return false;
    v_[evoked.cell] = std::max(v_[evoked.cell], threshold);
    return true;
  });
}

void LifPopulation::kill(std::uint32_t id) { refractory_[id - first_] = -1; }

template <class State, class Self>
void LifPopulation::visit_state(State& state, Self& self) {
  const auto cells = [&](const std::string& name, auto* values) {
    state.block(self.name_ + name, self.size_, self.first_, std::span(values, self.count_));
  };
  cells(".v", self.v_.data());
  cells(".a", self.a_.data());
  cells(".refractory", self.refractory_.data());
  for (int k = 0; k < self.states_; ++k)
    cells(".s" + std::to_string(k), self.s_.data() + static_cast<std::size_t>(k) * self.stride_);
  for (std::size_t r = 0; r < self.inputs_; ++r)
    for (std::size_t slot = 0; slot < self.slots_; ++slot)
      cells(".input" + std::to_string(r) + "." + std::to_string(slot),
            self.ring_.data() + (r * self.slots_ + slot) * self.stride_);
}
void LifPopulation::save(StateWriter& writer) const { visit_state(writer, *this); }
void LifPopulation::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
