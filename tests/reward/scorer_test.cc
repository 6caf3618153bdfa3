#include "reward/rules/scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <utility>

#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

// A judge that reads the verdict off words in the source text.
class FakeJudge : public Judge {
 public:
  Evidence judge(const Submission& submission) override {
    ++judged;
    seen.push_back(submission);
    Evidence evidence;
    evidence.total = static_cast<int>(submission.args.size() + submission.program_tests.size());
    const bool audit = submission.id.ends_with("#audit");
    const auto has = [&](const char* word) { return submission.source.find(word) != std::string::npos; };
    if (has("broken") || (audit && has("audit-fault"))) {
      evidence.verdict = Verdict::kSE;
      evidence.fault = "worker lost";
    } else if (has("syntax")) {
      evidence.verdict = Verdict::kCE;
      evidence.diagnostics = {{"warning", "unused", 1, 1}, {"error", "expected ';'", 2, 3}};
    } else if (has("wrong") || (audit && has("narrow"))) {
      evidence.verdict = Verdict::kWA;
      evidence.passed = 1;
      evidence.tests = {Verdict::kAC, Verdict::kWA};
    } else {
      evidence.verdict = Verdict::kAC;
      evidence.passed = evidence.total;
    }
    return evidence;
  }
  std::vector<Evidence> judge_all(std::span<const Submission> submissions) override {
    std::vector<Evidence> evidence;
    for (const Submission& submission : submissions) {
      evidence.push_back(judge(submission));
    }
    return evidence;
  }

  [[nodiscard]] IsolationReport isolation() const override { return {}; }

  int judged = 0;
  std::vector<Submission> seen;
};

std::shared_ptr<PromptRecord> code_prompt() {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "t/f/cpp";
  prompt->domain = Domain::kCode;
  prompt->language = Language::kCpp;
  prompt->function = {"f", {{"x", "int"}}, "int"};
  prompt->tests = {{{1}, 2}, {{2}, 3}, {{5}, 6}};
  prompt->audit_tests = {{{7}, 8}, {{8}, 9}};
  return prompt;
}

std::string fenced(const std::string& source) {
  return "```cpp\n" + source + "\n```";
}

CompletionGroup group_of(std::shared_ptr<const PromptRecord> prompt, const std::vector<std::string>& texts) {
  CompletionGroup group;
  group.prompt = std::move(prompt);
  for (const std::string& text : texts) {
    Completion completion;
    completion.text = text;
    completion.token_ids.resize(text.size());
    completion.finish_reason = FinishReason::kStop;
    group.completions.push_back(completion);
  }
  return group;
}

TEST(Scorer, CodeEarnsOneOnlyIfAllTestsPass) {
  FakeJudge judge;
  Scorer scorer(judge, {});
  const auto scored = scorer.score({group_of(code_prompt(), {fenced("good"), fenced("wrong"), fenced("syntax"),
                                                             "no code", "```cpp\nopen", fenced("broken")})});
  ASSERT_EQ(scored.size(), 1U);
  const auto& scores = scored[0].scores;
  const double totals[] = {1, 0, 0, 0, 0};
  const std::string reasons[] = {"3 of 3 tests pass", "WA in test 2 (1 of 3 tests pass)",
                                 "does not compile: expected ';'", "no closed code block", "no closed code block"};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(scores[i].total, totals[i]);
    ASSERT_EQ(scores[i].parts.size(), 1U);
    EXPECT_EQ(scores[i].parts[0].name, "tests");
    EXPECT_EQ(scores[i].parts[0].reason, reasons[i]);
    EXPECT_FALSE(scores[i].unscored.has_value());
    EXPECT_FALSE(scores[i].audit.has_value());
  }
  EXPECT_EQ(scores[5].unscored, "worker lost");
  EXPECT_TRUE(scores[5].parts.empty());
  EXPECT_EQ(judge.seen[0].source, "good\n");
  EXPECT_EQ(judge.seen[0].args.size(), 3U);
}

TEST(Scorer, WholeProgramsAreJudgedByWhatTheyPrint) {
  FakeJudge judge;
  Scorer scorer(judge, {});
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "t/stdin/python";
  prompt->domain = Domain::kCode;
  prompt->language = Language::kPython;
  prompt->function = {"", {{"standard_input", "str"}}, "str"};
  prompt->tests = {{nlohmann::json::array({"1 2\n"}), "3\n"}, {nlohmann::json::array({"4 5\n"}), "9\n"}};
  EXPECT_EQ(scorer.score({group_of(prompt, {fenced("good")})})[0].scores[0].total, 1);
  ASSERT_EQ(judge.seen.size(), 1U);
  EXPECT_EQ(judge.seen[0].program_language, "python");
  ASSERT_EQ(judge.seen[0].program_tests.size(), 2U);
  EXPECT_EQ(judge.seen[0].program_tests[1].input, "4 5\n");
  EXPECT_EQ(judge.seen[0].program_tests[1].output, "9\n");
  EXPECT_TRUE(judge.seen[0].args.empty());
}

TEST(Scorer, EqualProgramsAreJudgedOnce) {
  FakeJudge judge;
  Scorer scorer(judge, {});
  auto other = code_prompt();
  other->id = "t/g/cpp";
  const auto scored = scorer.score({group_of(code_prompt(), {fenced("a"), "text\n" + fenced("a"), fenced("b")}),
                                    group_of(code_prompt(), {fenced("a")}), group_of(other, {fenced("a")})});
  EXPECT_EQ(judge.judged, 3);
  EXPECT_FALSE(scored[0].scores[0].evidence->cached);
  EXPECT_TRUE(scored[0].scores[1].evidence->cached);
  EXPECT_EQ(scored[1].scores[0].total, 1);
}

// The fake judge "runs" the tool as well: what it prints is the source's word on it.
class FindingJudge : public FakeJudge {
 public:
  Evidence judge(const Submission& submission) override {
    if (submission.program_language != "bash") {
      return FakeJudge::judge(submission);
    }
    Evidence looked;
    looked.verdict = Verdict::kAC;
    looked.exit_code = 0;
    const std::string& text = submission.program_tests.at(0).input;
    if (text.find("risky") != std::string::npos) {
      looked.output =
          R"({"findings": [{"rule": "security.insecureAPI.strcpy", "line": 1, "column": 2, "message": "insecure"}]})";
    }
    return looked;
  }
  [[nodiscard]] std::vector<std::string> clang_reader(const std::string& /*language*/,
                                                      const std::string& source) const override {
    return source.find("toolless") != std::string::npos ? std::vector<std::string>()
                                                        : std::vector<std::string>{"reader", "-x", "c++"};
  }
};

TEST(Scorer, FindingsAreTakenOffAndAMissingToolIsNoReward) {
  FindingJudge judge;
  ScorerOptions options;
  options.reward.findings_weight = 0.2;
  Scorer scorer(judge, options);
  const auto scored = scorer.score({group_of(code_prompt(), {fenced("fine"), fenced("risky"), fenced("toolless")})});
  EXPECT_EQ(scored[0].scores[0].total, 1);
  EXPECT_EQ(scored[0].scores[1].total, 1 - 0.2 * 0.5);
  EXPECT_EQ(scored[0].scores[1].evidence->findings.at(0).cwe, 120);
  ASSERT_TRUE(scored[0].scores[2].unscored.has_value());
  EXPECT_NE(scored[0].scores[2].unscored->find("clang-16"), std::string::npos);
}

TEST(Scorer, TheAuditSuiteNeverTouchesTheReward) {
  FakeJudge judge;
  Scorer scorer(judge, {.audit = true});
  const auto scored = scorer.score({group_of(code_prompt(), {fenced("good"), fenced("narrow"), fenced("wrong"), "none",
                                                             fenced("audit-fault"), fenced("broken")})});
  const auto& scores = scored[0].scores;
  EXPECT_EQ(scores[0].audit, 1.0);
  EXPECT_EQ(scores[1].total, 1);
  EXPECT_EQ(scores[1].audit, 0.0);
  EXPECT_EQ(scores[2].audit, 0.0);
  EXPECT_EQ(scores[3].audit, 0.0);
  EXPECT_EQ(scores[4].total, 1);
  EXPECT_FALSE(scores[4].audit.has_value());
  EXPECT_FALSE(scores[5].audit.has_value());
  EXPECT_DOUBLE_EQ(reward_metrics(scored)["reward/audit_gap"], 0.25);
}

TEST(Scorer, WhatIsKnownToHaveHadAFaultIsNotAskedAgain) {
  FakeJudge judge;
  const std::vector<std::string> texts{fenced("good"), fenced("broken"), fenced("audit-fault"), "none"};
  auto first = Scorer(judge, {.audit = true}).score({group_of(code_prompt(), texts)});
  ASSERT_EQ(first[0].scores[1].unscored, "worker lost");
  first[0].scores[0].unscored = "custom reward: busy";
  first[0].group.completions.emplace_back().finish_reason = FinishReason::kAborted;
  first[0].scores.emplace_back().unscored = "sampling was stopped";
  std::vector<std::optional<ScoringFault>> faults;
  for (std::size_t i = 0; i < first[0].scores.size(); ++i) {
    faults.push_back(fault_of(first[0], i, true));
  }
  ASSERT_TRUE(faults[2]);
  EXPECT_EQ(faults[2]->unscored, "");  // the audit alone was lost
  EXPECT_FALSE(fault_of(first[0], 2, false));
  EXPECT_FALSE(faults[3]);
  EXPECT_FALSE(faults[4]);

  // The same texts of a judge that has come to itself.
  class HealthyJudge : public FakeJudge {
   public:
    Evidence judge(const Submission& submission) override {
      ++judged;
      Evidence evidence;
      evidence.total = evidence.passed = static_cast<int>(submission.args.size());
      evidence.verdict = Verdict::kAC;
      return evidence;
    }
  } healthy;
  ScorerOptions options{.audit = true};
  options.known_faults = [&](const CompletionGroup& group, std::size_t i) {
    return group.draw == 0 ? faults[i] : std::nullopt;
  };
  Scorer scorer(healthy, options);
  const auto again = scorer.score({group_of(code_prompt(), texts)})[0].scores;
  EXPECT_EQ(healthy.judged, 2);  // what had no fault but that of its audit
  EXPECT_EQ(again[0].unscored, "custom reward: busy");
  EXPECT_EQ(again[0].evidence->verdict, Verdict::kAC);
  EXPECT_EQ(again[0].audit, 1);
  EXPECT_TRUE(again[0].parts.empty());
  EXPECT_EQ(again[1].unscored, "worker lost");
  EXPECT_EQ(again[1].evidence->verdict, Verdict::kSE);
  EXPECT_EQ(again[2].total, 1);
  EXPECT_FALSE(again[2].audit);
  EXPECT_EQ(again[3].audit, 0);

  auto later = group_of(code_prompt(), texts);  // of another draw they are asked about again
  later.draw = 1;
  const auto asked = scorer.score({later})[0].scores;
  EXPECT_FALSE(asked[0].unscored);
  EXPECT_FALSE(asked[1].unscored);
  EXPECT_EQ(asked[2].audit, 1);
}

TEST(Scorer, MathEarnsOneIfEqual) {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->domain = Domain::kMath;
  prompt->answer = "1/2";
  FakeJudge judge;
  const auto scored =
      Scorer(judge, {}).score({group_of(prompt, {"\\boxed{0.5}", "Answer: 2", "half", "Answer: one half"})});
  EXPECT_EQ(scored[0].scores[0].total, 1);
  EXPECT_EQ(scored[0].scores[1].total, 0);
  EXPECT_EQ(scored[0].scores[2].parts[0].reason, "no answer: neither a complete \\boxed{} nor an answer marker");
  EXPECT_EQ(scored[0].scores[3].parts[0].reason, "not_equal 'one half': words against mathematics");
  EXPECT_EQ(judge.judged, 0);
}

TEST(Scorer, AMissingMathsWorkerLeavesUnscored) {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->domain = Domain::kMath;
  prompt->answer = "1/2";
  FakeJudge judge;
  ScorerOptions options;
  options.math_worker.path = "/nonexistent/plumb-maths";
  const auto scored = Scorer(judge, options).score({group_of(prompt, {"\\boxed{0.5}"})});
  EXPECT_TRUE(scored[0].scores[0].parts.empty());
  EXPECT_NE(scored[0].scores[0].unscored.value_or("").find("plumb-maths"), std::string::npos);
}

TEST(Scorer, WhatNoRuleScoresIsUnscored) {
  auto chat = std::make_shared<PromptRecord>();
  chat->domain = Domain::kChat;
  auto untested = code_prompt();
  untested->tests.clear();
  FakeJudge judge;
  auto aborted = group_of(code_prompt(), {fenced("good")});
  aborted.completions[0].finish_reason = FinishReason::kAborted;
  const auto scored = Scorer(judge, {}).score({group_of(chat, {"hi"}), group_of(untested, {fenced("x")}), aborted});
  for (const auto& group : scored) {
    EXPECT_TRUE(group.scores[0].unscored.has_value());
  }
}

TEST(Scorer, SharesOfTestsNeedAllOfThem) {
  FakeJudge judge;
  ScorerOptions options;
  options.audit = true;
  options.reward.code = CodeScoring::kFraction;
  options.reward.source_weights = {"other: fraction=0"};
  auto other = code_prompt();
  other->id = "t/g/cpp";
  other->data_source = "other";
  const auto scored = Scorer(judge, options)
                          .score({group_of(code_prompt(), {fenced("good"), fenced("narrow"), fenced("syntax"), "none"}),
                                  group_of(other, {fenced("wrong")})});
  EXPECT_FALSE(judge.seen[0].stop_at_first_failure);
  EXPECT_TRUE(judge.seen[3].stop_at_first_failure);
  EXPECT_TRUE(judge.seen[4].stop_at_first_failure) << judge.seen[4].id;
  EXPECT_EQ(scored[0].scores[0].total, 1);
  EXPECT_EQ(scored[0].scores[2].total, 0);
  EXPECT_EQ(scored[0].scores[3].parts.size(), 2U);
  EXPECT_EQ(scored[1].scores[0].parts.size(), 1U);
  EXPECT_DOUBLE_EQ(reward_metrics(scored)["reward/audit_gap"], 1.0 / 5);
}

// A program that gives half a point to what mentions "good" and dies of what mentions "fatal".
std::vector<std::string> custom_command() {
  return {"python3", "-c",
          "import json, os, sys\n"
          "for line in sys.stdin:\n"
          "    row = json.loads(line)\n"
          "    if 'fatal' in row['completion']:\n"
          "        os._exit(1)\n"
          "    score = 0.5 if 'good' in row['completion'] else 0\n"
          "    print(json.dumps({'id': row['id'], 'score': score, 'reason': 'heard'}), flush=True)\n"};
}

TEST(Scorer, ACustomRewardIsAPartBesideTheVerdict) {
  FakeJudge judge;
  ScorerOptions options;
  options.reward.custom.command = custom_command();
  options.reward.custom.retries = 1;
  options.reward.custom_weight = 0.2;
  options.reward.source_weights = {"other: custom=0"};
  auto other = code_prompt();
  other->data_source = "other";
  const auto scored = Scorer(judge, options)
                          .score({group_of(code_prompt(), {fenced("good"), fenced("wrong"), fenced("fatal"), "good"}),
                                  group_of(other, {fenced("good fatal")})});
  const std::vector<Score>& scores = scored[0].scores;
  EXPECT_DOUBLE_EQ(scores[0].total, 0.8 + 0.2 * 0.5);
  EXPECT_TRUE(is_solved(scores[0]));
  EXPECT_EQ(scores[0].parts.back().reason, "heard");
  EXPECT_EQ(scores[1].total, 0);
  ASSERT_TRUE(scores[2].unscored.has_value());
  EXPECT_NE(scores[2].unscored->find("it exited with status 1"), std::string::npos);
  EXPECT_TRUE(scores[2].parts.empty());
  EXPECT_DOUBLE_EQ(scores[3].total, 0.1);  // no code, but the part is its own
  EXPECT_EQ(scored[1].scores[0].total, 1);
}

TEST(Scorer, ACustomRewardInPlaceOfTheVerdictAsksNothingElse) {
  FakeJudge judge;
  ScorerOptions options;
  options.reward.custom.command = custom_command();
  options.reward.custom.role = CustomRole::kVerdict;
  options.reward.format_weight = 0.1;
  auto chat = std::make_shared<PromptRecord>();
  chat->id = "chat";
  chat->domain = Domain::kChat;
  const auto scored =
      Scorer(judge, options)
          .score({group_of(code_prompt(), {fenced("wrong"), fenced("good")}), group_of(chat, {"good"})});
  EXPECT_EQ(judge.judged, 0);
  EXPECT_DOUBLE_EQ(scored[0].scores[0].total, 0.1);
  EXPECT_DOUBLE_EQ(scored[0].scores[1].total, 0.1 + 0.9 * 0.5);
  EXPECT_EQ(scored[0].scores[1].parts.front().name, "custom");
  EXPECT_FALSE(is_solved(scored[0].scores[1]));
  EXPECT_FALSE(scored[1].scores[0].unscored.has_value());
}

// Tests 1, 0, 0 of weight 0.75 and a shaping part 1, 1, 0 of weight 0.25: advantages from the verdict are 0.5, -0.25,
// -0.25, from shaping 1/12, 1/12, -1/6.
TEST(RewardMetrics, ShapingOnlyGain) {
  ScoredGroup scored;
  scored.group = group_of(code_prompt(), {"a", "b", "c"});
  for (const auto& [solved, shaped] : {std::pair{1.0, 1.0}, {0.0, 1.0}, {0.0, 0.0}}) {
    Score score;
    set_score(score, {{"tests", solved, 1, ""}, {"ran", shaped, 0.25, "", PartKind::kShaping}});
    scored.scores.push_back(score);
  }
  const auto metrics = reward_metrics(std::span(&scored, 1));
  EXPECT_DOUBLE_EQ(metrics.at("reward/shaping_only_gain"), (1.0 / 3) / (1.0 + 1.0 / 3));
  EXPECT_DOUBLE_EQ(metrics.at("reward/ran/std"), std::sqrt(1.0 / 3));
  EXPECT_DOUBLE_EQ(metrics.at("reward/tests/mean"), 1.0 / 3);
  EXPECT_EQ(scored.scores[0].total, 1);
}

TEST(RewardMetrics, HandWorked) {
  FakeJudge judge;
  auto groups =
      std::vector{group_of(code_prompt(), {fenced("good"), fenced("wrong"), fenced("wrong"), fenced("wrong")}),
                  group_of(code_prompt(), {fenced("good"), fenced("good2"), fenced("broken"), "x"})};
  groups[1].completions[3].finish_reason = FinishReason::kLength;
  for (auto& completion : groups[1].completions) {
    completion.token_ids.resize(40);
  }
  groups[0].completions[0].token_ids.resize(90);
  const auto metrics = reward_metrics(Scorer(judge, {}).score(groups));
  EXPECT_DOUBLE_EQ(metrics.at("reward"), 3.0 / 7);
  EXPECT_DOUBLE_EQ(metrics.at("reward/tests/mean"), 3.0 / 7);
  // Rewards 1,0,0,0 spread by 1/2; rewards 1,1,0 by sqrt(1/3).
  EXPECT_DOUBLE_EQ(metrics.at("reward_std"), (0.5 + std::sqrt(1.0 / 3)) / 2);
  EXPECT_EQ(metrics.at("frac_reward_zero_std"), 0);
  EXPECT_EQ(metrics.at("groups/unscored"), 1);
  EXPECT_EQ(metrics.at("completions/max_length"), 90);
  EXPECT_DOUBLE_EQ(metrics.at("completions/clipped_ratio"), 1.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.at("completions/eos_ratio"), 7.0 / 8);
  EXPECT_DOUBLE_EQ(metrics.at("completions/duplicates"), 2.0 / 8);
  EXPECT_EQ(metrics.count("reward/audit_gap"), 0U);
  EXPECT_EQ(metrics.count("reward/tests/std"), 0U);
  EXPECT_EQ(metrics.count("reward/shaping_only_gain"), 0U);
  EXPECT_TRUE(std::isnan(reward_metrics({}).at("reward")));
}

}  // namespace
}  // namespace plumb
