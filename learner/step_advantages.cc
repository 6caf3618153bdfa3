#include "learner/step_advantages.h"

#include "core/check.h"

namespace plumb {
namespace {

void check_steps(const StepScores& steps) {
  PLUMB_CHECK(steps.scores.size() == steps.ends.size(), "step_advantages: a step has one score and one end");
  std::int64_t last = 0;
  for (const std::int64_t end : steps.ends) {
    PLUMB_CHECK(end > last && end <= steps.num_tokens, "step_advantages: ends rise, within the tokens");
    last = end;
  }
}

}  // namespace

std::vector<std::vector<float>> step_advantages(std::span<const StepScores> group, const AdvantageOptions& options) {
  PLUMB_CHECK(options.kind == AdvantageKind::kGroupStd || options.kind == AdvantageKind::kNoStd,
              "step_advantages: a kind that steps have no form of");
  Rewards all;
  for (const StepScores& steps : group) {
    check_steps(steps);
    all.insert(all.end(), steps.scores.begin(), steps.scores.end());
  }
  const std::vector<float> of_steps = group_advantages(all, options).advantages;
  std::vector<std::vector<float>> advantages;
  std::size_t first = 0;  // of the completion's steps among all
  for (const StepScores& steps : group) {
    std::vector<float>& tokens = advantages.emplace_back(static_cast<std::size_t>(steps.num_tokens), 0.0F);
    double following = 0;
    for (std::size_t step = steps.ends.size(); step-- > 0;) {
      following += static_cast<double>(of_steps[first + step]);
      const std::int64_t begin = step == 0 ? 0 : steps.ends[step - 1];
      for (std::int64_t t = begin; t < steps.ends[step]; ++t) {
        tokens[static_cast<std::size_t>(t)] = static_cast<float>(following);
      }
    }
    first += steps.ends.size();
  }
  return advantages;
}

}  // namespace plumb
