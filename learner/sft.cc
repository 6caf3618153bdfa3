#include "learner/sft.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <numeric>

#include "core/rng.h"
#include "learner/batching.h"
#include "learner/mixture.h"

namespace plumb {
namespace {

// Calls `use(batch, targets)` for consecutive examples packed to about `max_tokens` rows.
void for_each_micro_batch(std::span<const SftExample* const> examples, std::int64_t max_tokens,
                          const std::function<void(const PackedSequences&)>& use) {
  PackedSequences packed;  // targets are trained tokens, in order
  for (const SftExample* example : examples) {
    const std::int64_t rows = std::ssize(example->tokens) - 1;
    if (packed.batch.num_tokens() > 0 && packed.batch.num_tokens() + rows > max_tokens) {
      use(packed);
      packed = {};
    }
    append_sequence(example->tokens, example->trained, packed);
  }
  if (packed.batch.num_tokens() > 0) {
    use(packed);
  }
}

// Sums of negative log-likelihoods over consecutive examples, in all and by source.
class LossSums {
 public:
  explicit LossSums(std::span<const SftExample* const> examples) : rest_(examples) {}

  // The log-probs of a micro-batch: of the examples that come next.
  void add(std::span<const float> log_probs) {
    for (std::size_t at = 0; at < log_probs.size(); rest_ = rest_.subspan(1)) {
      const auto source = static_cast<std::size_t>(rest_.front()->source);
      const auto length = static_cast<std::size_t>(rest_.front()->num_trained());
      if (source >= loss_.size()) {
        loss_.resize(source + 1);
        tokens_.resize(source + 1);
      }
      for (const float log_prob : log_probs.subspan(at, length)) {
        loss_[source] -= static_cast<double>(log_prob);
        total_ -= static_cast<double>(log_prob);
      }
      tokens_[source] += static_cast<std::int64_t>(length);
      at += length;
    }
  }
  [[nodiscard]] SftLoss means() const {
    const auto tokens = std::accumulate(tokens_.begin(), tokens_.end(), std::int64_t{0});
    SftLoss result{total_ / static_cast<double>(tokens), {}};
    for (std::size_t source = 0; source < loss_.size(); ++source) {
      result.by_source.push_back(loss_[source] / static_cast<double>(tokens_[source]));  // 0 / 0: not a number
    }
    return result;
  }

 private:
  std::span<const SftExample* const> rest_;
  double total_ = 0;
  std::vector<double> loss_;
  std::vector<std::int64_t> tokens_;
};

std::int64_t num_trained(std::span<const SftExample* const> examples) {
  std::int64_t tokens = 0;
  for (const SftExample* example : examples) {
    tokens += example->num_trained();
  }
  return tokens;
}

// The loads of all rows of a step, before its first backward: one more forward.
RouterGradient router_gradient(Policy& policy, ForwardTape& tape, std::span<const SftExample* const> examples,
                               const SftLearnerOptions& options) {
  RouterTallies tallies(policy.config(), options.router.devices);
  for_each_micro_batch(examples, options.micro_batch_tokens, [&](const PackedSequences& packed) {
    policy.forward(packed.batch, packed.targets, tape);
    tallies.add(policy, tape, packed.row_counts);
  });
  return tallies.gradient(options.router);
}

// One optimizer step's loss and gradient: the mean over all trained tokens of the batch.
SftLoss accumulate_gradient(Policy& policy, ForwardTape& tape, std::span<const SftExample* const> examples,
                            const SftLearnerOptions& options, RouterTallies& tallies) {
  const std::int64_t tokens = num_trained(examples);
  RouterGradient routers;
  if (options.router.any()) {
    routers = router_gradient(policy, tape, examples, options);
  }
  LossSums sums(examples);
  for_each_micro_batch(examples, options.micro_batch_tokens, [&](const PackedSequences& packed) {
    const TokenScores scores = policy.forward(packed.batch, packed.targets, tape);
    tallies.add(policy, tape, packed.row_counts);
    sums.add(scores.log_probs);
    const std::vector<float> d_log_probs(scores.log_probs.size(), -1.0F / static_cast<float>(tokens));
    if (options.router.any()) {
      routers.row_counts = packed.row_counts;
      policy.set_router_gradient(&routers);
    }
    policy.set_z_loss(options.z_loss / static_cast<float>(tokens));
    policy.backward(tape, d_log_probs);
    policy.set_z_loss(0);
    policy.set_router_gradient(nullptr);
  });
  return sums.means();
}

std::vector<const SftExample*> epoch_order(std::span<const SftExample> examples, std::uint64_t seed, int epoch) {
  std::vector<const SftExample*> order;
  for (const SftExample& example : examples) {
    order.push_back(&example);
  }
  shuffle(order, RngStream(RngPurpose::kData, seed, stable_hash("sft"), static_cast<std::uint32_t>(epoch)));
  return order;
}

// The epoch's part of the mixture.
std::vector<const SftExample*> mixed_order(std::span<const SftExample> examples, const SftLearnerOptions& options,
                                           int epoch) {
  std::vector<MixtureItem> items;
  for (const SftExample& example : examples) {
    items.push_back({example.source, example.num_trained()});
  }
  const std::size_t end = examples.size() * static_cast<std::size_t>(epoch);
  const std::vector<std::size_t> order = mixture_order(items, options.shares, end, options.seed);
  std::vector<const SftExample*> part;
  for (std::size_t i = end - examples.size(); i < end; ++i) {
    part.push_back(&examples[order[i]]);
  }
  return part;
}

// What an epoch does: all its examples, and where each update's end.
struct EpochPlan {
  std::vector<const SftExample*> order;
  std::vector<std::size_t> ends;
};

EpochPlan plan_epoch(std::span<const SftExample> train, const SftLearnerOptions& options, int epoch) {
  EpochPlan plan;
  plan.order = options.shares.empty() ? epoch_order(train, options.seed, epoch) : mixed_order(train, options, epoch);
  std::int64_t examples = 0;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < plan.order.size(); ++i) {
    ++examples;
    tokens += plan.order[i]->num_trained();
    const bool full = options.batch_tokens > 0 ? tokens >= options.batch_tokens : examples >= options.batch_size;
    if (full || i + 1 == plan.order.size()) {
      plan.ends.push_back(i + 1);
      examples = 0;
      tokens = 0;
    }
  }
  return plan;
}

// Copies of the weights to come back to.
void take(Policy& policy, std::vector<std::vector<float>>& values) {
  values.clear();
  for (const ParameterView& parameter : policy.parameters()) {
    values.emplace_back(parameter.value.begin(), parameter.value.end());
  }
}

void put_back(const std::vector<std::vector<float>>& values, Policy& policy) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::copy(values[i].begin(), values[i].end(), policy.parameters()[i].value.begin());
  }
  policy.commit_update();
}

class SftTraining {
 public:
  SftTraining(Policy& policy, Optimizer& optimizer, std::span<const SftExample> train, std::span<const SftExample> dev,
              const SftLearnerOptions& options, const SftCallbacks& callbacks, SftState state)
      : policy_(policy),
        optimizer_(optimizer),
        train_(train),
        dev_(dev),
        options_(options),
        callbacks_(callbacks),
        state_(std::move(state)),
        num_steps_(num_sft_steps(train, options)) {}

  SftSummary run() {
    if (!state_.has_best) {
      state_.best_dev_loss = dev_.empty() ? std::numeric_limits<double>::infinity() : evaluate(0);
      state_.has_best = true;
      take(policy_, state_.best);
    }
    std::int64_t before = 0;  // updates of the epochs before this one
    bool goes_on = !train_.empty();
    for (int epoch = 1; goes_on && epoch <= options_.max_epochs; ++epoch) {
      const EpochPlan plan = plan_epoch(train_, options_, epoch);
      const std::int64_t done = state_.steps - before;
      before += std::ssize(plan.ends);
      if (done >= std::ssize(plan.ends)) {
        continue;  // of the run that is resumed
      }
      const bool patient = epoch - 1 - state_.best_epoch < options_.patience;
      goes_on = (dev_.empty() || patient) && run_epoch(epoch, plan, static_cast<std::size_t>(done));
    }
    optimizer_.announce_change();  // the state ends as well, of which a checkpoint may be being written
    if (!stopped_ && (state_.best_epoch > 0 || !dev_.empty())) {
      put_back(state_.best, policy_);
    }
    const auto best = dev_.empty() ? std::nullopt : std::optional(state_.best_dev_loss);
    return {best, state_.best_epoch, state_.steps, stopped_};
  }

 private:
  // What is left of an epoch after `done` updates, with its evaluation. False: the caller asked to stop.
  bool run_epoch(int epoch, const EpochPlan& plan, std::size_t done) {
    for (std::size_t update = done; update < plan.ends.size(); ++update) {
      const std::size_t begin = update == 0 ? 0 : plan.ends[update - 1];
      stopped_ = !run_step(epoch, std::span(plan.order).subspan(begin, plan.ends[update] - begin));
      if (stopped_) {
        return false;
      }
      if (update + 1 == plan.ends.size()) {
        end_epoch(epoch);
      }
      stopped_ = callbacks_.on_state && !callbacks_.on_state(state_);
      if (stopped_) {
        return false;
      }
    }
    return true;
  }

  bool run_step(int epoch, std::span<const SftExample* const> as_they_stand) {
    std::deque<SftExample> forms;  // keeps addresses
    std::vector<const SftExample*> batch(as_they_stand.begin(), as_they_stand.end());
    SftStep report;
    for (const SftExample*& example : batch) {
      report.places.push_back(static_cast<std::size_t>(example - train_.data()));
      auto form = options_.form ? options_.form(report.places.back(), epoch) : std::nullopt;
      example = form ? &forms.emplace_back(std::move(*form)) : example;
    }
    report.batch = batch;
    report.num_steps = num_steps_;
    report.epoch = epoch;
    report.learning_rate = static_cast<double>(learning_rate(options_.schedule, state_.steps));
    RouterTallies tallies(policy_.config());
    const SftLoss loss = accumulate_gradient(policy_, tape_, batch, options_, tallies);
    report.loss = loss.mean;
    report.source_loss = loss.by_source;
    report.router = tallies.summary();
    report.grad_norm = optimizer_.step(static_cast<float>(report.learning_rate)).grad_norm;
    report.step = ++state_.steps;
    state_.num_tokens += num_trained(batch);
    report.num_tokens = state_.num_tokens;
    return callbacks_.on_step(report);
  }

  void end_epoch(int epoch) {
    const double dev_loss = dev_.empty() ? state_.best_dev_loss : evaluate(epoch);
    if (dev_.empty() || dev_loss < state_.best_dev_loss) {
      state_.best_dev_loss = dev_loss;
      state_.best_epoch = epoch;
      take(policy_, state_.best);
    }
  }

  double evaluate(int epoch) {
    const SftLoss dev = sft_loss(policy_, dev_, options_.micro_batch_tokens);
    callbacks_.on_epoch(epoch, dev);
    return dev.mean;
  }

  Policy& policy_;
  Optimizer& optimizer_;
  std::span<const SftExample> train_;
  std::span<const SftExample> dev_;
  const SftLearnerOptions& options_;
  const SftCallbacks& callbacks_;
  SftState state_;
  std::int64_t num_steps_;
  ForwardTape tape_;
  bool stopped_ = false;
};

}  // namespace

void SftExample::add(std::span<const std::int32_t> ids, bool with_loss) {
  tokens.insert(tokens.end(), ids.begin(), ids.end());
  trained.resize(tokens.size(), with_loss ? 1 : 0);
}

void SftExample::train_all() {
  std::fill(trained.begin() + 1, trained.end(), std::uint8_t{1});
}

std::int64_t SftExample::num_trained() const {
  return std::ranges::count(trained, std::uint8_t{1});
}

SftLoss sft_loss(Policy& policy, std::span<const SftExample> examples, std::int64_t micro_batch_tokens) {
  std::vector<const SftExample*> order;
  for (const SftExample& example : examples) {
    order.push_back(&example);
  }
  LossSums sums(order);
  for_each_micro_batch(order, micro_batch_tokens, [&](const PackedSequences& packed) {
    sums.add(policy.score(packed.batch, packed.targets).log_probs);
  });
  return sums.means();
}

std::int64_t num_sft_steps(std::span<const SftExample> train, const SftLearnerOptions& options) {
  if (options.batch_tokens == 0) {
    const std::int64_t batch = options.batch_size;
    return options.max_epochs * ((std::ssize(train) + batch - 1) / batch);
  }
  std::int64_t steps = 0;
  for (int epoch = 1; epoch <= options.max_epochs; ++epoch) {
    steps += std::ssize(plan_epoch(train, options, epoch).ends);
  }
  return steps;
}

SftSummary train_sft(Policy& policy, Optimizer& optimizer, std::span<const SftExample> train,
                     std::span<const SftExample> dev, const SftLearnerOptions& options, const SftCallbacks& callbacks,
                     SftState from) {
  return SftTraining(policy, optimizer, train, dev, options, callbacks, std::move(from)).run();
}

}  // namespace plumb
