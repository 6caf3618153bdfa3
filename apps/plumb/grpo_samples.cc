#include "apps/plumb/grpo_samples.h"

#include <algorithm>
#include <cmath>

#include "tokenizer/step_tokens.h"

namespace plumb {
namespace {

double to_four_places(float value) {
  return std::round(static_cast<double>(value) * 1e4) / 1e4;
}

// Where each token ends in the text, and how likely it was.
void add_tokens(const Completion& completion, const Tokenizer& tokenizer, SampleRecord& record) {
  for (const std::size_t end : token_ends(completion.token_ids, tokenizer)) {
    record.token_ends.push_back(static_cast<int>(std::min(end, completion.text.size())));
  }
  for (const float log_prob : completion.log_probs) {
    record.log_probs.push_back(to_four_places(log_prob));
  }
}

// What completion `i` of group `g` was worth, and its tokens where they were worth more or less than others.
void add_advantages(const GrpoStepStats& stats, std::size_t g, std::size_t i, SampleRecord& record) {
  if (!std::isfinite(stats.advantages[g][i])) {
    return;
  }
  record.advantage = static_cast<double>(stats.advantages[g][i]);
  if (!stats.token_advantages.empty()) {
    for (const float advantage : stats.token_advantages[g][i]) {
      record.token_advantages.push_back(to_four_places(advantage));
    }
  }
}

}  // namespace

SampleRecord training_sample(const ScoredGroup& group, std::size_t i, const Tokenizer& tokenizer,
                             const GrpoStepStats& stats, std::size_t g) {
  SampleRecord record = sample_record(group, i);
  add_tokens(group.group.completions[i], tokenizer, record);
  add_advantages(stats, g, i, record);
  record.stage = "grpo";
  record.kind = "train";
  return record;
}

}  // namespace plumb
