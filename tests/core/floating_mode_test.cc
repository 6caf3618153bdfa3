#include <gtest/gtest.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <array>
#include <cfenv>

#include "core/thread_pool.h"

namespace plumb {
namespace {

// Flush-to-zero, denormals-are-zero and the rounding mode: fast-math start-up code of any linked library would set them
// for the whole process, and change bits.
unsigned int floating_mode() {
#if defined(__SSE__)
  return _mm_getcsr() & 0xE040U;
#else
  return std::fegetround() == FE_TONEAREST ? 0U : 1U;
#endif
}

TEST(FloatingMode, IsTheStandardOneOnEveryThread) {
  EXPECT_EQ(floating_mode(), 0U);
  ThreadPool pool(4);
  std::array<unsigned int, 64> modes{};
  pool.parallel_for(static_cast<std::int64_t>(modes.size()),
                    [&](std::int64_t index, int) { modes[static_cast<std::size_t>(index)] = floating_mode(); });
  for (const unsigned int mode : modes) {
    EXPECT_EQ(mode, 0U);
  }
}

}  // namespace
}  // namespace plumb
