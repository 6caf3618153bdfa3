#include "learner/sft.h"

#include <limits>
#include <numeric>

#include "core/rng.h"
#include "learner/batching.h"

namespace plumb {
namespace {

// Calls `use(batch, targets)` for consecutive examples packed to about `max_tokens` rows.
void for_each_micro_batch(std::span<const SftExample* const> examples, std::int64_t max_tokens,
                          const std::function<void(const PackedBatch&, const ScoreTargets&)>& use) {
  PackedSequences packed;  // one completion a prompt: targets are tokens
  for (const SftExample* example : examples) {
    const SharedPromptSequences sequences{example->prompt, {example->completion}};
    if (packed.batch.num_tokens() > 0 && packed.batch.num_tokens() + num_rows(sequences) > max_tokens) {
      use(packed.batch, packed.targets);
      packed = {};
    }
    append_sequences(sequences, packed);
  }
  if (packed.batch.num_tokens() > 0) {
    use(packed.batch, packed.targets);
  }
}

// One optimizer step's loss and gradient: the mean over all completion tokens of the batch.
double accumulate_gradient(Policy& policy, ForwardTape& tape, std::span<const SftExample* const> examples,
                           std::int64_t micro_batch_tokens) {
  std::int64_t tokens = 0;
  for (const SftExample* example : examples) {
    tokens += static_cast<std::int64_t>(example->completion.size());
  }
  double loss = 0;
  for_each_micro_batch(examples, micro_batch_tokens, [&](const PackedBatch& batch, const ScoreTargets& targets) {
    const TokenScores scores = policy.forward(batch, targets, tape);
    for (const float log_prob : scores.log_probs) {
      loss -= static_cast<double>(log_prob);
    }
    const std::vector<float> d_log_probs(scores.log_probs.size(), -1.0F / static_cast<float>(tokens));
    policy.backward(tape, d_log_probs);
  });
  return loss / static_cast<double>(tokens);
}

std::vector<const SftExample*> epoch_order(std::span<const SftExample> examples, std::uint64_t seed, int epoch) {
  std::vector<const SftExample*> order;
  for (const SftExample& example : examples) {
    order.push_back(&example);
  }
  shuffle(order, RngStream(RngPurpose::kData, seed, stable_hash("sft"), static_cast<std::uint32_t>(epoch)));
  return order;
}

// A copy of the weights to come back to.
class Snapshot {
 public:
  void take(Policy& policy) {
    values_.clear();
    for (const ParameterView& parameter : policy.parameters()) {
      values_.emplace_back(parameter.value.begin(), parameter.value.end());
    }
  }
  void put_back(Policy& policy) const {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      std::copy(values_[i].begin(), values_[i].end(), policy.parameters()[i].value.begin());
    }
    policy.commit_update();
  }

 private:
  std::vector<std::vector<float>> values_;
};

}  // namespace

double sft_loss(Policy& policy, std::span<const SftExample> examples, std::int64_t micro_batch_tokens) {
  std::vector<const SftExample*> order;
  for (const SftExample& example : examples) {
    order.push_back(&example);
  }
  double loss = 0;
  std::int64_t tokens = 0;
  for_each_micro_batch(order, micro_batch_tokens, [&](const PackedBatch& batch, const ScoreTargets& targets) {
    const TokenScores scores = policy.score(batch, targets);
    for (const float log_prob : scores.log_probs) {
      loss -= static_cast<double>(log_prob);
    }
    tokens += static_cast<std::int64_t>(scores.log_probs.size());
  });
  return tokens == 0 ? 0.0 : loss / static_cast<double>(tokens);
}

SftSummary train_sft(Policy& policy, Optimizer& optimizer, std::span<const SftExample> train,
                     std::span<const SftExample> dev, const SftLearnerOptions& options,
                     const std::function<bool(const SftStep&)>& on_step,
                     const std::function<void(int, double)>& on_epoch) {
  const std::size_t batch_size = static_cast<std::size_t>(options.batch_size);
  const auto steps_per_epoch = static_cast<std::int64_t>((train.size() + batch_size - 1) / batch_size);
  SftSummary summary;
  summary.best_dev_loss =
      dev.empty() ? std::numeric_limits<double>::infinity() : sft_loss(policy, dev, options.micro_batch_tokens);
  on_epoch(0, summary.best_dev_loss);
  Snapshot best;
  best.take(policy);
  ForwardTape tape;
  SftStep report;
  report.num_steps = steps_per_epoch * options.max_epochs;
  for (int epoch = 1; epoch <= options.max_epochs && !summary.stopped; ++epoch) {
    const std::vector<const SftExample*> order = epoch_order(train, options.seed, epoch);
    for (std::size_t begin = 0; begin < order.size(); begin += batch_size) {
      const auto batch = std::span(order).subspan(begin, std::min(batch_size, order.size() - begin));
      report.epoch = epoch;
      report.learning_rate = static_cast<double>(learning_rate(options.schedule, summary.steps));
      report.loss = accumulate_gradient(policy, tape, batch, options.micro_batch_tokens);
      report.grad_norm = optimizer.step(static_cast<float>(report.learning_rate)).grad_norm;
      report.step = ++summary.steps;
      for (const SftExample* example : batch) {
        report.num_tokens += static_cast<std::int64_t>(example->completion.size());
      }
      if (!on_step(report)) {
        summary.stopped = true;
        break;
      }
    }
    const double dev_loss = dev.empty() ? report.loss : sft_loss(policy, dev, options.micro_batch_tokens);
    on_epoch(epoch, dev_loss);
    if (dev.empty() || dev_loss < summary.best_dev_loss) {
      summary.best_dev_loss = dev_loss;
      summary.best_epoch = epoch;
      best.take(policy);
    } else if (epoch - summary.best_epoch >= options.patience) {
      break;
    }
  }
  if (summary.best_epoch > 0 || !dev.empty()) {
    best.put_back(policy);
  }
  return summary;
}

}  // namespace plumb
