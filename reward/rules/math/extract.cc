#include "reward/rules/math/extract.h"

#include <algorithm>
#include <array>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/clean.h"

namespace plumb {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string without_thinking(std::string_view response) {
  constexpr std::string_view kOpen = "<think>";
  constexpr std::string_view kClose = "</think>";
  std::string kept;
  std::size_t at = 0;
  while (at < response.size()) {
    const std::size_t open = response.find(kOpen, at);
    kept += response.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) {
      break;
    }
    const std::size_t close = response.find(kClose, open);
    if (close == std::string_view::npos) {
      break;
    }
    at = close + kClose.size();
  }
  // A chat template may have opened the block in the prompt.
  const std::size_t stray = kept.rfind(kClose);
  return stray == std::string::npos ? kept : kept.substr(stray + kClose.size());
}

constexpr std::string_view kBoxed = "\\boxed";
constexpr std::string_view kFbox = "\\fbox";

struct Boxes {
  bool any = false;                 // complete or not
  std::optional<std::string> last;  // content of the last complete one, with what is joined to it
};

// Index of the brace that closes the one at `open`, or npos. Escaped braces (\{) are text.
std::size_t closing_brace(std::string_view text, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '{') {
      ++depth;
    } else if (text[i] == '}' && --depth == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

// The word behind \boxed without braces: digits, or one sign or command.
std::string_view bare_content(std::string_view text) {
  if (text.empty() || text[0] == '}' || text[0] == '\n' || text.starts_with(kBoxed) || text.starts_with(kFbox)) {
    return {};
  }
  constexpr std::string_view kEnd = " \t\r\n$,;{}";
  std::string_view word = text.substr(0, text.find_first_of(kEnd));
  while (word.ends_with('.')) {
    word.remove_suffix(1);
  }
  return word;
}

// Whether only "and", "or" or a comma stands between two boxes.
bool joins(std::string_view between) {
  constexpr std::size_t kLongest = 40;
  if (between.size() > kLongest) {
    return false;
  }
  std::string words;
  for (const char c : math::plain_words(between)) {
    words += c == ' ' || c == '\\' ? "" : std::string(1, c);
  }
  return words == "and" || words == "or" || words == "," || words == ",and" || words == ",or" || words == "quadand" ||
         words == "quadandquad";
}

// A box inside a complete box belongs to its content, so the search goes on behind the closing brace. Behind a box
// that does not close there is no complete one either, except inside it: that one would be a part of a cut answer.
Boxes find_boxes(std::string_view text, bool join) {
  Boxes boxes;
  std::size_t at = 0;
  std::size_t last_end = 0;
  while ((at = text.find('\\', at)) != std::string_view::npos) {
    const std::string_view command = text.substr(at);
    if (!command.starts_with(kBoxed) && !command.starts_with(kFbox)) {
      ++at;
      continue;
    }
    const std::size_t begin = at;
    boxes.any = true;
    at += command.starts_with(kBoxed) ? kBoxed.size() : kFbox.size();
    at = std::min(text.find_first_not_of(' ', at), text.size());
    std::string_view content;
    if (at < text.size() && text[at] == '{') {
      const std::size_t close = closing_brace(text, at);
      if (close == std::string_view::npos) {
        break;
      }
      content = text.substr(at + 1, close - at - 1);
      at = close + 1;
    } else {
      content = bare_content(text.substr(at));
      if (content.empty()) {
        continue;
      }
      at += content.size();
    }
    const bool joined = join && boxes.last && joins(text.substr(last_end, begin - last_end));
    boxes.last = joined ? *boxes.last + ", " + std::string(content) : std::string(content);
    last_end = at;
  }
  return boxes;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// An answer in running text ends with its sentence, or where a reason begins.
std::string_view first_sentence(std::string_view text) {
  constexpr std::array<std::string_view, 9> kEnds = {". ",    " because ", " since ", ", which ", " as ",
                                                     ", so ", ", where ",  ".$ ",     "! "};
  for (const std::string_view end : kEnds) {
    text = text.substr(0, text.find(end));
  }
  while (!text.empty() && std::string_view(" \t\r.,;:*").find(text.back()) != std::string_view::npos) {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::string> after_marker(const std::string& text) {
  constexpr std::array<std::string_view, 6> kMarkers = {"final answer is", "answer:",      "####",
                                                        "answer is",       "final answer", "答案是"};
  const std::string lower = lower_case(text);
  for (const auto marker : kMarkers) {
    const std::size_t found = lower.rfind(marker);
    if (found == std::string::npos) {
      continue;
    }
    std::string_view rest = std::string_view(text).substr(found + marker.size());
    // "The final answer is: 5" and a line break between marker and answer both occur.
    rest.remove_prefix(std::min(rest.find_first_not_of(": \t\r\n*"), rest.size()));
    rest = first_sentence(rest.substr(0, rest.find('\n')));
    if (!rest.empty()) {
      return std::string(rest);
    }
  }
  return std::nullopt;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Digits with grouping commas, a decimal point and a sign.
std::optional<std::string> last_number(const std::string& text) {
  std::size_t end = text.find_last_of("0123456789");
  if (end == std::string::npos) {
    return std::nullopt;
  }
  std::size_t begin = end;
  while (begin > 0) {
    const char c = text[begin - 1];
    const bool inside = (c == '.' || c == ',') && begin > 1 && is_digit(text[begin - 2]) && is_digit(text[begin]);
    if (!is_digit(c) && !inside && !(c == '.' && is_digit(text[begin]))) {
      break;
    }
    --begin;
  }
  const bool sign =
      begin > 0 && text[begin - 1] == '-' && (begin == 1 || kBlanks.find(text[begin - 2]) != std::string_view::npos);
  begin -= sign ? 1 : 0;
  return text.substr(begin, end + 1 - begin);
}

}  // namespace

std::optional<std::string> extract_math_answer(std::string_view response, const MathOptions& options) {
  if (response.size() > math::kMaxResponseBytes) {
    response.remove_prefix(response.size() - math::kMaxResponseBytes);
  }
  const std::string text = without_thinking(response);
  Boxes boxes = find_boxes(text, options.join_boxes);
  if (boxes.any) {
    return std::move(boxes.last);
  }
  auto marked = after_marker(text);
  return marked || !options.last_number ? marked : last_number(text);
}

}  // namespace plumb
