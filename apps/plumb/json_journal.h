#pragma once
// A file of JSON Lines {"key": ..., <name>: ...} that is only ever added to: what a run has found out and must not find
// out differently when it is resumed or replayed.

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/atomic_file.h"
#include "core/result.h"

namespace plumb {

class JsonJournal {
 public:
  using Visit = std::function<Result<void>(const std::string& key, const nlohmann::json& value)>;

  /// Opens or makes the journal at `path` and calls `visit` for each whole line; a last line that a kill has torn is
  /// cut off. Errors: unreadable, or a line that is no entry or is refused by `visit`; file and line are named.
  static Result<JsonJournal> open(const std::string& path, const std::string& name, const Visit& visit);

  /// Hands the line to the kernel. The first error stays in status().
  void add(const std::string& key, const nlohmann::json& value);
  [[nodiscard]] const Result<void>& status() const { return status_; }

 private:
  JsonJournal(std::string name, AppendFile file) : name_(std::move(name)), file_(std::move(file)) {}

  std::string name_;
  AppendFile file_;
  Result<void> status_;
};

}  // namespace plumb
