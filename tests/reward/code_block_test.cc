#include "reward/rules/code_block.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(CodeBlock, TheFirstClosedBlockCounts) {
  const std::string response = "Here it is:\n```python\ndef f(x):\n    return x\n```\nOr:\n```cpp\nint g();\n```\n";
  const auto block = first_code_block(response);
  ASSERT_TRUE(block.has_value());
  EXPECT_EQ(block->language, "python");
  EXPECT_EQ(block->source, "def f(x):\n    return x\n");
  EXPECT_EQ(response.substr(block->begin, block->end - block->begin), "```python\ndef f(x):\n    return x\n```");
}

TEST(CodeBlock, TheLanguageIsTheFirstWord) {
  EXPECT_EQ(first_code_block("``` cpp title=a\nx\n```")->language, "cpp");
  EXPECT_EQ(first_code_block("```\nx\n```")->language, "");
  EXPECT_EQ(first_code_block("```c++\r\nx\n```")->language, "c++");
  EXPECT_EQ(first_code_block("``````\nx\n``````")->language, "");
}

TEST(CodeBlock, AnOpenBlockIsNone) {
  EXPECT_FALSE(first_code_block("```python\ndef f(x):\n    return x\n").has_value());
  EXPECT_FALSE(first_code_block("def f(x): return x").has_value());
  EXPECT_FALSE(first_code_block("````\nx\n```").has_value());
}

}  // namespace
}  // namespace plumb
