#pragma once
// Groups for tests of whole updates.

#include <cstddef>
#include <vector>

#include "core/records.h"
#include "policy/policy.h"

namespace plumb::testing {

/// One group for each pattern, of random completions of 3 to 8 tokens whose log-probs are those of `policy`, rewards 1
/// where bit i of the pattern is set. The first completion of a group is truncated.
std::vector<ScoredGroup> make_groups(Policy& policy, const std::vector<unsigned>& patterns, std::size_t group_size = 4);

}  // namespace plumb::testing
