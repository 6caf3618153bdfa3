#include "tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "formats/model_folder.h"
#include "formats/tokenizer_json.h"
#include "tests/support/model_files.h"
#include "tokenizer/byte_level.h"

namespace plumb {
namespace {

using Ids = std::vector<std::int32_t>;

const std::string kGolden = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/";

TokenizerData small_data(const std::string& pre) {
  const std::string path = kGolden + "tokenizer_small_" + pre + ".json";
  auto data = parse_tokenizer_json(testing::read_text(path), path);
  EXPECT_TRUE(data.ok()) << data.error().message;
  return *data;
}

Tokenizer small(const std::string& pre = "smollm") {
  return Tokenizer::create(small_data(pre)).value();
}

// Every line of the golden file against `tokenizer`. Returns the number of lines.
int compare_with_golden(const Tokenizer& tokenizer, const std::string& column) {
  std::ifstream file(kGolden + "tokenizer.jsonl");
  int lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    const auto row = nlohmann::json::parse(line);
    const auto text = row["text"].get<std::string>();
    const auto ids = tokenizer.encode(text);
    EXPECT_EQ(ids, row[column].get<Ids>()) << row["text"];
    if (column != "smollm2") {  // whose vocabulary lacks some bytes
      EXPECT_EQ(tokenizer.decode(ids, false), text);
    }
  }
  return lines;
}

TEST(Tokenizer, EqualsHuggingFaceOnTheSmallSmollmVocabulary) {
  EXPECT_GE(compare_with_golden(small("smollm"), "smollm"), 1000);
}

TEST(Tokenizer, EqualsHuggingFaceOnTheSmallGpt2Vocabulary) {
  EXPECT_GE(compare_with_golden(small("gpt2"), "gpt2"), 1000);
}

TEST(Tokenizer, EqualsHuggingFaceOnSmolLm2) {
  auto model = open_model(testing::test_model_path());
  if (!model) {
    GTEST_SKIP() << "set PLUMB_TEST_MODEL: " << model.error().message;
  }
  const auto tokenizer = Tokenizer::create((*model)->tokenizer);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_GE(compare_with_golden(*tokenizer, "smollm2"), 1000);
  EXPECT_EQ(tokenizer->eos_id(), 2);
  EXPECT_EQ(tokenizer->bos_id(), 1);
  EXPECT_EQ(tokenizer->pad_id(), 2);
  EXPECT_EQ(tokenizer->vocab_size(), 49152);
}

TEST(Tokenizer, SpecialTextStandsForItsTokenOnlyWhereAsked) {
  const Tokenizer tokenizer = small();
  const std::int32_t end = tokenizer.id_of("<|im_end|>");
  ASSERT_GE(end, 0);
  EXPECT_EQ(tokenizer.encode("<|im_end|>"), Ids{end});
  const auto plain = tokenizer.encode("<|im_end|>", false);
  EXPECT_GT(plain.size(), 1U);
  EXPECT_EQ(tokenizer.decode(plain), "<|im_end|>");
  EXPECT_EQ(tokenizer.decode(Ids{end}), "");
  EXPECT_EQ(tokenizer.decode(Ids{end}, false), "<|im_end|>");
  EXPECT_EQ(tokenizer.token_bytes(end), "<|im_end|>");
  EXPECT_TRUE(tokenizer.is_special(end));
  EXPECT_EQ(tokenizer.id_of("<|no_such|>"), -1);
  EXPECT_EQ(tokenizer.id_of(""), -1);
}

TEST(Tokenizer, IllFormedUtf8SurvivesTheRoundTrip) {
  const Tokenizer tokenizer = small();
  for (const std::string text :
       {"\xff", "a\x80z", "\xe2\x82", "x \xf0\x9f\x98", "\xc0\xaf", "\xed\xa0\x80", "9\xfe\x33 \xe2\x82\xac"}) {
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  }
  std::string every_pair;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; second += 5) {
      every_pair += {static_cast<char>(first), static_cast<char>(second)};
    }
  }
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(every_pair)), every_pair);
}

TEST(Tokenizer, IdsOutsideTheVocabularyStandForNothing) {
  const Tokenizer tokenizer = small();
  EXPECT_EQ(tokenizer.decode(Ids{-1, tokenizer.vocab_size(), 2147483647}), "");
  EXPECT_TRUE(tokenizer.token_bytes(-5).empty());
  EXPECT_FALSE(tokenizer.is_special(-1));
}

TEST(Tokenizer, LongPiecesMergeInReasonableTime) {
  const Tokenizer tokenizer = small();
  std::string text;
  for (int i = 0; i < 200000; ++i) {
    text += static_cast<char>('a' + (i * 7 + i / 13) % 26);
  }
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(Tokenizer, ShortAndLongMergesAgree) {
  // A word beyond the length at which the heap takes over, against its golden-tested short path: prefix by prefix the
  // two must give tokens that spell the same bytes and leave no pair that a merge joins.
  const Tokenizer tokenizer = small();
  std::string word;
  for (int i = 0; i < 80; ++i) {
    word += "returnvaluethe"[i % 14];
    const auto ids = tokenizer.encode(word);
    EXPECT_EQ(tokenizer.decode(ids), word);
    for (std::size_t k = 0; k + 1 < ids.size(); ++k) {
      const auto pair = std::string(tokenizer.token_bytes(ids[k])) + std::string(tokenizer.token_bytes(ids[k + 1]));
      EXPECT_GT(tokenizer.encode(pair).size(), 1U) << pair;
    }
  }
}

TEST(Tokenizer, RefusesWhatItDoesNotKnow) {
  TokenizerData data = small_data("smollm");
  data.pre_tokenizer = "no-such";
  EXPECT_NE(Tokenizer::create(data).error().message.find("no-such"), std::string::npos);
  data = small_data("smollm");
  data.merges.emplace_back("q", "zzzz");
  EXPECT_NE(Tokenizer::create(data).error().message.find("zzzz"), std::string::npos);
  data = small_data("smollm");
  data.tokens[10] = data.tokens[11];
  EXPECT_FALSE(Tokenizer::create(data).ok());
  data = small_data("smollm");
  data.kinds.pop_back();
  EXPECT_FALSE(Tokenizer::create(data).ok());
  data = small_data("smollm");
  data.eos_id = 100000;
  EXPECT_NE(Tokenizer::create(data).error().message.find("100000"), std::string::npos);
}

TEST(ByteLevel, AlphabetIsOneToOne) {
  std::string letters;
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    letters += byte_to_letter(static_cast<std::uint8_t>(byte));
    bytes += static_cast<char>(byte);
  }
  EXPECT_EQ(letters_to_bytes(letters), bytes);
  EXPECT_EQ(byte_to_letter(' '), "Ġ");
  EXPECT_EQ(letters_to_bytes("a b"), std::nullopt);
  EXPECT_EQ(letters_to_bytes("日"), std::nullopt);
  EXPECT_EQ(letters_to_bytes("\xC4"), std::nullopt);
}

}  // namespace
}  // namespace plumb
