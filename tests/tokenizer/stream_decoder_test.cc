#include "tokenizer/stream_decoder.h"

#include <gtest/gtest.h>

#include "core/escape.h"
#include "formats/tokenizer_json.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

Tokenizer small() {
  const std::string path = std::string(PLUMB_SOURCE_DIR) + "/tests/golden/tokenizer_small_smollm.json";
  return Tokenizer::create(parse_tokenizer_json(testing::read_text(path), path).value()).value();
}

TEST(StreamDecoder, PiecesEndAtCharacters) {
  const Tokenizer tokenizer = small();
  const std::string text = "x 😀 é日本\n<|im_end|>👍🏽";
  const auto ids = tokenizer.encode(text);
  StreamDecoder decoder(tokenizer, false);
  std::string joined;
  for (const std::int32_t id : ids) {
    const std::string piece = decoder.feed(id);
    EXPECT_TRUE(is_utf8(piece));
    joined += piece;
  }
  EXPECT_EQ(decoder.finish(), "");
  EXPECT_EQ(joined, text);
}

TEST(StreamDecoder, GivesBackACharacterThatNeverCameWhole) {
  const Tokenizer tokenizer = small();
  StreamDecoder decoder(tokenizer);
  std::string joined;
  for (const std::int32_t id : tokenizer.encode("a\xff\xf0\x9f\x98")) {
    joined += decoder.feed(id);
  }
  EXPECT_EQ(joined, "a\xff");
  EXPECT_EQ(decoder.finish(), "\xf0\x9f\x98");
  EXPECT_EQ(decoder.finish(), "");
}

TEST(StreamDecoder, LeavesSpecialTokensOut) {
  const Tokenizer tokenizer = small();
  StreamDecoder decoder(tokenizer);
  EXPECT_EQ(decoder.feed(tokenizer.id_of("<|im_end|>")), "");
  EXPECT_EQ(decoder.feed(-1), "");
}

}  // namespace
}  // namespace plumb
