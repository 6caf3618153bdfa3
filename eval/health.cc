#include "eval/health.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace plumb {

namespace {

constexpr std::size_t kRecentSteps = 8;
constexpr std::size_t kEntropySteps = 20;
constexpr std::size_t kEntropyMean = 4;

constexpr double kMaxZeroSpread = 0.7;
constexpr double kMaxIdle = 0.4;
constexpr double kMaxTruncated = 0.1;
constexpr double kMaxDuplicates = 0.5;
constexpr double kMaxUnscored = 0.5;  // groups a step
constexpr double kNearZeroLoss = 0.05;

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 480> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

double value_of(const MetricMap& metrics, const std::string& name, double otherwise) {
  const auto found = metrics.find(name);
  return found != metrics.end() && std::isfinite(found->second) ? found->second : otherwise;
}

// Whether a step made no update: then its entropy, loss and ratios are of nothing, though they are logged as 0.
bool is_idle(const MetricMap& metrics) {
  return value_of(metrics, "grad_norm", 1) == 0;
}

}  // namespace

bool is_unlearned(std::string_view name, double first, double now) {
  return (name == "guard/perplexity" && now > kMaxPerplexityRise * first) ||
         (name == "guard/humaneval" && now < first - kMaxPassRateFall);
}

double HealthMonitor::recent_mean(const std::string& name, double otherwise) const {
  double sum = 0;
  std::size_t count = 0;
  for (auto metrics = history_.rbegin(); metrics != history_.rend() && count < kRecentSteps; ++metrics) {
    const double value = value_of(*metrics, name, std::nan(""));
    if (std::isfinite(value)) {
      sum += value;
      ++count;
    }
  }
  return count >= kFewestHealthSteps ? sum / static_cast<double>(count) : otherwise;
}

// Over kEntropyMean steps of the history from `first` on; not a number where fewer than half of them have one.
double HealthMonitor::entropy_mean(std::size_t first) const {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t i = first; i < std::min(first + kEntropyMean, history_.size()); ++i) {
    const double entropy = is_idle(history_[i]) ? std::nan("") : value_of(history_[i], "entropy", std::nan(""));
    sum += std::isfinite(entropy) ? entropy : 0;
    count += std::isfinite(entropy) ? 1 : 0;
  }
  return 2 * count >= kEntropyMean ? sum / static_cast<double>(count) : std::nan("");
}

void HealthMonitor::report(bool condition, HealthMessage message, std::vector<HealthMessage>& out) {
  bool& active = active_[message.rule];
  const bool stays = active && !message.warning;
  if (condition && !active) {
    out.push_back(std::move(message));
  }
  active = condition || stays;
}

// Of the last steps.
double HealthMonitor::idle_share() const {
  const std::size_t count = std::min(kRecentSteps, history_.size());
  const auto idle = static_cast<std::size_t>(
      std::count_if(history_.end() - static_cast<std::ptrdiff_t>(count), history_.end(), is_idle));
  return count >= kFewestHealthSteps ? static_cast<double>(idle) / static_cast<double>(count) : 0;
}

// Where nearly all groups have equal rewards, the rule on those has said why.
void HealthMonitor::watch_updates(std::int64_t step, bool zero_spread, std::vector<HealthMessage>& out) {
  const double idle = idle_share();
  report(
      idle > kMaxIdle && !zero_spread,
      {"no_update",
       print("Step %lld: %.0f %% of the last steps made no update: no group of theirs had rewards (or scores of steps, "
             "where these are rewarded) that differ by more than grpo.min_spread; rewards are equal in %.0f %% of the "
             "groups; "
             "lower grpo.min_spread, or raise grpo.group_size or reward.outcome_weight.",
             static_cast<long long>(step), 100 * idle, 100 * recent_mean("frac_reward_zero_std", 0))},
      out);
}

// They are measured every grpo.dev_every steps alone.
void HealthMonitor::watch_guards(std::int64_t step, const MetricMap& metrics, std::vector<HealthMessage>& out) {
  for (const auto& [name, key] :
       {std::pair("guard/perplexity", "the guard text"), std::pair("guard/humaneval", "HumanEval")}) {
    const double now = value_of(metrics, name, std::nan(""));
    if (!std::isfinite(now)) {
      continue;
    }
    const double first = first_guards_.emplace(name, now).first->second;
    report(is_unlearned(name, first, now),
           {std::string("unlearned: ") + name,
            print("Step %lld: %s went from %.3g to %.3g on %s, which is not trained on: the policy unlearns it; lower "
                  "grpo.learning_rate, or hold it to where it came from (grpo.kl, grpo.reference).",
                  static_cast<long long>(step), name, first, now, key)},
           out);
  }
}

// The first step is on-policy whatever the schedule, so it says nothing of the run. A run that has cut ratios, or had
// others than 1 at the start of an update, is not told that they are 1.
void HealthMonitor::explain_loss(const MetricMap& metrics, std::vector<HealthMessage>& out) {
  ratios_differ_ = ratios_differ_ || value_of(metrics, "ratio/max_abs_dev", 0) != 0 ||
                   value_of(metrics, "clip_ratio/low_mean", 0) + value_of(metrics, "clip_ratio/high_mean", 0) > 0;
  // With later updates of a step they move, though none is cut: the sampler's divergence from the learner shows it.
  ratios_move_ = ratios_move_ || value_of(metrics, "kl", 0) != 0;
  report(history_.size() > 1 && !ratios_differ_ && !is_idle(metrics) &&
             std::abs(value_of(metrics, "policy_loss", 1)) < kNearZeroLoss,
         {"loss_near_zero",
          print("A loss near 0 is normal here: advantages sum to 0 %s%s, so the loss says nothing about "
                "progress; look at reward.",
                whole_batch_ ? "over the batch" : "in each group", ratios_move_ ? "" : " and the ratio is 1"),
          false},
         out);
}

std::vector<HealthMessage> HealthMonitor::observe(std::int64_t step, const MetricMap& metrics) {
  history_.push_back(metrics);
  if (history_.size() > kEntropySteps + 1) {
    history_.pop_front();
  }
  std::vector<HealthMessage> out;
  const auto at = static_cast<long long>(step);

  const double zero_spread = recent_mean("frac_reward_zero_std", 0);
  const bool too_hard = recent_mean("reward", 0) < 0.5;
  const bool steps_teach = recent_mean("process/steps", 0) > 0;
  const bool nothing_differs =
      !whole_batch_ && zero_spread > kMaxZeroSpread && (!steps_teach || recent_mean("grad_norm", 1) == 0);
  report(
      nothing_differs,
      {"zero_spread",
       print("Step %lld: in %.0f %% of the groups all rewards are equal, so they teach nothing: the tasks are too %s "
             "for the policy; %s, or raise grpo.group_size.",
             at, 100 * zero_spread, too_hard ? "hard" : "easy",
             too_hard ? "warm it up longer (sft.max_epochs)" : "give it harder ones (data.tasks)")},
      out);

  watch_updates(step, nothing_differs, out);

  const double unscored = recent_mean("groups/unscored", 0);
  report(
      unscored >= kMaxUnscored,
      {"unscored", print("Step %lld: %.1f groups a step lose completions to faults, not to their answers: what could "
                         "not be judged teaches nothing; samples.jsonl says why (\"unscored\").",
                         at, unscored)},
      out);

  const double truncated = recent_mean("completions/clipped_ratio", 0);
  report(truncated > kMaxTruncated,
         {"truncated", print("Step %lld: %.0f %% of the completions were cut off: the policy does not end its answers; "
                             "raise sampling.max_new_tokens, or warm it up longer (sft.max_epochs).",
                             at, 100 * truncated)},
         out);

  const double entropy_then = entropy_mean(0);
  const double entropy = entropy_mean(kEntropySteps + 1 - kEntropyMean);
  report(entropy < entropy_then / 2,
         {"entropy_halved",
          print("Step %lld: entropy fell from %.2f to %.2f in 20 steps: the policy is closing in on a few "
                "answers faster than it learns; lower grpo.learning_rate or raise grpo.clip_high.",
                at, entropy_then, entropy)},
         out);

  const double duplicates = recent_mean("completions/duplicates", 0);
  report(duplicates > kMaxDuplicates,
         {"duplicates",
          print("Step %lld: %.0f %% of the completions repeat another one of their group: the samples differ too "
                "little to compare; raise sampling.temperature.",
                at, 100 * duplicates)},
         out);

  watch_guards(step, metrics, out);

  const double deviation = value_of(metrics, "ratio/max_abs_dev", 0);
  const bool exact = !metrics.contains("sampling/sampling_logp_difference/max");
  report(exact && deviation != 0 && value_of(metrics, "staleness/max", 0) == 0,
         {"ratio",
          print("Step %lld: the learner's probability of a sampled token differs from the actor's (ratio off by %.3g) "
                "though the weights are the same: the two do not compute alike; run plumb grpo --preflight with "
                "the same model.dtype and report what it prints.",
                at, deviation)},
         out);

  explain_loss(metrics, out);
  return out;
}

}  // namespace plumb
