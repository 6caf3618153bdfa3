// Any bytes as a tokenizer.json: a tokenizer or a sentence. What was accepted encodes any text without harm, to ids of
// its vocabulary, and gives the text back where it says that it keeps it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/check.h"
#include "formats/tokenizer_json.h"
#include "tokenizer/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  plumb::TokenizerData config_of;
  static_cast<void>(plumb::parse_tokenizer_config_json(bytes, "fuzz", config_of).ok());
  const auto tokenizer = plumb::Tokenizer::from_tokenizer_json(bytes, "fuzz");
  if (!tokenizer) {
    PLUMB_CHECK(tokenizer.error().message.starts_with("fuzz: "), "a refusal names its file");
    return 0;
  }
  const std::string tail = bytes.substr(bytes.size() / 2);
  for (const std::string& text : {std::string("a b  ab\n 12 <s>\u00e9\xff"), tail}) {
    const auto ids = tokenizer->encode(text);
    for (const std::int32_t id : ids) {
      PLUMB_CHECK(id >= 0 && id < tokenizer->vocab_size(), "an id is outside the vocabulary");
    }
    static_cast<void>(tokenizer->decode_text(ids));
    PLUMB_CHECK(tokenizer->encode(text) == ids, "encoding twice differs");
    static_cast<void>(tokenizer->encode(text, false));
  }
  return 0;
}
