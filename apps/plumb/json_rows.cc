#include "apps/plumb/json_rows.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "core/escape.h"
#include "core/typed_value.h"

namespace plumb {
namespace {

std::string id_of(const nlohmann::json& row, int line) {
  const auto id = row.find("id");
  if (id != row.end() && id->is_string()) {
    return id->get<std::string>();
  }
  return id != row.end() && id->is_number() ? id->dump() : std::to_string(line);
}

}  // namespace

Result<std::vector<JsonRow>> read_json_rows(const std::string& path, bool exact_integers) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  std::vector<JsonRow> rows;
  std::set<std::string> ids;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    JsonRow row{number, "line:" + std::to_string(number),
                exact_integers ? parse_exact_json(line) : nlohmann::json::parse(line, nullptr, false), ""};
    if (row.json.is_object()) {
      row.id = id_of(row.json, number);
    } else {
      row.error =
          is_utf8(line) ? "expected one JSON object" : "expected one JSON object, found bytes that are not UTF-8";
    }
    if (!ids.insert(row.id).second) {
      row.error = fmt::format("the id \"{}\" is used twice; ids name rows and random numbers and must differ", row.id);
      row.id = "line:" + std::to_string(number);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<JsonRowWriter> JsonRowWriter::open(const std::string& path, bool resume) {
  std::error_code ignored;
  const bool exists = std::filesystem::exists(path, ignored) && std::filesystem::file_size(path, ignored) > 0;
  if (exists && !resume) {
    return Error{path + ": exists already; --resume goes on with it, or choose another --out"};
  }
  std::set<std::string> done;
  std::uint64_t keep = 0;
  std::deque<HeldBack> held_back;
  if (exists) {
    PLUMB_ASSIGN(const std::string text, read_file(path));
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = text.substr(begin, end - begin);
      const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
      if (!row.is_object() || !row.contains("id") || !row["id"].is_string()) {
        return Error{path + ": is no output of this command: expected lines of objects with an \"id\""};
      }
      if (row.contains("fault")) {
        held_back.push_back({row["id"].get<std::string>(), line, {}});
        continue;
      }
      done.insert(row["id"].get<std::string>());
      if (held_back.empty()) {
        keep = end + 1;
      } else {
        held_back.back().following.push_back(line);
      }
    }
  }
  PLUMB_ASSIGN(AppendFile file, AppendFile::open(path, keep));
  JsonRowWriter writer(std::move(file), path);
  writer.done_ = std::move(done);
  writer.held_back_ = std::move(held_back);
  return writer;
}

JsonRowWriter::~JsonRowWriter() {
  if (!held_back_.empty()) {
    static_cast<void>(put_back());  // an error came before, and is the one that is told
  }
}

Result<void> JsonRowWriter::append_following() {
  for (const std::string& line : held_back_.front().following) {
    PLUMB_TRY(file_.append(line));
  }
  held_back_.pop_front();
  return {};
}

// What this run did not come to stays as it was.
Result<void> JsonRowWriter::put_back() {
  while (!held_back_.empty()) {
    ++num_faults_;
    PLUMB_TRY(file_.append(held_back_.front().line));
    PLUMB_TRY(append_following());
  }
  return {};
}

Result<void> JsonRowWriter::write(const nlohmann::json& row) {
  num_faults_ += row.contains("fault") ? 1 : 0;
  PLUMB_TRY(file_.append(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  const bool again = !held_back_.empty() && row.at("id") == held_back_.front().id;
  return again ? append_following() : Result<void>();
}

Result<void> JsonRowWriter::write_error(const JsonRow& row, const std::string& error) {
  ++num_errors_;
  return write({{"id", row.id}, {"line", row.line}, {"error", error}});
}

Result<void> JsonRowWriter::finish() {
  if (num_errors_ > 0) {
    std::fprintf(stderr, "plumb: %d %s an error record in %s\n", num_errors_,
                 num_errors_ == 1 ? "row has" : "rows have", path_.c_str());
  }
  PLUMB_TRY(put_back());
  return file_.sync();
}

}  // namespace plumb
