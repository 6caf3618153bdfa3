#pragma once
// A line of samples.jsonl of what was trained on.

#include <cstddef>

#include "core/records.h"
#include "eval/samples.h"
#include "learner/grpo.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// Completion `i` of `group`, the g-th of the update that `stats` are of: its text, tokens and what they were worth.
/// Step and temperature are the caller's.
SampleRecord training_sample(const ScoredGroup& group, std::size_t i, const Tokenizer& tokenizer,
                             const GrpoStepStats& stats, std::size_t g);

}  // namespace plumb
