#pragma once
// Rigorous enclosures of the values of trees, with Arb: a true value always lies in its ball, so disjoint balls prove
// that two values differ.

#include <acb.h>

#include "reward/rules/math/expr.h"
#include "reward/rules/math/rational_eval.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

/// The value of a tree. Numbers beyond exp(2^70) are not enclosed but known by their sign: `huge`.
class Ball {
 public:
  Ball() { acb_init(value_); }
  Ball(const Ball&) = delete;
  Ball& operator=(const Ball&) = delete;
  Ball(Ball&& other) noexcept : Ball() { swap(other); }
  Ball& operator=(Ball&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Ball() { acb_clear(value_); }
  void swap(Ball& other) noexcept {
    acb_swap(value_, other.value_);
    std::swap(ok, other.ok);
    std::swap(huge, other.huge);
    std::swap(vague, other.vague);
  }
  acb_struct* get() { return value_; }
  [[nodiscard]] const acb_struct* get() const { return value_; }
  [[nodiscard]] const arb_struct* real() const { return acb_realref(value_); }
  [[nodiscard]] const arb_struct* imag() const { return acb_imagref(value_); }

  bool ok = false;     // otherwise nothing is known: undefined, or beyond what is computed
  int huge = 0;        // +1, -1: a real number of that sign beyond exp(2^70); the ball means nothing then
  bool vague = false;  // a reciprocal of something huge takes part: overlapping means nothing

 private:
  acb_t value_;
};

struct BallOptions {
  slong precision = 64;
  bool real_roots = true;  // odd roots of negative reals are real
};

/// Encloses the value of `root`; symbols have the values of `bindings`.
void eval_ball(const Expr& expr, int root, const Bindings& bindings, const BallOptions& options, Work& work,
               Ball& value);

enum class Overlap {
  kDisjoint,  // proved different
  kTight,     // the same to within 2^-40 of each other
  kLoose,     // nothing can be said
};
Overlap compare_balls(const Ball& a, const Ball& b);

}  // namespace plumb::math
