#include "runs/member_run.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "regions/atlas.hpp"
#include "regions/brain.hpp"
#include "runs/checkpoint.hpp"

namespace quartet {
namespace {

std::span<const std::byte> as_bytes(const std::vector<double>& values) {
  return std::as_bytes(std::span(values));
}

/// Bytes [first, first + count) of a message, any of which may be empty.
void copy_bytes(const Bytes& message, std::size_t first, void* to, std::size_t count) {
  std::copy_n(message.begin() + static_cast<std::ptrdiff_t>(first), count,
              static_cast<std::byte*>(to));
}

/// Rows of one plastic projection, in a message.
struct RowsHeader {
  std::uint64_t projection, first, values, sources, spines;
};

/// Weights of a slice as one message: of every projection header and values and, where asked or
/// where they change, the source cell and the spine of each synapse.
Bytes pack_weights(const Region& region, bool with_sources) {
  Bytes message;
  const auto append = [&](const void* data, std::size_t bytes) {
    const auto* begin = static_cast<const std::byte*>(data);
    message.insert(message.end(), begin, begin + bytes);
  };
  for (std::size_t i = 0; i < region.plastic_projections().size(); ++i) {
    std::uint32_t first = 0;
    std::vector<float> values;
    region.weights(i, first, values);
    const Spines spines = region.spines(i);
    std::vector<std::uint32_t> sources;
    if (with_sources || region.plastic_projections()[i].structural) sources = region.sources(i);
    const RowsHeader header{i, first, values.size(), sources.size(), spines.state.size()};
    append(&header, sizeof header);
    append(values.data(), values.size() * sizeof(float));
    append(sources.data(), sources.size() * sizeof(std::uint32_t));
    append(spines.formed_day.data(), spines.formed_day.size() * sizeof(float));
    append(spines.state.data(), spines.state.size());
  }
  return message;
}

void put_weights(const Bytes& message, RegionRecorder& recorder) {
  std::size_t at = 0;
  const auto take = [&](auto& values, std::size_t count) {
    values.resize(count);
    const std::size_t bytes = count * sizeof(values[0]);
    copy_bytes(message, at, values.data(), bytes);
    at += bytes;
  };
  while (at < message.size()) {
    RowsHeader header{};
    copy_bytes(message, at, &header, sizeof header);
    at += sizeof header;
    std::vector<float> values;
    std::vector<std::uint32_t> sources;
    Spines spines;
    take(values, header.values);
    take(sources, header.sources);
    take(spines.formed_day, header.spines);
    take(spines.state, header.spines);
    recorder.put_weights(header.projection, static_cast<std::uint32_t>(header.first), values,
                         sources, spines);
  }
}

std::vector<double> body_values(const TrialRecord& record) {
  std::vector<double> values = {static_cast<double>(record.block),
                                record.target_deg,
                                record.second < 0 ? std::numeric_limits<double>::quiet_NaN()
                                                  : static_cast<double>(record.second),
                                record.rotation_deg,
                                record.angle_third_deg,
                                record.angle_end_deg,
                                record.cursor_deg,
                                record.error_deg,
                                record.reward,
                                record.punishment,
                                record.reached ? 1.0 : 0.0,
                                record.movement_ms,
                                record.path_m,
                                record.peak_speed_m_s,
                                static_cast<double>(record.fingers)};
  // From the thumb on, as digits are counted.
  values.insert(values.end(), record.finger_hz.rbegin(), record.finger_hz.rend());
  values.insert(values.end(), record.finger_deg.rbegin(), record.finger_deg.rend());
  values.push_back(record.individuation);
  values.push_back(record.asked_individuation);
  return values;
}

std::vector<TractLesion> lesions_of(const Subject& subject) {
  std::vector<TractLesion> lesions;
  for (std::size_t i = 0; i < atlas().size(); ++i) {
    const TractState state = subject.brain.tracts.state[i];
    if (state == TractState::intact) continue;
    const auto kind =
        state == TractState::cut ? TractLesion::Kind::cut : TractLesion::Kind::shuffle;
    lesions.push_back({std::string(atlas()[i].name), kind, subject.seed});
  }
  return lesions;
}

}  // namespace

MemberRun::MemberRun(Communicator& world, const Placement& placement, std::size_t index,
                     const Subject& subject)
    : world_(world),
      placement_(placement),
      index_(index),
      schedule_(subject.schedule),
      trial_ms_(subject.body.trial_ms),
      trials_(trials_of(schedule_)) {
  std::vector<RegionPorts> ports;
  for (const HostedSlice& place : placement.hosted_by(world.rank())) {
    Hosted hosted{place,
                  make_region(place.region, subject, {.index = place.slice, .count = place.slices}),
                  std::nullopt};
    const Region& region = *hosted.region;
    body_ = body_ != nullptr ? body_ : dynamic_cast<const Body*>(&region);
    cortex_ = cortex_ != nullptr ? cortex_ : dynamic_cast<Cortex*>(hosted.region.get());
    if (place.slice == 0 && !region.populations().empty()) {
      hosted.observer.emplace(region, subject.body);
    }
    ports.push_back({std::string(region.name()),
                     {region.inputs().begin(), region.inputs().end()},
                     {region.outputs().begin(), region.outputs().end()}});
    hosted_.push_back(std::move(hosted));
  }
  exchange_ = std::make_unique<Exchange>(world, placement, atlas(), gather_ports(world, ports),
                                         lesions_of(subject));
}

bool MemberRun::between_blocks() const {
  return between_trials() && trials_done() > 0 &&
         (trials_done() == trials_ || place_of(schedule_, trials_done()).within == 0);
}

Task MemberRun::task_at(Step t) const {
  return schedule_[place_of(schedule_, t / trial_ms_).block].task;
}

std::optional<std::size_t> MemberRun::block_to_begin() const {
  if (!between_trials() || trials_done() == trials_) return std::nullopt;
  const TrialPlace place = place_of(schedule_, trials_done());
  if (place.within > 0) return std::nullopt;
  return place.block;
}

std::vector<const Region*> MemberRun::regions() const {
  std::vector<const Region*> regions;
  for (const Hosted& hosted : hosted_) {
    if (hosted.place.slice == 0) regions.push_back(hosted.region.get());
  }
  return regions;
}

void MemberRun::treat(const CellLoss& loss, const Drug& drug) {
  for (const Hosted& hosted : hosted_) {
    hosted.region->lose_cells(loss);
    hosted.region->medicate(drug);
  }
}

std::vector<TractTraffic> MemberRun::traffic() const {
  std::vector<TractTraffic> tracts = exchange_->traffic();
  for (std::size_t i = 0; i < probe_traffic_.size(); ++i) {
    tracts[i].spikes -= probe_traffic_[i].spikes;
    tracts[i].messages -= probe_traffic_[i].messages;
    tracts[i].bytes -= probe_traffic_[i].bytes;
  }
  return tracts;
}

void MemberRun::begin_probe(std::uint32_t stream) {
  exchange_->quiesce();
  probe_from_ = step();
  traffic_before_probe_ = traffic();
  before_probe_.assign(hosted_.size(), {});
  for (std::size_t i = 0; i < hosted_.size(); ++i) {
    hosted_[i].region->save(before_probe_[i]);
    exchange_->save(hosted_[i].place.region, before_probe_[i]);
    hosted_[i].region->set_rest(stream);
  }
}

void MemberRun::end_probe() {
  exchange_->quiesce();
  for (std::size_t i = 0; i < hosted_.size(); ++i) {
    hosted_[i].region->set_rest(0);
    hosted_[i].region->load(before_probe_[i]);
    exchange_->load(hosted_[i].place.region, probe_from_, before_probe_[i]);
  }
  before_probe_.clear();
  const std::vector<TractTraffic> now = traffic();
  if (probe_traffic_.empty()) probe_traffic_.resize(now.size());
  for (std::size_t i = 0; i < now.size(); ++i) {
    probe_traffic_[i].spikes += now[i].spikes - traffic_before_probe_[i].spikes;
    probe_traffic_[i].messages += now[i].messages - traffic_before_probe_[i].messages;
    probe_traffic_[i].bytes += now[i].bytes - traffic_before_probe_[i].bytes;
  }
}

void MemberRun::advance_regions() {
  const Step t = step();
  exchange_->receive(t);
  for (Hosted& hosted : hosted_) {
    const std::string_view name = hosted.place.region;
    if (t % trial_ms_ == 0) hosted.region->begin_count();
    hosted.region->advance(t, exchange_->inbox(name), exchange_->outbox(name),
                           exchange_->peers(name));
  }
  exchange_->send(t);
}

void MemberRun::advance(Recording& recording) {
  const Step t = step();
  advance_regions();
  // After sending, so that no other rank waits for it.
  const Step in_trial = t % trial_ms_;
  for (Hosted& hosted : hosted_) {
    if (hosted.observer) {
      if (in_trial == 0) hosted.observer->begin_trial(task_at(t));
      hosted.observer->step(in_trial, *hosted.region);
    }
    if (hosted.place.slice == 0) recording.step(t, *hosted.region);
  }
}

std::vector<double> MemberRun::trial_values() {
  const int root = placement_.ranks_of("body")[0];
  double target = body_ != nullptr ? body_->record().target_deg : 0;  // the body alone knows it
  Bytes message(sizeof target);
  std::memcpy(message.data(), &target, sizeof target);
  world_.broadcast("target", root, message);
  copy_bytes(message, 0, &target, sizeof target);
  std::vector<double> mine;
  for (const Hosted& hosted : hosted_) {
    if (!hosted.observer) continue;
    const std::vector<double> values = hosted.observer->values(target);
    mine.insert(mine.end(), values.begin(), values.end());
  }
  const std::vector<Bytes> all = world_.gather("trial", root, as_bytes(mine));
  if (world_.rank() != root) return {};

  std::vector<double> values = body_values(body_->record());
  std::vector<std::size_t> taken(all.size(), 0);  // bytes, by rank
  for (const std::string_view region : region_names()) {
    // Every rank has sent its regions in this order.
    const auto rank = static_cast<std::size_t>(placement_.ranks_of(region)[0]);
    std::vector<double> theirs(observation_columns(region).size());
    const std::size_t bytes = theirs.size() * sizeof(double);
    copy_bytes(all[rank], taken[rank], theirs.data(), bytes);
    taken[rank] += bytes;
    values.insert(values.end(), theirs.begin(), theirs.end());
  }
  return values;
}

void MemberRun::record_activity(Recording& recording) {
  for (const std::string_view name : region_names()) {
    if (name == "body") continue;
    const auto ranks = placement_.ranks_of(name);
    std::vector<energy::Activity> mine;  // of populations, then by place
    std::size_t populations = 0;
    for (const Hosted& hosted : hosted_) {
      if (hosted.place.region != name) continue;
      mine = hosted.region->activity();
      populations = mine.size();
      const auto by_place = hosted.region->activity_by_place();
      mine.insert(mine.end(), by_place.begin(), by_place.end());
    }
    RegionRecorder* recorder = recording.recorder(name);
    if (ranks.size() > 1) {
      const std::vector<Bytes> all =
          world_.gather("activity", ranks[0], std::as_bytes(std::span(mine)));
      if (recorder == nullptr) continue;
      std::fill(mine.begin(), mine.end(), energy::Activity{});
      for (const Bytes& message : all) {
        std::vector<energy::Activity> theirs(message.size() / sizeof(energy::Activity));
        copy_bytes(message, 0, theirs.data(), message.size());
        for (std::size_t p = 0; p < theirs.size(); ++p) mine[p] += theirs[p];
      }
    }
    if (recorder == nullptr) continue;
    const std::span<const energy::Activity> all(mine);
    recorder->trial(index_, trials_done() - 1, all.first(populations), all.subspan(populations));
  }
}

void MemberRun::snapshot(Recording& recording) {
  const bool with_sources = step() == 0;
  for (const std::string_view name : region_names()) {
    const auto ranks = placement_.ranks_of(name);
    Bytes mine;
    for (const Hosted& hosted : hosted_) {
      if (hosted.place.region == name) mine = pack_weights(*hosted.region, with_sources);
    }
    // A region that is not split needs no other rank.
    const std::vector<Bytes> all = ranks.size() == 1 ? std::vector<Bytes>{std::move(mine)}
                                                     : world_.gather("weights", ranks[0], mine);
    RegionRecorder* recorder = recording.recorder(name);
    if (recorder == nullptr) continue;
    recorder->begin_snapshot(index_, trials_done(), step());
    for (const Bytes& message : all) put_weights(message, *recorder);
    recorder->end_snapshot();
  }
}

void MemberRun::save(const std::filesystem::path& checkpoint) const {
  for (const Hosted& hosted : hosted_) {
    const HostedSlice& place = hosted.place;
    CheckpointWriter writer(std::string(place.region), place.slice, place.slices);
    hosted.region->save(writer);
    exchange_->save(place.region, writer);
    if (hosted.observer) hosted.observer->save(writer);
    writer.write(checkpoint);
  }
}

void MemberRun::load(const std::filesystem::path& checkpoint, Step t) {
  for (Hosted& hosted : hosted_) {
    CheckpointReader reader(checkpoint, std::string(hosted.place.region));
    hosted.region->load(reader);
    exchange_->load(hosted.place.region, t, reader);
    if (hosted.observer) hosted.observer->load(reader, task_at(t));
    // The observer's state is read where the first slice is.
    if (hosted.place.slice != 0) continue;
    const std::vector<std::string> unread = reader.unread();
    if (!unread.empty()) {
      throw std::runtime_error(checkpoint.string() + ": " + std::string(hosted.place.region) +
                               " has state that this version does not know ('" + unread.front() +
                               "'); resume with the version of Quartet that began the run");
    }
  }
}

}  // namespace quartet
