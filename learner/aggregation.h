#pragma once
// What each completion's token losses are divided by. All of it is fixed before the first backward, over the whole
// optimizer batch, so any split into micro-batches gives equal gradients (to rounding).

#include <cstdint>
#include <span>
#include <vector>

namespace plumb {

/// N completions of T_1 ... T_N tokens; the denominator of completion i.
enum class Aggregation : std::uint8_t {
  kTokenMean,       // sum of all T: every token counts the same. DAPO: Yu et al., 2025, arXiv 2503.14476, eq. 8
  kSampleMean,      // N T_i: every completion counts the same. GRPO: arXiv 2402.03300, eq. 3
  kConstantLength,  // N max_completion_tokens: no length in it at all. Dr. GRPO: arXiv 2503.20783
  kSequenceSum,     // N: the mean over completions of the sum over tokens, i.e. of the sequence's log-prob
};

/// [N] in the order of `lengths` (each > 0). `max_completion_tokens` is for kConstantLength.
std::vector<double> denominators(std::span<const std::int64_t> lengths, Aggregation aggregation,
                                 std::int64_t max_completion_tokens);

}  // namespace plumb
