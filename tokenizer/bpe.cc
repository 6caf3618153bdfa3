#include "tokenizer/bpe.h"

#include <utility>

#include "tokenizer/byte_level.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

constexpr std::string_view kSpaceSymbol = "\u2581";
constexpr std::size_t kLongestWord = 64;

std::string fallback_name(unsigned byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 0xFU], '>'};
}

// Whether a space symbol stands behind anything but another.
bool holds_inner_space_symbol(std::string_view token) {
  std::size_t at = 0;
  while (token.substr(at).starts_with(kSpaceSymbol)) {
    at += kSpaceSymbol.size();
  }
  return token.find(kSpaceSymbol, at) != std::string_view::npos;
}

std::size_t end_of_word(std::string_view text, std::size_t at) {
  while (text.substr(at).starts_with(kSpaceSymbol)) {
    at += kSpaceSymbol.size();
  }
  const std::size_t end = text.find(kSpaceSymbol, at);
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

Result<Bpe> Bpe::create(const TokenizerData& data) {
  Bpe bpe;
  bpe.byte_level_ = data.byte_level;
  bpe.fuse_unk_ = data.fuse_unk;
  bpe.unk_id_ = data.model_unk_id;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    const auto [place, added] = bpe.ids_.emplace(data.tokens[i], id);
    if (data.kinds[i] == TokenKind::kUnused) {
      if (added) {
        bpe.ids_.erase(place);
      }
    } else if (!added) {
      return Error{"the tokenizer's token " + std::to_string(i) + " repeats token " + std::to_string(place->second)};
    }
  }
  const auto find = [&](const std::string& text) {
    const auto found = bpe.ids_.find(text);
    return found == bpe.ids_.end() ? -1 : found->second;
  };
  for (unsigned byte = 0; byte < 256; ++byte) {
    bpe.byte_ids_[byte] = find(byte_to_letter(static_cast<std::uint8_t>(byte)));
    bpe.fallback_ids_[byte] = data.byte_fallback ? find(fallback_name(byte)) : -1;
  }
  PLUMB_TRY(bpe.load_merges(data));
  bpe.find_whole_words(data);
  return bpe;
}

Result<void> Bpe::load_merges(const TokenizerData& data) {
  const auto find = [&](const std::string& text) {
    const auto found = ids_.find(text);
    return found == ids_.end() ? -1 : found->second;
  };
  words_at_space_symbol_ = !byte_level_ && !data.ignore_merges && find(std::string(kSpaceSymbol)) >= 0;
  merges_.reserve(data.merges.size());
  for (std::size_t i = 0; i < data.merges.size(); ++i) {
    const auto& [left, right] = data.merges[i];
    const std::string joined = left + right;
    const std::int32_t left_id = find(left);
    const std::int32_t right_id = find(right);
    const std::int32_t merged = find(joined);
    if (left_id < 0 || right_id < 0 || merged < 0) {
      return Error{"the tokenizer's merge " + std::to_string(i) + " (\"" + left + "\" with \"" + right +
                   "\") has a part or a result that the vocabulary lacks"};
    }
    merges_.add(left_id, right_id, merged);
    words_at_space_symbol_ = words_at_space_symbol_ && !holds_inner_space_symbol(joined);
  }
  return {};
}

// Most pieces of real text are a token, which one look-up finds. It is the answer where the merges lead to it too.
void Bpe::find_whole_words(const TokenizerData& data) {
  WordTable words(data.tokens.size());
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string text = byte_level_ ? letters_to_bytes(data.tokens[i]).value_or(std::string()) : data.tokens[i];
    const bool is_long = !data.ignore_merges && text.size() > kLongestWord;
    if (text.empty() || is_long || data.kinds[i] != TokenKind::kNormal) {
      continue;
    }
    ids.clear();
    if (!data.ignore_merges) {
      encode_part(text, ids);
    }
    if (data.ignore_merges || (ids.size() == 1 && ids[0] == static_cast<std::int32_t>(i))) {
      words.add(text, static_cast<std::int32_t>(i));
    }
  }
  words_ = std::move(words);
}

void Bpe::encode(std::string_view piece, std::vector<std::int32_t>& ids) const {
  if (!words_at_space_symbol_) {
    return encode_part(piece, ids);
  }
  for (std::size_t at = 0; at < piece.size();) {
    const std::size_t end = end_of_word(piece, at);
    encode_part(piece.substr(at, end - at), ids);
    at = end;
  }
}

void Bpe::encode_part(std::string_view part, std::vector<std::int32_t>& ids) const {
  if (const std::int32_t id = words_.find(part); id >= 0) {
    ids.push_back(id);
    return;
  }
  const std::size_t first = ids.size();
  if (byte_level_) {
    append_bytes(part, ids);
  } else {
    append_characters(part, ids);
  }
  merges_.apply(ids, first);
}

void Bpe::append_bytes(std::string_view piece, std::vector<std::int32_t>& ids) const {
  Unknown unknown;
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte_ids_[byte] >= 0) {
      flush(unknown, ids);
      ids.push_back(byte_ids_[byte]);
    } else {
      append_missing(byte_to_letter(byte), unknown, ids);
    }
  }
  flush(unknown, ids);
}

void Bpe::append_characters(std::string_view piece, std::vector<std::int32_t>& ids) const {
  Unknown unknown;
  std::string character;
  for (std::size_t at = 0; at < piece.size();) {
    const DecodedChar c = decode_char(piece.substr(at));
    character = piece.substr(at, c.size);
    const auto found = ids_.find(character);
    if (found != ids_.end()) {
      flush(unknown, ids);
      ids.push_back(found->second);
    } else {
      append_missing(character, unknown, ids);
    }
    at += c.size;
  }
  flush(unknown, ids);
}

void Bpe::append_missing(std::string_view letters, Unknown& unknown, std::vector<std::int32_t>& ids) const {
  bool all_bytes = true;
  for (const char c : letters) {
    all_bytes = all_bytes && fallback_ids_[static_cast<unsigned char>(c)] >= 0;
  }
  if (all_bytes) {
    for (const char c : letters) {
      ids.push_back(fallback_ids_[static_cast<unsigned char>(c)]);
    }
    return;
  }
  if (unk_id_ >= 0) {
    if (unknown.waiting && !fuse_unk_) {
      ids.push_back(unk_id_);
    }
    unknown.waiting = true;
  }
}

void Bpe::flush(Unknown& unknown, std::vector<std::int32_t>& ids) const {
  if (std::exchange(unknown.waiting, false)) {
    ids.push_back(unk_id_);
  }
}

}  // namespace plumb
