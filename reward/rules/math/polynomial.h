#pragma once
// Identity of rational functions, by FLINT's multivariate polynomials.

#include "reward/rules/math/expr.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

enum class Identity {
  kEqual,      // proved
  kDifferent,  // proved; only where both sides are rational functions of symbols alone
  kUnknown,
};

/// Whether a = b as rational functions. Everything that is no sum, product, quotient or whole power (sin x, sqrt 2, pi)
/// counts as a symbol of its own, the same one wherever it is spelled the same.
Identity compare_rational_functions(const Expr& expr, int a, int b, Work& work);

/// Whether a = 0 and b = 0 have numerators that agree up to a constant factor: the same equation.
Identity compare_equations(const Expr& expr, int a, int b, Work& work);

}  // namespace plumb::math
