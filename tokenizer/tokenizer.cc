#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <utility>

#include "tokenizer/byte_level.h"

namespace plumb {

Result<Tokenizer> Tokenizer::create(const TokenizerData& data) {
  PLUMB_ASSIGN(auto pre_tokenizer, PreTokenizer::create(data.pre_tokenizer));
  Tokenizer tokenizer(std::move(pre_tokenizer));
  PLUMB_TRY(tokenizer.load(data));
  return tokenizer;
}

Result<void> Tokenizer::load(const TokenizerData& data) {
  if (data.kinds.size() != data.tokens.size()) {
    return Error{"the tokenizer has " + std::to_string(data.tokens.size()) + " tokens but the kinds of " +
                 std::to_string(data.kinds.size())};
  }
  std::unordered_map<std::string_view, std::int32_t> ids;
  for (std::size_t i = 0; i < data.tokens.size(); ++i) {
    const std::string& text = data.tokens[i];
    const auto id = static_cast<std::int32_t>(i);
    if (data.kinds[i] != TokenKind::kUnused && !ids.emplace(text, id).second) {
      return Error{"the tokenizer's token " + std::to_string(i) + " repeats token " + std::to_string(ids[text])};
    }
    bytes_.push_back(letters_to_bytes(text).value_or(text));
    if (data.kinds[i] == TokenKind::kSpecial || data.kinds[i] == TokenKind::kAdded) {
      if (text.empty()) {
        return Error{"the tokenizer's special token " + std::to_string(i) + " is empty"};
      }
      bytes_.back() = text;
      markers_[static_cast<unsigned char>(text[0])].push_back({text, id, data.kinds[i] == TokenKind::kSpecial});
    }
  }
  for (auto& markers : markers_) {
    std::stable_sort(markers.begin(), markers.end(),
                     [](const Marker& a, const Marker& b) { return a.text.size() > b.text.size(); });
  }
  const auto find = [&](const std::string& text) {
    const auto found = ids.find(text);
    return found == ids.end() ? -1 : found->second;
  };
  for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
    byte_ids_[byte] = find(byte_to_letter(static_cast<std::uint8_t>(byte)));
  }
  for (std::size_t i = 0; i < data.merges.size(); ++i) {
    const auto& [left, right] = data.merges[i];
    const std::int32_t merged = find(left + right);
    if (find(left) < 0 || find(right) < 0 || merged < 0) {
      return Error{"the tokenizer's merge " + std::to_string(i) + " (\"" + left + "\" with \"" + right +
                   "\") has a part or a result that the vocabulary lacks"};
    }
    merges_.add(find(left), find(right), merged);
  }
  kinds_ = data.kinds;
  for (const auto& [name, id] : {std::pair{"end-of-sequence", data.eos_id}, std::pair{"begin-of-sequence", data.bos_id},
                                 std::pair{"padding", data.pad_id}}) {
    if (id < -1 || id >= vocab_size()) {
      return Error{std::string("the tokenizer's ") + name + " token is " + std::to_string(id) +
                   ", but the vocabulary has " + std::to_string(vocab_size()) + " tokens"};
    }
  }
  eos_id_ = data.eos_id;
  bos_id_ = data.bos_id;
  pad_id_ = data.pad_id;
  return {};
}

const Tokenizer::Marker* Tokenizer::marker_at(std::string_view text, std::size_t at, bool parse_special) const {
  for (const Marker& marker : markers_[static_cast<unsigned char>(text[at])]) {
    if ((parse_special || !marker.special) && text.substr(at).starts_with(marker.text)) {
      return &marker;
    }
  }
  return nullptr;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, bool parse_special) const {
  std::vector<std::int32_t> ids;
  std::size_t plain_start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Marker* marker = marker_at(text, at, parse_special);
    if (marker == nullptr) {
      ++at;
      continue;
    }
    encode_plain(text.substr(plain_start, at - plain_start), ids);
    ids.push_back(marker->id);
    at += marker->text.size();
    plain_start = at;
  }
  encode_plain(text.substr(plain_start), ids);
  return ids;
}

void Tokenizer::encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  std::vector<std::int32_t> word;
  pre_tokenizer_.split(text, [&](std::string_view piece) {
    word.clear();
    for (const char c : piece) {
      const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
      if (id >= 0) {
        word.push_back(id);
      }
    }
    merges_.apply(word);
    ids.insert(ids.end(), word.begin(), word.end());
  });
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

std::string_view Tokenizer::token_bytes(std::int32_t id) const {
  return id < 0 || id >= vocab_size() ? std::string_view() : bytes_[static_cast<std::size_t>(id)];
}

bool Tokenizer::is_special(std::int32_t id) const {
  return id >= 0 && id < vocab_size() && kinds_[static_cast<std::size_t>(id)] == TokenKind::kSpecial;
}

std::int32_t Tokenizer::id_of(std::string_view special_text) const {
  if (!special_text.empty()) {
    for (const Marker& marker : markers_[static_cast<unsigned char>(special_text[0])]) {
      if (marker.text == special_text) {
        return marker.id;
      }
    }
  }
  return -1;
}

}  // namespace plumb
