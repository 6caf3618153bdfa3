// What the head of the report says of a training, or of a profile, that had no evaluation of its own before and after.

#include <fmt/format.h>

#include "tests/eval/report_fixture.h"

namespace plumb {
namespace {

class ReportTraining : public ReportFixture {
 protected:
  void line(const std::string& stage, int step, const std::string& metrics) const {
    std::ofstream(dir_ / "metrics.jsonl", std::ios::app | std::ios::binary)
        << fmt::format("{{\"stage\":\"{}\",\"step\":{},{}}}\n", stage, step, metrics);
  }
  void finish() const { std::filesystem::create_directories(dir_ / "policy"); }
};

TEST_F(ReportTraining, TheHeadSaysWhatDevDidAndWhoseWeightsAreTheResult) {
  const double scores[] = {0.125, 0.25, 0.25, 0.1875};
  for (int step = 1; step <= 40; ++step) {
    const std::string dev =
        step % 10 != 0 ? ""
                       : fmt::format(R"(,"eval/dev/avg@2":{},"eval/dev/python/avg@2":0.9,"eval/dev/pass@2":0.9)",
                                     scores[step / 10 - 1]);
    line("grpo", step, R"("reward":0.5,"grad_norm":1)" + dev);
  }
  EXPECT_TRUE(holds(report(), "The weights of step 20 are the best so far"));
  finish();
  const std::string html = report();
  EXPECT_FALSE(holds(html, "Nothing has been evaluated"));
  EXPECT_TRUE(holds(html,
                    "Of 4 evaluations on “dev” during GRPO the first, at step 10, found 12.5% of the sampled answers "
                    "right, the best, at step 20, <b>25.0%</b>, and the last, at step 40, 18.8%. The weights of step "
                    "20 are the result"))
      << html.substr(html.find("<h1>"), 800);
}

TEST_F(ReportTraining, ADevThatNeverRoseSaysSo) {
  for (int step = 1; step <= 4; ++step) {
    line("grpo", step, fmt::format(R"("reward":0.5,"grad_norm":1,"eval/mine/own/greedy":{})", step == 1 ? 0.5 : 0.25));
  }
  finish();
  const std::string html = report();
  EXPECT_TRUE(holds(html,
                    "Of 4 evaluations on “mine/own” during GRPO the first, at step 1, found <b>50.0%</b> of the greedy "
                    "answers right, and none after it more; the last, at step 4, 25.0%. The weights of step 1 are the "
                    "result"))
      << html.substr(html.find("<h1>"), 800);
}

TEST_F(ReportTraining, SftSaysFromWhatToWhatAndWhichEpochWasKept) {
  line("sft", 0, R"("eval_loss":2)");
  for (int step = 1; step <= 6; ++step) {
    line("sft", step, fmt::format(R"("loss":{},"epoch":{})", 2.0 / step, (step + 1) / 2));
    if (step % 2 == 0) {
      line("sft", step, fmt::format(R"("eval_loss":{})", step == 4 ? 0.5 : 0.75));
    }
  }
  finish();
  const std::string html = report();
  EXPECT_FALSE(holds(html, "Nothing has been evaluated"));
  EXPECT_TRUE(holds(html,
                    "SFT brought the loss on dev from 2 nats per token before training to <b>0.5</b> after epoch 2 "
                    "(perplexity 7.39 to 1.65); after epoch 3, the last, it was 0.75. The weights of epoch 2 are the "
                    "result."))
      << html.substr(html.find("<h1>"), 800);
}

TEST_F(ReportTraining, WhatGrpoBeganWithIsNotTheResult) {
  line("sft", 0, R"("eval_loss":2)");
  line("sft", 1, R"("eval_loss":1)");
  line("grpo", 1, R"("reward":0.5,"grad_norm":1)");
  finish();
  EXPECT_TRUE(holds(report(), "GRPO began with the weights of step 1."));
}

TEST_F(ReportTraining, WithoutDevItSaysWhatItTrainedOnDid) {
  for (int step = 1; step <= 40; ++step) {
    line("grpo", step, fmt::format(R"("reward":{},"grad_norm":1)", step <= 20 ? 0.25 : 0.5));
  }
  const std::string html = report();
  EXPECT_TRUE(holds(html, "Nothing has been evaluated"));
  EXPECT_TRUE(holds(html, "the mean reward went from 25.0% in the first 10 steps to 50.0% in the last 10"));
}

TEST_F(ReportTraining, ARunThatUpdatedNothingSaysSoFirst) {
  for (int step = 1; step <= 6; ++step) {
    line("grpo", step, R"("reward":0.25,"grad_norm":0,"frac_reward_zero_std":0.375,"process/steps":1,"entropy":0)");
  }
  const std::string html = report();
  EXPECT_TRUE(holds(html, "<b>None of the 6 steps of GRPO made an update</b>: the weights are those it began with"));
  EXPECT_FALSE(holds(html, "No rule had anything to complain about"));
  EXPECT_TRUE(holds(html, "grpo.min_spread"));
  EXPECT_FALSE(holds(html, "A loss near 0 is normal here"));
}

TEST_F(ReportTraining, AProfileShowsItsTable) {
  write(
      "profile.jsonl",
      R"({"data_source":"a<b","id":"1","mixed":true,"pass@k":{"1":0.5,"2":1},"passed":1,"reward":0.5,"samples":2,"scored":2,"tokens":10,"truncated":1})"
      "\n"
      R"({"data_source":"c","id":"2","mixed":false,"pass@k":{"1":0,"2":0},"passed":0,"reward":0,"samples":2,"scored":2,"tokens":20,"truncated":0})"
      "\n"
      R"({"data_source":"c","id":"3","mixed":false,"pass@k":{"1":1,"2":1},"passed":2,"reward":1,"samples":2,"scored":2,"tokens":6,"truncated":0})"
      "\n");
  write("timings.jsonl", R"({"stage":"profile","step":1,"timing_s/step":3})"
                         "\n"
                         R"({"stage":"profile","step":2,"timing_s/step":2})"
                         "\n");
  const std::string html = report();
  EXPECT_FALSE(holds(html, "Nothing has been evaluated"));
  EXPECT_FALSE(holds(html, "<h2>Training</h2>"));
  EXPECT_TRUE(holds(html,
                    "Of 3 prompts <b>33.3%</b> have completions whose rewards differ: from these a policy could learn. "
                    "One completion passes 50.0% of the time, the best of 2 passes 66.7%."))
      << html.substr(html.find("<h1>"), 800);
  EXPECT_TRUE(holds(html, "<th>pass@1</th><th>pass@2</th>"));
  // prompts, pass@1, pass@2, mixed, never, always, cut off, mean length
  EXPECT_TRUE(holds(html,
                    "<td class=\"l\">All</td><td>3</td><td>50.0%</td><td>66.7%</td><td class=\"final\">33.3%</td>"
                    "<td>33.3%</td><td>33.3%</td><td>16.7%</td><td>6</td>"));
  EXPECT_TRUE(holds(html, "<td class=\"l\">a&lt;b</td><td>1</td><td>50.0%</td><td>100.0%</td>"));
  // Two completions of the mixed group in the 5 s of the prompts whose time is known.
  EXPECT_TRUE(holds(html, "1440 useful samples an hour"));
}

TEST_F(ReportTraining, DamageOfAProfileIsNamed) {
  write("profile.jsonl", "{\"id\":\"1\"}\n");
  const auto written = write_report(dir_);
  ASSERT_FALSE(written.ok());
  EXPECT_TRUE(holds(written.error().message, "profile.jsonl, line 1")) << written.error().message;
}

}  // namespace
}  // namespace plumb
