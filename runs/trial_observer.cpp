#include "runs/trial_observer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "models/math.hpp"

namespace quartet {

double PopulationVector::angle() const {
  // Counts that cancel leave a vector of rounding errors, which points nowhere.
  if (x_ * x_ + y_ * y_ <= 1e-18 * total_ * total_) return std::numeric_limits<double>::quiet_NaN();
  return math::wrap_degrees(math::degrees(math::atan2(y_, x_)));
}

TrialObserver::TrialObserver(std::string name, PopulationInfo population, Step from_ms, Step to_ms)
    : name_(std::move(name)), population_(std::move(population)), counts_(population_.size, 0) {
  set_window(from_ms, to_ms);
  for (float direction : population_.preferred_direction_deg) {
    cosines_.push_back(math::cos(math::radians(direction)));
    sines_.push_back(math::sin(math::radians(direction)));
  }
}

void TrialObserver::set_window(Step from_ms, Step to_ms) {
  if (from_ms < 0 || to_ms <= from_ms) {
    throw std::invalid_argument("observer '" + name_ + "': its window (" + std::to_string(from_ms) +
                                ", " + std::to_string(to_ms) + "] ms is empty");
  }
  from_ = from_ms;
  to_ = to_ms;
}

void TrialObserver::begin_trial() { std::fill(counts_.begin(), counts_.end(), 0); }

void TrialObserver::step(Step t, std::span<const Spike> spikes) {
  if (t < from_ || t >= to_) return;
  for (const Spike& spike : spikes) ++counts_[spike.id];
}

double TrialObserver::mean_rate() const {
  std::uint64_t total = 0;
  for (std::uint32_t count : counts_) total += count;
  return static_cast<double>(total) /
         (static_cast<double>(counts_.size()) * 1e-3 * static_cast<double>(to_ - from_));
}

double TrialObserver::angle() const {
  PopulationVector sum;
  for (std::size_t i = 0; i < cosines_.size(); ++i) sum.add(counts_[i], cosines_[i], sines_[i]);
  return sum.angle();
}

void TrialObserver::save(StateWriter& writer) const {
  writer.shared<std::uint32_t>(name_ + ".counts", counts_);
}

void TrialObserver::load(StateReader& reader) {
  reader.shared<std::uint32_t>(name_ + ".counts", counts_);
}

}  // namespace quartet
