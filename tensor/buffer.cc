#include "tensor/buffer.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace plumb {
namespace {

constexpr int kLargeBytes = 1 << 20;

struct Counters {
  std::atomic<std::int64_t> live{0};
  std::atomic<std::int64_t> peak{0};
  std::atomic<std::int64_t> largest{0};
  std::atomic<std::int64_t> allocations{0};
};

Counters& counters() {
  static Counters all;
  return all;
}

void raise(std::atomic<std::int64_t>& highest, std::int64_t value) {
  std::int64_t seen = highest.load();
  while (seen < value && !highest.compare_exchange_weak(seen, value)) {
  }
}

// Large buffers are mapped one by one, so that each goes back to the system where it is freed: malloc would move to its
// heap once it has seen a few of them freed, and a heap keeps what lies below its last piece.
void keep_large_buffers_mapped() {
  static const int set = mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  static_cast<void>(set);
}

}  // namespace

namespace internal {

void* allocate_aligned(std::size_t bytes) {
  keep_large_buffers_mapped();
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool huge = bytes >= 2 * kHugePage;
  const std::size_t alignment = huge ? kHugePage : 64;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  PLUMB_CHECK(memory != nullptr, "out of memory");
  if (huge) {  // what does not fill a huge page stays in small ones, of which only those in use cost memory
    madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  }
  const auto usable = static_cast<std::int64_t>(malloc_usable_size(memory));
  Counters& all = counters();
  ++all.allocations;
  raise(all.largest, usable);
  raise(all.peak, all.live += usable);
  return memory;
}

void FreeAligned::operator()(void* memory) const {
  counters().live -= static_cast<std::int64_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace internal

AlignedMemory aligned_memory() {
  const Counters& all = counters();
  return {.live_bytes = all.live, .peak_bytes = all.peak, .largest_bytes = all.largest, .allocations = all.allocations};
}

void reset_aligned_memory() {
  Counters& all = counters();
  all.peak = all.live.load();
  all.largest = 0;
  all.allocations = 0;
}

unsigned char* Arena::take(std::int64_t bytes) {
  constexpr std::int64_t kBlock = std::int64_t{32} << 20;
  const std::int64_t rounded = (bytes + 63) / 64 * 64;
  if (blocks_.empty() || used_ + rounded > blocks_.back().size()) {
    blocks_.emplace_back(std::max(kBlock, rounded));
    used_ = 0;
  }
  unsigned char* piece = blocks_.back().data() + used_;
  used_ += rounded;
  return piece;
}

}  // namespace plumb
