#include "reward/rules/normalise_parts.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

namespace plumb {
namespace {

struct Moments {
  double count = 0;
  double sum = 0;
  double squares = 0;  // of the differences to the mean

  [[nodiscard]] double mean() const { return sum / count; }
  [[nodiscard]] double deviation() const { return count > 1 ? std::sqrt(squares / (count - 1)) : 0; }
};

}  // namespace

void normalise_parts(ScoredGroup& group, const DeviationOptions& options) {
  std::map<std::string, Moments> moments;
  const auto each_part = [&](auto&& visit) {
    for (const Score& score : group.scores) {
      for (const ScorePart& part : score.parts) {
        if (!score.unscored) {
          visit(part, moments[part.name]);
        }
      }
    }
  };
  each_part([](const ScorePart& part, Moments& of) {
    of.sum += part.value;
    ++of.count;
  });
  each_part([](const ScorePart& part, Moments& of) { of.squares += std::pow(part.value - of.mean(), 2); });
  for (Score& score : group.scores) {
    if (score.unscored) {
      continue;
    }
    score.total = 0;
    for (const ScorePart& part : score.parts) {
      const Moments& of = moments[part.name];
      if (of.deviation() > 0) {
        score.total +=
            part.weight * (part.value - of.mean()) / (std::max(of.deviation(), options.floor) + options.epsilon);
      }
    }
  }
}

}  // namespace plumb
