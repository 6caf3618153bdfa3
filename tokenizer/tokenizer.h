#pragma once
// BPE, byte-level or with byte fallback: text to token ids and back, with the ids that Hugging Face's `tokenizers`
// gives.
//
// encode(): added tokens are cut out first (added_tokens.h), what lies between is normalized, cut at the added tokens
// that are looked for in normalized text, split into pieces (pre_tokenizer.h), and each piece is merged by rank
// (bpe.h). Ill-formed UTF-8 is allowed: each byte that is part of no well-formed character counts as a symbol of its
// own, so encode and decode keep it. A byte or character that the vocabulary cannot spell becomes the unknown token, or
// nothing where there is none, as in `tokenizers` (SmolLM2 lacks 21 bytes, none of which occurs in printable text).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "formats/tokenizer_data.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/bpe.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"

namespace plumb {

/// Immutable after create(); const calls from many threads are safe. Movable.
class Tokenizer {
 public:
  /// Errors: an unknown pre-tokenizer, by name; a regular expression that is not supported; a merge or special token
  /// that the vocabulary lacks; a token twice.
  static Result<Tokenizer> create(const TokenizerData& data);

  /// The tokenizer in a tokenizer.json (formats/tokenizer_json.h); `name` is for messages. It has no eos_id, bos_id and
  /// pad_id: those stand in tokenizer_config.json. Errors: those of parse_tokenizer_json() and create().
  static Result<Tokenizer> from_tokenizer_json(std::string_view text, const std::string& name);

  /// The ids of `text`; no token is put in front or behind. `parse_special`: whether the text of a special token stands
  /// for that token; else it is text like any other. O(n log n) in the length of the longest piece.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text, bool parse_special = true) const;

  /// `ids` with what the post-processor puts around one text (Llama: the begin-of-sequence token in front). Not for
  /// text that a chat template made, which holds these tokens.
  [[nodiscard]] std::vector<std::int32_t> with_special_tokens(std::span<const std::int32_t> ids) const;

  /// The bytes of the tokens one after the other; `skip_special` leaves special tokens out. Ids outside the vocabulary
  /// stand for nothing. The result is well-formed UTF-8 only if the tokens end at a character's end. What a normalizer
  /// or Metaspace put in front of a text stays: see decode_text().
  [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, bool skip_special = true) const;

  /// decode() of a whole text rather than of a part of one: without the spaces that encode() put in front of it.
  [[nodiscard]] std::string decode_text(std::span<const std::int32_t> ids, bool skip_special = true) const;

  /// Whether decode(encode(text), false) is `text`, as far as the vocabulary can spell it: nothing rewrites text.
  [[nodiscard]] bool keeps_text() const { return keeps_text_; }

  /// The bytes that `id` stands for (of a special token: its text); empty outside the vocabulary. Valid as long as
  /// this.
  [[nodiscard]] std::string_view token_bytes(std::int32_t id) const;
  /// Whether decode() leaves `id` out.
  [[nodiscard]] bool is_special(std::int32_t id) const;

  /// The id of a special or added token's text; -1 if there is none.
  [[nodiscard]] std::int32_t id_of(std::string_view special_text) const;

  /// eos_id() and whatever else ends a completion.
  [[nodiscard]] const std::vector<std::int32_t>& end_ids() const { return end_ids_; }
  [[nodiscard]] std::int32_t eos_id() const { return eos_id_; }  // -1: none, so for the next three
  [[nodiscard]] std::int32_t bos_id() const { return bos_id_; }
  [[nodiscard]] std::int32_t pad_id() const { return pad_id_; }
  [[nodiscard]] std::int32_t unk_id() const { return unk_id_; }
  [[nodiscard]] std::int32_t vocab_size() const { return static_cast<std::int32_t>(bytes_.size()); }

 private:
  Tokenizer() = default;
  Result<void> load(const TokenizerData& data);
  Result<void> load_added_tokens(const TokenizerData& data);
  Result<void> load_special_ids(const TokenizerData& data);
  void encode_section(std::string_view text, bool at_start, bool parse_special, std::vector<std::int32_t>& ids) const;
  void encode_plain(std::string_view text, bool at_start, std::vector<std::int32_t>& ids) const;

  AddedTokenFinder in_text_;        // added tokens that are looked for in the text as it is given
  AddedTokenFinder in_normalized_;  // and after normalization
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  Bpe bpe_;
  std::vector<std::string> bytes_;  // [V] what each token stands for
  std::vector<TokenKind> kinds_;    // [V]
  std::unordered_map<std::string, std::int32_t> added_ids_;
  std::vector<std::int32_t> prefix_ids_;
  std::vector<std::int32_t> suffix_ids_;
  std::int32_t strip_spaces_ = 0;
  bool keeps_text_ = true;
  std::int32_t eos_id_ = -1;
  std::vector<std::int32_t> end_ids_;
  std::int32_t bos_id_ = -1;
  std::int32_t pad_id_ = -1;
  std::int32_t unk_id_ = -1;
};

}  // namespace plumb
