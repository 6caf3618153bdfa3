#pragma once
// A BPE tokenizer as data, whatever file it came from. What to do with it is tokenizer/'s matter.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace plumb {

/// kNormal: made by merges. kSpecial: matched in the text before anything else, and left out of decoded text.
/// kAdded: matched like kSpecial, but part of decoded text. kUnused: a filler that no text encodes to.
enum class TokenKind : std::uint8_t { kNormal, kSpecial, kAdded, kUnused };

/// A token that is looked for in the text as it stands, with Hugging Face's options. lstrip, rstrip: takes the white
/// space before or behind with it. single_word: not beside a letter or digit. normalized: is looked for in normalized
/// text, itself normalized.
struct AddedToken {
  std::int32_t id = 0;
  std::string text;
  bool special = true;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;
};

/// A step that rewrites text before it is split. kPrepend: `content` in front of text that is not empty. kReplace:
/// each `pattern`, a text or a regular expression in Oniguruma's syntax, becomes `content`. kNfc ... kNfkd: Unicode's
/// normal forms. kLowercase: character by character. kStrip: white space off the ends.
struct NormalizerStep {
  enum class Kind { kPrepend, kReplace, kReplaceRegex, kNfc, kNfd, kNfkc, kNfkd, kLowercase, kStrip };
  Kind kind = Kind::kNfc;
  std::string pattern;
  std::string content;
  bool strip_left = true;
  bool strip_right = true;
};

/// A step that splits text, applied to each piece that the steps before it left.
struct SplitStep {
  /// kByteLevel: GPT-2's pattern if `use_regex`, with a space put in front if `prefix_space`. kRegex, kText: at the
  /// matches of `pattern`. kDigits: numbers (each digit alone if `individual`). kMetaspace: spaces become `pattern`,
  /// which is also put in front by `prepend`, and pieces begin at it if `split`. kWhitespace: white space goes.
  enum class Kind { kByteLevel, kRegex, kText, kDigits, kMetaspace, kWhitespace };
  /// What becomes of a match: a piece of its own, dropped, part of the piece before or behind, or one piece with the
  /// matches that touch it.
  enum class Behavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };
  enum class Prepend { kAlways, kFirst, kNever };

  Kind kind = Kind::kByteLevel;
  Behavior behavior = Behavior::kIsolated;
  Prepend prepend = Prepend::kAlways;
  std::string pattern;
  bool invert = false;  // matches and what lies between change places
  bool use_regex = true;
  bool prefix_space = false;
  bool individual = false;
  bool split = true;
};

/// How the tokens of a byte-fallback vocabulary become text again. Byte-level ones need none of it.
struct DecoderRules {
  std::vector<std::pair<std::string, std::string>> replace;  // in a token's text, from and to
  std::int32_t strip_spaces = 0;                             // at most so many off the front of a whole text
};

/// Vocabulary, merges and rules. Normal tokens of a byte-level vocabulary are spelled in the byte-level alphabet (a
/// space is U+0120 and so on), special and added ones as they stand in the text.
struct TokenizerData {
  std::string pre_tokenizer;           // a name that tokenizer/ knows ("gpt2", "smollm", ...); empty: split_steps
  std::vector<SplitStep> split_steps;  // in order
  std::vector<NormalizerStep> normalizer;
  std::vector<std::string> tokens;                          // [V] by id
  std::vector<TokenKind> kinds;                             // [V]
  std::vector<std::pair<std::string, std::string>> merges;  // by falling priority
  std::vector<AddedToken> added_tokens;                     // empty: the special and added ones, without options
  bool byte_level = true;      // else tokens are UTF-8 text, and symbols begin as characters
  bool byte_fallback = false;  // a character outside the vocabulary becomes its bytes' tokens, <0x00> to <0xFF>
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
  bool fuse_unk = false;       // neighbouring unknown characters become one unknown token
  DecoderRules decoder;
  std::vector<std::int32_t> prefix_ids;  // what the post-processor puts around a text
  std::vector<std::int32_t> suffix_ids;
  std::int32_t model_unk_id = -1;  // what a character outside the vocabulary becomes; -1: nothing
  std::int32_t bos_id = -1;        // -1: the model has none
  std::int32_t eos_id = -1;
  std::vector<std::int32_t> end_ids;  // others that end a completion as well (config.json's eos_token_id as a list)
  std::int32_t pad_id = -1;
  std::int32_t unk_id = -1;  // named in tokenizer_config.json; see model_unk_id for what unknown text becomes
  std::string json_text;     // the tokenizer.json that this was read from, to be written again; empty: none
};

/// Whether the steps are one isolated regular expression, and then bytes: what a GGUF file can name.
inline bool is_pattern_and_bytes(const std::vector<SplitStep>& steps) {
  return steps.size() == 2 && steps[0].kind == SplitStep::Kind::kRegex && !steps[0].invert &&
         steps[0].behavior == SplitStep::Behavior::kIsolated && steps[1].kind == SplitStep::Kind::kByteLevel &&
         !steps[1].use_regex && !steps[1].prefix_space;
}

}  // namespace plumb
