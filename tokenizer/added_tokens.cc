#include "tokenizer/added_tokens.h"

#include <algorithm>

#include "tokenizer/unicode.h"
#include "tokenizer/utf8.h"

namespace plumb {
namespace {

// The character that ends at `end`, which is not 0.
DecodedChar char_before(std::string_view text, std::size_t end) {
  std::size_t begin = end - 1;
  while (begin > 0 && end - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) {
    --begin;
  }
  const DecodedChar c = decode_char(text.substr(begin, end - begin));
  return c.size == end - begin ? c : DecodedChar{};
}

std::size_t white_before(std::string_view text, std::size_t end) {
  while (end > 0) {
    const DecodedChar c = char_before(text, end);
    if (!is_white_space(c.code)) {
      break;
    }
    end -= c.size;
  }
  return end;
}

std::size_t white_behind(std::string_view text, std::size_t begin) {
  while (begin < text.size()) {
    const DecodedChar c = decode_char(text.substr(begin));
    if (!is_white_space(c.code)) {
      break;
    }
    begin += c.size;
  }
  return begin;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !is_word_char(char_before(text, begin).code)) &&
         (end == text.size() || !is_word_char(decode_char(text.substr(end)).code));
}

}  // namespace

void AddedTokenFinder::add(const AddedToken& token, const std::string& form) {
  if (find(form) != nullptr) {
    return;  // the first of equal ones is found
  }
  auto& entries = entries_[static_cast<unsigned char>(form[0])];
  const auto place = std::ranges::find_if(entries, [&](const Entry& e) { return e.form.size() < form.size(); });
  entries.insert(place, {form, token});
}

const AddedToken* AddedTokenFinder::find(std::string_view form) const {
  if (form.empty()) {
    return nullptr;
  }
  const auto& entries = entries_[static_cast<unsigned char>(form[0])];
  const auto found = std::ranges::find(entries, form, &Entry::form);
  return found == entries.end() ? nullptr : &found->token;
}

const AddedTokenFinder::Entry* AddedTokenFinder::entry_at(std::string_view text, std::size_t at,
                                                          bool with_special) const {
  for (const Entry& entry : entries_[static_cast<unsigned char>(text[at])]) {
    if ((with_special || !entry.token.special) && text.substr(at).starts_with(entry.form)) {
      return &entry;
    }
  }
  return nullptr;
}

void AddedTokenFinder::split(std::string_view text, bool with_special,
                             const std::function<void(std::string_view part, std::int32_t id)>& part) const {
  std::size_t plain = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Entry* entry = entry_at(text, at, with_special);
    if (entry == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + entry->form.size();
    at = end;
    if (entry->token.single_word && !stands_alone(text, begin, end)) {
      continue;
    }
    if (entry->token.lstrip) {
      begin = std::max(white_before(text, begin), plain);
    }
    if (entry->token.rstrip) {
      end = white_behind(text, end);
    }
    if (begin > plain) {
      part(text.substr(plain, begin - plain), -1);
    }
    part(text.substr(begin, end - begin), entry->token.id);
    plain = end;
  }
  if (plain < text.size()) {
    part(text.substr(plain), -1);
  }
}

}  // namespace plumb
