#include "comm/rank_distances.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace quartet {

RankDistances::RankDistances(int ranks, std::span<const RankTract> tracts) {
  const auto n = static_cast<std::size_t>(ranks);
  using Ends = std::pair<std::vector<bool>, std::vector<bool>>;
  std::vector<Ends> ends_of(
      n, {std::vector<bool>(tracts.size(), false), std::vector<bool>(tracts.size(), false)});
  for (std::size_t i = 0; i < tracts.size(); ++i) {
    for (const int rank : tracts[i].from) ends_of[static_cast<std::size_t>(rank)].first[i] = true;
    for (const int rank : tracts[i].to) ends_of[static_cast<std::size_t>(rank)].second[i] = true;
  }
  std::map<Ends, std::size_t> known;
  for (const Ends& ends : ends_of) {
    const auto [found, is_new] = known.try_emplace(ends, classes_.size());
    if (is_new) classes_.push_back({ends.first, ends.second, 0});
    ++classes_[found->second].ranks;
    class_of_.push_back(found->second);
  }

  delay_.assign(classes_.size(), std::vector<int>(classes_.size(), unreachable));
  for_pairs([&](std::size_t a, std::size_t b) {
    for (std::size_t i = 0; i < tracts.size(); ++i) {
      if (classes_[a].begins[i] && classes_[b].ends[i]) {
        delay_[a][b] = std::min(delay_[a][b], tracts[i].delay);
      }
    }
  });
  find_distances();
  if (longest() < unreachable) return;
  for_pairs([&](std::size_t a, std::size_t b) {
    if (delay_[a][b] == unreachable) delay_[a][b] = control_delay;
  });
  find_distances();
}

/// Of all classes of two different ranks.
template <class Action>
void RankDistances::for_pairs(Action action) const {
  for (std::size_t a = 0; a < classes_.size(); ++a) {
    for (std::size_t b = 0; b < classes_.size(); ++b) {
      if (a != b || classes_[a].ranks > 1) action(a, b);
    }
  }
}

/// A shortest way between two ranks leads through no class twice, but perhaps back to the first
/// one's: so ways between classes of which one rank each is taken are all there is (Floyd 1962).
void RankDistances::find_distances() {
  distance_ = delay_;
  const std::size_t n = classes_.size();
  for (std::size_t via = 0; via < n; ++via) {
    for (std::size_t a = 0; a < n; ++a) {
      for (std::size_t b = 0; b < n; ++b) {
        distance_[a][b] = std::min(distance_[a][b], distance_[a][via] + distance_[via][b]);
      }
    }
  }
}

std::vector<std::size_t> RankDistances::between(int from, int to) const {
  std::vector<std::size_t> tracts;
  const std::vector<bool>& begins = classes_[class_of(from)].begins;
  const std::vector<bool>& ends = classes_[class_of(to)].ends;
  for (std::size_t i = 0; i < begins.size() && from != to; ++i) {
    if (begins[i] && ends[i]) tracts.push_back(i);
  }
  return tracts;
}

int RankDistances::delay(int from, int to) const {
  return from == to ? unreachable : delay_[class_of(from)][class_of(to)];
}

int RankDistances::distance(int from, int to) const {
  return from == to ? 0 : distance_[class_of(from)][class_of(to)];
}

int RankDistances::longest() const {
  int result = 0;
  for_pairs([&](std::size_t a, std::size_t b) { result = std::max(result, distance_[a][b]); });
  return result;
}

}  // namespace quartet
