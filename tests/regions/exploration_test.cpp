// Exploration moves activity between channels of the striatum and hardly adds any: basal ganglia
// alone.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "regions/basal_ganglia.hpp"
#include "tests/regions/one_region.hpp"

namespace quartet {
namespace {

struct Activity {
  double mean_hz = 0, spread_hz = 0;  // of D1 cells; of channels, over channels and 400 ms windows
  double tan_hz = 0;
};

/// D1 cells while parietal cells of all directions fire at 10 Hz, with cholinergic cells lifted by
/// `tan_mv`.
Activity striatum(double tan_mv, BasalGangliaParameters parameters = {}) {
  parameters.tan.bias_mv += tan_mv;
  parameters.d1_homeostasis.rate = 0;
  BasalGanglia region(parameters, 1.0, 20111, {});
  OneRegion alone(region);
  const std::size_t d1 = population_of(region, "D1"), tan = population_of(region, "TAN");
  const Sizes n(1.0);
  const std::uint32_t per_channel = n.d1.count / kChannels;
  std::minstd_rand random(1);
  constexpr int windows = 10, window_ms = 400;
  Activity activity;
  double squares = 0;
  for (int window = -2; window < windows; ++window) {
    std::array<double, kChannels> spikes{};
    double tan_spikes = 0;
    for (int ms = 0; ms < window_ms; ++ms) {
      for (std::uint32_t cell = 0; cell < n.ppc.count; ++cell)
        if (random() % 100 == 0) alone.spikes_to("ppc_to_striatum").push_back({cell, 0});
      alone.step();
      for (const Spike& spike : region.spikes(d1)) ++spikes[spike.id / per_channel];
      tan_spikes += static_cast<double>(region.spikes(tan).size());
    }
    if (window < 0) continue;  // slow receptors fill
    activity.tan_hz += 1000.0 / window_ms * tan_spikes / n.tan.count / windows;
    for (const double count : spikes) {
      const double hz = 1000.0 / window_ms * count / per_channel;
      activity.mean_hz += hz / kChannels / windows;
      squares += hz * hz / kChannels / windows;
    }
  }
  activity.spread_hz = std::sqrt(squares - activity.mean_hz * activity.mean_hz);
  return activity;
}

TEST(Exploration, SpreadsChannelsAndHardlyRaisesTheirMean) {
  // A cell near its threshold fires more with any noise.
  const auto balanced = [](const Activity& little, const Activity& much) {
    return much.mean_hz > std::max(1.0, little.mean_hz - 4) && much.mean_hz < little.mean_hz + 4;
  };
  const Activity little = striatum(-3), much = striatum(3);
  ASSERT_GT(much.tan_hz, little.tan_hz + 4);
  EXPECT_GT(much.spread_hz, 1.5 * little.spread_hz);
  EXPECT_TRUE(balanced(little, much)) << little.mean_hz << ", " << much.mean_hz;
  for (const double mv : {0.0, 26.0}) {  // without neurogliaform cells, with too strong ones
    BasalGangliaParameters other;
    other.tan_ngf_d1_weight_mv = mv;
    EXPECT_FALSE(balanced(striatum(-3, other), striatum(3, other))) << mv;
  }
}

}  // namespace
}  // namespace quartet
