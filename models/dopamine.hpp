/// Dopamine: the concentration that spikes leave behind, the level to which receptors adapt, and
/// what receptors make of the distance between them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "models/math.hpp"
#include "models/state.hpp"

namespace quartet {

/// Concentration D and its mean D̄, in Hz of an intact population of dopamine cells:
///   dD/dt = (r − D) / tau_ms,  dD̄/dt = (r − D̄) / adaptation_ms
/// r: spikes per cell and second. Each is a plain mean until so much time has passed.
class DopamineConcentration {
 public:
  /// `cells`: dopamine cells of an intact brain.
  DopamineConcentration(double tau_ms, double adaptation_ms, std::uint32_t cells)
      : tau_ms_(tau_ms), adaptation_ms_(adaptation_ms), cells_(cells) {}

  /// One timestep of 1 ms in which `spikes` of them fired.
  void update(std::size_t spikes) {
    const double hz = 1000.0 * static_cast<double>(spikes) / cells_;
    ++averaged_ms_;
    const auto ms = static_cast<double>(averaged_ms_);
    hz_ += (hz - hz_) / std::min(tau_ms_, ms);
    adapted_hz_ += (hz - adapted_hz_) / std::min(adaptation_ms_, ms);
  }

  double hz() const { return hz_; }
  double adapted_hz() const { return adapted_hz_; }

  void save(StateWriter& writer, const std::string& name) const {
    visit_state(writer, *this, name);
  }
  void load(StateReader& reader, const std::string& name) { visit_state(reader, *this, name); }

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self, const std::string& name) {
    state.shared_values(name + ".hz", self.hz_, self.adapted_hz_);
    state.shared_value(name + ".averaged_ms", self.averaged_ms_);
  }

  double tau_ms_, adaptation_ms_;
  std::uint32_t cells_;
  // State.
  double hz_ = 0, adapted_hz_ = 0;
  std::int64_t averaged_ms_ = 0;
};

/// What a distance of x Hz from the adapted level brings about, −1 to 1 with the sign of x:
///   |x|^hill / (half_hz^hill + |x|^hill)
/// The Hill curve keeps the noise of few dopamine cells from teaching.
inline double dopamine_effect(double x, double half_hz, double hill) {
  const double size = math::pow(math::detail::abs(x) / half_hz, hill);
  const double bound = size / (1.0 + size);
  return x < 0 ? -bound : bound;
}

/// Concentration at receptors on which a drug of `drug_hz` stays where dopamine leaves them in a
/// dip. They are adapted to the drug too: it fills a dip up to the adapted level and adds nothing
/// above.
inline double dopamine_with_drug(double hz, double adapted_hz, double drug_hz) {
  return std::max(hz, std::min(hz + drug_hz, adapted_hz));
}

/// Concentration as receptors see it that saturate: what they bind, in units that leave small
/// changes about `tonic_hz` as they are:
///   y(c) = c (1 + a tonic)² / (1 + a c),  half of the largest y at c = 1/a
/// Affinity a = 0, per Hz: y = c. A high one sees dips, but hardly bursts.
inline double dopamine_bound(double hz, double affinity, double tonic_hz) {
  const double unit = 1.0 + affinity * tonic_hz;
  return hz * (unit * unit) / (1.0 + affinity * hz);
}

}  // namespace quartet
