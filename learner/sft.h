#pragma once
// Supervised fine-tuning: mean negative log-likelihood of an example's trained tokens, of demonstrations those of the
// completion, end token included.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/thread_pool.h"
#include "learner/optimizer.h"
#include "learner/router_loss.h"
#include "learner/schedule.h"
#include "policy/policy.h"

namespace plumb {

/// A tokenised example.
struct SftExample {
  std::vector<std::int32_t> tokens;   // [T] at least 2
  std::vector<std::uint8_t> trained;  // [T] 1: the loss is on this token; 0 of the first, 1 of the last
  int source = 0;  // where it is from, as the caller numbers sources from 0: losses are told apart by it

  /// Appends tokens that the loss is on, or not.
  void add(std::span<const std::int32_t> ids, bool with_loss);
  /// Moves the loss to every token but the first, which nothing predicts.
  void train_all();
  [[nodiscard]] std::int64_t num_trained() const;
};

struct SftLearnerOptions {
  Schedule schedule;
  int batch_size = 16;            // examples an update
  std::int64_t batch_tokens = 0;  // > 0: instead, examples until they have so many trained tokens
  int max_epochs = 4;
  int patience = 1;  // epochs without a better dev loss after which training stops; the best weights are kept
  std::uint64_t seed = 0;
  std::vector<double> shares;  // of the tokens, by source (learner/mixture.h); empty: every example once an epoch
  std::int64_t micro_batch_tokens = 1024;
  RouterLossOptions router;  // of a mixture of experts; part of the gradient, not of the reported loss
  float z_loss = 0;          // times the mean (log sum exp logits)^2 over trained tokens; likewise
  // The form that a training example (by its place) has in an epoch, a function of both; nothing: as it stands. Where
  // there is none, every example stays as it is. Batches and the mixture count the tokens of examples as they stand.
  std::function<std::optional<SftExample>(std::size_t example, int epoch)> form;
};

/// What one optimizer step did.
struct SftStep {
  std::int64_t step = 0;  // 1-based
  std::int64_t num_steps = 0;
  int epoch = 0;  // 1-based
  double loss = 0;
  double grad_norm = 0;
  double learning_rate = 0;
  std::int64_t num_tokens = 0;      // trained tokens so far
  std::vector<double> source_loss;  // [sources] mean over the step's tokens of each; not a number where it had none
  RouterSummary router;             // of the step's rows; a mixture only
  // The step's examples by their places in the training, and the forms that they had; not valid after the callback.
  std::vector<std::size_t> places;
  std::span<const SftExample* const> batch;
};

/// Where a training stands between two updates: with the weights and the optimizer's moments all that a resume needs.
struct SftState {
  std::int64_t steps = 0;  // done
  std::int64_t num_tokens = 0;
  double best_dev_loss = 0;  // once has_best; infinite without dev examples
  int best_epoch = 0;
  bool has_best = false;                 // the dev loss before training is known, or there are no dev examples
  std::vector<std::vector<float>> best;  // the weights of best_epoch, in the policy's order
};

/// Mean negative log-likelihood per trained token, nats; not a number where there is none.
struct SftLoss {
  double mean = 0;
  std::vector<double> by_source;  // [sources], up to the last one that has an example
};

struct SftSummary {
  std::optional<double> best_dev_loss;  // none without dev examples
  int best_epoch = 0;                   // 0: the weights before training
  std::int64_t steps = 0;
  bool stopped = false;  // the callback asked to stop
};

/// What the caller hears while training; `on_step` and `on_state` may be slow, training waits for them.
struct SftCallbacks {
  std::function<bool(const SftStep&)> on_step;                  // false: stop
  std::function<void(int epoch, const SftLoss& dev)> on_epoch;  // 0: before training; with dev examples alone
  std::function<bool(const SftState&)> on_state;  // after each update, and the epoch's evaluation where one is due: a
                                                  // checkpoint taken here resumes to the same bits. False: stop
};

/// The loss of the weights as they are.
SftLoss sft_loss(Policy& policy, std::span<const SftExample> examples, std::int64_t micro_batch_tokens);

/// Updates of all max_epochs. Where batches are counted in tokens it depends on the order of the examples.
std::int64_t num_sft_steps(std::span<const SftExample> train, const SftLearnerOptions& options);

/// Trains until max_epochs or until the dev loss has not fallen for `patience` epochs, then puts back the weights of
/// the epoch with the best dev loss (with no dev examples: the last). The order of examples is a function of
/// (seed, epoch); with shares an epoch is as many examples of the mixture as there are. `from` is where an earlier call
/// stood whose weights and moments are in `policy` and `optimizer`.
SftSummary train_sft(Policy& policy, Optimizer& optimizer, std::span<const SftExample> train,
                     std::span<const SftExample> dev, const SftLearnerOptions& options, const SftCallbacks& callbacks,
                     SftState from = {});

}  // namespace plumb
