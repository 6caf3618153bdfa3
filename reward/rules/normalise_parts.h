#pragma once
// Normalise-then-sum: each part of a group's scores on a scale of its own before they are added.

#include "core/records.h"

namespace plumb {

struct DeviationOptions {
  double floor = 0;  // least standard deviation that is divided by
  double epsilon = 0;
};

/// Sets the total of each scored completion to the sum over parts of weight * (value - mean) / (max(std, floor) +
/// epsilon), mean and standard deviation (ddof 1) of the part over the group's scored completions; a part without
/// spread adds 0. The parts stay as they are.
void normalise_parts(ScoredGroup& group, const DeviationOptions& options);

}  // namespace plumb
