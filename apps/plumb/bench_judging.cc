#include "apps/plumb/bench_judging.h"

#include <fmt/format.h>

#include <utility>

namespace plumb {
namespace {

constexpr int kCalls = 20;

// A sum over a list that is `wrong` by one for every list, and whose text no other number has.
std::string source_of(Language language, int number, bool wrong) {
  if (language == Language::kPython) {
    return fmt::format(
        "def scaled_sum(values: list[int]) -> int:\n    total = {1}\n    for value in values:\n"
        "        total += {0} * value\n    return total\n",
        number, wrong ? 1 : 0);
  }
  return fmt::format(
      "#include <vector>\n\nint scaled_sum(const std::vector<int>& values) {{\n  int total = {1};\n"
      "  for (int value : values) {{\n    total += {0} * value;\n  }}\n  return total;\n}}\n",
      number, wrong ? 1 : 0);
}

Submission submission_of(Language language, int number, bool wrong) {
  Submission submission;
  submission.id = fmt::format("bench/{}", number);
  submission.language = language;
  submission.source = source_of(language, number, wrong);
  submission.function = {
      .name = "scaled_sum", .parameters = {{.name = "values", .type = "list[int]"}}, .returns = "int"};
  for (int call = 0; call < kCalls; ++call) {
    submission.args.push_back({{call, 2 * call, 3}});
    submission.expected.emplace_back(number * (3 * call + 3));
  }
  return submission;
}

}  // namespace

RewardSource judged_rewards(std::shared_ptr<Judge> judge, std::size_t count) {
  return [judge = std::move(judge), count](int step) -> Result<std::vector<double>> {
    std::vector<Submission> submissions;
    std::vector<double> rewards;
    for (std::size_t i = 0; i < count; ++i) {
      const bool wrong = i % 2 == 1;
      const int number = step * static_cast<int>(count) + static_cast<int>(i) + 2;
      submissions.push_back(submission_of(i < count / 2 ? Language::kCpp : Language::kPython, number, wrong));
      rewards.push_back(wrong ? 0 : 1);
    }
    const std::vector<Evidence> evidence = judge->judge_all(submissions);
    for (std::size_t i = 0; i < count; ++i) {
      const Verdict expected = rewards[i] > 0 ? Verdict::kAC : Verdict::kWA;
      if (evidence[i].verdict != expected || evidence[i].cached) {
        return Error{fmt::format("bench judged-step: {} is {}{} where {} is expected", submissions[i].id,
                                 to_string(evidence[i].verdict), evidence[i].cached ? ", cached," : "",
                                 to_string(expected))};
      }
    }
    return rewards;
  };
}

}  // namespace plumb
