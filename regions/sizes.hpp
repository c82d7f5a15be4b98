/// How many cells every population has, and who sends how often: what regions must know of each
/// other to build their tracts. One table for the whole brain. Numbers are chosen, far below any
/// animal's; only their order is anatomy's (many granule cells, few Purkinje cells).
#pragma once

#include <cstdint>

#include "models/connectivity.hpp"

namespace quartet {

inline constexpr std::uint32_t kCortexSubsteps = 4;  ///< dt .25 ms
inline constexpr std::uint32_t kCerebellumSubsteps = 2;
inline constexpr std::uint32_t kBasalGangliaSubsteps = 2;
inline constexpr std::uint32_t kThalamusSubsteps = 2;

inline constexpr std::uint32_t kZones = 8;      ///< cerebellar microzones, one per 45° of error
inline constexpr std::uint32_t kChannels = 24;  ///< action channels, one per 15°

/// The motor sheet, in units of about .8 mm of cortex (assumed).
inline constexpr double kSheetWidth = 18, kSheetHeight = 6;

struct Sizes {
  explicit Sizes(double scale)
      : ppc(rounded(192 * scale, 8)),
        pmd(rounded(256 * scale, 8)),
        pmd_inhibitory(rounded(64 * scale, 8)),
        l23e(SheetLayout::with_cells(2400 * scale, kSheetWidth, kSheetHeight)),
        pv(SheetLayout::with_cells(500 * scale, kSheetWidth, kSheetHeight)),
        som(SheetLayout::with_cells(350 * scale, kSheetWidth, kSheetHeight)),
        ngf(SheetLayout::with_cells(200 * scale, kSheetWidth, kSheetHeight)),
        l5it(SheetLayout::with_cells(600 * scale, kSheetWidth, kSheetHeight)),
        l5pt(SheetLayout::with_cells(1300 * scale, kSheetWidth, kSheetHeight)),
        l6ct(SheetLayout::with_cells(500 * scale, kSheetWidth, kSheetHeight)),
        mossy(rounded(240 * scale, 8)),
        granule(rounded(4000 * scale, 8)),
        golgi(rounded(48 * scale, 8)),
        mli(kZones * rounded(24 * scale, 1)),
        purkinje(kZones * rounded(16 * scale, 1)),
        dcn(kZones * rounded(24 * scale, 1)),
        olive(purkinje),
        cursor(rounded(192 * scale, 8)),
        predicted(rounded(192 * scale, 8)),
        d1(kChannels * rounded(16 * scale, 1)),
        d2(kChannels * rounded(16 * scale, 1)),
        fsi(rounded(48 * scale, 8)),
        tan(kChannels * 3),
        gpe(kChannels * rounded(4 * scale, 1)),
        stn(kChannels * rounded(2 * scale, 1)),
        gpi(kChannels * rounded(8 * scale, 1)),
        snc(rounded(60 * scale, 4)),
        striosome(rounded(64 * scale, 8)),
        outcome(rounded(64 * scale, 8)),
        reward(rounded(64 * scale, 8)),
        vl(kZones * rounded(60 * scale, 1)),
        va(kChannels * rounded(8 * scale, 1)),
        trn(rounded(160 * scale, 8)) {}

  // Cortex: parietal cue, premotor aim, motor sheet.
  std::uint32_t ppc, pmd, pmd_inhibitory;
  SheetLayout l23e, pv, som, ngf, l5it, l5pt, l6ct;
  // Cerebellum and its inputs.
  std::uint32_t mossy, granule, golgi, mli, purkinje, dcn, olive, cursor, predicted;
  // Basal ganglia.
  std::uint32_t d1, d2, fsi, tan, gpe, stn, gpi, snc, striosome, outcome, reward;
  // Thalamus.
  std::uint32_t vl, va, trn;

 private:
  static std::uint32_t rounded(double cells, std::uint32_t multiple) {
    const auto groups = static_cast<std::uint32_t>(cells / multiple + 0.5);
    return (groups == 0 ? 1 : groups) * multiple;
  }
};

/// Direction of the error that a microzone's climbing fibres stand for, degrees.
inline double zone_direction(std::uint32_t zone) { return 360.0 * zone / kZones; }
/// Direction of the aim of an action channel, degrees.
inline double channel_direction(std::uint32_t channel) {
  return 360.0 * (channel + 0.5) / kChannels;
}

/// Values of the body's "senses" port.
namespace sense {
enum : std::uint32_t {
  target_on,  ///< 1 while the target is seen
  target_x,   ///< unit vector from the start to the target
  target_y,
  cursor_on,  ///< 0 … 1: how far out a seen cursor is (1 from a third of the distance)
  cursor_x,   ///< unit vector from the start to the seen cursor
  cursor_y,
  outcome,   ///< 1 while the trial's outcome is being shown, good or bad
  reward,    ///< 1 while a reward is given
  learning,  ///< 0 freezes plasticity (Block::learning)
  count
};
}

}  // namespace quartet
