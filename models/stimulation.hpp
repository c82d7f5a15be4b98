/// Stimulation from outside, which acts on axons: a magnetic coil over the cortex (TMS) or an
/// electrode in it (intracortical microstimulation).
///
/// The field at distance d from the stimulated site is intensity · exp(−d²/2w²). An axon there is
/// recruited with probability 1/(1 + exp(−(field − threshold)/s)), s = sd·√3/π: the logistic
/// distribution of thresholds with this mean and SD. It is drawn anew for every axon and pulse, as
/// if no axon had a threshold of its own: pulses vary more than where the same axons answer each
/// time. Intensities are in units of the shipped mean threshold of layer 2/3 pyramidal axons. Which
/// axons a pulse recruits is a function of (seed, population, cell, stream and substep of the
/// pulse) alone.
///
/// Thresholds rise from fast-spiking to layer 2/3 pyramidal, neurogliaform and layer 5 axons, as
/// mechanisms of paired-pulse inhibition and of direct (D) waves ask for; their ratios are those of
/// a small network that shows all of them (.84 : 1.05 : 1.15 : 2.2, SDs .1, .2, .1, .1), not
/// measured in any cortex; somatostatin axons, thin and unmyelinated, are not reached below them
/// all. A real coil's field covers centimetres, more than this sheet of 14 × 5 mm: widths here are
/// scaled down with it.
#pragma once

#include <cstdint>

#include "models/parameters.hpp"
#include "models/random.hpp"

namespace quartet {

enum class Stimulator {
  coil,      ///< recruits axons of all kinds
  electrode  ///< recruits those of excitatory cells alone
};

struct Pulse {
  Stimulator stimulator = Stimulator::coil;
  double x = 0, y = 0;       ///< site, sheet units
  double width = 1;          ///< w, sheet units
  double intensity = 1;      ///< at the site, in thresholds of layer 2/3 axons
  std::uint32_t stream = 0;  ///< of random numbers: that of the probe
  std::int64_t substep = 0;  ///< when, in substeps from the subject's start
};

/// Mean and SD of the thresholds of a population's axons, over axons and pulses.
struct AxonThreshold {
  double mean = 1, sd = 0.1;
};

struct AxonParameters {
  AxonThreshold l23e{1.0, 0.19};
  AxonThreshold pv{0.8, 0.095};
  AxonThreshold som{2.1, 0.095};
  AxonThreshold ngf{1.1, 0.095};
  AxonThreshold l5{2.1, 0.095};  ///< L5IT, L5PT and L6CT
  double jitter = 0.03;

  void visit(ParameterVisitor& v);
};

/// Intensity of a pulse as it arrives: times 1 + jitter · a standard normal number. The same for
/// all cells.
double jittered_intensity(const Pulse& pulse, double jitter, std::uint64_t seed);

/// Probability that a pulse of `field` (at the cell) recruits an axon.
double recruitment_probability(double field, AxonThreshold threshold);

/// Field of a pulse of `intensity` at (x, y).
double field_at(const Pulse& pulse, double intensity, double x, double y);

}  // namespace quartet
