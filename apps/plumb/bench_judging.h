#pragma once
// Programs for a benchmark's step to judge: half of them C++, half Python, half right, no two alike.

#include <memory>

#include "bench/load.h"
#include "compiler_sandbox/judge.h"

namespace plumb {

/// Rewards of `count` completions that come from judging as many short functions, half in either language, none of
/// which was judged before: 1 for every other one, which is right, else 0. Errors: a verdict that is not the expected
/// one.
RewardSource judged_rewards(std::shared_ptr<Judge> judge, std::size_t count);

}  // namespace plumb
