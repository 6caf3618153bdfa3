#pragma once
// Supervised fine-tuning on demonstrations: mean negative log-likelihood of the completion tokens, end token included.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "learner/optimizer.h"
#include "learner/schedule.h"
#include "policy/policy.h"

namespace plumb {

/// A tokenised demonstration. Loss is on `completion` only.
struct SftExample {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> completion;
};

struct SftLearnerOptions {
  Schedule schedule;
  int batch_size = 16;
  int max_epochs = 4;
  int patience = 1;  // epochs without a better dev loss after which training stops; the best weights are kept
  std::uint64_t seed = 0;
  std::int64_t micro_batch_tokens = 1024;
};

/// What one optimizer step did.
struct SftStep {
  std::int64_t step = 0;  // 1-based
  std::int64_t num_steps = 0;
  int epoch = 0;  // 1-based
  double loss = 0;
  double grad_norm = 0;
  double learning_rate = 0;
  std::int64_t num_tokens = 0;  // completion tokens so far
};

struct SftSummary {
  double best_dev_loss = 0;
  int best_epoch = 0;  // 0: the weights before training
  std::int64_t steps = 0;
  bool stopped = false;  // the callback asked to stop
};

/// Mean negative log-likelihood per completion token, nats.
double sft_loss(Policy& policy, std::span<const SftExample> examples, std::int64_t micro_batch_tokens);

/// Trains until max_epochs or until the dev loss has not fallen for `patience` epochs, then puts back the weights of
/// the epoch with the best dev loss (with no dev examples: the last). The order of examples is a function of
/// (seed, epoch). `on_step` and `on_epoch` (epoch, dev loss) report; returning false from on_step stops.
SftSummary train_sft(Policy& policy, Optimizer& optimizer, std::span<const SftExample> train,
                     std::span<const SftExample> dev, const SftLearnerOptions& options,
                     const std::function<bool(const SftStep&)>& on_step,
                     const std::function<void(int, double)>& on_epoch);

}  // namespace plumb
