#pragma once
// What could not be scored is written down before it is used (faults.jsonl in the run folder), as verdicts are: a step
// that is done again leaves out what it left out, though the judge or the custom reward would now have an answer. A
// fault is that of one completion of one visit: whenever the same text comes again, it is asked about again.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/json_journal.h"
#include "reward/rules/scoring_fault.h"

namespace plumb {

/// One completion of a run. `visit` says which of its rollouts: "train", where prompt and draw tell all apart, or one
/// evaluation of certain weights.
struct FaultPlace {
  std::string visit;
  std::string prompt_id;
  std::int64_t draw = 0;
  std::size_t sample = 0;
  std::string text = {};  // so that what is sampled otherwise after a resume (asynchronous schedules) is another one
};

/// Thread-safe.
class FaultJournal {
 public:
  /// Opens or makes the journal at `path`. Errors: those of JsonJournal.
  static Result<std::unique_ptr<FaultJournal>> open(const std::string& path);

  [[nodiscard]] std::optional<ScoringFault> find(const FaultPlace& place) const;
  void add(const FaultPlace& place, const ScoringFault& fault);

  /// Those of a visit's completions.
  [[nodiscard]] KnownFaults of(const std::string& visit) const;
  void add_all(const std::string& visit, std::span<const ScoredGroup> groups, bool audited);

  [[nodiscard]] JsonJournal& file() const { return *journal_; }

 private:
  explicit FaultJournal(std::unique_ptr<JsonJournal> journal) : journal_(std::move(journal)) {}

  std::unique_ptr<JsonJournal> journal_;
};

}  // namespace plumb
