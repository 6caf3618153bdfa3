#pragma once
// Every name under which plumb reports a number: the keys of metrics.jsonl and timings.jsonl and the tags of the
// TensorBoard events. Users build dashboards on these names, so this list is golden (tests/core/metrics_log_test.cc).

#include <array>
#include <string_view>

namespace plumb {

/// GRPO, one value a step, in metrics.jsonl: functions of config, data and seed alone.
inline constexpr std::array<std::string_view, 50> kMetricNames = {
    "reward",                   // mean total of the scored completions
    "reward_std",               // mean over groups of the standard deviation (ddof 1) of a group's rewards
    "reward/tests/mean",        // code completions only
    "reward/math/mean",         // maths completions only
    "reward/audit_gap",         // share of scored code completions that pass the graded tests and fail the audit suite
    "frac_reward_zero_std",     // share of groups whose rewards are all equal: they teach nothing, unless by steps
    "groups/unscored",          // groups that lost at least one completion to a fault of our own
    "completions/mean_length",  // tokens
    "completions/max_length",   // tokens
    "completions/clipped_ratio",  // share cut off at max_new_tokens
    "completions/eos_ratio",      // share that ended by itself: end-of-sequence, or the end of its code block
    "completions/duplicates",     // share whose text equals an earlier one of its group
    "entropy",                    // mean over tokens, nats
    "kl",  // from the reference policy; where none is kept, KL(old || new) by k3 (learner/grpo_loss.h)
    "policy_loss", "clip_ratio/low_mean", "clip_ratio/high_mean",
    "staleness/max",  // versions of weights between a trained token and the learner
    "staleness/mean",
    "ratio/max_abs_dev",                       // largest |ratio - 1| over the tokens of the first update: 0 on-policy
    "sampling/sampling_logp_difference/mean",  // of the same tokens, the actor's log-probs from the learner's, nats;
    "sampling/sampling_logp_difference/max",   // there where model.exact = false makes them differ; stale tokens' too
    "advantage/mean", "advantage/std",
    "grad_norm",  // before clipping
    "learning_rate",
    "num_tokens",  // completion and prompt tokens sampled so far, whether they taught or not
    "epoch",
    "router/load_entropy",   // mixtures, mean over layers: 1 is even, 0 is one expert for all
    "router/max_violation",  // largest load over the even one, less 1, of any layer
    "router/z_loss",         // mean of (log sum exp logits)^2
    "router/balance",        // E sum load x probability: 1 if even
    "guard/perplexity",      // of eval.guard_text, which no training sees
    "guard/kl",              // KL(base || policy) per token of it, nats
    "guard/humaneval",       // greedy pass rate outside the overlap with the primer
    "loss",                  // SFT: mean cross-entropy of the trained tokens, nats
    "eval_loss",             // SFT: the same on the dev demonstrations
    "accuracy",        // reward model: share of the batch's pairs whose chosen completion is ahead, or of its rated
                       // completions that are on the right side of a pass rate of 1/2
    "margin",          // reward model: mean of chosen - rejected
    "rm/mse",          // reward model on pass rates: mean of (sigmoid(reward) - pass rate)^2; of stage eval held out
    "rm/accuracy",     // reward model, held out: share of pairs whose chosen completion is ahead
    "rm/ece",          // ... its calibration error
    "rm/margin_mean",  // ... the mean of chosen - rejected, and its quantiles
    "rm/margin_p5", "rm/margin_p50", "rm/margin_p95",
    "rm/step_accuracy",     // ... of steps: share of them on the right side of a label of 1/2
    "rm/auc",               // ... of steps: that a right completion's least step is above a wrong one's
    "entropy_coefficient",  // with grpo.entropy_target: of the entropy bonus that the step was trained with
    "process/steps",        // where steps are rewarded, of a completion, mean; their mean score is reward/process/mean
};

/// One value a step, in timings.jsonl: they depend on the machine and its load, so they are kept apart.
inline constexpr std::array<std::string_view, 13> kTimingNames = {
    "timing_s/sample",
    "timing_s/reward",
    "timing_s/train",
    "timing_s/eval",
    "timing_s/checkpoint",
    "timing_s/step",
    "perf/sample_tokens_per_s",
    "perf/train_tokens_per_s",
    "perf/fraction_of_roof",
    "perf/tflop",  // 1e12 operations of a GRPO step's products, prompts, reference and reward model included
                   // (apps/plumb/grpo_metrics.h)
    "perf/rss_mib",
    "perf/idle_share",  // of the machine's processors, over the step
    "timing_s/wait",
};

/// Whether `name` is in kMetricNames, is reward/<part>/mean, reward/<part>/std, reward/shaping_only_gain, reward/proxy
/// or reward/gold (where a reward model drives: the mean total of code, and the share of it that is solved), or
/// loss/<source>, eval_loss/<source> or perplexity/<source> (SFT: of a step's tokens; of the dev demonstrations; exp of
/// the former), or grad_norm/<layer> (of the step's last update, where run.layer_norms asks), or is an evaluation's:
/// eval/<set>/greedy, eval/<set>/avg@<k>, eval/<set>/pass@<k>, eval/<set>/rm@<k>,
/// eval/<set>/unscored (the share of samples lost to faults, where there are any; <set> may hold slashes, and
/// ends with @T<temperature> where that is neither 0 nor 1; <k> is a positive number).
bool is_metric_name(std::string_view name);

/// Whether `name` is in kTimingNames.
bool is_timing_name(std::string_view name);

}  // namespace plumb
