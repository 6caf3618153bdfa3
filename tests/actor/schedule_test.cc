// Who shares the batch, the cache and the weights with a completion must not show in it.

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/actor/generator_fixture.h"

namespace plumb {
namespace {

class Schedule : public GeneratorTest {
 protected:
  // Prompts of 3 to 75 tokens with a common beginning, four samples each, truncated sampling with room to differ.
  Schedule() {
    options_.sampling.top_p = 0.9F;
    options_.sampling.temperature = 1.3F;
    options_.sampling.max_new_tokens = 50;
    for (int i = 0; i < 9; ++i) {
      GenerationRequest one = request("p" + std::to_string(i), i);
      for (int t = 0; t < 2 + 9 * i; ++t) {
        one.prompt_token_ids.insert(one.prompt_token_ids.begin(), (7 * t) % 90);
      }
      std::reverse(one.prompt_token_ids.begin(), one.prompt_token_ids.end() - 1);
      requests_.push_back(one);
    }
  }

  std::vector<GenerationRequest> requests_;
};

void expect_all_same(const std::vector<CompletionGroup>& a, const std::vector<CompletionGroup>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    expect_same(a[i], b[i]);
  }
}

TEST_F(Schedule, SmallCachesPreEmptAndChangeNothing) {
  const auto wide = generate(requests_);
  std::int64_t preempted = 0;
  for (const std::int64_t pages : {5, 6, 8, 11, 17, 40}) {
    options_.cache_bytes = FakePolicy::pages(pages);
    const auto narrow =
        Generator(policy_, tokenizer_, pool_).generate(requests_, options_, [&](const GenerationProgress& progress) {
          preempted = std::max(preempted, progress.preempted);
          return true;
        });
    ASSERT_TRUE(narrow.ok());
    expect_all_same(wide, *narrow);
  }
  EXPECT_GT(preempted, 3);
}

TEST_F(Schedule, ChunksAndBatchesChangeNothing) {
  const auto whole = generate(requests_);
  for (const int chunk : {1, 7, 64}) {
    for (const int max_batch : {1, 3, 10}) {
      options_.prefill_chunk = chunk;
      options_.max_batch = max_batch;
      expect_all_same(whole, generate(requests_));
    }
  }
}

TEST_F(Schedule, SamplesDoNotDependOnTheSizeOfTheGroup) {
  std::vector<GenerationRequest> larger = requests_;
  for (GenerationRequest& one : larger) {
    one.num_samples = 9;
  }
  const auto four = generate(requests_);
  auto nine = generate(larger);
  for (CompletionGroup& group : nine) {
    group.completions.resize(4);
  }
  expect_all_same(four, nine);
}

TEST_F(Schedule, SamplesShareASequenceUntilTheyPart) {
  // Peaked enough that a token is the likeliest one in three of four draws.
  options_.sampling.temperature = 0.03F;
  options_.sampling.top_p = 1.0F;
  for (GenerationRequest& one : requests_) {
    one.num_samples = 12;
  }
  const auto read = [&](const std::vector<CompletionGroup>* expected) {
    policy_.tokens_read_ = 0;
    const auto groups = generate(requests_);
    if (expected != nullptr) {
      expect_all_same(*expected, groups);
    }
    return std::pair(groups, policy_.tokens_read_);
  };
  options_.max_batch = 1;  // every sample by itself
  const auto [alone, read_alone] = read(nullptr);
  EXPECT_NE(alone[0].completions[0].token_ids, alone[0].completions[1].token_ids);
  options_.max_batch = 200;
  const std::size_t read_together = read(&alone).second;
  EXPECT_LT(read_together, read_alone * 3 / 4);
  for (const std::int64_t pages : {5, 6, 8, 11, 17, 40}) {
    options_.cache_bytes = FakePolicy::pages(pages);
    read(&alone);
  }
}

// Prompts of whole pages: what is evicted first shares all its pages with sequences that live, and frees none.
TEST_F(Schedule, WhereAForkNeedsAPageAsMuchIsGivenUpAsItTakes) {
  options_.sampling.temperature = 0.04F;
  options_.sampling.top_p = 1.0F;
  requests_.resize(2);
  for (GenerationRequest& one : requests_) {
    one.num_samples = 3;
    one.prompt_token_ids.assign(64, one.prompt_token_ids.back());
  }
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    options_.seed = seed;
    options_.cache_bytes = 1 << 20;
    const auto wide = generate(requests_);
    for (std::int64_t pages = 5; pages <= 16; ++pages) {
      options_.cache_bytes = FakePolicy::pages(pages);
      expect_all_same(wide, generate(requests_));
    }
  }
}

TEST_F(Schedule, AReissuedDrawGivesTheSameGroup) {
  const auto whole = generate(requests_);
  const auto torn = Generator(policy_, tokenizer_, pool_).generate(requests_, options_, [](const auto& progress) {
    return progress.finished < 5;
  });
  ASSERT_TRUE(torn.ok());
  EXPECT_NE(torn->back().completions[0].finish_reason, whole.back().completions[0].finish_reason);
  expect_all_same(whole, generate(requests_));
}

TEST_F(Schedule, PromptsInTheCacheAreReadOnceAndNewWeightsReadThemAgain) {
  options_.keep_cache = true;
  Generator generator(policy_, tokenizer_, pool_);
  const auto call = [&] {
    policy_.tokens_read_ = 0;
    auto groups = generator.generate(requests_, options_);
    EXPECT_TRUE(groups.ok());
    return std::move(groups).value();
  };
  const auto first = call();
  const std::size_t first_read = policy_.tokens_read_;
  expect_all_same(first, call());
  const std::size_t second_read = policy_.tokens_read_;
  EXPECT_LT(second_read, first_read);
  policy_.commit_update();
  const auto newer = call();
  EXPECT_GT(policy_.tokens_read_, second_read);
  EXPECT_NE(newer[0].completions[0].token_ids, first[0].completions[0].token_ids);
  expect_all_same(newer, Generator(policy_, tokenizer_, pool_).generate(requests_, options_).value());
}

// Each token is what its version of the weights draws after all tokens before it, whatever versions those had.
TEST_F(Schedule, NewWeightsBetweenStepsAreUsedAtOnceAndStalePagesNever) {
  options_.cache_bytes = FakePolicy::pages(20);
  int steps = 0;
  const auto groups = Generator(policy_, tokenizer_, pool_).generate(requests_, options_, [&](const auto&) {
    if (++steps % 7 == 0) {
      policy_.commit_update();
    }
    return true;
  });
  ASSERT_TRUE(groups.ok());
  std::int64_t newest = 0;
  for (const CompletionGroup& group : *groups) {
    for (const Completion& completion : group.completions) {
      std::vector<std::int32_t> tokens = group.prompt_token_ids;
      for (std::size_t t = 0; t < completion.token_ids.size(); ++t) {
        std::vector<float> logits = policy_.logits_after(tokens, completion.weight_versions[t]);
        const RngStream stream(options_.purpose, options_.seed, stable_hash(group.prompt->id), group.draw,
                               completion.stream.sample);
        SamplingScratch scratch;
        const std::span<const std::int32_t> said(completion.token_ids.data(), t);
        const SampledToken token =
            draw_token(logits, options_.sampling, {group.prompt_token_ids, said, {}}, stream, scratch);
        ASSERT_EQ(token.id, completion.token_ids[t]);
        ASSERT_EQ(token.log_prob, completion.log_probs[t]);
        ASSERT_EQ(token.kept, completion.kept[t]);
        tokens.push_back(token.id);
      }
      EXPECT_TRUE(std::is_sorted(completion.weight_versions.begin(), completion.weight_versions.end()));
      newest = std::max(newest, completion.weight_versions.back());
    }
  }
  EXPECT_GT(newest, 10);
}

}  // namespace
}  // namespace plumb
