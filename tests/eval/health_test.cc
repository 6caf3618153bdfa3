#include "eval/health.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>

namespace plumb {
namespace {

// All messages of a run of `steps` steps whose metrics are made by `make`.
std::vector<HealthMessage> run(int steps, const std::function<MetricMap(int)>& make) {
  HealthMonitor monitor;
  std::vector<HealthMessage> all;
  for (int step = 1; step <= steps; ++step) {
    for (auto& message : monitor.observe(step, make(step))) {
      all.push_back(std::move(message));
    }
  }
  return all;
}

void expect_one(const std::vector<HealthMessage>& messages, const std::string& rule, const std::string& key) {
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].rule, rule);
  EXPECT_NE(messages[0].text.find(key), std::string::npos) << messages[0].text;
}

TEST(Health, AHealthyRunIsSilent) {
  const auto messages = run(60, [](int step) {
    return MetricMap{{"frac_reward_zero_std", 0.3},   {"completions/clipped_ratio", 0.02},
                     {"entropy", 0.5 - 0.002 * step}, {"completions/duplicates", 0.2},
                     {"ratio/max_abs_dev", 0},        {"reward", 0.4}};
  });
  EXPECT_TRUE(messages.empty());
}

TEST(Health, EqualRewardsAreNoFaultWhereStepsAreRewarded) {
  const auto messages = run(10, [](int) {
    return MetricMap{{"frac_reward_zero_std", 0.8}, {"reward", 0.1}, {"process/steps", 4}, {"grad_norm", 0.5}};
  });
  EXPECT_TRUE(messages.empty());
}

TEST(Health, WhereTheBatchIsTheBaselineEqualGroupsTeach) {
  const auto words_of = [](bool whole_batch) {
    HealthMonitor monitor(whole_batch);
    std::string words;
    for (int step = 1; step <= 10; ++step) {
      for (const auto& message : monitor.observe(step, {{"frac_reward_zero_std", 1},
                                                        {"reward", 0.2},
                                                        {"grad_norm", 0.5},
                                                        {"policy_loss", 0}})) {
        words += message.rule + ": " + message.text + "\n";
      }
    }
    return words;
  };
  EXPECT_NE(words_of(false).find("zero_spread"), std::string::npos);
  EXPECT_EQ(words_of(true).find("zero_spread"), std::string::npos);
  EXPECT_NE(words_of(true).find("sum to 0 over the batch"), std::string::npos) << words_of(true);
}

TEST(Health, WhatIsNotJudgedIsSaid) {
  expect_one(run(10, [](int) { return MetricMap{{"groups/unscored", 1}, {"grad_norm", 1}}; }), "unscored",
             "samples.jsonl");
  EXPECT_TRUE(run(10, [](int step) { return MetricMap{{"groups/unscored", step == 4 ? 1 : 0}}; }).empty());
}

TEST(Health, StepsThatDifferNoMoreThanRewardsTeachNothingEither) {
  expect_one(
      run(10,
          [](int) {
            return MetricMap{{"frac_reward_zero_std", 1}, {"reward", 0.1}, {"process/steps", 4}, {"grad_norm", 0}};
          }),
      "zero_spread", "sft.max_epochs");
}

TEST(Health, StepsWithoutAnUpdateAreNoTraining) {
  const auto idle = [](double zero_spread, int every) {
    return run(12, [=](int step) {
      return MetricMap{{"frac_reward_zero_std", zero_spread}, {"reward", 0.2},        {"policy_loss", 0},
                       {"entropy", step < 6 ? 0.5 : 0.0},     {"process/steps", 2.0}, {"grad_norm", step % every}};
    });
  };
  const auto messages = idle(0.375, 1);  // of all steps
  expect_one(messages, "no_update", "grpo.min_spread");
  EXPECT_NE(messages[0].text.find("100 % of the last steps made no update"), std::string::npos) << messages[0].text;
  EXPECT_NE(messages[0].text.find("38 % of the groups"), std::string::npos) << messages[0].text;
  // A step in two is still a fault, one in four is not; a loss near 0 is worth its note where there was an update.
  EXPECT_TRUE(std::ranges::any_of(idle(0.375, 2), [](const auto& one) { return one.rule == "no_update"; }));
  expect_one(idle(0.375, 4), "loss_near_zero", "A loss near 0");
}

TEST(Health, TheNoteOnTheLossIsForWhatIsTrue) {
  const auto with = [](const MetricMap& more) {
    return run(4, [&](int) {
      MetricMap metrics = {{"policy_loss", 0.001}, {"grad_norm", 1}, {"ratio/max_abs_dev", 0}};
      metrics.insert(more.begin(), more.end());
      return metrics;
    });
  };
  expect_one(with({}), "loss_near_zero", "the ratio is 1");
  EXPECT_TRUE(with({{"clip_ratio/low_mean", 0.2}, {"clip_ratio/high_mean", 0.26}}).empty());
  // Later updates of a step: no ratio was cut, but they are not 1.
  const auto later = with({{"kl", 0.004}});
  expect_one(later, "loss_near_zero", "A loss near 0 is normal here");
  EXPECT_EQ(later[0].text.find("ratio"), std::string::npos) << later[0].text;
  // One step off: only the first step is on-policy. And once ratios were cut, a step that cuts none changes nothing.
  EXPECT_TRUE(
      run(4, [](int step) {
        return MetricMap{{"policy_loss", 0.001}, {"ratio/max_abs_dev", step == 1 ? 0.0 : 0.5}, {"staleness/max", 1}};
      }).empty());
  EXPECT_TRUE(run(4, [](int step) {
                return MetricMap{{"policy_loss", 0.001}, {"clip_ratio/low_mean", step == 1 ? 0.5 : 0.0}};
              }).empty());
}

TEST(Health, EachRuleNamesItsKey) {
  expect_one(run(10,
                 [](int) {
                   return MetricMap{{"frac_reward_zero_std", 0.8}, {"reward", 0.1}};
                 }),
             "zero_spread", "sft.max_epochs");
  expect_one(run(10,
                 [](int) {
                   return MetricMap{{"frac_reward_zero_std", 0.8}, {"reward", 0.9}};
                 }),
             "zero_spread", "data.tasks");
  expect_one(run(10,
                 [](int) {
                   return MetricMap{{"completions/clipped_ratio", 0.2}};
                 }),
             "truncated", "sampling.max_new_tokens");
  expect_one(run(30,
                 [](int step) {
                   return MetricMap{{"entropy", step <= 9 ? 1.0 : 0.45}};
                 }),
             "entropy_halved", "grpo.learning_rate");
  expect_one(run(10,
                 [](int) {
                   return MetricMap{{"completions/duplicates", 0.6}};
                 }),
             "duplicates", "sampling.temperature");
  expect_one(run(1, [](int) { return MetricMap{{"ratio/max_abs_dev", 1e-7}}; }), "ratio", "model.dtype");
  // A sampler that was told not to be exact says how far off it is.
  EXPECT_TRUE(run(1, [](int) {
                return MetricMap{{"ratio/max_abs_dev", 1e-3}, {"sampling/sampling_logp_difference/max", 1e-3}};
              }).empty());
  const auto note = run(3, [](int) { return MetricMap{{"policy_loss", 1e-9}}; });
  expect_one(note, "loss_near_zero", "A loss near 0 is normal here");
  EXPECT_FALSE(note[0].warning);
}

TEST(Health, OneOddStepSaysNothingAndARuleSpeaksOncePerEpisode) {
  EXPECT_TRUE(run(20, [](int step) {
                return MetricMap{{"completions/clipped_ratio", step == 10 ? 0.5 : 0.0}};
              }).empty());
  const auto twice = run(40, [](int step) {
    return MetricMap{{"completions/clipped_ratio", step < 10 || step > 30 ? 0.5 : 0.0}};
  });
  EXPECT_EQ(twice.size(), 2U);
}

TEST(Health, EntropyIsComparedAsAMeanAndNotesAreGivenOnce) {
  // One step in three has a quarter of the entropy of the others, as prompts differ: nothing has fallen.
  EXPECT_TRUE(run(60, [](int step) { return MetricMap{{"entropy", step % 3 == 0 ? 0.05 : 0.2}}; }).empty());
  EXPECT_EQ(run(40, [](int step) { return MetricMap{{"policy_loss", step % 3 == 0 ? 0.2 : 0.0}}; }).size(), 1U);
}

TEST(Health, GuardsAreComparedWithTheFirst) {
  const auto guard = [](double first, double last, const char* name) {
    return run(30, [=](int step) {
      return step % 10 != 0 ? MetricMap() : MetricMap{{name, step < 20 ? first : last}};
    });
  };
  expect_one(guard(20, 22.1, "guard/perplexity"), "unlearned: guard/perplexity", "grpo.kl");
  expect_one(guard(0.2, 0.16, "guard/humaneval"), "unlearned: guard/humaneval", "0.16 on HumanEval");
  EXPECT_TRUE(guard(20, 21.9, "guard/perplexity").empty());
  EXPECT_TRUE(guard(20, 10, "guard/perplexity").empty());
  EXPECT_TRUE(guard(0.2, 0.18, "guard/humaneval").empty());
}

TEST(Health, AbsentAndNotANumberAreSkipped) {
  EXPECT_TRUE(run(30, [](int step) {
                return MetricMap{{"entropy", step % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1.0},
                                 {"completions/clipped_ratio", std::numeric_limits<double>::quiet_NaN()}};
              }).empty());
}

}  // namespace
}  // namespace plumb
