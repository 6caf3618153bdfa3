#include "datasets/task_file.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "datasets/any_row.h"
#include "datasets/row.h"

namespace plumb {

namespace {

using nlohmann::json;
using AuditTable = std::unordered_map<std::string, json>;

constexpr const char* kAuditFile = "audit.jsonl";

/// The audit cases by task id from the file beside `file`; empty where there is none.
Result<AuditTable> read_audit_file(const std::filesystem::path& file) {
  const std::filesystem::path path = file.parent_path() / kAuditFile;
  AuditTable table;
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    return table;
  }
  PLUMB_TRY(for_each_row(path, [&](Row row) -> Result<void> {
    PLUMB_ASSIGN(std::string id, required_text(row, "id"));
    if (!row.has("audit")) {
      return row.refuse("audit", "this key is missing; expected a list of cases");
    }
    table[std::move(id)] = std::move(row.json["audit"]);
    return {};
  }));
  return table;
}

const json* audit_of(const Row& row, const AuditTable& audits) {
  const auto id = row.json.find("id");
  const auto audit = id != row.json.end() && id->is_string() ? audits.find(id->get<std::string>()) : audits.end();
  return audit == audits.end() ? nullptr : &audit->second;
}

bool is_wanted(const PromptRecord& prompt, const TaskFileOptions& options) {
  const bool split = options.splits.empty() ||
                     std::find(options.splits.begin(), options.splits.end(), prompt.split) != options.splits.end();
  const bool language =
      prompt.domain != Domain::kCode || options.languages.empty() ||
      std::find(options.languages.begin(), options.languages.end(), prompt.language) != options.languages.end();
  return split && language;
}

std::string fenced(const std::string& source, Language language) {
  const char* newline = source.ends_with('\n') ? "" : "\n";
  return "```" + std::string(to_string(language)) + "\n" + source + newline + "```";
}

}  // namespace

Result<std::vector<PromptRecord>> load_prompts(const std::filesystem::path& file, const TaskFileOptions& options) {
  PLUMB_ASSIGN(const AuditTable audits, read_audit_file(file));
  std::vector<PromptRecord> prompts;
  std::map<std::string, std::string> places;
  bool any_row = false;
  const auto read = [&](Row row) -> Result<void> {
    any_row = true;
    PLUMB_ASSIGN(std::vector<PromptRecord> found, read_any_row(row, options.languages, audit_of(row, audits)));
    for (PromptRecord& prompt : found) {
      const auto [first, is_new] = places.emplace(prompt.id, row.place);
      if (!is_new) {
        return row.refuse("id", "\"" + prompt.id + "\" was used before, at " + first->second);
      }
      if (is_wanted(prompt, options)) {
        prompts.push_back(std::move(prompt));
      }
    }
    return {};
  };
  PLUMB_TRY(for_each_row(file, read, options.name));
  if (!any_row) {
    return Error{file.string() + ": holds no row; expected JSON Lines, one task a line"};
  }
  if (prompts.empty()) {
    return Error{file.string() + ": holds no task of the splits and languages asked for"};
  }
  return prompts;
}

std::vector<SftRecord> demonstrations(std::span<const PromptRecord> prompts) {
  std::vector<SftRecord> records;
  for (const PromptRecord& prompt : prompts) {
    if (prompt.reference.empty()) {
      continue;
    }
    const bool code = prompt.domain == Domain::kCode;
    records.push_back({prompt.id, prompt.data_source, prompt.messages,
                       code ? fenced(prompt.reference, prompt.language) : prompt.reference, prompt.trains_every_turn});
  }
  return records;
}

}  // namespace plumb
