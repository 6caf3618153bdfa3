#include <gtest/gtest.h>

#include <string>

#include "reward/rules/math/extract.h"

namespace plumb {
namespace {

using std::string;

TEST(ExtractMathAnswer, TheLastCompleteBoxWins) {
  EXPECT_EQ(extract_math_answer("\\boxed{3} then \\boxed{4}."), "4");
  EXPECT_EQ(extract_math_answer("so \\boxed{\\frac{1}{2}} done"), "\\frac{1}{2}");
  EXPECT_EQ(extract_math_answer("\\boxed {7}"), "7");
  EXPECT_EQ(extract_math_answer("\\fbox{8}"), "8");
  EXPECT_EQ(extract_math_answer("\\boxed 9 apples"), "9");
  EXPECT_EQ(extract_math_answer("$\\boxed 10$."), "10");
  EXPECT_EQ(extract_math_answer("\\boxed{\\{1,2\\}}"), "\\{1,2\\}");
  EXPECT_EQ(extract_math_answer("Answer: 9, no: \\boxed{5}"), "5");
  EXPECT_EQ(extract_math_answer("\\newcommand{\\boxed}{6} \\boxed{5}"), "5");
}

TEST(ExtractMathAnswer, AnUnclosedBoxEarnsNothing) {
  EXPECT_EQ(extract_math_answer("\\boxed{5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed"), std::nullopt);
  EXPECT_EQ(extract_math_answer("Answer: 5. \\boxed{5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{ \\boxed{5}"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{4} or \\boxed{5"), "4");
}

TEST(ExtractMathAnswer, OnlyConnectedBoxesMakeAList) {
  EXPECT_EQ(extract_math_answer("\\boxed{1} and \\boxed{2}"), "1, 2");
  EXPECT_EQ(extract_math_answer("$\\boxed{1}$, $\\boxed{2}$ or \\boxed{3}."), "1, 2, 3");
  EXPECT_EQ(extract_math_answer("\\boxed{84} and then \\boxed{0}"), "0");
  EXPECT_EQ(extract_math_answer("\\boxed{5} \\boxed{6}"), "6");
  MathOptions apart;
  apart.join_boxes = false;
  EXPECT_EQ(extract_math_answer("\\boxed{1} and \\boxed{2}", apart), "2");
}

TEST(ExtractMathAnswer, MarkersInTheirOrder) {
  EXPECT_EQ(extract_math_answer("The final answer is: 12\nAnswer: 3"), "12");
  EXPECT_EQ(extract_math_answer("ANSWER:\n\n 3 apples\nmore"), "3 apples");
  EXPECT_EQ(extract_math_answer("1+1=2\n#### 2"), "2");
  EXPECT_EQ(extract_math_answer("**Answer:** 17"), "17");
  EXPECT_EQ(extract_math_answer("Final Answer: **73**"), "73");
  EXPECT_EQ(extract_math_answer("The answer is (B) because A is wrong."), "(B)");
  EXPECT_EQ(extract_math_answer("Final Answer: The final answer is $\\frac12$. I hope it is correct."), "$\\frac12$");
  EXPECT_EQ(extract_math_answer("the answer is 3.5."), "3.5");
  EXPECT_EQ(extract_math_answer("it is 5"), std::nullopt);
  EXPECT_EQ(extract_math_answer("Answer:"), std::nullopt);
}

TEST(ExtractMathAnswer, TheLastNumberIsOptIn) {
  MathOptions last;
  last.last_number = true;
  EXPECT_EQ(extract_math_answer("3 cats, 4 dogs: 12 legs."), std::nullopt);
  EXPECT_EQ(extract_math_answer("3 cats, 4 dogs: 12 legs.", last), "12");
  EXPECT_EQ(extract_math_answer("it makes -1,234.50.", last), "-1,234.50");
  EXPECT_EQ(extract_math_answer("Answer: 7 of 9", last), "7 of 9");
  EXPECT_EQ(extract_math_answer("none", last), std::nullopt);
}

TEST(ExtractMathAnswer, ThinkingDoesNotCount) {
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}</think>\\boxed{2}"), "2");
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}</think> done"), std::nullopt);
  EXPECT_EQ(extract_math_answer("\\boxed{2}<think>\\boxed{1}"), "2");
  EXPECT_EQ(extract_math_answer("<think>\\boxed{1}"), std::nullopt);
  EXPECT_EQ(extract_math_answer("so \\boxed{1}</think> \\boxed{2} and more"), "2");
  EXPECT_EQ(extract_math_answer("so \\boxed{1}</think> done"), std::nullopt);
}

// Each of these is read in one pass; a quadratic one would take minutes.
TEST(ExtractMathAnswer, HostileSizes) {
  string boxes;
  for (int i = 0; i < 100000; ++i) {
    boxes += "\\boxed";
  }
  EXPECT_EQ(extract_math_answer(boxes + "{5}"), "5");
  string open;
  for (int i = 0; i < 100000; ++i) {
    open += "\\boxed{";
  }
  EXPECT_EQ(extract_math_answer(open), std::nullopt);
  EXPECT_EQ(extract_math_answer(string(1000000, '1') + "\\boxed{5}"), "5");
}

}  // namespace
}  // namespace plumb
