#include "reward/rules/math/rational_eval.h"

#include <flint/arith.h>

#include <algorithm>
#include <cmath>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/rewrite.h"

namespace plumb::math {

namespace {

struct Slot {
  Exact state = Exact::kOther;
  Rational value;
};

class Evaluation {
 public:
  Evaluation(const Expr& expr, const Bindings& bindings, Work& work) : expr_(expr), bindings_(bindings), work_(work) {}

  Slot run(int root, const std::vector<int>& order) {
    base_ = expr_[root].begin;
    slots_.resize(static_cast<std::size_t>(root - base_ + 1));
    for (const int id : order) {
      if (!work_.spend(5)) {
        return {};
      }
      Slot& out = at(id);
      out.state = evaluate(id, out.value);
      if (out.state == Exact::kValue && out.value.bits() > 2 * kMaxExactBits && expr_[id].kind != Kind::kNumber) {
        out.state = Exact::kOther;
      }
      work_.spend(out.state == Exact::kValue ? out.value.bits() / 64 : 0);
    }
    return std::move(at(root));
  }

 private:
  Slot& at(int id) { return slots_[static_cast<std::size_t>(id - base_)]; }

  Exact bound(int name, Rational& out) const {
    for (auto it = bindings_.rbegin(); it != bindings_.rend(); ++it) {
      if (it->first == name) {
        out = it->second;
        return Exact::kValue;
      }
    }
    return Exact::kOther;
  }

  // What two operands force without looking at values: nothing, or the state of the result.
  static Exact merged(const Slot& a, const Slot& b) {
    if (a.state == Exact::kUndefined || b.state == Exact::kUndefined) {
      return Exact::kUndefined;
    }
    if (a.state == Exact::kInfinite || b.state == Exact::kInfinite) {
      return Exact::kInfinite;
    }
    return a.state == Exact::kOther || b.state == Exact::kOther ? Exact::kOther : Exact::kValue;
  }

  Exact evaluate(int id, Rational& out) {
    const Node& node = expr_[id];
    switch (node.kind) {
      case Kind::kNumber:
        out = expr_.value(id);
        return Exact::kValue;
      case Kind::kSymbol:
        return bound(node.data, out);
      case Kind::kImaginary:
        return bound(kBoundI, out);
      case Kind::kInfinity:
        return Exact::kInfinite;
      case Kind::kBased:
        out = at(node.a).value;
        return at(node.a).state;
      case Kind::kNegate:
        fmpq_neg(out.get(), at(node.a).value.get());
        return at(node.a).state;
      case Kind::kPercent:
        fmpq_div_fmpz(out.get(), at(node.a).value.get(), Rational(100).num());
        return at(node.a).state;
      case Kind::kSum:
      case Kind::kProduct:
      case Kind::kDivide:
      case Kind::kModulo:
        return arithmetic(node, at(node.a), at(node.b), out);
      case Kind::kPower:
        return power(at(node.a), at(node.b), out);
      case Kind::kRoot:
        return root(at(node.a), at(node.b), out);
      case Kind::kFactorial:
      case Kind::kDoubleFactorial:
        return factorial(at(node.a), node.kind == Kind::kDoubleFactorial, out);
      case Kind::kApply:
        return apply(id, out);
      case Kind::kBigSum:
      case Kind::kBigProduct:
        return big(id, out);
      default:
        return Exact::kOther;
    }
  }

  Exact arithmetic(const Node& node, const Slot& a, const Slot& b, Rational& out) {
    const bool zero =
        (a.state == Exact::kValue && a.value.is_zero()) || (b.state == Exact::kValue && b.value.is_zero());
    const Exact state = merged(a, b);
    if (node.kind == Kind::kProduct && zero && state == Exact::kOther) {
      return Exact::kValue;  // 0 times whatever is finite
    }
    const bool divides = node.kind == Kind::kDivide || node.kind == Kind::kModulo;
    if (divides && b.state == Exact::kValue && b.value.is_zero()) {
      return Exact::kUndefined;
    }
    if (state != Exact::kValue) {
      return state;
    }
    if (node.kind == Kind::kSum) {
      fmpq_add(out.get(), a.value.get(), b.value.get());
    } else if (node.kind == Kind::kProduct) {
      fmpq_mul(out.get(), a.value.get(), b.value.get());
    } else {
      fmpq_div(out.get(), a.value.get(), b.value.get());
    }
    if (node.kind == Kind::kModulo) {  // a - b floor(a/b)
      Rational whole = floored(out, false);
      fmpq_mul(whole.get(), whole.get(), b.value.get());
      fmpq_sub(out.get(), a.value.get(), whole.get());
    }
    return Exact::kValue;
  }

  static Rational floored(const Rational& value, bool up) {
    Rational whole;
    (up ? fmpz_cdiv_q : fmpz_fdiv_q)(fmpq_numref(whole.get()), value.num(), value.den());
    return whole;
  }

  static bool minus_one(const Rational& value) { return value.is_integer() && fmpz_equal_si(value.num(), -1) != 0; }

  Exact power(const Slot& a, const Slot& b, Rational& out) {
    const Exact state = merged(a, b);
    if (state == Exact::kOther && a.state == Exact::kValue && a.value.is_one()) {
      out = Rational(1);
      return Exact::kValue;
    }
    if (state != Exact::kValue) {
      return state;
    }
    if (!b.value.is_integer()) {
      Rational index;
      fmpz_set(fmpq_numref(index.get()), b.value.den());
      Rational rooted;
      if (const Exact found = exact_root(a.value, index, rooted); found != Exact::kValue) {
        return found;
      }
      Rational above;
      fmpz_set(fmpq_numref(above.get()), b.value.num());
      return integer_power(rooted, above, out);
    }
    return integer_power(a.value, b.value, out);
  }

  Exact integer_power(const Rational& base, const Rational& exponent, Rational& out) {
    if (base.is_zero() && exponent.sign() < 0) {
      return Exact::kUndefined;
    }
    if (base.is_zero() || base.is_one()) {
      out = base.is_one() || exponent.is_zero() ? Rational(1) : Rational(0);
      return Exact::kValue;
    }
    if (minus_one(base)) {
      out = Rational(fmpz_is_even(exponent.num()) != 0 ? 1 : -1);
      return Exact::kValue;
    }
    constexpr slong kLargest = slong{1} << 24;
    if (!exponent.fits_int() || std::abs(exponent.to_int()) > kLargest ||
        std::abs(exponent.to_int()) * base.bits() > kMaxExactBits) {
      return Exact::kOther;
    }
    work_.spend(std::abs(exponent.to_int()) * base.bits() / 16);
    fmpq_pow_si(out.get(), base.get(), exponent.to_int());
    return Exact::kValue;
  }

  // The index-th root where it is rational; the real one of a negative number for an odd index.
  Exact exact_root(const Rational& value, const Rational& index, Rational& out) {
    constexpr slong kLargest = 1000;
    if (!index.fits_int() || index.to_int() < 1 || index.to_int() > kLargest || value.bits() > kMaxExactBits) {
      return Exact::kOther;
    }
    const slong n = index.to_int();
    if (value.sign() < 0 && n % 2 == 0) {
      return Exact::kOther;
    }
    work_.spend(value.bits());
    Rational rooted;
    fmpz_t magnitude;
    fmpz_init(magnitude);
    fmpz_abs(magnitude, value.num());
    bool exact = fmpz_root(fmpq_numref(rooted.get()), magnitude, n) != 0;
    exact = exact && fmpz_root(fmpq_denref(rooted.get()), value.den(), n) != 0;
    fmpz_clear(magnitude);
    if (!exact) {
      fmpq_zero(rooted.get());
      return Exact::kOther;
    }
    if (value.sign() < 0) {
      fmpq_neg(rooted.get(), rooted.get());
    }
    out = std::move(rooted);
    return Exact::kValue;
  }

  Exact root(const Slot& index, const Slot& value, Rational& out) {
    const Exact state = merged(index, value);
    return state == Exact::kValue ? exact_root(value.value, index.value, out) : state;
  }

  Exact factorial(const Slot& a, bool twice, Rational& out) {
    if (a.state != Exact::kValue) {
      return a.state;
    }
    if (!a.value.is_integer()) {
      return Exact::kOther;
    }
    if (a.value.sign() < 0) {
      return Exact::kUndefined;
    }
    constexpr slong kLargest = 10000;
    if (!a.value.fits_int() || a.value.to_int() > kLargest) {
      return Exact::kOther;
    }
    const auto n = static_cast<ulong>(a.value.to_int());
    work_.spend(static_cast<std::int64_t>(n) * 20);
    if (!twice) {
      fmpz_fac_ui(fmpq_numref(out.get()), n);
    } else {
      fmpz_one(fmpq_numref(out.get()));
      for (ulong k = n; k > 1; k -= 2) {
        fmpz_mul_ui(fmpq_numref(out.get()), fmpq_numref(out.get()), k);
        if (k == 2) {
          break;
        }
      }
    }
    fmpz_one(fmpq_denref(out.get()));
    return Exact::kValue;
  }

  Exact binomial(const Slot& a, const Slot& b, Rational& out) {
    if (const Exact state = merged(a, b); state != Exact::kValue) {
      return state;
    }
    if (!a.value.fits_int() || !b.value.fits_int() || a.value.sign() < 0) {
      return Exact::kOther;
    }
    const slong n = a.value.to_int();
    const slong k = std::min(b.value.to_int(), n - b.value.to_int());
    out = Rational(0);
    if (k < 0) {
      return Exact::kValue;
    }
    const double bits =
        std::min(static_cast<double>(n), static_cast<double>(k) * std::log2(static_cast<double>(n) + 1));
    constexpr slong kLargest = 100000;
    if (bits > static_cast<double>(kMaxExactBits) || k > kLargest) {
      return Exact::kOther;
    }
    work_.spend(static_cast<std::int64_t>(bits) * 10);
    fmpz_bin_uiui(fmpq_numref(out.get()), static_cast<ulong>(n), static_cast<ulong>(k));
    return Exact::kValue;
  }

  // gcd, lcm, max, min of one argument or the kids of a tuple.
  Exact fold(Function function, int argument, Rational& out) {
    const Node& node = expr_[argument];
    const int count = node.kind == Kind::kTuple || node.kind == Kind::kSet || node.kind == Kind::kList ? node.count : 0;
    for (int i = 0; i < std::max(count, 1); ++i) {
      const Slot& item = at(count > 0 ? expr_.kid(argument, i) : argument);
      if (item.state != Exact::kValue) {
        return item.state;
      }
      const bool integer = item.value.is_integer();
      if (i == 0) {
        out = item.value;
        continue;
      }
      if (function == Function::kMax || function == Function::kMin) {
        if ((out < item.value) == (function == Function::kMax)) {
          out = item.value;
        }
      } else if (!integer || !out.is_integer()) {
        return Exact::kOther;
      } else {
        (function == Function::kGcd ? fmpz_gcd : fmpz_lcm)(fmpq_numref(out.get()), out.num(), item.value.num());
      }
    }
    return Exact::kValue;
  }

  Exact apply(int id, Rational& out) {
    const Node& node = expr_[id];
    const Function function = expr_.function(id);
    switch (function) {
      case Function::kBinomial:
        return node.b >= 0 ? binomial(at(node.a), at(node.b), out) : Exact::kOther;
      case Function::kGcd:
      case Function::kLcm:
      case Function::kMax:
      case Function::kMin:
        return fold(function, node.a, out);
      case Function::kAbs:
        fmpq_abs(out.get(), at(node.a).value.get());
        return at(node.a).state;
      case Function::kFloor:
      case Function::kCeil:
        out = floored(at(node.a).value, function == Function::kCeil);
        return at(node.a).state;
      case Function::kSign:
        out = Rational(at(node.a).value.sign());
        return at(node.a).state;
      default: {
        const Exact state = at(node.a).state;
        return state == Exact::kUndefined || state == Exact::kInfinite ? state : Exact::kOther;
      }
    }
  }

  bool term(int body, const std::vector<int>& order, int name, const Rational& k, Rational& out) {
    Bindings inner = bindings_;
    inner.emplace_back(name, k);
    Slot slot = Evaluation(expr_, inner, work_).run(body, order);
    out = std::move(slot.value);
    return slot.state == Exact::kValue;
  }

  // The sum of a polynomial over any number of terms, by Newton's forward differences:
  // sum over k < n of p(a + k) = sum over j of (difference j of p at a) binomial(n, j + 1).
  Exact polynomial_sum(int body, int name, const Rational& lower, const Rational& count, Rational& out) {
    const int d = polynomial_degree(expr_, body, name);
    if (d < 0 || (d + 1) * count.bits() > 2 * kMaxExactBits) {
      return Exact::kOther;
    }
    const std::vector<int> order = expr_.order(body);
    std::vector<Rational> values(static_cast<std::size_t>(d) + 1);
    Rational k = lower;
    for (Rational& v : values) {
      if (!term(body, order, name, k, v)) {
        return Exact::kOther;
      }
      fmpq_add_si(k.get(), k.get(), 1);
    }
    Rational choose = count;  // binomial(count, j + 1)
    out = Rational(0);
    for (int j = 0; j <= d; ++j) {
      fmpq_addmul(out.get(), values[0].get(), choose.get());
      for (std::size_t i = 0; i + 1 + static_cast<std::size_t>(j) < values.size(); ++i) {
        fmpq_sub(values[i].get(), values[i + 1].get(), values[i].get());
      }
      Rational next = count;
      fmpq_sub_si(next.get(), next.get(), j + 1);
      fmpq_mul(choose.get(), choose.get(), next.get());
      fmpq_div_fmpz(choose.get(), choose.get(), Rational(j + 2).num());
    }
    return Exact::kValue;
  }

  Exact big(int id, Rational& out) {
    const int variable = expr_.kid(id, 0);
    const Slot& lower = at(expr_.kid(id, 1));
    const Slot& upper = at(expr_.kid(id, 2));
    const int body = expr_.kid(id, 3);
    const Exact state = merged(lower, upper);
    if (state != Exact::kValue) {
      return state == Exact::kInfinite ? Exact::kOther : state;
    }
    if (!lower.value.is_integer() || !upper.value.is_integer()) {
      return Exact::kOther;
    }
    const bool sum = expr_[id].kind == Kind::kBigSum;
    const int name = expr_[variable].kind == Kind::kSymbol ? expr_[variable].data : kBoundI;
    Rational count;
    fmpq_sub(count.get(), upper.value.get(), lower.value.get());
    fmpq_add_si(count.get(), count.get(), 1);
    out = Rational(sum ? 0 : 1);
    if (count.sign() <= 0) {
      return Exact::kValue;
    }
    constexpr slong kWrittenOut = 2000;
    if (!count.fits_int() || count.to_int() > kWrittenOut) {
      return sum ? polynomial_sum(body, name, lower.value, count, out) : Exact::kOther;
    }
    const std::vector<int> order = expr_.order(body);
    Rational k = lower.value;
    Rational item;
    for (slong i = 0; i < count.to_int(); ++i) {
      if (!term(body, order, name, k, item) || out.bits() > kMaxExactBits || work_.exhausted()) {
        return Exact::kOther;
      }
      (sum ? fmpq_add : fmpq_mul)(out.get(), out.get(), item.get());
      fmpq_add_si(k.get(), k.get(), 1);
    }
    return Exact::kValue;
  }

  const Expr& expr_;
  const Bindings& bindings_;
  Work& work_;
  int base_ = 0;
  std::vector<Slot> slots_;
};

}  // namespace

Exact eval_rational(const Expr& expr, int root, const Bindings& bindings, Work& work, Rational& value) {
  const Node& node = expr[root];
  if (node.kind == Kind::kNumber) {
    work.spend(20);
    value = expr.value(root);
    return Exact::kValue;
  }
  if (node.kind == Kind::kSymbol && bindings.empty()) {
    return Exact::kOther;
  }
  Slot slot = Evaluation(expr, bindings, work).run(root, expr.order(root));
  value = std::move(slot.value);
  return work.exhausted() ? Exact::kOther : slot.state;
}

}  // namespace plumb::math
