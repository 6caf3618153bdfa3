#pragma once
// Many sequences in one forward, without padding: rows are tokens. A prompt that G completions share is one segment
// that G segments name as their parent, so that it is computed once, in sampling and in training alike.

#include <cstdint>
#include <vector>

#include "core/kept_set.h"

namespace plumb {

/// Consecutive tokens of one sequence. A token attends to its own segment up to itself and to all of the parent chain.
struct Segment {
  std::int64_t first_row = 0;       // in token_ids
  std::int64_t num_tokens = 0;      // > 0
  std::int64_t start_position = 0;  // absolute; equals the length of the parent chain
  std::int32_t parent = -1;         // an earlier segment, or -1
};

/// [T] tokens in segments that tile the rows in order.
struct PackedBatch {
  std::vector<std::int32_t> token_ids;  // [T]
  std::vector<Segment> segments;

  [[nodiscard]] std::int64_t num_tokens() const { return static_cast<std::int64_t>(token_ids.size()); }
};

/// The next-token scores that are wanted of a batch: `target_ids[i]` as the successor of row `rows[i]`. A row may occur
/// several times (the last row of a shared prompt predicts the first token of every completion).
struct ScoreTargets {
  std::vector<std::int64_t> rows;        // [R]
  std::vector<std::int32_t> target_ids;  // [R]
  float temperature = 1.0F;              // > 0; logits are divided by it
  std::vector<KeptSet> kept = {};        // [R] of truncated sampling; empty: every token counts
  std::vector<std::uint8_t> raw = {};    // [R] 1: of softmax(logits), without temperature; empty: none is
};

/// What the head says of each target. Natural logarithms.
struct TokenScores {
  std::vector<float> log_probs;  // [R] log softmax(logits / temperature)[target], over the kept tokens
  std::vector<float> entropies;  // [R] of softmax(logits): raw, whatever temperature and kept tokens are; in nats
};

}  // namespace plumb
