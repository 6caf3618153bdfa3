#include "tensor/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace plumb {
namespace internal {

void* allocate_aligned(std::size_t bytes) {
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool huge = bytes >= 2 * kHugePage;
  const std::size_t alignment = huge ? kHugePage : 64;
  const std::size_t rounded = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded);
  PLUMB_CHECK(memory != nullptr, "out of memory");
  if (huge) {
    madvise(memory, rounded, MADV_HUGEPAGE);
  }
  return memory;
}

void FreeAligned::operator()(void* memory) const {
  std::free(memory);
}

}  // namespace internal

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
