#pragma once
// A generator over the fake policy, and completions compared with ==.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "actor/generator.h"
#include "tests/actor/fake_policy.h"

namespace plumb {

// One token per printable character, plus newline and an end of sequence.
inline TokenizerData characters() {
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
    return {prompt, {token}, draw, 4, {}};
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

inline void expect_same(const CompletionGroup& a, const CompletionGroup& b) {
  ASSERT_EQ(a.completions.size(), b.completions.size());
  for (std::size_t i = 0; i < a.completions.size(); ++i) {
    EXPECT_EQ(a.completions[i].token_ids, b.completions[i].token_ids);
    EXPECT_EQ(a.completions[i].log_probs, b.completions[i].log_probs);
    EXPECT_EQ(a.completions[i].finish_reason, b.completions[i].finish_reason);
  }
}

}  // namespace plumb
