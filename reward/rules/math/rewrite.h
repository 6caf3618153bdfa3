#pragma once
// Trees made from trees.

#include <functional>
#include <optional>
#include <vector>

#include "reward/rules/math/expr.h"
#include "reward/rules/math/work.h"

namespace plumb::math {

/// Stands for i where symbols are named by their index: i may be bound by a sum.
inline constexpr int kImaginaryName = -2;

/// A copy of `root` in which every node for which `replace` yields something is that; the rest is shared or rebuilt.
/// `replace` sees the children already replaced.
int rewrite(Expr& expr, int root,
            const std::function<std::optional<int>(int id, const std::vector<int>& children)>& replace);

/// Whether a node of this kind is in the tree.
bool contains(const Expr& expr, int root, Kind kind);
/// The symbols of a tree (name indices, each once, in the order of their first node), without bound ones.
std::vector<int> free_symbols(const Expr& expr, int root);

/// `root` with every plus-minus sign resolved both ways, all together: one tree or two.
std::vector<int> expand_signs(Expr& expr, int root);
/// `root` with derivatives carried out; nothing where a rule is missing or the budget is used up.
std::optional<int> expand_derivatives(Expr& expr, int root, Work& work);
/// `root` with every occurrence of a symbol replaced.
int substitute(Expr& expr, int root, int name, int by);
/// Degree of `body` as a polynomial in the symbol, at most; -1 if it is none or of more than degree 40.
int polynomial_degree(const Expr& expr, int body, int name);

}  // namespace plumb::math
