#include "reward/rules/reward_audit.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "reward/rules/audit_probes.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

constexpr std::size_t kShownBytes = 400;

std::string reason_of(const Score& score) {
  if (score.unscored) {
    return *score.unscored;
  }
  return score.parts.empty() ? std::string() : score.parts.front().reason;
}

class Auditor {
 public:
  Auditor(Judge& judge, ScorerOptions scoring, const AuditOptions& options)
      : options_(options), first_(judge, scoring) {
    scoring.limits.wall_s += 0.001;  // another key: the judge runs it again instead of remembering
    again_.emplace(judge, scoring);
  }

  void add(const std::shared_ptr<const PromptRecord>& prompt) {
    const std::vector<Probe> probes = audit_probes(*prompt, options_.mutants);
    audit_.prompts += probes.empty() ? 0 : 1;
    for (const Probe& probe : probes) {
      try_probe(prompt, probe);
    }
  }

  RewardAudit take() {
    std::sort(audit_.latencies_ms.begin(), audit_.latencies_ms.end());
    return std::move(audit_);
  }

 private:
  static Score score_alone(Scorer& scorer, const std::shared_ptr<const PromptRecord>& prompt, const Probe& probe) {
    CompletionGroup group;
    group.prompt = prompt;
    group.completions.resize(1);
    group.completions[0].text = probe.text;
    group.completions[0].finish_reason = FinishReason::kEndOfSequence;
    std::vector<CompletionGroup> groups;
    groups.push_back(std::move(group));
    return std::move(scorer.score(std::move(groups)).front().scores.front());
  }

  void try_probe(const std::shared_ptr<const PromptRecord>& prompt, const Probe& probe) {
    const auto start = std::chrono::steady_clock::now();
    const Score score = score_alone(first_, prompt, probe);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    audit_.latencies_ms.push_back(took.count());
    ++audit_.probes;
    const AuditFinding finding{prompt->id, probe.trick, score.total, reason_of(score),
                               probe.text.substr(0, kShownBytes)};
    if (score.unscored) {
      audit_.unscored.push_back(finding);
      return;
    }
    if (options_.twice) {
      const Score again = score_alone(*again_, prompt, probe);
      if (!again.unscored && (again.total != score.total || reason_of(again) != reason_of(score))) {
        audit_.unstable.push_back(finding);
      }
    }
    if (probe.trick == "mutant") {
      count_mutant(score);
    } else if (probe.expected == Expected::kSolved) {
      note_if(score.total < 1, audit_.false_rejects, finding);
    } else {
      note_if(probe.expected == Expected::kUnsolved && is_solved(score), audit_.false_accepts, finding);
      if (probe.expected == Expected::kUnsolved || !is_solved(score)) {  // else it is an honest answer here
        note_gain(probe.trick, score);
      }
    }
  }

  static void note_if(bool wrong, std::vector<AuditFinding>& list, const AuditFinding& finding) {
    if (wrong) {
      list.push_back(finding);
    }
  }

  void count_mutant(const Score& score) {
    ++audit_.mutants;
    audit_.mutants_refused += is_solved(score) ? 0 : 1;
    audit_.mutants_refused_by_all += is_solved(score) && score.audit.value_or(1) >= 1 ? 0 : 1;
  }

  void note_gain(const std::string& trick, const Score& score) {
    TrickGain& gain = audit_.tricks[trick];
    ++gain.tried;
    if (score.total <= gain.total) {
      return;
    }
    const auto paid = [](const ScorePart& part) { return part.weight * part.value; };
    gain.total = score.total;
    gain.part = std::max_element(score.parts.begin(), score.parts.end(), [&](const auto& a, const auto& b) {
                  return paid(a) < paid(b);
                })->name;
  }

  AuditOptions options_;
  Scorer first_;
  std::optional<Scorer> again_;
  RewardAudit audit_;
};

}  // namespace

double RewardAudit::latency_ms(double q) const {
  if (latencies_ms.empty()) {
    return 0;
  }
  const auto place = static_cast<std::size_t>(q * static_cast<double>(latencies_ms.size()));
  return latencies_ms[std::min(place, latencies_ms.size() - 1)];
}

RewardAudit audit_reward(Judge& judge, std::span<const std::shared_ptr<const PromptRecord>> prompts,
                         ScorerOptions scoring, const AuditOptions& options) {
  scoring.audit = true;
  Auditor auditor(judge, std::move(scoring), options);
  for (const auto& prompt : prompts) {
    auditor.add(prompt);
  }
  return auditor.take();
}

}  // namespace plumb
