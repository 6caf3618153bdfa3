#pragma once
// Reward models: a policy that judges with one token. It reads prompt, completion and end token, and its reward is
//   r = logit(good) - logit(bad)
// of the token that would come next: a linear head on the last hidden state whose weights are the difference of two
// rows of the token head, so that trunk, checkpoints and formats are those of any policy. (The normaliser of the
// softmax cancels: r = log p(good) - log p(bad).)

#include <cstdint>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "learner/optimizer.h"
#include "learner/schedule.h"
#include "policy/policy.h"

namespace plumb {

/// The two tokens of the head.
struct JudgeTokens {
  std::int32_t good = 0;
  std::int32_t bad = 0;
};

/// Two completions of one prompt; tokens, none empty.
struct RewardPair {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> chosen;
  std::vector<std::int32_t> rejected;
  double margin = 0;  // that chosen should be ahead by
  bool tie = false;   // neither is better
};

/// A completion of a prompt and the share of its tests that it passes; tokens, none empty.
struct RatedCompletion {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> completion;
  double pass_rate = 0;  // in [0, 1]
};

/// A completion of a prompt whose K steps were judged one by one; tokens, none empty.
struct SteppedCompletion {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> completion;
  std::vector<std::int64_t> ends;  // [K] one past the last token of each step; rising, the last with the completion
  std::vector<double> labels;      // [K] in [0, 1]: how likely what stands up to there is to lead to a right answer
};

/// What a model is trained on. All leave a model whose sigmoid(reward) lies in (0, 1); of kPairs only differences
/// within a prompt mean something, of the others sigmoid(reward) is an estimate of the pass rate, or of the label.
enum class RewardObjective : std::uint8_t {
  kPairs,           // bradley_terry()
  kRegression,      // squared error against the pass rate
  kClassification,  // cross-entropy with the pass rate as a soft label
  kSteps,  // the same of each step with its own label; the reward is read at the step's last token. Lightman et
           // al., "Let's verify step by step", 2023, arXiv 2305.20050
};

/// A pair's loss and its derivatives by the two rewards.
struct PairLoss {
  double loss = 0;
  double d_chosen = 0;
  double d_rejected = 0;
};

/// Bradley and Terry, 1952, with margins (Touvron et al., "Llama 2", 2023, arXiv 2307.09288, eq. 2) and centring
/// (Eisenstein et al., 2023, arXiv 2312.09244):
///   -log sigmoid(chosen - rejected - margin) + centring (chosen + rejected)^2
/// and for a tie the mean of the first term's both directions, without margin.
PairLoss bradley_terry(double chosen, double rejected, const RewardPair& pair, double centring);

/// A completion's loss and its derivative by the reward.
struct RateLoss {
  double loss = 0;
  double d_reward = 0;
};

/// Loss of a reward r against a pass rate p in [0, 1]; both are least where sigmoid(r) = p.
///   kClassification, kSteps  -p log sigmoid(r) - (1 - p) log sigmoid(-r)
///   kRegression              (sigmoid(r) - p)^2, the score of Brier, 1950
/// kPairs is a programmer error.
RateLoss pass_rate_loss(double reward, double rate, RewardObjective objective);

/// The reward of each of `completions` after `prompt`; f64 differences of the policy's f32 log-probs.
std::vector<double> rewards_of_prompt(Policy& policy, std::span<const std::int32_t> prompt,
                                      std::span<const std::vector<std::int32_t>> completions, JudgeTokens tokens);

/// The reward of a completion up to the end of each of its steps, [K]: one forward, whose bits for a step depend on
/// nothing behind it. `ends` as SteppedCompletion::ends of each completion.
std::vector<std::vector<double>> step_rewards_of_prompt(Policy& policy, std::span<const std::int32_t> prompt,
                                                        std::span<const std::vector<std::int32_t>> completions,
                                                        std::span<const std::vector<std::int64_t>> ends,
                                                        JudgeTokens tokens);

struct RewardModelOptions {
  Schedule schedule;
  int batch_size = 16;
  int max_epochs = 1;
  RewardObjective objective = RewardObjective::kPairs;
  double centring = 0.01;  // of pairs
  std::uint64_t seed = 0;
  std::int64_t micro_batch_tokens = 1024;
  std::int64_t first_step = 0;  // updates that an earlier call has made, which are not made again
};

/// What one update did.
struct RewardModelStep {
  std::int64_t step = 0;  // 1-based
  double loss = 0;
  // Before the update: share of the batch's pairs (ties apart) with chosen ahead, or of its completions or steps (pass
  // rates and labels of 1/2 apart) whose reward has the sign of pass rate - 1/2.
  double accuracy = 0;
  double margin = 0;         // mean of chosen - rejected; 0 without pairs
  double squared_error = 0;  // mean of (sigmoid(reward) - pass rate or label)^2; 0 with pairs
  double grad_norm = 0;
  double learning_rate = 0;
  std::vector<std::size_t> places;  // of the batch, in the examples
};

/// Pairs, completions with pass rates, or completions with labels of their steps.
using RewardExamples =
    std::variant<std::span<const RewardPair>, std::span<const RatedCompletion>, std::span<const SteppedCompletion>>;

/// Trains on `examples`, which must be what options.objective learns from, in an order that is a function of (seed,
/// epoch). The loss is a mean over the examples of a batch, or over all their steps, a number that is fixed before
/// the first backward. Returning false from `on_step` stops.
void train_reward_model(Policy& policy, Optimizer& optimizer, const RewardExamples& examples, JudgeTokens tokens,
                        const RewardModelOptions& options, const std::function<bool(const RewardModelStep&)>& on_step);

}  // namespace plumb
