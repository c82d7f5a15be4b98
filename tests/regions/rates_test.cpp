// Rates of all populations at rest and in movement against expected ranges (published or judged),
// short form; the long one is `quartet score`. Ranges, sources and known deviations are those of
// its rates.toml.

#include <gtest/gtest.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "tests/regions/closed_loop.hpp"

namespace quartet {
namespace {

/// Expects a rate in the range that a row of rates.toml has for a window; where it is known to lie
/// outside, outside and near the known rate.
void expect_in_range(const toml::table& row, const std::string& window, double hz) {
  const toml::array* range = row[window].as_array();
  SCOPED_TRACE(window);
  if (!range) {  // nothing published; but what is told to be silent in reaches must be
    EXPECT_TRUE(std::isfinite(hz)) << hz;
    if (row["source"].value<std::string>().value().find("silent") != std::string::npos)
      EXPECT_EQ(hz, 0.0);
    return;
  }
  const double low = range->at(0).value<double>().value();
  const double high = range->at(1).value<double>().value();
  const auto known = row["known_" + window].value<double>();
  if (!known) {
    EXPECT_GE(hz, low);
    EXPECT_LE(hz, high);
    return;
  }
  EXPECT_FALSE(hz >= low && hz <= high) << hz << " Hz: no longer outside; remove known_" << window;
  EXPECT_NEAR(hz, *known, std::max(0.5, 0.25 * *known));
}

/// Means over subjects: they differ by their synapses, and so do rates near a bound.
struct Mean {
  std::map<std::string, double> rest_hz, movement_hz, interval_cv;
};
Mean mean_of(int subjects, Subject subject) {
  Mean mean;
  std::map<std::string, int> with_cv;
  for (int k = 0; k < subjects; ++k, ++subject.seed) {
    const LoopResult result = run_closed_loop(subject);
    for (const auto& [name, hz] : result.rest_hz) mean.rest_hz[name] += hz / subjects;
    for (const auto& [name, hz] : result.movement_hz) mean.movement_hz[name] += hz / subjects;
    for (const auto& [name, cv] : result.interval_cv) {
      mean.interval_cv[name] += cv / subjects;
      ++with_cv[name];
    }
  }
  std::erase_if(mean.interval_cv, [&](const auto& of) { return with_cv[of.first] < subjects; });
  return mean;
}

TEST(Rates, LieInTheRangesThatAreGivenAtRestAndInMovement) {
  const Mean mean = mean_of(2, rotated_subject(10, 0));
  const toml::table file = toml::parse_file(RATES_FILE);
  std::size_t rows = 0;
  for (const toml::node& node : *file["population"].as_array()) {
    const toml::table& row = *node.as_table();
    const std::string name = row["name"].value<std::string>().value();
    SCOPED_TRACE(name + " (" + row["source"].value<std::string>().value() + ")");
    expect_in_range(row, "rest", mean.rest_hz.at(name));
    expect_in_range(row, "movement", mean.movement_hz.at(name));
    ++rows;
  }
  EXPECT_EQ(rows, mean.rest_hz.size());  // every population has its row
}

Mean at_scale(double scale) {
  Subject subject = rotated_subject(12, 0);
  subject.brain.scale = scale;
  // The errors that a subject happens to make, and so its strategies, are no matter of scale.
  subject.brain.cortex.strategy_learning = false;
  return mean_of(4, subject);
}

// Known deviations of the half-size brain, with wider limits. Premotor cells fire a little more at
// rest, and so do the mossy fibres that copy them. Cells that fire in one bout per trial have a CV
// of 2 to 3, which is that of the pauses between bouts.
const std::set<std::string> kRestDeviates = {"cortex.PMd", "cortex.PMdI", "cerebellum.MF"};
const std::set<std::string> kCvDeviates = {"cortex.PMd", "basal_ganglia.D1", "thalamus.VA"};
// PPN cells adapt after a spike or two per trial: the rate is of few spikes.
const std::set<std::string> kFewSpikes = {"basal_ganglia.PPN"};

TEST(Rates, KeepUnderScaling) {
  const Mean half = at_scale(0.5), full = at_scale(1.0);
  int compared = 0;
  for (const auto& [name, hz] : full.movement_hz) {
    if (hz < 1) continue;  // too few spikes to say
    SCOPED_TRACE(name);
    EXPECT_NEAR(half.movement_hz.at(name) / hz, 1.0, kFewSpikes.contains(name) ? 0.3 : 0.2);
    if (half.interval_cv.contains(name) && full.interval_cv.contains(name)) {
      EXPECT_NEAR(half.interval_cv.at(name), full.interval_cv.at(name),
                  kCvDeviates.contains(name) ? 0.25 : 0.15);
      ++compared;
    }
    const double rest = full.rest_hz.at(name);
    if (rest < 2) continue;
    EXPECT_NEAR(half.rest_hz.at(name) / rest, 1.0, kRestDeviates.contains(name) ? 0.3 : 0.2);
  }
  EXPECT_GE(compared, 20);  // CVs
}

}  // namespace
}  // namespace quartet
