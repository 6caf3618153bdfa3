#pragma once
// Sets of real numbers: unions of intervals and points, from intervals, set operations and inequalities.

#include <optional>
#include <vector>

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// From `low` to `high`; -1 stands for an infinite end. A point is a closed piece with equal ends.
struct Piece {
  int low = -1;
  int high = -1;
  bool low_closed = false;
  bool high_closed = false;
};

/// Disjoint, not touching, in ascending order.
using RealSet = std::vector<Piece>;

/// The set that a tree describes, if it is one of real numbers with constant ends: intervals, pairs (as open
/// intervals), finite sets, R, the empty set, unions, intersections, differences, memberships, and inequalities of
/// degree one or two in a single symbol, also several (joined by "or": all of them; else their common part, or if that
/// is empty, all).
std::optional<RealSet> real_set(const Context& context, int id);

/// Equal, different, or nothing where the ends cannot be ordered.
std::optional<bool> same_sets(const Context& context, const RealSet& a, const RealSet& b);

}  // namespace plumb::math
