/// How far apart ranks can run, from the delays of what they send to one another.
///
/// Ranks that begin and end the same tracts are alike, so all is kept by class of rank, of which
/// there are few however many ranks run.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace quartet {

/// A tract between ranks: each of `from` sends to each other of `to`.
struct RankTract {
  std::span<const int> from, to;
  int delay = 0;  ///< timesteps
};

class RankDistances {
 public:
  static constexpr int unreachable = 1 << 20;
  /// Of control words between ranks without a tract; they go where some would never hear of others.
  static constexpr int control_delay = 8;

  RankDistances(int ranks, std::span<const RankTract> tracts);

  /// The tracts that lead from one rank to another, by index.
  std::vector<std::size_t> between(int from, int to) const;
  /// The shortest delay of what one rank sends to another; unreachable: it sends nothing.
  int delay(int from, int to) const;
  /// What `to` has seen of `from`, directly or through others, lags by at most this; so `to` is
  /// never more than this many timesteps ahead of `from`.
  int distance(int from, int to) const;
  /// The largest distance.
  int longest() const;

 private:
  struct Class {
    std::vector<bool> begins, ends;  // by tract
    int ranks;
  };
  using Table = std::vector<std::vector<int>>;  // [class from][class to], of different ranks

  template <class Action>
  void for_pairs(Action action) const;
  void find_distances();
  std::size_t class_of(int rank) const { return class_of_[static_cast<std::size_t>(rank)]; }

  std::vector<Class> classes_;
  std::vector<std::size_t> class_of_;  // by rank
  Table delay_, distance_;
};

}  // namespace quartet
