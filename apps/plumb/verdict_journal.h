#pragma once
// Verdicts are written down before they are used (verdicts.jsonl in the run folder), so that a run that is resumed or
// repeated in its folder judges nothing twice and cannot be changed by a program that behaves differently on another
// day. Our own faults (SE) are not written.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "apps/plumb/json_journal.h"
#include "compiler_sandbox/judge.h"

namespace plumb {

/// A Judge that asks `judge` only what the journal does not hold. Thread-safe.
class VerdictJournal : public Judge {
 public:
  /// Opens or makes the journal at `path`. `judge` outlives it. Errors: unreadable, or a line that is not a verdict
  /// (a torn last line is dropped).
  static Result<std::unique_ptr<VerdictJournal>> open(const std::string& path, Judge& judge);

  Evidence judge(const Submission& submission) override;
  std::vector<Evidence> judge_all(std::span<const Submission> submissions) override;
  [[nodiscard]] int concurrency() const override { return judge_.concurrency(); }
  [[nodiscard]] IsolationReport isolation() const override { return judge_.isolation(); }

  /// The first error of writing, if any: a full disk must stop the run, since its verdicts would be lost.
  [[nodiscard]] Result<void> status() const;

 private:
  explicit VerdictJournal(Judge& judge) : judge_(judge) {}
  [[nodiscard]] std::optional<Evidence> find(const std::string& key) const;
  void store(const std::string& key, const Evidence& evidence);

  Judge& judge_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Evidence> known_;
  std::optional<JsonJournal> journal_;
};

}  // namespace plumb
