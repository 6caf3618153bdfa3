#pragma once
// Arithmetic of matrices whose entries are trees.

#include <optional>

#include "reward/rules/math/expr.h"

namespace plumb::math {

/// `root` with sums, products, whole powers, transposes and determinants of matrices carried out (of at most 16 rows,
/// for determinants 6). Nothing where shapes do not fit.
std::optional<int> expand_matrices(Expr& expr, int root);

}  // namespace plumb::math
