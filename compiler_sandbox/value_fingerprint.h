#pragma once
// What equal values have in common, so that of a set's thousands of elements only those are compared that may be equal.
// Floats are equal within a tolerance, and nothing that is sorted or hashed can say that; but a weighted sum of floats
// that are close is close.

#include <cstdint>
#include <string_view>

#include "core/typed_value.h"

namespace plumb {

/// Values that are equal (compare_value() in compiler_sandbox/values.h) have the same `shape`, and their sums differ by
/// no more than twice the slack of either.
struct Fingerprint {
  std::uint64_t shape = 0;  // a hash of all that has no tolerance
  double sum = 0;           // of the floats, scaled down so that it is finite
  double slack = 0;         // what the floats' tolerances add up to
};

/// Of an expected value, whose sets and dicts hold each thing once. `lenient` as in the comparison: what C++'s own
/// types leave open, kinds of sequences and their order, is left out.
Fingerprint fingerprint(const TypedValue& value, bool lenient);

/// Of a well-formed encoded value. Linear in its size.
Fingerprint fingerprint(std::string_view encoded, bool lenient);

/// How far from each other equal floats may be: relative to the larger one, or absolute if that is more.
inline constexpr double kRelativeTolerance = 1e-9;
inline constexpr double kSingleTolerance = 1e-5;  // lenient, of single precision
inline constexpr double kAbsoluteTolerance = 1e-12;

}  // namespace plumb
