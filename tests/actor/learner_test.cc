// What the actor says of a token and what the learner computes for it, with ==: truncated sampling, temperatures,
// pre-emption and threads included.

#include <gtest/gtest.h>

#include "actor/generator.h"
#include "tests/actor/generator_fixture.h"
#include "tests/support/bf16_scope.h"
#include "tests/support/random_model.h"

namespace plumb {
namespace {

class ActorAndLearner : public testing::ArithmeticTest {
 protected:
  ActorAndLearner() : tokenizer_(Tokenizer::create(characters()).value()), config_(testing::small_config(true)) {
    config_.vocab_size = tokenizer_.vocab_size();
    options_.sampling.max_new_tokens = 40;
    for (int i = 0; i < 3; ++i) {
      auto prompt = std::make_shared<PromptRecord>();
      prompt->id = "p" + std::to_string(i);
      requests_.push_back(
          {prompt, testing::random_tokens(config_, 20 + 17 * i, static_cast<std::uint64_t>(i)), 0, 3, {}});
    }
  }

  std::unique_ptr<Policy> make_policy(ThreadPool& pool) const {
    auto policy = Policy::create(config_, testing::random_weights(config_, 7), {.dtype = dtype(), .pool = &pool});
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }

  // The log-probs that `policy` computes for all tokens of a group, in one batch that shares the prompt, as the learner
  // does it.
  std::vector<float> score(Policy& policy, const CompletionGroup& group) const {
    PackedBatch batch;
    ScoreTargets targets;
    targets.temperature = options_.sampling.temperature;
    batch.token_ids = group.prompt_token_ids;
    const auto prompt_tokens = static_cast<std::int64_t>(group.prompt_token_ids.size());
    batch.segments.push_back({.first_row = 0, .num_tokens = prompt_tokens});
    for (const Completion& completion : group.completions) {
      const std::int64_t first = batch.num_tokens();
      const auto count = static_cast<std::int64_t>(completion.token_ids.size());
      for (std::int64_t t = 0; t < count; ++t) {
        targets.rows.push_back(t == 0 ? prompt_tokens - 1 : first + t - 1);
        targets.target_ids.push_back(completion.token_ids[static_cast<std::size_t>(t)]);
      }
      batch.token_ids.insert(batch.token_ids.end(), completion.token_ids.begin(), completion.token_ids.end());
      batch.segments.push_back({.first_row = first, .num_tokens = count, .start_position = prompt_tokens, .parent = 0});
      targets.kept.insert(targets.kept.end(), completion.kept.begin(), completion.kept.end());
    }
    return policy.score(batch, targets).log_probs;
  }

  // Of all tokens of a group, in order.
  template <typename Value>
  static std::vector<Value> joined(const CompletionGroup& group, std::vector<Value> Completion::*member) {
    std::vector<Value> all;
    for (const Completion& completion : group.completions) {
      all.insert(all.end(), (completion.*member).begin(), (completion.*member).end());
    }
    return all;
  }

  void expect_equal_log_probs(Policy& policy, const std::vector<CompletionGroup>& groups) const {
    for (const CompletionGroup& group : groups) {
      EXPECT_EQ(score(policy, group), joined(group, &Completion::log_probs));
    }
  }

  Tokenizer tokenizer_;
  ModelConfig config_;
  GeneratorOptions options_;
  std::vector<GenerationRequest> requests_;
};

TEST_P(ActorAndLearner, LogProbsAreEqualWhateverTruncates) {
  const auto configure = [&](int way) {
    options_.sampling = {};
    options_.sampling.max_new_tokens = 40;
    options_.sampling.temperature = way % 2 == 0 ? 1.0F : 0.6F;
    options_.sampling.top_k = way == 1 ? 5 : 0;
    options_.sampling.top_p = way == 2 || way == 5 ? 0.8F : 1.0F;
    options_.sampling.min_p = way == 3 || way == 5 ? 0.2F : 0.0F;
    options_.sampling.typical_p = way == 4 ? 0.7F : 1.0F;
  };
  std::vector<std::vector<CompletionGroup>> first;
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    const auto policy = make_policy(pool);
    for (int way = 0; way < 6; ++way) {
      configure(way);
      auto groups = Generator(*policy, tokenizer_, pool).generate(requests_, options_);
      ASSERT_TRUE(groups.ok()) << groups.error().message;
      expect_equal_log_probs(*policy, *groups);
      if (threads == 1) {
        first.push_back(std::move(groups).value());
        continue;
      }
      for (std::size_t g = 0; g < groups->size(); ++g) {
        expect_same(first[static_cast<std::size_t>(way)][g], (*groups)[g]);
      }
    }
  }
}

TEST_P(ActorAndLearner, KeptSetsByIdAreThoseByBounds) {
  ThreadPool pool(2);
  const auto policy = make_policy(pool);
  options_.sampling.top_p = 0.8F;
  options_.sampling.temperature = 0.6F;
  const auto bounds = Generator(*policy, tokenizer_, pool).generate(requests_, options_);
  options_.sampling.kept_by_id = true;
  auto by_id = Generator(*policy, tokenizer_, pool).generate(requests_, options_);
  ASSERT_TRUE(bounds.ok() && by_id.ok());
  ASSERT_NE((*by_id)[0].completions[0].kept[0].ids, nullptr);
  expect_equal_log_probs(*policy, *by_id);
  for (std::size_t g = 0; g < bounds->size(); ++g) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ((*bounds)[g].completions[i].token_ids, (*by_id)[g].completions[i].token_ids);
      EXPECT_EQ((*bounds)[g].completions[i].log_probs, (*by_id)[g].completions[i].log_probs);
    }
  }
}

TEST_P(ActorAndLearner, APreEmptedCompletionHasTheSameBits) {
  ThreadPool pool(2);
  const auto policy = make_policy(pool);
  options_.sampling.top_p = 0.9F;
  options_.sampling.max_new_tokens = 150;
  const auto wide = Generator(*policy, tokenizer_, pool).generate(requests_, options_);
  ASSERT_TRUE(wide.ok());
  // Nine pages, where three groups of three would like more than forty.
  const std::int64_t page_bytes = (std::int64_t{1} << 24) / (policy->make_cache(1 << 24)->free_tokens() / 32);
  options_.cache_bytes = 9 * page_bytes;
  options_.prefill_chunk = 11;
  std::int64_t preempted = 0;
  const auto narrow =
      Generator(*policy, tokenizer_, pool).generate(requests_, options_, [&](const GenerationProgress& progress) {
        preempted = progress.preempted;
        return true;
      });
  ASSERT_TRUE(narrow.ok()) << narrow.error().message;
  EXPECT_GT(preempted, 0);
  for (std::size_t g = 0; g < wide->size(); ++g) {
    expect_same((*wide)[g], (*narrow)[g]);
  }
  expect_equal_log_probs(*policy, *narrow);
}

// New weights land in the middle of completions: what the actor said of a token is what the weights of that token's
// version compute for it, after all tokens before it, whatever versions those had. So a sequence of mixed versions is
// recomputed segment by segment, each with its own weights.
TEST_P(ActorAndLearner, MixedVersionsAreRecomputedBySegmentToTheSameBits) {
  ThreadPool pool(2);
  const auto older = make_policy(pool);
  const auto newer = make_policy(pool);
  const std::int64_t first_version = newer->version();
  int steps = 0;
  const auto groups = Generator(*newer, tokenizer_, pool).generate(requests_, options_, [&](const auto&) {
    if (++steps == 15) {
      for (ParameterView& parameter : newer->parameters()) {
        for (float& value : parameter.value) {
          value *= 1.03F;
        }
      }
      newer->commit_update();
    }
    return true;
  });
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  for (const CompletionGroup& group : *groups) {
    const std::vector<float> by_older = score(*older, group);
    const std::vector<float> by_newer = score(*newer, group);
    const auto sampled = joined(group, &Completion::log_probs);
    const auto versions = joined(group, &Completion::weight_versions);
    std::vector<float> by_segment;
    for (std::size_t t = 0; t < sampled.size(); ++t) {
      by_segment.push_back(versions[t] == first_version ? by_older[t] : by_newer[t]);
    }
    EXPECT_EQ(by_segment, sampled);
    EXPECT_NE(by_older, sampled);
    EXPECT_NE(by_newer, sampled);
    EXPECT_EQ(versions.front(), first_version);
    EXPECT_EQ(group.completions[0].weight_versions.back(), first_version + 1) << "both in one completion";
  }
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, ActorAndLearner, ::testing::ValuesIn(testing::all_arithmetic()),
                         [](const auto& parameter) { return testing::name_of(parameter.param); });

}  // namespace
}  // namespace plumb
