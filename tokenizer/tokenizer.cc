#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "formats/tokenizer_json.h"
#include "tokenizer/byte_level.h"

namespace plumb {
namespace {

// The byte that "<0x0A>" names; -1 for other texts.
int fallback_byte(std::string_view text) {
  const auto digit = [&](std::size_t i) {
    const std::size_t value = std::string_view("0123456789ABCDEF").find(text[i]);
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
  };
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>' || digit(3) < 0 || digit(4) < 0) {
    return -1;
  }
  return digit(3) * 16 + digit(4);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// What token `text` of a vocabulary stands for.
std::string bytes_of(const TokenizerData& data, const std::string& text, TokenKind kind) {
  const bool is_marker = kind == TokenKind::kSpecial || kind == TokenKind::kAdded;
  if (data.byte_level) {
    return is_marker ? text : letters_to_bytes(text).value_or(text);
  }
  if (const int byte = fallback_byte(text); data.byte_fallback && byte >= 0) {
    return {static_cast<char>(byte)};
  }
  std::string bytes = text;
  for (const auto& [from, to] : data.decoder.replace) {
    bytes = replaced(std::move(bytes), from, to);
  }
  return bytes;
}

bool rewrites(const SplitStep& step) {
  return step.prefix_space || step.kind == SplitStep::Kind::kMetaspace || step.kind == SplitStep::Kind::kWhitespace ||
         (step.kind != SplitStep::Kind::kByteLevel && step.behavior == SplitStep::Behavior::kRemoved);
}

}  // namespace

Result<Tokenizer> Tokenizer::create(const TokenizerData& data) {
  Tokenizer tokenizer;
  PLUMB_TRY(tokenizer.load(data));
  return tokenizer;
}

Result<Tokenizer> Tokenizer::from_tokenizer_json(std::string_view text, const std::string& name) {
  PLUMB_ASSIGN(const TokenizerData data, parse_tokenizer_json(text, name));
  auto tokenizer = create(data);
  return tokenizer ? std::move(tokenizer) : Result<Tokenizer>(tokenizer.error().with_context(name));
}

Result<void> Tokenizer::load(const TokenizerData& data) {
  if (data.kinds.size() != data.tokens.size()) {
    return Error{"the tokenizer has " + std::to_string(data.tokens.size()) + " tokens but the kinds of " +
                 std::to_string(data.kinds.size())};
  }
  PLUMB_ASSIGN(pre_tokenizer_, data.pre_tokenizer.empty() ? PreTokenizer::create(data.split_steps)
                                                          : PreTokenizer::create(data.pre_tokenizer));
  PLUMB_ASSIGN(normalizer_, Normalizer::create(data.normalizer));
  PLUMB_ASSIGN(bpe_, Bpe::create(data));
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    bytes_.push_back(bytes_of(data, data.tokens[i], data.kinds[i]));
  }
  kinds_ = data.kinds;
  prefix_ids_ = data.prefix_ids;
  suffix_ids_ = data.suffix_ids;
  strip_spaces_ = data.decoder.strip_spaces;
  keeps_text_ = data.byte_level && normalizer_.is_identity() && std::ranges::none_of(data.split_steps, rewrites);
  PLUMB_TRY(load_added_tokens(data));
  return load_special_ids(data);
}

Result<void> Tokenizer::load_added_tokens(const TokenizerData& data) {
  std::vector<AddedToken> added = data.added_tokens;
  for (std::size_t i = 0; data.added_tokens.empty() && i < data.tokens.size(); ++i) {
    if (data.kinds[i] == TokenKind::kSpecial || data.kinds[i] == TokenKind::kAdded) {
      AddedToken& token = added.emplace_back();
      token.id = static_cast<std::int32_t>(i);
      token.text = data.tokens[i];
      token.special = data.kinds[i] == TokenKind::kSpecial;
    }
  }
  // Of equal forms the special one is found, as in `tokenizers`.
  std::ranges::stable_sort(added, std::greater<>(), &AddedToken::special);
  for (const AddedToken& token : added) {
    if (token.text.empty() || token.id < 0 || token.id >= vocab_size()) {
      return Error{"the tokenizer's added token " + std::to_string(token.id) + " is empty or outside the vocabulary"};
    }
    added_ids_.emplace(token.text, token.id);
    const std::string form = token.normalized ? normalizer_.apply(token.text) : token.text;
    if (!form.empty()) {
      (token.normalized ? in_normalized_ : in_text_).add(token, form);
    }
  }
  return {};
}

Result<void> Tokenizer::load_special_ids(const TokenizerData& data) {
  const std::array<std::pair<const char*, std::int32_t>, 5> ids = {{{"end-of-sequence", data.eos_id},
                                                                    {"begin-of-sequence", data.bos_id},
                                                                    {"padding", data.pad_id},
                                                                    {"unknown", data.unk_id},
                                                                    {"unknown", data.model_unk_id}}};
  for (const auto& [name, id] : ids) {
    if (id < -1 || id >= vocab_size()) {
      return Error{std::string("the tokenizer's ") + name + " token is " + std::to_string(id) +
                   ", but the vocabulary has " + std::to_string(vocab_size()) + " tokens"};
    }
  }
  for (const std::int32_t id : data.end_ids) {
    if (id < 0 || id >= vocab_size()) {
      return Error{"a token that ends completions is " + std::to_string(id) + ", but the vocabulary has " +
                   std::to_string(vocab_size()) + " tokens"};
    }
  }
  eos_id_ = data.eos_id;
  end_ids_ = data.end_ids;
  if (eos_id_ >= 0 && std::ranges::find(end_ids_, eos_id_) == end_ids_.end()) {
    end_ids_.insert(end_ids_.begin(), eos_id_);
  }
  bos_id_ = data.bos_id;
  pad_id_ = data.pad_id;
  unk_id_ = data.unk_id;
  return {};
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool parse_special) const {
  std::vector<std::int32_t> ids;
  in_text_.split(text, parse_special, [&](std::string_view part, std::int32_t id) {
    if (id >= 0) {
      ids.push_back(id);
    } else {
      encode_section(part, part.data() == text.data(), parse_special, ids);
    }
  });
  return ids;
}

void Tokenizer::encode_section(std::string_view text, bool at_start, bool parse_special,
                               std::vector<std::int32_t>& ids) const {
  std::string storage;
  std::string_view normalized = text;
  if (!normalizer_.is_identity()) {
    normalized = storage = normalizer_.apply(text);
  }
  in_normalized_.split(normalized, parse_special, [&](std::string_view part, std::int32_t id) {
    if (id >= 0) {
      ids.push_back(id);
    } else {
      encode_plain(part, at_start && part.data() == normalized.data(), ids);
    }
  });
}

void Tokenizer::encode_plain(std::string_view text, bool at_start, std::vector<std::int32_t>& ids) const {
  SplitText pieces;
  pre_tokenizer_.split(text, at_start, pieces);
  std::size_t begin = 0;
  for (const std::size_t end : pieces.ends) {
    bpe_.encode(pieces.text.substr(begin, end - begin), ids);
    begin = end;
  }
}

std::vector<std::int32_t> Tokenizer::with_special_tokens(std::span<const std::int32_t> ids) const {
  std::vector<std::int32_t> all = prefix_ids_;
  all.insert(all.end(), ids.begin(), ids.end());
  all.insert(all.end(), suffix_ids_.begin(), suffix_ids_.end());
  return all;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  std::string text;
  for (const std::int32_t id : ids) {
    if (!(skip_special && is_special(id))) {
      text += token_bytes(id);
    }
  }
  return text;
}

std::string Tokenizer::decode_text(std::span<const std::int32_t> ids, bool skip_special) const {
  std::string text = decode(ids, skip_special);
  const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(std::min(spaces, static_cast<std::size_t>(strip_spaces_)));
}

std::string_view Tokenizer::token_bytes(std::int32_t id) const {
  return id < 0 || id >= vocab_size() ? std::string_view() : bytes_[static_cast<std::size_t>(id)];
}

bool Tokenizer::is_special(std::int32_t id) const {
  return id >= 0 && id < vocab_size() && kinds_[static_cast<std::size_t>(id)] == TokenKind::kSpecial;
}

std::int32_t Tokenizer::id_of(std::string_view special_text) const {
  const auto found = added_ids_.find(std::string(special_text));
  return found == added_ids_.end() ? -1 : found->second;
}

}  // namespace plumb
