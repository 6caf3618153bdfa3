// The numbers that a step's scored groups show on the outside.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string_view>

#include "reward/rules/score_parts.h"
#include "reward/rules/scorer.h"

namespace plumb {

namespace {

struct Mean {
  double sum = 0;
  double count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  [[nodiscard]] double value() const { return count > 0 ? sum / count : std::numeric_limits<double>::quiet_NaN(); }
};

// Standard deviation with ddof 1; nothing to spread in fewer than two values.
double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) {
    return 0;
  }
  Mean mean;
  for (const double value : values) {
    mean.add(value);
  }
  double squares = 0;
  for (const double value : values) {
    squares += (value - mean.value()) * (value - mean.value());
  }
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

bool decides(const ScorePart& part) {
  return part.kind == PartKind::kVerdict || part.kind == PartKind::kModel;
}

// What shaping adds to the advantages of a group, beside what the verdicts, or a model in their place, do.
struct ShapingSums {
  double shaping = 0;
  double verdicts = 0;
  bool any = false;

  void add(const std::vector<const Score*>& scores) {
    std::vector<double> decided;
    std::vector<double> shaped;
    for (const Score* score : scores) {
      double from_verdicts = 0;
      double from_others = 0;
      for (const ScorePart& part : score->parts) {
        (decides(part) ? from_verdicts : from_others) += part.weight * part.value;
        any = any || !decides(part);
      }
      decided.push_back(from_verdicts);
      shaped.push_back(from_others);
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
      verdicts += std::abs(decided[i] - mean_of(decided));
      shaping += std::abs(shaped[i] - mean_of(shaped));
    }
  }
  [[nodiscard]] double share() const { return shaping + verdicts > 0 ? shaping / (shaping + verdicts) : 0; }
};

struct RewardSums {
  Mean reward;
  Mean group_std;
  Mean zero_std;
  Mean audit_gap;
  std::map<std::string, Mean> parts;
  std::map<std::string, Mean> part_stds;
  ShapingSums shaping;
  double groups_unscored = 0;

  void add(const ScoredGroup& scored) {
    std::vector<double> totals;
    std::vector<const Score*> scores;
    std::map<std::string, std::vector<double>> values;
    for (const Score& score : scored.scores) {
      if (score.unscored) {
        continue;
      }
      scores.push_back(&score);
      totals.push_back(score.total);
      reward.add(score.total);
      for (const ScorePart& part : score.parts) {
        parts[part.name].add(part.value);
        values[part.name].push_back(part.value);
      }
      if (score.audit) {
        audit_gap.add(is_solved(score) && *score.audit < 1 ? 1 : 0);
      }
    }
    groups_unscored += totals.size() < scored.scores.size() ? 1 : 0;
    shaping.add(scores);
    for (const auto& [name, each] : values) {
      part_stds[name].add(standard_deviation(each));
    }
    if (!totals.empty()) {
      group_std.add(standard_deviation(totals));
      zero_std.add(std::all_of(totals.begin(), totals.end(), [&](double t) { return t == totals[0]; }) ? 1 : 0);
    }
  }
};

struct CompletionSums {
  Mean length;
  Mean clipped;
  Mean ended;
  Mean duplicates;
  double max_length = 0;

  void add(const CompletionGroup& group) {
    std::set<std::string_view> seen;
    for (const Completion& completion : group.completions) {
      const auto tokens = static_cast<double>(completion.token_ids.size());
      length.add(tokens);
      max_length = std::max(max_length, tokens);
      clipped.add(completion.finish_reason == FinishReason::kLength ? 1 : 0);
      const bool by_itself =
          completion.finish_reason == FinishReason::kEndOfSequence || completion.finish_reason == FinishReason::kStop;
      ended.add(by_itself ? 1 : 0);
      duplicates.add(seen.insert(completion.text).second ? 0 : 1);
    }
  }
};

}  // namespace

MetricMap reward_metrics(std::span<const ScoredGroup> groups) {
  RewardSums rewards;
  CompletionSums completions;
  for (const ScoredGroup& scored : groups) {
    rewards.add(scored);
    completions.add(scored.group);
  }
  MetricMap metrics = {
      {"reward", rewards.reward.value()},
      {"reward_std", rewards.group_std.value()},
      {"frac_reward_zero_std", rewards.zero_std.value()},
      {"groups/unscored", rewards.groups_unscored},
      {"completions/mean_length", completions.length.value()},
      {"completions/max_length", completions.max_length},
      {"completions/clipped_ratio", completions.clipped.value()},
      {"completions/eos_ratio", completions.ended.value()},
      {"completions/duplicates", completions.duplicates.value()},
  };
  for (const auto& [name, mean] : rewards.parts) {
    metrics["reward/" + name + "/mean"] = mean.value();
  }
  if (rewards.shaping.any) {
    for (const auto& [name, mean] : rewards.part_stds) {
      metrics["reward/" + name + "/std"] = mean.value();
    }
    metrics["reward/shaping_only_gain"] = rewards.shaping.share();
  }
  if (rewards.audit_gap.count > 0) {
    metrics["reward/audit_gap"] = rewards.audit_gap.value();
  }
  return metrics;
}

}  // namespace plumb
