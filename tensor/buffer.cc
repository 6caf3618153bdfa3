#include "tensor/buffer.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace plumb::internal {

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

}  // namespace plumb::internal
