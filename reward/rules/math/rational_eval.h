#pragma once
// Exact rational values of trees.

#include <utility>
#include <vector>

#include "reward/rules/math/expr.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

enum class Exact : std::uint8_t {
  kValue,
  kUndefined,  // 1/0, 0/0, 0^0 is 1
  kInfinite,   // infinity takes part
  kOther,      // symbols, irrational or too large to be written out
};

/// Values of bound symbols: the name's index (or kBoundI for i) and the value.
inline constexpr int kBoundI = -2;  // kImaginaryName of rewrite.h
using Bindings = std::vector<std::pair<int, Rational>>;

/// The value of `root` where it is rational. Sizes are estimated before a power, factorial or sum is computed; what
/// would exceed kMaxExactBits is kOther.
Exact eval_rational(const Expr& expr, int root, const Bindings& bindings, Work& work, Rational& value);

}  // namespace plumb::math
