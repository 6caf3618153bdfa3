#pragma once
// Equations, inequalities and congruences compared as wholes.

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// Two equations: their sides' differences agree up to a constant factor.
Outcome compare_equation_pair(const Context& context, int truth, int answer);
/// Inequalities, chains of them, and what they are equal to (intervals): solution sets where they can be solved, else
/// sides' differences up to a positive factor.
Outcome compare_inequalities(const Context& context, int truth, int answer);
/// x = a (mod m): the same modulus, and a - b is a multiple of it.
Outcome compare_congruences(const Context& context, int truth, int answer);

}  // namespace plumb::math
