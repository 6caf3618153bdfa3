#include "learner/reward_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/rng.h"

namespace plumb {
namespace {

double sigmoid(double x) {
  return 1.0 / (1.0 + std::exp(-x));
}

// log sigmoid(x), without overflow.
double log_sigmoid(double x) {
  return x < 0 ? x - std::log1p(std::exp(x)) : -std::log1p(std::exp(-x));
}

// A prompt's segment and its completions' below it; targets are good and bad at the last row of each.
void append_judged(std::span<const std::int32_t> prompt, std::span<const std::span<const std::int32_t>> completions,
                   JudgeTokens tokens, PackedBatch& batch, ScoreTargets& targets) {
  PLUMB_CHECK(!prompt.empty(), "a reward model's prompt is empty");
  const auto parent = static_cast<std::int32_t>(batch.segments.size());
  const auto prompt_length = static_cast<std::int64_t>(prompt.size());
  batch.segments.push_back({batch.num_tokens(), prompt_length, 0, -1});
  batch.token_ids.insert(batch.token_ids.end(), prompt.begin(), prompt.end());
  for (const auto& completion : completions) {
    PLUMB_CHECK(!completion.empty(), "a reward model's completion is empty");
    batch.segments.push_back({batch.num_tokens(), static_cast<std::int64_t>(completion.size()), prompt_length, parent});
    batch.token_ids.insert(batch.token_ids.end(), completion.begin(), completion.end());
    targets.rows.insert(targets.rows.end(), 2, batch.num_tokens() - 1);
    targets.target_ids.push_back(tokens.good);
    targets.target_ids.push_back(tokens.bad);
  }
}

double reward_at(const TokenScores& scores, std::size_t completion) {
  return static_cast<double>(scores.log_probs[2 * completion]) -
         static_cast<double>(scores.log_probs[2 * completion + 1]);
}

std::vector<std::span<const std::int32_t>> completions_of(const RewardPair& pair) {
  return {pair.chosen, pair.rejected};
}

std::vector<std::span<const std::int32_t>> completions_of(const RatedCompletion& rated) {
  return {rated.completion};
}

template <typename Example>
std::int64_t num_rows(const Example& example) {
  std::size_t rows = example.prompt.size();
  for (const auto& completion : completions_of(example)) {
    rows += completion.size();
  }
  return static_cast<std::int64_t>(rows);
}

// Whether an example counts in the accuracy.
bool has_side(const RewardPair& pair) {
  return !pair.tie;
}

bool has_side(const RatedCompletion& rated) {
  return rated.pass_rate != 0.5;
}

// An example's part of the report, all but the accuracy divided by `denominator`; returns the loss's derivatives by
// its rewards, not divided.
std::vector<double> add_loss(const RewardPair& pair, std::span<const double> rewards, const RewardModelOptions& options,
                             double denominator, RewardModelStep& report) {
  const PairLoss loss = bradley_terry(rewards[0], rewards[1], pair, options.centring);
  report.loss += loss.loss / denominator;
  report.margin += (rewards[0] - rewards[1]) / denominator;
  report.accuracy += has_side(pair) && rewards[0] > rewards[1] ? 1 : 0;
  return {loss.d_chosen, loss.d_rejected};
}

std::vector<double> add_loss(const RatedCompletion& rated, std::span<const double> rewards,
                             const RewardModelOptions& options, double denominator, RewardModelStep& report) {
  const RateLoss loss = pass_rate_loss(rewards[0], rated.pass_rate, options.objective);
  const double miss = sigmoid(rewards[0]) - rated.pass_rate;
  report.loss += loss.loss / denominator;
  report.squared_error += miss * miss / denominator;
  report.accuracy += has_side(rated) && (rewards[0] > 0) == (rated.pass_rate > 0.5) ? 1 : 0;
  return {loss.d_reward};
}

// Forward, loss and backward of some examples; sums go to `report`.
template <typename Example>
void run_micro_batch(Policy& policy, ForwardTape& tape, std::span<const Example* const> examples, JudgeTokens tokens,
                     double denominator, const RewardModelOptions& options, RewardModelStep& report) {
  PackedBatch batch;
  ScoreTargets targets;
  for (const Example* example : examples) {
    append_judged(example->prompt, completions_of(*example), tokens, batch, targets);
  }
  const TokenScores scores = policy.forward(batch, targets, tape);
  std::vector<float> d_log_probs;
  std::size_t next = 0;
  for (const Example* example : examples) {
    std::vector<double> rewards;
    for (std::size_t i = 0; i < completions_of(*example).size(); ++i) {
      rewards.push_back(reward_at(scores, next++));
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
                const RewardModelOptions& options, RewardModelStep& report) {
  const auto denominator = static_cast<double>(batch.size());
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
      const auto counted = std::ranges::count_if(batch, [](const Example* example) { return has_side(*example); });
      RewardModelStep report;
      report.learning_rate = static_cast<double>(learning_rate(options.schedule, steps));
      accumulate(policy, tape, batch, tokens, options, report);
      report.accuracy /= static_cast<double>(std::max<std::int64_t>(1, counted));
      report.grad_norm = optimizer.step(static_cast<float>(report.learning_rate)).grad_norm;
      report.step = ++steps;
      if (!on_step(report)) {
        return;
      }
    }
  }
}

// Bins of sums become bins of means.
void finish(Calibration& calibration, std::size_t num_predictions) {
  for (ReliabilityBin& bin : calibration.bins) {
    if (bin.count > 0) {
      bin.confidence /= static_cast<double>(bin.count);
      bin.accuracy /= static_cast<double>(bin.count);
      calibration.error += std::abs(bin.confidence - bin.accuracy) * static_cast<double>(bin.count) /
                           static_cast<double>(num_predictions);
    }
  }
}

double quantile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
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
  if (objective == RewardObjective::kClassification) {
    return {-rate * log_sigmoid(reward) - (1 - rate) * log_sigmoid(-reward), passes - rate};
  }
  return {(passes - rate) * (passes - rate), 2 * (passes - rate) * passes * (1 - passes)};
}

std::vector<double> rewards_of_prompt(Policy& policy, std::span<const std::int32_t> prompt,
                                      std::span<const std::vector<std::int32_t>> completions, JudgeTokens tokens) {
  PackedBatch batch;
  ScoreTargets targets;
  const std::vector<std::span<const std::int32_t>> all(completions.begin(), completions.end());
  append_judged(prompt, all, tokens, batch, targets);
  const TokenScores scores = policy.score(batch, targets);
  std::vector<double> rewards;
  for (std::size_t i = 0; i < completions.size(); ++i) {
    rewards.push_back(reward_at(scores, i));
  }
  return rewards;
}

void train_reward_model(Policy& policy, Optimizer& optimizer, const RewardExamples& examples, JudgeTokens tokens,
                        const RewardModelOptions& options, const std::function<bool(const RewardModelStep&)>& on_step) {
  const bool pairs = std::holds_alternative<std::span<const RewardPair>>(examples);
  PLUMB_CHECK(pairs == (options.objective == RewardObjective::kPairs), "train_reward_model: examples of another kind");
  std::visit([&](const auto& all) { train(policy, optimizer, all, tokens, options, on_step); }, examples);
}

Calibration calibration_of(std::span<const double> margins, int num_bins) {
  Calibration calibration;
  calibration.bins.resize(static_cast<std::size_t>(num_bins));
  for (const double margin : margins) {
    const double confidence = sigmoid(std::abs(margin));
    const int at = static_cast<int>((confidence - 0.5) * 2 * num_bins);
    ReliabilityBin& bin = calibration.bins[static_cast<std::size_t>(std::min(at, num_bins - 1))];
    bin.confidence += confidence;
    bin.accuracy += margin > 0 ? 1 : 0;
    ++bin.count;
  }
  finish(calibration, margins.size());
  return calibration;
}

Calibration calibration_of_rates(std::span<const double> predicted, std::span<const double> rates, int num_bins) {
  PLUMB_CHECK(predicted.size() == rates.size(), "calibration_of_rates: as many rates as predictions");
  Calibration calibration;
  calibration.bins.resize(static_cast<std::size_t>(num_bins));
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const int at = std::min(static_cast<int>(predicted[i] * num_bins), num_bins - 1);
    ReliabilityBin& bin = calibration.bins[static_cast<std::size_t>(at)];
    bin.confidence += predicted[i];
    bin.accuracy += rates[i];
    ++bin.count;
  }
  finish(calibration, predicted.size());
  return calibration;
}

MarginSummary summary_of(std::vector<double> margins) {
  if (margins.empty()) {
    const double none = std::nan("");
    return {none, none, none, none};
  }
  const double sum = std::accumulate(margins.begin(), margins.end(), 0.0);
  std::ranges::sort(margins);
  return {sum / static_cast<double>(margins.size()), quantile(margins, 0.05), quantile(margins, 0.5),
          quantile(margins, 0.95)};
}

}  // namespace plumb
