#pragma once
// Sequences into packed batches with the targets to score: the one place where "which row predicts which token" is
// decided, for SFT and GRPO alike.

#include <cstdint>
#include <span>
#include <vector>

#include "policy/packed_batch.h"

namespace plumb {

/// A prompt and the completions that share it; all token ids, none empty.
struct SharedPromptSequences {
  std::span<const std::int32_t> prompt;
  std::vector<std::span<const std::int32_t>> completions;
};

/// Appends `sequences` to `batch`: one segment for the prompt, one per completion with more than one token. The targets
/// are every completion token in order: the first is predicted by the prompt's last row, token i by completion row
/// i - 1. The last token of a completion predicts nothing, so it has no row.
void append_sequences(const SharedPromptSequences& sequences, PackedBatch& batch, ScoreTargets& targets);

/// Rows that append_sequences() would add.
std::int64_t num_rows(const SharedPromptSequences& sequences);

}  // namespace plumb
