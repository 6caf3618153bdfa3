#include "datasets/other_rows.h"

namespace plumb {

namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  return begin == std::string::npos ? std::string() : text.substr(begin, end - begin + 1);
}

/// The text between the brace at `open` and its partner; nothing where that is missing.
std::optional<std::string> braced(const std::string& text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    depth += text[i] == '{' ? 1 : 0;
    depth -= text[i] == '}' ? 1 : 0;
    if (depth == 0) {
      return text.substr(open + 1, i - open - 1);
    }
  }
  return std::nullopt;
}

Result<std::string> answer_text(const Row& row) {
  PLUMB_ASSIGN(const std::string text, optional_text_or_number(row, "answer"));
  const std::string found = trimmed(final_answer(text).value_or(text));
  return found.empty() ? Result<std::string>(row.refuse("answer", "expected an answer, found an empty text")) : found;
}

}  // namespace

std::optional<std::string> final_answer(const std::string& solution) {
  constexpr std::string_view kBoxed = "\\boxed{";
  constexpr std::string_view kHashes = "####";
  if (const std::size_t boxed = solution.rfind(kBoxed); boxed != std::string::npos) {
    return braced(solution, boxed + kBoxed.size() - 1);
  }
  if (const std::size_t hashes = solution.rfind(kHashes); hashes != std::string::npos) {
    return trimmed(solution.substr(hashes + kHashes.size()));
  }
  return std::nullopt;
}

std::string split_name(const std::string& name) {
  if (name == "train") {
    return "rl";
  }
  return name == "val" || name == "valid" || name == "validation" ? "dev" : name;
}

Result<PromptRecord> read_math_row(const Row& row) {
  PromptRecord prompt;
  prompt.domain = Domain::kMath;
  PLUMB_ASSIGN(prompt.id, optional_text(row, "id", row.default_id()));
  PLUMB_ASSIGN(prompt.family, optional_text(row, "template", prompt.id));
  PLUMB_ASSIGN(prompt.split, optional_text(row, "split", "rl"));
  PLUMB_ASSIGN(prompt.data_source, optional_text(row, "data_source", "user"));
  PLUMB_ASSIGN(prompt.license, optional_text(row, "license", "NOASSERTION"));
  PLUMB_ASSIGN(const std::string question, required_text(row, "question"));
  PLUMB_ASSIGN(prompt.answer, answer_text(row));
  PLUMB_ASSIGN(prompt.reference, optional_text(row, "worked", ""));
  prompt.split = split_name(prompt.split);
  prompt.messages = {{"user", question + "\nPut the final answer in \\boxed{}."}};
  return prompt;
}

}  // namespace plumb
