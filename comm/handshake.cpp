#include "comm/handshake.hpp"

#include <bit>

#include "comm/float_mode.hpp"

namespace quartet {
namespace {

constexpr std::string_view flush = "flush-to-zero";

std::string to_lines(const Fingerprint& fingerprint) {
  std::string text;
  for (const auto& [what, value] : fingerprint) text += what + '\n' + value + '\n';
  return text;
}

Fingerprint from_lines(std::string_view text) {
  Fingerprint fingerprint;
  const auto line = [&] {
    const std::size_t end = text.find('\n');
    const std::string_view result = text.substr(0, end);
    text.remove_prefix(end + 1);
    return std::string(result);
  };
  while (!text.empty()) {
    std::string what = line();
    fingerprint.emplace_back(std::move(what), line());
  }
  return fingerprint;
}

/// What is wrong with rank `rank`, given rank 0's fingerprint; empty if nothing.
std::string compare(const Fingerprint& root, int rank, const Fingerprint& theirs) {
  const std::string who = "rank " + std::to_string(rank);
  if (root.size() != theirs.size()) {
    return who +
           " and rank 0 are of different builds of quartet; install the same one on all nodes";
  }
  for (std::size_t i = 0; i < root.size(); ++i) {
    const auto& [what, value] = theirs[i];
    if (what == flush && value != "on") {
      return who + " does not flush subnormal numbers to zero; build quartet for x86-64 or AArch64";
    }
    if (theirs[i] == root[i]) continue;
    return who + " has " + what + " " + value + ", but rank 0 has " + root[i].first + " " +
           root[i].second + "; start all ranks with the same installation and the same files";
  }
  return {};
}

}  // namespace

Fingerprint float_fingerprint() {
  return {{"byte order", std::endian::native == std::endian::little ? "little" : "big"},
          {std::string(flush), flushes_to_zero() ? "on" : "off"}};
}

void handshake(Communicator& communicator, const Fingerprint& mine) {
  Fingerprint full = float_fingerprint();
  full.insert(full.end(), mine.begin(), mine.end());
  const std::vector<Bytes> all = communicator.gather("handshake", 0, to_bytes(to_lines(full)));
  Bytes verdict;
  for (std::size_t rank = 0; rank < all.size() && verdict.empty(); ++rank) {
    verdict = to_bytes(compare(full, static_cast<int>(rank), from_lines(to_text(all[rank]))));
  }
  communicator.broadcast("handshake", 0, verdict);
  if (!verdict.empty()) throw SharedFailure("handshake: " + to_text(verdict));
}

}  // namespace quartet
