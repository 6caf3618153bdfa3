#include "compiler_sandbox/compiler_messages.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace plumb {

namespace {

constexpr std::size_t kMaxMessages = 20;
constexpr std::size_t kMaxBytes = 1000;

// Takes "<digits>:" from the front of `text`; 0 and no change where there is none.
int take_number(std::string_view& text) {
  int number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(result.ptr - text.data());
  if (digits == 0 || result.ec != std::errc() || digits >= text.size() || text[digits] != ':') {
    return 0;
  }
  text.remove_prefix(digits + 1);
  return number;
}

// "text [-Wrule]": the last option of the brackets is the rule.
void take_text(std::string_view text, Diagnostic& diagnostic) {
  const std::size_t open = text.rfind(" [-W");
  if (open != std::string_view::npos && text.ends_with(']')) {
    const std::string_view options = text.substr(open + 2, text.size() - open - 3);
    const std::size_t comma = options.rfind(',');
    diagnostic.flag = options.substr(comma == std::string_view::npos ? 0 : comma + 1, kMaxBytes);
    if (constexpr std::string_view kRaised = "-Werror="; diagnostic.flag.starts_with(kRaised)) {
      diagnostic.flag = "-W" + diagnostic.flag.substr(kRaised.size());  // as gcc says it
    }
    text = text.substr(0, open);
  }
  diagnostic.message = text.substr(0, kMaxBytes);
}

// "file:3:5: " or "file:3: "; what does not begin with a file and a number is no place.
void take_place(std::string_view place, const std::string& source, Diagnostic& diagnostic) {
  const std::size_t colon = place.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > kMaxBytes) {
    return;
  }
  std::string_view numbers = place.substr(colon + 1);
  const int line = take_number(numbers);
  const int column = take_number(numbers);
  diagnostic.file = place.substr(0, colon);
  if (diagnostic.file == source) {
    diagnostic.line = line;
    diagnostic.column = column;
  } else if (line > 0) {
    diagnostic.file += ":" + std::to_string(line);
  } else {
    diagnostic.file.clear();  // a tool's name: "mold: error: ..."
  }
}

std::optional<Diagnostic> message_in(std::string_view line, const std::string& source) {
  constexpr std::array<std::string_view, 4> kWords = {"fatal error: ", "error: ", "warning: ", "note: "};
  for (const std::string_view word : kWords) {
    const std::size_t at = line.find(word);
    if (at == std::string_view::npos) {
      continue;
    }
    Diagnostic diagnostic;
    diagnostic.severity = word == "fatal error: " ? "error" : std::string(word.substr(0, word.size() - 2));
    take_text(line.substr(at + word.size()), diagnostic);
    take_place(line.substr(0, at), source, diagnostic);
    return diagnostic;
  }
  return std::nullopt;
}

}  // namespace

std::vector<Diagnostic> compiler_messages(std::string_view text, const std::string& source) {
  std::vector<Diagnostic> messages;
  bool has_error = false;
  for (std::size_t start = 0; start < text.size() && messages.size() < kMaxMessages;) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (auto message = message_in(text.substr(start, end - start), source)) {
      has_error = has_error || message->severity == "error";
      messages.push_back(std::move(*message));
    }
    start = end + 1;
  }
  if (!has_error) {
    const std::string words(text.substr(0, kMaxBytes));
    messages.insert(messages.begin(), {"error", words.empty() ? "the compiler failed without a word" : words, 0, 0});
  }
  return messages;
}

std::vector<Diagnostic> compiler_warnings(std::string_view text, const std::string& source) {
  std::vector<Diagnostic> warnings;
  for (std::size_t start = 0; start < text.size() && warnings.size() < kMaxMessages;) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    auto message = message_in(text.substr(start, end - start), source);
    if (message && message->severity == "warning" && message->file == source && message->line > 0) {
      warnings.push_back(std::move(*message));
    }
    start = end + 1;
  }
  return warnings;
}

}  // namespace plumb
