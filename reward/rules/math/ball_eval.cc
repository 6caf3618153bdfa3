#include "reward/rules/math/ball_eval.h"

#include <algorithm>

#include "reward/rules/math/ball_ops.h"

namespace plumb::math {

namespace {

class Evaluation {
 public:
  Evaluation(const Expr& expr, const Bindings& bindings, const BallOptions& options, Work& work)
      : expr_(expr), bindings_(bindings), options_(options), work_(work) {}

  void run(int root, const std::vector<int>& order, Ball& value) {
    base_ = expr_[root].begin;
    slots_.resize(static_cast<std::size_t>(root - base_ + 1));
    for (const int id : order) {
      if (!work_.spend(cost(id))) {
        value.ok = false;
        return;
      }
      evaluate(id, at(id));
    }
    value = std::move(at(root));
  }

 private:
  Ball& at(int id) { return slots_[static_cast<std::size_t>(id - base_)]; }

  // In units of 10 ns: an operation on words, or an elementary function.
  [[nodiscard]] std::int64_t cost(int id) const {
    const std::int64_t words = options_.precision / 64 + 1;
    switch (expr_[id].kind) {
      case Kind::kApply:
      case Kind::kPower:
      case Kind::kRoot:
      case Kind::kFactorial:
        return 200 * words + 20 * words * words;
      default:
        return 3 * words + words * words / 2;
    }
  }

  bool bound(int name, Ball& out) const {
    for (auto it = bindings_.rbegin(); it != bindings_.rend(); ++it) {
      if (it->first == name) {
        acb_set_fmpq(out.get(), it->second.get(), options_.precision);
        out.ok = true;
        return true;
      }
    }
    return false;
  }

  // The exact value of a number, a negated number or a quotient of numbers; else nothing.
  bool written_number(int id, Rational& out) const {
    const Node& node = expr_[id];
    if (node.kind == Kind::kNumber) {
      out = expr_.value(id);
      return true;
    }
    if (node.kind == Kind::kNegate && written_number_leaf(node.a, out)) {
      fmpq_neg(out.get(), out.get());
      return true;
    }
    Rational below;
    if (node.kind == Kind::kDivide && written_number_leaf(node.a, out) && written_number_leaf(node.b, below) &&
        !below.is_zero()) {
      fmpq_div(out.get(), out.get(), below.get());
      return true;
    }
    if (node.kind == Kind::kSymbol || node.kind == Kind::kImaginary) {
      const int name = node.kind == Kind::kSymbol ? node.data : kBoundI;
      for (auto it = bindings_.rbegin(); it != bindings_.rend(); ++it) {
        if (it->first == name) {
          out = it->second;
          return true;
        }
      }
    }
    return false;
  }
  bool written_number_leaf(int id, Rational& out) const {
    if (expr_[id].kind == Kind::kNegate) {
      id = expr_[id].a;
      if (expr_[id].kind != Kind::kNumber) {
        return false;
      }
      fmpq_neg(out.get(), expr_.value(id).get());
      return true;
    }
    if (expr_[id].kind != Kind::kNumber) {
      return false;
    }
    out = expr_.value(id);
    return true;
  }

  void constant(Kind kind, Ball& out) const {
    if (kind == Kind::kPi) {
      acb_const_pi(out.get(), options_.precision);
    } else if (kind == Kind::kEuler) {
      acb_set_ui(out.get(), 1);
      acb_exp(out.get(), out.get(), options_.precision);
    } else {
      acb_onei(out.get());
    }
    out.ok = true;
  }

  void evaluate(int id, Ball& out) {
    const Node& node = expr_[id];
    const slong p = options_.precision;
    switch (node.kind) {
      case Kind::kNumber:
        acb_set_fmpq(out.get(), expr_.value(id).get(), p);
        out.ok = true;
        return;
      case Kind::kSymbol:
        bound(node.data, out);
        return;
      case Kind::kImaginary:
        if (!bound(kBoundI, out)) {
          constant(node.kind, out);
        }
        return;
      case Kind::kPi:
      case Kind::kEuler:
        return constant(node.kind, out);
      case Kind::kNegate:
        acb_neg(out.get(), at(node.a).get());
        out.ok = at(node.a).ok;
        out.huge = -at(node.a).huge;
        out.vague = at(node.a).vague;
        return;
      case Kind::kBased:
      case Kind::kPercent:
        return scaled(node, out);
      case Kind::kQuantity:
        return angle(id, out);
      case Kind::kSum:
        return ball_sum(at(node.a), at(node.b), p, out);
      case Kind::kProduct:
        return ball_product(at(node.a), at(node.b), p, out);
      case Kind::kDivide: {
        Ball inverse;
        ball_inverse(at(node.b), p, inverse);
        return ball_product(at(node.a), inverse, p, out);
      }
      case Kind::kPower: {
        Rational exponent;
        const bool known = written_number(node.b, exponent);
        if (expr_[node.a].kind == Kind::kEuler) {
          return ball_function(Function::kExp, at(node.b), nullptr, p, out);
        }
        return ball_power(at(node.a), at(node.b), known ? &exponent : nullptr, options_, out);
      }
      case Kind::kRoot:
        return root(node, out);
      case Kind::kFactorial:
        return ball_factorial(at(node.a), p, out);
      case Kind::kApply:
        return apply(id, out);
      case Kind::kBigSum:
      case Kind::kBigProduct:
        return big(id, out);
      case Kind::kModulo: {  // a - b floor(a/b)
        Ball t, inverse;
        ball_inverse(at(node.b), p, inverse);
        ball_product(at(node.a), inverse, p, t);
        ball_function(Function::kFloor, t, nullptr, p, inverse);
        ball_product(inverse, at(node.b), p, t);
        acb_neg(t.get(), t.get());
        t.huge = -t.huge;
        return ball_sum(at(node.a), t, p, out);
      }
      default:
        return;
    }
  }

  void scaled(const Node& node, Ball& out) {
    acb_set(out.get(), at(node.a).get());
    out.ok = at(node.a).ok && at(node.a).huge == 0;
    out.vague = at(node.a).vague;
    if (node.kind == Kind::kPercent) {
      acb_div_ui(out.get(), out.get(), 100, options_.precision);
    }
  }

  // Degrees as radians; other units have no value as numbers.
  void angle(int id, Ball& out) {
    if (expr_.name(id) != "degree") {
      return;
    }
    Ball pi;
    acb_const_pi(pi.get(), options_.precision);
    acb_div_ui(pi.get(), pi.get(), 180, options_.precision);
    pi.ok = true;
    ball_product(at(expr_[id].a), pi, options_.precision, out);
  }

  void root(const Node& node, Ball& out) {
    Rational exponent;
    const bool known = written_number(node.a, exponent) && !exponent.is_zero();
    if (known) {
      fmpq_inv(exponent.get(), exponent.get());
    }
    Ball inverse;
    ball_inverse(at(node.a), options_.precision, inverse);
    ball_power(at(node.b), inverse, known ? &exponent : nullptr, options_, out);
  }

  void apply(int id, Ball& out) {
    const Node& node = expr_[id];
    const Function function = expr_.function(id);
    const slong p = options_.precision;
    if (function == Function::kBinomial && node.b >= 0) {  // n! / (k! (n - k)!)
      Ball above, below, rest, product, inverse;
      ball_factorial(at(node.a), p, above);
      ball_factorial(at(node.b), p, below);
      acb_sub(inverse.get(), at(node.a).get(), at(node.b).get(), p);
      inverse.ok = at(node.a).ok && at(node.b).ok && at(node.a).huge == 0 && at(node.b).huge == 0;
      ball_factorial(inverse, p, rest);
      ball_product(below, rest, p, product);
      ball_inverse(product, p, inverse);
      return ball_product(above, inverse, p, out);
    }
    if (function == Function::kMax || function == Function::kMin) {
      return extreme(node.a, function == Function::kMax, out);
    }
    ball_function(function, at(node.a), node.b >= 0 ? &at(node.b) : nullptr, p, out);
  }

  void extreme(int argument, bool largest, Ball& out) {
    const Node& node = expr_[argument];
    if (node.kind != Kind::kTuple && node.kind != Kind::kSet) {
      return;
    }
    for (int i = 0; i < node.count; ++i) {
      const Ball& item = at(expr_.kid(argument, i));
      if (!real_ball(item)) {
        out.ok = false;
        return;
      }
      if (i == 0) {
        acb_set(out.get(), item.get());
        out.ok = true;
      } else {
        (largest ? arb_max : arb_min)(acb_realref(out.get()), out.real(), item.real(), options_.precision);
      }
    }
  }

  void big(int id, Ball& out) {
    Rational lower, upper;
    const bool sum = expr_[id].kind == Kind::kBigSum;
    const int variable = expr_.kid(id, 0);
    const int body = expr_.kid(id, 3);
    if (eval_rational(expr_, expr_.kid(id, 1), bindings_, work_, lower) != Exact::kValue ||
        eval_rational(expr_, expr_.kid(id, 2), bindings_, work_, upper) != Exact::kValue || !lower.fits_int() ||
        !upper.fits_int()) {
      return;
    }
    constexpr slong kTerms = 2000;
    const slong first = lower.to_int();
    const slong last = upper.to_int();
    if (last - first >= kTerms) {
      const bool identity = expr_[body].kind == expr_[variable].kind && expr_[body].data == expr_[variable].data;
      if (!sum && identity && first >= 1) {  // last! / (first - 1)!
        Ball above, below, inverse;
        acb_set_si(above.get(), last);
        acb_set_si(below.get(), first - 1);
        above.ok = below.ok = true;
        ball_factorial(below, options_.precision, inverse);
        ball_inverse(inverse, options_.precision, below);
        ball_factorial(above, options_.precision, inverse);
        ball_product(inverse, below, options_.precision, out);
      }
      return;
    }
    const std::vector<int> order = expr_.order(body);
    const int name = expr_[variable].kind == Kind::kSymbol ? expr_[variable].data : kBoundI;
    acb_set_ui(out.get(), sum ? 0 : 1);
    out.ok = true;
    for (slong k = first; k <= last && out.ok; ++k) {
      Bindings inner = bindings_;
      inner.emplace_back(name, Rational(k));
      Ball item, next;
      Evaluation(expr_, inner, options_, work_).run(body, order, item);
      (sum ? ball_sum : ball_product)(out, item, options_.precision, next);
      out = std::move(next);
    }
  }

  const Expr& expr_;
  const Bindings& bindings_;
  const BallOptions& options_;
  Work& work_;
  int base_ = 0;
  std::vector<Ball> slots_;
};

}  // namespace

void eval_ball(const Expr& expr, int root, const Bindings& bindings, const BallOptions& options, Work& work,
               Ball& value) {
  Evaluation(expr, bindings, options, work).run(root, expr.order(root), value);
}

Overlap compare_balls(const Ball& a, const Ball& b) {
  if (!a.ok || !b.ok) {
    return Overlap::kLoose;
  }
  if (a.huge != 0 || b.huge != 0) {
    if (a.huge != 0 && b.huge != 0) {
      return a.huge != b.huge ? Overlap::kDisjoint : Overlap::kLoose;
    }
    // What is not huge has at most 2^(2^40) here, unless it was computed close to the border.
    const Ball& other = a.huge != 0 ? b : a;
    mag_t size;
    mag_init(size);
    acb_get_mag(size, other.get());
    const bool small = mag_cmp_2exp_si(size, slong{1} << 60) < 0;
    mag_clear(size);
    return small ? Overlap::kDisjoint : Overlap::kLoose;
  }
  if (!acb_overlaps(a.get(), b.get())) {
    return Overlap::kDisjoint;
  }
  if (a.vague || b.vague) {
    return Overlap::kLoose;
  }
  mag_t radius;
  mag_init(radius);
  bool tight = true;
  for (const Ball* ball : {&a, &b}) {
    tight = tight && mag_cmp_2exp_si(arb_radref(ball->real()), -41) < 0 &&
            mag_cmp_2exp_si(arb_radref(ball->imag()), -41) < 0;
  }
  mag_clear(radius);
  return tight ? Overlap::kTight : Overlap::kLoose;
}

}  // namespace plumb::math
