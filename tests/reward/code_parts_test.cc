#include "reward/rules/code_parts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "reward/rules/constant_answer.h"
#include "reward/rules/forbidden_names.h"
#include "reward/rules/normalise_parts.h"
#include "reward/rules/score_parts.h"
#include "reward/rules/text_parts.h"

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

TEST(Findings, CountByWeaknessThenSeverityUpToOne) {
  RewardOptions options;
  options.findings_weight = 0.2;
  options.findings = {"high=0.5", "low=0.125", "CWE-401=0", "CWE-78=1"};
  ASSERT_TRUE(options.check());
  Evidence evidence = with({kAC, kAC, kAC, kAC});
  const auto value = [&](std::vector<std::pair<int, std::string>> found) {
    evidence.findings.clear();
    for (const auto& [cwe, severity] : found) {
      evidence.findings.push_back({"rule", cwe, severity, 3, 1, "words"});
    }
    const auto parts = code_parts(prompt_of_four(), "", evidence, options, options.weights(""));
    EXPECT_EQ(parts.at(1).name, "findings");
    EXPECT_EQ(parts.at(1).kind, PartKind::kPenalty);
    return parts.at(1).value;
  };
  EXPECT_EQ(value({}), 0);
  EXPECT_EQ(value({{120, "high"}}), -0.5);
  EXPECT_EQ(value({{120, "high"}, {401, "low"}, {377, "low"}, {9, "medium"}}), -0.625);
  EXPECT_EQ(value({{78, "low"}, {120, "high"}}), -1);
  EXPECT_EQ(no_code_parts(options.weights(""), "none").at(1).value, 0);
  for (const char* wrong : {"high", "high=2", "high=x", "severe=1", "CWE-=1", "CWE-7x=1"}) {
    options.findings = {wrong};
    EXPECT_FALSE(options.check()) << wrong;
  }
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

TEST(CodeParts, TasksForbidNamesOfTheirOwn) {
  PromptRecord prompt = prompt_of_four();
  prompt.forbidden_names = {"sorted"};
  prompt.data_source = "own";
  const RewardOptions options;
  const auto total = [&](const char* source) {
    Score score;
    set_score(score, code_parts(prompt, source, with({kAC, kAC, kAC, kAC}), options, options.weights(prompt)));
    return score.total;
  };
  EXPECT_DOUBLE_EQ(total("def f(x): return sorted(x)\n"), 0.95);
  EXPECT_DOUBLE_EQ(total("def f(x): return eval(x)\n"), 1);
  RewardOptions both = all_parts();
  EXPECT_EQ(both.weights(prompt), both.weights(""));
  both.forbidden.clear();
  both.ran_weight = 0.19;
  EXPECT_NEAR(both.weights(prompt).at("forbidden"), 0.009, 1e-12);  // no unsolved task outscores a solved one
  both.source_weights = {prompt.data_source + ": forbidden=0"};
  EXPECT_EQ(both.weights(prompt).count("forbidden"), 0U);
  both.source_weights.clear();
  both.forbidden_weight = 0;
  EXPECT_EQ(both.weights(prompt).count("forbidden"), 0U);
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

TEST(TextParts, SoftOverlongIsDapos) {
  EXPECT_EQ(soft_overlong(80, 100, 20), 0);
  EXPECT_EQ(soft_overlong(85, 100, 20), -0.25);
  EXPECT_EQ(soft_overlong(100, 100, 20), -1);
  EXPECT_EQ(soft_overlong(101, 100, 0), -1);
  EXPECT_EQ(soft_overlong(100, 100, 0), 0);
}

TEST(TextParts, RepeatedPhrases) {
  EXPECT_EQ(repetition("a b c d e f g"), 0);
  EXPECT_EQ(repetition("a b c d e f g h"), 0);
  EXPECT_DOUBLE_EQ(repetition("a a a a a a a a a"), -5.0 / 6);
  EXPECT_DOUBLE_EQ(repetition("a b c d a b c d"), -1.0 / 5);
}

TEST(TextParts, TheFormThatIsAskedFor) {
  const PromptRecord code = prompt_of_four();
  EXPECT_TRUE(has_form(code, "```python\nx\n```"));
  EXPECT_TRUE(has_form(code, "Text.\n```\nx\n```\nMore."));
  EXPECT_FALSE(has_form(code, "```cpp\nx\n```"));
  EXPECT_FALSE(has_form(code, "```python\nx\n```\n```python\ny\n```"));
  EXPECT_FALSE(has_form(code, "```python\nx\n"));
  PromptRecord math;
  math.domain = Domain::kMath;
  EXPECT_TRUE(has_form(math, "so \\boxed{4}"));
  EXPECT_FALSE(has_form(math, "so \\boxed{4} or \\boxed{5}"));
  EXPECT_FALSE(has_form(math, "so \\boxed{}"));
  EXPECT_FALSE(has_form(math, "Answer: 4"));
}

TEST(TextParts, OnlyWhatIsWeighedIsAdded) {
  Completion completion;
  completion.text = "```python\nx\n```";
  completion.token_ids.resize(95);
  RewardOptions options;
  options.format_weight = 0.1;
  options.length_weight = 0.2;
  EXPECT_FALSE(options.check().ok());
  options.length_limit = 100;
  options.length_buffer = 20;
  EXPECT_TRUE(options.check().ok());
  std::vector<ScorePart> parts = {{"tests", 1, 1, ""}};
  add_text_parts(prompt_of_four(), completion, options, options.weights(""), parts);
  Score score;
  set_score(score, parts);
  EXPECT_EQ(score.parts.size(), 3U);
  EXPECT_DOUBLE_EQ(score.total, 1 - 0.2 * 0.75);
}

// Totals of 1, 0, 0 and 1, 1, 0 by themselves: means 1/3 and 2/3, deviations sqrt(1/3) each.
TEST(NormaliseParts, EachPartOnItsOwnScale) {
  ScoredGroup group;
  for (const auto& [solved, shaped] : {std::pair{1.0, 1.0}, {0.0, 1.0}, {0.0, 0.0}}) {
    Score score;
    set_score(score, {{"tests", solved, 1, ""}, {"ran", shaped, 0.25, "", PartKind::kShaping}, {"same", 1, 0, ""}});
    group.scores.push_back(score);
  }
  group.scores.emplace_back().unscored = "worker lost";
  const double weight = group.scores[0].parts[0].weight;
  normalise_parts(group, {});
  const double unit = std::sqrt(3.0);
  EXPECT_DOUBLE_EQ(group.scores[0].total, weight * unit * 2 / 3 + 0.25 * unit / 3);
  EXPECT_DOUBLE_EQ(group.scores[1].total, -weight * unit / 3 + 0.25 * unit / 3);
  EXPECT_EQ(group.scores[3].total, 0);
  EXPECT_EQ(group.scores[0].parts[0].value, 1);
  normalise_parts(group, {.floor = 2, .epsilon = 0.5});
  EXPECT_DOUBLE_EQ(group.scores[0].total, (weight * 2 / 3 + 0.25 / 3) / 2.5);
}

}  // namespace
}  // namespace plumb
