#include "actor/generator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "actor/stop_matcher.h"
#include "tests/actor/generator_fixture.h"

namespace plumb {
namespace {

TEST_F(GeneratorTest, CompletionsDoNotDependOnBatchSizeOrOrder) {
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 9; ++i) {
    requests.push_back(request("p" + std::to_string(i), i));
  }
  const auto all = generate(requests);
  EXPECT_GT(policy_.largest_batch_, 20U);
  for (const int max_batch : {1, 5, 8}) {
    options_.max_batch = max_batch;
    std::vector<GenerationRequest> reversed(requests.rbegin(), requests.rend());
    const auto other = generate(reversed);
    for (std::size_t i = 0; i < all.size(); ++i) {
      expect_same(all[i], other[all.size() - 1 - i]);
    }
  }
  expect_same(all[3], generate({requests[3]})[0]);
}

TEST_F(GeneratorTest, DrawsSamplesAndPurposesDiffer) {
  const auto first = generate({request("p", 1, 0)});
  const auto second = generate({request("p", 1, 1)});
  options_.purpose = RngPurpose::kEvaluation;
  const auto evaluation = generate({request("p", 1, 0)});
  EXPECT_NE(first[0].completions[0].token_ids, second[0].completions[0].token_ids);
  EXPECT_NE(first[0].completions[0].token_ids, first[0].completions[1].token_ids);
  EXPECT_NE(first[0].completions[0].token_ids, evaluation[0].completions[0].token_ids);
}

TEST_F(GeneratorTest, EveryTokenCarriesVersionAndLogProb) {
  const auto groups = generate({request("p", 1)});
  for (const Completion& completion : groups[0].completions) {
    EXPECT_EQ(completion.log_probs.size(), completion.token_ids.size());
    EXPECT_EQ(completion.weight_versions, std::vector<std::int64_t>(completion.token_ids.size(), 7));
    EXPECT_LE(completion.token_ids.size(), 24U);
    if (completion.finish_reason == FinishReason::kLength) {
      EXPECT_EQ(completion.token_ids.size(), 24U);
    }
  }
}

TEST_F(GeneratorTest, StopsAtTheEndOfTheFirstClosedCodeBlock) {
  options_.sampling.temperature = 0;
  policy_.script_ = tokenizer_.encode("```cpp\nx;\n```more");
  const auto groups = generate({request("p", 1)});
  EXPECT_EQ(groups[0].completions[0].text, "```cpp\nx;\n```");
  EXPECT_EQ(groups[0].completions[0].finish_reason, FinishReason::kStop);
  options_.sampling.stop_after_code_block = false;
  EXPECT_EQ(generate({request("p", 1)})[0].completions[0].finish_reason, FinishReason::kLength);
}

TEST_F(GeneratorTest, EndOfSequenceIsKeptInTheTokensAndLeftOutOfTheText) {
  options_.sampling.temperature = 0;
  policy_.script_ = tokenizer_.encode("ok<|im_end|>");
  const Completion completion = generate({request("p", 1)})[0].completions[0];
  EXPECT_EQ(completion.text, "ok");
  EXPECT_EQ(completion.token_ids.back(), tokenizer_.eos_id());
  EXPECT_EQ(completion.finish_reason, FinishReason::kEndOfSequence);
}

// Chat models name several tokens that end a turn.
TEST_F(GeneratorTest, EveryTokenThatEndsCompletionsEndsThem) {
  TokenizerData data = characters();
  const auto full_stop = static_cast<std::int32_t>('.' - '!');
  data.end_ids = {full_stop};
  const Tokenizer tokenizer = Tokenizer::create(data).value();
  EXPECT_EQ(tokenizer.end_ids(), (std::vector<std::int32_t>{data.eos_id, full_stop}));
  options_.sampling.max_new_tokens = 200;
  const std::vector<GenerationRequest> requests = {request("a", 3), request("b", 4)};
  const auto groups = Generator(policy_, tokenizer, pool_).generate(requests, options_);
  ASSERT_TRUE(groups.ok()) << groups.error().message;
  bool seen = false;
  for (const CompletionGroup& group : *groups) {
    for (const Completion& completion : group.completions) {
      const auto at = std::ranges::find(completion.token_ids, full_stop);
      if (at != completion.token_ids.end()) {
        seen = true;
        EXPECT_EQ(at + 1, completion.token_ids.end());
        EXPECT_EQ(completion.finish_reason, FinishReason::kEndOfSequence);
      }
    }
  }
  EXPECT_TRUE(seen);
  data.end_ids = {1000};
  EXPECT_NE(Tokenizer::create(data).error().message.find("1000"), std::string::npos);
}

TEST_F(GeneratorTest, EachGroupIsHandedOutOnceWhenItIsWhole) {
  std::vector<std::size_t> seen;
  const std::vector<GenerationRequest> requests = {request("a", 1), request("b", 2), request("c", 3)};
  const auto groups = Generator(policy_, tokenizer_, pool_)
                          .generate(requests, options_, {}, [&](std::size_t index, const CompletionGroup& group) {
                            seen.push_back(index);
                            for (const Completion& completion : group.completions) {
                              EXPECT_NE(completion.finish_reason, FinishReason::kAborted);
                            }
                          });
  ASSERT_TRUE(groups.ok());
  std::sort(seen.begin(), seen.end());
  EXPECT_EQ(seen, (std::vector<std::size_t>{0, 1, 2}));
}

// Greedy completions of a prompt are all the same, so they cost as much as one.
TEST_F(GeneratorTest, CountsTheRowsThatGoThroughTheModel) {
  options_.sampling.temperature = 0;
  const std::vector<GenerationRequest> requests = {request("a", 1)};
  ASSERT_GT(requests[0].num_samples, 1);
  GenerationProgress last;
  const auto groups =
      Generator(policy_, tokenizer_, pool_).generate(requests, options_, [&](const GenerationProgress& progress) {
        last = progress;
        return true;
      });
  ASSERT_TRUE(groups.ok());
  const std::int64_t length = std::ssize(groups->front().completions.front().token_ids);
  EXPECT_EQ(last.new_tokens, requests[0].num_samples * length);
  EXPECT_EQ(last.rows, std::ssize(requests[0].prompt_token_ids) + length - 1);  // the last one has no successor
  EXPECT_EQ(last.head_rows, length);
}

TEST_F(GeneratorTest, StoppingLeavesAbortedCompletions) {
  const std::vector<GenerationRequest> requests = {request("a", 1)};
  const auto groups =
      Generator(policy_, tokenizer_, pool_).generate(requests, options_, [](const GenerationProgress& progress) {
        return progress.new_tokens < 8;
      });
  ASSERT_TRUE(groups.ok());
  EXPECT_TRUE(std::any_of(groups->front().completions.begin(), groups->front().completions.end(),
                          [](const auto& each) { return each.finish_reason == FinishReason::kAborted; }));
}

TEST_F(GeneratorTest, RefusesWhatCannotFit) {
  options_.cache_bytes = FakePolicy::pages(1);
  const std::vector<GenerationRequest> one = {request("a", 1)};
  const auto small = Generator(policy_, tokenizer_, pool_).generate(one, options_);
  ASSERT_FALSE(small.ok());
  EXPECT_NE(small.error().message.find("sampling.cache_mib"), std::string::npos);
  options_.cache_bytes = 1 << 20;
  options_.sampling.max_new_tokens = 600;
  const auto long_context = Generator(policy_, tokenizer_, pool_).generate(one, options_);
  ASSERT_FALSE(long_context.ok());
  EXPECT_NE(long_context.error().message.find("context of 512"), std::string::npos);
  std::vector<GenerationRequest> empty = one;
  empty[0].prompt_token_ids.clear();
  EXPECT_FALSE(Generator(policy_, tokenizer_, pool_).generate(empty, options_).ok());
  options_.sampling.max_new_tokens = 24;
  empty[0].prompt_token_ids = {1, 4096};
  const auto foreign = Generator(policy_, tokenizer_, pool_).generate(empty, options_);
  ASSERT_FALSE(foreign.ok());
  EXPECT_NE(foreign.error().message.find("token id 4096"), std::string::npos);
}

TEST_F(GeneratorTest, DamagedLogitsAndForbiddenVocabulariesAreErrors) {
  const std::vector<GenerationRequest> one = {request("a", 1)};
  for (std::int32_t id = 0; id < tokenizer_.vocab_size(); ++id) {
    options_.sampling.bad_words.push_back({id});
  }
  const auto forbidden = Generator(policy_, tokenizer_, pool_).generate(one, options_);
  ASSERT_FALSE(forbidden.ok());
  EXPECT_NE(forbidden.error().message.find("forbid every token"), std::string::npos);
  options_.sampling.bad_words.clear();
  policy_.damaged_ = true;
  const auto damaged = Generator(policy_, tokenizer_, pool_).generate(one, options_);
  ASSERT_FALSE(damaged.ok());
  EXPECT_NE(damaged.error().message.find("not numbers"), std::string::npos);
}

TEST_F(GeneratorTest, StopTextsEndTheTextAcrossTokenBorders) {
  options_.sampling.temperature = 0;
  options_.sampling.stop = {"zzz", "lo wor", "low"};
  policy_.script_ = tokenizer_.encode("hellowood");
  const Completion completion = generate({request("p", 1)})[0].completions[0];
  EXPECT_EQ(completion.text, "hel");
  EXPECT_EQ(completion.token_ids.size(), 6U);
  EXPECT_EQ(completion.finish_reason, FinishReason::kStop);
}

TEST(StopMatcher, TheTextThatIsCompleteFirstEndsItHoweverItIsCut) {
  const std::vector<std::string> stop = {"bc", "abcd", "xabc"};
  for (const std::vector<std::string>& pieces :
       {std::vector<std::string>{"zzabcd"}, {"zza", "bcd"}, {"zzabc", "d"}, {"z", "z", "a", "b", "c"}}) {
    StopMatcher matcher(stop);
    std::optional<std::size_t> at;
    for (const std::string& piece : pieces) {
      at = at ? at : matcher.feed(piece);
    }
    EXPECT_EQ(at, 3U);
  }
  StopMatcher matcher(stop);
  EXPECT_EQ(matcher.feed("zxabc"), 1U);  // of two that end together the longer
}

TEST_F(GeneratorTest, StopIdsAndMinimumLength) {
  options_.sampling.temperature = 0;
  options_.sampling.stop_token_ids = {tokenizer_.encode("l")[0]};
  policy_.script_ = tokenizer_.encode("hello");
  EXPECT_EQ(generate({request("p", 1)})[0].completions[0].token_ids.size(), 3U);
  options_.sampling.min_new_tokens = 10;
  const Completion longer = generate({request("p", 1)})[0].completions[0];
  EXPECT_GT(longer.token_ids.size(), 9U);
  EXPECT_EQ(std::find(longer.token_ids.begin(), longer.token_ids.begin() + 9, options_.sampling.stop_token_ids[0]),
            longer.token_ids.begin() + 9);
}

TEST_F(GeneratorTest, ARequestMayHaveItsOwnSampling) {
  std::vector<GenerationRequest> requests = {request("a", 1), request("b", 2)};
  const auto before = generate(requests);
  requests[1].sampling = options_.sampling;
  requests[1].sampling->temperature = 0;
  const auto after = generate(requests);
  expect_same(before[0], after[0]);
  EXPECT_EQ(after[1].completions[0].token_ids, after[1].completions[3].token_ids);
}

}  // namespace
}  // namespace plumb
