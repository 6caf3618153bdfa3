// The table and the bands of how completions turned out.

#include "eval/samples.h"
#include "tests/eval/report_fixture.h"
#include "tests/support/synthetic_run.h"

namespace plumb {
namespace {

SampleRecord rollout(int step, const std::string& language, const std::string& verdict, double value) {
  SampleRecord sample;
  sample.stage = "grpo";
  sample.kind = "train";
  sample.step = step;
  sample.prompt_id = "primer/one/" + language;
  sample.language = language;
  sample.finish = "stop";
  sample.tokens = 10;
  sample.reward = value;
  sample.verdict = verdict;
  sample.parts = {{"tests", value, 1, ""}};
  return sample;
}

// One of each outcome: mean length 15, and a quarter is cut off.
std::vector<SampleRecord> one_step(int step) {
  std::vector<SampleRecord> samples = {rollout(step, "cpp", "AC", 1), rollout(step, "cpp", "WA", 0),
                                       rollout(step, "cpp", "CE", 0), rollout(step, "python", "", 0),
                                       rollout(step, "none", "", 0),  rollout(step, "cpp", "CE", 0),
                                       rollout(step, "cpp", "AC", 1), rollout(step, "cpp", "", 0)};
  samples[4].finish = "eos";
  samples[5].finish = "length";
  samples[6].finish = "length";
  samples[7].unscored = "the judge was away";
  samples[1].log_probs = {-1, -2, -3, -2};
  samples[1].token_ends = {1, 2, 3, 4};
  samples[1].text = "abcd";
  samples[1].advantage = -0.5;
  samples[5].tokens = 50;
  return samples;
}

class ReportOutcomes : public ReportFixture {
 protected:
  void write_samples(const std::vector<SampleRecord>& samples) const {
    std::ofstream out(dir_ / "samples.jsonl", std::ios::app | std::ios::binary);
    for (const SampleRecord& sample : samples) {
      out << to_json(sample).dump() << "\n";
    }
  }
};

TEST_F(ReportOutcomes, AreToldApartOnce) {
  write_samples(one_step(1));
  const std::string html = report();
  const auto row = [&](const std::string& label, const std::string& cells) {
    EXPECT_TRUE(holds(html, "</svg>" + label + "</span></td><td>" + cells)) << label;
  };
  row("passes", "2</td><td>25.0%</td><td>10</td><td>1</td><td>–</td><td>–</td>");  // one of them was cut off
  row("compiles, fails the tests", "1</td><td>12.5%</td><td>10</td><td>0</td><td>−2</td><td>−0.5</td>");
  row("does not compile", "1</td><td>12.5%");
  row("ends without a program", "1</td><td>12.5%");
  row("wrong answer (maths)", "1</td><td>12.5%");
  row("cut off", "1</td><td>12.5%</td><td>50</td>");
  row("not scored, by a fault of our own", "1</td><td>12.5%</td><td>10</td><td>–</td>");
  EXPECT_FALSE(holds(html, "class=\"band"));  // a single step has no course
}

TEST_F(ReportOutcomes, TheCourseIsDrawnWhereAllGroupsAreSaved) {
  write("metrics.jsonl",
        "{\"stage\":\"grpo\",\"step\":1,\"completions/mean_length\":15,\"completions/clipped_ratio\":0.25}\n"
        "{\"stage\":\"grpo\",\"step\":2,\"completions/mean_length\":15,\"completions/clipped_ratio\":0.25}\n");
  write_samples(one_step(1));
  write_samples(one_step(2));
  const std::string html = report();
  EXPECT_EQ(count(html, "<path class=\"band"), 7U);
  EXPECT_TRUE(holds(html, "The 16 saved rollouts of steps 1 to 2."));
  EXPECT_FALSE(holds(html, "Only some of a step’s groups are saved"));
}

TEST_F(ReportOutcomes, TheCourseIsNotInventedFromSomeGroups) {
  write("metrics.jsonl",
        "{\"stage\":\"grpo\",\"step\":1,\"completions/mean_length\":15,\"completions/clipped_ratio\":0.25}\n"
        "{\"stage\":\"grpo\",\"step\":2,\"completions/mean_length\":15,\"completions/clipped_ratio\":0.125}\n");
  write_samples(one_step(1));
  write_samples(one_step(2));
  const std::string html = report();
  EXPECT_FALSE(holds(html, "class=\"band"));
  EXPECT_TRUE(holds(html, "Only some of a step’s groups are saved"));
}

TEST_F(ReportOutcomes, TheTableIsOfTheLastTenSteps) {
  for (int step = 1; step <= 12; ++step) {
    write_samples({rollout(step, "cpp", step < 3 ? "CE" : "AC", step < 3 ? 0 : 1)});
  }
  const std::string html = report();
  EXPECT_TRUE(holds(html, "The 10 saved rollouts of steps 3 to 12."));
  EXPECT_FALSE(holds(html, "</svg>does not compile</span>"));
  EXPECT_FALSE(holds(html, "Mean log-prob"));  // none was kept
}

TEST_F(ReportOutcomes, WithoutTrainingTheyAreOfTheLastStagesEvaluation) {
  ASSERT_TRUE(write_synthetic_run(dir_, {.functions = 10, .grpo_steps = 0}).ok());
  const std::string html = report();
  EXPECT_TRUE(holds(html, "The 10 saved completions of the last evaluation (GRPO)."));
  EXPECT_FALSE(holds(html, "class=\"band"));
}

TEST_F(ReportOutcomes, ARunWithoutCompletionsHasNoSuchPart) {
  write("metrics.jsonl", "{\"stage\":\"grpo\",\"step\":1,\"completions/mean_length\":15}\n");
  EXPECT_FALSE(holds(report(), "How completions turn out"));
}

}  // namespace
}  // namespace plumb
