#include "eval/report/comparison.h"

#include <gtest/gtest.h>

#include "core/atomic_file.h"
#include "eval/evaluation.h"
#include "tests/support/synthetic_run.h"

namespace plumb {
namespace {

class ComparisonTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) /
           (std::string("plumb_compare_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::filesystem::path run(const std::string& name, const SyntheticRunOptions& options) {
    std::filesystem::create_directories(dir_ / name);
    EXPECT_TRUE(write_synthetic_run(dir_ / name, options));
    return dir_ / name;
  }
  std::string compare(const std::vector<std::filesystem::path>& runs) {
    const auto written = write_comparison(runs, dir_ / "page.html");
    EXPECT_TRUE(written) << (written ? "" : written.error().message);
    auto text = read_file((dir_ / "page.html").string());
    return text ? *text : "";
  }

  std::filesystem::path dir_;
};

TEST_F(ComparisonTest, HoldsResultsCurvesSettingsAndTimes) {
  const auto one = run("one", {.functions = 10, .grpo_steps = 20});
  const auto other = run("other", {.functions = 10, .grpo_steps = 30});
  ASSERT_TRUE(write_file_atomic((one / "config.toml").string(), "[grpo]\nsteps = 20  # updates\nclip_low = 0.2\n"));
  ASSERT_TRUE(write_file_atomic((other / "config.toml").string(), "[grpo]\nsteps = 30  # updates\nclip_low = 0.2\n"));
  const std::string html = compare({one, other});
  for (const char* part :
       {"one, other", "<td class=\"l\">one</td>", "<td class=\"l\">other</td>", "− one", "Reward", "Entropy",
        "Settings that differ", "<td class=\"l\">grpo.steps</td><td class=\"l\">20</td><td class=\"l\">30</td>",
        "<td class=\"l\">other</td><td class=\"l\">GRPO</td><td>30</td>", "over functions",
        "<td class=\"l\">one</td><td class=\"l\">GRPO</td><td>20</td>", "<td>8 at T = 1</td>", "Written by plumb"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html.find("clip_low"), std::string::npos) << "a setting that is the same";
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_EQ(html, compare({one, other}));
}

// The same evaluations: every paired difference is 0.
TEST_F(ComparisonTest, ARunAgainstItsCopyDiffersByNothing) {
  const std::string html =
      compare({run("a", {.functions = 10, .grpo_steps = 5}), run("b", {.functions = 10, .grpo_steps = 5})});
  EXPECT_NE(html.find("+0.0 <span class=\"muted small\">0.0 – 0.0</span>"), std::string::npos);
  EXPECT_NE(html.find("The configs are the same."), std::string::npos);
}

// Runs of different kinds: each shows the numbers that it has, under what it is.
TEST_F(ComparisonTest, KindsOfRunsStandSideBySide) {
  const auto write = [&](const char* name, const char* file, const std::string& text) {
    std::filesystem::create_directories(dir_ / name);
    EXPECT_TRUE(write_file_atomic((dir_ / name / file).string(), text));
  };
  write("policy", "metrics.jsonl", "{\"stage\":\"grpo\",\"step\":1,\"reward\":0.5,\"grad_norm\":1}\n");
  write("policy", "config.toml", "[run]\nseed = 1\n[grpo]\nsteps = 20\n");
  write("warm", "metrics.jsonl",
        "{\"stage\":\"sft\",\"step\":1,\"loss\":1.5,\"epoch\":1}\n{\"stage\":\"sft\",\"step\":1,\"eval_loss\":1.25}\n");
  write("warm", "config.toml", "[run]\nseed = 2\n[grpo]\nsteps = 30\n");
  write("judge", "metrics.jsonl", "{\"stage\":\"reward_model\",\"step\":1,\"loss\":0.5,\"accuracy\":0.75}\n");
  write("judge", "reward_model.json",
        "{\"held_out\":{\"all\":{\"accuracy\":0.875,\"low\":0.8,\"high\":0.9,\"pairs\":16}}}");
  write("judge", "config.toml", "[run]\nseed = 1\n[rm]\nbatch_size = 8\n");
  write("marks", "config.toml", "[run]\nseed = 1\n");
  Evaluation evaluation{"eval", "maths", 0.7, false, 1, {}};
  for (int i = 0; i < 5; ++i) {
    PromptResult prompt;
    prompt.id = prompt.unit = std::to_string(i);
    prompt.n = 2;
    prompt.c = prompt.c_audit = 1;
    prompt.successes = {true, false};
    evaluation.prompts.push_back(prompt);
  }
  ASSERT_TRUE(save_evaluation(dir_ / "marks", evaluation));
  const std::string html = compare({dir_ / "policy", dir_ / "warm", dir_ / "judge", dir_ / "marks"});
  for (const char* part :
       {"Training: GRPO", "Training: SFT", "Training: reward model", "<h3>Loss on dev (nats per token)</h3>",
        "The loss of SFT on dev was <b>1.25</b> nats per token after epoch 1.",
        "puts the better completion ahead in <b>87.5%</b>", "<h2>On maths</h2>", "over questions",
        "<td>2 at T = 0.7</td>", "<td>5</td>",
        "<td class=\"l\">run.seed</td><td class=\"l\">1</td><td class=\"l\">2</td><td class=\"l\">1</td>",
        "<td class=\"l\">grpo.steps</td><td class=\"l\">20</td><td class=\"l\">30</td><td class=\"l\">–</td>",
        "card scroll wrap"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(html.find("rm.batch_size"), std::string::npos) << "a setting that one run alone has";
  EXPECT_EQ(html.find("over functions"), std::string::npos);
}

TEST_F(ComparisonTest, RunsOfOneNameAreToldApartByTheirFolders) {
  const SyntheticRunOptions options{.functions = 5, .grpo_steps = 5};
  const auto title = [&](const std::vector<std::filesystem::path>& runs) {
    const std::string html = compare(runs);
    const std::size_t begin = html.find("<h1>") + 4;
    return html.substr(begin, html.find("</h1>") - begin);
  };
  EXPECT_EQ(title({run("a/x", options), run("b/x", options), run("y", options)}), "a/x, b/x, y");
  EXPECT_EQ(title({run("a/p/x/", options), run("b/p/x", options), run("b/p/q", options)}), "a/p/x, b/p/x, q");
  EXPECT_EQ(title({dir_ / "y", dir_ / "y"}), "y, y");
}

TEST_F(ComparisonTest, RefusesWhatItCannotShow) {
  const auto one = run("<b>one", {.functions = 5, .grpo_steps = 5});
  EXPECT_FALSE(write_comparison({}, dir_ / "x.html"));
  EXPECT_FALSE(write_comparison(std::vector(7, one), dir_ / "x.html"));
  const auto absent = write_comparison({one, dir_ / "absent"}, dir_ / "x.html");
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("absent"), std::string::npos);
  EXPECT_EQ(compare({one, one}).find("<b>one"), std::string::npos);
}

}  // namespace
}  // namespace plumb
