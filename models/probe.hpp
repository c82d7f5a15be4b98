/// What a virtual laboratory does to a resting subject before a block of trials: single and paired
/// pulses on the motor sheet and the motor-evoked potentials (MEPs) that follow. Plain data;
/// carried out by runs/laboratory.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/parameters.hpp"
#include "models/stimulation.hpp"

namespace quartet {

enum class ProbeKind {
  none,
  threshold,
  recruitment,
  paired_pulse,
  map,
  polarization,
  surround,
  intention
};

struct Probe {
  ProbeKind kind = ProbeKind::none;
  Stimulator stimulator = Stimulator::coil;
  std::string muscle = "index_finger";
  std::vector<double> site = {};
  double width = 4.0;
  std::int64_t pulses = 10;
  std::int64_t every_ms = 400;
  std::int64_t settle_ms = 600;
  double rmt = 0.0;
  double criterion = 0.1;
  std::vector<double> intensities = {0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0};
  double test_size = 0.5;
  double test_intensity = 0.0;
  std::vector<double> conditioning = {0.8};
  std::vector<double> intervals_ms = {1, 2, 3, 4, 6, 8, 10, 12, 15, 20, 30};
  std::vector<double> polarizations_mv = {-4, -2, 0, 2, 4};
  std::vector<double> observed = {};
  std::vector<double> moving = {};
  std::int64_t onset_ms = 60;
  double map_intensity = 1.2;
  double spacing = 1.0;

  void visit(ParameterVisitor& v) {
    v.choice_of(
        "kind", kind,
        {"none", "threshold", "recruitment", "paired_pulse", "map", "polarization", "surround",
         "intention"},
        "what is measured before the block's first trial, on a copy of the resting brain, which "
        "goes on unchanged: the resting motor threshold (RMT); recruitment, by pulses of "
        "`intensities`; paired_pulse: a conditioning pulse before a test pulse; map: pulses on a "
        "grid of sites; polarization: pulses of `intensities` in a sheet that is polarised by "
        "each of polarizations_mv; surround: test pulses at rest and as other fingers, those of "
        "`moving`, begin to move; intention: no pulse, but each finger of `moving` is asked to "
        "move, in another order every time, and what corticospinal cells send to all muscles is "
        "recorded, whether these still contract or not");
    v.choice_of("stimulator", stimulator, {"coil", "electrode"},
                "coil (TMS): recruits axons of all cells; electrode (intracortical "
                "microstimulation): those of excitatory cells alone");
    v.text("muscle", muscle, "muscle whose threshold and test response are sought");
    v.reals(
        "site", site, {"1", 0, 18},
        "x and y of the stimulated site, in sheet units (about .8 mm); empty: the centre of the "
        "muscle's field");
    v.real(
        "width", width, {"1", 0.05, 100},
        "SD of the stimulator's field over the sheet, in sheet units (chosen: nearly even over a "
        "muscle's field, as a real coil's; for maps about 1.5, for an electrode .3)");
    v.integer("pulses", pulses, {"1", 1, 1000}, "times that every condition is repeated");
    v.integer(
        "every_ms", every_ms, {"ms", 150, 60000},
        "from a test pulse to the next trial of stimulation (chosen: slow inhibition is over)");
    v.integer("settle_ms", settle_ms, {"ms", 0, 60000}, "rest before the first pulse");
    v.real(
        "rmt", rmt, {"1", 0, 3},
        "resting motor threshold in thresholds of layer 2/3 axons, for pulses of the same strength "
        "at another time; 0: found first, by the clinical rule");
    v.real("criterion", criterion, {"1", 0.001, 100},
           "size of a response that counts for the threshold, in spikes per corticospinal cell of "
           "the muscle (chosen: a tenth of the largest)");
    v.reals("intensities", intensities, {"1", 0, 10},
            "recruitment and polarization: of the pulses, in RMT");
    v.real("test_size", test_size, {"1", 0.01, 100},
           "paired_pulse and surround: mean response for which the test pulse's intensity is "
           "sought, in spikes per corticospinal cell (chosen: about half of the largest)");
    v.real("test_intensity", test_intensity, {"1", 0, 10},
           "paired_pulse and surround: intensity of the test pulse in RMT instead; 0: sought by "
           "test_size");
    v.reals("conditioning", conditioning, {"1", 0, 10},
            "paired_pulse: intensities of the conditioning pulse, in RMT");
    v.reals("intervals_ms", intervals_ms, {"ms", 0.25, 1000},
            "paired_pulse: from the conditioning to the test pulse, multiples of .25 ms");
    v.reals("polarizations_mv", polarizations_mv, {"mV", -50, 50},
            "polarization: of the sheet's pyramidal cells, on top of the block's polarization_mv, "
            "from the end of the trial of stimulation before");
    v.reals("observed", observed, {"1", 1, 5},
            "digits that another's hand is seen to bend during the whole probe, with "
            "brain.cortex.observation.connected");
    v.reals("moving", moving, {"1", 1, 5},
            "surround and intention: digits that premotor cells ask to move, from onset_ms before "
            "the test pulse, or the record of 10 ms, on; intention: one at a time");
    v.integer("onset_ms", onset_ms, {"ms", 1, 300},
              "surround and intention: from when premotor cells are driven to the test pulse "
              "(chosen: the first spikes of the movement have left, as at the onset of EMG)");
    v.real("map_intensity", map_intensity, {"1", 0, 10}, "map: of the pulses, in RMT");
    v.real("spacing", spacing, {"1", 0.25, 6},
           "map: of the grid of sites, in sheet units; the grid is centred on the sheet, as large "
           "as fits");
  }
};

}  // namespace quartet
