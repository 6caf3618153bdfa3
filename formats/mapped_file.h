#pragma once
// A file's bytes without a copy.

#include <cstddef>
#include <span>
#include <string>

#include "core/result.h"

namespace plumb {

/// A read-only private mapping of a whole file, unmapped on destruction. Movable. The file must not be cut short while
/// it is mapped.
class MappedFile {
 public:
  /// Errors: absent, no regular file, not readable. An empty file maps to no bytes.
  static Result<MappedFile> open(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  void unmap();

  const std::byte* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace plumb
