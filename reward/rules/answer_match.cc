#include "reward/rules/answer_match.h"

#include <algorithm>
#include <cctype>

#include "reward/rules/constraints.h"
#include "reward/rules/math/extract.h"

namespace plumb {
namespace {

std::string_view trimmed(std::string_view text, std::string_view dress = " \t\r\n") {
  text.remove_prefix(std::min(text.find_first_not_of(dress), text.size()));
  return text.substr(0, text.find_last_not_of(dress) + 1);
}

char letter_of(std::string_view text) {
  constexpr std::string_view kDress = " \t\r\n().:*[]{}$";
  std::string_view inner = trimmed(text, kDress);
  if (inner.starts_with("\\text{")) {
    inner = trimmed(inner.substr(6), kDress);
  }
  // "B) because" chooses, "A good one" does not.
  const bool alone =
      inner.size() == 1 || (inner.size() > 1 && std::string_view(").:,]*}").find(inner[1]) != std::string_view::npos);
  const char letter = inner.empty() ? '\0' : static_cast<char>(std::toupper(static_cast<unsigned char>(inner[0])));
  return alone && letter >= 'A' && letter <= 'J' ? letter : '\0';
}

}  // namespace

char chosen_letter(std::string_view response) {
  const auto answer = extract_math_answer(response);
  return letter_of(answer ? std::string_view(*answer) : response);
}

Result<ScorePart> answer_part(const PromptRecord& prompt, std::string_view response) {
  const std::string_view answer = trimmed(prompt.answer);
  if (answer.empty()) {
    return Error{prompt.id + ": a prompt outside code and maths needs an \"answer\" to be scored; it has none"};
  }
  if (answer.starts_with('[')) {
    const auto constraints = nlohmann::json::parse(answer, nullptr, false);
    PLUMB_ASSIGN(const ConstraintReport report, check_constraints(constraints, response));
    const bool all = report.kept == report.total;
    const std::string counts = std::to_string(report.kept) + " of " + std::to_string(report.total) + " kept";
    return ScorePart{"instructions", all ? 1.0 : 0.0, 1, all ? counts : counts + "; broken: " + report.broken};
  }
  if (answer.size() == 1 && letter_of(answer) != '\0') {
    const char letter = chosen_letter(response);
    return ScorePart{"choice", letter == letter_of(answer) ? 1.0 : 0.0, 1,
                     letter == '\0' ? "chooses no letter" : std::string("chooses ") + letter};
  }
  const auto marked = extract_math_answer(response);
  const bool same = trimmed(response) == answer || (marked && trimmed(*marked) == answer);
  return ScorePart{"exact", same ? 1.0 : 0.0, 1, same ? "is the text asked for" : "is another text"};
}

}  // namespace plumb
