#include "learner/grpo.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "learner/batching.h"
#include "learner/grpo_arrays.h"

namespace plumb {
namespace {

void count(const PackedSequences& packed, std::int64_t& rows, std::int64_t& targets) {
  rows += packed.batch.num_tokens();
  targets += static_cast<std::int64_t>(packed.num_targets());
}

// Whether tokens were drawn from another distribution than softmax(logits).
bool sampled_otherwise(std::span<const ScoredGroup> groups, float temperature) {
  return temperature != 1 || std::ranges::any_of(groups, [](const ScoredGroup& group) {
           return std::ranges::any_of(group.group.completions,
                                      [](const Completion& completion) { return !completion.kept.empty(); });
         });
}

// How far log-probs of all tokens of some groups are from those that the actor gave.
void add_actor_difference(const GroupBatch& groups, std::span<const float> log_probs, GrpoLossSums& sums) {
  auto next = log_probs.begin();
  for (const TrainedGroup* group : groups) {
    for (const TrainedCompletion& trained : group->completions) {
      for (const float actor : trained.completion->log_probs) {
        const double difference = std::abs(static_cast<double>(*next++) - static_cast<double>(actor));
        sums.actor_difference += difference;
        sums.max_actor_difference = std::max(sums.max_actor_difference, difference);
      }
    }
  }
}

}  // namespace

GrpoLearner::GrpoLearner(Policy& policy, Optimizer& optimizer, const GrpoLearnerOptions& options, Policy* reference)
    : policy_(policy), optimizer_(optimizer), options_(options), reference_(reference) {
  PLUMB_CHECK(!options_.needs_reference() || reference_ != nullptr, "a divergence without a reference");
}

GrpoStepStats GrpoLearner::step(std::span<const ScoredGroup> scored, std::int64_t step, float temperature) {
  GrpoStepStats stats;
  work_ = {};
  std::vector<TrainedGroup> groups = trained_groups(scored);
  sampled_otherwise_ = sampled_otherwise(scored, temperature);
  if (options_.needs_reference()) {
    score_reference(groups);
  }
  const AdvantageSummary summary = prepare_update(groups, options_);
  stats.advantages = advantages_of(groups, scored);
  if (options_.process.on) {
    stats.token_advantages = token_advantages_of(groups, scored);
  }
  stats.advantage_mean = summary.mean;
  stats.advantage_std = summary.std;
  stats.finite = std::isfinite(summary.mean) && std::isfinite(summary.std);
  stats.frac_reward_zero_std =
      groups.empty() ? 0.0 : 1.0 - static_cast<double>(summary.groups_with_spread) / static_cast<double>(groups.size());
  const Staleness behind = staleness_of(groups_trained_on(groups), policy_.version());
  stats.staleness_max = behind.max;
  stats.staleness_mean = behind.mean;
  stats.learning_rate = static_cast<double>(learning_rate(options_.schedule, step));
  score_start(groups, temperature);
  correct_and_mask(groups);
  std::vector<GroupBatch> mini_batches(static_cast<std::size_t>(options_.mini_batches));
  for (TrainedGroup* group : groups_trained_on(groups)) {
    mini_batches[static_cast<std::size_t>(group->mini_batch)].push_back(group);
    ++stats.trained_groups;
  }
  GrpoLossSums sums;
  tallies_.emplace(policy_.config());
  int tried = 0;
  for (int epoch = 0; epoch < options_.epochs; ++epoch) {
    for (const GroupBatch& mini_batch : mini_batches) {
      if (!stats.finite || stats.gave_up || mini_batch.empty()) {
        continue;
      }
      stats.finite = run_update(mini_batch, temperature, sums);
      if (stats.finite) {
        if (tried == 0) {
          stats.ratio_max_abs_dev = sums.max_ratio_deviation;
          stats.actor_difference_max = sums.max_actor_difference;
          stats.actor_difference_mean = sums.actor_difference / static_cast<double>(sums.num_tokens);
        }
        const UpdateStats update = optimizer_.step(static_cast<float>(stats.learning_rate));
        ++tried;
        stats.grad_norm += update.grad_norm;
        stats.num_updates += update.applied ? 1 : 0;
        stats.skipped_updates += update.applied ? 0 : 1;
        skipped_.count(update.applied);
        stats.gave_up = skipped_.too_many();
      }
    }
  }
  stats.updated = stats.num_updates > 0;
  stats.exact_actor = policy_.exact();
  stats.router = tallies_->summary();
  stats.has_reference = options_.needs_reference();
  stats.trained_tokens = sums.num_tokens;
  stats.work = work_;
  if (tried > 0) {
    const auto tokens = static_cast<double>(sums.num_tokens);
    stats.grad_norm /= tried;
    stats.policy_loss = sums.loss / tried;
    stats.kl = sums.kl / tokens;
    stats.reference_kl = options_.kl_reward_coefficient != 0 ? summary.divergence : sums.reference_kl / tokens;
    stats.entropy = sums.entropy / tokens;
    stats.clip_low_mean = static_cast<double>(sums.clipped_low) / tokens;
    stats.clip_high_mean = static_cast<double>(sums.clipped_high) / tokens;
    set_entropy_coefficient(next_entropy_coefficient(entropy_coefficient(), stats.entropy, options_.entropy_target));
  }
  return stats;
}

// Raw log-probs of the reference, and of the policy where the reward wants them and those sampled are others.
void GrpoLearner::score_reference(std::vector<TrainedGroup>& groups) {
  for_each_micro_batch(all_groups(groups), options_.micro_batch_tokens, [&](const GroupBatch& part) {
    const PackedSequences packed = pack_groups_raw(part);
    const auto score = [&](Policy& policy, std::vector<float> TrainedCompletion::*member) {
      count(packed, work_.scored_rows, work_.scored_targets);
      const std::vector<float> log_probs = packed.by_token(policy.score(packed.batch, packed.targets).log_probs);
      auto next = log_probs.begin();
      for (TrainedGroup* group : part) {
        for (TrainedCompletion& trained : group->completions) {
          (trained.*member).assign(next, next + trained.num_tokens());
          next += trained.num_tokens();
        }
      }
    };
    score(*reference_, &TrainedCompletion::reference_log_probs);
    if (options_.kl_reward_coefficient != 0 && (sampled_otherwise_ || !policy_.exact())) {
      score(policy_, &TrainedCompletion::raw_log_probs);
    }
  });
}

// Log-probs and entropies of the weights that the update starts from, where an option needs them. Where no token is
// stale an exact actor's log-probs are these, bit for bit. Entropies are also those of groups that are counted and not
// trained on: a mask must not depend on what is skipped to save time.
void GrpoLearner::score_start(std::vector<TrainedGroup>& groups, float temperature) {
  const bool stale = options_.old_policy == OldPolicy::kDecoupled &&
                     (!policy_.exact() || staleness_of(groups_trained_on(groups), policy_.version()).max > 0);
  const bool masks = options_.high_entropy_share < 1;
  if (!stale && !masks) {
    return;
  }
  const GroupBatch scored = masks ? all_groups(groups) : groups_trained_on(groups);
  for_each_micro_batch(scored, options_.micro_batch_tokens, [&](const GroupBatch& part) {
    const PackedSequences packed = pack_groups(part, temperature, policy_.version());
    count(packed, work_.scored_rows, work_.scored_targets);
    const TokenScores scores = policy_.score(packed.batch, packed.targets);
    const std::vector<float> log_probs = packed.by_token(scores.log_probs);
    const std::vector<float> entropies = packed.by_token(scores.entropies);
    std::ptrdiff_t next = 0;
    for (TrainedGroup* group : part) {
      for (TrainedCompletion& trained : group->completions) {
        const auto range = [&](const std::vector<float>& all) {
          return std::vector<float>(all.begin() + next, all.begin() + next + trained.num_tokens());
        };
        if (stale) {
          trained.prox_log_probs = range(log_probs);
        }
        if (masks) {
          trained.entropies = range(entropies);
        }
        next += trained.num_tokens();
      }
    }
  });
}

void GrpoLearner::correct_and_mask(std::vector<TrainedGroup>& groups) {
  std::vector<std::vector<float>> entropies(static_cast<std::size_t>(options_.mini_batches));
  for (TrainedGroup& group : groups) {
    for (TrainedCompletion& trained : group.completions) {
      if (!trained.prox_log_probs.empty()) {
        trained.importance = importance_factors(trained.prox_log_probs, trained.completion->log_probs,
                                                options_.importance, options_.importance_cap);
      }
      append(entropies[static_cast<std::size_t>(group.mini_batch)], trained.entropies);
    }
  }
  if (options_.high_entropy_share >= 1) {
    return;
  }
  std::vector<double> thresholds;
  for (std::vector<float>& each : entropies) {
    thresholds.push_back(entropy_threshold(std::move(each), static_cast<double>(options_.high_entropy_share)));
  }
  for (TrainedGroup* group : groups_trained_on(groups)) {
    for (TrainedCompletion& trained : group->completions) {
      for (const float entropy : trained.entropies) {
        const bool high = static_cast<double>(entropy) >= thresholds[static_cast<std::size_t>(group->mini_batch)];
        trained.policy_mask.push_back(high ? 1 : 0);
      }
    }
  }
}

// The loads of all rows of an update, before its first backward: one more forward, where the loss is asked for.
void GrpoLearner::fix_router_loss(const GroupBatch& mini_batch, float temperature, GrpoLossSums& sums) {
  RouterTallies tallies(policy_.config(), options_.router.devices);
  for_each_micro_batch(mini_batch, options_.micro_batch_tokens, [&](const GroupBatch& part) {
    const PackedSequences packed = pack_groups(part, temperature, policy_.version());
    count(packed, work_.scored_rows, work_.scored_targets);
    policy_.forward(packed.batch, packed.targets, tape_);
    tallies.add(policy_, tape_, packed.row_counts);
  });
  router_gradient_ = tallies.gradient(options_.router);
  sums.loss += tallies.loss(options_.router);
}

// Gradients of one mini-batch. False: the loss is not finite, and the gradients are dropped.
bool GrpoLearner::run_update(const GroupBatch& mini_batch, float temperature, GrpoLossSums& sums) {
  bool finite = true;
  if (options_.router.any()) {
    fix_router_loss(mini_batch, temperature, sums);
  }
  for_each_micro_batch(mini_batch, options_.micro_batch_tokens, [&](const GroupBatch& part) {
    if (finite) {
      const GrpoLossSums more = run_micro_batch(part, temperature);
      finite = std::isfinite(more.loss) && std::isfinite(more.kl);
      sums.add(more);
    }
  });
  if (!finite) {
    policy_.zero_gradients();
  }
  return finite;
}

GrpoLossSums GrpoLearner::run_micro_batch(const GroupBatch& groups, float temperature) {
  PackedSequences packed = pack_groups(groups, temperature, policy_.version());
  const bool raw_apart = options_.loss.kl != KlLoss::kNone && sampled_otherwise_;
  if (raw_apart) {
    packed.add_raw_targets();
  }
  const LossArrays arrays = gather_arrays(groups);
  const TokenScores scores = policy_.forward(packed.batch, packed.targets, tape_);
  tallies_->add(policy_, tape_, packed.row_counts);
  const std::span<const float> by_target = scores.log_probs;
  const std::vector<float> log_probs = packed.by_token(by_target);
  const std::vector<float> entropies = packed.by_token(scores.entropies);
  std::vector<float> raw_log_probs;
  if (raw_apart) {
    raw_log_probs = packed.by_token(by_target.subspan(packed.num_targets()));
  }
  std::vector<float> d_log_probs(log_probs.size());
  std::vector<float> d_raw_log_probs(raw_log_probs.size());
  const GrpoLossInput input{log_probs,         raw_log_probs,      arrays.old_log_probs,
                            arrays.advantages, entropies,          arrays.reference_log_probs,
                            arrays.importance, arrays.policy_mask, arrays.sequences};
  GrpoLossSums sums = grpo_loss(input, options_.loss, d_log_probs, d_raw_log_probs);
  count(packed, work_.trained_rows, work_.trained_targets);
  if (!policy_.exact()) {
    add_actor_difference(groups, log_probs, sums);
  }
  std::vector<float> gradient = packed.sum_by_target(d_log_probs);
  if (raw_apart) {
    append(gradient, packed.sum_by_target(d_raw_log_probs));
  }
  if (options_.router.any()) {
    router_gradient_.row_counts = packed.row_counts;
    policy_.set_router_gradient(&router_gradient_);
  }
  policy_.backward(tape_, gradient);
  policy_.set_router_gradient(nullptr);
  return sums;
}

}  // namespace plumb
