#pragma once
// Pairs of an evaluation: of which kind they are, and those that single completions of a prompt make.

#include "apps/plumb/reward_pairs.h"

namespace plumb {

/// Whether what is rejected is no program that compiles though one was asked for, which needs no tests to tell.
bool lacks_program(const PairRecord& record);

/// Whether a pair cannot be told by its form: both ended, neither lacks_program(), and lengths are within 20 %. (A row
/// is a pair of one prompt, and completions are paired where their prompts have the same tokens, so that both are of
/// one language. What is chosen passed something, so it has a program.)
bool is_hard(const PairRecord& record);

/// Two completions of one prompt as a pair; `better` has the higher pass rate, or is right.
PairRecord pair_of(const RatedRecord& better, const RatedRecord& worse);
PairRecord pair_of(const SteppedRecord& better, const SteppedRecord& worse);

}  // namespace plumb
