#pragma once
// One token from one row of logits. The draw is a pure function of (logits, options, stream, position).

#include <cstdint>
#include <span>
#include <vector>

#include "core/rng.h"

namespace plumb {

/// How tokens are drawn and when a completion ends.
struct SamplingOptions {
  float temperature = 1.0F;           // >= 0; 0 takes the most probable token (lowest id among equals)
  std::int64_t max_new_tokens = 96;   // >= 1; a completion of this length without an end is truncated
  bool stop_after_code_block = true;  // end at the first closed fenced code block
};

/// A drawn token and its natural log-prob under the distribution it was drawn from (temperature applied; for
/// temperature 0 the distribution at temperature 1, since a greedy draw has probability one).
struct SampledToken {
  std::int32_t id = 0;
  float log_prob = 0;
};

/// Draws from softmax(logits / temperature) by inverting its cumulative sum at stream.uniform(position).
/// `logits` [V] are raw and finite; `scratch` is reused memory of the calling thread.
SampledToken sample_token(std::span<const float> logits, float temperature, const RngStream& stream,
                          std::uint32_t position, std::vector<float>& scratch);

}  // namespace plumb
