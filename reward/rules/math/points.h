#pragma once
// Functions compared at seeded points.

#include <vector>

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// Evaluates both sides in balls at points chosen by options.seed and the symbols' names. A point at which a side
/// without the imaginary unit is not real is passed over, so that ln x^2 = 2 ln x; if that leaves none, complex values
/// count. Where sums, factorials and the like have symbols in them, the points are whole numbers.
Outcome compare_at_points(const Context& context, int truth, int answer, const std::vector<int>& symbols);

/// The value of symbol number `symbol` at point `point`: small rationals of both signs and several sizes.
Rational point_value(std::uint64_t seed, int symbol, int point, bool whole);

}  // namespace plumb::math
