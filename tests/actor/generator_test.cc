#include "actor/generator.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/actor/fake_policy.h"

namespace plumb {
namespace {

// One token per printable character, plus newline and an end of sequence.
TokenizerData characters() {
  TokenizerData data;
  data.pre_tokenizer = "gpt2";
  for (char c = '!'; c <= '~'; ++c) {
    data.tokens.emplace_back(1, c);
  }
  data.tokens.emplace_back("\xC4\x8A");  // newline in the byte-level alphabet
  data.kinds.assign(data.tokens.size(), TokenKind::kNormal);
  data.tokens.emplace_back("<|im_end|>");
  data.kinds.push_back(TokenKind::kSpecial);
  data.eos_id = static_cast<std::int32_t>(data.tokens.size()) - 1;
  return data;
}

class GeneratorTest : public ::testing::Test {
 protected:
  GeneratorTest() : tokenizer_(Tokenizer::create(characters()).value()), policy_(tokenizer_.vocab_size()), pool_(1) {
    options_.sampling.max_new_tokens = 24;
    options_.cache_bytes = 1 << 20;
    options_.seed = 5;
  }

  static GenerationRequest request(const std::string& id, std::int32_t token, std::uint32_t draw = 0) {
    auto prompt = std::make_shared<PromptRecord>();
    prompt->id = id;
    return {prompt, {token}, draw, 4};
  }

  std::vector<CompletionGroup> generate(const std::vector<GenerationRequest>& requests) {
    auto groups = Generator(policy_, tokenizer_, pool_).generate(requests, options_);
    EXPECT_TRUE(groups.ok()) << groups.error().message;
    return std::move(groups).value();
  }

  Tokenizer tokenizer_;
  FakePolicy policy_;
  ThreadPool pool_;
  GeneratorOptions options_;
};

void expect_same(const CompletionGroup& a, const CompletionGroup& b) {
  ASSERT_EQ(a.completions.size(), b.completions.size());
  for (std::size_t i = 0; i < a.completions.size(); ++i) {
    EXPECT_EQ(a.completions[i].token_ids, b.completions[i].token_ids);
    EXPECT_EQ(a.completions[i].log_probs, b.completions[i].log_probs);
    EXPECT_EQ(a.completions[i].finish_reason, b.completions[i].finish_reason);
  }
}

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

TEST_F(GeneratorTest, ASmallCacheOnlyMakesItSlower) {
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 6; ++i) {
    requests.push_back(request("p" + std::to_string(i), i));
  }
  const auto wide = generate(requests);
  options_.cache_bytes = 25 * 5;  // one request of four samples and its prompt
  const auto narrow = generate(requests);
  for (std::size_t i = 0; i < wide.size(); ++i) {
    expect_same(wide[i], narrow[i]);
  }
}

TEST_F(GeneratorTest, RefusesWhatCannotFit) {
  options_.cache_bytes = 10;
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
}

}  // namespace
}  // namespace plumb
