#include "datasets/any_row.h"

#include <algorithm>

#include "datasets/function_row.h"
#include "datasets/other_rows.h"
#include "datasets/test_code_row.h"

namespace plumb {

namespace {

Result<std::vector<PromptRecord>> one(Result<PromptRecord> prompt) {
  if (!prompt) {
    return prompt.error();
  }
  return std::vector<PromptRecord>{std::move(prompt).value()};
}

Result<std::vector<PromptRecord>> read_by_shape(const Row& row, std::span<const Language> languages,
                                                const nlohmann::json* audit) {
  if (row.has("function")) {
    return read_function_row(row, languages, audit);
  }
  if (has_test_code(row)) {
    return one(read_test_code_row(row));
  }
  if (row.has("reward_model")) {
    return one(read_verl_row(row));
  }
  if (row.has("question") && row.has("answer")) {
    return one(read_math_row(row));
  }
  if (row.has("prompt") || row.has("messages")) {
    return one(read_trl_row(row));
  }
  if (row.has("text")) {
    return one(read_text_row(row));
  }
  return Error{row.place +
               ": no known row shape; expected \"function\" (plumb), \"question\" and \"answer\" (maths), " +
               "\"test_code\", \"test_list\" or \"test\" (tests that are code), " +
               "\"reward_model\" (verl), \"prompt\" or \"messages\" (TRL), or \"text\" (plain text)"};
}

// Of code alone: what else a row of a text or of mathematics calls "forbidden" is its own business.
Result<void> read_forbidden_names(const Row& row, std::vector<PromptRecord>& prompts) {
  constexpr const char* kKey = "forbidden";
  const auto names = row.json.find(kKey);
  const bool is_code = !prompts.empty() && prompts.front().domain == Domain::kCode;
  if (!is_code || names == row.json.end() || names->is_null()) {
    return {};
  }
  const auto is_name = [](const nlohmann::json& one) { return one.is_string() && one != ""; };
  if (!names->is_array() || !std::all_of(names->begin(), names->end(), is_name)) {
    return row.refuse(kKey, "expected a list of names such as \"os.system\", found " + describe(*names));
  }
  for (PromptRecord& prompt : prompts) {
    prompt.forbidden_names = names->get<std::vector<std::string>>();
  }
  return {};
}

}  // namespace

Result<std::vector<PromptRecord>> read_any_row(const Row& row, std::span<const Language> languages,
                                               const nlohmann::json* audit) {
  PLUMB_ASSIGN(std::vector<PromptRecord> prompts, read_by_shape(row, languages, audit));
  PLUMB_TRY(read_forbidden_names(row, prompts));
  if (row.has("extra_info")) {
    for (PromptRecord& prompt : prompts) {
      prompt.extra_info = row.json["extra_info"];
    }
  }
  return prompts;
}

}  // namespace plumb
