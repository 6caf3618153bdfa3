#pragma once
// Counts what a test binary takes from operator new; linking counting_new.cc replaces it.

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace plumb::testing {

inline constexpr std::size_t kLargeNew = std::size_t{64} << 10;
extern std::atomic<std::int64_t> large_news;  // of kLargeNew bytes or more

}  // namespace plumb::testing
