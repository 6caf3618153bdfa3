#include "tokenizer/step_tokens.h"

#include <gtest/gtest.h>

#include "tests/support/model_files.h"

namespace plumb {
namespace {

Tokenizer open(const std::string& kind) {
  const std::string file = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_kind_" + kind + ".json";
  return Tokenizer::from_tokenizer_json(testing::read_text(file), kind).value();
}

std::string joined(const std::vector<std::string>& steps) {
  std::string text;
  for (const std::string& step : steps) {
    text += (text.empty() ? "" : "\n") + step;
  }
  return text;
}

const std::vector<std::string> kSteps = {"def f(n):", "    m = n + 1\n", "", "    return m"};

// Whatever a tokenizer puts in front: a step's tokens hold its text, and without the last of them they do not.
TEST(StepTokens, AreThoseOfTheWholeTextUpToTheTokenThatHoldsTheEnd) {
  for (const char* kind : {"llama3", "qwen2", "deepseek_v2", "llama2", "metaspace_first"}) {
    const Tokenizer tokenizer = open(kind);
    const std::string text = joined(kSteps);
    ASSERT_EQ(tokenizer.decode_text(tokenizer.encode(text, false)), text) << kind;
    std::vector<std::int32_t> expected = tokenizer.encode(text, false);
    expected.push_back(tokenizer.eos_id());
    const TokenisedSteps tokenised = tokenise_steps(kSteps, tokenizer);
    EXPECT_EQ(tokenised.tokens, expected) << kind;
    EXPECT_EQ(tokenised.steps.back().step, kSteps.size() - 1);
    EXPECT_EQ(tokenised.steps.back().end, std::ssize(expected));
    EXPECT_GE(tokenised.steps.size(), 3U);
    std::int64_t last = 0;
    for (const StepInTokens& step : tokenised.steps) {
      EXPECT_GT(step.end, last);
      last = step.end;
      if (step.step + 1 < kSteps.size()) {
        const std::size_t bytes =
            joined({kSteps.begin(), kSteps.begin() + static_cast<std::ptrdiff_t>(step.step) + 1}).size() + 1;
        const std::span<const std::int32_t> begin(expected.data(), static_cast<std::size_t>(step.end));
        EXPECT_GE(tokenizer.decode_text(begin).size(), bytes) << kind;
        EXPECT_LT(tokenizer.decode_text(begin.first(begin.size() - 1)).size(), bytes) << kind;
      }
    }
  }
}

// A decomposed e with an acute accent is composed (NFC), so that places in the text are not those of the tokens.
TEST(StepTokens, OfATextThatIsRewrittenAreTakenStepByStep) {
  const Tokenizer tokenizer = open("qwen2");
  const std::vector<std::string> steps = {"cafe\xcc\x81 = 1", "so 2"};
  ASSERT_NE(tokenizer.decode_text(tokenizer.encode(joined(steps), false)), joined(steps));
  const std::vector<std::int32_t> first = tokenizer.encode(steps[0] + "\n", false);
  const TokenisedSteps tokenised = tokenise_steps(steps, tokenizer);
  ASSERT_EQ(tokenised.steps.size(), 2U);
  EXPECT_EQ(tokenised.steps[0].end, std::ssize(first));
  EXPECT_EQ(tokenised.steps[1].end, std::ssize(tokenised.tokens));
  EXPECT_EQ(std::vector<std::int32_t>(tokenised.tokens.begin(), tokenised.tokens.begin() + std::ssize(first)), first);
}

// A completion as it was sampled has the steps that its text has as a row, its end token with the last.
TEST(StepTokens, OfASampleAreThoseOfItsRow) {
  const Tokenizer tokenizer = open("llama3");
  const std::vector<std::string> steps = {"a = 1", "b = 2\n}", "c"};
  const TokenisedSteps row = tokenise_steps(steps, tokenizer);
  Completion completion;
  completion.text = joined(steps);
  completion.token_ids = row.tokens;
  const std::vector<StepInTokens> sampled = steps_of(completion, tokenizer);
  ASSERT_EQ(sampled.size(), row.steps.size());
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    EXPECT_EQ(sampled[i].step, row.steps[i].step);
    EXPECT_EQ(sampled[i].end, row.steps[i].end);
  }
  completion.text.clear();  // an end of sequence alone is one step
  completion.token_ids = {tokenizer.eos_id()};
  EXPECT_EQ(steps_of(completion, tokenizer).size(), 1U);
  EXPECT_EQ(steps_of(completion, tokenizer).front().end, 1);
  EXPECT_TRUE(steps_of({}, tokenizer).empty());
}

}  // namespace
}  // namespace plumb
