// What the report says of a reward model's own evaluation.

#include "tests/eval/report_fixture.h"

namespace plumb {
namespace {

using ReportRewardModel = ReportFixture;

constexpr const char* kFigures = R"({"good": "Yes", "bad": "No", "held_out": {
  "all": {"accuracy": 0.75, "low": 0.625, "high": 0.875, "pairs": 40},
  "hard": {"accuracy": 0.5, "low": 0.25, "high": 0.625, "pairs": 16},
  "verdict CE": {"accuracy": 1.0, "low": null, "high": null, "pairs": 8},
  "verdict none": {"accuracy": 0.25, "low": 0.125, "high": 0.375, "pairs": 4},
  "baseline: log_prob": {"accuracy": 0.7, "low": 0.6, "high": 0.8, "pairs": 40},
  "baseline: log_prob, hard": {"accuracy": 0.55, "low": 0.45, "high": 0.65, "pairs": 16},
  "baseline: shorter": {"accuracy": 0.4, "low": 0.3, "high": 0.5, "pairs": 40},
  "ece": 0.125,
  "reliability": [{"confidence": 0.6, "accuracy": 0.5, "count": 10}, {"confidence": 0.95, "accuracy": 0.8, "count": 30}]
  }, "eval_pairs": {"<script>alert(1)</script>.jsonl": {
  "all": {"accuracy": 0.9, "low": 0.8, "high": 1.0, "pairs": 20},
  "baseline: <img src=x>": {"accuracy": 0.5, "low": 0.5, "high": 0.5, "pairs": 20},
  "verdict <svg onload=x>": {"accuracy": 0.5, "low": 0.5, "high": 0.5, "pairs": 20}}}})";

TEST_F(ReportRewardModel, AccuraciesStandBesideTheBaselines) {
  write("reward_model.json", kFigures);
  const std::string html = report();
  EXPECT_FALSE(holds(html, "Nothing has been evaluated"));
  EXPECT_TRUE(holds(html,
                    "Of 40 pairs of families that it never trained on, the reward model puts the better completion "
                    "ahead in <b>75.0%</b>; the best rule without it (the likelier one) does so in 70.0%."));
  EXPECT_TRUE(holds(html,
                    "<td class=\"l\">All pairs</td><td>40</td><td class=\"final\">75.0%<span class=\"ci\">62.5 – "
                    "87.5</span></td>"));
  EXPECT_TRUE(holds(html, "<td>70.0%<span class=\"ci\">60.0 – 80.0</span></td><td>40.0%"));
  EXPECT_TRUE(holds(html, "<td>55.0%<span class=\"ci\">45.0 – 65.0</span></td><td>–</td></tr>"));  // of hard pairs
  // No interval was found, and the baselines were not asked about one verdict alone.
  EXPECT_TRUE(holds(html, "The worse one: does not compile</td><td>8</td><td class=\"final\">100.0%</td>"));
  EXPECT_TRUE(holds(html, "The worse one: no program, or maths"));
}

TEST_F(ReportRewardModel, ReliabilityIsDrawnAndSaid) {
  write("reward_model.json", kFigures);
  const std::string html = report();
  EXPECT_TRUE(holds(html, "<title>10 pairs: 50.0% at 60</title>"));
  EXPECT_TRUE(holds(html, "<title>30 pairs: 80.0% at 95</title>"));
  EXPECT_EQ(count(html, "class=\"dot"), 2U);  // the other pairs' file has no bins, and no empty plot
  // Means over pairs: (10 * 0.6 + 30 * 0.95) / 40 and (10 * 0.5 + 30 * 0.8) / 40.
  EXPECT_TRUE(holds(html,
                    "off by 12.5 points in the mean (expected calibration error, ECE 0.125): it is too sure of "
                    "itself. On average it gives its choice 86.2%, and is right for 72.5% of the pairs."));
}

// A model of steps, from rows that have one completion of each prompt: no pairs, and rates from 0 to 1.
TEST_F(ReportRewardModel, StepsHaveRowsAndADiagramFromNothingToAll) {
  write("reward_model.json", R"({"held_out": {"margin": {"mean": null},
  "steps": {"accuracy": 0.8, "low": 0.7, "high": 0.9, "pairs": 50},
  "steps of most": {"accuracy": 0.6, "low": 0.5, "high": 0.7, "pairs": 50},
  "completions": 12, "mse": 0.1, "mse_of_mean": 0.2, "auc": 0.9, "ece": 0.1,
  "reliability": [{"confidence": 0.05, "accuracy": 0.2, "count": 10}, {"confidence": 0.95, "accuracy": 0.9, "count": 40}]}})");
  const std::string html = report();
  EXPECT_TRUE(holds(html,
                    "<td class=\"l\">Steps, each by itself</td><td>50</td><td class=\"final\">80.0%<span class=\"ci\">"
                    "70.0 – 90.0</span></td>"));
  EXPECT_TRUE(holds(html, "<th>the side of most steps</th>"));  // a rule beside the model, not a row under its name
  EXPECT_TRUE(holds(html, "<td>60.0%<span class=\"ci\">50.0 – 70.0</span></td></tr>"));
  EXPECT_EQ(count(html, "class=\"final\""), 1U);
  EXPECT_TRUE(holds(html, "area under the ROC curve 0.9"));
  EXPECT_TRUE(holds(html, "<title>10 of them: 20.0% at 5</title>"));
  // (10 * 0.05 + 40 * 0.95) / 50 and (10 * 0.2 + 40 * 0.9) / 50.
  EXPECT_TRUE(holds(html, "It says 77.0% on average, where 76.0% is so; ECE 0.1."));
  EXPECT_EQ(count(html, "class=\"dot"), 2U);
}

// What is learned from decides what is counted, and a rule that cannot tell is no rival.
TEST_F(ReportRewardModel, StepsAreCalledStepsAndMathsIsNotAskedWhetherItCompiles) {
  write("metrics.jsonl", R"({"stage":"reward_model","step":1,"loss":0.5,"accuracy":0.75})"
                         "\n"
                         R"({"stage":"reward_model","step":2,"loss":0.4,"accuracy":0.75})"
                         "\n");
  write("reward_model.json", R"({"objective": "steps", "held_out": {
  "all": {"accuracy": 0.5625, "low": 0.5, "high": 0.625, "pairs": 64},
  "verdict none": {"accuracy": 0.5625, "low": 0.5, "high": 0.625, "pairs": 64},
  "baseline: compiles": {"accuracy": 0.5, "low": 0.5, "high": 0.5, "pairs": 64},
  "baseline: shorter": {"accuracy": 0.4375, "low": 0.4, "high": 0.5, "pairs": 64},
  "steps": {"accuracy": 0.8, "low": 0.7, "high": 0.9, "pairs": 50},
  "steps of most": {"accuracy": 0.75, "low": 0.5, "high": 0.7, "pairs": 50},
  "completions": 12, "mse": 0.1, "mse_of_mean": 0.2, "auc": 0.9, "ece": 0.1, "reliability": []}})");
  const std::string html = report();
  EXPECT_FALSE(holds(html, "compiles"));
  EXPECT_TRUE(holds(html,
                    "Of 50 steps of families that it never trained on, the reward model is on the right side for "
                    "<b>80.0%</b>; always saying the side of most of them is for 75.0%. Of 64 pairs of a right and a "
                    "wrong completion it puts the right one’s least step ahead in <b>56.2%</b>; the best rule without "
                    "it (the shorter one) does so in 43.8%."))
      << html.substr(html.find("<h1>"), 900);
  EXPECT_TRUE(holds(html, "<h3>Reward model: loss (nats per step)</h3>"));
  EXPECT_TRUE(holds(html, "<h3>Reward model: steps on the right side</h3>"));
  EXPECT_FALSE(holds(html, "<h3>Reward model: the better one ahead</h3>"));
  EXPECT_TRUE(holds(html, "steps of the batch: 75.0% at 1"));
}

TEST_F(ReportRewardModel, TheObjectiveOfARunThatGoesOnIsItsConfigs) {
  write("metrics.jsonl", R"({"stage":"reward_model","step":1,"loss":0.5,"accuracy":0.75})");
  write("config.toml", "[rm]\nobjective = \"regression\"  # squared error\n");
  std::ofstream(dir_ / "metrics.jsonl", std::ios::app) << "\n";
  const std::string html = report();
  EXPECT_TRUE(holds(html, "<h3>Reward model: loss (squared error)</h3>"));
  EXPECT_TRUE(holds(html, "<h3>Reward model: completions on the right side</h3>"));
}

TEST_F(ReportRewardModel, NothingHeldOutIsSaid) {
  for (const char* figures :
       {R"({"objective": "pairs", "held_out": {}})", R"({"held_out": {"margin": {"mean": null}, "ece": 0}})",
        R"({"held_out": {"steps": {"accuracy": null, "pairs": 0}, "mse": null}})"}) {
    write("reward_model.json", figures);
    const std::string html = report();
    EXPECT_TRUE(holds(html, "Nothing was held out (rm.dev_share), so nothing says how good this reward model is."))
        << figures;
    EXPECT_FALSE(holds(html, "The reward model on what")) << figures;
  }
}

TEST_F(ReportRewardModel, HostileNamesStayText) {
  write("reward_model.json", kFigures);
  const std::string html = report();
  for (const char* bad : {"<script", "<img", "<svg onload"}) {
    EXPECT_FALSE(holds(html, bad)) << bad;
  }
  EXPECT_TRUE(holds(html, "Held-out families of &lt;script&gt;alert(1)&lt;/script&gt;.jsonl"));
  EXPECT_TRUE(holds(html, "&lt;svg onload=x&gt;"));
}

TEST_F(ReportRewardModel, OddFilesGiveAPageOrASentence) {
  for (const char* figures : {"{}", R"({"held_out": 3, "eval_pairs": []})", R"({"held_out": {}})",
                              R"({"held_out": {"all": 1, "reliability": {"a": 1}}})"}) {
    write("reward_model.json", figures);
    EXPECT_FALSE(holds(report(), "class=\"dot")) << figures;
  }
  EXPECT_FALSE(holds((write("reward_model.json", "{}"), report()), "The reward model on what"));
  write("reward_model.json", "[1]");
  const auto written = write_report(dir_);
  ASSERT_FALSE(written.ok());
  EXPECT_TRUE(holds(written.error().message, "reward_model.json: expected a JSON object"));
}

}  // namespace
}  // namespace plumb
