#pragma once
// JSON Lines in and out for the subcommands that answer line by line: a bad line gets an error record with its number,
// the others go on; an output that was cut off is gone on with.

#include <deque>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/result.h"

namespace plumb {

/// A line of the input that is not blank. `json` is an object where `error` is empty.
struct JsonRow {
  int line = 0;    // 1-based
  std::string id;  // of the object (a text or a number), or the line's number; "line:N" where `error` is not empty
  nlohmann::json json;
  std::string error;
};

/// `exact_integers`: those beyond 64 bits are kept as core/typed_value.h writes them, instead of being rounded.
/// Errors: the file cannot be read.
Result<std::vector<JsonRow>> read_json_rows(const std::string& path, bool exact_integers = false);

/// An output of one object a line, each with an "id", in the order of the input.
///
/// On resuming, rows with a "fault" are asked for again, and their new lines take their places. So the file is cut
/// before the first of them; that line and all behind it are held back, and written behind the new lines as these come.
/// Until all of it is back it lies in "<path>.held" too, which is whole before the file is cut: whenever a run is
/// killed, what is missing in the one stands in the other, and the next one with `resume` puts them together.
class JsonRowWriter {
 public:
  /// Errors: `path` or "<path>.held" holds something and `resume` is false; they are no such output; they cannot be
  /// written. On resuming, a torn last line is removed.
  static Result<JsonRowWriter> open(const std::string& path, bool resume);
  ~JsonRowWriter();
  JsonRowWriter(JsonRowWriter&&) noexcept = default;
  JsonRowWriter& operator=(JsonRowWriter&&) noexcept = default;

  /// Whether an earlier run wrote this row, and knew its answer.
  [[nodiscard]] bool has(const std::string& id) const { return done_.contains(id); }
  /// Rows with a fault that stood before this one, and were not written in the meantime, go before it as they were.
  Result<void> write(const nlohmann::json& row);
  /// Rows with a "fault": nothing is known of those.
  [[nodiscard]] int num_faults() const { return num_faults_; }
  /// {"id", "line", "error"}; counted.
  Result<void> write_error(const JsonRow& row, const std::string& error);
  /// Writes what is still held back, flushes to the disk, removes "<path>.held" and says on stderr how many rows had
  /// errors, if any.
  Result<void> finish();

 private:
  explicit JsonRowWriter(AppendFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  // A row to be answered again, and the lines that follow it up to the next such one.
  struct HeldBack {
    std::string id;
    std::string line;  // empty once it, or another in its place, is written
    std::deque<std::string> following;
  };

  struct Earlier;  // what earlier runs left

  static Result<Earlier> read_earlier(const std::string& path);
  Result<void> append_following();
  Result<void> put_back_first();
  Result<void> put_back_all();

  AppendFile file_;
  std::string path_;
  std::deque<HeldBack> held_back_;
  std::set<std::string> held_ids_;  // of those
  std::set<std::string> done_;
  int num_errors_ = 0;
  int num_faults_ = 0;
};

}  // namespace plumb
