/// Body: motor pools, a planar arm with six muscles, five fingers, delayed vision, and the task
/// machine that runs the schedule. Never split.
///
/// Corticospinal spikes reach motor pools through the sheet's muscle fields; a pool above its
/// threshold excites its muscle. Every trial starts with the hand brought to the start position; a
/// robot holds it there, lets go at the go signal, and catches it when it has travelled the
/// target's distance. In trials of finger movements and of rest it holds the hand throughout. The
/// body sends what is seen (target, cursor, cue to move fingers, outcome, reward), where the hand
/// is felt to be, as late as what is seen (chosen), which parts' nerves report anything at all, and
/// whether plasticity is on; it sends no error.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "models/arm.hpp"
#include "models/parameters.hpp"
#include "models/random.hpp"
#include "models/task.hpp"
#include "regions/region.hpp"
#include "regions/sheet.hpp"
#include "regions/sizes.hpp"

namespace quartet {

struct BodyParameters {
  std::int64_t trial_ms = 850;
  std::int64_t cue_ms = 20;
  std::int64_t go_ms = 370;
  std::int64_t deadline_ms = 600;
  double distance_m = 0.10;
  std::int64_t vision_delay_ms = 60;
  std::int64_t feedback_hold_ms = 150;
  std::int64_t outcome_delay_ms = 60;
  std::int64_t outcome_ms = 100;
  double pool_tau_ms = 40.0;
  double pool_threshold_hz = 12.0;
  double pool_gain_per_hz = 0.001;
  double motor_noise = 0.0;
  ArmParameters arm;
  FingerParameters fingers;

  void visit(ParameterVisitor& v);
  /// Refuses bodies that no trial of `schedule` makes sense with: arms that cannot be, targets out
  /// of their reach, a final cursor beyond the end of the trial, an outcome that is seen only then,
  /// a target that is seen only after the go signal. Throws std::invalid_argument.
  void check(std::span<const Block> schedule) const;
};

/// What happened in a trial. Angles in degrees, counter-clockwise; NaN where nothing was reached.
struct TrialRecord {
  std::int64_t trial = -1;  ///< 0-based over the schedule
  std::int64_t block = -1;
  double target_deg = 0;  ///< as in the schedule; of two: the one that was chosen, or the first
  double rotation_deg = 0;
  /// Of two targets, 1: the second was chosen; −1: neither was, or one was shown.
  std::int64_t second = -1;
  double angle_third_deg = 0;  ///< of the hand at a third of the distance
  double angle_end_deg = 0;    ///< of the hand at the target's distance (or the deadline)
  double cursor_deg = 0;       ///< of the cursor then
  double error_deg = 0;        ///< cursor_deg − direction of the (jumped) target, for diagnosis
  bool reached = false;
  double reward = 0;       ///< 0 … 1
  double punishment = 0;   ///< 0 … 1
  double movement_ms = 0;  ///< from 5 % of the distance to its end
  double path_m = 0, peak_speed_m_s = 0;
  /// Fingers that the cue asks for, or another's hand bends, as bits from the thumb (1) to the
  /// little finger (16).
  std::int64_t fingers = 0;
  /// From when a cue at cue_ms can be seen to the movement's end, or the deadline: mean rates of
  /// the fingers' motor pools (Hz), and the most that fingers were flexed (degrees); little finger
  /// first.
  std::array<double, finger_count> finger_hz{}, finger_deg{};
  /// Of the fingers that were asked for; NaN where none were, or one of them stayed still (a miss).
  double individuation = 0;
  double asked_individuation = 0;  ///< from which on it is a hit; NaN where none were asked for
};

class Body final : public Region {
 public:
  /// `seed` is that of the subject: perturbations may be random.
  Body(const BodyParameters& parameters, std::vector<Block> schedule, double scale,
       std::uint64_t seed);

  std::string_view name() const override { return "body"; }
  std::span<const Port> inputs() const override { return inputs_; }
  std::span<const Port> outputs() const override { return outputs_; }
  std::span<const PopulationInfo> populations() const override { return {}; }
  std::span<const ProjectionInfo> plastic_projections() const override { return {}; }
  std::uint32_t substeps() const override { return 1; }
  std::uint64_t neuron_count() const override { return 0; }
  std::uint64_t synapse_count() const override { return 0; }
  void advance(Step t, const Inbox& in, Outbox& out, Peers& peers) override;
  void set_rest(std::uint32_t stream) override;
  std::span<const Spike> spikes(std::size_t) const override { return {}; }
  void weights(std::size_t, std::uint32_t&, std::vector<float>&) const override {}
  std::vector<std::uint32_t> sources(std::size_t) const override { return {}; }
  void save(StateWriter& writer) const override;
  void load(StateReader& reader) override;

  std::int64_t trial_ms() const { return parameters_.trial_ms; }
  /// The running trial; complete after its last timestep.
  const TrialRecord& record() const { return record_; }
  /// Position of the hand from the start, m.
  Vector2 hand() const;
  /// Excitation of each muscle by its motor pool, with motor noise, 0 … 1, in the order of
  /// kMuscleFields.
  std::array<double, kMuscles> excitation() const;

 private:
  template <class State, class Self>
  static void visit_state(State& state, Self& self);
  void start_trial(std::int64_t trial);
  void hold(const std::array<double, kMuscles>& u);
  void move(const std::array<double, kMuscles>& u);
  void finish(Vector2 hand, bool reached);
  void finish_fingers();
  /// Reward or punishment by the rule of the block for a hit or miss, and for a hit of so much.
  void give_outcome(bool hit, double grade);
  /// Follows pools and angles of the fingers until the trial is finished.
  void watch_fingers();
  /// The running trial's block.
  const Block& block() const { return schedule_[static_cast<std::size_t>(record_.block)]; }
  /// The same, or at rest the block that is to begin.
  const Block& block_in_force() const { return resting_ ? schedule_[rest_block_] : block(); }
  /// Distance of the cursor from the start where the hand is at `hand`, m.
  double cursor_distance(Vector2 hand) const;
  /// How far beside the target's direction the cursor still hits it, degrees.
  double zone_deg() const;
  /// Direction of the cursor, degrees.
  double cursor_direction(Vector2 hand) const;
  /// Direction of the target, which may have jumped, degrees.
  double target_direction() const;
  /// Of two targets, chooses the one nearer to the cursor.
  void choose(Vector2 hand);
  /// Position in the block's sequence, from 0.
  std::size_t step_of_sequence() const;
  /// Whether an outcome follows the trial: of a sequence, the last one.
  bool ends_sequence() const;
  /// What eyes and the outcome's signs show now, before the visual delay.
  std::array<double, sense::count> view() const;

  BodyParameters parameters_;
  std::vector<Block> schedule_;
  RandomKey noise_key_, sign_key_, finger_key_, muscle_key_, reward_key_;
  std::vector<Port> inputs_, outputs_;
  // Derived.
  std::vector<std::array<float, kMuscles>> field_;  // Hz per spike, per PT cell
  double pool_decay_ = 0;
  Vector2 start_;  // of the hand
  // Set by set_rest, not state: whether the body rests, before which block, and fingers that
  // another's hand bends then (1, else 0).
  bool resting_ = false;
  std::size_t rest_block_ = 0;
  std::array<double, finger_count> observed_{};

  // State.
  TrialRecord record_;
  ArmState arm_;
  FingerMuscles fingers_;
  std::array<double, kMuscles> pool_{};  // Hz
  std::int64_t clock_ms_ = 0;            // since the trial began
  std::int64_t within_ = 0;              // number of the trial in its block
  std::int64_t finished_ms_ = -1;        // −1: not yet
  std::int64_t onset_ms_ = -1;           // when 5 % of the distance was passed; −1: not yet
  bool third_passed_ = false;            // the choice between two targets is made
  Vector2 last_;
  // From which individuation on the next movement of each set of fingers (TrialRecord::fingers) is
  // a hit.
  std::array<double, 1 << finger_count> criterion_{};
  bool sequence_right_ = true;  // all choices of the running sequence up to now
  // Seen signals on their way: a ring of vision_delay_ms entries.
  std::vector<std::array<double, sense::count>> vision_;
};

}  // namespace quartet
