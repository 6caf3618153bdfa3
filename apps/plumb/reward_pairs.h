#pragma once
// What a reward model learns from on disk (data rm-from-rollouts writes it), preference pairs, completions with pass
// rates or completions with labels of their steps, tokenised.

#include <cmath>
#include <string>
#include <vector>

#include "apps/plumb/workbench.h"
#include "learner/reward_model.h"

namespace plumb {

/// A pair with what its evaluation is told apart by.
struct PairRecord {
  RewardPair pair;
  std::string prompt_id;
  std::string family;            // as the row names it; empty: reward_families.h finds one
  std::string rejected_verdict;  // "WA", "CE", ...; empty where nothing was run
  bool ended = true;             // both completions ended by themselves
  // Of whoever sampled them, a token's on average; NaN where the file does not say.
  double chosen_log_prob = std::nan("");
  double rejected_log_prob = std::nan("");
};

/// A completion with a pass rate, and what its evaluation is told apart by.
struct RatedRecord {
  RatedCompletion rated;
  std::string prompt_id;
  std::string family;              // as a pair's
  std::string verdict;             // empty where nothing was run
  bool ended = true;               // by itself
  double log_prob = std::nan("");  // as a pair's
};

/// A completion with labels of its steps, and what its evaluation is told apart by.
struct SteppedRecord {
  SteppedCompletion stepped;
  std::string prompt_id;           // the prompt itself where the file does not say
  std::string family;              // as a pair's; the prompt itself where the file does not say
  std::string verdict;             // empty where nothing was run
  bool ended = true;               // by itself
  double log_prob = std::nan("");  // as a pair's

  /// Whether it ends well: its last label is above 1/2.
  [[nodiscard]] bool right() const { return stepped.labels.back() > 0.5; }
};

/// Whether a pair cannot be told by its form: both ended, both compile, and lengths are within 20 %. (Both are of one
/// prompt, and so of one language.)
bool is_hard(const PairRecord& record);

/// Reads JSON Lines of {prompt_id, prompt, chosen, rejected} and, where present, family, margin (times `margin_scale`),
/// tie, rejected_verdict, rejected_finish, chosen_log_prob and rejected_log_prob (sums over the tokens). Errors name
/// file, line and key.
Result<std::vector<PairRecord>> read_pairs(const std::string& path, Workbench& bench, double margin_scale);

/// Reads JSON Lines of {id, prompt or messages, completion, pass_rate in [0, 1]} and, where present, prompt_id (else
/// the id up to its last '#'), family, verdict, finish and log_prob (a sum over the tokens). Errors name file, line and
/// key.
Result<std::vector<RatedRecord>> read_rated(const std::string& path, Workbench& bench);

/// Reads JSON Lines of {prompt or messages, completions: [text of each step], labels: [bool, or number in [0, 1], of
/// each step]}, TRL's stepwise supervision; the steps are joined by line breaks, as TRL does. Where present, prompt_id
/// or id, family, verdict, finish and log_prob as read_rated(). Of steps that end in one token the last counts. Errors
/// name file, line and key.
Result<std::vector<SteppedRecord>> read_steps(const std::string& path, Workbench& bench);

/// Two completions of one prompt as a pair; `better` has the higher pass rate, or is right.
PairRecord pair_of(const RatedRecord& better, const RatedRecord& worse);
PairRecord pair_of(const SteppedRecord& better, const SteppedRecord& worse);

}  // namespace plumb
