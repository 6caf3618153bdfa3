#include "apps/plumb/json_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
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

std::string held_path(const std::string& path) {
  return path + ".held";
}

bool holds_something(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) && std::filesystem::file_size(path, ignored) > 0;
}

struct OutputLine {
  std::string id;
  std::string text;
  bool fault = false;
};

// The whole lines of an output; none where the file is absent.
Result<std::vector<OutputLine>> read_output(const std::string& path) {
  std::vector<OutputLine> lines;
  if (!holds_something(path)) {
    return lines;
  }
  PLUMB_ASSIGN(const std::string text, read_file(path));
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    std::string line = text.substr(begin, end - begin);
    const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object() || !row.contains("id") || !row["id"].is_string()) {
      return Error{path + ": is no output of this command: expected lines of objects with an \"id\""};
    }
    lines.push_back({row["id"].get<std::string>(), std::move(line), row.contains("fault")});
  }
  return lines;
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

struct JsonRowWriter::Earlier {
  std::uint64_t keep = 0;         // bytes of the file, up to the first row to be answered again
  std::vector<std::string> next;  // lines that are missing in the file and stand before any such row
  std::deque<HeldBack> held_back;
  std::set<std::string> held_ids;
  std::set<std::string> done;
};

// The lines of the file and behind them those of the held ones that it lacks.
Result<JsonRowWriter::Earlier> JsonRowWriter::read_earlier(const std::string& path) {
  PLUMB_ASSIGN(std::vector<OutputLine> lines, read_output(path));
  PLUMB_ASSIGN(std::vector<OutputLine> held, read_output(held_path(path)));
  const std::size_t num_in_file = lines.size();
  std::set<std::string> in_file;
  for (const OutputLine& line : lines) {
    in_file.insert(line.id);
  }
  std::copy_if(std::make_move_iterator(held.begin()), std::make_move_iterator(held.end()), std::back_inserter(lines),
               [&](const OutputLine& line) { return !in_file.contains(line.id); });
  Earlier earlier;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    OutputLine& line = lines[i];
    if (line.fault) {
      if (earlier.held_ids.insert(line.id).second) {
        earlier.held_back.push_back({line.id, std::move(line.text), {}});
      }
      continue;
    }
    earlier.done.insert(line.id);
    if (!earlier.held_back.empty()) {
      earlier.held_back.back().following.push_back(std::move(line.text));
    } else if (i < num_in_file) {
      earlier.keep += line.text.size() + 1;
    } else {
      earlier.next.push_back(std::move(line.text));
    }
  }
  return earlier;
}

Result<JsonRowWriter> JsonRowWriter::open(const std::string& path, bool resume) {
  for (const std::string& one : {path, held_path(path)}) {
    if (!resume && holds_something(one)) {
      return Error{one + ": exists already; --resume goes on with it, or choose another --out"};
    }
  }
  PLUMB_ASSIGN(Earlier earlier, read_earlier(path));
  std::string missing;
  const auto hold = [&](const std::string& line) { missing.append(line).append("\n"); };
  std::ranges::for_each(earlier.next, hold);
  for (const HeldBack& one : earlier.held_back) {
    hold(one.line);
    std::ranges::for_each(one.following, hold);
  }
  if (!missing.empty()) {
    PLUMB_TRY(write_file_atomic(held_path(path), missing));  // before the file is cut
  }
  PLUMB_ASSIGN(AppendFile file, AppendFile::open(path, earlier.keep));
  for (const std::string& line : earlier.next) {
    PLUMB_TRY(file.append(line));
  }
  JsonRowWriter writer(std::move(file), path);
  writer.done_ = std::move(earlier.done);
  writer.held_back_ = std::move(earlier.held_back);
  writer.held_ids_ = std::move(earlier.held_ids);
  return writer;
}

JsonRowWriter::~JsonRowWriter() {
  if (!held_back_.empty()) {
    static_cast<void>(put_back_all());  // an error came before, and is the one that is told
  }
}

Result<void> JsonRowWriter::append_following() {
  HeldBack& first = held_back_.front();
  first.line.clear();
  for (; !first.following.empty(); first.following.pop_front()) {
    PLUMB_TRY(file_.append(first.following.front()));
  }
  held_ids_.erase(first.id);
  held_back_.pop_front();
  return {};
}

Result<void> JsonRowWriter::put_back_first() {
  if (const std::string& line = held_back_.front().line; !line.empty()) {
    PLUMB_TRY(file_.append(line));
    ++num_faults_;
  }
  return append_following();
}

// What this run did not come to stays as it was. The held file goes when nothing of it is missing on the disk.
Result<void> JsonRowWriter::put_back_all() {
  while (!held_back_.empty()) {
    PLUMB_TRY(put_back_first());
  }
  PLUMB_TRY(file_.sync());
  std::error_code ignored;  // what is in the file, too, is no harm
  std::filesystem::remove(held_path(path_), ignored);
  return {};
}

Result<void> JsonRowWriter::write(const nlohmann::json& row) {
  const auto& id = row.at("id").get_ref<const std::string&>();
  const bool again = held_ids_.contains(id);
  while (again && held_back_.front().id != id) {
    PLUMB_TRY(put_back_first());
  }
  num_faults_ += row.contains("fault") ? 1 : 0;
  PLUMB_TRY(file_.append(row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
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
  return put_back_all();
}

}  // namespace plumb
