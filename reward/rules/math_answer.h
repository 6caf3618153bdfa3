#pragma once
// Ground-truth check of a mathematical answer: find the answer in a response, then compare it exactly with the truth.
// Rational numbers in their usual spellings are decided; whatever else is only equal if it is spelled alike, else
// undecided. Work is bounded by the caps below, not by a clock: verdicts repeat, and nothing can hang.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace plumb {

/// Only the last bytes of a response are searched; an answer longer than this is undecided.
inline constexpr std::size_t kMaxResponseBytes = std::size_t{64} << 10;
inline constexpr std::size_t kMaxAnswerBytes = 4096;
/// Digits of one number; a longer one is undecided.
inline constexpr std::size_t kMaxDigits = 1000;

/// The answer that a response commits itself to: the content of the last complete \boxed{...} or \fbox{...} (braces
/// nest); without any box, what follows the last "final answer is", else the last "answer:", else the last "####", to
/// the end of its line. A box that never closes earns nothing, also not through another marker. Closed <think> blocks
/// are skipped; an unclosed one swallows what follows it. Linear time.
std::optional<std::string> extract_math_answer(std::string_view response);

enum class MathVerdict { kEqual, kNotEqual, kUndecided };
std::string_view to_string(MathVerdict verdict);  // "equal", "not_equal", "undecided"

struct MathResult {
  MathVerdict verdict = MathVerdict::kUndecided;
  std::string reason;  // one sentence; may quote bytes of the answer
};

/// Compares `answer` with the ground truth `truth`. Numbers are exact rationals: signs, integers, decimals (0.50),
/// thousands separators (1,234 or 14\,916), exponents (1.5e3), fractions (3/4, \frac{3}{4}, \frac34), mixed numbers
/// (2 1/2, 2\frac{1}{2}); delimiters such as $ or \( and a leading "x =" are ignored on both sides.
MathResult compare_math_answers(std::string_view truth, std::string_view answer);

}  // namespace plumb
