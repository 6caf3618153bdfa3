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
  bool code = false;             // a program was asked for, as the row's language says
  std::string rejected_verdict;  // "WA", "CE", ...; empty where nothing was run
  std::string chosen_verdict;    // likewise, or where the file does not say
  bool ended = true;             // both completions ended by themselves
  // Of whoever sampled them, a token's on average; NaN where the file does not say.
  double chosen_log_prob = std::nan("");
  double rejected_log_prob = std::nan("");
};

/// What the evaluation of single completions is told apart by.
struct CompletionFacts {
  std::string prompt_id;           // of steps the prompt itself where the file does not say
  std::string family;              // as a pair's; of steps the prompt itself where there is no id
  bool code = false;               // as a pair's
  std::string verdict;             // empty where nothing was run
  bool ended = true;               // by itself
  double log_prob = std::nan("");  // as a pair's
};

/// A completion with a pass rate.
struct RatedRecord : CompletionFacts {
  RatedCompletion rated;
};

/// A completion with labels of its steps.
struct SteppedRecord : CompletionFacts {
  SteppedCompletion stepped;

  /// Whether it ends well: its last label is above 1/2.
  [[nodiscard]] bool right() const { return stepped.labels.back() > 0.5; }
};

/// Reads JSON Lines of {prompt_id, prompt, chosen, rejected} and, where present, language, family, margin (times
/// `margin_scale`), tie, rejected_verdict, rejected_finish, chosen_verdict, chosen_finish, chosen_log_prob and
/// rejected_log_prob (sums over the tokens). Errors name file, line and key.
Result<std::vector<PairRecord>> read_pairs(const std::string& path, Workbench& bench, double margin_scale);

/// Reads JSON Lines of {id, prompt or messages, completion, pass_rate in [0, 1]} and, where present, prompt_id (else
/// the id up to its last '#'), language, family, verdict, finish and log_prob (a sum over the tokens). Errors name
/// file, line and key.
Result<std::vector<RatedRecord>> read_rated(const std::string& path, Workbench& bench);

/// Reads JSON Lines of {prompt or messages, completions: [text of each step], labels: [bool, or number in [0, 1], of
/// each step]}, TRL's stepwise supervision; the steps are joined by line breaks, as TRL does. Where present, prompt_id
/// or id, language, family, verdict, finish and log_prob as read_rated(). Of steps that end in one token the last
/// counts. Errors name file, line and key.
Result<std::vector<SteppedRecord>> read_steps(const std::string& path, Workbench& bench);

}  // namespace plumb
