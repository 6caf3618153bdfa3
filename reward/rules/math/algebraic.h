#pragma once
// Proofs that two constants are equal (nested radicals, roots of unity, logarithms, arctangents), by Calcium.

#include "reward/rules/math/expr.h"
#include "reward/rules/math/polynomial.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

/// For constants only. Degrees and precisions are limited; what exceeds them is kUnknown.
Identity compare_constants(const Expr& expr, int a, int b, Work& work);

}  // namespace plumb::math
