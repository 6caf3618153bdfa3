#include "reward/rules/constant_answer.h"

#include <algorithm>

#include "compiler_sandbox/values.h"

namespace plumb {
namespace {

// A constant as the judge would receive it; empty where the type or the value is none of a function task's.
std::string encoded(const nlohmann::json& value, const std::string& returns) {
  const FunctionSignature constant{"constant", {{"value", returns}}, returns};
  auto text = returns.empty() ? Result<std::string>(std::string())
                              : encode_arguments(nlohmann::json::array({value}), constant, Language::kPython);
  return text ? std::move(*text) : std::string();
}

}  // namespace

double best_constant_share(const std::vector<TestCase>& tests, const std::string& returns) {
  std::size_t best = 0;
  for (const TestCase& candidate : tests) {
    const std::string text = encoded(candidate.result, returns);
    const auto passes = [&](const TestCase& test) {
      return text.empty() ? test.result == candidate.result
                          : compare_value(text, test.result, returns) == Comparison::kEqual;
    };
    best = std::max(best, static_cast<std::size_t>(std::count_if(tests.begin(), tests.end(), passes)));
  }
  return tests.empty() ? 0 : static_cast<double>(best) / static_cast<double>(tests.size());
}

double share_above_constant(double f, double c) {
  if (c >= 1) {
    return f >= 1 ? 1 : 0;
  }
  return std::max(0.0, (f - c) / (1 - c));
}

}  // namespace plumb
