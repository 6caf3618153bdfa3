#pragma once
// How parts become a score.

#include <vector>

#include "core/records.h"

namespace plumb {

/// Gives the verdict parts of `parts` together the weight that positive shaping leaves of 1, each an equal share, and
/// sets score.parts and score.total, the weighted sum. A perfect completion has a total of exactly 1.
void set_score(Score& score, std::vector<ScorePart> parts);

/// Whether the task itself was solved, whatever the shaping parts say: all verdict parts are 1. False if unscored.
bool is_solved(const Score& score);

}  // namespace plumb
