// What is observed of spikes: each column from spikes whose answer is known.
#include "runs/observations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <stdexcept>

namespace quartet {
namespace {

/// A region of given populations that fires what it is told to.
class FakeRegion final : public Region {
 public:
  FakeRegion(std::string name, std::vector<PopulationInfo> populations)
      : name_(std::move(name)),
        populations_(std::move(populations)),
        spikes_(populations_.size()) {}

  std::string_view name() const override { return name_; }
  std::span<const Port> inputs() const override { return {}; }
  std::span<const Port> outputs() const override { return {}; }
  std::span<const PopulationInfo> populations() const override { return populations_; }
  std::span<const ProjectionInfo> plastic_projections() const override { return {}; }
  std::uint32_t substeps() const override { return 1; }
  std::uint64_t neuron_count() const override { return 0; }
  std::uint64_t synapse_count() const override { return 0; }
  void advance(Step, const Inbox&, Outbox&, Peers&) override {}
  std::span<const Spike> spikes(std::size_t population) const override {
    return spikes_[population];
  }
  void weights(std::size_t, std::uint32_t&, std::vector<float>&) const override {}
  std::vector<std::uint32_t> sources(std::size_t) const override { return {}; }
  void save(StateWriter&) const override {}
  void load(StateReader&) override {}

  void fire(std::string_view population, std::vector<std::uint32_t> cells) {
    for (std::size_t i = 0; i < populations_.size(); ++i) {
      if (populations_[i].name != population) continue;
      for (const std::uint32_t cell : cells) spikes_[i].push_back({cell, 0});
    }
  }
  void be_silent() {
    for (auto& spikes : spikes_) spikes.clear();
  }

 private:
  std::string name_;
  std::vector<PopulationInfo> populations_;
  std::vector<std::vector<Spike>> spikes_;
};

std::map<std::string, double> named(const RegionObserver& observer, std::string_view region,
                                    double target_deg) {
  const std::vector<Column> columns = observation_columns(region);
  const std::vector<double> values = observer.values(target_deg);
  EXPECT_EQ(columns.size(), values.size());
  std::map<std::string, double> result;
  for (std::size_t i = 0; i < columns.size(); ++i) result[columns[i].name] = values[i];
  return result;
}

BodyParameters body() {
  BodyParameters body;
  body.trial_ms = 800;
  body.cue_ms = 100;
  body.go_ms = 290;
  body.vision_delay_ms = 60;
  body.outcome_delay_ms = 50;
  return body;
}

FakeRegion thalamus() {
  return FakeRegion("thalamus", {{"VL", "", 8, {0, 45, 90, 135, 180, 225, 270, 315}},
                                 {"VA", "", 4, {0, 90, 180, 270}}});
}

TEST(Observations, ThalamusPointsWhereItMoves) {
  FakeRegion region = thalamus();
  RegionObserver observer(region, body());
  observer.begin_trial(Task::reach);
  // An error to the left of a target straight ahead (90°) moves to the right.
  region.fire("VL", {3, 4, 4, 5});
  observer.step(200, region);
  auto values = named(observer, "thalamus", 90);
  EXPECT_NEAR(values["vl_angle"], -180, 1e-9);
  EXPECT_NEAR(values["thalamic_angle"], 0, 1e-9);
  EXPECT_TRUE(std::isnan(values["va_angle"]));
  // 4 spikes in 3 cells on the left, none in 3 on the right, in a window of 190 ms.
  EXPECT_NEAR(values["vl_rate_toward"], 4.0 / 3 / 0.190, 1e-9);
  EXPECT_NEAR(values["vl_rate"], 4.0 / 8 / 0.190, 1e-9);
  // Seen from the opposite target it is on the other side.
  EXPECT_NEAR(named(observer, "thalamus", -90)["vl_rate_toward"], -4.0 / 3 / 0.190, 1e-9);
  // Without a target, no direction.
  auto targetless = named(observer, "thalamus", std::nan(""));
  for (const char* missing : {"vl_rate_toward", "vl_angle", "thalamic_angle"})
    EXPECT_TRUE(std::isnan(targetless[missing])) << missing;
  EXPECT_EQ(targetless["vl_rate"], values["vl_rate"]);
  // With as many spikes of VA to the other side they cancel in the composite only.
  region.be_silent();
  region.fire("VA", {2, 2});
  observer.step(201, region);
  values = named(observer, "thalamus", 90);
  EXPECT_NEAR(values["va_angle"], -180, 1e-9);
  EXPECT_NEAR(values["vl_angle"], -180, 1e-9);
  EXPECT_LT(std::abs(values["thalamic_angle"]), 1e-9);
}

TEST(Observations, CountsInsideTheWindowOnly) {
  FakeRegion region = thalamus();
  RegionObserver observer(region, body());
  region.fire("VL", {0});
  for (const auto& [t, counted] :
       {std::pair<Step, bool>{159, false}, {160, true}, {349, true}, {350, false}}) {
    observer.begin_trial(Task::reach);
    observer.step(t, region);
    EXPECT_EQ(named(observer, "thalamus", 90)["vl_rate"] > 0, counted) << t;
  }
}

TEST(Observations, PredictionErrorIsRelativeToBeforeTheTarget) {
  FakeRegion region(
      "basal_ganglia",
      {{"SNc", "", 2, {}}, {"Striosome", "", 1, {}}, {"D1", "", 2, {30, 60}}, {"TAN", "", 1, {0}}});
  RegionObserver observer(region, body());
  observer.begin_trial(Task::reach);
  region.fire("SNc", {0});
  // 8 spikes in 2 cells and 160 ms: 25 Hz.
  for (Step t = 0; t < 8; ++t) observer.step(t, region);
  EXPECT_DOUBLE_EQ(named(observer, "basal_ganglia", 90)["reward_prediction_error"], -25);
  // 99 spikes in 2 cells and 400 ms: 123.75 Hz.
  for (Step t = 400; t < 499; ++t) observer.step(t, region);
  auto values = named(observer, "basal_ganglia", 90);
  EXPECT_DOUBLE_EQ(values["dopamine"], 123.75);
  EXPECT_DOUBLE_EQ(values["reward_prediction_error"], 98.75);
}

TEST(Observations, OutcomesAreWaitedForAsLongAsTheTaskTakes) {
  FakeRegion region(
      "basal_ganglia",
      {{"SNc", "", 2, {}}, {"Striosome", "", 1, {}}, {"D1", "", 2, {30, 60}}, {"TAN", "", 1, {0}}});
  RegionObserver observer(region, body());
  region.fire("SNc", {0});
  // A reach may end when the hand is let go, at 290 ms; a finger movement ends at 600 ms. The
  // outcome is seen 110 ms later.
  for (const auto& [task, first] :
       {std::pair<Task, Step>{Task::reach, 400}, {Task::fingers, 710}, {Task::reach, 400}}) {
    for (const Step t : {first - 1, first, Step{799}, Step{800}}) {
      observer.begin_trial(task);
      observer.step(t, region);
      const double expected = t < first || t >= 800 ? 0 : 0.5 / (1e-3 * (800 - first));
      EXPECT_DOUBLE_EQ(named(observer, "basal_ganglia", 90)["dopamine"], expected) << t;
    }
  }
}

TEST(Observations, WindowsFitAnyTrial) {
  BodyParameters short_trial;
  short_trial.trial_ms = 100;
  short_trial.cue_ms = 98;
  short_trial.go_ms = 98;
  short_trial.deadline_ms = 99;
  FakeRegion region = thalamus();
  EXPECT_NO_THROW(RegionObserver(region, short_trial));
}

TEST(Observations, NeedTheirPopulations) {
  EXPECT_THROW(RegionObserver(FakeRegion("thalamus", {{"VL", "", 8, {}}}), body()),
               std::logic_error);
  EXPECT_TRUE(observation_columns("body").empty());
}

}  // namespace
}  // namespace quartet
