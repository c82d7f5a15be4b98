#include "runs/brain_at_rest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runs/signals.hpp"

namespace quartet {
namespace {

std::int64_t substeps_of(double ms) { return std::llround(ms * kCortexSubsteps); }

}  // namespace

BrainAtRest::BrainAtRest(Communicator& world, int root, MemberRun& member, const Probe& probe,
                         double polarization_mv, double scale, std::uint32_t stream)
    : world_(world),
      root_(root),
      member_(member),
      probe_(probe),
      polarization_mv_(polarization_mv),
      stream_(stream),
      muscle_(static_cast<std::size_t>(muscle_index(probe.muscle))),
      share_(field_shares(Sizes(scale).l5pt)) {
  stop_if_asked();
  for (std::int64_t t = 0; t < probe.settle_ms; ++t) member.advance_probe();
}

void BrainAtRest::stop_if_asked() {
  std::int64_t asked = stop_requested() ? 1 : 0;
  world_.all_reduce_max("stop in a probe", {&asked, 1});
  if (asked != 0) throw ProbeStopped();
}

Response BrainAtRest::respond(const Stimulus& stimulus) {
  stop_if_asked();
  const std::int64_t begin = member_.step() * kCortexSubsteps;
  const std::int64_t first = begin + substeps_of(kBackgroundMs);
  std::int64_t test = first;
  Pulse pulse{.stimulator = probe_.stimulator,
              .x = stimulus.x,
              .y = stimulus.y,
              .width = probe_.width,
              .intensity = stimulus.conditioning,
              .stream = stream_,
              .substep = first};
  std::vector<Pulse> pulses;
  if (!std::isnan(stimulus.interval_ms)) {
    test += substeps_of(stimulus.interval_ms);
    pulses.push_back(pulse);
  }
  const bool moves = !std::isnan(stimulus.onset_ms);
  const std::vector<double> moving = stimulus.digit == 0
                                         ? probe_.moving
                                         : std::vector<double>{static_cast<double>(stimulus.digit)};
  if (moves) test += substeps_of(stimulus.onset_ms);
  pulse.intensity = stimulus.intensity;
  pulse.substep = test;
  if (pulse.intensity > 0) pulses.push_back(pulse);

  if (Cortex* cortex = member_.cortex())
    cortex->polarize(polarization_mv_ + stimulus.polarization_mv);

  Response response;
  const std::int64_t last =
      test + substeps_of(
                 std::max<double>(kVolleyMs, static_cast<double>(probe_.every_ms - kBackgroundMs)));
  while (member_.step() * kCortexSubsteps < last) {
    const std::int64_t now = member_.step() * kCortexSubsteps;
    if (Cortex* cortex = member_.cortex()) {
      const bool asked = moves && now >= first && now < test + kVolleyBins;
      cortex->ask_fingers(asked ? std::span<const double>(moving) : std::span<const double>{});
      for (const Pulse& due : pulses)
        if (due.substep >= now && due.substep < now + kCortexSubsteps) cortex->stimulate(due);
    }
    member_.advance_probe();
    if (world_.rank() != root_) continue;
    for (const Spike& spike : member_.cortex()->corticospinal()) {
      const std::int64_t at = now + spike.substep;
      const std::array<double, kMuscles>& share = share_[spike.id];
      const bool in_background = at < first;
      const bool in_mep = at >= test && at < test + substeps_of(kMepMs);
      for (std::size_t m = 0; m < share.size(); ++m) {
        if (in_background) response.background[m] += share[m] * kMepMs / kBackgroundMs;
        if (in_mep) response.mep[m] += share[m];
      }
      if (at >= test && at < test + kVolleyBins)
        response.volley[static_cast<std::size_t>(at - test)] += share[muscle_];
    }
  }
  static_assert(std::is_trivially_copyable_v<Response>);
  Bytes bytes(sizeof response);
  std::memcpy(bytes.data(), &response, sizeof response);
  world_.broadcast("response", root_, bytes);
  std::memcpy(&response, bytes.data(), sizeof response);
  return response;
}

}  // namespace quartet
