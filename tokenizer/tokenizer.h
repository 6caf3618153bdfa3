#pragma once
// Byte-level BPE: text to token ids and back, with the ids that Hugging Face's `tokenizers` gives.
//
// encode(): special tokens are cut out first (the leftmost, then the longest); what lies between is split by the
// pre-tokenizer (pre_tokenizer.h) and each piece is merged by rank. Ill-formed UTF-8 is allowed: each byte that is part
// of no well-formed character counts as a symbol of its own, so encode and decode keep it. A byte whose token the
// vocabulary lacks is dropped, as `tokenizers` does (SmolLM2 lacks 21, none of which occurs in printable text).

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "formats/tokenizer_data.h"
#include "tokenizer/merge_table.h"
#include "tokenizer/pre_tokenizer.h"

namespace plumb {

/// Immutable after create(); const calls from many threads are safe. Movable.
class Tokenizer {
 public:
  /// Errors: an unknown pre-tokenizer, by name; a merge or special token that the vocabulary lacks; a token twice.
  static Result<Tokenizer> create(const TokenizerData& data);

  /// The ids of `text`; no token is put in front or behind. `parse_special`: whether the text of a special token stands
  /// for that token; else it is text like any other. O(n log n) in the length of the longest piece.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text, bool parse_special = true) const;

  /// The bytes of the tokens one after the other; `skip_special` leaves special tokens out. Ids outside the vocabulary
  /// stand for nothing. The result is well-formed UTF-8 only if the tokens end at a character's end.
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, bool skip_special = true) const;

  /// The bytes that `id` stands for (of a special token: its text); empty outside the vocabulary. Valid as long as
  /// this.
  [[nodiscard]] std::string_view token_bytes(std::int32_t id) const;
  /// Whether decode() leaves `id` out.
  [[nodiscard]] bool is_special(std::int32_t id) const;

  /// The id of a special or added token's text; -1 if there is none.
  [[nodiscard]] std::int32_t id_of(std::string_view special_text) const;

  [[nodiscard]] std::int32_t eos_id() const { return eos_id_; }  // -1: none, so for the next two
  [[nodiscard]] std::int32_t bos_id() const { return bos_id_; }
  [[nodiscard]] std::int32_t pad_id() const { return pad_id_; }
  [[nodiscard]] std::int32_t vocab_size() const { return static_cast<std::int32_t>(bytes_.size()); }

 private:
  // A token that is found in the text before pre-tokenization.
  struct Marker {
    std::string text;
    std::int32_t id = 0;
    bool special = true;
  };

  explicit Tokenizer(PreTokenizer pre_tokenizer) : pre_tokenizer_(std::move(pre_tokenizer)) {}
  Result<void> load(const TokenizerData& data);
  [[nodiscard]] const Marker* marker_at(std::string_view text, std::size_t at, bool parse_special) const;
  void encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const;

  PreTokenizer pre_tokenizer_;
  MergeTable merges_;
  std::array<std::int32_t, 256> byte_ids_{};      // -1: the vocabulary lacks the byte
  std::vector<std::string> bytes_;                // [V] what each token stands for
  std::vector<TokenKind> kinds_;                  // [V]
  std::array<std::vector<Marker>, 256> markers_;  // by first byte, the longest first
  std::int32_t eos_id_ = -1;
  std::int32_t bos_id_ = -1;
  std::int32_t pad_id_ = -1;
};

}  // namespace plumb
