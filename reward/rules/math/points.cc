#include "reward/rules/math/points.h"

#include "reward/rules/math/ball_eval.h"
#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

constexpr int kPoints = 14;
constexpr int kEnough = 4;
constexpr int kLeast = 2;

// SplitMix64's mixing function (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

bool needs_whole_numbers(const Expr& expr, int root) {
  for (const int id : expr.order(root)) {
    const Node& node = expr[id];
    const bool counts =
        node.kind == Kind::kFactorial || node.kind == Kind::kDoubleFactorial || node.kind == Kind::kBigSum ||
        node.kind == Kind::kBigProduct || node.kind == Kind::kModulo ||
        (node.kind == Kind::kApply && (expr.function(id) == Function::kBinomial ||
                                       expr.function(id) == Function::kGcd || expr.function(id) == Function::kLcm));
    const bool alternates = node.kind == Kind::kPower && expr[node.a].kind == Kind::kNegate &&
                            expr[expr[node.a].a].kind == Kind::kNumber && !free_symbols(expr, node.b).empty();
    if (counts || alternates) {
      return true;
    }
  }
  return false;
}

enum class AtPoint { kDiffer, kAgree, kNothing, kNotReal };

AtPoint compare_here(const Context& c, int truth, int answer, const Bindings& point, bool complex) {
  for (const slong precision : {96, 384}) {
    Ball a;
    Ball b;
    const BallOptions options{precision, !complex};
    eval_ball(c.expr, truth, point, options, c.work, a);
    eval_ball(c.expr, answer, point, options, c.work, b);
    if (!a.ok || !b.ok) {
      return AtPoint::kNothing;
    }
    const auto is_real = [](const Ball& x) { return x.huge != 0 || arb_contains_zero(x.imag()) != 0; };
    if (!complex && (!is_real(a) || !is_real(b))) {
      return AtPoint::kNotReal;
    }
    const Overlap overlap = compare_balls(a, b);
    if (overlap != Overlap::kLoose) {
      return overlap == Overlap::kDisjoint ? AtPoint::kDiffer : AtPoint::kAgree;
    }
  }
  return AtPoint::kNothing;
}

}  // namespace

Rational point_value(std::uint64_t seed, int symbol, int point, bool whole) {
  const std::uint64_t bits =
      mix(mix(seed * 0x51ED27 + static_cast<std::uint64_t>(symbol)) + static_cast<std::uint64_t>(point));
  if (whole) {
    return Rational(static_cast<slong>(2 + point / 2 + static_cast<int>(bits % 5)));
  }
  constexpr slong kParts = 1024;
  constexpr slong kSizes[] = {3, 1, 3, 12, 1, 3, 40};
  const slong size = kSizes[point % 7];
  const auto parts = static_cast<slong>(bits % static_cast<std::uint64_t>(size * kParts - 1)) + 1;
  // Every other point is positive in all symbols; between them signs are free.
  const bool negative = point % 2 == 1 && (bits >> 60) % 4 != 0;
  return Rational(negative ? -parts : parts, kParts);
}

Outcome compare_at_points(const Context& c, int truth, int answer, const std::vector<int>& symbols) {
  const bool whole = needs_whole_numbers(c.expr, truth) || needs_whole_numbers(c.expr, answer);
  bool complex = contains(c.expr, truth, Kind::kImaginary) || contains(c.expr, answer, Kind::kImaginary);
  for (int pass = 0; pass < 2; ++pass) {
    int agreed = 0;
    int not_real = 0;
    for (int point = 0; point < kPoints && agreed < kEnough + 3; ++point) {
      Bindings bindings;
      for (std::size_t s = 0; s < symbols.size(); ++s) {
        bindings.emplace_back(symbols[s], point_value(c.options.seed, static_cast<int>(s), point, whole));
      }
      const AtPoint here = compare_here(c, truth, answer, bindings, complex);
      if (here == AtPoint::kDiffer) {
        return {MathVerdict::kNotEqual, "functions with different values at a point"};
      }
      agreed += here == AtPoint::kAgree ? 1 : 0;
      not_real += here == AtPoint::kNotReal ? 1 : 0;
      if (c.work.exhausted()) {
        return {MathVerdict::kUndecided, "the budget of work is spent"};
      }
    }
    if (agreed >= kEnough || (agreed >= kLeast && complex)) {
      return {MathVerdict::kProbablyEqual, "functions that agree at every point that was tried"};
    }
    if (complex || not_real == 0 || agreed > 0) {
      break;
    }
    complex = true;
  }
  return {MathVerdict::kUndecided, "functions that could not be evaluated at enough points"};
}

}  // namespace plumb::math
