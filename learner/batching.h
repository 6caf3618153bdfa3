#pragma once
// Sequences into packed batches with the targets to score: the one place where "which row predicts which token" is
// decided, for SFT and GRPO alike.
//
// Completions of one prompt begin alike (a fence, the signature) and are often the same altogether. What several have
// in common from the start on is one run of rows, computed once like the prompt, and one target per distinct next
// token. A row's bits depend on the tokens before it alone, so log-probs are what they are for sequences apart; the
// derivatives of equal targets are added before the backward, so gradients equal those of sequences apart to rounding.

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

/// A batch and what is scored of it.
struct PackedSequences {
  PackedBatch batch;
  ScoreTargets targets;
  std::vector<float> row_counts;        // [T] completions that a row is of: what it would count for with each apart
  std::vector<std::int64_t> target_of;  // [completion tokens, in order of appending]: its place in `targets`
  bool with_raw = false;                // the second half of `targets` is the first once more, raw

  /// Gives every target the kept set of its tokens ([completion tokens], in order); with no truncated set among them,
  /// none. Tokens of one target were drawn from the same set: it follows from the tokens before it and the weights.
  void set_kept(std::span<const KeptSet> by_token);
  /// Asks for the raw log-prob of every target too.
  void add_raw_targets();
  /// Distinct next tokens: the length of `targets`, or of its first half.
  [[nodiscard]] std::size_t num_targets() const { return targets.rows.size() / (with_raw ? 2 : 1); }
  /// Values by target as values by token.
  [[nodiscard]] std::vector<float> by_token(std::span<const float> by_target) const;
  /// Values by token, added up by target in the order of the tokens.
  [[nodiscard]] std::vector<float> sum_by_target(std::span<const float> by_token) const;
};

/// Appends `sequences`: a segment for the prompt, then one for every stretch of tokens between two places where
/// completions part. A completion's first token is predicted by the prompt's last row, token i by that of token i - 1;
/// the last token of the longest completion through it predicts nothing, so it has no row.
void append_sequences(const SharedPromptSequences& sequences, PackedSequences& packed);

/// Appends one sequence, of whose tokens those with `trained` are targets. Segments and rows are those of
/// append_sequences() for the tokens before the first of these as a prompt and the rest as its completion, so that
/// gradients have the same bits.
///   tokens, trained  [T] at least 2; the first token is no target (nothing predicts it), the last is one
void append_sequence(std::span<const std::int32_t> tokens, std::span<const std::uint8_t> trained,
                     PackedSequences& packed);

/// Rows that append_sequences() would add.
std::int64_t num_rows(const SharedPromptSequences& sequences);

}  // namespace plumb
