/// What all ranks must agree on before a run starts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "comm/communicator.hpp"

namespace quartet {

/// What must be equal on all ranks: (what, value), for instance ("version", "1.0.0"), ("experiment
/// digest", "5f3a…"). Values are single lines.
using Fingerprint = std::vector<std::pair<std::string, std::string>>;

/// What this build and this thread compute with: byte order, flush-to-zero.
Fingerprint float_fingerprint();

/// Compares `mine` and float_fingerprint() on all ranks; collective. Throws SharedFailure, with
/// both ranks' values and a remedy, where any two differ, and where a rank does not flush to zero.
void handshake(Communicator& communicator, const Fingerprint& mine);

}  // namespace quartet
