// Any bytes as a truth and an answer (split at the first NUL, or the same bytes twice): verdicts within the budget, the
// same on a second try, no answer that differs from itself, and equality that does not depend on the sides.

#include <cstdint>
#include <string>

#include "core/check.h"
#include "reward/rules/math/extract.h"
#include "reward/rules/math/verify.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  const std::size_t cut = bytes.find('\0');
  const std::string truth = bytes.substr(0, cut);
  const std::string answer = cut == std::string::npos ? truth : bytes.substr(cut + 1);
  plumb::MathOptions options;
  options.max_work = 200'000;
  const auto forward = plumb::compare_math_answers(truth, answer, options);
  const auto again = plumb::compare_math_answers(truth, answer, options);
  PLUMB_CHECK(forward.verdict == again.verdict && forward.work == again.work, "a verdict that does not repeat");
  const auto self = plumb::compare_math_answers(answer, answer, options);
  PLUMB_CHECK(
      self.verdict != plumb::MathVerdict::kNotEqual || answer.find_first_not_of(" \t\r\n~") == std::string::npos,
      "an answer differs from itself");
  plumb::extract_math_answer(bytes, options);
  return 0;
}
