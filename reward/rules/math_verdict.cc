#include <array>

#include "reward/rules/math/verdict.h"

namespace plumb {

std::string_view to_string(MathVerdict verdict) {
  constexpr std::array<std::string_view, 4> kNames = {"equal", "not_equal", "probably_equal", "undecided"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

bool accepted(const MathResult& result, const MathOptions& options) {
  return result.fault.empty() && (result.verdict == MathVerdict::kEqual ||
                                  (result.verdict == MathVerdict::kProbablyEqual && options.probably_counts));
}

}  // namespace plumb
