// The project's own cases (math_cases.jsonl beside this file): verdict, repetition, gold against itself.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "reward/rules/math/verify.h"

namespace plumb {
namespace {

TEST(MathCases, EveryRowIsJudgedAsItsLabelSays) {
  std::ifstream file(PLUMB_SOURCE_DIR "/tests/reward/math_cases.jsonl");
  ASSERT_TRUE(file.is_open());
  std::string line;
  int rows = 0;
  while (std::getline(file, line)) {
    const auto row = nlohmann::json::parse(line);
    const std::string gold = row["gold"];
    const std::string pred = row["pred"];
    const MathResult result = verify_math(gold, pred);
    const bool equal = accepted(result, {});
    const std::string what = row["id"].get<std::string>() + ": " + gold + " against " + pred + ": " +
                             std::string(to_string(result.verdict)) + ", " + result.reason;
    const auto& expected = row["expected"];
    if (expected == 1) {
      EXPECT_TRUE(equal) << what;
    } else if (expected == 0) {
      EXPECT_EQ(result.verdict, MathVerdict::kNotEqual) << what;
    } else if (expected == "0_or_undecided") {
      EXPECT_FALSE(equal) << what;
    } else {
      EXPECT_NE(result.verdict, MathVerdict::kNotEqual) << what;
    }
    EXPECT_TRUE(accepted(compare_math_answers(gold, gold), {})) << gold << " is not itself";
    const MathResult again = verify_math(gold, pred);
    EXPECT_TRUE(again.verdict == result.verdict && again.work == result.work && again.reason == result.reason) << what;
    ++rows;
  }
  EXPECT_GE(rows, 300);
}

// Where no convention makes the sides differ (percent signs, the number of digits), they may change places.
TEST(MathCases, EqualityIsSymmetric) {
  std::ifstream file(PLUMB_SOURCE_DIR "/tests/reward/math_cases.jsonl");
  std::string line;
  while (std::getline(file, line)) {
    const auto row = nlohmann::json::parse(line);
    const std::string gold = row["gold"];
    const std::string pred = row["pred"];
    const std::string category = row["category"];
    if (!pred.starts_with("\\boxed{") || category == "percent" || category == "mcq" || category == "text") {
      continue;
    }
    const std::string answer = pred.substr(7, pred.size() - 8);
    const MathResult forward = compare_math_answers(gold, answer);
    const MathResult backward = compare_math_answers(answer, gold);
    EXPECT_EQ(accepted(forward, {}), accepted(backward, {})) << gold << " and " << answer << ": " << backward.reason;
  }
}

}  // namespace
}  // namespace plumb
