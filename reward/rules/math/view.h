#pragma once
// What an answer commits itself to behind its notation.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// name = value, several of them: x = 1, y = 2 or (x, y) = (1, 2).
using Named = std::vector<std::pair<std::string, int>>;

/// The one assignment that a relation makes: x = 5, f(x) = 2x + 1, 5 = x, AB = 12; of a chain x = 10/2 = 5 the last
/// side.
std::optional<std::pair<std::string, int>> as_assignment(const Expr& expr, int id);
/// The assignments of a tree, of one or more different names.
std::optional<Named> as_named(const Expr& expr, int id);
/// All signs of a relation are =.
bool is_equation(const Expr& expr, int id);
/// Any sign of a relation is an inequality (< <= > >= !=).
bool is_inequality(const Expr& expr, int id);
/// The tree without wrappers that do not matter: a list of one, -(5 cm) as (-5) cm, x in S as S, 2^3 = 8 as 8 (if
/// `consistent`, which tells that no constant side differs from another).
int unwrapped(const Context& context, int id);
/// The items of a list, set or tuple with plus-minus signs expanded, and assignments to one name as its values
/// (x = 1, x = 2, or x = 1, 2); of anything else itself.
std::vector<int> items_of(const Context& context, int id);

}  // namespace plumb::math
