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
  int faults = 0;
  if (exists) {
    PLUMB_ASSIGN(const std::string text, read_file(path));
    for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const nlohmann::json row = nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false);
      if (!row.is_object() || !row.contains("id") || !row["id"].is_string()) {
        return Error{path + ": is no output of this command: expected lines of objects with an \"id\""};
      }
      done.insert(row["id"].get<std::string>());
      faults += row.contains("fault") ? 1 : 0;
      keep = end + 1;
    }
  }
  PLUMB_ASSIGN(AppendFile file, AppendFile::open(path, keep));
  JsonRowWriter writer(std::move(file), path);
  writer.done_ = std::move(done);
  writer.num_faults_ = faults;
  return writer;
}

Result<void> JsonRowWriter::write(const nlohmann::json& row) {
  num_faults_ += row.contains("fault") ? 1 : 0;
  return file_.append(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
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
  return file_.sync();
}

}  // namespace plumb
