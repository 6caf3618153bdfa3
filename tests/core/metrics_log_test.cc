#include "core/metrics_log.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/metric_names.h"
#include "core/tensorboard.h"

namespace plumb {
namespace {

class MetricsLogTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) /
           (std::string("plumb_metrics_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string read(const char* name) const {
    std::ifstream file(dir_ / name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::filesystem::path dir_;
};

TEST_F(MetricsLogTest, DoublesReadBackToTheSameBits) {
  const double values[] = {0.1, 1.0 / 3, -0.0, 5e-324, 1.7976931348623157e308, 123456789012345680.0, 1e-5, 3, 2e22};
  for (const double value : values) {
    const auto object = nlohmann::json::parse(metrics_line("grpo", 1, {{"reward", value}}));
    EXPECT_EQ(std::bit_cast<std::uint64_t>(object["reward"].get<double>()), std::bit_cast<std::uint64_t>(value))
        << object.dump();
  }
  EXPECT_EQ(metrics_line("grpo", 7, {{"reward", 0.25}, {"kl", std::nan("")}, {"loss", HUGE_VAL}}),
            "{\"stage\":\"grpo\",\"step\":7,\"kl\":null,\"loss\":null,\"reward\":0.25}\n");
}

TEST_F(MetricsLogTest, ResumeForgetsLaterStepsAndTornLines) {
  {
    auto log = MetricsLog::open(dir_);
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(log->append("sft", 9, {{"loss", 2}}, {}).ok());
    for (int step = 1; step <= 4; ++step) {
      ASSERT_TRUE(log->append("grpo", step, {{"reward", step / 8.0}}, {{"timing_s/step", 1.5}}).ok());
    }
    ASSERT_TRUE(log->sync().ok());
  }
  { std::ofstream(dir_ / "metrics.jsonl", std::ios::app) << "{\"stage\":\"grpo\",\"st"; }
  {
    auto log = MetricsLog::open(dir_, ResumePoint{"grpo", 2});
    ASSERT_TRUE(log.ok());
    ASSERT_TRUE(log->append("grpo", 3, {{"reward", 0.375}}, {}).ok());
  }
  EXPECT_EQ(read("metrics.jsonl"),
            "{\"stage\":\"sft\",\"step\":9,\"loss\":2}\n"
            "{\"stage\":\"grpo\",\"step\":1,\"reward\":0.125}\n"
            "{\"stage\":\"grpo\",\"step\":2,\"reward\":0.25}\n"
            "{\"stage\":\"grpo\",\"step\":3,\"reward\":0.375}\n");
  EXPECT_EQ(read("timings.jsonl"),
            "{\"stage\":\"grpo\",\"step\":1,\"timing_s/step\":1.5}\n"
            "{\"stage\":\"grpo\",\"step\":2,\"timing_s/step\":1.5}\n");
}

TEST_F(MetricsLogTest, AnAbsentFolderIsOneSentence) {
  auto log = MetricsLog::open(dir_ / "absent");
  ASSERT_FALSE(log.ok());
  EXPECT_NE(log.error().message.find("metrics.jsonl"), std::string::npos);
}

TEST_F(MetricsLogTest, CrcIsCastagnoli) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
}

TEST_F(MetricsLogTest, TensorBoardFramesAreWhole) {
  auto writer = TensorBoardWriter::open(dir_ / "tb", 5);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(writer->append(5, {{"reward", 0.5}}).ok());
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "tb")) {
    bytes = read(("tb" / entry.path().filename()).c_str());
  }
  int frames = 0;
  for (std::size_t at = 0; at < bytes.size(); ++frames) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data() + at, sizeof(length));
    ASSERT_LE(at + length + 16, bytes.size());
    at += length + 16;
  }
  EXPECT_EQ(frames, 3);  // version, session start, summary
  EXPECT_NE(bytes.find("brain.Event:2"), std::string::npos);
  EXPECT_NE(bytes.find("reward"), std::string::npos);
}

// The names that dashboards are built on. A change here breaks users: add, do not rename.
TEST(MetricNames, GoldenList) {
  const std::string_view golden[] = {"reward",
                                     "reward_std",
                                     "reward/tests/mean",
                                     "reward/math/mean",
                                     "reward/audit_gap",
                                     "frac_reward_zero_std",
                                     "groups/unscored",
                                     "completions/mean_length",
                                     "completions/max_length",
                                     "completions/clipped_ratio",
                                     "completions/eos_ratio",
                                     "completions/duplicates",
                                     "entropy",
                                     "entropy_coefficient",
                                     "kl",
                                     "policy_loss",
                                     "clip_ratio/low_mean",
                                     "clip_ratio/high_mean",
                                     "staleness/max",
                                     "staleness/mean",
                                     "ratio/max_abs_dev",
                                     "sampling/sampling_logp_difference/mean",
                                     "sampling/sampling_logp_difference/max",
                                     "advantage/mean",
                                     "advantage/std",
                                     "grad_norm",
                                     "learning_rate",
                                     "num_tokens",
                                     "epoch",
                                     "guard/perplexity",
                                     "guard/kl",
                                     "guard/humaneval",
                                     "accuracy",
                                     "margin",
                                     "rm/mse",
                                     "rm/accuracy",
                                     "rm/ece",
                                     "rm/margin_mean",
                                     "rm/margin_p5",
                                     "rm/margin_p50",
                                     "rm/margin_p95",
                                     "rm/step_accuracy",
                                     "rm/auc",
                                     "process/steps",
                                     "router/load_entropy",
                                     "router/max_violation",
                                     "router/z_loss",
                                     "router/balance",
                                     "loss/primer/math",
                                     "eval_loss/primer/math",
                                     "perplexity/primer/math",
                                     "eval/heldout/greedy",
                                     "eval/heldout/avg@4",
                                     "eval/dev/cpp/pass@8"};
  for (const auto name : golden) {
    EXPECT_TRUE(is_metric_name(name)) << name;
    EXPECT_FALSE(is_timing_name(name)) << name;
  }
  const std::string_view timings[] = {"timing_s/sample",
                                      "timing_s/reward",
                                      "timing_s/train",
                                      "timing_s/eval",
                                      "timing_s/checkpoint",
                                      "timing_s/step",
                                      "perf/sample_tokens_per_s",
                                      "perf/train_tokens_per_s",
                                      "perf/fraction_of_roof",
                                      "perf/tflop",
                                      "perf/rss_mib",
                                      "perf/idle_share",
                                      "timing_s/wait"};
  for (const auto name : timings) {
    EXPECT_TRUE(is_timing_name(name)) << name;
    EXPECT_FALSE(is_metric_name(name)) << name;
  }
  EXPECT_EQ(kTimingNames.size(), std::size(timings));
  for (const auto name : {"eval/greedy", "eval/x/avg@0", "eval/x/pass@", "eval/x/pass@8x", "rewards", "reward//mean",
                          "eval_loss/", "perplexity", "perplexity/"}) {
    EXPECT_FALSE(is_metric_name(name)) << name;
  }
}

}  // namespace
}  // namespace plumb
