#include "datasets/row.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "core/typed_value.h"

namespace plumb {

namespace {

constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 30;
constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;
constexpr std::size_t kShownBytes = 40;

/// Bracket depth of a line, texts skipped. Counted before parsing, because copying and comparing JSON values recurse.
int nesting(std::string_view line) {
  int depth = 0;
  int deepest = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      i += c == '\\' ? 1 : 0;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return deepest;
}

/// Whether a number may be an integer beyond 64 bits, which a double would round.
bool has_long_number(std::string_view text) {
  constexpr int kSafeDigits = 18;
  int digits = 0;
  for (const char c : text) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    if (digits > kSafeDigits) {
      return true;
    }
  }
  return false;
}

bool is_blank(const std::string& line) {
  return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

Error Row::refuse(const std::string& key, const std::string& problem) const {
  return Error{place + ": \"" + key + "\": " + problem};
}

std::string describe(const nlohmann::json& value) {
  std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kShownBytes) {
    text = text.substr(0, kShownBytes) + "...";
  }
  return value.is_null() ? text : std::string(value.type_name()) + " " + text;
}

std::string number_text(const nlohmann::json& value) {
  if (value.is_number()) {
    return value.dump();
  }
  const bool large = value.is_object() && value.size() == 1 && value.contains("__int__");
  return large && value["__int__"].is_string() ? value["__int__"].get<std::string>() : "";
}

Result<std::string> optional_text_or_number(const Row& row, const char* key) {
  const auto found = row.json.find(key);
  if (found != row.json.end() && !number_text(*found).empty()) {
    return number_text(*found);
  }
  return optional_text(row, key, "");
}

Result<nlohmann::json> parse_json(const std::string& text, const std::string& place) {
  if (nesting(text) > kMaxNesting) {
    return Error{place + ": lists and objects are nested deeper than " + std::to_string(kMaxNesting) + " levels"};
  }
  try {
    if (has_long_number(text)) {
      if (auto exact = parse_exact_json(text); !exact.is_discarded()) {
        return exact;
      }
    }
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return Error{place + ": not valid JSON in UTF-8 at byte " + std::to_string(error.byte)};
  } catch (const nlohmann::json::exception&) {
    return Error{place + ": holds a number beyond the range of a double"};
  }
}

Result<std::string> required_text(const Row& row, const char* key) {
  if (!row.has(key)) {
    return row.refuse(key, "this key is missing; expected a text");
  }
  if (row.json.at(key).is_null()) {
    return row.refuse(key, "expected a text, found null");
  }
  return optional_text(row, key, "");
}

Result<std::string> optional_text(const Row& row, const char* key, const std::string& fallback) {
  const auto found = row.json.find(key);
  if (found == row.json.end() || found->is_null()) {
    return fallback;
  }
  if (!found->is_string()) {
    return row.refuse(key, "expected a text, found " + describe(*found));
  }
  return found->get<std::string>();
}

Result<void> for_each_row(const std::filesystem::path& file, const std::function<Result<void>(Row)>& visit,
                          const std::string& name) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(file, code)) {
    if (!std::filesystem::exists(file, code)) {
      return Error{file.string() + ": no such file; expected JSON Lines, one task a line"};
    }
    const char* found = std::filesystem::is_directory(file, code) ? "a folder; name a file in it"
                                                                  : "a pipe or a device; write its rows to a file";
    return Error{file.string() + ": expected a file of JSON Lines, one task a line; found " + found};
  }
  const std::uintmax_t bytes = std::filesystem::file_size(file, code);
  if (code || bytes > kMaxFileBytes) {
    return Error{file.string() + ": task files of more than 1 GiB are not read; split it"};
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return Error{file.string() + ": cannot be opened: " + std::strerror(errno)};
  }
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (is_blank(line)) {
      continue;
    }
    const std::string line_number = ":" + std::to_string(number);
    const std::string place = file.string() + line_number;
    if (line.size() > kMaxLineBytes) {
      return Error{place + ": the line has " + std::to_string(line.size()) + " bytes; at most 16 MiB are read"};
    }
    PLUMB_ASSIGN(nlohmann::json json, parse_json(line, place));
    if (!json.is_object()) {
      return Error{place + ": expected one JSON object a line, found " + describe(json)};
    }
    PLUMB_TRY(visit(Row{place, std::move(json), (name.empty() ? file.filename().string() : name) + line_number}));
  }
  if (stream.bad()) {
    return Error{file.string() + ": reading failed: " + std::strerror(errno)};
  }
  return {};
}

}  // namespace plumb
