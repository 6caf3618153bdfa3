#pragma once
// Text as it is sampled, one token at a time.

#include <cstdint>
#include <string>

#include "tokenizer/tokenizer.h"

namespace plumb {

/// Decodes a stream of ids into pieces that end at a character's end: an incomplete UTF-8 character (at most 3 bytes)
/// is held back until the rest of it comes. Bytes that no character starts with pass through at once. The pieces
/// together, finish() included, are decode() of all the ids. One thread at a time; the tokenizer outlives it.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool skip_special = true)
      : tokenizer_(tokenizer), skip_special_(skip_special) {}

  /// The text that `id` completes; may be empty.
  std::string feed(std::int32_t id);
  /// What is still held back: the start of a character that never came whole.
  std::string finish();

 private:
  const Tokenizer& tokenizer_;
  bool skip_special_;
  std::string held_;
};

}  // namespace plumb
