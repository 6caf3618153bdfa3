#include "core/steps.h"

#include <gtest/gtest.h>

#include <string>

namespace plumb {
namespace {

std::vector<std::string> steps_of(std::string_view text) {
  std::vector<std::string> steps;
  std::size_t begin = 0;
  for (const std::size_t end : step_ends(text)) {
    steps.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  EXPECT_EQ(begin, text.size()) << "steps tile the text";
  return steps;
}

using Texts = std::vector<std::string>;

TEST(Steps, ALineIsAStep) {
  EXPECT_EQ(steps_of(""), Texts());
  EXPECT_EQ(steps_of("one"), Texts{"one"});
  EXPECT_EQ(steps_of("one\ntwo\n"), (Texts{"one\n", "two\n"}));
  EXPECT_EQ(steps_of("3 + 4 = 7\n\n\nSo 7.\n"), (Texts{"3 + 4 = 7\n\n\n", "So 7.\n"}));
  EXPECT_EQ(steps_of("a\r\nb"), (Texts{"a\r\n", "b"}));
}

TEST(Steps, WhatHoldsNoLetterOrDigitGoesWithTheStepBeforeIt) {
  EXPECT_EQ(steps_of("for (;;) {\n  f();\n}\n\n}\nend"), (Texts{"for (;;) {\n", "  f();\n}\n\n}\n", "end"}));
  EXPECT_EQ(steps_of("Then\n\\[\nx = 2\n\\]\n"), (Texts{"Then\n\\[\n", "x = 2\n\\]\n"}));
  EXPECT_EQ(steps_of("\n---\nfirst\nsecond"), (Texts{"\n---\nfirst\n", "second"}));
  EXPECT_EQ(steps_of("\n\n"), Texts{"\n\n"});
  EXPECT_EQ(steps_of("ja\n\xc3\xa9\n"), (Texts{"ja\n", "\xc3\xa9\n"}));  // a letter beyond ASCII
}

TEST(Steps, AFenceGoesWithTheCodeThatItOpens) {
  EXPECT_EQ(steps_of("```python\ndef f(n):\n    return n\n```"),
            (Texts{"```python\ndef f(n):\n", "    return n\n```"}));
  EXPECT_EQ(steps_of("So:\n```cpp\n\nint f();\nint g();\n```\ndone"),
            (Texts{"So:\n", "```cpp\n\nint f();\n", "int g();\n```\n", "done"}));
  EXPECT_EQ(steps_of("a\n```python"), (Texts{"a\n", "```python"}));
}

// Bytes of "ab\ncd\nef": tokens "a", "b\nc", "d\n", "ef", and an end of sequence without text.
TEST(Steps, InTokensEndWithTheTokenThatHoldsTheirLastByte) {
  const std::vector<std::size_t> ends = step_ends("ab\ncd\nef");
  const auto pairs = [&](const std::vector<std::size_t>& token_ends, std::int64_t num_tokens) {
    std::vector<std::pair<std::size_t, std::int64_t>> result;
    for (const StepInTokens& step : steps_in_tokens(ends, token_ends, num_tokens)) {
      result.emplace_back(step.step, step.end);
    }
    return result;
  };
  using Pairs = std::vector<std::pair<std::size_t, std::int64_t>>;
  EXPECT_EQ(pairs({1, 4, 6, 8}, 5), (Pairs{{0, 2}, {1, 3}, {2, 5}}));
  EXPECT_EQ(pairs({1, 4, 6, 8}, 4), (Pairs{{0, 2}, {1, 3}, {2, 4}}));
  EXPECT_EQ(pairs({7, 8}, 3), (Pairs{{1, 1}, {2, 3}}));  // two steps end in one token: the later one is left
  EXPECT_EQ(pairs({8}, 2), (Pairs{{2, 2}}));
  EXPECT_TRUE(steps_in_tokens({}, {}, 1).empty());
}

}  // namespace
}  // namespace plumb
