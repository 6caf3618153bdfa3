#include "reward/rules/code_parts.h"

#include <gtest/gtest.h>

#include "reward/rules/constant_answer.h"
#include "reward/rules/forbidden_names.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

std::vector<TestCase> returning(std::initializer_list<nlohmann::json> results) {
  std::vector<TestCase> tests;
  for (const nlohmann::json& result : results) {
    tests.push_back({nlohmann::json::array({1}), result});
  }
  return tests;
}

// Expected results 1, 1, 2, 3: the constant 1 passes half of them.
PromptRecord prompt_of_four() {
  PromptRecord prompt;
  prompt.language = Language::kPython;
  prompt.function = {"f", {{"x", "int"}}, "int"};
  prompt.tests = returning({1, 1, 2, 3});
  return prompt;
}

Evidence with(std::vector<Verdict> tests, int total = 4) {
  Evidence evidence;
  evidence.total = total;
  evidence.verdict = Verdict::kAC;
  for (auto verdict = tests.rbegin(); verdict != tests.rend(); ++verdict) {
    evidence.passed += *verdict == Verdict::kAC ? 1 : 0;
    evidence.verdict = *verdict == Verdict::kAC ? evidence.verdict : *verdict;
  }
  evidence.tests = std::move(tests);
  return evidence;
}

const Verdict kAC = Verdict::kAC;
const Verdict kWA = Verdict::kWA;
const Verdict kRE = Verdict::kRE;

RewardOptions all_parts() {
  RewardOptions options;
  options.code = CodeScoring::kFraction;
  options.fraction_weight = 0.25;
  options.ran_weight = 0.1;
  options.near_miss_weight = 0.05;
  options.forbidden = {"eval"};
  options.forbidden_weight = 0.05;
  return options;
}

Score score_of(const Evidence& evidence, const std::string& source = "def f(x): return x\n") {
  const RewardOptions options = all_parts();
  Score score;
  set_score(score, code_parts(prompt_of_four(), source, evidence, options, options.weights("")));
  return score;
}

double value_of(const Score& score, const std::string& name) {
  for (const ScorePart& part : score.parts) {
    if (part.name == name) {
      return part.value;
    }
  }
  ADD_FAILURE() << "no part " << name;
  return -1;
}

TEST(ConstantAnswer, TheCommonestResultByTheJudgesComparison) {
  EXPECT_EQ(best_constant_share(returning({1, 1, 2, 3}), "int"), 0.5);
  EXPECT_EQ(best_constant_share(returning({true, false, true, true}), "bool"), 0.75);
  EXPECT_EQ(best_constant_share(returning({1, 1.0 + 1e-12, 2.5}), "float"), 2.0 / 3);
  EXPECT_EQ(best_constant_share(returning({{1, 2}, {1}, {1, 2}}), "list[int]"), 2.0 / 3);
  EXPECT_EQ(best_constant_share(returning({"a\n", "b\n", "a\n"}), ""), 2.0 / 3);
  EXPECT_EQ(best_constant_share({}, "int"), 0);
}

TEST(ConstantAnswer, OnlyWhatAConstantCannotDoCounts) {
  EXPECT_EQ(share_above_constant(0.5, 0.5), 0);
  EXPECT_EQ(share_above_constant(0.25, 0.5), 0);
  EXPECT_EQ(share_above_constant(0.75, 0.5), 0.5);
  EXPECT_EQ(share_above_constant(1, 0.5), 1);
  EXPECT_EQ(share_above_constant(1, 1), 1);
  EXPECT_EQ(share_above_constant(0, 1), 0);
}

TEST(CodeParts, FractionRanAndNearMiss) {
  const Score constant = score_of(with({kAC, kAC, kWA, kWA}));
  EXPECT_EQ(value_of(constant, "fraction"), 0);
  EXPECT_EQ(value_of(constant, "ran"), 1);
  EXPECT_EQ(value_of(constant, "near_miss"), 0);
  EXPECT_EQ(constant.total, 0.1);

  const Score near = score_of(with({kAC, kAC, kAC, kRE}));
  EXPECT_EQ(value_of(near, "fraction"), 0.5);
  EXPECT_EQ(value_of(near, "ran"), 0);
  EXPECT_EQ(value_of(near, "near_miss"), 1);
  EXPECT_DOUBLE_EQ(near.total, 0.25 * 0.5 + 0.05);
  EXPECT_FALSE(is_solved(near));

  const Score blanks = score_of(with({kAC, Verdict::kPE, Verdict::kPE, kAC}));
  EXPECT_EQ(value_of(blanks, "near_miss"), 1);
}

TEST(CodeParts, AProgramThatDiesLosesTheRest) {
  const Score died = score_of(with({kAC, kAC, kRE}));
  EXPECT_EQ(value_of(died, "ran"), 0);
  EXPECT_EQ(value_of(died, "near_miss"), 0);
  Evidence refused;
  refused.verdict = Verdict::kCE;
  refused.total = 4;
  EXPECT_EQ(score_of(refused).total, 0);
}

TEST(CodeParts, AllTestsPassedIsExactlyOne) {
  const Score right = score_of(with({kAC, kAC, kAC, kAC}));
  EXPECT_TRUE(is_solved(right));
  EXPECT_EQ(value_of(right, "near_miss"), 1);
  EXPECT_EQ(right.total, 1);
  const Score forbidden = score_of(with({kAC, kAC, kAC, kAC}), "def f(x): return eval('x')\n");
  EXPECT_EQ(value_of(forbidden, "forbidden"), -1);
  EXPECT_DOUBLE_EQ(forbidden.total, 0.95);
  EXPECT_TRUE(is_solved(forbidden));
}

TEST(CodeParts, NoCodeEarnsNoPart) {
  Score score;
  set_score(score, no_code_parts(all_parts().weights(""), "no closed code block"));
  EXPECT_EQ(score.parts.size(), 5U);
  EXPECT_EQ(score.total, 0);
  EXPECT_FALSE(is_solved(score));
}

TEST(ForbiddenNames, WholeNamesOfCodeCount) {
  const std::vector<std::string> names = {"eval", "os.system", "std::system"};
  const auto python = [&](const char* source) { return forbidden_name_in(source, Language::kPython, names); };
  const auto cpp = [&](const char* source) { return forbidden_name_in(source, Language::kCpp, names); };
  EXPECT_EQ(python("x = eval (s)"), "eval");
  EXPECT_EQ(python("os . system('ls')"), "os.system");
  EXPECT_EQ(python("f'{eval(s)}'"), "eval");
  EXPECT_EQ(python("builtins.eval(s)"), "eval");
  EXPECT_EQ(python("medieval(s); evaluate(s); eval_(s)"), "");
  EXPECT_EQ(python("# eval\nx = 'eval' + \"eval\" + '''\neval'''"), "");
  EXPECT_EQ(python("x = 'it\\'s eval'"), "");
  EXPECT_EQ(python("x = 'open\neval(1)"), "eval");
  EXPECT_EQ(python("my.os.system(1)"), "");
  EXPECT_EQ(cpp("std :: system(\"ls\");"), "std::system");
  EXPECT_EQ(cpp("int n = 1'000; eval(n);"), "eval");
  EXPECT_EQ(cpp("/* eval */ // eval\nauto s = R\"x(eval)x\"; char c = '\"'; int k; const char* t = \"eval\";"), "");
  EXPECT_EQ(cpp("char c = '\"'; eval(c); // \""), "eval");
  EXPECT_EQ(cpp("\"unclosed\\"), "");
  EXPECT_EQ(cpp("R\"unclosed"), "");
}

}  // namespace
}  // namespace plumb
