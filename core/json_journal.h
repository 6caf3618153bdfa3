#pragma once
// A file of JSON Lines {"key": ..., <name>: ...} that is only ever added to: what a run has found out and must not find
// out differently when it is resumed or replayed. It stays in the file; memory holds where each key's line begins.

#include <cstdint>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/atomic_file.h"
#include "core/key_places.h"
#include "core/result.h"

namespace plumb {

/// What a journal holds.
struct JournalKind {
  std::string name;  // of the value in each line
  std::string loss;  // what whoever removes the file loses, as a sentence
  std::function<Result<void>(const nlohmann::json& value)>
      check;  // whether it is such a value; may throw json's errors
};

/// Thread-safe.
class JsonJournal {
 public:
  /// Opens or makes the journal at `path`, and reads it once, line by line. What comes after its last whole line, torn
  /// by a kill, or by a power loss that left zeros in place of bytes, is cut off; note() says so. Errors: unreadable,
  /// or another line that is no entry; file and line are named, and what removing it would lose.
  static Result<std::unique_ptr<JsonJournal>> open(const std::string& path, JournalKind kind);
  JsonJournal(const JsonJournal&) = delete;
  JsonJournal& operator=(const JsonJournal&) = delete;

  /// What was cut off, for the user; empty: nothing.
  [[nodiscard]] const std::string& note() const { return note_; }

  /// The value of `key`, read from the file. A line that is not there any more is an error of status().
  [[nodiscard]] std::optional<nlohmann::json> find(const std::string& key);
  /// Hands a line to the kernel, unless the key has one. The first error stays in status().
  void add(const std::string& key, const nlohmann::json& value);
  /// Flushes to the disk. Errors: also that of status().
  Result<void> sync();
  [[nodiscard]] Result<void> status() const;

 private:
  JsonJournal(std::string path, JournalKind kind) : path_(std::move(path)), kind_(std::move(kind)) {}
  Result<std::uint64_t> scan();
  [[nodiscard]] Result<nlohmann::json> entry_of(const std::string& line) const;
  std::optional<nlohmann::json> find_locked(const std::string& key);
  void lose(std::uint64_t place);

  std::string path_;
  JournalKind kind_;
  std::string note_;
  mutable std::mutex mutex_;  // of what follows
  KeyPlaces places_;
  std::ifstream reader_;
  std::optional<AppendFile> file_;
  Result<void> status_;
};

}  // namespace plumb
