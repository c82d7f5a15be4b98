/// The atlas: every tract between regions, with what it carries and its conduction delay.
#pragma once

#include <span>
#include <string_view>

#include "models/signal.hpp"

namespace quartet {

/// A tract from an output port of one region to an input port of another. A signal sent in
/// timestep t arrives in timestep t + delay: conduction delay of `delay` ms, to which a projection
/// inside the target adds its own, if it has one (PMd_Predicted in the cerebellum).
struct Tract {
  std::string_view name;      ///< "dcn_to_thalamus", unique; the input port carries this name
  std::string_view from;      ///< region
  std::string_view out_port;  ///< output port of `from`
  std::string_view to;        ///< region; its input port has the tract's name
  int delay_ms;               ///< ≥ 2
  std::string_view source;    ///< where the delay comes from
};

/// Names of the five regions in the order in which placement counts them.
std::span<const std::string_view> region_names();
/// All tracts, in the order in which messages carry them.
std::span<const Tract> atlas();

}  // namespace quartet
