#pragma once
// Tries every probe on a reward before a policy does.

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "compiler_sandbox/judge.h"
#include "core/records.h"
#include "reward/rules/scorer.h"

namespace plumb {

/// A probe that was not scored as a sound reward would.
struct AuditFinding {
  std::string prompt_id;
  std::string trick;
  double total = 0;
  std::string reason;  // of the verdict part, or the fault
  std::string text;    // of the completion, its first bytes
};

/// The most that a trick got out of any prompt without solving it, and through which part.
struct TrickGain {
  int tried = 0;
  double total = 0;
  std::string part;  // the one that paid most; empty where the trick gained nothing
};

struct RewardAudit {
  int prompts = 0;
  int probes = 0;
  std::vector<AuditFinding> false_accepts;  // solved, but must not be
  std::vector<AuditFinding> false_rejects;  // a reference below 1
  std::vector<AuditFinding> unstable;       // another total or reason when judged again
  std::vector<AuditFinding> unscored;       // faults of ours: nothing is known about these
  int mutants = 0;
  int mutants_refused = 0;         // by the graded tests
  int mutants_refused_by_all = 0;  // by graded tests or audit suite
  std::map<std::string, TrickGain> tricks;
  std::vector<double> latencies_ms;  // of single completions scored alone, ascending; not replayable

  /// The q-th quantile of latencies_ms, q in [0, 1]; 0 without any.
  [[nodiscard]] double latency_ms(double q) const;
};

struct AuditOptions {
  std::size_t mutants = 8;  // per prompt
  bool twice = true;        // judge everything a second time, not from the cache
};

/// Scores the probes of `prompts` (reward/rules/audit_probes.h) one by one with the given scorer options.
/// Deterministic but for the latencies.
RewardAudit audit_reward(Judge& judge, std::span<const std::shared_ptr<const PromptRecord>> prompts,
                         ScorerOptions scoring, const AuditOptions& options);

}  // namespace plumb
