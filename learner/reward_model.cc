#include "learner/reward_model.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/rng.h"
#include "learner/calibration.h"

namespace plumb {
namespace {

// log sigmoid(x), without overflow.
double log_sigmoid(double x) {
  return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
}

// A completion, and behind how many of its tokens a reward is read.
struct Judged {
  std::span<const std::int32_t> completion;
  std::vector<std::int64_t> ends;
};

Judged at_its_end(std::span<const std::int32_t> completion) {
  return {completion, {static_cast<std::int64_t>(completion.size())}};
}

// A prompt's segment and its completions' below it; targets are good and bad at the row before each end.
void append_judged(std::span<const std::int32_t> prompt, std::span<const Judged> completions, JudgeTokens tokens,
                   PackedBatch& batch, ScoreTargets& targets) {
  PLUMB_CHECK(!prompt.empty(), "a reward model's prompt is empty");
  const auto parent = static_cast<std::int32_t>(batch.segments.size());
  const auto prompt_length = static_cast<std::int64_t>(prompt.size());
  batch.segments.push_back({batch.num_tokens(), prompt_length, 0, -1});
  batch.token_ids.insert(batch.token_ids.end(), prompt.begin(), prompt.end());
  for (const auto& [completion, ends] : completions) {
    PLUMB_CHECK(!completion.empty(), "a reward model's completion is empty");
    const std::int64_t begin = batch.num_tokens();
    batch.segments.push_back({begin, static_cast<std::int64_t>(completion.size()), prompt_length, parent});
    batch.token_ids.insert(batch.token_ids.end(), completion.begin(), completion.end());
    for (const std::int64_t end : ends) {
      PLUMB_CHECK(end > 0 && end <= std::ssize(completion), "a reward is read behind a token of its completion");
      targets.rows.insert(targets.rows.end(), 2, begin + end - 1);
      targets.target_ids.push_back(tokens.good);
      targets.target_ids.push_back(tokens.bad);
    }
  }
}

double reward_at(const TokenScores& scores, std::size_t place) {
  return static_cast<double>(scores.log_probs[2 * place]) - static_cast<double>(scores.log_probs[2 * place + 1]);
}

std::vector<Judged> judged_of(const RewardPair& pair) {
  return {at_its_end(pair.chosen), at_its_end(pair.rejected)};
}

std::vector<Judged> judged_of(const RatedCompletion& rated) {
  return {at_its_end(rated.completion)};
}

std::vector<Judged> judged_of(const SteppedCompletion& stepped) {
  PLUMB_CHECK(stepped.ends.size() == stepped.labels.size(), "a step has one end and one label");
  return {{stepped.completion, stepped.ends}};
}

template <typename Example>
std::int64_t num_rows(const Example& example) {
  std::size_t rows = example.prompt.size();
  for (const Judged& judged : judged_of(example)) {
    rows += judged.completion.size();
  }
  return static_cast<std::int64_t>(rows);
}

bool has_side(double label) {
  return label != 0.5;
}

// What of an example the loss is a mean over, and how much of it counts in the accuracy.
struct Weight {
  std::int64_t terms = 0;
  std::int64_t with_side = 0;
};

Weight weight_of(const RewardPair& pair) {
  return {1, pair.tie ? 0 : 1};
}

Weight weight_of(const RatedCompletion& rated) {
  return {1, has_side(rated.pass_rate) ? 1 : 0};
}

Weight weight_of(const SteppedCompletion& stepped) {
  return {std::ssize(stepped.labels), std::ranges::count_if(stepped.labels, has_side)};
}

// An example's part of the report, all but the accuracy divided by `denominator`; returns the loss's derivatives by
// its rewards, not divided.
std::vector<double> add_loss(const RewardPair& pair, std::span<const double> rewards, const RewardModelOptions& options,
                             double denominator, RewardModelStep& report) {
  const PairLoss loss = bradley_terry(rewards[0], rewards[1], pair, options.centring);
  report.loss += loss.loss / denominator;
  report.margin += (rewards[0] - rewards[1]) / denominator;
  report.accuracy += !pair.tie && rewards[0] > rewards[1] ? 1 : 0;
  return {loss.d_chosen, loss.d_rejected};
}

double add_rate_loss(double reward, double rate, const RewardModelOptions& options, double denominator,
                     RewardModelStep& report) {
  const RateLoss loss = pass_rate_loss(reward, rate, options.objective);
  const double miss = sigmoid(reward) - rate;
  report.loss += loss.loss / denominator;
  report.squared_error += miss * miss / denominator;
  report.accuracy += has_side(rate) && (reward > 0) == (rate > 0.5) ? 1 : 0;
  return loss.d_reward;
}

std::vector<double> add_loss(const RatedCompletion& rated, std::span<const double> rewards,
                             const RewardModelOptions& options, double denominator, RewardModelStep& report) {
  return {add_rate_loss(rewards[0], rated.pass_rate, options, denominator, report)};
}

std::vector<double> add_loss(const SteppedCompletion& stepped, std::span<const double> rewards,
                             const RewardModelOptions& options, double denominator, RewardModelStep& report) {
  std::vector<double> derivatives;
  for (std::size_t step = 0; step < rewards.size(); ++step) {
    derivatives.push_back(add_rate_loss(rewards[step], stepped.labels[step], options, denominator, report));
  }
  return derivatives;
}

// Forward, loss and backward of some examples; sums go to `report`.
template <typename Example>
void run_micro_batch(Policy& policy, ForwardTape& tape, std::span<const Example* const> examples, JudgeTokens tokens,
                     double denominator, const RewardModelOptions& options, RewardModelStep& report) {
  PackedBatch batch;
  ScoreTargets targets;
  for (const Example* example : examples) {
    append_judged(example->prompt, judged_of(*example), tokens, batch, targets);
  }
  const TokenScores scores = policy.forward(batch, targets, tape);
  std::vector<float> d_log_probs;
  std::size_t next = 0;
  for (const Example* example : examples) {
    std::vector<double> rewards;
    for (const Judged& judged : judged_of(*example)) {
      for (std::size_t i = 0; i < judged.ends.size(); ++i) {
        rewards.push_back(reward_at(scores, next++));
      }
    }
    for (const double derivative : add_loss(*example, rewards, options, denominator, report)) {
      d_log_probs.push_back(static_cast<float>(derivative / denominator));
      d_log_probs.push_back(static_cast<float>(-derivative / denominator));
    }
  }
  policy.backward(tape, d_log_probs);
}

// The gradient of one batch, split into micro-batches.
template <typename Example>
void accumulate(Policy& policy, ForwardTape& tape, std::span<const Example* const> batch, JudgeTokens tokens,
                double denominator, const RewardModelOptions& options, RewardModelStep& report) {
  std::size_t begin = 0;
  while (begin < batch.size()) {
    std::size_t end = begin;
    std::int64_t rows = 0;
    while (end < batch.size() && (end == begin || rows + num_rows(*batch[end]) <= options.micro_batch_tokens)) {
      rows += num_rows(*batch[end++]);
    }
    run_micro_batch(policy, tape, batch.subspan(begin, end - begin), tokens, denominator, options, report);
    begin = end;
  }
}

template <typename Example>
void train(Policy& policy, Optimizer& optimizer, std::span<const Example> examples, JudgeTokens tokens,
           const RewardModelOptions& options, const std::function<bool(const RewardModelStep&)>& on_step) {
  ForwardTape tape;
  std::int64_t steps = 0;
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  for (int epoch = 1; epoch <= options.max_epochs; ++epoch) {
    std::vector<const Example*> order;
    for (const Example& example : examples) {
      order.push_back(&example);
    }
    shuffle(order,
            RngStream(RngPurpose::kData, options.seed, stable_hash("reward model"), static_cast<std::uint32_t>(epoch)));
    for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
      if (steps < options.first_step) {
        ++steps;
        continue;
      }
      const std::span<const Example* const> batch =
          std::span(order).subspan(begin, std::min(batch_size, order.size() - begin));
      Weight weight;
      RewardModelStep report;
      for (const Example* example : batch) {
        const Weight more = weight_of(*example);
        weight = {weight.terms + more.terms, weight.with_side + more.with_side};
        report.places.push_back(static_cast<std::size_t>(example - examples.data()));
      }
      report.learning_rate = static_cast<double>(learning_rate(options.schedule, steps));
      accumulate(policy, tape, batch, tokens, static_cast<double>(weight.terms), options, report);
      report.accuracy /= static_cast<double>(std::max<std::int64_t>(1, weight.with_side));
      report.grad_norm = optimizer.step(static_cast<float>(report.learning_rate)).grad_norm;
      report.step = ++steps;
      if (!on_step(report)) {
        return;
      }
    }
  }
}

}  // namespace

PairLoss bradley_terry(double chosen, double rejected, const RewardPair& pair, double centring) {
  const double ahead = chosen - rejected - (pair.tie ? 0.0 : pair.margin);
  double loss = -log_sigmoid(ahead);
  double slope = -sigmoid(-ahead);
  if (pair.tie) {
    loss = (loss - log_sigmoid(-ahead)) / 2;
    slope = (slope + sigmoid(ahead)) / 2;
  }
  const double sum = chosen + rejected;
  return {loss + centring * sum * sum, slope + 2 * centring * sum, -slope + 2 * centring * sum};
}

RateLoss pass_rate_loss(double reward, double rate, RewardObjective objective) {
  PLUMB_CHECK(objective != RewardObjective::kPairs, "pass_rate_loss: pairs have no pass rate");
  const double passes = sigmoid(reward);
  if (objective == RewardObjective::kRegression) {
    return {(passes - rate) * (passes - rate), 2 * (passes - rate) * passes * (1 - passes)};
  }
  return {-rate * log_sigmoid(reward) - (1 - rate) * log_sigmoid(-reward), passes - rate};
}

std::vector<double> rewards_of_prompt(Policy& policy, std::span<const std::int32_t> prompt,
                                      std::span<const std::vector<std::int32_t>> completions, JudgeTokens tokens) {
  std::vector<std::vector<std::int64_t>> ends;
  for (const std::vector<std::int32_t>& completion : completions) {
    ends.push_back({std::ssize(completion)});
  }
  std::vector<double> rewards;
  for (const std::vector<double>& of_completion : step_rewards_of_prompt(policy, prompt, completions, ends, tokens)) {
    rewards.push_back(of_completion.front());
  }
  return rewards;
}

std::vector<std::vector<double>> step_rewards_of_prompt(Policy& policy, std::span<const std::int32_t> prompt,
                                                        std::span<const std::vector<std::int32_t>> completions,
                                                        std::span<const std::vector<std::int64_t>> ends,
                                                        JudgeTokens tokens) {
  PLUMB_CHECK(completions.size() == ends.size(), "each completion has ends of steps");
  std::vector<Judged> all;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    all.push_back({completions[i], ends[i]});
  }
  PackedBatch batch;
  ScoreTargets targets;
  append_judged(prompt, all, tokens, batch, targets);
  const TokenScores scores = policy.score(batch, targets);
  std::vector<std::vector<double>> rewards;
  std::size_t next = 0;
  for (const std::vector<std::int64_t>& of_completion : ends) {
    rewards.emplace_back();
    for (std::size_t step = 0; step < of_completion.size(); ++step) {
      rewards.back().push_back(reward_at(scores, next++));
    }
  }
  return rewards;
}

void train_reward_model(Policy& policy, Optimizer& optimizer, const RewardExamples& examples, JudgeTokens tokens,
                        const RewardModelOptions& options, const std::function<bool(const RewardModelStep&)>& on_step) {
  const bool pairs = std::holds_alternative<std::span<const RewardPair>>(examples);
  const bool steps = std::holds_alternative<std::span<const SteppedCompletion>>(examples);
  PLUMB_CHECK(pairs == (options.objective == RewardObjective::kPairs) &&
                  steps == (options.objective == RewardObjective::kSteps),
              "train_reward_model: examples of another kind");
  std::visit([&](const auto& all) { train(policy, optimizer, all, tokens, options, on_step); }, examples);
}

}  // namespace plumb
