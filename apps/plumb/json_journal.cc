#include "apps/plumb/json_journal.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>

namespace plumb {
namespace {

Result<void> read_line(const std::string& line, const std::string& name, const JsonJournal::Visit& visit) {
  try {
    const nlohmann::json json = nlohmann::json::parse(line);
    return visit(json.at("key").get<std::string>(), json.at(name));
  } catch (const nlohmann::json::exception& error) {
    return Error{error.what()};
  }
}

}  // namespace

Result<JsonJournal> JsonJournal::open(const std::string& path, const std::string& name, const Visit& visit) {
  std::uint64_t whole_bytes = 0;
  if (std::filesystem::exists(path)) {
    PLUMB_ASSIGN(const std::string text, read_file(path));
    int line_number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      if (end == std::string::npos) {
        break;  // torn by a kill: dropped, found out again
      }
      ++line_number;
      if (const auto read = read_line(text.substr(begin, end - begin), name, visit); !read) {
        return Error{fmt::format("{}:{}: not an entry of {} ({}); remove the file to begin it again", path, line_number,
                                 name, read.error().message)};
      }
      begin = end + 1;
      whole_bytes = begin;
    }
  }
  PLUMB_ASSIGN(AppendFile file, AppendFile::open(path, whole_bytes));
  return JsonJournal(name, std::move(file));
}

void JsonJournal::add(const std::string& key, const nlohmann::json& value) {
  if (status_.ok()) {
    status_ = file_.append(nlohmann::json{{"key", key}, {name_, value}}.dump());
  }
}

}  // namespace plumb
