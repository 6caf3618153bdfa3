#include "reward/rules/math/decimal.h"

#include <cmath>

#include "reward/rules/math/ball_eval.h"
#include "reward/rules/math/rational_eval.h"

namespace plumb::math {

namespace {

struct Decimal {
  int digits = 0;
  int places = 0;
};

// A decimal, its negative, or a decimal times a power of ten.
Decimal written_decimal(const Expr& expr, int id) {
  while (expr[id].kind == Kind::kNegate || expr[id].kind == Kind::kPercent) {
    id = expr[id].a;
  }
  const Node& node = expr[id];
  if (node.kind == Kind::kNumber) {
    return {node.count, node.a};
  }
  if (node.kind == Kind::kProduct && expr[node.b].kind == Kind::kPower) {
    const int base = expr[node.b].a;
    if (expr[base].kind == Kind::kNumber && expr.value(base) == Rational(10)) {
      const Decimal mantissa = written_decimal(expr, node.a);
      return {mantissa.digits, mantissa.digits > 0 ? 1000 : 0};
    }
  }
  return {};
}

bool can_be_written(const Rational& value, int places) {
  fmpz_t scale;
  fmpz_init(scale);
  fmpz_set_ui(scale, 10);
  fmpz_pow_ui(scale, scale, static_cast<ulong>(places));
  const bool yes = fmpz_divisible(scale, value.den()) != 0;
  fmpz_clear(scale);
  return yes;
}

double to_double(const arb_t x) {
  return arf_get_d(arb_midref(x), ARF_RND_NEAR);
}

}  // namespace

bool decimal_agrees(const Context& c, int truth, int answer) {
  const Decimal a = written_decimal(c.expr, truth);
  const Decimal b = written_decimal(c.expr, answer);
  const int wanted = c.options.decimal_digits;
  constexpr int kMostPlaces = 10000;
  if ((a.digits > 0) == (b.digits > 0) || wanted <= 0 || a.digits + b.digits < wanted ||
      a.places + b.places > kMostPlaces) {
    return false;
  }
  const int decimal = a.digits > 0 ? truth : answer;
  const int exact = a.digits > 0 ? answer : truth;
  const Decimal& written = a.digits > 0 ? a : b;
  Rational value;
  if (eval_rational(c.expr, exact, {}, c.work, value) == Exact::kValue && can_be_written(value, written.places)) {
    return false;
  }
  Ball d;
  Ball v;
  const BallOptions options{256, true};
  eval_ball(c.expr, decimal, {}, options, c.work, d);
  eval_ball(c.expr, exact, {}, options, c.work, v);
  if (!d.ok || !v.ok || d.huge != 0 || v.huge != 0 || arb_is_zero(v.imag()) == 0 || arb_contains_zero(v.real()) != 0) {
    return false;
  }
  // |d - v| in units of the first significant digit of v.
  arb_t size, gap;
  arb_init(size);
  arb_init(gap);
  arb_abs(size, v.real());
  arb_log(gap, size, 64);
  const double magnitude = std::floor(to_double(gap) / std::log(10.0));
  arb_sub(gap, d.real(), v.real(), 256);
  const bool below = (arb_is_negative(gap) != 0) == (arb_is_positive(v.real()) != 0);
  arb_abs(gap, gap);
  arb_t ten;
  arb_init(ten);
  arb_set_ui(ten, 10);
  arb_t exponent;
  arb_init(exponent);
  arb_set_d(exponent, -magnitude);
  arb_pow(ten, ten, exponent, 64);
  arb_mul(gap, gap, ten, 64);
  const double distance = to_double(gap);
  arb_clear(size);
  arb_clear(gap);
  arb_clear(ten);
  arb_clear(exponent);
  const double unit = std::pow(10.0, 1 - wanted);
  const bool cut_off = written.digits == wanted && below && distance < unit;
  return std::isfinite(distance) && (distance <= unit / 2 || cut_off);
}

}  // namespace plumb::math
