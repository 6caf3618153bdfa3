#include "core/fence.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace plumb {
namespace {

// The source between the fences, or nothing; fed in pieces of `step` bytes.
std::optional<std::string> source_of(const std::string& text, std::size_t step) {
  StopAfterCodeBlock matcher;
  for (std::size_t at = 0; at < text.size(); at += step) {
    if (matcher.feed(std::string_view(text).substr(at, step))) {
      return text.substr(matcher.source_begin(), matcher.source_end() - matcher.source_begin());
    }
  }
  return std::nullopt;
}

TEST(Fence, FindsTheFirstClosedBlockWhateverThePieces) {
  struct Case {
    std::string text;
    std::optional<std::string> source;
  };
  const Case cases[] = {
      {"```python\nx = 1\n```", "x = 1\n"},
      {"```cpp\nint x;\n```\n```cpp\nint y;\n```", "int x;\n"},
      {"Sure!\n\n   ```\na\n   ```", "a\n"},
      {"```\n```", ""},
      {"````md\n```\ncode\n```\n````", "```\ncode\n```\n"},
      {"```c++\r\nint x;\r\n```", "int x;\r\n"},
      {"```py\ns = \"```\"\n```", "s = \"```\"\n"},
      {"use ```x``` here\n```\nb\n```", "b\n"},
      {"```x```\ny\n```\nz\n```", "z\n"},
      {"```py\nx = 1\n", std::nullopt},
      {"```py\nx = 1\n``", std::nullopt},
      {"no code", std::nullopt},
      {"", std::nullopt},
      {"text ```py\nx\n```\n", std::nullopt},
      {"    ```py\nx\n    ```", std::nullopt},
      {"``\n``", std::nullopt},
      {"~~~\nx\n~~~", std::nullopt},
  };
  for (const Case& c : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{1000}}) {
      EXPECT_EQ(source_of(c.text, step), c.source) << c.text << " in pieces of " << step;
    }
  }
}

TEST(Fence, StopsReadingAtTheLastBacktick) {
  const std::string text = "ok\n```py\nf()\n``` and more";
  StopAfterCodeBlock matcher;
  EXPECT_FALSE(matcher.feed("ok\n```py\nf()\n``"));
  EXPECT_TRUE(matcher.inside());
  EXPECT_TRUE(matcher.feed("` and more"));
  EXPECT_TRUE(matcher.feed("\n```\nlater\n```"));
  EXPECT_FALSE(matcher.inside());
  EXPECT_EQ(matcher.begin(), 3U);
  EXPECT_EQ(text.substr(matcher.begin(), matcher.end() - matcher.begin()), "```py\nf()\n```");
  EXPECT_EQ(text.substr(matcher.info_begin(), 2), "py");
}

TEST(Fence, IsLinearInHostileText) {
  std::string text;
  for (int i = 0; i < 300000; ++i) {
    text += i % 2 == 0 ? "``\n" : "```x`\n";
  }
  StopAfterCodeBlock matcher;
  EXPECT_FALSE(matcher.feed(text));
  EXPECT_TRUE(matcher.feed("```\n```"));
}

}  // namespace
}  // namespace plumb
