#include "reward/rules/math/inequality.h"

#include "reward/rules/math/rational_eval.h"
#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

// A rational constant written out, so that later comparisons are short.
int simplified(const Context& c, int id) {
  Rational value;
  return eval_rational(c.expr, id, {}, c.work, value) == Exact::kValue ? c.expr.number(std::move(value)) : id;
}

int sum(Expr& e, int a, int b) {
  return e.binary(Kind::kSum, a, b);
}
int minus(Expr& e, int a) {
  return e.unary(Kind::kNegate, a);
}

struct Coefficients {
  int a = -1;  // of x^2
  int b = -1;
  int c = -1;
};

// By the values at 0, 1 and -1 of a polynomial of degree at most two.
Coefficients coefficients(const Context& c, int f, int name) {
  Expr& e = c.expr;
  const auto at = [&](slong x) { return simplified(c, substitute(e, f, name, e.integer(x))); };
  const int zero = at(0);
  const int one = at(1);
  const int other = at(-1);
  const int half_sum = e.binary(Kind::kDivide, sum(e, one, other), e.integer(2));
  const int half_difference = e.binary(Kind::kDivide, sum(e, one, minus(e, other)), e.integer(2));
  return {simplified(c, sum(e, half_sum, minus(e, zero))), simplified(c, half_difference), zero};
}

// Where f > 0 (or >= 0).
std::optional<Solution> positive(const Context& c, int f, int name, bool closed) {
  Expr& e = c.expr;
  const Coefficients k = coefficients(c, f, name);
  const int nothing = e.integer(0);
  const auto a = order_of(c, k.a, nothing);
  const auto b = order_of(c, k.b, nothing);
  const auto constant = order_of(c, k.c, nothing);
  if (!a || !b || !constant) {
    return std::nullopt;
  }
  Solution out;
  if (*a == 0 && *b == 0) {
    if (*constant > 0 || (closed && *constant == 0)) {
      out.pieces.push_back({});
    }
    return out;
  }
  if (*a == 0) {
    const int end = simplified(c, minus(e, e.binary(Kind::kDivide, k.c, k.b)));
    out.pieces.push_back(*b > 0 ? Piece{end, -1, closed, false} : Piece{-1, end, false, closed});
    return out;
  }
  const int square = e.binary(Kind::kProduct, k.b, k.b);
  const int four = e.binary(Kind::kProduct, e.integer(4), e.binary(Kind::kProduct, k.a, k.c));
  const int discriminant = simplified(c, sum(e, square, minus(e, four)));
  const auto sign = order_of(c, discriminant, nothing);
  if (!sign) {
    return std::nullopt;
  }
  if (*sign < 0) {
    if (*a > 0) {
      out.pieces.push_back({});
    }
    return out;
  }
  const int root = e.binary(Kind::kRoot, e.integer(2), discriminant);
  const int twice = e.binary(Kind::kProduct, e.integer(2), k.a);
  int low = simplified(c, e.binary(Kind::kDivide, sum(e, minus(e, k.b), minus(e, root)), twice));
  int high = simplified(c, e.binary(Kind::kDivide, sum(e, minus(e, k.b), root), twice));
  if (*a > 0) {
    out.pieces = {{-1, low, false, closed}, {high, -1, closed, false}};
  } else {
    std::swap(low, high);
    out.pieces = {{low, high, closed, closed}};
  }
  return out;
}

std::optional<Solution> solve_sign(const Context& c, int f, int name, Sign sign) {
  switch (sign) {
    case Sign::kGreater:
    case Sign::kGreaterEqual:
      return positive(c, f, name, sign == Sign::kGreaterEqual);
    case Sign::kLess:
    case Sign::kLessEqual:
      return positive(c, minus(c.expr, f), name, sign == Sign::kLessEqual);
    case Sign::kNotEqual: {
      auto above = positive(c, f, name, false);
      const auto below = positive(c, minus(c.expr, f), name, false);
      if (!above || !below) {
        return std::nullopt;
      }
      above->pieces.insert(above->pieces.end(), below->pieces.begin(), below->pieces.end());
      return above;
    }
    case Sign::kEqual: {
      auto other = solve_sign(c, f, name, Sign::kNotEqual);
      if (other) {
        other->negated = true;
      }
      return other;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Solution> solve_relation(const Context& c, int left, Sign sign, int right) {
  Expr& e = c.expr;
  // A bound at infinity says nothing: -infinity < x.
  if (infinity_sign(e, left) != 0 || infinity_sign(e, right) != 0) {
    return Solution{{Piece{}}, false};
  }
  const int f = sum(e, left, minus(e, right));
  const auto symbols = free_symbols(e, f);
  if (symbols.size() != 1) {
    return std::nullopt;
  }
  const int name = symbols[0];
  // |u| < k as u^2 < k^2, for k >= 0.
  const bool absolute = e[left].kind == Kind::kApply && e.function(left) == Function::kAbs;
  if (absolute && free_symbols(e, right).empty()) {
    const auto bound = order_of(c, right, e.integer(0));
    const int inner = e[left].a;
    if (bound && *bound >= 0 && polynomial_degree(e, inner, name) == 1) {
      const int squares =
          sum(e, e.binary(Kind::kPower, inner, e.integer(2)), minus(e, e.binary(Kind::kPower, right, e.integer(2))));
      return solve_sign(c, squares, name, sign);
    }
    return std::nullopt;
  }
  const int degree = polynomial_degree(e, f, name);
  return degree >= 0 && degree <= 2 ? solve_sign(c, f, name, sign) : std::nullopt;
}

}  // namespace plumb::math
