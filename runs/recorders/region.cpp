#include "runs/recorders/region.hpp"

#include <utility>

#include "runs/recorders/energy.hpp"
#include "runs/recorders/rates.hpp"
#include "runs/recorders/spikes.hpp"
#include "runs/recorders/weights.hpp"

namespace quartet {

RegionDescription describe_region(const Region& region) {
  return {std::string(region.name()),
          region.substeps(),
          {region.populations().begin(), region.populations().end()},
          {region.plastic_projections().begin(), region.plastic_projections().end()}};
}

RegionRecorder::RegionRecorder(const std::filesystem::path& directory, const RecordedRun& run,
                               RegionDescription region, const RegionRecording& recording,
                               StateReader* resume_from)
    : region_(std::move(region)) {
  if (!recording.rate_members.empty() && !region_.populations.empty()) {
    rates_ = std::make_unique<RatesRecorder>(directory, run, region_, recording, resume_from);
  }
  if (!recording.spike_members.empty() && !region_.populations.empty()) {
    spikes_ = std::make_unique<SpikesRecorder>(directory, run, region_, recording, resume_from);
  }
  if (!recording.weight_members.empty() && !region_.projections.empty()) {
    weights_ = std::make_unique<WeightsRecorder>(directory, run, region_, recording, resume_from);
  }
  if (!region_.populations.empty()) {
    energy_ = std::make_unique<EnergyRecorder>(directory, run, region_, resume_from);
  }
}

RegionRecorder::~RegionRecorder() = default;

void RegionRecorder::begin_member(std::size_t member) {
  if (rates_) rates_->begin_member(member);
  if (spikes_) spikes_->begin_member(member);
}

void RegionRecorder::step(Step t, const Region& region) {
  if (rates_) rates_->step(t, region);
  if (spikes_) spikes_->step(t, region);
}

void RegionRecorder::trial(std::size_t member, std::int64_t trial,
                           std::span<const energy::Activity> activity,
                           std::span<const energy::Activity> by_place) {
  if (energy_) energy_->trial(member, trial, activity, by_place);
}

void RegionRecorder::begin_snapshot(std::size_t member, std::int64_t trial, Step t) {
  if (weights_) weights_->begin(member, trial, t);
}

void RegionRecorder::put_weights(std::size_t projection, std::uint32_t first,
                                 std::span<const float> values,
                                 std::span<const std::uint32_t> sources, const Spines& spines) {
  if (weights_) weights_->put(projection, first, values, sources, spines);
}

void RegionRecorder::end_snapshot() {
  if (weights_) weights_->end();
}

void RegionRecorder::sync_to_disk() {
  if (rates_) {
    rates_->flush();
    rates_->file().sync_to_disk();
  }
  if (spikes_) {
    spikes_->flush();
    spikes_->file().sync_to_disk();
  }
  if (weights_) weights_->file().sync_to_disk();
  if (energy_) energy_->file().sync_to_disk();
}

void RegionRecorder::save(StateWriter& writer) const {
  if (rates_) rates_->save(writer);
  if (spikes_) spikes_->save(writer);
  if (weights_) weights_->save(writer);
  if (energy_) energy_->save(writer);
}

void RegionRecorder::close() {
  if (rates_) {
    rates_->flush();
    rates_->file().close();
  }
  if (spikes_) {
    spikes_->flush();
    spikes_->file().close();
  }
  if (weights_) weights_->file().close();
  if (energy_) energy_->file().close();
}

}  // namespace quartet
