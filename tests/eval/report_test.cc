#include "eval/report/report.h"

#include "core/escape.h"
#include "eval/evaluation.h"
#include "tests/eval/report_fixture.h"
#include "tests/support/synthetic_run.h"

namespace plumb {
namespace {

using ReportTest = ReportFixture;

TEST_F(ReportTest, HoldsEveryPart) {
  ASSERT_TRUE(write_synthetic_run(dir_).ok());
  const std::string html = report();
  for (const char* part : {"avg@4, T = 1",
                           "pass@8, T = 1",
                           "Greedy",
                           "fail → pass",
                           "pass@k against k",
                           "Accuracy against temperature",
                           "Reward",
                           "Entropy",
                           "Gradient norm",
                           "Learning rate",
                           "Audit gap",
                           "Where the time went",
                           "TFLOP, 50",
                           "Completions side by side",
                           "does not compile",
                           "no matching function",
                           "Health",
                           "A loss near 0 is normal here",
                           "Manifest",
                           "Resolved config",
                           "How completions turn out"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html.find("rm@"), std::string::npos);  // no reward model chose anything
  EXPECT_NE(html.find("over functions (both languages together), and"), std::string::npos);  // there are no questions
  EXPECT_NE(html.find("completions of each at T = "), std::string::npos);
}

TEST_F(ReportTest, WhatCouldNotBeJudgedIsSaid) {
  ASSERT_TRUE(write_synthetic_run(dir_, {.functions = 10, .grpo_steps = 20}).ok());
  EXPECT_EQ(report().find("could not be judged, for faults"), std::string::npos);
  auto evaluations = load_evaluations(dir_);
  ASSERT_TRUE(evaluations);
  Evaluation& last = evaluations->back();
  for (PromptResult& prompt : last.prompts) {
    prompt.unscored = prompt.n;
  }
  ASSERT_TRUE(save_evaluation(dir_, last).ok());
  EXPECT_NE(report().find("50.0% of the " + last.stage + " completions"), std::string::npos);
}

TEST_F(ReportTest, NothingRunsAndNothingLoads) {
  ASSERT_TRUE(write_synthetic_run(dir_).ok());
  const std::string html = report();
  EXPECT_NE(html.find("default-src &#39;none&#39;; style-src &#39;sha256-"), std::string::npos);
  for (const char* loads : {"<script", "<link", "<img", "<iframe", "http://", "https://", "url(", "@import",
                            " style=\"", "javascript:", " onload"}) {
    EXPECT_EQ(html.find(loads), std::string::npos) << loads;
  }
  EXPECT_EQ(count(html, "<style>"), 1U);
}

TEST_F(ReportTest, HostileTextStaysText) {
  ASSERT_TRUE(write_synthetic_run(dir_, {.functions = 10, .grpo_steps = 20, .hostile = true}).ok());
  const std::string html = report();
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find('\x1B'), std::string::npos);
  EXPECT_TRUE(is_utf8(html));
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;␛[31mred␛[0m \uFFFD\uFFFD( [U+202E]gnp"),
            std::string::npos);
}

TEST_F(ReportTest, TheSameRunGivesTheSameBytes) {
  ASSERT_TRUE(write_synthetic_run(dir_, {.functions = 10, .grpo_steps = 20}).ok());
  const std::string first = report();
  EXPECT_EQ(first, report());
}

TEST_F(ReportTest, AHalfRunGivesAPage) {
  write("manifest.json", "{}");
  EXPECT_NE(report().find("Nothing has been evaluated"), std::string::npos);
  std::ofstream(dir_ / "metrics.jsonl")
      << "{\"stage\":\"grpo\",\"step\":1,\"reward\":0.5,\"kl\":null}\n{\"stage\":\"gr";
  EXPECT_NE(report().find("Reward"), std::string::npos);
}

TEST_F(ReportTest, DamageIsNamedWithItsLine) {
  std::ofstream(dir_ / "metrics.jsonl")
      << "{\"stage\":\"grpo\",\"step\":1}\nnonsense\n{\"stage\":\"grpo\",\"step\":2}\n";
  const auto written = write_report(dir_);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("metrics.jsonl, line 2"), std::string::npos) << written.error().message;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "report.html"));
  EXPECT_FALSE(write_report(dir_ / "absent").ok());
}

TEST_F(ReportTest, AFolderWithoutARunIsRefused) {
  write("notes.txt", "nothing of a run");
  const auto written = write_report(dir_);
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("holds no run"), std::string::npos) << written.error().message;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "report.html"));
}

}  // namespace
}  // namespace plumb
