#pragma once
// Where the steps of a completion end. Labels of steps, the reward model that learns from them and the advantages that
// follow from its scores all use this one rule, so they cannot disagree about what a step is.
//
// The rule: a step is a line. A line that holds no letter or digit (a blank one, a brace, the closing fence of a code
// block) belongs to the step before it, at the very beginning to the one behind it; so does a line that opens a code
// block with a label (```python), always. Bytes beyond ASCII count as letters.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace plumb {

/// One past the last byte of each step of `text`, line break included; the steps tile the text. None of an empty text.
std::vector<std::size_t> step_ends(std::string_view text);

/// A step as tokens see it.
struct StepInTokens {
  std::size_t step = 0;  // its place among those that were given
  std::int64_t end = 0;  // one past its last token; above 0
};

/// Where steps end in a completion of `num_tokens` (at least 1) tokens: behind the token that holds the step's last
/// byte, whatever else that token holds; the last step with the completion. Of steps that end in one token only the
/// last is left, so that ends rise.
///   ends        [K] one past each step's last byte, as step_ends() gives them
///   token_ends  [T'] one past each token's last byte in the same text, not falling; T' <= num_tokens, tokens behind
///               them (an end of sequence) have no text
std::vector<StepInTokens> steps_in_tokens(std::span<const std::size_t> ends, std::span<const std::size_t> token_ends,
                                          std::int64_t num_tokens);

}  // namespace plumb
