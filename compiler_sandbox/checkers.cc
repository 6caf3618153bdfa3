#include "compiler_sandbox/checkers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace plumb {

std::optional<Verdict> verdict_of_checker(int exit_code) {
  constexpr int kFirstShare = 50;  // of points
  constexpr int kLastShare = 125;  // a shell's own codes follow
  switch (exit_code) {
    case 0:
      return Verdict::kAC;
    case 2:
    case 4:
    case 8:
      return Verdict::kPE;
    case 1:
    case 7:
      return Verdict::kWA;
    default:
      return exit_code >= kFirstShare && exit_code <= kLastShare ? std::optional(Verdict::kWA) : std::nullopt;
  }
}

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

// The next word of `text`, which loses it; empty at the end.
std::string_view take_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kSpace));
  text.remove_prefix(word.size());
  return word;
}

bool as_number(std::string_view word, double& number) {
  if (word.starts_with('+')) {
    word.remove_prefix(1);
  }
  const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
  return result.ec == std::errc() && result.ptr == word.data() + word.size();
}

bool same_word(const Checker& checker, std::string_view word, std::string_view expected) {
  if (word == expected || checker.kind != "float") {
    return word == expected;
  }
  double found = 0;
  double wanted = 0;
  if (!as_number(word, found) || !as_number(expected, wanted)) {
    return false;
  }
  if (!std::isfinite(found) || !std::isfinite(wanted)) {
    return found == wanted;
  }
  return std::abs(found - wanted) <= std::max(checker.absolute, checker.relative * std::abs(wanted));
}

bool same_words(const Checker& checker, std::string_view output, std::string_view expected) {
  for (;;) {
    const std::string_view word = take_word(output);
    const std::string_view wanted = take_word(expected);
    if (word.empty() || wanted.empty()) {
      return word.empty() && wanted.empty();
    }
    if (!same_word(checker, word, wanted)) {
      return false;
    }
  }
}

// The lines of `text` that are not blank, their words one space apart, sorted.
std::vector<std::string> sorted_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string words;
    for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
      words += words.empty() ? "" : " ";
      words += word;
    }
    if (!words.empty()) {
      lines.push_back(std::move(words));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string_view without_last_ends(std::string_view text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

}  // namespace

Result<void> validate(const Checker& checker) {
  constexpr std::array<std::string_view, 6> kKinds = {"exact",     "tokens",  "float",
                                                      "unordered", "program", "interactive"};
  if (std::find(kKinds.begin(), kKinds.end(), checker.kind) == kKinds.end()) {
    return Error{"there is no checker " + checker.kind +
                 ": use exact, tokens, float, unordered, program or interactive"};
  }
  if (!(checker.absolute >= 0) || !(checker.relative >= 0)) {
    return Error{"a checker's tolerances must not be negative"};
  }
  const bool has_code = checker.kind == "program" || checker.kind == "interactive";
  if (has_code && (checker.source.empty() || checker.language.empty())) {
    return Error{"a checker of kind " + checker.kind + " needs its source and its language"};
  }
  return {};
}

Verdict compare_output(const Checker& checker, std::string_view output, std::string_view expected) {
  if (checker.kind == "unordered") {
    return sorted_lines(output) == sorted_lines(expected) ? Verdict::kAC : Verdict::kWA;
  }
  const bool same = same_words(checker, output, expected);
  if (checker.kind == "exact" && same) {
    return without_last_ends(output) == without_last_ends(expected) ? Verdict::kAC : Verdict::kPE;
  }
  return same ? Verdict::kAC : Verdict::kWA;
}

}  // namespace plumb
