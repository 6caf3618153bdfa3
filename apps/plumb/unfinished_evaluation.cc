#include "apps/plumb/unfinished_evaluation.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNote = "unfinished-evaluation.json";
constexpr const char* kLogs[] = {"metrics.jsonl", "timings.jsonl", "samples.jsonl"};

Result<void> cut(const fs::path& log, std::uint64_t bytes) {
  std::error_code error;
  if (fs::exists(log, error) && fs::file_size(log, error) > bytes) {
    fs::resize_file(log, bytes, error);
  }
  return error ? Result<void>(Error{log.string() +
                                    ": cannot be cut to what was there before an evaluation that did "
                                    "not end: " +
                                    error.message()})
               : Result<void>();
}

}  // namespace

Result<void> begin_evaluation(const std::string& run_dir, const Evaluation& evaluation) {
  nlohmann::json note{{"file", evaluation_file_name(evaluation)}};
  for (const char* log : kLogs) {
    std::error_code error;
    const auto bytes = fs::file_size(fs::path(run_dir) / log, error);
    note["bytes"][log] = error ? 0 : bytes;
  }
  return write_file_atomic((fs::path(run_dir) / kNote).string(), note.dump(1) + "\n");
}

void finish_evaluation(const std::string& run_dir) {
  std::error_code ignored;  // with the evaluation's file there it says nothing any more
  fs::remove(fs::path(run_dir) / kNote, ignored);
}

Result<void> drop_unfinished_evaluation(const std::string& run_dir) {
  const fs::path path = fs::path(run_dir) / kNote;
  if (!fs::exists(path)) {
    return {};
  }
  PLUMB_ASSIGN(const std::string text, read_file(path.string()));
  const auto note = nlohmann::json::parse(text, nullptr, false);
  try {
    if (!fs::exists(fs::path(run_dir) / "evals" / note.at("file").get<std::string>())) {
      for (const char* log : kLogs) {
        PLUMB_TRY(cut(fs::path(run_dir) / log, note.at("bytes").at(log).get<std::uint64_t>()));
      }
    }
  } catch (const nlohmann::json::exception& error) {
    return Error{
        fmt::format("{}: expected the name of an evaluation and lengths of logs, found: {}; put it back from a "
                    "copy, or remove it to have the evaluation's samples twice",
                    path.string(), error.what())};
  }
  finish_evaluation(run_dir);
  return {};
}

}  // namespace plumb
