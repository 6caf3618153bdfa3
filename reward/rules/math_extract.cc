// Finding the answer of a response; comparing it is math_answer.cc.

#include <algorithm>
#include <array>

#include "reward/rules/math_answer.h"

namespace plumb {

namespace {

// The response without its thinking: closed <think>...</think> blocks are taken out, an unclosed one and all behind it.
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
  return kept;
}

constexpr std::string_view kBoxed = "\\boxed";
constexpr std::string_view kFbox = "\\fbox";

struct Boxes {
  bool any = false;                      // complete or not
  std::optional<std::string_view> last;  // content of the last complete one
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

// A box inside a complete box belongs to its content, so the search goes on behind the closing brace. Behind a box
// that does not close there is no complete one either, except inside it: that one would be a part of a cut answer.
Boxes find_boxes(std::string_view text) {
  Boxes boxes;
  std::size_t at = 0;
  while ((at = text.find('\\', at)) != std::string_view::npos) {
    const std::string_view command = text.substr(at);
    std::size_t open = at + (command.starts_with(kBoxed) ? kBoxed.size() : kFbox.size());
    if (!command.starts_with(kBoxed) && !command.starts_with(kFbox)) {
      ++at;
      continue;
    }
    boxes.any = true;
    open = std::min(text.find_first_not_of(' ', open), text.size());
    if (open == text.size() || text[open] != '{') {
      at = open;
      continue;
    }
    const std::size_t close = closing_brace(text, open);
    if (close == std::string_view::npos) {
      break;
    }
    boxes.last = text.substr(open + 1, close - open - 1);
    at = close + 1;
  }
  return boxes;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::optional<std::string> after_marker(const std::string& text) {
  constexpr std::array<std::string_view, 3> kMarkers = {"final answer is", "answer:", "####"};
  const std::string lower = lower_case(text);
  for (const auto marker : kMarkers) {
    const std::size_t found = lower.rfind(marker);
    if (found == std::string::npos) {
      continue;
    }
    std::string_view rest = std::string_view(text).substr(found + marker.size());
    // "The final answer is: 5" and a line break between marker and answer both occur.
    rest.remove_prefix(std::min(rest.find_first_not_of(": \t\r\n*"), rest.size()));
    rest = rest.substr(0, rest.find('\n'));
    if (!rest.empty()) {
      return std::string(rest);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> extract_math_answer(std::string_view response) {
  if (response.size() > kMaxResponseBytes) {
    response.remove_prefix(response.size() - kMaxResponseBytes);
  }
  const std::string text = without_thinking(response);
  const Boxes boxes = find_boxes(text);
  if (boxes.last) {
    return std::string(*boxes.last);
  }
  return boxes.any ? std::nullopt : after_marker(text);
}

}  // namespace plumb
