/// How many cells every population has, and who sends how often: what regions must know of each
/// other to build their tracts. One table for the whole brain. Numbers are chosen, far below any
/// animal's; only their order is anatomy's (many granule cells, few Purkinje cells).
#pragma once

#include <cstdint>

#include "models/connectivity.hpp"
#include "models/math.hpp"
#include "models/muscle.hpp"

namespace quartet {

inline constexpr std::uint32_t kCortexSubsteps = 4;  ///< dt .25 ms
inline constexpr std::uint32_t kCerebellumSubsteps = 2;
inline constexpr std::uint32_t kBasalGangliaSubsteps = 2;
inline constexpr std::uint32_t kThalamusSubsteps = 2;

/// Muscles of the body (sheet.hpp lists them): of the arm, a flexor of each finger, and two more.
inline constexpr int kArmMuscles = 6;
inline constexpr int kFingers = finger_count;
inline constexpr int kMuscles = kArmMuscles + kFingers + 2;
inline constexpr int kFace = kMuscles - 1;

inline constexpr std::uint32_t kZones = 8;      ///< cerebellar microzones, one per 45° of error
inline constexpr std::uint32_t kChannels = 24;  ///< action channels, one per 15°

/// The scale at which weights and drives are tuned. Larger brains keep the numbers of partners and
/// contacts that cells have at it (connectivity.hpp).
inline constexpr double kReferenceScale = 0.5;

/// The motor sheet, in units of about .8 mm of cortex (assumed).
inline constexpr double kSheetWidth = 18, kSheetHeight = 6;

struct Sizes {
  explicit Sizes(double scale)
      : ppc(cells(192, scale, 8)),
        ppc_cursor(cells(192, scale, 8)),
        task_error(cells(192, scale, 8)),
        proprio(cells(192, scale, 8)),
        felt(cells(192, scale, 8)),
        pre_pmd(cells(192, scale, 8)),
        pmd(cells(256, scale, 8)),
        pmd_inhibitory(cells(64, scale, 8)),
        pmd_chooser(cells(64, scale, 8)),
        pmv(grouped(40, scale, finger_count)),
        sts(grouped(40, scale, finger_count)),
        pfg(grouped(40, scale, finger_count)),
        finger_inhibitory(cells(64, scale, 8)),
        s1(grouped(40, scale, kMuscles)),
        l23e(sheet(2400, scale)),
        pv(sheet(500, scale)),
        som(sheet(350, scale)),
        ngf(sheet(200, scale)),
        l5it(sheet(600, scale)),
        l5pt(sheet(1300, scale)),
        l6ct(sheet(500, scale)),
        mossy(cells(240, scale, 8)),
        granule(cells(4000, scale, 8)),
        golgi(cells(48, scale, 8)),
        mli(grouped(24, scale, kZones)),
        purkinje(grouped(32, scale, kZones)),
        dcn(grouped(24, scale, kZones)),
        olive(purkinje),
        cursor(cells(192, scale, 8)),
        predicted(cells(192, scale, 8)),
        reward_report(cells(64, scale, 8)),
        d1(grouped(16, scale, kChannels)),
        d2(grouped(16, scale, kChannels)),
        fsi(cells(48, scale, 8)),
        tan(kChannels * 3),
        gpe(grouped(4, scale, kChannels)),
        stn(grouped(2, scale, kChannels)),
        gpi(grouped(8, scale, kChannels)),
        // Dopamine is one number for the brain, the mean of these cells: their noise teaches noise.
        snc(cells(240, scale, 4)),
        mesocortical(cells(60, scale, 4)),
        striosome(cells(64, scale, 8)),
        outcome(cells(64, scale, 8)),
        reward(cells(64, scale, 8)),
        habenula(cells(64, scale, 8)),
        ppn(cells(64, scale, 8)),
        instruction(cells(80, scale, 8)),
        vl(grouped(60, scale, kZones)),
        va(grouped(8, scale, kChannels)),
        trn(cells(160, scale, 8)) {}

  // Cortex: parietal target, cursor and task error; the felt hand; premotor strategy, aim and
  // fingers; seen and meant movements of fingers; touch and muscles at rest; motor sheet.
  Cells ppc, ppc_cursor, task_error, proprio, felt, pre_pmd, pmd, pmd_inhibitory, pmd_chooser, pmv,
      sts, pfg, finger_inhibitory, s1;
  SheetLayout l23e, pv, som, ngf, l5it, l5pt, l6ct;
  // Cerebellum and its inputs.
  Cells mossy, granule, golgi, mli, purkinje, dcn, olive, cursor, predicted, reward_report;
  // Basal ganglia. The first dopamine cells also reach the motor sheet (mesocortical), as a part of
  // them does (Hosp et al. 2011); how many is chosen.
  Cells d1, d2, fsi, tan, gpe, stn, gpi, snc, mesocortical, striosome, outcome, reward, habenula,
      ppn, instruction;
  // Thalamus.
  Cells vl, va, trn;

 private:
  static std::uint32_t rounded(double cells, std::uint32_t multiple) {
    const auto groups = static_cast<std::uint32_t>(cells / multiple + 0.5);
    return (groups == 0 ? 1 : groups) * multiple;
  }
  static Cells cells(double at_scale_1, double scale, std::uint32_t multiple) {
    return {rounded(at_scale_1 * scale, multiple), rounded(at_scale_1 * kReferenceScale, multiple)};
  }
  static Cells grouped(double in_group, double scale, std::uint32_t groups) {
    return {groups * rounded(in_group * scale, 1), groups * rounded(in_group * kReferenceScale, 1)};
  }
  static SheetLayout sheet(double at_scale_1, double scale) {
    return SheetLayout::with_cells(at_scale_1 * scale, kSheetWidth, kSheetHeight,
                                   at_scale_1 * kReferenceScale);
  }
};

/// Direction of the error that a microzone's climbing fibres stand for, degrees.
inline double zone_direction(std::uint32_t zone) { return 360.0 * zone / kZones; }
/// Direction of the aim of an action channel, degrees.
inline double channel_direction(std::uint32_t channel) {
  return 360.0 * (channel + 0.5) / kChannels;
}

/// Positive part of the cosine between two directions.
inline double direction_overlap(double a_deg, double b_deg) {
  const double overlap = math::cos(math::radians(a_deg - b_deg));
  return overlap > 0 ? overlap : 0.0;
}

/// Drive of cells that report an event, such as a reward: about 70 Hz while it lasts (chosen).
inline constexpr double kEventMv = 26.0;

/// Values of the body's "senses" port.
namespace sense {
enum : std::uint32_t {
  target_on,  ///< 1 while the target is seen
  target_x,   ///< unit vector from the start to the target
  target_y,
  second_on,  ///< 1 while a second target is seen
  second_x,   ///< unit vector from the start to it
  second_y,
  cursor_on,  ///< 0 … 1: how far out a seen cursor is (1 from a third of the distance)
  cursor_x,   ///< unit vector from the start to the seen cursor
  cursor_y,
  outcome,        ///< 1 while the trial's outcome is being shown, good or bad
  reward,         ///< 1 while a reward is given
  punishment,     ///< 1 while a punishment is given
  aim_at_target,  ///< 1 while the instruction holds to use no strategy (Block::instruction)
  learning,       ///< 0 freezes plasticity (Block::learning)
  finger,         ///< little finger: 1 while a cue asks it to move; thumb: finger + 4
  hand_on = finger + finger_count,  ///< 0 … 1: how far out the hand is felt to be, as cursor_on
  hand_x,                           ///< unit vector from the start to the felt hand
  hand_y,
  seen_finger,  ///< little finger: 0 … 1, how far one is seen to bend, of whatever hand; thumb: + 4
  afferent =
      seen_finger + finger_count,  ///< shoulder flexor: 1 while nerves report of it, at rest; face:
                                   ///< + 12, in the order of kMuscleFields
  /// little finger: 1 while it is shown that it is to move, from the cue to the end of the outcome
  /// (of the movement, where no outcome is shown); thumb: + 4
  instructed_finger = afferent + kMuscles,
  count = instructed_finger + finger_count
};
}

}  // namespace quartet
