#pragma once
// One line of a task file with its place, read key by key. Every refusal is a sentence of the form
// `my/tasks.jsonl:7: "tests[0].args": expected a list of 2 arguments, found 3`.

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace plumb {

/// A parsed line. `json` is an object at most kMaxNesting deep.
struct Row {
  std::string place;  // "my/tasks.jsonl:7", the file as it was named
  nlohmann::json json;
  std::string name = {};  // "tasks.jsonl:7"; empty: as `place`

  /// The id of a row that names none.
  [[nodiscard]] const std::string& default_id() const { return name.empty() ? place : name; }
  [[nodiscard]] bool has(const char* key) const { return json.contains(key); }
  /// The sentence that refuses this row because of `key`.
  [[nodiscard]] Error refuse(const std::string& key, const std::string& problem) const;
};

inline constexpr int kMaxNesting = 32;

/// A short description of a value for error messages: its type and, where short, its text.
std::string describe(const nlohmann::json& value);

/// The text at `key`. Errors: absent, null, or not a text.
Result<std::string> required_text(const Row& row, const char* key);

/// The text at `key`, or `fallback` where it is absent or null (a data frame's empty cell). Errors: present but not a
/// text.
Result<std::string> optional_text(const Row& row, const char* key, const std::string& fallback);

/// A number as text, integers of any size (core/typed_value.h's "__int__") exactly; empty for anything else.
std::string number_text(const nlohmann::json& value);

/// The text at `key`, a number as it is written, or "" where the key is absent or null. Errors: present but neither.
Result<std::string> optional_text_or_number(const Row& row, const char* key);

/// The JSON value that `text` is, with integers beyond 64 bits as core/typed_value.h writes them. Errors, each
/// beginning with `place`: not JSON, not UTF-8, nested beyond kMaxNesting.
Result<nlohmann::json> parse_json(const std::string& text, const std::string& place);

/// Calls `visit` for every non-empty line of a JSON Lines file, in order, until it fails. Errors: the file cannot be
/// read or is beyond the size limits; a line is not a JSON object, nested too deep, or refused by `visit`. `name`: what
/// the file is called in default ids; empty: the last part of its path.
Result<void> for_each_row(const std::filesystem::path& file, const std::function<Result<void>(Row)>& visit,
                          const std::string& name = "");

}  // namespace plumb
