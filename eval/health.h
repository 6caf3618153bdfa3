#pragma once
// Rules that look at a run's metrics and say in one sentence what is probably wrong and which key changes it.

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/metrics_log.h"

namespace plumb {

/// Of the guards, from their first measurement: a perplexity that is more than so many times the first, and a pass rate
/// that is more than so much below it, say that something was unlearned.
inline constexpr double kMaxPerplexityRise = 1.1;
inline constexpr double kMaxPassRateFall = 0.03;
/// Whether `now` is so of the guard `name`, "guard/perplexity" or "guard/humaneval"; false of other names.
bool is_unlearned(std::string_view name, double first, double now);

struct HealthMessage {
  std::string
      rule;  // "zero_spread", "no_update", "truncated", "entropy_halved", "duplicates", "unlearned", "ratio", ...
  std::string text;     // one sentence: what is seen, the likely cause, the key to change
  bool warning = true;  // false: good to know, nothing to do
};

/// A mean over fewer of a run's last steps says nothing.
inline constexpr std::size_t kFewestHealthSteps = 4;

/// Watches a GRPO run step by step. Shares are means over the last steps (at most 8, at least 4), entropy is compared
/// as a mean over 4 steps with the one 20 steps before, so that one odd step says nothing; a ratio other than 1 is
/// reported at once.
class HealthMonitor {
 public:
  /// `whole_batch`: a completion is compared with the whole batch (grpo.advantage = reinforce_pp), so that a group
  /// whose rewards are equal teaches like any other.
  explicit HealthMonitor(bool whole_batch = false) : whole_batch_(whole_batch) {}

  /// The messages that this step gives rise to: a rule speaks when its condition becomes true and again only after it
  /// had become false; a note (no warning) is given once. Absent names are skipped.
  std::vector<HealthMessage> observe(std::int64_t step, const MetricMap& metrics);

 private:
  [[nodiscard]] double recent_mean(const std::string& name, double otherwise) const;
  [[nodiscard]] double entropy_mean(std::size_t first) const;
  void report(bool condition, HealthMessage message, std::vector<HealthMessage>& out);

  [[nodiscard]] double idle_share() const;
  void watch_updates(std::int64_t step, bool zero_spread, std::vector<HealthMessage>& out);
  void explain_loss(const MetricMap& metrics, std::vector<HealthMessage>& out);
  void watch_guards(std::int64_t step, const MetricMap& metrics, std::vector<HealthMessage>& out);

  bool whole_batch_;
  std::deque<MetricMap> history_;  // the last steps, oldest first
  MetricMap first_guards_;
  bool ratios_differ_ = false;
  bool ratios_move_ = false;
  std::map<std::string, bool> active_;
};

}  // namespace plumb
