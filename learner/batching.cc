#include "learner/batching.h"

#include "core/check.h"

namespace plumb {

void append_sequences(const SharedPromptSequences& sequences, PackedBatch& batch, ScoreTargets& targets) {
  PLUMB_CHECK(!sequences.prompt.empty(), "append_sequences: empty prompt");
  const auto prompt_length = static_cast<std::int64_t>(sequences.prompt.size());
  const auto prompt_segment = static_cast<std::int32_t>(batch.segments.size());
  const std::int64_t last_prompt_row = batch.num_tokens() + prompt_length - 1;
  batch.segments.push_back({batch.num_tokens(), prompt_length, 0, -1});
  batch.token_ids.insert(batch.token_ids.end(), sequences.prompt.begin(), sequences.prompt.end());
  for (const auto& completion : sequences.completions) {
    PLUMB_CHECK(!completion.empty(), "append_sequences: empty completion");
    targets.rows.push_back(last_prompt_row);
    targets.target_ids.push_back(completion[0]);
    const std::int64_t first_row = batch.num_tokens();
    const auto rows = static_cast<std::int64_t>(completion.size()) - 1;
    if (rows > 0) {
      batch.segments.push_back({first_row, rows, prompt_length, prompt_segment});
      batch.token_ids.insert(batch.token_ids.end(), completion.begin(), completion.end() - 1);
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      targets.rows.push_back(first_row + i);
      targets.target_ids.push_back(completion[static_cast<std::size_t>(i) + 1]);
    }
  }
}

std::int64_t num_rows(const SharedPromptSequences& sequences) {
  auto rows = static_cast<std::int64_t>(sequences.prompt.size());
  for (const auto& completion : sequences.completions) {
    rows += static_cast<std::int64_t>(completion.size()) - 1;
  }
  return rows;
}

}  // namespace plumb
