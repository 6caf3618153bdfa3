#pragma once
// What a program earns that computes nothing.

#include <string>
#include <vector>

#include "core/records.h"

namespace plumb {

/// The largest share of `tests`, in [0, 1], that one constant result passes, by the judge's own comparison; 0 without
/// tests. Of calls returning `returns`; empty for whole programs, whose expected outputs are compared as texts.
/// Quadratic in the number of tests.
double best_constant_share(const std::vector<TestCase>& tests, const std::string& returns);

/// max(0, (f - c) / (1 - c)): the share f of tests passed, above the share c that a constant passes. Where c is 1 (a
/// single test, say) it is 1 for f = 1, else 0.
double share_above_constant(double f, double c);

}  // namespace plumb
