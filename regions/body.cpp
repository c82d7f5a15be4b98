#include "regions/body.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include "models/connectivity.hpp"
#include "models/math.hpp"
#include "models/random.hpp"
#include "regions/muscle_map.hpp"

namespace quartet {

namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// How long a draw of motor noise is held (chosen: shorter than muscles take to be activated).
constexpr std::int64_t kMotorNoiseMs = 20;

// Step of the individuation that shaping asks for (models/task.hpp; chosen).
constexpr double kShaping = 0.04;
// From how far on a finger is seen to bend as clearly as can be (tuned: movements of one or two
// degrees are seen, and neighbours that move a little with the finger are seen less than it; a
// fingertip then moves by .15° of what one sees at 50 cm, nine times visual acuity).
constexpr double kClearlyBentDeg = 1.0;

/// Whether the hand can be at `place` (m from the shoulder) with both joints inside their ranges.
bool can_reach(const ArmParameters& arm, Vector2 place) {
  const double l1 = arm.upper_arm_m, l2 = arm.forearm_m;
  const double square = place.x * place.x + place.y * place.y;
  const double bend = (square - l1 * l1 - l2 * l2) / (2 * l1 * l2);  // cosine of the elbow's angle
  if (!(math::detail::abs(bend) <= 1)) return false;
  const double sine = std::sqrt(1 - bend * bend);
  const double elbow = math::degrees(math::atan2(sine, bend));
  const double shoulder = math::wrap_degrees(
      math::degrees(math::atan2(place.y, place.x) - math::atan2(l2 * sine, l1 + l2 * bend)));
  return arm.elbow_min_deg <= elbow && elbow <= arm.elbow_max_deg &&
         arm.shoulder_min_deg <= shoulder && shoulder <= arm.shoulder_max_deg;
}

/// From the hand to the cursor, degrees: before it is turned, and at the ends of its turns.
std::vector<double> turns_of(const Block& block) {
  std::vector<double> turns = {0.0};
  if (block.perturbation != Perturbation::rotation) return turns;
  turns.push_back(block.rotation_deg);
  if (block.steps > 1) turns.push_back(block.rotation_end_deg);
  if (block.rotation_sign == RotationSign::random)
    for (std::size_t i = turns.size(); i-- > 1;) turns.push_back(-turns[i]);
  return turns;
}

/// Refuses targets that the hand cannot get to, nor where it has to go for a turned cursor.
void check_reach(const BodyParameters& p, std::span<const Block> schedule) {
  const Vector2 start = hand_position(p.arm, start_posture());
  const std::string of_arm =
      "the arm (body.arm.upper_arm_m, forearm_m and the ranges of its joints)";
  const auto text = [](double value) {
    std::ostringstream stream;
    stream << value;
    return stream.str();
  };
  if (!can_reach(p.arm, start))
    throw std::invalid_argument("body: the start posture, shoulder " + text(kStartShoulderDeg) +
                                " and elbow " + text(kStartElbowDeg) +
                                " degrees, is out of reach of " + of_arm +
                                "; give ranges that hold it");
  for (const Block& block : schedule) {
    if (block.task != Task::reach) continue;
    const double distance = p.distance_m / block.cursor_gain;
    for (const double target : block.targets_deg) {
      for (const double seen :
           {target, target + block.target_jump_deg, target + block.second_target_deg}) {
        for (const double turn : turns_of(block)) {
          const double angle = math::radians(seen - turn);
          if (can_reach(p.arm, {start.x + distance * math::cos(angle),
                                start.y + distance * math::sin(angle)}))
            continue;
          throw std::invalid_argument(
              "body: distance_m: a target at " + text(seen) +
              " degrees, for which the hand must go " + text(distance) + " m at " +
              text(seen - turn) + " degrees, is out of reach of " + of_arm +
              "; give a smaller body.distance_m" +
              (block.cursor_gain < 1 ? ", or a cursor_gain nearer to 1" : ""));
        }
      }
    }
  }
}

double direction_of(Vector2 v) { return math::degrees(math::atan2(v.y, v.x)); }
double length_of(Vector2 v) { return std::sqrt(v.x * v.x + v.y * v.y); }

/// A number with mean 0, SD 1 and about the given skewness: a gamma distribution as the sum of n
/// exponential ones, whose skewness is 2/√n.
double skewed(RandomKey key, std::int64_t trial, double skewness) {
  Draws draws(key, static_cast<std::uint32_t>(trial));
  if (skewness == 0) return draws.normal();
  const auto n =
      static_cast<std::uint32_t>(std::clamp(4.0 / (skewness * skewness), 1.0, 400.0) + 0.5);
  double sum = 0;
  for (std::uint32_t k = 0; k < n; ++k) sum -= math::log(draws.uniform());
  const double standard = (sum - n) / std::sqrt(static_cast<double>(n));
  return skewness < 0 ? -standard : standard;
}

/// Whether the nerves of muscle `m` conduct.
bool conducts(NerveBlock nerve_block, std::size_t m) {
  const bool arm = m < kArmMuscles, hand = !arm && m < kArmMuscles + kFingers;
  switch (nerve_block) {
    case NerveBlock::none:
      break;
    case NerveBlock::hand:
      return !hand;
    case NerveBlock::arm:
      return !hand && !arm;
    case NerveBlock::face:
      return m != kFace;
    default:
      return m != kArmMuscles + static_cast<std::size_t>(nerve_block) -
                      static_cast<std::size_t>(NerveBlock::little_finger);
  }
  return true;
}

/// Bit of a finger, counted from the little finger, in TrialRecord::fingers.
std::int64_t finger_bit(std::size_t finger) { return 16 >> finger; }

/// Fingers (TrialRecord::fingers) that the block's trial `within` asks for. In a share of trials
/// that the correlation gives, all fingers or none are asked for, or one where it is negative; in
/// the others each by a chance of its own. Shares come out nearly alike in short blocks, too: they
/// are drawn with an additive recurrence in two dimensions, of random start (Roberts 2018, "The
/// unreasonable effectiveness of quasirandom sequences").
std::int64_t asked_fingers(const Block& block, RandomKey key, std::int64_t trial,
                           std::int64_t within) {
  const auto n = static_cast<double>(block.fingers.size());
  const auto start = random_block(key, static_cast<std::uint32_t>(trial - within), 0, 1);
  const auto fraction = [&](std::uint32_t bits, double step) {
    const double x = uniform01(bits) + step * static_cast<double>(within);
    return x - std::floor(x);
  };
  const double mode = fraction(start[0], 0.7548776662466927);
  const double choice = fraction(start[1], 0.5698402909980532);
  const double rho = block.finger_correlation;
  const bool together = rho > 0 && mode < rho, one = rho < 0 && mode < -rho * (n - 1);
  Draws draws(key, static_cast<std::uint32_t>(trial));
  std::int64_t asked = 0;
  for (std::size_t k = 0; k < block.fingers.size(); ++k) {
    const double own = draws.uniform();
    const bool moves = together ? choice < 1 / n
                       : one    ? static_cast<std::size_t>(choice * n) == k
                                : own < 1 / n;
    if (moves) asked |= std::int64_t{1} << (static_cast<int>(block.fingers[k]) - 1);
  }
  return asked;
}
}  // namespace

void BodyParameters::visit(ParameterVisitor& v) {
  v.integer("trial_ms", trial_ms, {"ms", 100, 60000}, "duration of a trial");
  v.integer("cue_ms", cue_ms, {"ms", 1, 60000}, "when the target appears");
  v.integer("go_ms", go_ms, {"ms", 1, 60000},
            "when the hand is let go: the go signal, a reaction time after the target (people: "
            "200-300 ms)");
  v.integer("deadline_ms", deadline_ms, {"ms", 1, 60000},
            "when an unfinished reach is ended and the target goes");
  v.real("distance_m", distance_m, {"m", 0.01, 0.3}, "distance of the targets");
  v.integer("vision_delay_ms", vision_delay_ms, {"ms", 1, 500},
            "delay of everything that is seen (chosen: order of visual latencies in cortex)");
  v.integer("feedback_hold_ms", feedback_hold_ms, {"ms", 0, 5000},
            "how long the final cursor stays in sight (chosen)");
  v.integer("outcome_delay_ms", outcome_delay_ms, {"ms", 0, 5000},
            "from the end of the reach to its outcome (chosen)");
  v.integer("outcome_ms", outcome_ms, {"ms", 1, 5000}, "how long the outcome is shown (chosen)");
  v.real("pool_tau_ms", pool_tau_ms, {"ms", 1, 500},
         "time constant of a motor pool (chosen: smooths corticospinal spikes)");
  v.real("pool_threshold_hz", pool_threshold_hz, {"Hz", 0, 500},
         "corticospinal rate from which a motor pool fires (tuned: no movement at rest)");
  v.real("pool_gain_per_hz", pool_gain_per_hz, {"s", 0, 1},
         "muscle excitation per Hz of corticospinal rate (tuned: reaches of about 150 ms)");
  v.real("motor_noise", motor_noise, {"1", 0, 1},
         "signal-dependent noise: SD of a muscle's excitation as a fraction of it, drawn anew for "
         "each muscle every 20 ms (Harris & Wolpert 1998). Activation smooths it: the CV of a held "
         "muscle's force is .4 of this (people: .02-.05 at any force; Jones, Hamilton & Wolpert "
         "2002)");
  v.table("arm", arm, "skeleton and muscles of the arm");
  v.table("fingers", fingers, "fingers");
}

void BodyParameters::check(std::span<const Block> schedule) const {
  if (deadline_ms + feedback_hold_ms > trial_ms)
    throw std::invalid_argument(
        "body: feedback_hold_ms would show the final cursor of a slow reach beyond the end of the "
        "trial; give feedback_hold_ms at most " +
        std::to_string(trial_ms - deadline_ms) +
        " (trial_ms - deadline_ms), or trial_ms at least " +
        std::to_string(deadline_ms + feedback_hold_ms));
  const std::int64_t outcome_seen = deadline_ms + outcome_delay_ms + vision_delay_ms;
  if (outcome_seen >= trial_ms)
    throw std::invalid_argument(
        "body: the outcome of a slow reach (deadline_ms + outcome_delay_ms + vision_delay_ms = " +
        std::to_string(outcome_seen) + ") would be seen only after the trial (trial_ms = " +
        std::to_string(trial_ms) + "); give trial_ms at least " +
        std::to_string(outcome_seen + outcome_ms) + ", or a smaller vision_delay_ms");
  const std::int64_t target_seen = cue_ms + vision_delay_ms;
  const bool reaches = std::any_of(schedule.begin(), schedule.end(),
                                   [](const Block& block) { return block.task == Task::reach; });
  if (reaches && target_seen >= go_ms)
    throw std::invalid_argument("body: the target would be seen (cue_ms + vision_delay_ms = " +
                                std::to_string(target_seen) +
                                ") only after the go signal (go_ms = " + std::to_string(go_ms) +
                                "); give go_ms at least " + std::to_string(target_seen + 1) +
                                ", or a smaller vision_delay_ms");
  arm.check();
  check_reach(*this, schedule);
}

Body::Body(const BodyParameters& parameters, std::vector<Block> schedule, double scale,
           std::uint64_t seed)
    : parameters_(parameters),
      schedule_(std::move(schedule)),
      noise_key_{seed, purpose("body.rotation_noise")},
      sign_key_{seed, purpose("body.rotation_sign")},
      finger_key_{seed, purpose("body.fingers")},
      muscle_key_{seed, purpose("body.motor_noise")},
      reward_key_{seed, purpose("body.reward")} {
  const BodyParameters& p = parameters_;
  const std::int64_t shown_ms = p.deadline_ms + p.outcome_delay_ms + p.outcome_ms;
  const auto refuse_order = [&](const char* which, const char* bound, std::int64_t ms) {
    const auto text = [](std::int64_t value) { return std::to_string(value); };
    throw std::invalid_argument(
        "body: cue_ms = " + text(p.cue_ms) + ", go_ms = " + text(p.go_ms) +
        ", deadline_ms = " + text(p.deadline_ms) + " and trial_ms = " + text(p.trial_ms) +
        " must come in this order; give " + which + " at " + bound + " " + text(ms));
  };
  if (p.cue_ms > p.go_ms) refuse_order("cue_ms", "most", p.go_ms);
  if (p.go_ms >= p.deadline_ms) refuse_order("deadline_ms", "least", p.go_ms + 1);
  if (p.deadline_ms > p.trial_ms) refuse_order("trial_ms", "least", shown_ms);
  if (shown_ms > p.trial_ms)  // a recorded reward would never reach the brain
    throw std::invalid_argument(
        "body: the outcome of a slow reach (deadline_ms + outcome_delay_ms + outcome_ms) would be "
        "cut off by the end of the trial; give trial_ms at least " +
        std::to_string(shown_ms));

  const Sizes sizes(scale);
  const SheetLayout& sheet = sizes.l5pt;
  inputs_.push_back({"corticospinal", PortKind::spikes, sheet.size(), kCortexSubsteps});
  outputs_.push_back({"senses", PortKind::analog, sense::count, 1});

  // A pool's rate is the field-weighted mean rate of PT cells, low-passed.
  pool_decay_ = math::exp(-1.0 / p.pool_tau_ms);
  for (const std::array<double, kMuscles>& shares : field_shares(sheet)) {
    std::array<float, kMuscles>& rates = field_.emplace_back();
    for (std::size_t m = 0; m < kMuscles; ++m)
      rates[m] = static_cast<float>(1000.0 * (1.0 - pool_decay_) * shares[m]);
  }
  vision_.resize(static_cast<std::size_t>(p.vision_delay_ms));
  for (auto& seen : vision_) seen.fill(0.0);
  arm_ = start_posture();
  start_ = hand_position(parameters_.arm, arm_);
}

Vector2 Body::hand() const {
  const Vector2 now = hand_position(parameters_.arm, arm_);
  return {now.x - start_.x, now.y - start_.y};
}

std::array<double, kMuscles> Body::excitation() const {
  std::array<double, kMuscles> u;
  for (std::size_t m = 0; m < u.size(); ++m)
    u[m] = std::clamp((pool_[m] - parameters_.pool_threshold_hz) * parameters_.pool_gain_per_hz,
                      0.0, 1.0);
  if (!resting_ && block().task == Task::observe) u.fill(0);
  for (std::size_t m = 0; m < u.size(); ++m)
    if (!conducts(block_in_force().nerve_block, m)) u[m] = 0;
  // A function of trial and time, of which nothing has to be saved.
  for (std::size_t m = 0; parameters_.motor_noise > 0 && m < u.size(); m += 2) {
    const auto bits = random_block(muscle_key_, static_cast<std::uint32_t>(record_.trial),
                                   static_cast<std::uint32_t>(m),
                                   static_cast<std::uint64_t>(clock_ms_ / kMotorNoiseMs));
    const auto z = standard_normal_pair(bits[0], bits[1]);
    for (std::size_t k = 0; k < 2 && m + k < u.size(); ++k)
      u[m + k] = std::clamp(u[m + k] * (1 + parameters_.motor_noise * z[k]), 0.0, 1.0);
  }
  return u;
}

void Body::set_rest(std::uint32_t stream) {
  resting_ = stream != 0;
  observed_ = {};
  if (!resting_) return;
  // What is seen is the probe's, before the block whose trial comes next.
  rest_block_ = place_of(schedule_, record_.trial + 1).block;
  for (const double digit : schedule_[rest_block_].probe.observed)
    observed_[finger_of_digit(digit)] = 1;
}

void Body::start_trial(std::int64_t trial) {
  record_ = {};
  record_.trial = trial;
  const auto [b, within] = place_of(schedule_, trial);
  const Block& block = schedule_[b];
  record_.block = static_cast<std::int64_t>(b);
  record_.target_deg =
      block.targets_deg[static_cast<std::size_t>(within) % block.targets_deg.size()];
  record_.rotation_deg = rotation_on_trial(block, within);
  if (block.rotation_sign == RotationSign::random &&
      uniform01(random_block(sign_key_, static_cast<std::uint32_t>(trial), 0, 0)[0]) < 0.5)
    record_.rotation_deg = -record_.rotation_deg;
  if (block.rotation_noise_deg > 0)
    record_.rotation_deg +=
        block.rotation_noise_deg * skewed(noise_key_, trial, block.rotation_noise_skew);
  if (block.task != Task::reach) record_.target_deg = kNaN;
  const bool goes_on = b > 0 && block.finger_hit_share > 0 &&
                       block.finger_hit_share == schedule_[b - 1].finger_hit_share &&
                       block.finger_individuation == schedule_[b - 1].finger_individuation;
  if (within == 0 && !goes_on) criterion_.fill(block.finger_individuation);
  record_.individuation = record_.asked_individuation = kNaN;
  if (block.task == Task::fingers || block.task == Task::observe)
    record_.fingers = asked_fingers(block, finger_key_, trial, within);
  record_.angle_third_deg = record_.angle_end_deg = record_.cursor_deg = record_.error_deg = kNaN;
  record_.movement_ms = kNaN;
  arm_ = start_posture();
  finished_ms_ = onset_ms_ = -1;
  third_passed_ = false;
  last_ = {};
  within_ = within;
  if (!block.sequence.empty() && step_of_sequence() == 0) sequence_right_ = true;
}

double Body::cursor_distance(Vector2 hand) const { return block().cursor_gain * length_of(hand); }

double Body::zone_deg() const {
  const double radius = block().target_radius_m, distance = parameters_.distance_m;
  if (radius == 0) return block().reward_zone_deg;
  // The cursor ends on a circle about the start, which leaves the target a chord of `radius` away.
  const double half = radius / 2;
  return math::degrees(2 * math::atan2(half, std::sqrt(distance * distance - half * half)));
}

double Body::cursor_direction(Vector2 hand) const {
  switch (block().perturbation) {
    case Perturbation::clamp:
      return record_.target_deg + record_.rotation_deg;
    case Perturbation::shift:
      return direction_of(
          {block().cursor_gain * hand.x + block().shift_m, block().cursor_gain * hand.y});
    case Perturbation::none:
    case Perturbation::rotation:
      break;
  }
  return direction_of(hand) + record_.rotation_deg;
}

double Body::target_direction() const {
  return record_.target_deg + (onset_ms_ >= 0 ? block().target_jump_deg : 0.0);
}

void Body::choose(Vector2 hand) {
  if (block().second_target_deg == 0) return;
  const auto miss = [&](double target_deg) {
    return math::detail::abs(math::wrap_degrees(cursor_direction(hand) - target_deg));
  };
  const double second_deg = record_.target_deg + block().second_target_deg;
  record_.second = miss(second_deg) < miss(record_.target_deg) ? 1 : 0;
  if (record_.second == 1) record_.target_deg = second_deg;
}

void Body::finish(Vector2 hand, bool reached) {
  finished_ms_ = clock_ms_;
  record_.reached = reached;
  if (cursor_distance(hand) > 0.05 * parameters_.distance_m) {
    if (!third_passed_) choose(hand);
    record_.angle_end_deg = direction_of(hand);
    if (!third_passed_) record_.angle_third_deg = record_.angle_end_deg;
    record_.cursor_deg = math::wrap_degrees(cursor_direction(hand));
    record_.error_deg = math::wrap_degrees(record_.cursor_deg - target_direction());
  }
  if (reached && onset_ms_ >= 0) record_.movement_ms = static_cast<double>(clock_ms_ - onset_ms_);
  const double miss = math::detail::abs(record_.error_deg), zone = zone_deg();
  bool hit = reached && miss <= zone;
  if (const auto& right = block().sequence; !right.empty()) {
    const std::int64_t second = right[step_of_sequence()] == 2 ? 1 : 0;
    sequence_right_ = sequence_right_ && hit && record_.second == second;
    hit = sequence_right_ && ends_sequence();
  }
  give_outcome(hit, hit && zone > 0 ? 1 - miss / zone : 0);
}

std::size_t Body::step_of_sequence() const {
  return static_cast<std::size_t>(within_) % block().sequence.size();
}

bool Body::ends_sequence() const {
  const auto& right = block().sequence;
  return right.empty() || step_of_sequence() + 1 == right.size();
}

void Body::watch_fingers() {
  const std::int64_t from = parameters_.cue_ms + parameters_.vision_delay_ms;
  if (finished_ms_ >= 0 || clock_ms_ < from) return;
  const auto seen = static_cast<double>(clock_ms_ - from + 1);
  for (std::size_t f = 0; f < finger_count; ++f) {
    record_.finger_hz[f] += (pool_[kArmMuscles + f] - record_.finger_hz[f]) / seen;
    record_.finger_deg[f] = std::max(record_.finger_deg[f], math::degrees(fingers_.angle[f]));
  }
}

void Body::finish_fingers() {
  finished_ms_ = clock_ms_;
  if (record_.fingers == 0 || block().task == Task::observe) return;
  double least = std::numeric_limits<double>::infinity(), others = 0;
  int unasked = 0;
  for (std::size_t f = 0; f < finger_count; ++f) {
    if ((record_.fingers & finger_bit(f)) != 0) {
      least = std::min(least, record_.finger_deg[f]);
    } else {
      others += record_.finger_deg[f];
      ++unasked;
    }
  }
  const double overflow = unasked == 0 ? 0 : others / unasked;
  const double individuation = least > 0 ? std::max(-1.0, 1 - overflow / least) : kNaN;
  double& criterion = criterion_[static_cast<std::size_t>(record_.fingers)];
  const double wanted = criterion;
  const bool hit = individuation >= wanted;  // not where a finger stays still
  const double share = block().finger_hit_share;
  if (share > 0) criterion = std::clamp(wanted + kShaping * ((hit ? 1.0 : 0.0) - share), -1.0, 1.0);
  record_.individuation = individuation;
  record_.asked_individuation = wanted;
  record_.reached = least > 0;
  give_outcome(hit, hit && wanted < 1 ? (individuation - wanted) / (1 - wanted) : 0);
}

void Body::give_outcome(bool hit, double grade) {
  double reward = 0;
  switch (block().reward) {
    case RewardRule::always:
      reward = 1;
      break;
    case RewardRule::hit:
      reward = hit ? 1 : 0;
      break;
    case RewardRule::graded:
      reward = grade;
      break;
    case RewardRule::never:
    case RewardRule::none:
      break;
  }
  record_.punishment = reward > 0 || !ends_sequence() ? 0 : block().punishment;
  const bool second = record_.second == 1;
  const double chance = second ? block().second_reward_probability : block().reward_probability;
  const auto trial = static_cast<std::uint32_t>(record_.trial);
  if (uniform01(random_block(reward_key_, trial, 0, 0)[0]) >= chance) reward = 0;
  record_.reward = reward * block().reward_size * (second ? block().second_reward : 1.0);
}

void Body::hold(const std::array<double, kMuscles>& u) {
  for (std::size_t m = 0; m < kArmMuscles; ++m)
    arm_.activation[m] = activate(parameters_.arm.activation, u[m], arm_.activation[m], 0.001);
}

void Body::move(const std::array<double, kMuscles>& u) {
  const BodyParameters& p = parameters_;
  Vector2 force;
  if (const double curl = block().curl_Ns_m; curl != 0) {
    const Vector2 velocity = hand_velocity(p.arm, arm_);
    force = {curl * velocity.y, -curl * velocity.x};
  }
  step(p.arm, arm_, std::span<const double, kArmMuscles>(u.data(), kArmMuscles), 0.001, force);
  const Vector2 now = hand();
  const double radius = cursor_distance(now);
  const double moved = length_of({now.x - last_.x, now.y - last_.y});
  record_.path_m += moved;
  record_.peak_speed_m_s = std::max(record_.peak_speed_m_s, moved / 0.001);
  last_ = now;
  if (onset_ms_ < 0 && radius >= 0.05 * p.distance_m) onset_ms_ = clock_ms_;
  if (!third_passed_ && radius >= p.distance_m / 3) {
    third_passed_ = true;
    record_.angle_third_deg = direction_of(now);
    choose(now);
  }
  if (radius >= p.distance_m)
    finish(now, true);
  else if (clock_ms_ >= p.deadline_ms)
    finish(now, false);
}

std::array<double, sense::count> Body::view() const {
  const BodyParameters& p = parameters_;
  std::array<double, sense::count> seen{};
  const bool running = clock_ms_ >= p.cue_ms && finished_ms_ < 0;
  const std::int64_t since = finished_ms_ < 0 ? -1 : clock_ms_ - finished_ms_;
  const bool held = since >= 0 && since < p.feedback_hold_ms;
  const bool reaches = block().task == Task::reach;
  const bool before_outcome_ends = since < p.outcome_delay_ms + p.outcome_ms;
  const bool instructs = block().task == Task::fingers && clock_ms_ >= p.cue_ms &&
                         (block().reward == RewardRule::none ? running : before_outcome_ends);
  for (std::size_t f = 0; instructs && f < finger_count; ++f)
    if ((record_.fingers & finger_bit(f)) != 0) seen[sense::instructed_finger + f] = 1;
  for (std::size_t f = 0; running && f < finger_count; ++f) {
    const double moves = (record_.fingers & finger_bit(f)) != 0 ? 1 : 0;
    const bool observes = block().task == Task::observe;
    if (!observes) seen[sense::finger + f] = moves;
    if (observes || block().hand_in_sight == HandInSight::mirror)
      seen[sense::seen_finger + f] = moves;
    else if (block().hand_in_sight == HandInSight::own)
      seen[sense::seen_finger + f] =
          std::min(1.0, math::degrees(fingers_.angle[f]) / kClearlyBentDeg);
  }
  if (reaches && (running || held)) {
    const double target = math::radians(target_direction());
    seen[sense::target_on] = 1;
    seen[sense::target_x] = math::cos(target);
    seen[sense::target_y] = math::sin(target);
  }
  if (running && block().second_target_deg != 0 && !third_passed_) {
    const double second = math::radians(record_.target_deg + block().second_target_deg);
    seen[sense::second_on] = 1;
    seen[sense::second_x] = math::cos(second);
    seen[sense::second_y] = math::sin(second);
  }
  const Feedback feedback = block().feedback;
  const bool shown =
      feedback == Feedback::full ? running || held : feedback == Feedback::endpoint && held;
  const double radius = cursor_distance(last_);
  if (shown && radius > 0) {
    const double direction = math::radians(cursor_direction(last_));
    seen[sense::cursor_on] = std::min(1.0, 3.0 * radius / p.distance_m);
    seen[sense::cursor_x] = math::cos(direction);
    seen[sense::cursor_y] = math::sin(direction);
  }
  const double extent = length_of(last_);
  if (reaches && (running || held) && extent > 0) {
    seen[sense::hand_on] = std::min(1.0, 3.0 * extent / p.distance_m);
    seen[sense::hand_x] = last_.x / extent;
    seen[sense::hand_y] = last_.y / extent;
  }
  const bool asked =
      (reaches && ends_sequence()) || (block().task == Task::fingers && record_.fingers != 0);
  const bool outcome = asked && block().reward != RewardRule::none && since >= p.outcome_delay_ms &&
                       before_outcome_ends;
  seen[sense::outcome] = outcome ? 1 : 0;
  seen[sense::reward] = outcome ? record_.reward : 0;
  seen[sense::punishment] = outcome ? record_.punishment : 0;
  return seen;
}

void Body::advance(Step t, const Inbox& in, Outbox& out, Peers&) {
  const BodyParameters& p = parameters_;
  if (!resting_) {
    clock_ms_ = t % p.trial_ms;
    if (clock_ms_ == 0) start_trial(t / p.trial_ms);
  }
  for (double& rate : pool_) rate *= pool_decay_;
  for (const Spike& spike : in.spikes(0))
    for (std::size_t m = 0; m < pool_.size(); ++m)
      pool_[m] += static_cast<double>(field_[spike.id][m]);
  // The hand is held until the go signal, while muscles may pull, and caught at the end. At rest it
  // is held too; before the first trial there is no block then.
  const bool free = !resting_ && block().task == Task::reach && clock_ms_ >= p.go_ms;
  const auto u = excitation();
  if (free && finished_ms_ < 0)
    move(u);
  else if (resting_ || finished_ms_ < 0)
    hold(u);
  step(p.fingers, fingers_,
       std::span<const double, finger_count>(u.data() + kArmMuscles, finger_count), 0.001);
  if (!resting_) {
    watch_fingers();
    if (block().task != Task::reach && finished_ms_ < 0 && clock_ms_ >= p.deadline_ms)
      finish_fingers();
  }

  auto& slot = vision_[static_cast<std::size_t>(t % p.vision_delay_ms)];
  std::span<double> senses = out.analog(0);
  std::copy(slot.begin(), slot.end(), senses.begin());
  slot = {};
  std::copy(observed_.begin(), observed_.end(), slot.begin() + sense::seen_finger);
  // What is felt of each part at rest; later only by the tract (chosen: nothing depends on it).
  for (std::size_t m = 0; m < kMuscles; ++m)
    senses[sense::afferent + m] = conducts(block_in_force().nerve_block, m) ? 1 : 0;
  if (resting_) return;  // and the rest of `senses` stays 0: no instruction, no learning
  slot = view();
  senses[sense::aim_at_target] = block().instruction == Instruction::aim_at_target ? 1 : 0;
  senses[sense::learning] = schedule_[static_cast<std::size_t>(record_.block)].learning ? 1 : 0;
}

template <class State, class Self>
void Body::visit_state(State& state, Self& self) {
  auto& r = self.record_;
  state.shared_values("body.integers", r.trial, r.block, r.reached, self.clock_ms_,
                      self.finished_ms_, self.onset_ms_, self.third_passed_, r.second, r.fingers,
                      self.within_, self.sequence_right_);
  state.shared_values("body.reals", r.target_deg, r.rotation_deg, r.angle_third_deg,
                      r.angle_end_deg, r.cursor_deg, r.error_deg, r.movement_ms, r.path_m,
                      r.peak_speed_m_s, r.reward, r.punishment, self.last_.x, self.last_.y,
                      r.individuation, r.asked_individuation);
  const auto reals = [&](const std::string& name, auto& values) {
    state.template shared<double>("body." + name, values);
  };
  reals("criterion", self.criterion_);
  reals("finger_hz", r.finger_hz);
  reals("finger_deg", r.finger_deg);
  reals("q", self.arm_.q);
  reals("dq", self.arm_.dq);
  reals("activation", self.arm_.activation);
  reals("finger_activation", self.fingers_.activation);
  reals("finger_angle", self.fingers_.angle);
  reals("pool", self.pool_);
  for (std::size_t i = 0; i < self.vision_.size(); ++i)
    reals("vision" + std::to_string(i), self.vision_[i]);
}
void Body::save(StateWriter& writer) const { visit_state(writer, *this); }
void Body::load(StateReader& reader) { visit_state(reader, *this); }

}  // namespace quartet
