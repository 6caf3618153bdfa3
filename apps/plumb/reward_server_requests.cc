#include "apps/plumb/reward_server_requests.h"

#include <utility>

#include "core/escape.h"
#include "datasets/any_row.h"
#include "reward/rules/code_block.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

const char* kind_name(PartKind kind) {
  switch (kind) {
    case PartKind::kVerdict:
      return "verdict";
    case PartKind::kShaping:
      return "shaping";
    case PartKind::kModel:
      return "model";
    default:
      return "penalty";
  }
}

// verl's arguments of compute_score as the row they came from.
nlohmann::json verl_row(const nlohmann::json& json) {
  nlohmann::json row = {{"prompt", {{{"role", "user"}, {"content", "as in the data set"}}}},
                        {"reward_model", {{"ground_truth", json.value("ground_truth", nlohmann::json())}}}};
  for (const char* key : {"data_source", "extra_info"}) {
    if (json.contains(key) && !json[key].is_null()) {
      row[key] = json[key];
    }
  }
  return row;
}

Result<PromptRecord> read_prompt(const nlohmann::json& row_json, const std::string& language) {
  PLUMB_ASSIGN(std::vector<PromptRecord> prompts, read_any_row({"row", row_json}, {}, nullptr));
  for (PromptRecord& prompt : prompts) {
    if (prompt.messages.empty()) {
      return Error{"row: \"text\": expected a task, found plain text, which nothing can be scored by"};
    }
    if (language.empty() ? prompts.size() == 1 : language == to_string(prompt.language)) {
      return std::move(prompt);
    }
  }
  return Error{language.empty() ? "language: the row has several; say python or cpp"
                                : "language: the row has no task in '" + language + "'"};
}

}  // namespace

Result<ScoreItem> read_score_item(const nlohmann::json& json) {
  if (!json.is_object()) {
    return Error{"an item must be an object"};
  }
  const bool flat = json.contains("solution_str");
  const char* text_key = flat ? "solution_str" : "completion";
  if (!json.contains(text_key)) {
    return Error{"expected completion (with row) or solution_str (with ground_truth)"};
  }
  ScoreItem item;
  item.id = json.value("id", nlohmann::json());
  auto completion = bytes_from_json(json[text_key]);
  if (!completion) {
    return completion.error().with_context(text_key);
  }
  item.completion = std::move(*completion);
  const nlohmann::json row = flat ? verl_row(json) : json.value("row", nlohmann::json());
  const nlohmann::json language = json.value("language", nlohmann::json(""));
  if (!row.is_object() || !language.is_string()) {
    return Error{"expected row as an object, and language as a text"};
  }
  PLUMB_ASSIGN(PromptRecord prompt, read_prompt(row, language.get<std::string>()));
  item.prompt = std::make_shared<const PromptRecord>(std::move(prompt));
  item.question = row.dump() + "\n" + language.dump() + "\n" + item.completion;
  return item;
}

Result<ScoreRequest> read_score_request(const std::string& body, std::size_t limit) {
  PLUMB_ASSIGN(const nlohmann::json json, parse_json(body, "body"));
  ScoreRequest request;
  request.batch = json.is_object() && json.contains("items");
  if (!request.batch) {
    request.items.push_back(read_score_item(json));
    return request;
  }
  if (!json["items"].is_array() || json["items"].size() > limit) {
    return Error{"items: expected a list of at most " + std::to_string(limit)};
  }
  for (const nlohmann::json& item : json["items"]) {
    request.items.push_back(read_score_item(item));
  }
  return request;
}

bool needs_judge(const ScoreItem& item) {
  return item.prompt->domain == Domain::kCode && first_code_block(item.completion);
}

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string error_text(const std::string& sentence) {
  return text_of({{"error", sentence}});
}

nlohmann::json score_to_json(const Score& score) {
  nlohmann::json json = {{"parts", nlohmann::json::array()}, {"solved", is_solved(score)}, {"total", score.total}};
  for (const ScorePart& part : score.parts) {
    json["parts"].push_back({{"name", part.name},
                             {"value", part.value},
                             {"weight", part.weight},
                             {"kind", kind_name(part.kind)},
                             {"reasons", {json_safe(part.reason)}}});
  }
  if (score.unscored) {
    json["total"] = nullptr;
    json["unscored"] = {{"fault", json_safe(*score.unscored)}};
  }
  if (score.evidence) {
    json["verdict"] = to_string(score.evidence->verdict);
    json["passed"] = score.evidence->passed;
    json["tests"] = score.evidence->total;
    json["diagnostics"] = nlohmann::json::array();
    for (const Diagnostic& diagnostic : score.evidence->diagnostics) {
      json["diagnostics"].push_back({{"severity", diagnostic.severity},
                                     {"message", json_safe(diagnostic.message)},
                                     {"line", diagnostic.line},
                                     {"column", diagnostic.column}});
    }
  }
  return json;
}

}  // namespace plumb
