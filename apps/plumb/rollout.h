#pragma once
// One rollout: prompts are sampled and judged at the same time; a group goes to the judge as soon as its last
// completion has ended.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "actor/generator.h"
#include "apps/plumb/settings.h"
#include "core/records.h"
#include "datasets/sampler.h"
#include "reward/rules/scorer.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

struct Rollout {
  std::vector<ScoredGroup> groups;  // in the order of the draws
  std::int64_t new_tokens = 0;
  std::int64_t rows = 0;  // GenerationProgress's
  std::int64_t head_rows = 0;
  double reward_model_flop = 0;  // of its products
  double sample_s = 0;           // until the last completion had ended
  double reward_s = 0;           // that judging went on for after that
  bool stopped = false;          // the user asked to stop; groups are incomplete
};

/// The parts a rollout needs; all outlive the call.
struct RolloutParts {
  CompletionSource& generator;
  Scorer& scorer;
  const Tokenizer& tokenizer;
  const ChatTemplate& chat_template;
  std::function<bool()> between_steps = {};  // asked after each decode step; false stops the rollout
  bool ignores_interrupt = false;            // it ends even where the user has asked to stop
};

/// The prompt as token ids: chat template applied, generation prompt added.
Result<std::vector<std::int32_t>> prompt_token_ids(const PromptRecord& prompt, const Tokenizer& tokenizer,
                                                   const ChatTemplate& chat_template);

/// What the sections run and sampling say to the generator.
GeneratorOptions generator_options(const Settings& settings);

/// Whether all of `prompts` can be sampled from: what a rollout would find when it comes to that prompt. Tokenises them
/// and looks at the longest. Errors name a prompt that the chat template refuses, or that does not fit.
Result<void> check_prompts(std::span<const std::shared_ptr<const PromptRecord>> prompts, const Tokenizer& tokenizer,
                           const ChatTemplate& chat_template, const GeneratorOptions& options, const Policy& policy);

/// Samples `group_size` completions for each draw and scores them. Stops when interrupted() says so.
Result<Rollout> run_rollout(const RolloutParts& parts, std::span<const PromptDraw> draws, int group_size,
                            const GeneratorOptions& options,
                            const std::function<void(const GenerationProgress&)>& on_progress = {});

/// The fault of the first completion, where no completion at all has a score; else nothing.
std::string fault_of_all(std::span<const ScoredGroup> groups);

}  // namespace plumb
