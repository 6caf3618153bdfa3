#pragma once
// plumb grpo --preflight: the checks that a run's first minute would fail at, done before it.

#include "apps/plumb/run_context.h"

namespace plumb {

/// Prints one line per check, "ok" or "FAILED" with what was seen: log-prob equality of actor and learner, advantages
/// that sum to 0, the end-of-turn token inside the loss mask, the chat template's round trip, and the mask over one
/// sample's text. Yields 0 if all hold, else 1.
Result<int> run_preflight(RunContext& context, const Prompts& prompts);

}  // namespace plumb
