#pragma once
// What training unlearns: the perplexity of a text that no training sees.

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

/// The text of eval.guard_text. Errors: the file cannot be read, or is empty; the key is named.
Result<std::string> read_guard_text(const std::string& path);

}  // namespace plumb
