#pragma once
// Relations in one symbol, solved.

#include <optional>

#include "reward/rules/math/real_set.h"

namespace plumb::math {

struct Solution {
  RealSet pieces;        // not in normal form
  bool negated = false;  // the complement of the pieces
};

/// left `sign` right for a single symbol: polynomials of degree one and two with constant coefficients, and |u| against
/// a constant for such a u of degree one. Nothing for whatever else.
std::optional<Solution> solve_relation(const Context& context, int left, Sign sign, int right);

}  // namespace plumb::math
