#include "reward/rules/scoring_fault.h"

#include "reward/rules/code_parts.h"

namespace plumb {

std::optional<ScoringFault> fault_of(const ScoredGroup& scored, std::size_t index, bool audited) {
  const Score& score = scored.scores[index];
  if (scored.group.completions[index].finish_reason == FinishReason::kAborted) {
    return std::nullopt;
  }
  const bool lost_audit = audited && !score.unscored && !score.audit && !scored.group.prompt->audit_tests.empty() &&
                          score.evidence && all_pass(*score.evidence);
  if (!score.unscored && !lost_audit) {
    return std::nullopt;
  }
  return ScoringFault{score.unscored.value_or(""), score.audit, score.evidence};
}

}  // namespace plumb
