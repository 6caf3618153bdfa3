#pragma once
// Advantages: what a completion's reward is worth beside the others'. All forms are critic-free; each names its paper.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace plumb {

/// What is taken from a completion's reward r_i and what the difference is divided by. n counts the scored completions
/// of a group, m and s are their mean and standard deviation (ddof 1), M and S those of the whole optimizer batch.
///
/// A reward is a score (verdicts and what else a person weighs) plus shaping: a divergence, a length penalty. Whether
/// completions differ is asked of scores alone, as DAPO asks for accuracies (arXiv 2503.14476, eq. 11). Shaping differs
/// in nearly every group, and where scores tie a deviation is of it alone: divided by that, a thousandth of a nat would
/// count as much as a right answer does elsewhere. So where scores tie they count as equal, and the shaping goes in at
/// its own size: less its mean, not divided by its own deviation.
enum class AdvantageKind : std::uint8_t {
  kGroupStd,     // (r_i - m) / s. GRPO: Shao et al., 2024, arXiv 2402.03300, section 4.1.2
  kNoStd,        // r_i - m: hard and easy prompts count as much as others. Dr. GRPO: Liu et al., 2025, arXiv 2503.20783
  kLeaveOneOut,  // r_i - mean of the others = (r_i - m) n / (n - 1). RLOO: Ahmadian et al., 2024, arXiv 2402.14740.
                 // There is no form of it with a leave-one-out deviation: that differs by i, and the sum is not 0
  kBatchStd,     // (r_i - m) / S. Lite PPO: Liu et al., 2025, arXiv 2508.08221
  kReinforcePp,  // (r_i - M) / S: no group baseline, so it is defined for groups of one. REINFORCE++: Hu et al., 2025,
                 // arXiv 2501.03262, with one reward at the end, gamma = 1 and the KL summed over the sequence
  kReinforcePpBaseline,  // (r_i - m) / S', S' of the centred rewards r - m. REINFORCE++-baseline, same paper
};

struct AdvantageOptions {
  AdvantageKind kind = AdvantageKind::kGroupStd;
  float std_epsilon = 1e-4F;  // added to the standard deviation
  float std_floor = 0.0F;     // a smaller standard deviation counts as this one; guards shaped rewards, whose noise a
                              // group that is nearly of one mind would blow up
  float min_spread = 0.0F;    // a group whose max - min score is at most this has no spread: 0 for exact verdicts,
                              // 0.05 of the range once a reward model or shaping of [reward] is in
};

/// What one group's rewards say.
struct GroupAdvantages {
  std::vector<float> advantages;  // [G]; 0 for unscored completions and for a group that is not usable
  int num_scored = 0;
  double mean = 0;              // of rewards, over scored completions
  double std = 0;               // likewise, ddof 1; 0 for fewer than two scored
  bool has_spread = false;      // scores differ
  bool has_advantages = false;  // some advantage may differ from 0
};

/// Scores or rewards of one group's completions.
using Rewards = std::vector<std::optional<double>>;

/// One group's advantages by a form that needs no other groups (kGroupStd, kNoStd, kLeaveOneOut). A missing score (our
/// own fault) takes no part in mean and std and gets advantage 0; fewer than two scored completions have no spread. A
/// group without spread has the advantages of its shaping alone, undivided (by kGroupStd as by kNoStd): none where that
/// is the same for all. Sums run in index order in f64.
///   shaping  [G] added to the scores, or empty
GroupAdvantages group_advantages(std::span<const std::optional<double>> scores, const AdvantageOptions& options,
                                 std::span<const double> shaping = {});

/// The advantages of all groups of an optimizer batch, by any form, in the order given. Batch statistics run over the
/// rewards of the scored completions of all groups in that order, those of groups without spread included (they are
/// part of what rewards look like), those that are alone in their group not (they are dropped; by kReinforcePp they
/// are not). A group without spread has the advantages of its shaping alone, over the same deviation as the others;
/// kReinforcePp takes its groups as they are. Where no group has spread (for kReinforcePp: where the scores of the
/// batch differ by no more than min_spread) the deviation would be the shaping's own, and nothing is divided.
///   shaping  of each group as above, or empty
std::vector<GroupAdvantages> batch_advantages(std::span<const Rewards> scores, const AdvantageOptions& options,
                                              std::span<const std::vector<double>> shaping = {});

}  // namespace plumb
