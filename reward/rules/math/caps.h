#pragma once
// Limits on what is read. Beyond them an answer is undecided: nothing here depends on a clock.

#include <cstddef>
#include <cstdint>

namespace plumb::math {

/// Only the last bytes of a response are searched.
inline constexpr std::size_t kMaxResponseBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxAnswerBytes = std::size_t{256} << 10;
inline constexpr std::size_t kMaxNodes = std::size_t{1} << 19;
/// Sets in tuples in sets: nesting of structures. Brackets that only group may nest as deeply as the bytes allow.
inline constexpr int kMaxStructureDepth = 24;
/// Bits of an exact rational number that is computed (written ones are bounded by the bytes of the answer).
inline constexpr std::int64_t kMaxExactBits = std::int64_t{1} << 17;

}  // namespace plumb::math
