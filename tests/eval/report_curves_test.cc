// Which curves the report draws of which metrics.

#include <fmt/format.h>

#include "core/metric_names.h"
#include "tests/eval/report_fixture.h"

namespace plumb {
namespace {

class ReportCurves : public ReportFixture {
 protected:
  // So many steps of a stage, each with these metrics; "$" stands for a number that changes with the step.
  void write_steps(const std::string& stage, int steps, const std::string& metrics) const {
    std::ofstream out(dir_ / "metrics.jsonl", std::ios::app | std::ios::binary);
    for (int step = 1; step <= steps; ++step) {
      std::string values = metrics;
      for (std::size_t at = values.find('$'); at != std::string::npos; at = values.find('$')) {
        values.replace(at, 1, fmt::format("{}", 0.01 * step));
      }
      out << fmt::format("{{\"stage\":\"{}\",\"step\":{},{}}}\n", stage, step, values);
    }
  }

  // The HTML between a panel's title and the end of its chart; empty where there is no such panel.
  static std::string panel(const std::string& html, const std::string& title) {
    const std::size_t begin = html.find("<h3>" + title + "</h3>");
    return begin == std::string::npos ? "" : html.substr(begin, html.find("</svg></div>", begin) - begin);
  }
};

TEST_F(ReportCurves, PartsOfTheRewardAndTheModelBesideTheVerdicts) {
  write_steps("grpo", 8,
              R"("reward":$,"reward/tests/mean":$,"reward/format/mean":$,"reward/length/mean":-0.1,)"
              R"("reward/format/std":$,"reward/proxy":$,"reward/gold":0.25,"reward/shaping_only_gain":0.5)");
  const std::string html = report();
  const std::string parts = panel(html, "Parts of the reward (mean value)");
  for (const char* label : {"</svg>format", "</svg>length", "</svg>tests"}) {
    EXPECT_TRUE(holds(parts, label)) << label;
  }
  EXPECT_EQ(count(parts, "<path"), 6U);  // each as it was and smoothed
  EXPECT_TRUE(holds(panel(html, "Parts of the reward (deviation in a group)"), "format: 0.04 at 4"));
  const std::string proxy = panel(html, "Reward model beside the verdicts (code)");
  EXPECT_TRUE(holds(proxy, "solved: 25.0% at 3"));
  EXPECT_EQ(count(proxy, "<path"), 4U);
  EXPECT_TRUE(holds(html, "Shaping’s share of the advantages"));
  EXPECT_FALSE(holds(html, "All other metrics"));
}

TEST_F(ReportCurves, ManyPartsHaveAColourEach) {
  write_steps("grpo", 3,
              R"("reward/p1/mean":$,"reward/p2/mean":$,"reward/p3/mean":$,"reward/p4/mean":$,)"
              R"("reward/p5/mean":$,"reward/p6/mean":$,"reward/p7/mean":$)");
  const std::string html = report();
  EXPECT_EQ(count(panel(html, "Parts of the reward (mean value)"), "<path"), 6U);
  EXPECT_TRUE(holds(panel(html, "Parts of the reward (mean value), more"), "p7: 0.03 at 3"));
}

TEST_F(ReportCurves, WhatMovedHasAPanelAndWhatDidNotIsAmongTheOthers) {
  const std::string still = R"("kl":0,"clip_ratio/low_mean":0,"clip_ratio/high_mean":0,"ratio/max_abs_dev":0)";
  write_steps("grpo", 8, still);
  std::string html = report();
  for (const char* title : {"KL divergence (nats per token)", "Clipped tokens (share)",
                            "Largest deviation of a ratio from 1", "Advantage", "Reward"}) {
    EXPECT_EQ(panel(html, title), "") << title;
  }
  EXPECT_TRUE(holds(html, "All other metrics (4)"));
  EXPECT_TRUE(holds(panel(html, "clip_ratio/low_mean"), "<path"));

  std::filesystem::remove(dir_ / "metrics.jsonl");
  write_steps("grpo", 8,
              R"("kl":$,"clip_ratio/low_mean":0,"clip_ratio/high_mean":$,"ratio/max_abs_dev":$,"advantage/mean":0,)"
              R"("advantage/std":$)");
  html = report();
  for (const char* title : {"KL divergence (nats per token)", "Clipped tokens (share)",
                            "Largest deviation of a ratio from 1", "Advantage"}) {
    EXPECT_TRUE(holds(panel(html, title), "<path")) << title;
  }
  EXPECT_FALSE(holds(html, "All other metrics"));
}

TEST_F(ReportCurves, SourcesOfSftAndTheRewardModelsSteps) {
  write_steps("sft", 8, R"("loss":$,"loss/mine":$,"loss/theirs":0.5)");
  write_steps("reward_model", 8, R"("loss":$,"accuracy":0.5,"margin":$,"grad_norm":$,"learning_rate":$)");
  const std::string html = report();
  EXPECT_EQ(count(panel(html, "SFT loss by source (nats per token)"), "<path"), 4U);
  EXPECT_TRUE(holds(html, "theirs: 0.5 at 7"));
  for (const char* title :
       {"Reward model: loss (nats per pair)", "Reward model: the better one ahead",
        "Reward model: margin (better − worse)", "Reward model: gradient norm", "Reward model: learning rate"}) {
    EXPECT_TRUE(holds(panel(html, title), "<path")) << title;
  }
  EXPECT_FALSE(holds(html, "All other metrics"));
}

TEST_F(ReportCurves, EveryMetricIsSomewhere) {
  std::string metrics = R"("eval/dev/pass@8":$)";
  for (const std::string_view name : kMetricNames) {
    metrics += fmt::format(",\"{}\":$", name);
  }
  write_steps("grpo", 3, metrics);
  write_steps("eval", 1, R"("eval/test/greedy":0.25)");
  write("timings.jsonl", "{\"stage\":\"grpo\",\"step\":1,\"perf/rss_mib\":5}\n");
  const std::string html = report();
  // Eighteen have no panel of this stage; a point of a panel's curve is a dot where there are so few.
  EXPECT_EQ(count(html, "class=\"dot"), 3 * (kMetricNames.size() - 18));
  EXPECT_TRUE(holds(html, "All other metrics (21)"));
  for (const char* name : {"num_tokens", "epoch", "router/z_loss", "router/balance", "loss", "eval_loss", "accuracy",
                           "margin", "eval/dev/pass@8"}) {
    EXPECT_TRUE(holds(panel(html, name), "last: ")) << name;
  }
  EXPECT_TRUE(holds(html, "<td class=\"l\">eval/test/greedy</td><td>0.25</td>"));
  EXPECT_TRUE(holds(html, "<td class=\"l\">perf/rss_mib</td><td>5</td>"));
}

TEST_F(ReportCurves, TheCoefficientThatFollowsATargetIsDrawn) {
  write_steps("grpo", 8, R"("entropy":0.5,"entropy_coefficient":$)");
  const std::string html = report();
  EXPECT_TRUE(holds(panel(html, "Entropy coefficient"), "coefficient: 0.04 at 4"));
  EXPECT_FALSE(holds(html, "All other metrics"));
}

TEST_F(ReportCurves, EvaluationsBeforeAndAfterAreNotThoseWithinTheRun) {
  write_steps("grpo", 3, R"("reward":$,"eval/dev/avg@4":$)");
  write_steps("grpo", 2, R"("eval/test/avg@4":0.9,"eval/test@T0.7/avg@4":0.8)");
  const std::string within = panel(report(), "Evaluation on dev");
  EXPECT_TRUE(holds(within, "dev/avg@4: ")) << within;
  EXPECT_FALSE(holds(within, "test"));
}

TEST_F(ReportCurves, GuardsStandSideBySide) {
  write_steps("base", 1, R"("guard/perplexity":20,"guard/humaneval":0.2)");
  write_steps("sft", 1, R"("guard/perplexity":21,"guard/kl":0.25,"guard/humaneval":0.15)");
  write_steps("grpo", 4, R"("reward":$,"guard/perplexity":30,"guard/kl":0.5)");
  const std::string html = report();
  const std::string table = html.substr(html.find("What it may have unlearned"), 2000);
  EXPECT_TRUE(holds(table, "<td class=\"l\">Base</td><td>20</td><td>–</td><td>20.0%</td>")) << table;
  EXPECT_TRUE(holds(table, "<td>21</td><td>0.25</td><td><span class=\"chip down\">15.0%</span></td>")) << table;
  EXPECT_TRUE(holds(table, "<td class=\"l\">GRPO</td><td><span class=\"chip down\">30</span></td><td>0.5</td>"))
      << table;
  write("metrics.jsonl", "");
  write("manifest.json", "{}");
  EXPECT_FALSE(holds(report(), "What it may have unlearned"));
}

TEST_F(ReportCurves, HostileNamesStayText) {
  write_steps("grpo<script>", 3, R"("<img src=x onerror=alert(1)>":$)");
  write_steps("grpo", 3, R"("reward/<script>alert(1)</script>/mean":$,"reward/<img src=x>/mean":$,"<svg onload=x>":$)");
  write_steps("eval", 1, R"("<img src=y onerror=alert(1)>":$)");  // a single value is not drawn
  write_steps("sft", 3, R"("loss/<script>alert(2)</script>":$)");
  const std::string html = report();
  for (const char* bad : {"<script", "<img", "<svg onload"}) {
    EXPECT_FALSE(holds(html, bad)) << bad;
  }
  EXPECT_TRUE(holds(html, "&lt;img src=x&gt;: 0.02 at 2"));
  EXPECT_TRUE(holds(html, "<h3>&lt;svg onload=x&gt;</h3>"));
}

TEST_F(ReportCurves, ALongRunKeepsItsPeaksAndStaysSmall) {
  write_steps("grpo", 5000, R"("policy_loss":0.5,"other":$)");
  std::ofstream(dir_ / "metrics.jsonl", std::ios::app) << R"({"stage":"grpo","step":5001,"policy_loss":7.25})"
                                                       << "\n";
  const std::string html = report();
  EXPECT_TRUE(holds(html, "policy loss: 7.25 at 5001"));
  EXPECT_LT(html.size(), 100'000U);
}

}  // namespace
}  // namespace plumb
