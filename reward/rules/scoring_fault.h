#pragma once
// What of ours broke while a completion was scored, so that nobody knows what it is worth. A run that learned without
// that completion must leave it out again when it is resumed or replayed, even if the fault has gone by then.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "core/records.h"

namespace plumb {

struct ScoringFault {
  std::string unscored;                   // Score::unscored; empty where only the audit was lost
  std::optional<double> audit = {};       // as in the score
  std::optional<Evidence> evidence = {};  // likewise
};

/// What broke of completion `index`; nothing where it was scored, or not even sampled to its end. `audited`: the audit
/// suite was asked as well.
std::optional<ScoringFault> fault_of(const ScoredGroup& scored, std::size_t index, bool audited);

/// The fault that completion `index` of a group is known to have had.
using KnownFaults = std::function<std::optional<ScoringFault>(const CompletionGroup& group, std::size_t index)>;

}  // namespace plumb
