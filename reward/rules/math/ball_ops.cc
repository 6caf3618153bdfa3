#include "reward/rules/math/ball_ops.h"

#include <acb_hypgeom.h>

namespace plumb::math {

namespace {

// Ordinary operands of something huge: at most 2^(2^40) in size, so that even many of them cannot undo what is huge.
bool moderate(const Ball& a) {
  if (!acb_is_finite(a.get()) || a.huge != 0) {
    return false;
  }
  mag_t size;
  mag_init(size);
  acb_get_mag(size, a.get());
  const bool small = mag_cmp_2exp_si(size, slong{1} << 40) < 0;
  mag_clear(size);
  return small;
}

void mark_huge(Ball& out, int sign) {
  acb_zero(out.get());
  out.huge = sign;
  out.ok = true;
}

// A number between -2^-100000 and 2^-100000.
void mark_tiny(Ball& out) {
  acb_zero(out.get());
  mag_set_ui_2exp_si(arb_radref(acb_realref(out.get())), 1, -100000);
  out.vague = true;
  out.ok = true;
}

// Whether `a` is certainly not zero and yet smaller than `limit`: what is added to or put into something much larger is
// lost in rounding, and two results that overlap then tell nothing about each other.
bool lost_below(const acb_t a, const mag_t limit) {
  if (acb_contains_zero(a) != 0) {
    return false;
  }
  mag_t size;
  mag_init(size);
  acb_get_mag(size, a);
  const bool lost = mag_cmp(size, limit) < 0;
  mag_clear(size);
  return lost;
}

bool lost_in_rounding(const acb_t a, slong precision) {
  mag_t limit;
  mag_init(limit);
  mag_set_ui_2exp_si(limit, 1, -precision);
  const bool lost = lost_below(a, limit);
  mag_clear(limit);
  return lost;
}

int real_sign(const Ball& a) {
  if (a.huge != 0) {
    return a.huge;
  }
  return !real_ball(a) ? 0 : arb_is_positive(a.real()) != 0 ? 1 : arb_is_negative(a.real()) != 0 ? -1 : 0;
}

void settle(Ball& out, bool vague) {
  out.huge = 0;
  out.vague = vague;
  out.ok = acb_is_finite(out.get()) != 0;
}

void fail(Ball& out) {
  out.ok = false;
}

// exp(w), huge where w > 2^70.
void exponential(const acb_t w, slong precision, bool vague, Ball& out) {
  arb_t limit;
  arb_init(limit);
  arb_set_ui(limit, 1);
  arb_mul_2exp_si(limit, limit, 70);
  const bool real = arb_is_zero(acb_imagref(w)) != 0;
  if (real && arb_gt(acb_realref(w), limit) != 0) {
    mark_huge(out, 1);
  } else {
    arb_neg(limit, limit);
    if (real && arb_lt(acb_realref(w), limit) != 0) {
      mark_tiny(out);
    } else {
      acb_exp(out.get(), w, precision);
      settle(out, vague || lost_in_rounding(w, precision));
    }
  }
  arb_clear(limit);
}

void huge_power(const Ball& a, const Ball& b, Ball& out) {
  arb_t one;
  arb_init(one);
  arb_one(one);
  const int exponent_sign = real_sign(b);
  arb_t small;
  arb_init(small);
  arb_set_d(small, 1e-3);
  const bool enough =
      b.huge != 0 || (moderate(b) && exponent_sign != 0 && (arb_gt(b.real(), small) != 0 || exponent_sign < 0));
  if (a.huge > 0 && enough) {
    exponent_sign > 0 ? mark_huge(out, 1) : mark_tiny(out);
  } else if (a.huge == 0 && b.huge != 0 && real_ball(a) && arb_is_positive(a.real()) != 0) {
    arb_t log;
    arb_init(log);
    arb_log(log, a.real(), 64);
    const bool above = arb_gt(log, small) != 0;
    arb_neg(small, small);
    const bool below = arb_lt(log, small) != 0;
    if (above || below) {
      (above == (b.huge > 0)) ? mark_huge(out, 1) : mark_tiny(out);
    } else {
      fail(out);
    }
    arb_clear(log);
  } else {
    fail(out);
  }
  arb_clear(small);
  arb_clear(one);
}

// |a|^(p/q) with the sign of a real root.
void odd_root_power(const Ball& a, const Rational& exponent, slong precision, Ball& out) {
  acb_neg(out.get(), a.get());
  arb_t power;
  arb_init(power);
  arb_set_fmpq(power, exponent.get(), precision);
  acb_pow_arb(out.get(), out.get(), power, precision);
  arb_clear(power);
  if (fmpz_is_odd(exponent.num()) != 0) {
    acb_neg(out.get(), out.get());
  }
}

}  // namespace

bool real_ball(const Ball& a) {
  return a.ok && a.huge == 0 && arb_is_zero(a.imag()) != 0;
}

void ball_sum(const Ball& a, const Ball& b, slong precision, Ball& out) {
  if (!a.ok || !b.ok) {
    return fail(out);
  }
  if (a.huge != 0 || b.huge != 0) {
    const bool agree = a.huge == b.huge || (a.huge == 0 && moderate(a) && real_ball(a)) ||
                       (b.huge == 0 && moderate(b) && real_ball(b));
    return agree ? mark_huge(out, a.huge != 0 ? a.huge : b.huge) : fail(out);
  }
  acb_add(out.get(), a.get(), b.get(), precision);
  mag_t radius;
  mag_init(radius);
  mag_max(radius, arb_radref(out.real()), arb_radref(out.imag()));
  const bool lost = mag_is_zero(radius) == 0 && (lost_below(a.get(), radius) || lost_below(b.get(), radius));
  mag_clear(radius);
  settle(out, a.vague || b.vague || lost);
}

void ball_product(const Ball& a, const Ball& b, slong precision, Ball& out) {
  if (!a.ok || !b.ok) {
    return fail(out);
  }
  if (a.huge != 0 || b.huge != 0) {
    const Ball& other = a.huge != 0 ? b : a;
    const int sign = real_sign(a) * real_sign(b);
    if (other.huge != 0) {
      return mark_huge(out, sign);
    }
    Ball inverse;
    acb_inv(inverse.get(), other.get(), 64);
    return sign != 0 && moderate(other) && moderate(inverse) ? mark_huge(out, sign) : fail(out);
  }
  acb_mul(out.get(), a.get(), b.get(), precision);
  settle(out, a.vague || b.vague);
}

void ball_inverse(const Ball& a, slong precision, Ball& out) {
  if (!a.ok) {
    return fail(out);
  }
  if (a.huge != 0) {
    return mark_tiny(out);
  }
  acb_inv(out.get(), a.get(), precision);
  settle(out, a.vague);
}

void ball_power(const Ball& a, const Ball& b, const Rational* exponent, const BallOptions& options, Ball& out) {
  if (!a.ok || !b.ok) {
    return fail(out);
  }
  if (a.huge != 0 || b.huge != 0) {
    return huge_power(a, b, out);
  }
  const slong precision = options.precision;
  constexpr slong kByMultiplying = 1 << 16;
  if (exponent != nullptr && exponent->fits_int() && std::abs(exponent->to_int()) <= kByMultiplying) {
    acb_pow_si(out.get(), a.get(), exponent->to_int(), precision);
    settle(out, a.vague || b.vague);
    if (out.ok) {
      return;
    }
  }
  const bool negative = real_ball(a) && arb_is_negative(a.real()) != 0;
  if (exponent != nullptr && !exponent->is_integer() && negative && options.real_roots &&
      fmpz_is_odd(exponent->den()) != 0) {
    odd_root_power(a, *exponent, precision, out);
    settle(out, a.vague || b.vague);
    return;
  }
  if (exponent != nullptr && fmpq_equal(exponent->get(), Rational(1, 2).get()) != 0) {
    acb_sqrt(out.get(), a.get(), precision);
    settle(out, a.vague || b.vague);
    return;
  }
  if (real_ball(a) && arb_contains_zero(a.real()) != 0 && arb_is_zero(a.real()) != 0 && real_sign(b) > 0) {
    acb_zero(out.get());
    settle(out, false);
    return;
  }
  Ball w;
  acb_log(w.get(), a.get(), precision);
  acb_mul(w.get(), w.get(), b.get(), precision);
  const bool integer = exponent != nullptr && exponent->is_integer();
  if (negative && integer) {  // a real result, by the parity of a large exponent
    arb_zero(acb_imagref(w.get()));
    exponential(w.get(), precision, a.vague || b.vague, out);
    if (fmpz_is_odd(exponent->num()) != 0) {
      out.huge = -out.huge;
      acb_neg(out.get(), out.get());
    }
    return;
  }
  if (!acb_is_finite(w.get())) {
    return fail(out);
  }
  exponential(w.get(), precision, a.vague || b.vague, out);
}

void ball_factorial(const Ball& a, slong precision, Ball& out) {
  if (!a.ok || a.huge < 0) {
    return fail(out);
  }
  if (a.huge > 0) {
    return mark_huge(out, 1);
  }
  Ball next;
  acb_add_ui(next.get(), a.get(), 1, precision);
  if (real_ball(a) && arf_cmpabs_2exp_si(arb_midref(a.real()), 60) > 0) {
    // ln n! > n for n > 10, so the factorial of something beyond 2^60 counts as huge only beyond 2^70.
    if (arb_is_positive(a.real()) != 0 && arf_cmpabs_2exp_si(arb_midref(a.real()), 80) > 0) {
      return mark_huge(out, 1);
    }
    return fail(out);
  }
  acb_gamma(out.get(), next.get(), precision);
  settle(out, a.vague);
}

void ball_function(Function function, const Ball& a, const Ball* base, slong precision, Ball& out) {
  using F = Function;
  if (!a.ok || (base != nullptr && !base->ok)) {
    return fail(out);
  }
  if (a.huge != 0) {
    if (function == F::kExp) {
      return a.huge > 0 ? mark_huge(out, 1) : mark_tiny(out);
    }
    const bool keeps = function == F::kAbs || function == F::kFloor || function == F::kCeil;
    return keeps ? mark_huge(out, function == F::kAbs ? 1 : a.huge) : fail(out);
  }
  const acb_struct* const x = a.get();
  acb_struct* const y = out.get();
  const slong p = precision;
  Ball t;
  const auto reciprocal = [&](void (*f)(acb_t, const acb_t, slong)) {
    acb_inv(t.get(), x, p);
    f(y, t.get(), p);
  };
  switch (function) {
    case F::kSin:
      acb_sin(y, x, p);
      break;
    case F::kCos:
      acb_cos(y, x, p);
      break;
    case F::kTan:
      acb_tan(y, x, p);
      break;
    case F::kCot:
      acb_cot(y, x, p);
      break;
    case F::kSec:
      acb_sec(y, x, p);
      break;
    case F::kCsc:
      acb_csc(y, x, p);
      break;
    case F::kAsin:
      acb_asin(y, x, p);
      break;
    case F::kAcos:
      acb_acos(y, x, p);
      break;
    case F::kAtan:
      acb_atan(y, x, p);
      break;
    case F::kAcot:  // the branch in (0, pi)
      acb_atan(t.get(), x, p);
      acb_const_pi(y, p);
      acb_mul_2exp_si(y, y, -1);
      acb_sub(y, y, t.get(), p);
      break;
    case F::kAsec:
      reciprocal(acb_acos);
      break;
    case F::kAcsc:
      reciprocal(acb_asin);
      break;
    case F::kSinh:
      acb_sinh(y, x, p);
      break;
    case F::kCosh:
      acb_cosh(y, x, p);
      break;
    case F::kTanh:
      acb_tanh(y, x, p);
      break;
    case F::kCoth:
      acb_coth(y, x, p);
      break;
    case F::kAsinh:
      acb_asinh(y, x, p);
      break;
    case F::kAcosh:
      acb_acosh(y, x, p);
      break;
    case F::kAtanh:
      acb_atanh(y, x, p);
      break;
    case F::kExp:
      exponential(x, p, a.vague, out);
      return;
    case F::kLn:
    case F::kLog:
    case F::kLg:
      acb_log(y, x, p);
      if (function == F::kLg || (function == F::kLog && base == nullptr)) {
        acb_set_ui(t.get(), 10);
        acb_log(t.get(), t.get(), p);
        acb_div(y, y, t.get(), p);
      } else if (base != nullptr) {
        acb_log(t.get(), base->get(), p);
        acb_div(y, y, t.get(), p);
      }
      break;
    case F::kAbs: {
      acb_zero(y);
      acb_abs(acb_realref(y), x, p);
      break;
    }
    case F::kFloor:
      acb_real_floor(y, x, 0, p);
      break;
    case F::kCeil:
      acb_real_ceil(y, x, 0, p);
      break;
    case F::kSign:
      acb_real_sgn(y, x, 0, p);
      break;
    case F::kGamma:
      acb_gamma(y, x, p);
      break;
    case F::kConjugate:
      acb_conj(y, x);
      break;
    case F::kRe:
      acb_zero(y);
      arb_set(acb_realref(y), acb_realref(x));
      break;
    case F::kIm:
      acb_zero(y);
      arb_set(acb_realref(y), acb_imagref(x));
      break;
    case F::kArg:
      acb_zero(y);
      acb_arg(acb_realref(y), x, p);
      break;
    default:
      return fail(out);
  }
  settle(out, a.vague || (base != nullptr && base->vague) || lost_in_rounding(x, precision));
}

}  // namespace plumb::math
