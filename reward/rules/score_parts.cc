#include "reward/rules/score_parts.h"

#include <algorithm>
#include <utility>

namespace plumb {

void set_score(Score& score, std::vector<ScorePart> parts) {
  double shaping = 0;
  double verdicts = 0;
  for (const ScorePart& part : parts) {
    shaping += part.kind == PartKind::kShaping ? part.weight : 0;
    verdicts += part.kind == PartKind::kVerdict ? 1 : 0;
  }
  // Shaping is added up before verdicts, as in the sum above: s + (1 - s) is 1 for every s below 0.5, other orders are
  // not.
  double gained = 0;
  double decided = 0;
  double lost = 0;
  for (ScorePart& part : parts) {
    switch (part.kind) {
      case PartKind::kShaping:
        gained += part.weight * part.value;
        break;
      case PartKind::kVerdict:
        part.weight = (1 - shaping) / verdicts;
        decided += part.weight * part.value;
        break;
      case PartKind::kModel:  // weighted by whoever adds it
        decided += part.weight * part.value;
        break;
      case PartKind::kPenalty:
        lost += part.weight * part.value;
        break;
    }
  }
  score.total = gained + decided + lost;
  score.parts = std::move(parts);
}

bool is_solved(const Score& score) {
  const auto failed = [](const ScorePart& part) { return part.kind == PartKind::kVerdict && part.value < 1; };
  return !score.unscored && !score.parts.empty() && std::none_of(score.parts.begin(), score.parts.end(), failed);
}

}  // namespace plumb
