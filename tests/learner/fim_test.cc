// Fill-in-the-middle: the parts are the text, in both orders, cut at characters, as often as asked for.

#include "learner/fim.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

namespace plumb {
namespace {

const std::string kText = "def größe(n):\n    return n  # 大きさ 😀 é\n";

// The small tokenizer with special tokens of these texts behind its 480 others.
Tokenizer tokenizer_with(const std::vector<std::string>& specials) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_small_smollm.json");
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(file);
  for (const std::string& text : specials) {
    nlohmann::ordered_json token = json["added_tokens"][0];
    token["id"] = 477 + json["added_tokens"].size();
    token["content"] = text;
    json["added_tokens"].push_back(token);
  }
  return Tokenizer::from_tokenizer_json(json.dump(), "small").value();
}

RngStream stream_of(std::uint32_t number) {
  return RngStream(RngPurpose::kData, 1, stable_hash("test"), 0, number);
}

// The texts between sentinels: what follows prefix, suffix and middle.
std::vector<std::string> parts_of(const std::vector<std::int32_t>& ids, const FimSentinels& sentinels,
                                  const Tokenizer& tokenizer) {
  std::vector<std::string> parts;
  for (const std::int32_t sentinel : {sentinels.prefix, sentinels.suffix, sentinels.middle}) {
    EXPECT_EQ(std::ranges::count(ids, sentinel), 1);
    const auto begin = std::ranges::find(ids, sentinel) + 1;
    const auto end = std::find_if(begin, ids.end(), [&](std::int32_t id) { return tokenizer.is_special(id); });
    parts.push_back(tokenizer.decode(std::vector(begin, end), false));
  }
  return parts;
}

TEST(Fim, ThePartsPutTogetherAreTheTextInBothOrders) {
  const Tokenizer tokenizer = tokenizer_with({"<fim_prefix>", "<fim_middle>", "<fim_suffix>"});
  const FimSentinels sentinels = find_fim_sentinels(tokenizer).value();
  EXPECT_EQ(sentinels.prefix, 480);
  EXPECT_EQ(sentinels.middle, 481);
  EXPECT_EQ(sentinels.suffix, 482);
  std::set<std::size_t> places;
  for (const double spm : {0.0, 1.0}) {
    for (std::uint32_t number = 0; number < 500; ++number) {
      const auto cut = draw_fim_cut(kText, {1.0, spm}, stream_of(number));
      ASSERT_TRUE(cut.has_value());
      EXPECT_EQ(cut->suffix_first, spm > 0);
      ASSERT_LE(cut->middle_begin, cut->middle_end);
      ASSERT_LE(cut->middle_end, kText.size());
      for (const std::size_t place : {cut->middle_begin, cut->middle_end}) {
        EXPECT_NE(static_cast<unsigned char>(kText[place]) & 0xC0U, 0x80U) << "within a character, byte " << place;
        places.insert(place);
      }
      const auto ids = fim_ids(kText, *cut, sentinels, tokenizer);
      const std::string prefix = kText.substr(0, cut->middle_begin);
      const std::string middle = kText.substr(cut->middle_begin, cut->middle_end - cut->middle_begin);
      const std::string suffix = kText.substr(cut->middle_end);
      const auto parts = parts_of(ids, sentinels, tokenizer);
      EXPECT_EQ(parts[0], spm > 0 ? "" : prefix);
      EXPECT_EQ(parts[1], suffix);
      EXPECT_EQ(parts[2], spm > 0 ? prefix + middle : middle);
      const auto at = [&](std::int32_t id) { return std::ranges::find(ids, id); };
      EXPECT_EQ(at(sentinels.prefix), ids.begin());
      EXPECT_LT(at(sentinels.suffix), at(sentinels.middle));
    }
  }
  // 1,000 cuts reach all of the text's places: one more than it has characters (those that begin, not go on).
  const auto characters =
      std::ranges::count_if(kText, [](char c) { return (static_cast<unsigned>(c) & 0xC0U) != 0x80U; });
  EXPECT_EQ(std::ssize(places), characters + 1);
}

TEST(Fim, SpecialTokensWrittenInATextAreText) {
  const Tokenizer tokenizer = tokenizer_with({"<fim_prefix>", "<fim_middle>", "<fim_suffix>"});
  const FimSentinels sentinels = find_fim_sentinels(tokenizer).value();
  const auto ids = fim_ids("a<fim_middle>b", {1, 13, false}, sentinels, tokenizer);
  EXPECT_EQ(std::ranges::count(ids, sentinels.middle), 1);
}

TEST(Fim, AsManyAreCutAsTheRatesSay) {
  int cut = 0;
  int suffix_first = 0;
  for (std::uint32_t number = 0; number < 1000; ++number) {
    EXPECT_FALSE(draw_fim_cut(kText, {0.0, 0.5}, stream_of(number)).has_value());
    const auto drawn = draw_fim_cut(kText, {0.5, 0.3}, stream_of(number));
    cut += drawn.has_value() ? 1 : 0;
    suffix_first += drawn && drawn->suffix_first ? 1 : 0;
    const auto again = draw_fim_cut(kText, {0.5, 0.3}, stream_of(number));
    EXPECT_EQ(drawn.has_value(), again.has_value());
    EXPECT_EQ(drawn ? drawn->middle_begin : 0, again ? again->middle_begin : 0);
  }
  EXPECT_NEAR(cut, 500, 64);           // four standard deviations
  EXPECT_NEAR(suffix_first, 150, 46);  // likewise
}

TEST(Fim, EveryFamilysNamesAreFoundAndNoneIsRefused) {
  const std::vector<std::vector<std::string>> families = {{"<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"},
                                                          {"<|fim_begin|>", "<|fim_hole|>", "<|fim_end|>"},
                                                          {"<fim_prefix>", "<fim_suffix>", "<fim_middle>"},
                                                          {"<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"},
                                                          {"▁<PRE>", "▁<SUF>", "▁<MID>"}};
  const auto none = find_fim_sentinels(tokenizer_with({"<fim_prefix>", "<fim_suffix>"}));
  ASSERT_FALSE(none.ok());
  for (const auto& names : families) {
    const auto found = find_fim_sentinels(tokenizer_with(names));
    ASSERT_TRUE(found.ok()) << names[0];
    EXPECT_EQ(found->prefix, 480);
    EXPECT_EQ(found->suffix, 481);
    EXPECT_EQ(found->middle, 482);
    for (const std::string& name : names) {
      EXPECT_NE(none.error().message.find(name), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace plumb
