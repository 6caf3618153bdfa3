#include "apps/plumb/custom_score_journal.h"

#include <utility>

#include "core/escape.h"

namespace plumb {
namespace {

Result<CustomScore> score_of(const nlohmann::json& json) {
  PLUMB_ASSIGN(std::string reason, bytes_from_json(json.at("reason")));
  return CustomScore{.value = json.at("value").get<double>(), .reason = std::move(reason)};
}

}  // namespace

Result<std::unique_ptr<CustomScoreJournal>> CustomScoreJournal::open(const std::string& path) {
  JournalKind kind{
      "score", "then the scores that it holds are lost, and what the custom reward says today may be something else",
      [](const nlohmann::json& json) -> Result<void> {
        PLUMB_TRY(score_of(json));
        return {};
      }};
  PLUMB_ASSIGN(auto journal, JsonJournal::open(path, std::move(kind)));
  return std::unique_ptr<CustomScoreJournal>(new CustomScoreJournal(std::move(journal)));
}

std::optional<CustomScore> CustomScoreJournal::find(const std::string& key) const {
  const auto json = journal_->find(key);
  if (!json) {
    return std::nullopt;
  }
  auto score = score_of(*json);
  return score ? std::optional<CustomScore>(std::move(*score)) : std::nullopt;
}

void CustomScoreJournal::store(const std::string& key, const CustomScore& score) {
  journal_->add(key, {{"value", score.value}, {"reason", json_safe(score.reason)}});
}

}  // namespace plumb
