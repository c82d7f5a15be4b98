/// A region alone, for tests: the test says what arrives, and reads what leaves.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "models/math.hpp"
#include "regions/region.hpp"

namespace quartet {

/// What arrives, by the input port's index: values until they are changed, spikes once.
class GivenInbox : public Inbox {
 public:
  explicit GivenInbox(std::span<const Port> ports) : given_spikes(ports.size()) {
    for (const Port& port : ports)
      given_values.emplace_back(port.kind == PortKind::analog ? port.size : 0, 0.0);
  }
  std::span<const Spike> spikes(std::size_t port) const override { return given_spikes[port]; }
  std::span<const double> analog(std::size_t port) const override { return given_values[port]; }

  std::vector<std::vector<Spike>> given_spikes;
  std::vector<std::vector<double>> given_values;
};

/// What left in the last timestep, by the output port's index.
class KeptOutbox : public Outbox {
 public:
  explicit KeptOutbox(std::span<const Port> ports) : kept_spikes(ports.size()) {
    for (const Port& port : ports)
      kept_values.emplace_back(port.kind == PortKind::analog ? port.size : 0, 0.0);
  }
  std::vector<Spike>& spikes(std::size_t port) override { return kept_spikes[port]; }
  std::span<double> analog(std::size_t port) override { return kept_values[port]; }

  std::vector<std::vector<Spike>> kept_spikes;
  std::vector<std::vector<double>> kept_values;
};

/// One slice, or one of several that hears nothing of the others.
class Alone : public Peers {
 public:
  void all_gather(std::vector<Spike>& spikes) override { std::sort(spikes.begin(), spikes.end()); }
};

/// Runs a region, or a slice of it, timestep by timestep.
class OneRegion {
 public:
  /// `next`: the first timestep.
  explicit OneRegion(Region& region, Step next = 0)
      : region_(region), in_(region.inputs()), out_(region.outputs()), next_(next) {}

  /// Spikes that arrive in the next timestep, in any order.
  std::vector<Spike>& spikes_to(std::string_view port) {
    return in_.given_spikes[index(region_.inputs(), port)];
  }
  /// Values that arrive from the next timestep on.
  std::span<double> values_to(std::string_view port) {
    return in_.given_values[index(region_.inputs(), port)];
  }

  void step() {
    for (auto& spikes : in_.given_spikes) std::sort(spikes.begin(), spikes.end());
    for (auto& spikes : out_.kept_spikes) spikes.clear();
    for (auto& values : out_.kept_values) std::fill(values.begin(), values.end(), 0.0);
    region_.advance(next_++, in_, out_, peers_);
    for (auto& spikes : in_.given_spikes) spikes.clear();
  }
  /// The timestep that comes next.
  Step next() const { return next_; }

  std::span<const Spike> spikes_from(std::string_view port) const {
    return out_.kept_spikes[index(region_.outputs(), port)];
  }
  std::span<const double> values_from(std::string_view port) const {
    return out_.kept_values[index(region_.outputs(), port)];
  }

 private:
  static std::size_t index(std::span<const Port> ports, std::string_view name) {
    for (std::size_t i = 0; i < ports.size(); ++i)
      if (ports[i].name == name) return i;
    throw std::invalid_argument("there is no port " + std::string(name));
  }

  Region& region_;
  GivenInbox in_;
  KeptOutbox out_;
  Alone peers_;
  Step next_;
};

/// Index of a population. Throws where there is none.
inline std::size_t population_of(const Region& region, std::string_view name) {
  const auto populations = region.populations();
  for (std::size_t p = 0; p < populations.size(); ++p)
    if (populations[p].name == name) return p;
  throw std::invalid_argument("there is no population " + std::string(name));
}

/// Spikes of a ring of cells, as a sum of unit vectors in their directions and as a number.
struct PopulationVector {
  double x = 0, y = 0;
  int spikes = 0;

  /// Adds those of the last timestep.
  void add(const Region& region, std::size_t population) {
    const auto directions = region.populations()[population].preferred_direction_deg;
    for (const Spike& spike : region.spikes(population)) {
      const double angle = math::radians(static_cast<double>(directions[spike.id]));
      x += math::cos(angle);
      y += math::sin(angle);
      ++spikes;
    }
  }
  double direction_deg() const { return math::degrees(math::atan2(y, x)); }
  /// 1 where all cells that fire have one direction, 0 where they have all.
  double sharpness() const { return std::sqrt(x * x + y * y) / spikes; }
};

}  // namespace quartet
