#include "apps/plumb/preflight.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

#include "apps/plumb/rollout.h"
#include "apps/plumb/sft_examples.h"
#include "core/escape.h"
#include "learner/advantages.h"
#include "learner/batching.h"

namespace plumb {
namespace {

class Checks {
 public:
  void add(bool ok, const std::string& name, const std::string& detail) {
    std::printf("%-6s %-34s %s\n", ok ? "ok" : "FAILED", name.c_str(), strip_terminal(detail).c_str());
    failed_ += ok ? 0 : 1;
  }
  [[nodiscard]] int exit_status() const { return failed_ == 0 ? 0 : 1; }

 private:
  int failed_ = 0;
};

// A sampler that need not be exact may be off by roundings; whatever is computed otherwise is off by far more.
constexpr double kInexactMean = 0.05;  // nats

// Bits of the learner's log-probs against the actor's, over all tokens of the rollout.
void check_log_probs(Policy& policy, const Rollout& rollout, float temperature, Checks& checks) {
  std::int64_t tokens = 0;
  std::int64_t different = 0;
  double sum = 0;
  double largest = 0;
  for (const ScoredGroup& group : rollout.groups) {
    PackedSequences packed;
    packed.targets.temperature = temperature;
    std::vector<KeptSet> kept;
    SharedPromptSequences sequences{group.group.prompt_token_ids, {}};
    std::vector<float> sampled;
    for (const Completion& completion : group.group.completions) {
      sequences.completions.emplace_back(completion.token_ids);
      sampled.insert(sampled.end(), completion.log_probs.begin(), completion.log_probs.end());
      kept.insert(kept.end(), completion.kept.begin(), completion.kept.end());
      kept.resize(sampled.size());
    }
    append_sequences(sequences, packed);
    packed.set_kept(kept);
    const std::vector<float> scored = packed.by_token(policy.score(packed.batch, packed.targets).log_probs);
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      ++tokens;
      different += scored[i] == sampled[i] ? 0 : 1;
      const double difference = std::abs(static_cast<double>(scored[i]) - static_cast<double>(sampled[i]));
      sum += difference;
      largest = std::max(largest, difference);
    }
  }
  if (!policy.exact()) {
    const double mean = sum / static_cast<double>(std::max<std::int64_t>(1, tokens));
    checks.add(mean <= kInexactMean, "log-probs of learner and actor",
               fmt::format("model.exact = false: off by {:.2g} nats in the mean, {:.2g} at most, of {} tokens", mean,
                           largest, tokens));
    return;
  }
  checks.add(different == 0, "log-probs of learner and actor",
             fmt::format("{} of {} tokens have other bits", different, tokens));
}

void check_advantages(const Rollout& rollout, Checks& checks) {
  double largest = 0;
  int mixed = 0;
  for (const ScoredGroup& group : rollout.groups) {
    std::vector<std::optional<double>> rewards;
    for (const Score& score : group.scores) {
      rewards.push_back(score.unscored ? std::nullopt : std::optional<double>(score.total));
    }
    const GroupAdvantages advantages = group_advantages(rewards, {});
    double sum = 0;
    for (const float advantage : advantages.advantages) {
      sum += static_cast<double>(advantage);
    }
    largest = std::max(largest, std::abs(sum));
    mixed += advantages.has_spread ? 1 : 0;
  }
  // Each of G advantages is rounded to f32 once; their size is below sqrt(G).
  checks.add(largest < 1e-5, "advantages sum to 0",
             fmt::format("largest |sum| {:.1e}; {} of {} groups are mixed", largest, mixed, rollout.groups.size()));
}

void check_end_of_turn(RunContext& context, Checks& checks) {
  const std::vector<SftRecord> demonstrations = context.demonstrations_of({"sft"});
  if (demonstrations.empty()) {
    checks.add(true, "end of turn inside the loss mask", "no demonstrations in the data");
    return;
  }
  const std::span first(demonstrations.data(), 1);
  const auto examples =
      tokenise_records(first, number_sources(first, {}), context.settings().sft.loss_on, context.bench());
  const bool ok = examples.ok() && examples->front().tokens.back() == context.bench().tokenizer().eos_id() &&
                  examples->front().trained.back() != 0;
  checks.add(ok, "end of turn inside the loss mask", demonstrations.front().id);
}

void check_template(RunContext& context, const PromptRecord& prompt, Checks& checks) {
  const auto text = context.bench().chat_template().render(prompt.messages, true);
  const Tokenizer& tokenizer = context.bench().tokenizer();
  const bool ok = text.ok() && (!tokenizer.keeps_text() || tokenizer.decode(tokenizer.encode(*text), false) == *text);
  checks.add(ok, "chat template's round trip", prompt.id);
}

void show_mask(const Rollout& rollout, const Tokenizer& tokenizer) {
  const CompletionGroup& group = rollout.groups.front().group;
  const Completion& completion = group.completions.front();
  std::printf("\nno loss on (%zu tokens):\n%s\nloss on (%zu tokens):\n%s\n", group.prompt_token_ids.size(),
              strip_terminal(tokenizer.decode(group.prompt_token_ids, false)).c_str(), completion.token_ids.size(),
              strip_terminal(tokenizer.decode(completion.token_ids, false)).c_str());
}

}  // namespace

Result<int> run_preflight(RunContext& context, const Prompts& prompts) {
  if (prompts.empty()) {
    return Error{fmt::format("preflight: no prompts: {}", kNoTrainingPrompts)};
  }
  const Settings& settings = context.settings();
  Workbench& bench = context.bench();
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  Scorer scorer(context.judge(), {});
  GeneratorOptions options = generator_options(settings);
  options.sampling.kept_by_id = !bench.policy().exact();  // bounds would be on logits that the learner has not
  PLUMB_TRY(check_trainable(options.sampling));
  std::vector<PromptDraw> draws;
  for (std::size_t i = 0; i < std::min<std::size_t>(4, prompts.size()); ++i) {
    draws.push_back({prompts[i * prompts.size() / std::min<std::size_t>(4, prompts.size())], 0});
  }
  const RolloutParts parts{generator, scorer, bench.tokenizer(), bench.chat_template()};
  PLUMB_ASSIGN(const Rollout rollout, run_rollout(parts, draws, settings.grpo.group_size, options));
  Checks checks;
  check_log_probs(bench.policy(), rollout, options.sampling.temperature, checks);
  check_advantages(rollout, checks);
  check_end_of_turn(context, checks);
  check_template(context, *prompts.front(), checks);
  show_mask(rollout, bench.tokenizer());
  return checks.exit_status();
}

}  // namespace plumb
