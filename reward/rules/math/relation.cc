#include "reward/rules/math/relation.h"

#include <algorithm>
#include <vector>

#include "reward/rules/math/ball_eval.h"
#include "reward/rules/math/points.h"
#include "reward/rules/math/polynomial.h"
#include "reward/rules/math/rational_eval.h"
#include "reward/rules/math/real_set.h"
#include "reward/rules/math/rewrite.h"
#include "reward/rules/math/view.h"

namespace plumb::math {

namespace {

Outcome different(const char* why) {
  return {MathVerdict::kNotEqual, why};
}

int difference(Expr& e, int left, int right) {
  return e.binary(Kind::kSum, left, e.unary(Kind::kNegate, right));
}

std::vector<int> all_symbols(const Expr& expr, int a, int b) {
  std::vector<int> symbols = free_symbols(expr, a);
  for (const int name : free_symbols(expr, b)) {
    if (std::find(symbols.begin(), symbols.end(), name) == symbols.end()) {
      symbols.push_back(name);
    }
  }
  std::sort(symbols.begin(), symbols.end());
  return symbols;
}

// The sign of f/g where it is the same constant at every point, else 0; `agreed` counts the points.
int constant_ratio(const Context& c, int f, int g, int& agreed) {
  const auto symbols = all_symbols(c.expr, f, g);
  constexpr int kPoints = 10;
  Ball first;
  agreed = 0;
  int sign = 0;
  for (int point = 0; point < kPoints; ++point) {
    Bindings bindings;
    for (std::size_t s = 0; s < symbols.size(); ++s) {
      bindings.emplace_back(symbols[s], point_value(c.options.seed, static_cast<int>(s), point, false));
    }
    Ball a, b, ratio;
    const BallOptions options{256, true};
    eval_ball(c.expr, f, bindings, options, c.work, a);
    eval_ball(c.expr, g, bindings, options, c.work, b);
    if (!a.ok || !b.ok || a.huge != 0 || b.huge != 0 || acb_contains_zero(b.get()) != 0) {
      continue;
    }
    acb_div(ratio.get(), a.get(), b.get(), 256);
    ratio.ok = acb_is_finite(ratio.get()) != 0;
    if (!ratio.ok || (agreed > 0 && compare_balls(first, ratio) != Overlap::kTight)) {
      return 0;
    }
    sign = arb_is_positive(ratio.real()) != 0 ? 1 : arb_is_negative(ratio.real()) != 0 ? -1 : 0;
    if (sign == 0) {
      return 0;
    }
    first = agreed == 0 ? std::move(ratio) : std::move(first);
    ++agreed;
  }
  return sign;
}

// left sign right as f > 0 or f >= 0 (or f != 0).
struct Oriented {
  int f = -1;
  bool closed = false;
  bool unequal = false;
};
Oriented oriented(Expr& e, int relation, int i) {
  const int left = e.kid(relation, i);
  const int right = e.kid(relation, i + 1);
  const Sign sign = e.sign(relation, i);
  const bool less = sign == Sign::kLess || sign == Sign::kLessEqual;
  return {less ? difference(e, right, left) : difference(e, left, right),
          sign == Sign::kLessEqual || sign == Sign::kGreaterEqual, sign == Sign::kNotEqual};
}

bool same_inequality(const Context& c, const Oriented& a, const Oriented& b) {
  if (a.closed != b.closed || a.unequal != b.unequal) {
    return false;
  }
  int agreed = 0;
  const int sign = constant_ratio(c, a.f, b.f, agreed);
  return agreed >= 3 && (sign > 0 || (a.unequal && sign != 0));
}

}  // namespace

Outcome compare_equation_pair(const Context& c, int truth, int answer) {
  Expr& e = c.expr;
  if (e[truth].count != e[answer].count) {
    return different("chains of equations of different lengths");
  }
  for (const int id : {truth, answer}) {
    for (const int side : e.kids(id)) {
      if (e[side].depth > 0 || e[side].kind == Kind::kText) {
        return different("equations between things that are no numbers");
      }
    }
  }
  Outcome total{MathVerdict::kEqual, "the same equation"};
  for (int i = 0; i + 1 < e[truth].count; ++i) {
    const int f = difference(e, e.kid(truth, i), e.kid(truth, i + 1));
    const int g = difference(e, e.kid(answer, i), e.kid(answer, i + 1));
    const Identity identity = compare_equations(e, f, g, c.work);
    if (identity == Identity::kDifferent) {
      return different("equations whose sides do not agree up to a factor");
    }
    if (identity == Identity::kUnknown) {
      int agreed = 0;
      const int sign = constant_ratio(c, f, g, agreed);
      if (sign == 0 || agreed < 3) {
        return different("equations whose sides do not agree up to a factor");
      }
      total = {MathVerdict::kProbablyEqual, "equations that agree up to a factor at every point that was tried"};
    }
  }
  return total;
}

Outcome compare_inequalities(const Context& c, int truth, int answer) {
  Expr& e = c.expr;
  const bool relations = e[truth].kind == Kind::kRelation && e[answer].kind == Kind::kRelation;
  if (relations && free_symbols(e, truth).size() == 1 && free_symbols(e, answer).size() == 1 &&
      free_symbols(e, truth) != free_symbols(e, answer)) {
    return different("inequalities of different symbols");
  }
  const auto left = real_set(c, truth);
  const auto right = real_set(c, answer);
  if (left && right) {
    if (const auto same = same_sets(c, *left, *right)) {
      return *same ? Outcome{MathVerdict::kEqual, "the same solutions"} : different("different solutions");
    }
  }
  if (!relations || e[truth].count != e[answer].count) {
    return different("an inequality against something else");
  }
  const int count = e[truth].count - 1;
  const auto agree = [&](bool backwards) {
    for (int i = 0; i < count; ++i) {
      if (!same_inequality(c, oriented(e, truth, i), oriented(e, answer, backwards ? count - 1 - i : i))) {
        return false;
      }
    }
    return true;
  };
  if (agree(false) || agree(true)) {
    return {MathVerdict::kProbablyEqual,
            "inequalities that agree up to a positive factor at every point that was tried"};
  }
  return different("inequalities whose sides do not agree up to a positive factor");
}

Outcome compare_congruences(const Context& c, int truth, int answer) {
  Expr& e = c.expr;
  if (e[truth].kind != e[answer].kind) {
    const int congruence = e[truth].kind == Kind::kCongruence ? truth : answer;
    const int inner = e[congruence].a;
    const bool relation = e[inner].kind == Kind::kRelation && e[inner].count == 2;
    const int value = relation ? e.kid(inner, 1) : inner;
    return congruence == truth ? compare_scalars(c, value, answer) : compare_scalars(c, truth, value);
  }
  const auto residue = [&](int id) {
    const int inner = e[id].a;
    return e[inner].kind == Kind::kRelation ? e.kid(inner, e[inner].count - 1) : inner;
  };
  Rational a, b, m, n;
  const bool known = eval_rational(e, residue(truth), {}, c.work, a) == Exact::kValue &&
                     eval_rational(e, residue(answer), {}, c.work, b) == Exact::kValue &&
                     eval_rational(e, e[truth].b, {}, c.work, m) == Exact::kValue &&
                     eval_rational(e, e[answer].b, {}, c.work, n) == Exact::kValue && !m.is_zero();
  if (!known) {
    return {MathVerdict::kUndecided, "a congruence of something else than numbers"};
  }
  fmpq_sub(a.get(), a.get(), b.get());
  fmpq_div(a.get(), a.get(), m.get());
  return m == n && a.is_integer() ? Outcome{MathVerdict::kEqual, "the same residue class"}
                                  : different("different residue classes");
}

}  // namespace plumb::math
