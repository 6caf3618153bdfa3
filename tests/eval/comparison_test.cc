#include "eval/report/comparison.h"

#include <gtest/gtest.h>

#include "core/atomic_file.h"
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
        "<td class=\"l\">other</td><td>30</td>", "Written by plumb"}) {
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
