#pragma once
// Verdicts are written down before they are used (verdicts.jsonl in the run folder), so that a run that is resumed or
// repeated in its folder judges nothing twice and cannot be changed by a program that behaves differently on another
// day. Our own faults (SE) are no verdicts: what a run made of them is in its fault_journal.h.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "compiler_sandbox/judge.h"
#include "core/json_journal.h"

namespace plumb {

/// A Judge that asks `judge` only what the journal does not hold. Thread-safe.
class VerdictJournal : public Judge {
 public:
  /// Opens or makes the journal at `path`. `judge` outlives it. Errors: those of JsonJournal.
  static Result<std::unique_ptr<VerdictJournal>> open(const std::string& path, Judge& judge);

  Evidence judge(const Submission& submission) override;
  std::vector<Evidence> judge_all(std::span<const Submission> submissions) override;
  [[nodiscard]] int concurrency() const override { return judge_.concurrency(); }
  [[nodiscard]] IsolationReport isolation() const override { return judge_.isolation(); }

  /// Its status() is an error once a verdict could not be written: a full disk must stop the run.
  [[nodiscard]] JsonJournal& file() const { return *journal_; }

 private:
  VerdictJournal(Judge& judge, std::unique_ptr<JsonJournal> journal) : judge_(judge), journal_(std::move(journal)) {}
  [[nodiscard]] std::optional<Evidence> find(const std::string& key) const;

  Judge& judge_;
  std::unique_ptr<JsonJournal> journal_;
};

}  // namespace plumb
