#pragma once
// Comparison of two values without structure: numbers, constants, functions of symbols.

#include <optional>
#include <string>

#include "reward/rules/math/expr.h"
#include "reward/rules/math/verdict.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

struct Outcome {
  MathVerdict verdict = MathVerdict::kUndecided;
  std::string reason;
};

inline bool counts_as_equal(const Outcome& outcome) {
  return outcome.verdict == MathVerdict::kEqual || outcome.verdict == MathVerdict::kProbablyEqual;
}

/// What every comparison needs.
struct Context {
  Expr& expr;
  const MathOptions& options;
  Work& work;
};

/// Exact first (rationals, rational functions, algebraic numbers), then balls: constants to 1,024 bits, functions at
/// seeded points where both sides are real. Disjoint balls prove kNotEqual.
Outcome compare_scalars(const Context& context, int truth, int answer);

/// -1, 0, 1 as a < b, a = b (to within 2^-40), a > b; nothing where one of them is no real constant.
std::optional<int> order_of(const Context& context, int a, int b);
/// +1, -1 for plus and minus infinity, else 0.
int infinity_sign(const Expr& expr, int id);

}  // namespace plumb::math
