// Right and wrong programs, and what the judge says of each kind of failure.

#include "compiler_sandbox/judge.h"

#include <gtest/gtest.h>

#include "judge_support.h"

namespace plumb {
namespace {

using test::add_submission;
using test::describe;

TEST(Judge, TellsRightFromWrong) {
  PLUMB_JUDGE_OR_SKIP(judge);
  const Evidence right_python = judge->judge(add_submission(Language::kPython, "def add(a, b):\n    return a + b\n"));
  EXPECT_EQ(right_python.verdict, Verdict::kAC) << describe(right_python);
  EXPECT_EQ(right_python.passed, 4);
  EXPECT_EQ(right_python.total, 4);
  const Evidence wrong_python = judge->judge(add_submission(Language::kPython, "def add(a, b):\n    return a - b\n"));
  EXPECT_EQ(wrong_python.verdict, Verdict::kWA) << describe(wrong_python);
  const Evidence right_cpp = judge->judge(add_submission(Language::kCpp, "int add(int a, int b) { return a + b; }"));
  EXPECT_EQ(right_cpp.verdict, Verdict::kAC) << describe(right_cpp);
  EXPECT_EQ(right_cpp.tests, std::vector<Verdict>(4, Verdict::kAC));
  const Evidence wrong_cpp = judge->judge(add_submission(Language::kCpp, "int add(int a, int b) { return a - b; }"));
  EXPECT_EQ(wrong_cpp.verdict, Verdict::kWA) << describe(wrong_cpp);
}

}  // namespace
}  // namespace plumb
