#include "reward/rules/math_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace plumb {
namespace {

using std::string;

TEST(ExtractMathAnswer, TheLastCompleteBoxWins) {
  EXPECT_EQ(extract_math_answer("\\boxed{3} then \\boxed{4}."), "4");
  EXPECT_EQ(extract_math_answer("so \\boxed{\\frac{1}{2}} done"), "\\frac{1}{2}");
  EXPECT_EQ(extract_math_answer("\\boxed {7}"), "7");
  EXPECT_EQ(extract_math_answer("\\fbox{8}"), "8");
  EXPECT_EQ(extract_math_answer("\\boxed{\\{1,2\\}}"), "\\{1,2\\}");
  EXPECT_EQ(extract_math_answer("Answer: 9, no: \\boxed{5}"), "5");
}

TEST(ExtractMathAnswer, AnUnclosedBoxEarnsNothing) {
  EXPECT_EQ(extract_math_answer("\\boxed{5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("Answer: 5. \\boxed{5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{ \\boxed{5}"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{4} or \\boxed{5"), "4");
}

TEST(ExtractMathAnswer, MarkersInTheirOrder) {
  EXPECT_EQ(extract_math_answer("The final answer is: 12\nAnswer: 3"), "12");
  EXPECT_EQ(extract_math_answer("ANSWER:\n\n 3 apples\nmore"), "3 apples");
  EXPECT_EQ(extract_math_answer("1+1=2\n#### 2"), "2");
  EXPECT_EQ(extract_math_answer("**Answer:** 17"), "17");
  EXPECT_EQ(extract_math_answer("it is 5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("Answer:"), std::nullopt);
}

TEST(ExtractMathAnswer, ThinkingDoesNotCount) {
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}</think>\\boxed{2}"), "2");
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}</think> done"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{2}<think>\\boxed{1}"), "2");
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}"), std::nullopt);
}

TEST(CompareMathAnswers, RationalsAreExact) {
  const std::pair<string, string> equal[] = {{"5", "5"},
                                             {"5", "5.0"},
                                             {"-5",
                                              "\xE2\x88\x92"
                                              "5"},
                                             {"0.5", "1/2"},
                                             {"1/2", ".50"},
                                             {"0.75", "\\frac{3}{4}"},
                                             {"\\frac{3}{4}", "\\dfrac{6}{8}"},
                                             {"1/2", "\\frac12"},
                                             {"1234567", "1,234,567"},
                                             {"14916", "14\\,916"},
                                             {"1234", "1{,}234"},
                                             {"1500", "1.5e3"},
                                             {"5/2", "2 1/2"},
                                             {"5/2", "2\\frac{1}{2}"},
                                             {"-5/2", "-2 1/2"},
                                             {"0", "-0"},
                                             {"12", "$12$"},
                                             {"12", "\\(12\\)."},
                                             {"12", "x = 12"},
                                             {"7", "007"},
                                             {"-1/2", "\\frac{-1}{2}"},
                                             {"-1/2", "\\frac{1}{-2}"},
                                             {"-1/2", "-\\frac{1}{2}"},
                                             {"0.001", "1e-3"},
                                             {"+3", "3"},
                                             {"12", "**12**"}};
  for (const auto& [truth, answer] : equal) {
    const auto result = compare_math_answers(truth, answer);
    EXPECT_EQ(result.verdict, MathVerdict::kEqual) << result.reason;
  }
  const std::pair<string, string> different[] = {{"5", "-5"},
                                                 {"1/3", "0.333"},
                                                 {"5/2", "21/2"},
                                                 {"1000", "1.000"},
                                                 {"2", "2 2/3"},
                                                 {"10", "010.1"},
                                                 {"0.0000001", "0.0000002"},
                                                 {"123456789012345678901", "123456789012345678902"}};
  for (const auto& [truth, answer] : different) {
    const auto result = compare_math_answers(truth, answer);
    EXPECT_EQ(result.verdict, MathVerdict::kNotEqual) << result.reason;
  }
}

TEST(CompareMathAnswers, WhatIsNotUnderstoodIsUndecidedUnlessSpelledAlike) {
  for (const string answer :
       {"",   "5 cm",  "50%",         "nan", "1/0", "\\frac{1}{0}", "1,23",   "1,2345",   "--5",  "5 6",
        "1e", "1e999", "\\frac{1}{2", "x",   "5=5", "1 2/",         "2 -1/2", "10^10^10", "1..2", "."}) {
    EXPECT_EQ(compare_math_answers("5", answer).verdict, MathVerdict::kUndecided) << answer;
  }
  EXPECT_EQ(compare_math_answers("x^2 + 1", "x^2  + 1").verdict, MathVerdict::kEqual);
  EXPECT_EQ(compare_math_answers("x^2+1", "x^2+2").verdict, MathVerdict::kUndecided);
  EXPECT_EQ(compare_math_answers("", "").verdict, MathVerdict::kUndecided);
}

// The caps bound the work: each of these ends at once, and nothing overflows.
TEST(CompareMathAnswers, HostileSizes) {
  const string nines(kMaxDigits, '9');
  EXPECT_EQ(compare_math_answers(nines, nines + ".0").verdict, MathVerdict::kUndecided);
  EXPECT_EQ(compare_math_answers(nines, nines).verdict, MathVerdict::kEqual);
  EXPECT_EQ(compare_math_answers("1", string(100000, '9')).verdict, MathVerdict::kUndecided);
  EXPECT_EQ(compare_math_answers("1", string(4000, '{')).verdict, MathVerdict::kUndecided);
  EXPECT_EQ(compare_math_answers("1", string("1\xFF\x00", 3)).verdict, MathVerdict::kUndecided);
  string boxes;
  for (int i = 0; i < 10000; ++i) {
    boxes += "\\boxed";
  }
  EXPECT_EQ(extract_math_answer(boxes + "{5}"), "5");
  EXPECT_EQ(extract_math_answer(string(60000, '{') + "\\boxed{" + string(60000, '{')), std::nullopt);
}

}  // namespace
}  // namespace plumb
