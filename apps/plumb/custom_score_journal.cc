#include "apps/plumb/custom_score_journal.h"

#include <utility>

#include "core/escape.h"

namespace plumb {

Result<std::unique_ptr<CustomScoreJournal>> CustomScoreJournal::open(const std::string& path) {
  std::unique_ptr<CustomScoreJournal> journal(new CustomScoreJournal());
  PLUMB_ASSIGN(journal->journal_,
               JsonJournal::open(path, "score", [&](const std::string& key, const auto& json) -> Result<void> {
                 PLUMB_ASSIGN(std::string reason, bytes_from_json(json.at("reason")));
                 journal->known_[key] = {.value = json.at("value").template get<double>(), .reason = std::move(reason)};
                 return Result<void>();
               }));
  return journal;
}

std::optional<CustomScore> CustomScoreJournal::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(key);
  return found == known_.end() ? std::nullopt : std::optional<CustomScore>(found->second);
}

void CustomScoreJournal::store(const std::string& key, const CustomScore& score) {
  const std::lock_guard lock(mutex_);
  if (known_.emplace(key, score).second) {
    journal_->add(key, {{"value", score.value}, {"reason", json_safe(score.reason)}});
  }
}

Result<void> CustomScoreJournal::status() const {
  const std::lock_guard lock(mutex_);
  return journal_->status();
}

}  // namespace plumb
