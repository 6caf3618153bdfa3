#pragma once
// Evidence in words that the prompt of a next turn can quote.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/records.h"

namespace plumb {

struct FeedbackOptions {
  std::size_t max_messages = 5;  // diagnostics quoted
  std::size_t max_bytes = 2000;  // of the text; what is longer is cut at a line's end
  /// Tests whose arguments and expected results may be shown: shown_tests[i] belongs to Evidence::tests[i]. Empty by
  /// default, for a policy that has read an expected result can return it without computing anything.
  std::span<const TestCase> shown_tests = {};
};

/// What is wrong with the program `source`, for its author: how many tests pass and how the first one fails, or that it
/// does not compile; then the messages of compiler and interpreter with the lines they speak of; then the static
/// findings. UTF-8 without control characters, for programs write their own messages. Empty for SE: a fault of ours
/// says nothing about a program. Depends on its arguments alone; times are not part of it.
std::string feedback(const Evidence& evidence, std::string_view source, const FeedbackOptions& options = {});

/// The same for a whole response to a code task, which may hold no program. Empty for an unscored one.
std::string feedback(const Score& score, std::string_view response, const FeedbackOptions& options = {});

}  // namespace plumb
