#include "learner/advantages.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace plumb {
namespace {

// Of what is there, in index order.
struct Moments {
  int count = 0;
  double mean = 0;
  double std = 0;  // ddof 1
  double range = 0;

  // What is not finite is a fault that must be seen in the loss, not a tie.
  [[nodiscard]] bool differ(double by_more_than) const {
    return count > 1 && (!std::isfinite(std) || range > by_more_than);
  }
};

Moments moments_of(std::span<const std::optional<double>> values) {
  Moments moments;
  double sum = 0;
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -lowest;
  for (const auto& value : values) {
    if (value) {
      ++moments.count;
      sum += *value;
      lowest = std::min(lowest, *value);
      highest = std::max(highest, *value);
    }
  }
  if (moments.count == 0) {
    return moments;
  }
  moments.mean = sum / moments.count;
  moments.range = highest - lowest;
  if (moments.count < 2) {
    return moments;
  }
  double squares = 0;
  for (const auto& value : values) {
    if (value) {
      squares += (*value - moments.mean) * (*value - moments.mean);
    }
  }
  moments.std = std::sqrt(squares / (moments.count - 1));
  return moments;
}

// One group's rewards and, apart, their shaping; both missing where a score is.
struct GroupRewards {
  Rewards rewards;
  Rewards shaping;

  GroupRewards(std::span<const std::optional<double>> scores, std::span<const double> added) {
    PLUMB_CHECK(added.empty() || added.size() == scores.size(), "advantages: a number is added to every score");
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double more = added.empty() ? 0.0 : added[i];
      rewards.push_back(scores[i] ? std::optional(*scores[i] + more) : std::nullopt);
      shaping.push_back(scores[i] ? std::optional(more) : std::nullopt);
    }
  }
};

// Without advantages yet.
GroupAdvantages describe(std::span<const std::optional<double>> scores, const Rewards& rewards,
                         const AdvantageOptions& options) {
  const Moments moments = moments_of(rewards);
  GroupAdvantages result;
  result.advantages.assign(scores.size(), 0.0F);
  result.num_scored = moments.count;
  result.mean = moments.mean;
  result.std = moments.std;
  result.has_spread = moments_of(scores).differ(static_cast<double>(options.min_spread));
  return result;
}

// 0 where shaping has made all rewards the same, though scores differ.
double one_over(double std, const AdvantageOptions& options) {
  return std == 0
             ? 0
             : 1 / (std::max(std, static_cast<double>(options.std_floor)) + static_cast<double>(options.std_epsilon));
}

void fill(std::span<const std::optional<double>> rewards, double baseline, double scale, GroupAdvantages& group) {
  for (std::size_t i = 0; i < rewards.size(); ++i) {
    if (rewards[i]) {
      group.has_advantages = true;
      group.advantages[i] = static_cast<float>((*rewards[i] - baseline) * scale);
    }
  }
}

// Where scores tie. Equal numbers are told apart from their mean by rounding: they are no advantages.
void fill_with_shaping(const Rewards& shaping, const Moments& over, double scale, GroupAdvantages& group) {
  if (over.differ(0)) {
    fill(shaping, over.mean, scale, group);
  }
}

bool is_of_one_group(AdvantageKind kind) {
  return kind == AdvantageKind::kGroupStd || kind == AdvantageKind::kNoStd || kind == AdvantageKind::kLeaveOneOut;
}

void append(const Rewards& more, double less, Rewards& all) {
  for (const auto& each : more) {
    all.push_back(each ? std::optional(*each - less) : each);
  }
}

// (r - M) / S.
void whiten(std::span<const Rewards> scores, const std::vector<GroupRewards>& groups, const AdvantageOptions& options,
            std::vector<GroupAdvantages>& all) {
  Rewards of_scores;
  Rewards of_rewards;
  Rewards of_shaping;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    append(scores[g], 0, of_scores);
    append(groups[g].rewards, 0, of_rewards);
    append(groups[g].shaping, 0, of_shaping);
  }
  const bool spread = moments_of(of_scores).differ(static_cast<double>(options.min_spread));
  const Moments rewards = moments_of(of_rewards);
  const Moments shaping = moments_of(of_shaping);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (spread) {
      fill(groups[g].rewards, rewards.mean, one_over(rewards.std, options), all[g]);
    } else {
      fill_with_shaping(groups[g].shaping, shaping, 1, all[g]);
    }
  }
}

// (r - m) / S, S of rewards or of centred ones.
void divide_by_batch(const std::vector<GroupRewards>& groups, const AdvantageOptions& options,
                     std::vector<GroupAdvantages>& all) {
  const bool centred = options.kind == AdvantageKind::kReinforcePpBaseline;
  Rewards batch;
  bool spread = false;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (all[g].num_scored > 1) {
      append(groups[g].rewards, centred ? all[g].mean : 0, batch);
    }
    spread = spread || all[g].has_spread;
  }
  const double scale = spread ? one_over(moments_of(batch).std, options) : 1;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (all[g].has_spread) {
      fill(groups[g].rewards, all[g].mean, scale, all[g]);
    } else {
      fill_with_shaping(groups[g].shaping, moments_of(groups[g].shaping), scale, all[g]);
    }
  }
}

}  // namespace

GroupAdvantages group_advantages(std::span<const std::optional<double>> scores, const AdvantageOptions& options,
                                 std::span<const double> shaping) {
  PLUMB_CHECK(is_of_one_group(options.kind), "group_advantages: this form needs the whole batch");
  const GroupRewards given(scores, shaping);
  GroupAdvantages group = describe(scores, given.rewards, options);
  const double scale = options.kind == AdvantageKind::kLeaveOneOut && group.num_scored > 1
                           ? static_cast<double>(group.num_scored) / (group.num_scored - 1)
                           : 1;
  if (!group.has_spread) {
    fill_with_shaping(given.shaping, moments_of(given.shaping), scale, group);
  } else if (options.kind == AdvantageKind::kGroupStd) {
    fill(given.rewards, group.mean, one_over(group.std, options), group);
  } else {
    fill(given.rewards, group.mean, scale, group);
  }
  return group;
}

std::vector<GroupAdvantages> batch_advantages(std::span<const Rewards> scores, const AdvantageOptions& options,
                                              std::span<const std::vector<double>> shaping) {
  PLUMB_CHECK(shaping.empty() || shaping.size() == scores.size(), "batch_advantages: sizes differ");
  std::vector<GroupAdvantages> all;
  std::vector<GroupRewards> groups;
  for (std::size_t g = 0; g < scores.size(); ++g) {
    const std::span<const double> added = shaping.empty() ? std::span<const double>() : shaping[g];
    if (is_of_one_group(options.kind)) {
      all.push_back(group_advantages(scores[g], options, added));
    } else {
      groups.emplace_back(scores[g], added);
      all.push_back(describe(scores[g], groups.back().rewards, options));
    }
  }
  if (options.kind == AdvantageKind::kReinforcePp) {
    whiten(scores, groups, options, all);
  } else if (!is_of_one_group(options.kind)) {
    divide_by_batch(groups, options, all);
  }
  return all;
}

}  // namespace plumb
