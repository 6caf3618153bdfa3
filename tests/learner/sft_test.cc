// Supervised training: resumed from any state it ends with the same bits; losses by source; packing changes nothing.

#include "learner/sft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "formats/config_json.h"
#include "learner/batching.h"
#include "tests/support/formula_weights.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

SftExample demonstration(std::span<const std::int32_t> prompt, std::span<const std::int32_t> completion, int source) {
  SftExample example;
  example.add(prompt, false);
  example.add(completion, true);
  example.source = source;
  return example;
}

class Sft : public ::testing::Test {
 protected:
  Sft() {
    for (std::uint64_t i = 0; i < 7; ++i) {
      const auto length = static_cast<std::int64_t>(3 + i % 4);
      examples_.push_back(demonstration(testing::random_tokens(config_, length, i),
                                        testing::random_tokens(config_, length + 1, 50 + i), static_cast<int>(i % 2)));
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
                                 [](int, const SftLoss&) {},
                                 {}});
    return trained;
  }

  // After any step: the state, the weights and the moments are all that a later process has.
  void expect_resumes_to_the_same_bits();

  [[nodiscard]] std::span<const SftExample> dev() const { return std::span(examples_).subspan(5); }

  ThreadPool pool_{1};
  ModelConfig config_ = testing::small_config(true);
  std::vector<SftExample> examples_;
  SftLearnerOptions options_;
};

void Sft::expect_resumes_to_the_same_bits() {
  const Trained whole = train();
  const std::int64_t num_steps = whole.summary.steps;
  for (std::int64_t cut = 1; cut < num_steps; ++cut) {
    auto policy = make_policy();
    auto optimizer = std::make_unique<Optimizer>(*policy, pool_, OptimizerOptions{});
    SftState saved;
    std::vector<std::vector<float>> weights;
    const SftCallbacks until_cut{[](const SftStep&) { return true; }, [](int, const SftLoss&) {},
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
                            [](int, const SftLoss&) {},
                            {}};
    const SftSummary summary = train_sft(*fresh, other, examples_, dev(), options_, rest, saved);
    ASSERT_EQ(steps.size(), static_cast<std::size_t>(num_steps - cut));
    EXPECT_EQ(steps.back().loss, whole.steps.back().loss);
    EXPECT_EQ(steps.back().num_tokens, whole.steps.back().num_tokens);
    EXPECT_EQ(summary.best_dev_loss, whole.summary.best_dev_loss);
    Trained resumed{std::move(fresh), {}, summary};
    EXPECT_EQ(resumed.weights(), whole.weights()) << "cut after step " << cut;
  }
}

TEST_F(Sft, ResumedFromAnyStateItEndsWithTheSameBits) {
  EXPECT_EQ(train().summary.steps, 9);
  expect_resumes_to_the_same_bits();
}

// Two of three examples are others in every epoch.
TEST_F(Sft, FormsOfAnEpochAreWhatIsTrainedOnAndAResumeHasThemAgain) {
  const Trained plain = train();
  int asked = 0;
  options_.form = [&](std::size_t, int) -> std::optional<SftExample> {
    ++asked;
    return std::nullopt;
  };
  EXPECT_EQ(train().weights(), plain.weights());
  EXPECT_EQ(asked, 3 * 7);
  options_.form = [&](std::size_t example, int epoch) -> std::optional<SftExample> {
    if (example % 3 == 0) {
      return std::nullopt;
    }
    const auto key = 1000 * static_cast<std::uint64_t>(epoch) + example;
    return demonstration(testing::random_tokens(config_, 2, key), testing::random_tokens(config_, 11, 500 + key), 0);
  };
  const Trained formed = train();
  EXPECT_EQ(formed.steps.back().num_tokens, 3 * (4 * 11 + (4 + 7 + 6)));
  EXPECT_NE(formed.weights(), plain.weights());
  expect_resumes_to_the_same_bits();
}

TEST_F(Sft, ABatchIsTheFewestExamplesWithSoManyTokens) {
  options_.batch_tokens = 12;
  const Trained trained = train();
  std::int64_t most = 0;
  std::int64_t all = 0;
  for (const SftExample& example : examples_) {
    most = std::max(most, example.num_trained());
    all += example.num_trained();
  }
  std::int64_t before = 0;
  for (std::size_t i = 0; i < trained.steps.size(); ++i) {
    const std::int64_t tokens = trained.steps[i].num_tokens - before;
    before = trained.steps[i].num_tokens;
    EXPECT_LT(tokens, options_.batch_tokens + most);
    const bool ends_epoch = i + 1 == trained.steps.size() || trained.steps[i + 1].epoch != trained.steps[i].epoch;
    EXPECT_TRUE(ends_epoch ? before == trained.steps[i].epoch * all : tokens >= options_.batch_tokens) << i;
    EXPECT_EQ(trained.steps[i].num_steps, std::ssize(trained.steps));
  }
  EXPECT_EQ(num_sft_steps(examples_, options_), std::ssize(trained.steps));
  expect_resumes_to_the_same_bits();
  options_.shares = {0.75, 0.25};
  EXPECT_EQ(num_sft_steps(examples_, options_), std::ssize(train().steps));
  expect_resumes_to_the_same_bits();
}

TEST_F(Sft, LossBySourceAddsUpToTheLoss) {
  options_.batch_size = 7;
  const Trained trained = train();
  const SftStep& step = trained.steps.front();
  double tokens[2] = {};
  for (const SftExample& example : examples_) {
    tokens[example.source] += static_cast<double>(example.num_trained());
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
    examples_.push_back(
        demonstration(testing::random_tokens(mixture, 6, i), testing::random_tokens(mixture, 9, 50 + i), 0));
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
                                 [](int, const SftLoss&) {},
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
    const auto count = static_cast<double>(example.num_trained());
    alone += count * sft_loss(*make_policy(), {&example, 1}, 1).mean;
    tokens += count;
  }
  EXPECT_NEAR(sft_loss(*make_policy(), examples_, 4096).mean, alone / tokens, 1e-12);
}

// What was trained as a prompt and its completion is trained to the same bits.
TEST_F(Sft, AnExampleIsPackedAsAPromptAndItsCompletion) {
  for (const std::int64_t completion_tokens : {1, 2, 5}) {
    const auto prompt = testing::random_tokens(config_, 4, 1);
    const auto completion = testing::random_tokens(config_, completion_tokens, 2);
    const SftExample example = demonstration(prompt, completion, 0);
    PackedSequences one;
    PackedSequences other;
    for (int time = 0; time < 2; ++time) {
      append_sequence(example.tokens, example.trained, one);
      append_sequences({prompt, {completion}}, other);
    }
    EXPECT_EQ(one.batch.token_ids, other.batch.token_ids);
    EXPECT_EQ(one.targets.rows, other.targets.rows);
    EXPECT_EQ(one.targets.target_ids, other.targets.target_ids);
    EXPECT_EQ(one.target_of, other.target_of);
    EXPECT_EQ(one.row_counts, other.row_counts);
    ASSERT_EQ(one.batch.segments.size(), other.batch.segments.size());
    for (std::size_t i = 0; i < one.batch.segments.size(); ++i) {
      const Segment& a = one.batch.segments[i];
      const Segment& b = other.batch.segments[i];
      EXPECT_EQ(std::tie(a.first_row, a.num_tokens, a.start_position, a.parent),
                std::tie(b.first_row, b.num_tokens, b.start_position, b.parent));
    }
  }
}

// The reference scores the whole sequence as one segment and picks the trained tokens itself.
TEST_F(Sft, TheLossIsOnTheTrainedTokensOfEveryTurn) {
  const std::vector<std::vector<bool>> masks = {{false, false, true, true, false, false, false, true, true},
                                                {false, true, false, true, false, true, false, false, true},
                                                {false, true, true, true, true, true, true, true, true}};
  const auto policy = make_policy();
  std::vector<SftExample> examples;
  double sum = 0;
  double tokens = 0;
  for (std::size_t number = 0; number < masks.size(); ++number) {
    const auto ids = testing::random_tokens(config_, 9, 90 + number);
    PackedBatch batch{ids, {{0, 9, 0, -1}}};
    ScoreTargets targets;
    SftExample example;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      example.add(std::span(ids).subspan(i, 1), masks[number][i]);
      if (i > 0) {
        targets.rows.push_back(static_cast<std::int64_t>(i) - 1);
        targets.target_ids.push_back(ids[i]);
      }
    }
    const TokenScores scores = policy->score(batch, targets);
    for (std::size_t i = 1; i < ids.size(); ++i) {
      sum -= masks[number][i] ? static_cast<double>(scores.log_probs[i - 1]) : 0.0;
      tokens += masks[number][i] ? 1 : 0;
    }
    example.source = static_cast<int>(number);
    examples.push_back(example);
  }
  const SftLoss loss = sft_loss(*policy, examples, 4096);
  EXPECT_NEAR(loss.mean, sum / tokens, 1e-12);
  ASSERT_EQ(loss.by_source.size(), masks.size());
  EXPECT_NEAR((loss.by_source[0] * 4 + loss.by_source[1] * 4 + loss.by_source[2] * 8) / 16, loss.mean, 1e-12);
  examples[0].train_all();
  EXPECT_EQ(examples[0].num_trained(), 8);
  EXPECT_EQ(examples[0].trained.front(), 0);
}

TEST_F(Sft, WithoutDevExamplesThereIsNoDevLossAndTheLastEpochIsKept) {
  const auto policy = make_policy();
  Optimizer optimizer(*policy, pool_, {});
  int evaluations = 0;
  const SftCallbacks callbacks{[](const SftStep&) { return true; }, [&](int, const SftLoss&) { ++evaluations; }, {}};
  const SftSummary summary = train_sft(*policy, optimizer, examples_, {}, options_, callbacks);
  EXPECT_FALSE(summary.best_dev_loss.has_value());
  EXPECT_EQ(summary.best_epoch, options_.max_epochs);
  EXPECT_EQ(evaluations, 0);
  EXPECT_TRUE(train().summary.best_dev_loss.has_value());
}

}  // namespace
}  // namespace plumb
