#pragma once
// Custom scores are written down before they are used (custom_scores.jsonl in the run folder), as verdicts are: a
// program that answers differently on another day cannot change a run that is resumed or replayed.

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/json_journal.h"
#include "reward/rules/custom/custom_reward.h"

namespace plumb {

/// Thread-safe.
class CustomScoreJournal final : public CustomScoreStore {
 public:
  /// Opens or makes the journal at `path`. Errors: those of JsonJournal.
  static Result<std::unique_ptr<CustomScoreJournal>> open(const std::string& path);

  [[nodiscard]] std::optional<CustomScore> find(const std::string& key) const override;
  void store(const std::string& key, const CustomScore& score) override;
  [[nodiscard]] JsonJournal& file() const { return *journal_; }

 private:
  explicit CustomScoreJournal(std::unique_ptr<JsonJournal> journal) : journal_(std::move(journal)) {}

  std::unique_ptr<JsonJournal> journal_;
};

}  // namespace plumb
