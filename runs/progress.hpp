/// How far a run is: one line that updates itself on a terminal, a line per 5 % in a log.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace quartet {

class Progress {
 public:
  /// Seconds from any fixed point.
  using Clock = std::function<double()>;

  /// `total` trials, of which `done` were done before (a resumed run). Whether `out` is a terminal
  /// decides the form.
  Progress(std::int64_t total, std::int64_t done, std::ostream& out, bool terminal,
           Clock clock = steady_clock());

  /// One trial is over. `label` says whose ("full_intact 3"); `value` draws the learning curve
  /// (hand angle in degrees); `simulated_ms` is its simulated time.
  void trial_done(const std::string& label, double value, std::int64_t simulated_ms);
  /// Something other than trials takes a while: on a terminal the line says what.
  void busy(const std::string& what);
  /// Ends the line on a terminal; call before printing anything else.
  void finish();

  static Clock steady_clock();

 private:
  void print_bar(double now);
  /// "━━━───  12 %".
  std::string bar() const;
  void print_line(double now);
  /// "1.9 × real time, 12 min left".
  std::string rate_and_rest(double now) const;
  /// Mean values over the present subject's trials so far, as a row of small bars.
  std::string curve() const;

  std::int64_t total_, done_, done_before_;
  std::ostream& out_;
  bool terminal_;
  Clock clock_;
  double start_, last_bar_ = -1.0;
  std::int64_t simulated_ms_ = 0, last_percent_ = 0;
  std::string label_;
  std::vector<double> values_;
};

/// True if standard error is a terminal.
bool error_output_is_terminal();

}  // namespace quartet
