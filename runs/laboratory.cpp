#include "runs/laboratory.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/random.hpp"

namespace quartet {
namespace {

// Intensities that are tried, in hundredths of the threshold of layer 2/3 axons.
constexpr int kWeakest = 30, kStrongest = 300;
// Of the fingers of an intention probe: the same in all subjects.
constexpr RandomKey kOrder{1, purpose("intention.order")};

class Session {
 public:
  Session(const Probe& probe, Preparation& preparation)
      : probe_(probe),
        preparation_(preparation),
        muscle_(static_cast<std::size_t>(muscle_index(probe.muscle))),
        x_(probe.site.empty() ? kMuscleFields[muscle_].x : probe.site[0]),
        y_(probe.site.empty() ? kMuscleFields[muscle_].y : probe.site[1]) {}

  Findings run() {
    if (probe_.kind == ProbeKind::intention) {
      intend();
      return std::move(found_);
    }
    if (probe_.rmt > 0)
      found_.rmt = probe_.rmt;
    else
      find_threshold();
    if (std::isnan(found_.rmt)) return std::move(found_);
    if (probe_.kind == ProbeKind::recruitment) recruit();
    if (probe_.kind == ProbeKind::paired_pulse) pair();
    if (probe_.kind == ProbeKind::map) map();
    if (probe_.kind == ProbeKind::polarization) polarize();
    if (probe_.kind == ProbeKind::surround) surround();
    return std::move(found_);
  }

 private:
  /// Response of the probe's muscle.
  double apply(Stage stage, const Stimulus& stimulus) {
    found_.trials.push_back({stage, stimulus, preparation_.respond(stimulus)});
    return found_.trials.back().response.above_rest(muscle_);
  }

  Stimulus at_site(double intensity) const { return {.x = x_, .y = y_, .intensity = intensity}; }

  /// The lowest intensity from `weakest` hundredths on that is `enough`.
  template <class Enough>
  static std::optional<double> lowest(int weakest, Enough enough) {
    if (!enough(kStrongest / 100.0)) return std::nullopt;
    int low = weakest - 1, high = kStrongest;  // low is not enough, high is
    while (high - low > 1) {
      const int middle = (low + high) / 2;
      (enough(middle / 100.0) ? high : low) = middle;
    }
    return high / 100.0;
  }

  void find_threshold() {
    const auto five_of_ten = [&](double intensity) {
      int above = 0, below = 0;
      while (above < 5 && below < 6) {
        const bool responds = apply(Stage::threshold, at_site(intensity)) > probe_.criterion;
        ++(responds ? above : below);
      }
      return above == 5;
    };
    found_.rmt = lowest(kWeakest, five_of_ten).value_or(found_.rmt);
  }

  void recruit() {
    for (std::int64_t k = 0; k < probe_.pulses; ++k)
      for (const double intensity : probe_.intensities)
        apply(Stage::recruitment, at_site(intensity * found_.rmt));
  }

  void polarize() {
    for (std::int64_t k = 0; k < probe_.pulses; ++k) {
      // Every other sweep backwards: what the sheet still has of the one before then cancels.
      std::vector<double> sweep = probe_.polarizations_mv;
      if (k % 2 == 1) std::reverse(sweep.begin(), sweep.end());
      for (const double polarization_mv : sweep) {
        for (const double intensity : probe_.intensities) {
          Stimulus stimulus = at_site(intensity * found_.rmt);
          stimulus.polarization_mv = polarization_mv;
          apply(Stage::polarization, stimulus);
        }
      }
    }
  }

  std::optional<double> test_intensity() {
    if (probe_.test_intensity > 0) return probe_.test_intensity * found_.rmt;
    const auto large_enough = [&](double intensity) {
      double sum = 0;
      for (std::int64_t k = 0; k < probe_.pulses; ++k)
        sum += apply(Stage::test_size, at_site(intensity));
      return sum >= probe_.test_size * static_cast<double>(probe_.pulses);
    };
    return lowest(static_cast<int>(std::lround(100 * found_.rmt)), large_enough);
  }

  void pair() {
    const std::optional<double> test = test_intensity();
    if (!test) return;
    for (std::int64_t k = 0; k < probe_.pulses; ++k) {
      for (const double conditioning : probe_.conditioning) {
        apply(Stage::unconditioned, at_site(*test));
        for (const double interval_ms : probe_.intervals_ms) {
          Stimulus stimulus = at_site(*test);
          stimulus.conditioning = conditioning * found_.rmt;
          stimulus.interval_ms = interval_ms;
          apply(Stage::conditioned, stimulus);
        }
      }
    }
  }

  void surround() {
    const std::optional<double> test = test_intensity();
    if (!test) return;
    Stimulus moving = at_site(*test);
    moving.onset_ms = static_cast<double>(probe_.onset_ms);
    Stimulus silent = moving;
    silent.intensity = 0;
    for (std::int64_t k = 0; k < probe_.pulses; ++k) {
      // Another one begins each time: what the sheet still has of the trial before then cancels.
      for (std::int64_t i = k; i < k + 3; ++i) {
        if (i % 3 == 0) apply(Stage::surround_rest, at_site(*test));
        if (i % 3 == 1) apply(Stage::surround_moving, moving);
        if (i % 3 == 2) apply(Stage::surround_silent, silent);
      }
    }
  }

  void intend() {
    for (std::int64_t k = 0; k < probe_.pulses; ++k) {
      // In another order each time: what the sheet still has of the finger before tells nothing.
      std::vector<double> digits = probe_.moving;
      for (std::uint32_t i = static_cast<std::uint32_t>(digits.size()); i > 1; --i) {
        const auto bits = random_block(kOrder, 0, i, static_cast<std::uint64_t>(k));
        std::swap(digits[i - 1], digits[random_below(bits[0], i)]);
      }
      for (const double digit : digits) {
        Stimulus stimulus = at_site(0);
        stimulus.onset_ms = static_cast<double>(probe_.onset_ms);
        stimulus.digit = static_cast<int>(digit);
        apply(Stage::intention, stimulus);
      }
    }
  }

  void map() {
    const auto sites = [&](double length) {
      return static_cast<int>(length / probe_.spacing + 1e-9);
    };
    // Of site `k` of `n`, which lie about the middle of `length`.
    const auto place = [&](int k, int n, double length) {
      return (length - n * probe_.spacing) / 2 + (k + 0.5) * probe_.spacing;
    };
    const int rows = sites(kSheetHeight), columns = sites(kSheetWidth);
    for (std::int64_t k = 0; k < probe_.pulses; ++k)
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column)
          apply(Stage::map, {.x = place(column, columns, kSheetWidth),
                             .y = place(row, rows, kSheetHeight),
                             .intensity = probe_.map_intensity * found_.rmt});
  }

  const Probe& probe_;
  Preparation& preparation_;
  std::size_t muscle_;
  double x_, y_;
  Findings found_;
};

}  // namespace

int muscle_index(std::string_view name) {
  for (int m = 0; m < kMuscles; ++m)
    if (kMuscleFields[static_cast<std::size_t>(m)].name == name) return m;
  return -1;
}

Findings carry_out(const Probe& probe, Preparation& preparation) {
  return Session(probe, preparation).run();
}

}  // namespace quartet
