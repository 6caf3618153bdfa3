#pragma once
// One token from one row of logits. The draw is a pure function of (logits, options, history, stream, position).
//
// Order, as peers have it: logit bias, penalties, bad words, minimum length (actor/logit_processors.h), temperature,
// top-k, top-p, min-p, typical (actor/truncation.h), draw.

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/kept_set.h"
#include "core/result.h"
#include "core/rng.h"

namespace plumb {

/// How tokens are drawn and when a completion ends. The defaults sample the model's own distribution.
struct SamplingOptions {
  float temperature = 1.0F;  // >= 0; 0 takes the most probable token (lowest id among equals)
  int top_k = 0;             // the k most probable tokens only; 0 = all
  float top_p = 1.0F;        // (0, 1]: the fewest most probable tokens that have this mass (arXiv 1904.09751)
  float min_p = 0.0F;        // [0, 1): tokens of at least this share of the largest probability (arXiv 2407.01082)
  float typical_p = 1.0F;    // (0, 1]: tokens of nearest surprisal to the entropy, of this mass (arXiv 2202.00666)
  bool kept_by_id = false;   // what these four keep is recorded token by token: V bits a token, for learners whose
                             // weights have moved on

  float repetition_penalty = 1.0F;  // > 0; of tokens in prompt and completion: logits > 0 divided by it, others
                                    // multiplied (arXiv 1909.05858)
  float presence_penalty = 0.0F;    // taken from the logits of tokens in the completion
  float frequency_penalty = 0.0F;   // taken as often as the token occurs in the completion
  std::vector<std::pair<std::int32_t, float>> logit_bias;
  std::vector<std::vector<std::int32_t>> bad_words;  // token sequences that are never completed

  std::int64_t min_new_tokens = 0;    // no end-of-sequence and no stop id before
  std::int64_t max_new_tokens = 96;   // >= 1; a completion of this length without an end is truncated
  bool stop_after_code_block = true;  // end at the first closed fenced code block
  std::vector<std::string> stop;      // end where one of these texts is complete; the text ends before it
  std::vector<std::int32_t> stop_token_ids;

  [[nodiscard]] bool truncates() const {
    return temperature > 0 && (top_k > 0 || top_p < 1.0F || min_p > 0.0F || typical_p < 1.0F);
  }
  [[nodiscard]] bool changes_logits() const {
    return repetition_penalty != 1.0F || presence_penalty != 0.0F || frequency_penalty != 0.0F || !logit_bias.empty() ||
           !bad_words.empty() || min_new_tokens > 0;
  }
};

/// An error that names the option where a policy-gradient step could not use the samples: what changes the logits by
/// hand or by history makes the sampled distribution another than the policy's, and the ratio would be of two things.
/// Temperature and truncation are fine: the learner computes with both.
Result<void> check_trainable(const SamplingOptions& options);

/// An error that names the option whose value is outside of its range, or a token id outside of [0, vocab_size).
Result<void> check_sampling(const SamplingOptions& options, std::int64_t vocab_size);

/// What a draw has for an id where there was nothing to draw from.
inline constexpr std::int32_t kNotFinite = -1;    // logits that are not numbers, as of damaged weights
inline constexpr std::int32_t kNothingLeft = -2;  // every token was forbidden

/// A drawn token and its natural log-prob under the distribution it was drawn from (for temperature 0 the distribution
/// at temperature 1, since a greedy draw has probability one).
struct SampledToken {
  std::int32_t id = 0;  // or kNotFinite, kNothingLeft
  float log_prob = 0;
  KeptSet kept;  // what truncation left
};

/// What was said before the token.
struct TokenHistory {
  std::span<const std::int32_t> prompt;
  std::span<const std::int32_t> completion;
  std::span<const std::int32_t> end_ids;
};

/// Reused memory of one thread.
struct SamplingScratch {
  std::vector<float> block_sums;
  std::vector<float> weights;
  std::vector<std::int32_t> order;
};

/// Draws the token at completion.size() of `history`, which is also the position of its random number in `stream`.
/// `logits` [V] are raw, and changed: a second draw needs a copy.
SampledToken draw_token(std::span<float> logits, const SamplingOptions& options, const TokenHistory& history,
                        const RngStream& stream, SamplingScratch& scratch);

/// Draws from softmax(logits / temperature) by inverting its cumulative sum at stream.uniform(position).
/// `logits` [V]; kMaskedLogit is never drawn.
SampledToken sample_token(std::span<const float> logits, float temperature, const RngStream& stream,
                          std::uint32_t position, std::vector<float>& block_sums);

}  // namespace plumb
