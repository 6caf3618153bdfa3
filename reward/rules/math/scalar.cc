#include "reward/rules/math/scalar.h"

#include <algorithm>
#include <iterator>

#include "reward/rules/math/algebraic.h"
#include "reward/rules/math/ball_eval.h"
#include "reward/rules/math/decimal.h"
#include "reward/rules/math/points.h"
#include "reward/rules/math/polynomial.h"
#include "reward/rules/math/rational_eval.h"
#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

Outcome equal(const char* why) {
  return {MathVerdict::kEqual, why};
}
Outcome different(const char* why) {
  return {MathVerdict::kNotEqual, why};
}
Outcome undecided(const char* why) {
  return {MathVerdict::kUndecided, why};
}

bool has_imaginary(const Expr& expr, int id) {
  return contains(expr, id, Kind::kImaginary);
}

Outcome compare_infinite(const Context& c, int truth, int answer) {
  const int a = infinity_sign(c.expr, truth);
  const int b = infinity_sign(c.expr, answer);
  if (a != 0 && b != 0) {
    return a == b ? equal("the same infinity") : different("different infinities");
  }
  const int other = a != 0 ? answer : truth;
  if ((a != 0 || b != 0) && !contains(c.expr, other, Kind::kInfinity)) {
    return different("infinite against finite");
  }
  return undecided("arithmetic with infinity");
}

Outcome compare_constant_balls(const Context& c, int truth, int answer) {
  const bool real_roots = !has_imaginary(c.expr, truth) && !has_imaginary(c.expr, answer);
  Overlap overlap = Overlap::kLoose;
  for (const slong precision : {64, 256, 1024}) {
    Ball a;
    Ball b;
    const BallOptions options{precision, real_roots};
    eval_ball(c.expr, truth, {}, options, c.work, a);
    eval_ball(c.expr, answer, {}, options, c.work, b);
    overlap = compare_balls(a, b);
    if (overlap == Overlap::kDisjoint) {
      return decimal_agrees(c, truth, answer) ? equal("a decimal that is right to as many digits as are asked for")
                                              : different("constants that differ");
    }
    if (c.work.exhausted() || (!a.ok && !b.ok)) {
      break;
    }
    if (precision == 256) {
      if (compare_rational_functions(c.expr, truth, answer, c.work) == Identity::kEqual) {
        return equal("the same by the rules of arithmetic");
      }
      if (a.ok && b.ok && a.huge == 0 && b.huge == 0) {
        if (const Identity proof = compare_constants(c.expr, truth, answer, c.work); proof == Identity::kEqual) {
          return equal("the same constant, proved");
        }
      }
    }
  }
  if (c.work.exhausted()) {
    return undecided("the budget of work is spent");
  }
  return overlap == Overlap::kTight ? Outcome{MathVerdict::kProbablyEqual, "constants that agree to 1024 bits"}
                                    : undecided("a constant that is undefined or too large to be told apart");
}

Outcome compare_functions(const Context& c, int truth, int answer, const std::vector<int>& symbols) {
  constexpr std::size_t kMostSymbols = 64;
  if (symbols.size() > kMostSymbols) {
    return undecided("functions of more symbols than are compared");
  }
  switch (compare_rational_functions(c.expr, truth, answer, c.work)) {
    case Identity::kEqual:
      return equal("the same rational function");
    case Identity::kDifferent:
      return different("different rational functions");
    case Identity::kUnknown:
      break;
  }
  if (c.work.exhausted()) {
    return undecided("the budget of work is spent");
  }
  return compare_at_points(c, truth, answer, symbols);
}

}  // namespace

int infinity_sign(const Expr& expr, int id) {
  int sign = 1;
  while (expr[id].kind == Kind::kNegate) {
    sign = -sign;
    id = expr[id].a;
  }
  return expr[id].kind == Kind::kInfinity ? sign : 0;
}

Outcome compare_scalars(const Context& c, int truth, int answer) {
  Rational a;
  Rational b;
  const Exact left = eval_rational(c.expr, truth, {}, c.work, a);
  const Exact right = eval_rational(c.expr, answer, {}, c.work, b);
  if (left == Exact::kValue && right == Exact::kValue) {
    if (a == b) {
      return equal("the same rational number");
    }
    return decimal_agrees(c, truth, answer) ? equal("a decimal that is right to as many digits as are asked for")
                                            : different("different rational numbers");
  }
  if (left == Exact::kUndefined || right == Exact::kUndefined) {
    return left == right ? undecided("both are undefined") : different("one side is undefined");
  }
  if (left == Exact::kInfinite || right == Exact::kInfinite) {
    return compare_infinite(c, truth, answer);
  }
  const auto f = expand_derivatives(c.expr, truth, c.work);
  const auto g = expand_derivatives(c.expr, answer, c.work);
  if (!f || !g) {
    return undecided("a derivative that is not known");
  }
  const std::vector<int> left_symbols = free_symbols(c.expr, *f);
  const std::vector<int> right_symbols = free_symbols(c.expr, *g);
  std::vector<int> symbols;
  std::set_union(left_symbols.begin(), left_symbols.end(), right_symbols.begin(), right_symbols.end(),
                 std::back_inserter(symbols));
  return symbols.empty() ? compare_constant_balls(c, *f, *g) : compare_functions(c, *f, *g, symbols);
}

std::optional<int> order_of(const Context& c, int a, int b) {
  Rational x;
  Rational y;
  if (eval_rational(c.expr, a, {}, c.work, x) == Exact::kValue &&
      eval_rational(c.expr, b, {}, c.work, y) == Exact::kValue) {
    return x == y ? 0 : x < y ? -1 : 1;
  }
  if (!free_symbols(c.expr, a).empty() || !free_symbols(c.expr, b).empty()) {
    return std::nullopt;
  }
  for (const slong precision : {64, 512}) {
    Ball u;
    Ball v;
    const BallOptions options{precision, true};
    eval_ball(c.expr, a, {}, options, c.work, u);
    eval_ball(c.expr, b, {}, options, c.work, v);
    if (!u.ok || !v.ok || u.huge != 0 || v.huge != 0 || arb_is_zero(u.imag()) == 0 || arb_is_zero(v.imag()) == 0) {
      return std::nullopt;
    }
    if (arb_lt(u.real(), v.real()) != 0) {
      return -1;
    }
    if (arb_gt(u.real(), v.real()) != 0) {
      return 1;
    }
    if (precision > 64 && compare_balls(u, v) == Overlap::kTight) {
      return 0;
    }
  }
  return std::nullopt;
}

}  // namespace plumb::math
