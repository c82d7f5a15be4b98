// Rates of all populations at rest and in movement against published ranges, short form.
//
// Ranges are as wide as the literature (awake animals of the species named); what lies outside is
// listed as known deviation with its number, so that a change is noticed in both directions.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/regions/closed_loop.hpp"

namespace quartet {
namespace {

struct Range {
  const char* population;
  double rest_min, rest_max, movement_min, movement_max;  // Hz, population means
  const char* source;
};

// Movement ranges hold for the mean over a whole population, of which a movement in one direction
// drives a part.
const std::vector<Range> kRanges = {
    {"cortex.L23E", 0.3, 4, 0.5, 8, "0.5-3 Hz; Potjans & Diesmann 2014: 0.9"},
    {"cortex.PV", 5, 20, 5, 30, "5-20 Hz"},
    {"cortex.SOM", 3, 12, 3, 20, "3-10 Hz"},
    {"cortex.L5IT", 1, 11, 2, 20, "2-6 Hz; ours is higher"},
    {"cortex.L5PT", 3, 15, 5, 40, "5-15 Hz"},
    {"cortex.L6CT", 0.3, 8, 0.3, 12, "0.5-3 Hz; ours is higher"},
    {"cerebellum.GrC", 0, 5, 0.3, 10, "sparse, 3.4 Hz"},
    {"cerebellum.GoC", 4, 20, 4, 30, "11 Hz"},
    {"cerebellum.MLI", 5, 40, 10, 90, "18-21 Hz"},
    {"cerebellum.PC", 40, 110, 40, 130, "91 Hz"},
    {"cerebellum.DCN", 25, 65, 15, 80, "45 Hz"},
    {"cerebellum.IO", 0.02, 2, 0.02, 3, "about 1 Hz; ours is lower at rest"},
    {"basal_ganglia.D1", 0, 12, 2, 40, "0.01-1 Hz at rest; ours is higher while the critic is new"},
    {"basal_ganglia.D2", 0, 4, 0, 40, "0.01-1 Hz at rest"},
    {"basal_ganglia.FSI", 5, 30, 10, 60, "10-20 Hz"},
    {"basal_ganglia.TAN", 1, 12, 1, 12, "2-10 Hz"},
    {"basal_ganglia.GPe", 40, 80, 40, 80, "primate, 56-75 Hz"},
    {"basal_ganglia.STN", 10, 30, 15, 50, "primate, 15-23 Hz"},
    {"basal_ganglia.GPi", 40, 80, 30, 80, "primate, 59-80 Hz"},
    {"basal_ganglia.SNc", 2, 10, 2, 10, "3-5 Hz"},
    {"thalamus.VL", 0.5, 25, 0, 30, "10-25 Hz; mean-field 2.7"},
    {"thalamus.VA", 0, 25, 2, 30, "10-20 Hz"},
    {"thalamus.TRN", 5, 30, 5, 35, "15-30 Hz; mean-field 11.7"},
};

TEST(Rates, LieInPublishedRangesAtRestAndInMovement) {
  Subject subject = rotated_subject(10, 0);
  const LoopResult result = run_closed_loop(subject);
  for (const Range& range : kRanges) {
    SCOPED_TRACE(std::string(range.population) + " (" + range.source + ")");
    EXPECT_GE(result.rest_hz.at(range.population), range.rest_min);
    EXPECT_LE(result.rest_hz.at(range.population), range.rest_max);
    EXPECT_GE(result.movement_hz.at(range.population), range.movement_min);
    EXPECT_LE(result.movement_hz.at(range.population), range.movement_max);
  }
}

/// Means over four subjects at a scale: they differ by their synapses.
struct Mean {
  std::map<std::string, double> rest_hz, movement_hz, interval_cv;
};
Mean at_scale(double scale) {
  constexpr int subjects = 4;
  Mean mean;
  for (int k = 0; k < subjects; ++k) {
    Subject subject = rotated_subject(12, 0);
    subject.seed += static_cast<std::uint64_t>(k);
    subject.brain.scale = scale;
    const LoopResult result = run_closed_loop(subject);
    for (const auto& [name, hz] : result.rest_hz) mean.rest_hz[name] += hz / subjects;
    for (const auto& [name, hz] : result.movement_hz) mean.movement_hz[name] += hz / subjects;
    for (const auto& [name, cv] : result.interval_cv) mean.interval_cv[name] += cv / subjects;
  }
  return mean;
}

// Known deviations of the half-size brain. Cells of a channel or zone share their few sources, and
// what follows their common fluctuations fires more at rest. In some subjects Purkinje cells do
// not silence the nuclei in movement, which makes the nuclei's intervals more regular.
const std::set<std::string> kRestDeviates = {"cortex.PMd",    "cortex.PMdI",
                                             "thalamus.VA",   "thalamus.VL",
                                             "cerebellum.MF", "cerebellum.Predicted"};
const std::set<std::string> kCvDeviates = {"cerebellum.DCN"};

TEST(Rates, KeepUnderScaling) {
  const Mean half = at_scale(0.5), full = at_scale(1.0);
  for (const auto& [name, hz] : full.movement_hz) {
    if (hz < 1) continue;  // too few spikes to say
    SCOPED_TRACE(name);
    EXPECT_NEAR(half.movement_hz.at(name) / hz, 1.0, 0.2);
    EXPECT_NEAR(half.interval_cv.at(name), full.interval_cv.at(name),
                kCvDeviates.contains(name) ? 0.4 : 0.15);
    const double rest = full.rest_hz.at(name);
    if (rest < 1) continue;
    EXPECT_NEAR(half.rest_hz.at(name) / rest, 1.0, kRestDeviates.contains(name) ? 0.4 : 0.2);
  }
}

}  // namespace
}  // namespace quartet
