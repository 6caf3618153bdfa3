#pragma once
// Steps of completions (core/steps.h) in the tokens of a model.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/records.h"
#include "core/steps.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// One past the last byte of each token in Tokenizer::decode() of all of them; special tokens have no bytes.
std::vector<std::size_t> token_ends(std::span<const std::int32_t> ids, const Tokenizer& tokenizer);

/// The steps of a completion as it was sampled: one at least, rising, the last with its last token. None of a
/// completion without tokens.
std::vector<StepInTokens> steps_of(const Completion& completion, const Tokenizer& tokenizer);

/// A completion that is known by the texts of its steps.
struct TokenisedSteps {
  std::vector<std::int32_t> tokens;  // of the steps with a line break between them, and the end-of-sequence token
  std::vector<StepInTokens> steps;   // as of steps_of()
};

/// Tokens as encode() gives them for the whole text, as it was sampled. Where the tokenizer rewrites the text, so that
/// places in it are not known, each step is tokenised by itself. `texts` has one at least.
TokenisedSteps tokenise_steps(std::span<const std::string> texts, const Tokenizer& tokenizer);

}  // namespace plumb
