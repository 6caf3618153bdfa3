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

std::optional<Diagnostic> message_in(std::string_view line, const std::string& source) {
  constexpr std::array<std::string_view, 4> kWords = {"fatal error: ", "error: ", "warning: ", "note: "};
  for (const std::string_view word : kWords) {
    const std::size_t at = line.find(word);
    if (at == std::string_view::npos) {
      continue;
    }
    Diagnostic diagnostic;
    diagnostic.severity = word == "fatal error: " ? "error" : std::string(word.substr(0, word.size() - 2));
    diagnostic.message = std::string(line.substr(at + word.size(), kMaxBytes));
    std::string_view place = line.substr(0, at);
    if (place.starts_with(source + ":")) {
      place.remove_prefix(source.size() + 1);
      diagnostic.line = take_number(place);
      diagnostic.column = take_number(place);
    }
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

}  // namespace plumb
