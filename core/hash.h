#pragma once
// SHA-256: names the exact bytes of data, models, configs and judged programs in manifests and caches.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// A running SHA-256. Bytes may come in any pieces. Movable; one thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(std::string_view bytes);
  void update(std::span<const std::byte> bytes);
  /// The digest of all bytes so far as 64 lower-case hex digits. Ends the sum: no update() after it.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);

/// Reads the file in pieces of 1 MiB. Errors: a file that cannot be opened or read.
Result<std::string> sha256_file(const std::string& path);

}  // namespace plumb
