/// Signals that regions exchange: what a timestep's spikes and analog values look like.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quartet {

/// Index of a timestep of 1 ms. Timestep t covers the half-open interval (t, t+1] ms.
using Step = std::int64_t;

/// One spike within a timestep.
struct Spike {
  /// Index of the cell within its port (tract) or its population (recurrent), over all slices.
  std::uint32_t id;
  /// Substep of the sender, 0 … substeps−1: the spike is stamped t + (substep + 1)·dt.
  std::uint32_t substep;

  friend bool operator==(const Spike&, const Spike&) = default;
};

/// Canonical order of spikes: by substep, then by id. All merged lists are in this order, so
/// what a receiver does never depends on how the sender was split.
inline bool operator<(const Spike& a, const Spike& b) {
  return a.substep != b.substep ? a.substep < b.substep : a.id < b.id;
}

enum class PortKind {
  spikes,  ///< ids and substeps of cells
  analog   ///< `size` doubles a timestep, held until the next
};

/// A named way out of, or into, a region. Atlas tracts connect an output to an input.
struct Port {
  std::string name;
  PortKind kind = PortKind::spikes;
  /// Cells (spikes) or values (analog), over all slices.
  std::uint32_t size = 0;
  /// Substeps of the sender in a timestep (a power of two); 1 for analog.
  std::uint32_t substeps = 1;
};

/// What arrives in one timestep, by index of the input port.
class Inbox {
 public:
  virtual ~Inbox() = default;
  /// Spikes of all slices of the sender that are due in this timestep, in canonical order.
  virtual std::span<const Spike> spikes(std::size_t port) const = 0;
  /// Values that are due in this timestep (zeros until the first one has arrived).
  virtual std::span<const double> analog(std::size_t port) const = 0;
};

/// What leaves in one timestep, by index of the output port. Cleared before every `advance`.
class Outbox {
 public:
  virtual ~Outbox() = default;
  /// To append this slice's own spikes to, with ids over all slices (a slice's have no gap).
  virtual std::vector<Spike>& spikes(std::size_t port) = 0;
  /// To fill (only slice 0 of a region may).
  virtual std::span<double> analog(std::size_t port) = 0;
};

/// The other slices of the same region, as one slice sees them inside a timestep.
class Peers {
 public:
  virtual ~Peers() = default;
  /// Collective over the region's slices: replaces `spikes` (own) by those of all slices, in
  /// canonical order. Ids are the region's own numbering. With one slice only sorts.
  virtual void all_gather(std::vector<Spike>& spikes) = 0;
};

}  // namespace quartet
