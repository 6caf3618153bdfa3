#pragma once
// BPE proper: one piece of text to the ids that its merges leave.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "formats/tokenizer_data.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/word_table.h"

namespace plumb {

/// The vocabulary and merges of a tokenizer. Immutable after create(); const calls from many threads are safe.
class Bpe {
 public:
  /// Errors: a merge whose parts or result the vocabulary lacks; a token twice.
  static Result<Bpe> create(const TokenizerData& data);

  /// Appends the ids of `piece`, which is not empty. A character that the vocabulary lacks becomes the tokens of its
  /// bytes where there is byte fallback, else the unknown token, else nothing. O(n log n).
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const;

 private:
  // Whether an unknown token waits for its neighbours, with which it may fuse.
  struct Unknown {
    bool waiting = false;
  };

  void append_bytes(std::string_view piece, std::vector<std::int32_t>& ids) const;
  void append_characters(std::string_view piece, std::vector<std::int32_t>& ids) const;
  void append_missing(std::string_view letters, Unknown& unknown, std::vector<std::int32_t>& ids) const;
  void flush(Unknown& unknown, std::vector<std::int32_t>& ids) const;
  void encode_part(std::string_view part, std::vector<std::int32_t>& ids) const;
  Result<void> load_merges(const TokenizerData& data);
  void find_whole_words(const TokenizerData& data);

  std::unordered_map<std::string, std::int32_t> ids_;  // of the tokens that text can become
  MergeTable merges_;
  WordTable words_;                               // pieces that are one token
  std::array<std::int32_t, 256> byte_ids_{};      // of single bytes' letters (byte level); -1: none
  std::array<std::int32_t, 256> fallback_ids_{};  // of <0x00> to <0xFF>; -1: none
  bool byte_level_ = true;
  bool fuse_unk_ = false;
  bool words_at_space_symbol_ = false;  // no token holds U+2581 behind another character
  std::int32_t unk_id_ = -1;
};

}  // namespace plumb
