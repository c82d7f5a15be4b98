#include "tests/regions/closed_loop.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "comm/inprocess_communicator.hpp"
#include "models/math.hpp"
#include "regions/atlas.hpp"

namespace quartet {

namespace {
std::map<std::string, std::vector<float>> all_weights(
    const std::vector<std::unique_ptr<Region>>& regions) {
  std::map<std::string, std::vector<float>> weights;
  for (const auto& region : regions) {
    const auto projections = region->plastic_projections();
    for (std::size_t i = 0; i < projections.size(); ++i) {
      std::uint32_t first = 0;
      region->weights(i, first, weights[std::string(region->name()) + "." + projections[i].name]);
    }
  }
  return weights;
}

/// Intervals between the spikes of each cell of a population.
class Intervals {
 public:
  void add(std::span<const Spike> spikes, double t_ms, double substep_ms, std::size_t cells) {
    cells_.resize(cells);
    for (const Spike& spike : spikes) {
      Cell& cell = cells_[spike.id];
      const double now = t_ms + substep_ms * spike.substep;
      if (cell.last >= 0) {
        const double interval = now - cell.last;
        ++cell.count;
        cell.sum += interval;
        cell.square += interval * interval;
      }
      cell.last = now;
    }
  }
  /// Mean over cells with at least 20 intervals; NaN where fewer than a tenth have them: of the few
  /// that fire most it would not be the population's.
  double cv() const {
    double sum = 0;
    int cells = 0;
    for (const Cell& cell : cells_) {
      if (cell.count < 20) continue;
      const double mean = cell.sum / cell.count;
      sum += std::sqrt(std::max(0.0, cell.square / cell.count - mean * mean)) / mean;
      ++cells;
    }
    return 10 * static_cast<std::size_t>(cells) < cells_.size()
               ? std::numeric_limits<double>::quiet_NaN()
               : sum / cells;
  }

 private:
  struct Cell {
    double last = -1, sum = 0, square = 0;
    int count = 0;
  };
  std::vector<Cell> cells_;
};
}  // namespace

double LoopResult::mean_angle(std::size_t first, std::size_t last) const {
  double sum = 0;
  int reached = 0;
  for (std::size_t i = first; i < last && i < trials.size(); ++i) {
    const double angle = math::wrap_degrees(trials[i].angle_end_deg - trials[i].target_deg);
    if (std::isnan(angle)) continue;
    sum += angle;
    ++reached;
  }
  return sum / reached;
}

LoopResult run_closed_loop(const Subject& subject, std::vector<TractLesion> lesions) {
  LoopResult result;
  run_in_process(1, [&](Communicator& communicator) {
    std::vector<std::unique_ptr<Region>> regions;
    std::vector<RegionPorts> ports;
    for (std::string_view name : region_names()) {
      regions.push_back(make_region(name, subject, {}));
      const Region& region = *regions.back();
      ports.push_back({std::string(name),
                       {region.inputs().begin(), region.inputs().end()},
                       {region.outputs().begin(), region.outputs().end()}});
    }
    const auto& body = dynamic_cast<const Body&>(*regions.back());
    const auto all_ports = gather_ports(communicator, ports);
    Exchange exchange(communicator, Placement::standard(1), atlas(), all_ports, lesions);
    result.weights_before = all_weights(regions);

    const Step trial_ms = body.trial_ms();
    const Step seen = subject.body.cue_ms + subject.body.vision_delay_ms;
    const Step go = subject.body.go_ms;
    std::map<std::string, std::int64_t> rest, movement;
    std::map<std::string, Intervals> intervals;
    const std::int64_t scheduled = trials_of(subject.schedule);
    for (Step t = 0; t < scheduled * trial_ms; ++t) {
      exchange.receive(t);
      for (auto& region : regions)
        region->advance(t, exchange.inbox(region->name()), exchange.outbox(region->name()),
                        exchange.peers(region->name()));
      exchange.send(t);
      const Step now = t % trial_ms;
      for (const auto& region : regions) {
        const auto populations = region->populations();
        for (std::size_t p = 0; p < populations.size(); ++p) {
          const std::string name = std::string(region->name()) + "." + populations[p].name;
          const auto count = static_cast<std::int64_t>(region->spikes(p).size());
          result.spikes[name] += count;
          intervals[name].add(region->spikes(p), static_cast<double>(t), 1.0 / region->substeps(),
                              populations[p].size);
          if (t < trial_ms) continue;
          if (now < seen) rest[name] += count;
          if (now >= go - 150 && now < go + 50) movement[name] += count;
        }
      }
      if (now == trial_ms - 1) result.trials.push_back(body.record());
    }
    const auto trials = static_cast<double>(scheduled - 1);
    for (const auto& region : regions) {
      for (const PopulationInfo& population : region->populations()) {
        const std::string name = std::string(region->name()) + "." + population.name;
        const double cell_seconds = trials * population.size / 1000.0;
        result.rest_hz[name] =
            static_cast<double>(rest[name]) / (cell_seconds * static_cast<double>(seen));
        result.movement_hz[name] = static_cast<double>(movement[name]) / (cell_seconds * 200.0);
      }
    }
    for (const auto& [name, of] : intervals)
      if (const double cv = of.cv(); !std::isnan(cv)) result.interval_cv[name] = cv;
    result.weights_after = all_weights(regions);
  });
  return result;
}

Subject rotated_subject(int aligned, int rotated) {
  Subject subject;
  subject.seed = 20111;  // not one that parameters were tuned on
  subject.brain.scale = 0.5;
  Block block;
  block.trials = aligned;
  subject.schedule.push_back(block);
  if (rotated > 0) {
    block.trials = rotated;
    block.perturbation = Perturbation::rotation;
    block.rotation_deg = 30;
    subject.schedule.push_back(block);
  }
  return subject;
}

}  // namespace quartet
