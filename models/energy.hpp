/// What activity costs: an energy ledger per population, in two modes, as pure functions of counts.
///
/// `rule_of_thumb`: 2 nJ per spike and nothing else. It is simple, and some 50 times what budgets
/// of the rat's cortex give; kept because it is quoted (1e6 cells, +5 spikes/s, 1 h: 36 J, .05 % of
/// the brain's 72,000 J).
///
/// `ledger`: hydrolysed ATP of spikes, released vesicles, rest and plasticity, with the numbers of
/// Howarth, Gleeson & Attwell 2012 (J Cereb Blood Flow Metab 32:1222) for the rat's cortex, which
/// revise Attwell & Laughlin 2001 (same journal, 21:1133). Their abstract states shares; ATP per
/// event is rebuilt here from these at 4 Hz, 2000 vesicles per spike and A&L's cost of rest.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace quartet::energy {

inline constexpr double kJoulePerAtp = 50e3 / 6.02214076e23;  ///< 50 kJ/mol, within a cell

inline constexpr double kRuleOfThumbJoulePerSpike = 2e-9;

// In ATP molecules.
inline constexpr double kSpike = 1.17e8;               ///< action potential; rebuilt (above)
inline constexpr double kVesiclePostsynaptic = 1.4e5;  ///< 2.8e8 per spike / 2000 vesicles
inline constexpr double kVesiclePresynaptic = 1.4e4;   ///< calcium: 2.8e7 / 2000
inline constexpr double kVesicleRecycling = 1.1e4;     ///< transmitter and vesicle: 2.2e7 / 2000
inline constexpr double kRestPerSecond = 4.44e8;       ///< neuron 3.42e8, glia 1.02e8 (A&L 2001)
/// 0.1 µm³ × 2.5e6 proteins/µm³ × 450 amino acids × 5 ATP; right within a factor of 5.
inline constexpr double kSpineBirth = 5.6e8;

inline constexpr double kReleaseProbability = 0.25;  ///< A&L 2001
/// Postsynaptic cost of an inhibitory vesicle beside an excitatory one: assumed, within .1 to .3.
/// Chloride's gradients are small.
inline constexpr double kInhibitoryCost = 0.2;
/// Plasticity as a share of transmission (pre- and postsynaptic) at synapses that can change:
/// middle of .04 to .112 of excitatory ones (Karbowski 2019, arXiv:1910.07414). Assumed to hold for
/// all of our learning rules, and for inhibitory synapses; no cost of a single change is published.
inline constexpr double kPlasticShare = 0.076;

/// Synapses on a cell of the rat, with which counts in a model of few synapses are scaled up.
/// 8000 stands for all cells for which no number is given (A&L 2001, cortex): assumed.
double true_in_degree(std::string_view population);

/// What a population did in some time, over all its cells: integers, so that slices add up to the
/// same on any placement.
struct Activity {
  std::int64_t cells = 0;  ///< alive
  std::int64_t spikes = 0;
  // Arrivals at the population's synapses, before release fails.
  std::int64_t excitatory = 0, inhibitory = 0;
  std::int64_t plastic = 0;             ///< those at synapses that can change
  std::int64_t plastic_inhibitory = 0;  ///< and of these, at inhibitory ones
  std::int64_t synapses = 0;            ///< at the start, on all cells, also removed ones
  std::int64_t formed = 0;              ///< synapses that formed, each on a spine of its own
  std::int64_t lost = 0;                ///< synapses that went

  Activity& operator+=(const Activity& other) {
    cells += other.cells;
    spikes += other.spikes;
    excitatory += other.excitatory;
    inhibitory += other.inhibitory;
    plastic += other.plastic;
    plastic_inhibitory += other.plastic_inhibitory;
    synapses += other.synapses;
    formed += other.formed;
    lost += other.lost;
    return *this;
  }
  friend bool operator==(const Activity&, const Activity&) = default;
};

enum Term : std::size_t { spikes, synapses, release, recycling, rest, plasticity, spines };
inline constexpr std::array<std::string_view, 7> kTerms = {
    "spikes", "synapses", "release", "recycling", "rest", "plasticity", "spines"};
using Ledger = std::array<double, kTerms.size()>;  ///< joules by term

/// J.
inline double rule_of_thumb(double spikes) { return kRuleOfThumbJoulePerSpike * spikes; }

/// How many synapses of an animal stand behind one of the model, where `cells` cells with
/// `in_degree` synapses each have `synapses`: those that the model leaves out are taken to be as
/// active as those it has, and to form as often. 0 for cells without any, which are driven from
/// outside and have no synaptic terms.
double upscaling(double in_degree, std::int64_t cells, std::int64_t synapses);

/// J by term over `seconds`, where every arrival counts `synapses` times.
Ledger ledger(const Activity& activity, double synapses, double seconds);

/// J of synapses, release and recycling: a stand-in for what drives blood flow. BOLD goes with
/// synaptic input somewhat more than with spikes (Logothetis et al. 2001, Nature 412:150), though
/// transmitters drive it rather than the energy used (Attwell & Iadecola 2002, Trends Neurosci
/// 25:621).
inline double transmission(const Ledger& joule) {
  return joule[Term::synapses] + joule[Term::release] + joule[Term::recycling];
}

}  // namespace quartet::energy
