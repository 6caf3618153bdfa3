#include "eval/evaluation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "core/metric_names.h"
#include "eval/samples.h"

namespace plumb {
namespace {

PromptResult result_of(const std::string& unit, Language language, std::vector<bool> successes) {
  PromptResult result;
  result.unit = unit;
  result.id = unit + "/" + std::string(to_string(language));
  result.language = language;
  result.n = static_cast<int>(successes.size());
  result.c = result.c_audit = static_cast<int>(std::count(successes.begin(), successes.end(), true));
  result.ended = result.n;
  result.successes = std::move(successes);
  return result;
}

Evaluation small() {
  Evaluation evaluation;
  evaluation.stage = "sft";
  evaluation.set = "test";
  evaluation.temperature = 1;
  evaluation.prompts = {result_of("t/a", Language::kCpp, {true, false, false, false}),
                        result_of("t/a", Language::kPython, {true, true, false, false}),
                        result_of("t/b", Language::kCpp, {false, false, false, false}),
                        result_of("t/b", Language::kPython, {true, true, true, true})};
  return evaluation;
}

TEST(Evaluation, MetricsByHand) {
  const MetricMap metrics = evaluation_metrics(small());
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/avg@4"), 7.0 / 16);
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/pass@1"), 7.0 / 16);
  // pass@2 of 1, 2, 0 and 4 right in 4: 1/2, 5/6, 0, 1.
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/pass@2"), (0.5 + 5.0 / 6 + 1) / 4);
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/pass@4"), 0.75);
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/python/avg@4"), 0.75);
  EXPECT_DOUBLE_EQ(metrics.at("eval/test/cpp/avg@4"), 0.125);
  EXPECT_EQ(metrics.count("eval/test/greedy"), 0U);
  Evaluation warm = small();
  warm.temperature = 0.7;
  EXPECT_DOUBLE_EQ(evaluation_metrics(warm).at("eval/test@T0.7/cpp/avg@4"), 0.125);
  for (const auto& [name, value] : evaluation_metrics(warm)) {
    EXPECT_TRUE(is_metric_name(name)) << name;
    EXPECT_FALSE(metrics.contains(name)) << name;
  }
  for (const auto& [name, value] : metrics) {
    EXPECT_TRUE(is_metric_name(name)) << name;
  }
}

TEST(Evaluation, AReRankingCountsTheOneThatWasChosen) {
  Evaluation evaluation = small();
  EXPECT_FALSE(is_reranked(evaluation));
  EXPECT_EQ(evaluation_metrics(evaluation).count("eval/test/rm@4"), 0U);
  evaluation.prompts[0].reranked = 0;
  evaluation.prompts[1].reranked = 2;
  evaluation.prompts[2].reranked = 3;
  EXPECT_TRUE(is_reranked(evaluation));
  // Right, wrong, wrong, and a prompt that it was not asked about, all right.
  EXPECT_DOUBLE_EQ(evaluation_metrics(evaluation).at("eval/test/rm@4"), 0.5);
  EXPECT_DOUBLE_EQ(evaluation_metrics(evaluation).at("eval/test/cpp/rm@4"), 0.5);
  EXPECT_TRUE(is_metric_name("eval/test/rm@4"));
  const auto read = evaluation_from_json(to_json(evaluation));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->prompts[1].reranked, 2);
  EXPECT_EQ(read->prompts[3].reranked, -1);
  evaluation.prompts[1].reranked = 4;
  EXPECT_FALSE(evaluation_from_json(to_json(evaluation)));
}

TEST(Evaluation, AFewerSamplesAverageTakesTheFirstOnes) {
  EXPECT_DOUBLE_EQ(average_success(small(), 1), 0.75);
  EXPECT_DOUBLE_EQ(average_success(small(), 2), (0.5 + 1 + 0 + 1) / 4);
  EXPECT_TRUE(std::isnan(average_success(Evaluation{}, 1)));
}

TEST(Evaluation, MixedPromptsAreThoseWithSpread) {
  EXPECT_DOUBLE_EQ(share_mixed(small()), 0.5);
  EXPECT_DOUBLE_EQ(share_mixed(small(), {Language::kPython}), 0.5);
}

TEST(Evaluation, UnitsPairAcrossLanguages) {
  std::vector<std::string> units;
  EXPECT_EQ(per_unit(small(), Measure::kAverage, 4, {}, &units), (std::vector<double>{0.375, 0.5}));
  EXPECT_EQ(units, (std::vector<std::string>{"t/a", "t/b"}));
  Evaluation after = small();
  after.prompts[0] = result_of("t/a", Language::kCpp, {true, true, true, false});
  after.prompts.push_back(result_of("t/new", Language::kCpp, {true, true, true, true}));
  const Interval gain = improvement(small(), after, Measure::kAverage, 4);
  EXPECT_DOUBLE_EQ(gain.mean, 0.125);  // (0.625 - 0.375 + 0) / 2; t/new has no partner
}

TEST(Evaluation, FlipsGoByTheFirstSample) {
  Evaluation after = small();
  after.prompts[0].successes[0] = false;
  after.prompts[2].successes[0] = true;
  const FlipTable flips = flip_table(small(), after);
  EXPECT_EQ(flips.fail_to_pass, (std::vector<std::string>{"t/b/cpp"}));
  EXPECT_EQ(flips.pass_to_fail, (std::vector<std::string>{"t/a/cpp"}));
  EXPECT_EQ(flips.stayed_pass, 2);
  EXPECT_EQ(flips.stayed_fail, 0);
  EXPECT_EQ(flip_table(small(), after, {Language::kPython}).stayed_pass, 2);
}

TEST(Evaluation, PromptResultCountsGradedAndAuditApart) {
  ScoredGroup scored;
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "primer/f/python";
  prompt->language = Language::kPython;
  scored.group.prompt = prompt;
  scored.group.completions.resize(4);
  scored.scores.resize(4);
  scored.group.completions[0].finish_reason = FinishReason::kStop;
  scored.group.completions[1].finish_reason = FinishReason::kEndOfSequence;
  scored.scores[0].total = 1;
  scored.scores[0].audit = 1;
  scored.scores[1].total = 1;
  scored.scores[1].audit = 0;
  scored.scores[3].unscored = "worker lost";
  const PromptResult result = prompt_result(scored);
  EXPECT_EQ(result.unit, "primer/f");
  EXPECT_EQ(result.n, 3);
  EXPECT_EQ(result.c, 2);
  EXPECT_EQ(result.c_audit, 1);
  EXPECT_EQ(result.ended, 2);
  EXPECT_EQ(result.truncated, 1);
  EXPECT_EQ(result.unscored, 1);
  EXPECT_EQ(result.successes, (std::vector<bool>{true, false, false}));
}

TEST(Evaluation, FilesComeBackAsTheyWent) {
  const auto dir = std::filesystem::path(testing::TempDir()) / "plumb_evaluation";
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  ASSERT_TRUE(load_evaluations(dir).ok());
  Evaluation greedy = small();
  greedy.temperature = 0;
  ASSERT_TRUE(save_evaluation(dir, small()).ok());
  ASSERT_TRUE(save_evaluation(dir, greedy).ok());
  const auto loaded = load_evaluations(dir);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ(evaluation_file_name((*loaded)[0]), "sft-test-T1.json");
  EXPECT_EQ(evaluation_file_name((*loaded)[1]), "sft-test-greedy.json");
  EXPECT_EQ(to_json((*loaded)[0]), to_json(small()));
  std::ofstream(dir / "evals" / "bad.json") << "{\"format\": 1, \"stage\": 3}";
  const auto bad = load_evaluations(dir);
  ASSERT_FALSE(bad.ok());
  EXPECT_NE(bad.error().message.find("bad.json"), std::string::npos);
  std::filesystem::remove_all(dir);
}

TEST(Samples, HostileBytesSurviveTheFile) {
  ScoredGroup scored;
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "p";
  prompt->messages = {{"user", "do <b>it</b>"}};
  scored.group.prompt = prompt;
  scored.group.completions.resize(1);
  scored.group.completions[0].text = "```\n\xFF\x1B[2J</script>";
  scored.scores.resize(1);
  scored.scores[0].parts = {{"tests", 0, 1, "does not compile: \xC3("}};
  scored.scores[0].evidence = Evidence{};
  scored.scores[0].evidence->verdict = Verdict::kCE;
  scored.scores[0].evidence->passed = 1;
  scored.scores[0].evidence->total = 3;
  scored.scores[0].evidence->diagnostics = {{"error", "\x1B[31m\xFE", 1, 2}};
  scored.scores[0].evidence->output = std::string("\0\x80", 2);
  const SampleRecord sample = sample_record(scored, 0);
  const std::string line = to_json(sample).dump();
  const auto back = sample_from_json(nlohmann::json::parse(line));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->text, scored.group.completions[0].text);
  EXPECT_EQ(back->diagnostics[0].message, "\x1B[31m\xFE");
  EXPECT_EQ(back->output, scored.scores[0].evidence->output);
  EXPECT_EQ(back->verdict, "CE");
  EXPECT_EQ(back->passed, 1);
  EXPECT_EQ(back->tests, 3);
  EXPECT_EQ(back->prompt, "do <b>it</b>");
  EXPECT_TRUE(back->steps.empty());
  EXPECT_FALSE(sample_from_json({{"stage", "x"}}).ok());
}

// A compiler's warnings about a program that it built are no reason why it failed.
TEST(Samples, KeepReasonsAlone) {
  ScoredGroup scored;
  scored.group.prompt = std::make_shared<PromptRecord>();
  scored.group.completions.resize(1);
  scored.scores.resize(1);
  Evidence& evidence = scored.scores[0].evidence.emplace();
  evidence.diagnostics = {{"warning", "shift", 1, 2}, {"note", "call 1 differs", 0, 0}};
  const auto kept = [&](Verdict verdict) {
    evidence.verdict = verdict;
    return sample_record(scored, 0).diagnostics.size();
  };
  EXPECT_EQ(kept(Verdict::kWA), 1U);
  EXPECT_EQ(sample_record(scored, 0).diagnostics[0].severity, "note");
  EXPECT_EQ(kept(Verdict::kCE), 2U);
}

TEST(Samples, StepsAndTheAdvantagesOfTokensSurviveTheFile) {
  ScoredGroup scored;
  scored.group.prompt = std::make_shared<PromptRecord>();
  scored.group.completions.resize(1);
  scored.scores.resize(1);
  scored.scores[0].steps = {{2, 0.75}, {3, 1.0 / 3}};
  SampleRecord sample = sample_record(scored, 0);
  sample.token_advantages = {0.5, 0.5, -1.25};
  const auto back = sample_from_json(nlohmann::json::parse(to_json(sample).dump()));
  ASSERT_TRUE(back.ok());
  ASSERT_EQ(back->steps.size(), 2U);
  EXPECT_EQ(back->steps[1].end, 3);
  EXPECT_EQ(back->steps[1].score, 1.0 / 3);
  EXPECT_EQ(back->token_advantages, sample.token_advantages);
  EXPECT_FALSE(sample_from_json({{"steps", 3}}).ok());
}

}  // namespace
}  // namespace plumb
