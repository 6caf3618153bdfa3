#pragma once
// What can be said about two answers from their spelling.

#include <optional>
#include <string>
#include <string_view>

#include "reward/rules/math/expr.h"

namespace plumb::math {

/// Whether two cleaned answers are the same but for blanks, dollars, spacing commands, and the case of a single letter.
bool same_spelling(std::string_view a, std::string_view b);
/// Multiple choice: nothing where the truth is no choice letter (A to J, also in brackets or \text{}) or the answer
/// does not begin with one; else whether the letters agree. B, (B), B., "(B) 12" and "\textbf{(B)}\ 12" choose B.
std::optional<bool> compare_choices(std::string_view truth, std::string_view answer);
/// 2,5 as 2.5; nothing where the answer is not of that form.
std::optional<std::string> with_decimal_point(std::string_view answer);
/// A node of the symbol in the tree; it is there.
int find_symbol(const Expr& expr, int root, int name);
/// Whether the symbol is a summand of the tree, at its top.
bool is_added(const Expr& expr, int root, int name);

}  // namespace plumb::math
