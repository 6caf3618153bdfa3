#pragma once
// Memory of the kernels: aligned to a cache line (huge pages where large), reused, never shrunk in the steady state.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "core/check.h"

namespace plumb {

namespace internal {
/// `bytes` aligned to 64, or to a huge page where that pays. Aborts when memory runs out: what a run needs is estimated
/// before it starts.
void* allocate_aligned(std::size_t bytes);
struct FreeAligned {
  void operator()(void* memory) const;
};
}  // namespace internal

/// An array of trivial T whose contents are undefined after growth. Owns its memory; movable.
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::int64_t size) { resize(size); }

  /// Holds `size` elements afterwards; memory is only replaced when it is too small.
  void resize(std::int64_t size) {
    PLUMB_CHECK(size >= 0, "AlignedBuffer: negative size");
    if (size > capacity_) {
      memory_.reset();
      memory_.reset(internal::allocate_aligned(static_cast<std::size_t>(size) * sizeof(T)));
      capacity_ = size;
    }
    size_ = size;
  }
  void fill_zero() {
    if (size_ > 0) {  // memset takes no null pointer, not even for 0 bytes
      std::memset(memory_.get(), 0, static_cast<std::size_t>(size_) * sizeof(T));
    }
  }

  [[nodiscard]] T* data() { return static_cast<T*>(memory_.get()); }
  [[nodiscard]] const T* data() const { return static_cast<const T*>(memory_.get()); }
  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] std::int64_t capacity_bytes() const { return capacity_ * static_cast<std::int64_t>(sizeof(T)); }
  [[nodiscard]] std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  std::unique_ptr<void, internal::FreeAligned> memory_;
  std::int64_t size_ = 0;
  std::int64_t capacity_ = 0;
};

/// What all AlignedBuffers and Arenas of the process hold, for tests and reports.
struct AlignedMemory {
  std::int64_t live_bytes = 0;
  std::int64_t peak_bytes = 0;     // of live_bytes since reset_aligned_memory()
  std::int64_t largest_bytes = 0;  // of one allocation since then
  std::int64_t allocations = 0;    // since then
};

/// Thread-safe.
AlignedMemory aligned_memory();
/// Starts peak, largest and allocations anew.
void reset_aligned_memory();

/// Hands out pieces of large blocks of memory: neighbours share huge pages, however small they are. All pieces live as
/// long as the arena. Movable; one thread takes at a time.
class Arena {
 public:
  /// `bytes` aligned to 64; contents are undefined.
  unsigned char* take(std::int64_t bytes);

 private:
  std::vector<AlignedBuffer<unsigned char>> blocks_;
  std::int64_t used_ = 0;  // of the last block
};

}  // namespace plumb
