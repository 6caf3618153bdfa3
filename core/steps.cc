#include "core/steps.h"

#include <algorithm>

#include "core/check.h"

namespace plumb {
namespace {

bool has_content(std::string_view line) {
  return std::ranges::any_of(line, [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80U;
  });
}

// Whether it opens a code block with a label; a closing fence holds nothing else.
bool is_labelled_fence(std::string_view line) {
  constexpr std::size_t kMostIndent = 3;
  const std::size_t ticks = line.find_first_not_of(' ');
  return ticks != std::string_view::npos && ticks <= kMostIndent && line.substr(ticks).starts_with("```") &&
         has_content(line);
}

}  // namespace

std::vector<std::size_t> step_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  bool whole = false;  // the step that is being read has its line
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    const std::string_view line = text.substr(begin, end - begin);
    if (ends.empty() || (whole && has_content(line))) {
      ends.push_back(end);
    } else {
      ends.back() = end;
    }
    whole = has_content(line) ? !is_labelled_fence(line) : whole;
    begin = end;
  }
  return ends;
}

std::vector<StepInTokens> steps_in_tokens(std::span<const std::size_t> ends, std::span<const std::size_t> token_ends,
                                          std::int64_t num_tokens) {
  PLUMB_CHECK(num_tokens > 0 && std::ssize(token_ends) <= num_tokens, "steps_in_tokens: a completion has tokens");
  std::vector<StepInTokens> steps;
  for (std::size_t step = 0; step < ends.size(); ++step) {
    const auto holder = std::ranges::lower_bound(token_ends, ends[step]);
    const std::int64_t end = std::min<std::int64_t>(holder - token_ends.begin() + 1, num_tokens);
    if (!steps.empty() && steps.back().end == end) {
      steps.back().step = step;
    } else {
      steps.push_back({step, end});
    }
  }
  if (!steps.empty()) {
    steps.back().end = num_tokens;
  }
  return steps;
}

}  // namespace plumb
