#include "learner/advantages.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace plumb {
namespace {

// Mean, deviation and range of the rewards that are there; no advantages yet.
GroupAdvantages describe(std::span<const std::optional<double>> rewards, const AdvantageOptions& options) {
  GroupAdvantages result;
  result.advantages.assign(rewards.size(), 0.0F);
  double sum = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -lowest;
  for (const auto& reward : rewards) {
    if (reward) {
      ++result.num_scored;
      sum += *reward;
      lowest = std::min(lowest, *reward);
      highest = std::max(highest, *reward);
    }
  }
  if (result.num_scored == 0) {
    return result;
  }
  result.mean = sum / result.num_scored;
  if (result.num_scored < 2) {
    return result;
  }
  double squares = 0;
  for (const auto& reward : rewards) {
    if (reward) {
      squares += (*reward - result.mean) * (*reward - result.mean);
    }
  }
  result.std = std::sqrt(squares / (result.num_scored - 1));
  // A reward that is not finite is a fault that must be seen in the loss, not a group without spread.
  result.has_spread = !std::isfinite(result.std) || highest - lowest > static_cast<double>(options.min_spread);
  return result;
}

double divisor(double std, const AdvantageOptions& options) {
  return std::max(std, static_cast<double>(options.std_floor)) + static_cast<double>(options.std_epsilon);
}

void fill(std::span<const std::optional<double>> rewards, double baseline, double scale, GroupAdvantages& group) {
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (rewards[i]) {
      group.has_advantages = true;
      group.advantages[i] = static_cast<float>((*rewards[i] - baseline) * scale);
    }
  }
}

bool is_of_one_group(AdvantageKind kind) {
  return kind == AdvantageKind::kGroupStd || kind == AdvantageKind::kNoStd || kind == AdvantageKind::kLeaveOneOut;
}

}  // namespace

GroupAdvantages group_advantages(std::span<const std::optional<double>> rewards, const AdvantageOptions& options) {
  PLUMB_CHECK(is_of_one_group(options.kind), "group_advantages: this form needs the whole batch");
  GroupAdvantages group = describe(rewards, options);
  if (!group.has_spread) {
    return group;
  }
  double scale = 1.0;
  if (options.kind == AdvantageKind::kGroupStd) {
    scale = 1.0 / divisor(group.std, options);
  } else if (options.kind == AdvantageKind::kLeaveOneOut) {
    scale = static_cast<double>(group.num_scored) / (group.num_scored - 1);
  }
  fill(rewards, group.mean, scale, group);
  return group;
}

std::vector<GroupAdvantages> batch_advantages(std::span<const Rewards> groups, const AdvantageOptions& options) {
  std::vector<GroupAdvantages> all;
  if (is_of_one_group(options.kind)) {
    for (const Rewards& rewards : groups) {
      all.push_back(group_advantages(rewards, options));
    }
    return all;
  }
  Rewards batch;  // what the batch statistics run over
  const bool centred = options.kind == AdvantageKind::kReinforcePpBaseline;
  for (const Rewards& rewards : groups) {
    all.push_back(describe(rewards, options));
    for (const auto& reward : rewards) {
      batch.push_back(reward && centred ? std::optional(*reward - all.back().mean) : reward);
    }
  }
  const GroupAdvantages whole = describe(batch, {});
  if (!whole.has_spread) {
    return all;
  }
  const double scale = 1.0 / divisor(whole.std, options);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (options.kind == AdvantageKind::kReinforcePp) {
      fill(groups[g], whole.mean, scale, all[g]);
    } else if (all[g].has_spread) {
      fill(groups[g], all[g].mean, scale, all[g]);
    }
  }
  return all;
}

}  // namespace plumb
