#include "learner/reward_model.h"

#include <algorithm>
#include <cmath>

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

std::int64_t num_rows(const RewardPair& pair) {
  return static_cast<std::int64_t>(pair.prompt.size() + pair.chosen.size() + pair.rejected.size());
}

// Forward, loss and backward of some pairs; sums go to `report`.
void run_micro_batch(Policy& policy, ForwardTape& tape, std::span<const RewardPair* const> pairs, JudgeTokens tokens,
                     double denominator, double centring, RewardModelStep& report) {
  PackedBatch batch;
  ScoreTargets targets;
  for (const RewardPair* pair : pairs) {
    const std::vector<std::span<const std::int32_t>> both = {pair->chosen, pair->rejected};
    append_judged(pair->prompt, both, tokens, batch, targets);
  }
  const TokenScores scores = policy.forward(batch, targets, tape);
  std::vector<float> d_log_probs;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const double chosen = reward_at(scores, 2 * i);
    const double rejected = reward_at(scores, 2 * i + 1);
    const PairLoss pair = bradley_terry(chosen, rejected, *pairs[i], centring);
    report.loss += pair.loss / denominator;
    report.margin += (chosen - rejected) / denominator;
    report.accuracy += !pairs[i]->tie && chosen > rejected ? 1 : 0;
    for (const double derivative : {pair.d_chosen, -pair.d_chosen, pair.d_rejected, -pair.d_rejected}) {
      d_log_probs.push_back(static_cast<float>(derivative / denominator));
    }
  }
  policy.backward(tape, d_log_probs);
}

// The gradient of one batch, split into micro-batches.
void accumulate(Policy& policy, ForwardTape& tape, std::span<const RewardPair* const> batch, JudgeTokens tokens,
                const RewardModelOptions& options, RewardModelStep& report) {
  const auto denominator = static_cast<double>(batch.size());
  std::size_t begin = 0;
  while (begin < batch.size()) {
    std::size_t end = begin;
    std::int64_t rows = 0;
    while (end < batch.size() && (end == begin || rows + num_rows(*batch[end]) <= options.micro_batch_tokens)) {
      rows += num_rows(*batch[end++]);
    }
    run_micro_batch(policy, tape, batch.subspan(begin, end - begin), tokens, denominator, options.centring, report);
    begin = end;
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

PairLoss pass_rate_loss(double reward, double rate) {
  return {-rate * log_sigmoid(reward) - (1 - rate) * log_sigmoid(-reward), sigmoid(reward) - rate, 0};
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

void train_reward_model(Policy& policy, Optimizer& optimizer, std::span<const RewardPair> pairs, JudgeTokens tokens,
                        const RewardModelOptions& options, const std::function<bool(const RewardModelStep&)>& on_step) {
  ForwardTape tape;
  std::int64_t steps = 0;
  const auto batch_size = static_cast<std::size_t>(options.batch_size);
  for (int epoch = 1; epoch <= options.max_epochs; ++epoch) {
    std::vector<const RewardPair*> order;
    for (const RewardPair& pair : pairs) {
      order.push_back(&pair);
    }
    shuffle(order,
            RngStream(RngPurpose::kData, options.seed, stable_hash("reward model"), static_cast<std::uint32_t>(epoch)));
    for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
      if (steps < options.first_step) {
        ++steps;
        continue;
      }
      const auto batch = std::span(order).subspan(begin, std::min(batch_size, order.size() - begin));
      const auto untied = std::ranges::count_if(batch, [](const RewardPair* pair) { return !pair->tie; });
      RewardModelStep report;
      report.learning_rate = static_cast<double>(learning_rate(options.schedule, steps));
      accumulate(policy, tape, batch, tokens, options, report);
      report.accuracy /= static_cast<double>(std::max<std::int64_t>(1, untied));
      report.grad_norm = optimizer.step(static_cast<float>(report.learning_rate)).grad_norm;
      report.step = ++steps;
      if (!on_step(report)) {
        return;
      }
    }
  }
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
  for (ReliabilityBin& bin : calibration.bins) {
    if (bin.count > 0) {
      bin.confidence /= static_cast<double>(bin.count);
      bin.accuracy /= static_cast<double>(bin.count);
      calibration.error += std::abs(bin.confidence - bin.accuracy) * static_cast<double>(bin.count) /
                           static_cast<double>(margins.size());
    }
  }
  return calibration;
}

}  // namespace plumb
