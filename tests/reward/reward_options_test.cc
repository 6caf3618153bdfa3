#include "reward/rules/reward_options.h"

#include <gtest/gtest.h>

#include "core/config.h"

namespace plumb {
namespace {

TEST(RewardOptions, TheDefaultIsTheVerdictAlone) {
  const RewardOptions options;
  EXPECT_TRUE(options.check().ok());
  EXPECT_TRUE(options.weights("primer").empty());
  EXPECT_FALSE(needs_all_tests(options.weights("primer")));
}

TEST(RewardOptions, KeysAndSourcesSetWeights) {
  RewardOptions options;
  Config config;
  config.add("reward", options);
  ASSERT_TRUE(config
                  .load_text("[reward]\ncode = \"fraction\"\nran_weight = 0.1\nforbidden = [\"eval\"]\n"
                             "source_weights = [\"a:b: fraction=0.2 ran=0\"]\n",
                             "test")
                  .ok());
  EXPECT_TRUE(options.check().ok());
  EXPECT_EQ(options.weights("x"), (PartWeights{{"forbidden", 0.05}, {"fraction", 0.3}, {"ran", 0.1}}));
  EXPECT_EQ(options.weights("a:b"), (PartWeights{{"forbidden", 0.05}, {"fraction", 0.2}}));
  EXPECT_TRUE(needs_all_tests(options.weights("a:b")));
}

TEST(RewardOptions, ShapingStaysUnderOneHalf) {
  RewardOptions options;
  options.code = CodeScoring::kFraction;
  options.fraction_weight = 0.4;
  options.ran_weight = 0.1;
  EXPECT_NE(options.check().error().message.find("found fraction 0.4 + ran 0.1"), std::string::npos);
  options.ran_weight = 0.09;
  EXPECT_TRUE(options.check().ok());
  options.source_weights = {"a: ran=0.2"};
  EXPECT_NE(options.check().error().message.find("of a must"), std::string::npos);
}

TEST(RewardOptions, UnreadableSourceWeights) {
  RewardOptions options;
  for (const char* line :
       {"", "a", ": ran=0.1", "a: ran", "a: run=0.1", "a: ran=-0.1", "a: ran=0.5", "a: ran=nan", "a: ran=0.1x"}) {
    options.source_weights = {line};
    EXPECT_FALSE(options.check().ok()) << line;
  }
  options.source_weights = {"a: run=0.1"};
  EXPECT_NE(options.check().error().message.find("did you mean 'ran'?"), std::string::npos);
}

TEST(RewardOptions, ACustomRewardIsNamedAndWeighedOrNeither) {
  const auto error = [](const RewardOptions& options) {
    const auto checked = options.check();
    return checked ? std::string() : checked.error().message;
  };
  RewardOptions options;
  options.custom_weight = 0.2;
  EXPECT_NE(error(options).find("set reward.custom_command or reward.custom_endpoint"), std::string::npos);
  options.custom.command = {"./score"};
  EXPECT_EQ(error(options), "");
  EXPECT_EQ(options.weights("x").at("custom"), 0.2);
  EXPECT_FALSE(options.verdicts().custom.used());
  options.custom.role = CustomRole::kVerdict;
  EXPECT_NE(error(options).find("the weight is what shaping leaves"), std::string::npos);
  options.custom_weight = 0;
  EXPECT_EQ(error(options), "");
  EXPECT_TRUE(options.verdicts().custom.is_verdict());
  options.custom.role = CustomRole::kShaping;
  EXPECT_NE(error(options).find("nothing would ask it"), std::string::npos);
  options.source_weights = {"a: custom=0.1"};
  EXPECT_EQ(error(options), "");
  EXPECT_EQ(options.weights("b").count("custom"), 0U);
  options.custom.endpoint = "http://127.0.0.1:9000/";
  EXPECT_NE(error(options).find("are both set"), std::string::npos);
  options.custom.command.clear();
  options.custom.endpoint = "https://127.0.0.1/";
  EXPECT_NE(error(options).find("reward.custom_endpoint: expected http://"), std::string::npos);
}

TEST(RewardOptions, GradedIsWhatHasMoreThanVerdictsForSomeSource) {
  RewardOptions options;
  EXPECT_FALSE(options.is_graded());
  options.forbidden = {"eval"};
  EXPECT_FALSE(options.is_graded());  // taken off or not
  for (double RewardOptions::*weight :
       {&RewardOptions::ran_weight, &RewardOptions::near_miss_weight, &RewardOptions::findings_weight,
        &RewardOptions::format_weight, &RewardOptions::length_weight, &RewardOptions::repetition_weight,
        &RewardOptions::custom_weight}) {
    RewardOptions shaped;
    shaped.*weight = 0.01;
    EXPECT_TRUE(shaped.is_graded());
  }
  options.code = CodeScoring::kFraction;
  EXPECT_TRUE(options.is_graded());
  options.fraction_weight = 0;
  EXPECT_FALSE(options.is_graded());
  options.source_weights = {"a: forbidden=0.1"};
  EXPECT_FALSE(options.is_graded());
  options.source_weights = {"a: ran=0", "b: ran=0.1"};
  EXPECT_TRUE(options.is_graded());
  options.source_weights.clear();
  options.code_signal = CodeSignal::kMix;
  EXPECT_TRUE(options.is_graded());
  options.reward_model_weight = 0;
  EXPECT_FALSE(options.is_graded());
  options.code_signal = CodeSignal::kRewardModel;
  EXPECT_TRUE(options.is_graded());
  EXPECT_TRUE(options.uses_reward_model());
  options.code_signal = CodeSignal::kTests;
  EXPECT_FALSE(options.uses_reward_model());
  options.process = ProcessSignal::kRewardModel;
  EXPECT_TRUE(options.is_graded());
  EXPECT_TRUE(options.uses_reward_model());
}

TEST(RewardOptions, StepsNeedTheirModel) {
  RewardOptions options;
  options.process = ProcessSignal::kRewardModel;
  const auto checked = options.check();
  ASSERT_FALSE(checked.ok());
  EXPECT_NE(checked.error().message.find("reward.process: rm needs reward.reward_model"), std::string::npos);
  options.reward_model = "rm";
  EXPECT_TRUE(options.check().ok());
}

}  // namespace
}  // namespace plumb
