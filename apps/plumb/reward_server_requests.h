#pragma once
// The JSON of the reward server: what may be asked, and how a score is written.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/records.h"
#include "core/result.h"

namespace plumb {

inline constexpr const char* kStopping = "the server is stopping; ask another one, or again later";

/// One thing to score: a task row of any shape that plumb reads, and a completion of it.
struct ScoreItem {
  nlohmann::json id;  // null where none was given
  std::shared_ptr<const PromptRecord> prompt;
  std::string completion;
  std::string question;  // what the score depends on, as one text: a key for remembered scores
};

/// Reads {"row": {...}, "completion": text, "language"?, "id"?} or verl's {"data_source", "solution_str",
/// "ground_truth", "extra_info"?, "id"?}. Errors name the key.
Result<ScoreItem> read_score_item(const nlohmann::json& json);

/// A request's items; errors of single items stand in their place.
struct ScoreRequest {
  bool batch = false;  // {"items": [...]}, else one item
  std::vector<Result<ScoreItem>> items;
};

/// Errors: not JSON, more than `limit` items.
Result<ScoreRequest> read_score_request(const std::string& body, std::size_t limit);

/// {"total", "parts": [{"name", "value", "weight", "kind", "reasons"}], "solved", "verdict"?, "diagnostics"?}; an
/// unscored one has "unscored": {"fault"} and a total of null, so that nobody takes it for 0.
nlohmann::json score_to_json(const Score& score);

/// Whether a program has to run for its score.
bool needs_judge(const ScoreItem& item);

/// On one line; bytes that are no UTF-8 are replaced.
std::string text_of(const nlohmann::json& json);

/// {"error": sentence} on one line.
std::string error_text(const std::string& sentence);

}  // namespace plumb
