#pragma once
// Parts of a score that look at the response's text and length alone.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "reward/rules/reward_options.h"

namespace plumb {

/// DAPO's soft overlong punishment (Yu et al. 2025, equation 13): 0 up to limit - buffer tokens, then falling to -1 at
/// the limit, -1 beyond.
double soft_overlong(std::int64_t tokens, std::int64_t limit, std::int64_t buffer);

/// Minus the share of four-word phrases that stood in the text before, in [-1, 0]; 0 for texts of fewer than 8 words.
double repetition(std::string_view text);

/// Whether the response has the form its prompt asks for: code, one closed block (and one only), labelled with its
/// language or not at all; maths, one complete \boxed{} that is not empty; other prompts, any word.
bool has_form(const PromptRecord& prompt, std::string_view text);

/// Adds those of the parts "format", "length" and "repetition" that `weights` names.
void add_text_parts(const PromptRecord& prompt, const Completion& completion, const RewardOptions& options,
                    const PartWeights& weights, std::vector<ScorePart>& parts);

}  // namespace plumb
