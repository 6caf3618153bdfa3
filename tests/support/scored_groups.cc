#include "tests/support/scored_groups.h"

#include <memory>
#include <string>

#include "learner/batching.h"
#include "tests/support/random_model.h"

namespace plumb::testing {

std::vector<ScoredGroup> make_groups(Policy& policy, const std::vector<unsigned>& patterns, std::size_t group_size) {
  std::vector<ScoredGroup> groups;
  for (std::size_t g = 0; g < patterns.size(); ++g) {
    auto prompt = std::make_shared<PromptRecord>();
    prompt->id = "p" + std::to_string(g);
    ScoredGroup scored;
    scored.group.prompt = prompt;
    scored.group.prompt_token_ids = random_tokens(policy.config(), 5 + static_cast<std::int64_t>(g), 100 + g);
    SharedPromptSequences sequences{scored.group.prompt_token_ids, {}};
    for (std::size_t i = 0; i < group_size; ++i) {
      Completion completion;
      completion.token_ids = random_tokens(policy.config(), 3 + static_cast<std::int64_t>((3 * g + i) % 6), 10 * g + i);
      completion.weight_versions.assign(completion.token_ids.size(), policy.version());
      completion.finish_reason = i == 0 ? FinishReason::kLength : FinishReason::kEndOfSequence;
      scored.group.completions.push_back(completion);
      Score score;
      score.total = (patterns[g] >> i) & 1U;
      scored.scores.push_back(score);
    }
    for (const Completion& completion : scored.group.completions) {
      sequences.completions.emplace_back(completion.token_ids);
    }
    PackedSequences packed;
    append_sequences(sequences, packed);
    const std::vector<float> log_probs = packed.by_token(policy.score(packed.batch, packed.targets).log_probs);
    auto next = log_probs.begin();
    for (Completion& completion : scored.group.completions) {
      completion.log_probs.assign(next, next + static_cast<std::ptrdiff_t>(completion.token_ids.size()));
      next += static_cast<std::ptrdiff_t>(completion.token_ids.size());
    }
    groups.push_back(std::move(scored));
  }
  return groups;
}

}  // namespace plumb::testing
