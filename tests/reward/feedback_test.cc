#include "reward/rules/feedback.h"

#include <gtest/gtest.h>

#include "core/escape.h"

namespace plumb {
namespace {

Evidence failed_in(Verdict verdict, std::vector<Verdict> tests, int total) {
  Evidence evidence;
  evidence.verdict = verdict;
  evidence.tests = std::move(tests);
  evidence.total = total;
  for (const Verdict one : evidence.tests) {
    evidence.passed += one == Verdict::kAC ? 1 : 0;
  }
  return evidence;
}

TEST(Feedback, SaysWhichTestFailsAndHow) {
  EXPECT_EQ(feedback(failed_in(Verdict::kAC, {Verdict::kAC, Verdict::kAC}, 2), ""), "All 2 tests pass.");
  EXPECT_EQ(feedback(failed_in(Verdict::kWA, {Verdict::kAC, Verdict::kWA}, 5), ""),
            "Test 2 of 5 gives a wrong result.");
  EXPECT_EQ(feedback(failed_in(Verdict::kTLE, {Verdict::kAC, Verdict::kTLE, Verdict::kAC}, 3), ""),
            "Test 2 of 3 takes more time than is allowed. 2 of 3 tests pass.");
  EXPECT_EQ(feedback(failed_in(Verdict::kMLE, {}, 3), ""), "The program needs more memory than is allowed.");
}

TEST(Feedback, AFaultOfOursSaysNothing) {
  EXPECT_EQ(feedback(failed_in(Verdict::kSE, {}, 3), "x"), "");
  Score unscored;
  unscored.unscored = "worker lost";
  EXPECT_EQ(feedback(unscored, "no block"), "");
}

TEST(Feedback, QuotesTheLineOfAnError) {
  Evidence evidence = failed_in(Verdict::kCE, {}, 1);
  evidence.diagnostics = {{"warning", "unused", 1, 1}, {"error", "use of undeclared identifier 'x'", 2, 10}};
  EXPECT_EQ(feedback(evidence, "int f() {\n  return x;\n}\n"),
            "The program does not compile.\nLine 2: use of undeclared identifier 'x'\n    return x;");
  EXPECT_EQ(feedback(evidence, "one line"), "The program does not compile.\nLine 2: use of undeclared identifier 'x'");
}

TEST(Feedback, ShowsTestsOnlyWhereItMay) {
  const Evidence evidence = failed_in(Verdict::kWA, {Verdict::kAC, Verdict::kWA}, 2);
  const std::vector<TestCase> tests = {{{1}, 2}, {{2, "a"}, 41}};
  EXPECT_EQ(feedback(evidence, "").find("41"), std::string::npos);
  const std::string shown = feedback(evidence, "", {.shown_tests = tests});
  EXPECT_NE(shown.find("Its arguments are [2,\"a\"]; 41 is expected."), std::string::npos) << shown;
}

TEST(Feedback, NamesFindings) {
  Evidence evidence = failed_in(Verdict::kAC, {Verdict::kAC}, 1);
  evidence.findings = {{"shell", 78, "high", 2, 1, "a shell runs text from outside"}};
  EXPECT_EQ(feedback(evidence, "a\n  os.system(b)\n"),
            "The test passes.\nLine 2: a shell runs text from outside (CWE-78, high)\n    os.system(b)");
}

TEST(Feedback, StaysShortAndHarmlessWhateverTheProgramSays) {
  Evidence evidence = failed_in(Verdict::kRE, {Verdict::kRE}, 1);
  for (int i = 0; i < 50; ++i) {
    evidence.diagnostics.push_back({"error", "\x1b[2J\xff" + std::string(5000, 'x') + "\xe2\x82\xac", i, 0});
  }
  std::string source(100000, '\n');
  source += "\xe2\x82";
  for (const std::size_t bytes : {1, 40, 700, 2000}) {
    const std::string text = feedback(evidence, source, {.max_bytes = bytes});
    EXPECT_LE(text.size(), bytes);
    EXPECT_TRUE(is_utf8(text));
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
  }
  EXPECT_LE(feedback(evidence, source).size(), 2000U);
}

TEST(Feedback, AnAnswerWithoutABlockIsToldSo) {
  EXPECT_NE(feedback(Score(), "```python\nx = 1").find("no closed code block"), std::string::npos);
}

}  // namespace
}  // namespace plumb
