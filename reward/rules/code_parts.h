#pragma once
// What a judged program is worth: evidence to the parts of a score.

#include <string_view>
#include <vector>

#include "core/records.h"
#include "reward/rules/reward_options.h"

namespace plumb {

/// Whether every test was run and passed.
bool all_pass(const Evidence& evidence);

/// In words: how many tests passed and how the first one failed, or the compiler's first error.
std::string explain(const Evidence& evidence);

/// The verdict part "tests" (1 if all tests pass, else 0) and those of these parts that `weights` names:
///   fraction   share_above_constant() of the tests passed
///   ran        1 if the program compiled and every call came back with a value, within the limits
///   near_miss  1 if no test fails, or a single one and the fraction is above 0, or all that fail do by white space
///   findings   minus what evidence.findings add up to by finding_penalty(), -1 at least
///   forbidden  -1 if `source` uses one of options.forbidden, or of the forbidden names of the prompt
/// The verdict part takes the weight that is left of 1; see set_total(). Evidence of SE has no score.
std::vector<ScorePart> code_parts(const PromptRecord& prompt, std::string_view source, const Evidence& evidence,
                                  const RewardOptions& options, const PartWeights& weights);

/// The parts of a completion without a program: the same names, all 0.
std::vector<ScorePart> no_code_parts(const PartWeights& weights, const std::string& reason);

}  // namespace plumb
