// Supervised training: resumed from any state it ends with the same bits; losses by source; packing changes nothing.

#include "learner/sft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "formats/config_json.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

class Sft : public ::testing::Test {
 protected:
  Sft() {
    for (std::uint64_t i = 0; i < 7; ++i) {
      const auto length = static_cast<std::int64_t>(3 + i % 4);
      examples_.push_back({testing::random_tokens(config_, length, i),
                           testing::random_tokens(config_, length + 1, 50 + i), static_cast<int>(i % 2)});
    }
    options_.batch_size = 3;
    options_.max_epochs = 3;
    options_.patience = 3;
    options_.schedule.peak = 1e-3F;
  }

  struct Trained {
    std::unique_ptr<Policy> policy;
    std::vector<SftStep> steps;
    SftSummary summary;
    [[nodiscard]] std::vector<float> weights() const {
      std::vector<float> all;
      for (const ParameterView& parameter : policy->parameters()) {
        all.insert(all.end(), parameter.value.begin(), parameter.value.end());
      }
      return all;
    }
  };

  std::unique_ptr<Policy> make_policy() {
    auto policy = Policy::create(config_, testing::random_weights(config_, 7),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true});
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }

  Trained train() {
    Trained trained{make_policy(), {}, {}};
    Optimizer optimizer(*trained.policy, pool_, {});
    trained.summary = train_sft(*trained.policy, optimizer, examples_, dev(), options_,
                                {[&](const SftStep& step) {
                                   trained.steps.push_back(step);
                                   return true;
                                 },
                                 [](int, double) {},
                                 {}});
    return trained;
  }

  [[nodiscard]] std::span<const SftExample> dev() const { return std::span(examples_).subspan(5); }

  ThreadPool pool_{1};
  ModelConfig config_ = testing::small_config(true);
  std::vector<SftExample> examples_;
  SftLearnerOptions options_;
};

TEST_F(Sft, ResumedFromAnyStateItEndsWithTheSameBits) {
  const Trained whole = train();
  ASSERT_EQ(whole.summary.steps, 9);
  for (std::int64_t cut = 1; cut < 9; ++cut) {
    auto policy = make_policy();
    auto optimizer = std::make_unique<Optimizer>(*policy, pool_, OptimizerOptions{});
    SftState saved;
    std::vector<std::vector<float>> weights;
    const SftCallbacks until_cut{[](const SftStep&) { return true; }, [](int, double) {},
                                 [&](const SftState& state) {
                                   saved = state;
                                   return state.steps < cut;
                                 }};
    EXPECT_TRUE(train_sft(*policy, *optimizer, examples_, dev(), options_, until_cut).stopped);
    auto fresh = make_policy();
    for (std::size_t i = 0; i < fresh->parameters().size(); ++i) {
      std::ranges::copy(policy->parameters()[i].value, fresh->parameters()[i].value.begin());
    }
    fresh->commit_update();
    Optimizer other(*fresh, pool_, {});
    ASSERT_TRUE(other.restore(optimizer->first_moments(), optimizer->second_moments(), optimizer->num_updates()).ok());
    std::vector<SftStep> steps;
    const SftCallbacks rest{[&](const SftStep& step) {
                              steps.push_back(step);
                              return true;
                            },
                            [](int, double) {},
                            {}};
    const SftSummary summary = train_sft(*fresh, other, examples_, dev(), options_, rest, saved);
    ASSERT_EQ(steps.size(), static_cast<std::size_t>(9 - cut));
    EXPECT_EQ(steps.back().loss, whole.steps.back().loss);
    EXPECT_EQ(steps.back().num_tokens, whole.steps.back().num_tokens);
    EXPECT_EQ(summary.best_dev_loss, whole.summary.best_dev_loss);
    Trained resumed{std::move(fresh), {}, summary};
    EXPECT_EQ(resumed.weights(), whole.weights()) << "cut after step " << cut;
  }
}

TEST_F(Sft, LossBySourceAddsUpToTheLoss) {
  options_.batch_size = 7;
  const Trained trained = train();
  const SftStep& step = trained.steps.front();
  double tokens[2] = {};
  for (const SftExample& example : examples_) {
    tokens[example.source] += static_cast<double>(example.completion.size());
  }
  ASSERT_EQ(step.source_loss.size(), 2U);
  EXPECT_NEAR((step.source_loss[0] * tokens[0] + step.source_loss[1] * tokens[1]) / (tokens[0] + tokens[1]), step.loss,
              1e-12);
  EXPECT_NE(step.source_loss[0], step.source_loss[1]);
}

ModelConfig mixture_config() {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/families/mixtral.json");
  return parse_config_json(nlohmann::json::parse(file).at("config").dump(), "mixtral").value();
}

// A mixture learns evenly loaded experts where it is asked to, whatever the cut into micro-batches.
TEST_F(Sft, ABalanceLossEvensTheLoadsAndDoesNotHangOnMicroBatches) {
  const ModelConfig mixture = mixture_config();
  examples_.clear();
  for (std::uint64_t i = 0; i < 8; ++i) {
    examples_.push_back({testing::random_tokens(mixture, 6, i), testing::random_tokens(mixture, 9, 50 + i), 0});
  }
  const auto train_mixture = [&](float balance, std::int64_t micro_batch_tokens, int epochs) {
    options_.batch_size = 8;
    options_.max_epochs = epochs;
    options_.patience = epochs;
    options_.schedule.peak = 3e-3F;
    options_.micro_batch_tokens = micro_batch_tokens;
    options_.router.balance = balance;
    Trained trained{Policy::create(mixture, testing::formula_weights(mixture),
                                   {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = true})
                        .value(),
                    {},
                    {}};
    Optimizer optimizer(*trained.policy, pool_, {});
    trained.summary = train_sft(*trained.policy, optimizer, examples_, {}, options_,
                                {[&](const SftStep& step) {
                                   trained.steps.push_back(step);
                                   return true;
                                 },
                                 [](int, double) {},
                                 {}});
    return trained;
  };
  const Trained with = train_mixture(1, 1024, 40);
  const Trained without = train_mixture(0, 1024, 40);
  EXPECT_TRUE(with.steps[0].router.has_experts);
  EXPECT_EQ(with.steps[0].router.balance, without.steps[0].router.balance);
  EXPECT_LT(with.steps.back().router.balance, without.steps.back().router.balance);
  const std::vector<float> whole = train_mixture(1, 1024, 1).weights();
  const std::vector<float> cut = train_mixture(1, 16, 1).weights();
  double distance = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    distance = std::max(distance, static_cast<double>(std::abs(whole[i] - cut[i])));
  }
  EXPECT_LT(distance, 3e-4);  // a tenth of AdamW's step: rounding of gradients near 0 turns few of them
}

TEST_F(Sft, PackedExamplesDoNotSeeEachOther) {
  double alone = 0;
  double tokens = 0;
  for (const SftExample& example : examples_) {
    const auto count = static_cast<double>(example.completion.size());
    alone += count * sft_loss(*make_policy(), {&example, 1}, 1);
    tokens += count;
  }
  EXPECT_NEAR(sft_loss(*make_policy(), examples_, 4096), alone / tokens, 1e-12);
}

}  // namespace
}  // namespace plumb
