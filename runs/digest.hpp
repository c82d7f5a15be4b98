/// SHA-256 (FIPS 180-4), for digests of configurations and of blocks in checkpoints.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace quartet {

/// Feed bytes with `update`, then take the digest once.
class Sha256 {
 public:
  Sha256& update(const void* data, std::size_t bytes);
  /// 64 lower-case hex digits. The object is spent afterwards.
  std::string hex();

 private:
  void block(const std::uint8_t* bytes);

  std::uint32_t state_[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::uint8_t pending_[64] = {};
  std::size_t pending_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

/// Digest of a text.
std::string sha256_hex(std::string_view text);

}  // namespace quartet
