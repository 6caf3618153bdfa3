#include "core/escape.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace plumb {
namespace {

using namespace std::string_literals;

TEST(Escape, HtmlTurnsMarkupIntoText) {
  EXPECT_EQ(escape_html("<script>alert('x')</script>"), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  EXPECT_EQ(escape_html("a\" onload=\"b & c"), "a&quot; onload=&quot;b &amp; c");
  EXPECT_EQ(escape_html("keeps\ttabs\nand lines"), "keeps\ttabs\nand lines");
  EXPECT_EQ(escape_html("\x1B[31mred\x1B[0m"), "␛[31mred␛[0m");
  EXPECT_EQ(escape_html("nul\0bell\a del\x7F"s), "nul␀bell␇ del␡");
  EXPECT_EQ(escape_html("if (a \xE2\x80\xAE) // \xE2\x80\x8B"), "if (a [U+202E]) // [U+200B]");
  EXPECT_EQ(escape_html("caf\xC3\xA9 \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
}

TEST(Escape, IllFormedUtf8BecomesReplacementCharacters) {
  // Counts as in the WHATWG decoder: one replacement for each maximal ill-formed part.
  EXPECT_EQ(to_utf8("\xFF\xFE"), "\uFFFD\uFFFD");
  EXPECT_EQ(to_utf8("a\xE2\x82z"), "a\uFFFDz");
  EXPECT_EQ(to_utf8("\xC0\xAF"), "\uFFFD\uFFFD");                      // overlong '/'
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(to_utf8("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(to_utf8("\xF0\x9F\x98"), "\uFFFD");                        // cut in mid-character
  EXPECT_FALSE(is_utf8("\xE0\x80\xAF"));
  EXPECT_TRUE(is_utf8("\xF4\x8F\xBF\xBF"));
  EXPECT_EQ(escape_html("<\xC3<"), "&lt;\uFFFD&lt;");  // a cut character does not swallow the next one
}

TEST(Escape, TerminalSequencesAreRemoved) {
  EXPECT_EQ(strip_terminal("\x1B[1;31merror:\x1B[0m bad"), "error: bad");
  EXPECT_EQ(strip_terminal("\x1B]0;title\x07rest"), "rest");
  EXPECT_EQ(strip_terminal("\x1B]8;;http://x\x1B\\link\x1B]8;;\x1B\\"), "link");
  EXPECT_EQ(strip_terminal("\x1BPq#0;2;0\x1B\\after"), "after");
  EXPECT_EQ(strip_terminal("\xC2\x9B"
                           "2Jclear"),
            "clear");  // CSI as a C1 control
  EXPECT_EQ(strip_terminal("over\rwrite\b\b"), "overwrite");
  EXPECT_EQ(strip_terminal("\x1B(Bplain\x1B"
                           "cdone"),
            "plaindone");  // charset choice, full reset
  EXPECT_EQ(strip_terminal("\x1B[31"), "");
  EXPECT_EQ(strip_terminal("\x1B"), "");
  EXPECT_EQ(strip_terminal("\xFFok"), "\uFFFDok");
  EXPECT_EQ(strip_terminal("a\n\tb"), "a\n\tb");
}

TEST(Escape, JsonKeepsEveryByte) {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) {
    every.push_back(static_cast<char>(byte));
  }
  const std::vector<std::string> fixtures = {
      "", "plain", "</script>\x1B[0m", "nul\0in"s, "\xFF", "\xC3(", "\xF0\x9F\x98", every, std::string(1000, '\x80')};
  for (const std::string& bytes : fixtures) {
    const auto value = json_safe(bytes);
    EXPECT_EQ(value.is_string(), is_utf8(bytes));
    const auto reread = nlohmann::json::parse(value.dump());
    auto back = bytes_from_json(reread);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Escape, JsonOfAnotherShapeIsRefused) {
  EXPECT_FALSE(bytes_from_json(3).ok());
  EXPECT_FALSE(bytes_from_json({{"base64", "a*b="}}).ok());
  EXPECT_FALSE(bytes_from_json({{"base64", "YQ"}}).ok());
  EXPECT_FALSE(bytes_from_json({{"base64", "YQ=="}, {"more", 1}}).ok());
}

}  // namespace
}  // namespace plumb
