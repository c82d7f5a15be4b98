/// The virtual laboratory: the protocols by which a probe (models/probe.hpp) stimulates the motor
/// sheet of a resting subject, and the motor-evoked potentials (MEPs) that it measures.
///
/// A MEP of a muscle is the corticospinal output that pulls at it within 10 ms after the test
/// pulse: spikes of layer 5 PT cells weighted by the muscle's field (regions/sheet.hpp), per cell.
/// It is taken in cortex, linear, without the recruitment of motoneurons. What the same cells send
/// at rest (`background`) is measured in the 100 ms before the first pulse and taken off wherever a
/// protocol needs the response.
///
/// - Resting motor threshold (RMT): the lowest intensity, on a ladder of .01, at which 5 of 10
///   pulses give a response above the probe's criterion (Rossini et al. 1994), found by bisection;
///   or given.
/// - recruitment: pulses at multiples of the RMT.
/// - paired_pulse: the test pulse has the lowest intensity whose mean response is `test_size`,
///   sought anew in every brain as its RMT is, so that brains are compared at the same operating
///   point (Kujirai et al. 1993); test pulses alone and after conditioning pulses take turns.
/// - surround: test pulses as for paired pulses, at rest, while other fingers begin to move, and
///   that movement without a pulse take turns (Sohn & Hallett 2004, Exp Brain Res 158:397).
/// - intention: no pulse; each of the moving fingers is asked to move, in another order in every
///   sweep, and the record of kMepMs begins onset_ms later. What is intended can be decoded from it
///   (runs/analysis/tms.py).
/// - polarization: sweeps over the polarisations of the sheet, forth and back.
/// - map: sweeps over a grid of sites, centred on the sheet.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

#include "models/probe.hpp"
#include "regions/sheet.hpp"

namespace quartet {

inline constexpr std::int64_t kBackgroundMs = 100, kMepMs = 10, kVolleyMs = 25;
inline constexpr std::uint32_t kVolleyBins = kVolleyMs * kCortexSubsteps;

/// One trial of stimulation: a test pulse (of intensity 0: none), after a conditioning pulse or
/// into a movement or alone.
struct Stimulus {
  double x = 0, y = 0;   ///< site, sheet units
  double intensity = 0;  ///< of the test pulse, in thresholds of layer 2/3 axons
  /// Of the conditioning pulse, likewise, and from it to the test pulse; NaN: there is none.
  double conditioning = std::numeric_limits<double>::quiet_NaN();
  double interval_ms = std::numeric_limits<double>::quiet_NaN();
  double polarization_mv = 0;  ///< of the sheet's pyramidal cells, on top of the block's
  /// For how long before the test pulse the probe's `moving` fingers are asked to move, whole ms;
  /// NaN: they are not.
  double onset_ms = std::numeric_limits<double>::quiet_NaN();
  int digit = 0;  ///< the only one of them that is asked; 0: all
};

/// What follows, in spikes per corticospinal cell.
struct Response {
  std::array<double, kMuscles> mep{};         ///< per muscle, within kMepMs after the test pulse
  std::array<double, kMuscles> background{};  ///< expected in so long a time at rest
  /// Of the probe's muscle, per substep from the test pulse on: direct and indirect waves.
  std::array<double, kVolleyBins> volley{};

  double above_rest(std::size_t muscle) const { return mep[muscle] - background[muscle]; }
};

/// What is stimulated.
class Preparation {
 public:
  virtual ~Preparation() = default;
  virtual Response respond(const Stimulus& stimulus) = 0;
};

/// What a trial of stimulation was for.
enum class Stage {
  threshold,
  test_size,
  recruitment,
  unconditioned,
  conditioned,
  map,
  polarization,
  surround_rest,
  surround_moving,
  surround_silent,  ///< moving, without a pulse
  intention,
};
inline constexpr const char* kStageNames[] = {
    "threshold",    "test_size",     "recruitment",     "unconditioned",   "conditioned", "map",
    "polarization", "surround_rest", "surround_moving", "surround_silent", "intention"};

struct StimulationTrial {
  Stage stage = Stage::threshold;
  Stimulus stimulus;
  Response response;
};

/// What a probe found.
struct Findings {
  double rmt = std::numeric_limits<double>::quiet_NaN();  ///< NaN: there is none
  std::vector<StimulationTrial> trials;
};

/// Number of the muscle `name` in kMuscleFields; −1 where there is none.
int muscle_index(std::string_view name);

/// Carries out `probe`, whose kind is not none. What asks for a threshold, or a size of the test
/// response, that no intensity up to 3 gives is left out.
Findings carry_out(const Probe& probe, Preparation& preparation);

}  // namespace quartet
