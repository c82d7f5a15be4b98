#include "runs/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace quartet {
namespace {

constexpr int kBarWidth = 20;
constexpr int kCurveWidth = 16;
constexpr std::int64_t kPercentPerLine = 5;
constexpr double kSecondsPerBar = 0.1;

std::string duration(double seconds) {
  if (seconds < 100) return fmt::format("{:.0f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

}  // namespace

Progress::Progress(std::int64_t total, std::int64_t done, std::ostream& out, bool terminal,
                   Clock clock)
    : total_(std::max<std::int64_t>(1, total)),
      done_(done),
      done_before_(done),
      out_(out),
      terminal_(terminal),
      clock_(std::move(clock)),
      start_(clock_()),
      last_percent_(100 * done / total_) {}

Progress::Clock Progress::steady_clock() {
  return [] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
}

void Progress::trial_done(const std::string& label, double value, std::int64_t simulated_ms) {
  if (label != label_) values_.clear();
  label_ = label;
  values_.push_back(value);
  simulated_ms_ += simulated_ms;
  ++done_;
  const double now = clock_();
  if (terminal_) {
    if (now - last_bar_ >= kSecondsPerBar || done_ == total_) print_bar(now);
    return;
  }
  const std::int64_t percent = 100 * done_ / total_;
  if (percent / kPercentPerLine > last_percent_ / kPercentPerLine) print_line(now);
  last_percent_ = percent;
}

void Progress::busy(const std::string& what) {
  if (!terminal_) return;
  last_bar_ = clock_();
  out_ << fmt::format("\r{}  {}\033[K", bar(), what) << std::flush;
}

void Progress::finish() {
  if (terminal_ && last_bar_ >= 0.0) out_ << "\n" << std::flush;
  last_bar_ = -1.0;
}

std::string Progress::rate_and_rest(double now) const {
  const double elapsed = now - start_;
  if (elapsed <= 0.0) return "";
  const double left =
      elapsed / static_cast<double>(done_ - done_before_) * static_cast<double>(total_ - done_);
  const double rate = static_cast<double>(simulated_ms_) / 1000.0 / elapsed;
  return fmt::format("{:.{}f} × real time, {} left", rate, rate < 10 ? 1 : 0, duration(left));
}

std::string Progress::curve() const {
  static const char* const kLevels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto [low, high] = std::minmax_element(values_.begin(), values_.end());
  const std::size_t n = values_.size(), bins = std::min<std::size_t>(n, kCurveWidth);
  std::string text;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const std::size_t first = bin * n / bins, last = (bin + 1) * n / bins;
    double mean = 0.0;
    for (std::size_t i = first; i < last; ++i) mean += values_[i];
    mean /= static_cast<double>(last - first);
    const double height = *high > *low ? (mean - *low) / (*high - *low) : 0.0;
    text += kLevels[std::clamp(static_cast<int>(height * 8.0), 0, 7)];
  }
  return text;
}

std::string Progress::bar() const {
  const auto filled = static_cast<int>(kBarWidth * done_ / total_);
  std::string bar;
  for (int i = 0; i < kBarWidth; ++i) bar += i < filled ? "━" : "─";
  return fmt::format("{} {:3} %", bar, 100 * done_ / total_);
}

// \033[K clears what a longer line left.
void Progress::print_bar(double now) {
  last_bar_ = now;
  out_ << fmt::format("\r{}  {}  {} {:+.1f}°  {}\033[K", bar(), label_, curve(), values_.back(),
                      rate_and_rest(now))
       << std::flush;
}

void Progress::print_line(double now) {
  out_ << fmt::format("{:3} %  trial {} of {}  {}  {}\n", 100 * done_ / total_, done_, total_,
                      label_, rate_and_rest(now))
       << std::flush;
}

bool error_output_is_terminal() { return isatty(STDERR_FILENO) == 1; }

}  // namespace quartet
