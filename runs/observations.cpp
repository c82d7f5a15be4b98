#include "runs/observations.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "models/math.hpp"

namespace quartet {
namespace {

/// Windows of a trial. The target appears at body.cue_ms, the hand is free from body.go_ms on and
/// may have arrived at once; what is not a reach ends at body.deadline_ms. What is seen is seen
/// body.vision_delay_ms later.
enum class Window {
  before,   ///< until the target is seen
  cue,      ///< the 150 ms from then on
  aim,      ///< from then until the moving hand can be seen: nothing fed back yet
  reach,    ///< the 250 ms after the go signal: longer than reaches of the shipped body
  error,    ///< from when the moving hand can be seen, to the end
  outcome,  ///< from when an outcome can be seen, to the end
  trial     ///< all of it
};

struct Interval {
  Step from, to;
};

/// In ms from the trial's start; never empty, whatever the body's times are.
Interval interval(Window window, const BodyParameters& body, Task task) {
  const auto clipped = [&](Step from, Step to) {
    from = std::min(from, body.trial_ms - 1);
    return Interval{from, std::clamp<Step>(to, from + 1, body.trial_ms)};
  };
  const Step target_seen = body.cue_ms + body.vision_delay_ms;
  const Step hand_seen = body.go_ms + body.vision_delay_ms;
  const Step end_seen = task == Task::reach ? hand_seen : body.deadline_ms + body.vision_delay_ms;
  switch (window) {
    case Window::before:
      return clipped(0, target_seen);
    case Window::cue:
      return clipped(target_seen, target_seen + 150);
    case Window::aim:
      return clipped(target_seen, std::max(hand_seen, body.cue_ms + 250));
    case Window::reach:
      return clipped(body.go_ms, body.go_ms + 250);
    case Window::error:
      return clipped(hand_seen, body.trial_ms);
    case Window::outcome:
      return clipped(end_seen + body.outcome_delay_ms, body.trial_ms);
    case Window::trial:
      break;
  }
  return {0, body.trial_ms};
}

/// A population that is observed in a window.
struct Watch {
  std::string_view region, name, population;
  Window window;
};
constexpr Watch kWatches[] = {
    {"cortex", "aim", "PMd", Window::aim},
    {"cortex", "felt", "Felt", Window::error},
    {"cortex", "motor", "L5PT", Window::reach},
    {"cerebellum", "olive", "IO", Window::error},
    {"basal_ganglia", "dopamine_before", "SNc", Window::before},
    {"basal_ganglia", "dopamine_cue", "SNc", Window::cue},
    {"basal_ganglia", "dopamine", "SNc", Window::outcome},
    {"basal_ganglia", "striosome", "Striosome", Window::outcome},
    {"basal_ganglia", "d1", "D1", Window::aim},
    {"basal_ganglia", "tan", "TAN", Window::trial},
    {"thalamus", "vl", "VL", Window::aim},
    {"thalamus", "va", "VA", Window::aim},
};

/// The observers of a region, by the names above.
class Watched {
 public:
  Watched(std::string_view region, const std::vector<TrialObserver>& observers,
          const std::vector<std::span<const float>>& directions)
      : region_(region), observers_(observers), directions_(directions) {}
  const TrialObserver& operator[](std::string_view name) const { return observers_[index(name)]; }
  std::span<const float> directions(std::string_view name) const {
    return directions_[index(name)];
  }

 private:
  std::size_t index(std::string_view name) const {
    std::size_t i = 0;
    for (const Watch& watch : kWatches) {
      if (watch.region != region_) continue;
      if (watch.name == name) return i;
      ++i;
    }
    throw std::logic_error("nobody watches " + std::string(name) + " in " + std::string(region_));
  }
  std::string_view region_;
  const std::vector<TrialObserver>& observers_;
  const std::vector<std::span<const float>>& directions_;
};

/// Direction of the population vector of VA and VL together, degrees. What a VL cell does to the
/// movement is opposite to the error that it stands for.
double composite_angle(const Watched& watched) {
  PopulationVector sum;
  const auto add = [&](std::string_view name, double turn_deg) {
    const auto counts = watched[name].counts();
    const auto directions = watched.directions(name);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const double angle = math::radians(static_cast<double>(directions[i]) + turn_deg);
      sum.add(counts[i], math::cos(angle), math::sin(angle));
    }
  };
  add("va", 0.0);
  add("vl", 180.0);
  return sum.angle();
}

/// Mean rate (Hz) of the VL cells whose error is counter-clockwise of the target, minus that of
/// those whose error is clockwise: what compensates a counter-clockwise rotation. NaN without a
/// target.
double rate_toward(const Watched& watched, double target_deg) {
  if (std::isnan(target_deg)) return target_deg;
  const auto counts = watched["vl"].counts();
  const auto directions = watched.directions("vl");
  std::uint64_t cells[2] = {}, spikes[2] = {}, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double from_target = math::wrap_degrees(static_cast<double>(directions[i]) - target_deg);
    all += counts[i];
    // Straight ahead and straight back are of neither side.
    const double off_axis = std::abs(std::abs(from_target) - 90.0);
    if (off_axis > 90.0 - 1e-6) continue;
    const std::size_t side = from_target > 0 ? 0 : 1;
    ++cells[side];
    spikes[side] += counts[i];
  }
  if (cells[0] == 0 || cells[1] == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto mean = [&](std::size_t side) {
    return static_cast<double>(spikes[side]) / static_cast<double>(cells[side]);
  };
  const double seconds = 1e-3 * static_cast<double>(watched["vl"].duration_ms());
  return (mean(0) - mean(1)) / seconds;
}

/// A column and how its value comes from the observers of a region.
struct Observation {
  std::string_view region, name, unit, long_name;
  double (*value)(const Watched&, double target_deg);
};
constexpr Observation kObservations[] = {
    {"cortex", "aim_angle", "degree", "direction of the aim, from premotor spikes",
     [](const Watched& w, double) { return w["aim"].angle(); }},
    {"cortex", "felt_angle", "degree",
     "direction in which the hand is felt to have moved, from parietal spikes",
     [](const Watched& w, double) { return w["felt"].angle(); }},
    {"cortex", "m1_rate", "Hz",
     "mean rate of layer 5 pyramidal-tract cells in the 250 ms after the go signal",
     [](const Watched& w, double) { return w["motor"].mean_rate(); }},
    {"cerebellum", "olive_rate", "Hz", "mean rate of olivary cells from when the hand can be seen",
     [](const Watched& w, double) { return w["olive"].mean_rate(); }},
    {"cerebellum", "olive_error_angle", "degree",
     "direction of the sensory error, from olivary spikes",
     [](const Watched& w, double) { return w["olive"].angle(); }},
    {"basal_ganglia", "dopamine", "Hz", "mean rate of dopamine cells in the outcome window",
     [](const Watched& w, double) { return w["dopamine"].mean_rate(); }},
    {"basal_ganglia", "reward_prediction_error", "Hz",
     "rate of dopamine cells in the outcome window minus that before the target was seen",
     [](const Watched& w, double) {
       return w["dopamine"].mean_rate() - w["dopamine_before"].mean_rate();
     }},
    {"basal_ganglia", "cue_dopamine", "Hz",
     "rate of dopamine cells in the 150 ms from when the target can be seen minus that before",
     [](const Watched& w, double) {
       return w["dopamine_cue"].mean_rate() - w["dopamine_before"].mean_rate();
     }},
    {"basal_ganglia", "d1_angle", "degree", "direction of the actor's choice, from D1 spikes",
     [](const Watched& w, double) { return w["d1"].angle(); }},
    {"basal_ganglia", "striosome_rate", "Hz",
     "mean rate of striosome cells (the critic) in the outcome window",
     [](const Watched& w, double) { return w["striosome"].mean_rate(); }},
    {"basal_ganglia", "tan_rate", "Hz", "mean rate of cholinergic interneurons over the trial",
     [](const Watched& w, double) { return w["tan"].mean_rate(); }},
    {"thalamus", "vl_rate", "Hz", "mean rate of VL cells during aiming",
     [](const Watched& w, double) { return w["vl"].mean_rate(); }},
    {"thalamus", "vl_angle", "degree", "direction of the error that VL spikes stand for",
     [](const Watched& w, double) { return w["vl"].angle(); }},
    {"thalamus", "va_angle", "degree", "direction of the aim that VA spikes stand for",
     [](const Watched& w, double) { return w["va"].angle(); }},
    {"thalamus", "thalamic_angle", "degree",
     "direction of the movement that VA and VL spikes stand for together",
     [](const Watched& w, double) { return composite_angle(w); }},
    {"thalamus", "vl_rate_toward", "Hz",
     "mean rate of VL cells that stand for errors counter-clockwise of the target, minus that of "
     "those clockwise of it",
     rate_toward},
};

}  // namespace

std::vector<Column> observation_columns(std::string_view region) {
  std::vector<Column> columns;
  for (const Observation& observation : kObservations) {
    if (observation.region != region) continue;
    columns.push_back(
        {std::string(observation.name), std::string(observation.unit),
         std::string(observation.long_name) +
             (observation.unit == "Hz" ? ", per cell of the intact population" : "")});
  }
  return columns;
}

RegionObserver::RegionObserver(const Region& region, const BodyParameters& body) : body_(body) {
  const auto populations = region.populations();
  for (const Watch& watch : kWatches) {
    if (watch.region != region.name()) continue;
    region_ = watch.region;
    const auto population =
        std::find_if(populations.begin(), populations.end(),
                     [&](const PopulationInfo& info) { return info.name == watch.population; });
    if (population == populations.end()) {
      throw std::logic_error("there is no population " + std::string(watch.population) + " in " +
                             std::string(region.name()) + " to observe");
    }
    const Interval window = interval(watch.window, body, Task::reach);
    population_.push_back(static_cast<std::size_t>(population - populations.begin()));
    directions_.push_back(population->preferred_direction_deg);
    observers_.emplace_back("observer." + std::string(watch.name), *population, window.from,
                            window.to);
  }
}

void RegionObserver::set_windows(Task task) {
  std::size_t i = 0;
  for (const Watch& watch : kWatches) {
    if (watch.region != region_) continue;
    const Interval window = interval(watch.window, body_, task);
    observers_[i++].set_window(window.from, window.to);
  }
}

void RegionObserver::begin_trial(Task task) {
  set_windows(task);
  for (TrialObserver& observer : observers_) observer.begin_trial();
}

void RegionObserver::step(Step t, const Region& region) {
  for (std::size_t i = 0; i < observers_.size(); ++i) {
    observers_[i].step(t, region.spikes(population_[i]));
  }
}

std::vector<double> RegionObserver::values(double target_deg) const {
  const Watched watched(region_, observers_, directions_);
  std::vector<double> values;
  for (const Observation& observation : kObservations) {
    if (observation.region != region_) continue;
    // Directions mean something in reaches only.
    const bool means = observation.unit != "degree" || !std::isnan(target_deg);
    values.push_back(means ? observation.value(watched, target_deg) : target_deg);
  }
  return values;
}

void RegionObserver::save(StateWriter& writer) const {
  for (const TrialObserver& observer : observers_) observer.save(writer);
}

void RegionObserver::load(StateReader& reader, Task task) {
  set_windows(task);
  for (TrialObserver& observer : observers_) observer.load(reader);
}

}  // namespace quartet
