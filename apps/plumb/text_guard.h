#pragma once
// What training unlearns, by a text that no training sees: its perplexity, and how far the policy is from another one.

#include <cstdint>
#include <string>

#include "core/result.h"
#include "policy/policy.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// exp of the mean negative log-prob (nats, raw) of the tokens of `text`, each given those before it in its window of
/// up to 1,024 tokens (or the model's context, if that is shorter); a window's first token is not scored. The windows
/// are the same whatever the model's weights. Errors: a text of fewer than two tokens.
Result<double> text_perplexity(Policy& policy, const Tokenizer& tokenizer, const std::string& text);

/// KL(base || policy) in nats, summed over the whole vocabulary in double precision, mean over the tokens of `text`
/// that have one before them in their window (256 tokens here); 0 exactly where the weights are equal. Both have the
/// same vocabulary. Errors: a text of fewer than two tokens.
Result<double> text_divergence(Policy& base, Policy& policy, const Tokenizer& tokenizer, const std::string& text);

/// The text of eval.guard_text. Errors: the file cannot be read, or is empty; the key is named.
Result<std::string> read_guard_text(const std::string& path);

}  // namespace plumb
