#pragma once
// Single operations on balls. Only ball_*.cc include this.

#include "reward/rules/math/ball_eval.h"

namespace plumb::math {

void ball_sum(const Ball& a, const Ball& b, slong precision, Ball& out);
void ball_product(const Ball& a, const Ball& b, slong precision, Ball& out);
void ball_inverse(const Ball& a, slong precision, Ball& out);
/// a^b: principal value, but the real root where b is a fraction p/q (`exponent`, may be null) with an odd q.
void ball_power(const Ball& a, const Ball& b, const Rational* exponent, const BallOptions& options, Ball& out);
void ball_function(Function function, const Ball& a, const Ball* base, slong precision, Ball& out);
void ball_factorial(const Ball& a, slong precision, Ball& out);
/// Whether the ball is a real number without doubt, and finite.
bool real_ball(const Ball& a);

}  // namespace plumb::math
