#include "apps/plumb/reward_pair_facts.h"

#include <algorithm>

namespace plumb {
namespace {

// Of completions of one prompt; all but their tokens.
PairRecord facts_of(const CompletionFacts& better, const CompletionFacts& worse) {
  PairRecord record;
  record.prompt_id = better.prompt_id;
  record.family = better.family;
  record.code = better.code;
  record.rejected_verdict = worse.verdict;
  record.ended = better.ended && worse.ended;
  record.chosen_log_prob = better.log_prob;
  record.rejected_log_prob = worse.log_prob;
  return record;
}

}  // namespace

bool lacks_program(const PairRecord& record) {
  return record.rejected_verdict == "CE" || (record.code && record.rejected_verdict.empty());
}

bool is_hard(const PairRecord& record) {
  const auto chosen = static_cast<double>(record.pair.chosen.size());
  const auto rejected = static_cast<double>(record.pair.rejected.size());
  const bool alike = std::min(chosen, rejected) >= 0.8 * std::max(chosen, rejected);
  return record.ended && alike && !lacks_program(record) && record.chosen_verdict != "CE";
}

PairRecord pair_of(const RatedRecord& better, const RatedRecord& worse) {
  PairRecord record = facts_of(better, worse);
  record.pair.prompt = better.rated.prompt;
  record.pair.chosen = better.rated.completion;
  record.pair.rejected = worse.rated.completion;
  return record;
}

PairRecord pair_of(const SteppedRecord& better, const SteppedRecord& worse) {
  PairRecord record = facts_of(better, worse);
  record.pair.prompt = better.stepped.prompt;
  record.pair.chosen = better.stepped.completion;
  record.pair.rejected = worse.stepped.completion;
  return record;
}

}  // namespace plumb
