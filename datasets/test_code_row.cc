#include "datasets/test_code_row.h"

#include "datasets/other_rows.h"

namespace plumb {

namespace {

using nlohmann::json;

/// The texts at `key`, one a line; "" where it is absent. A text stands for itself.
Result<std::string> lines_at(const Row& row, const char* key) {
  const auto found = row.json.find(key);
  if (found == row.json.end() || found->is_null()) {
    return std::string();
  }
  if (found->is_string()) {
    return found->get<std::string>();
  }
  std::string text;
  for (const json& line : found->is_array() ? *found : json::array({nullptr})) {
    if (!line.is_string()) {
      return row.refuse(key, "expected a text or a list of texts, found " + describe(*found));
    }
    text += line.get<std::string>() + "\n";
  }
  return text;
}

/// A row's id, or "<data set>/<task_id>" where it has a task_id.
Result<std::string> id_of(const Row& row, const std::string& fallback) {
  PLUMB_ASSIGN(const std::string task, optional_text_or_number(row, "task_id"));
  return optional_text(row, "id", task.empty() ? row.default_id() : fallback + task);
}

Message answered_by_code(const std::string& task) {
  return {"user", task + "\nAnswer with one code block."};
}

Result<void> read_mbpp(const Row& row, PromptRecord& prompt) {
  PLUMB_ASSIGN(prompt.id, id_of(row, "mbpp/"));
  PLUMB_ASSIGN(const std::string task, required_text(row, row.has("text") ? "text" : "prompt"));
  PLUMB_ASSIGN(prompt.reference, optional_text(row, "code", ""));
  PLUMB_ASSIGN(const std::string imports, lines_at(row, "test_imports"));
  PLUMB_ASSIGN(const std::string setup, lines_at(row, "test_setup_code"));
  PLUMB_ASSIGN(const std::string tests, lines_at(row, "test_list"));
  prompt.test_code.helpers = imports + setup;
  prompt.test_code.code = tests;
  prompt.messages = {answered_by_code(task + "\nYour code must pass tests like this one:\n```python\n" +
                                      tests.substr(0, tests.find('\n')) + "\n```")};
  return {};
}

Result<void> read_humaneval(const Row& row, PromptRecord& prompt) {
  PLUMB_ASSIGN(prompt.id, id_of(row, ""));
  PLUMB_ASSIGN(const std::string begin, required_text(row, "prompt"));
  PLUMB_ASSIGN(const std::string entry_point, required_text(row, "entry_point"));
  PLUMB_ASSIGN(const std::string test, required_text(row, "test"));
  PLUMB_ASSIGN(const std::string solution, optional_text(row, "canonical_solution", ""));
  prompt.reference = solution.empty() ? "" : begin + solution;
  prompt.test_code = {test + "\n\ncheck(" + entry_point + ")\n", begin, {entry_point}};
  prompt.messages = {answered_by_code("Complete this Python function.\n```python\n" + begin + "```")};
  return {};
}

Result<void> read_plain(const Row& row, PromptRecord& prompt) {
  PLUMB_ASSIGN(prompt.id, id_of(row, ""));
  PLUMB_ASSIGN(prompt.messages, read_messages(row, "prompt"));
  PLUMB_ASSIGN(prompt.reference, optional_text(row, "reference", ""));
  PLUMB_ASSIGN(prompt.test_code.helpers, optional_text(row, "helpers", ""));
  PLUMB_ASSIGN(prompt.test_code.code, lines_at(row, "test_code"));
  const json names = row.json.value("functions", json::array());
  for (const json& name : names.is_array() ? names : json::array({nullptr})) {
    if (!name.is_string()) {
      return row.refuse("functions", "expected a list of names, found " + describe(names));
    }
    prompt.test_code.functions.push_back(name.get<std::string>());
  }
  return {};
}

}  // namespace

bool has_test_code(const Row& row) {
  return row.has("test_code") || row.has("test_list") || (row.has("test") && row.has("entry_point"));
}

Result<PromptRecord> read_test_code_row(const Row& row) {
  PromptRecord prompt;
  prompt.domain = Domain::kCode;
  prompt.language = Language::kPython;
  const bool mbpp = row.has("test_list");
  const bool plain = row.has("test_code");
  PLUMB_ASSIGN(prompt.split, optional_text(row, "split", "rl"));
  prompt.split = split_name(prompt.split);
  PLUMB_ASSIGN(prompt.data_source, optional_text(row, "data_source", plain ? "user" : mbpp ? "mbpp" : "humaneval"));
  PLUMB_ASSIGN(prompt.license, optional_text(row, "license", "NOASSERTION"));
  PLUMB_TRY(plain ? read_plain(row, prompt) : mbpp ? read_mbpp(row, prompt) : read_humaneval(row, prompt));
  prompt.family = prompt.id;
  if (prompt.test_code.code.find_first_not_of(" \t\r\n") == std::string::npos) {
    return row.refuse(plain ? "test_code" : mbpp ? "test_list" : "test", "expected tests, found none");
  }
  return prompt;
}

}  // namespace plumb
