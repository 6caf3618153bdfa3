#pragma once
// Comparison of two parsed answers by their types.

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// Whether the trees `truth` and `answer` mean the same under the conventions of context.options. Symmetric but for
/// these: a percent sign or degree sign may be left out by the answer, not added.
Outcome compare_trees(const Context& context, int truth, int answer);

}  // namespace plumb::math
