#pragma once
// When a rounded decimal stands for an exact value.

#include "reward/rules/math/scalar.h"

namespace plumb::math {

/// Whether exactly one side is a written decimal, with at least options.decimal_digits significant digits, and is the
/// other side rounded (or cut off) to that many digits or better; never where the other side can be written out with
/// the decimals that are there.
bool decimal_agrees(const Context& context, int truth, int answer);

}  // namespace plumb::math
