#include "tokenizer/normalizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "tokenizer/regex.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

using Kind = NormalizerStep::Kind;

// No character below U+0300 changes in NFC or takes part in a composition as its second part.
constexpr unsigned char kFirstByteThatMayCompose = 0xCC;

utf8proc_option_t options_of(Kind kind) {
  const int compose = kind == Kind::kNfc || kind == Kind::kNfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  const int compat = kind == Kind::kNfkc || kind == Kind::kNfkd ? UTF8PROC_COMPAT : 0;
  return static_cast<utf8proc_option_t>(UTF8PROC_STABLE | compose | compat);
}

void append_normal_form(std::string& out, std::string_view text, Kind kind) {
  utf8proc_uint8_t* mapped = nullptr;
  const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                             static_cast<utf8proc_ssize_t>(text.size()), &mapped, options_of(kind));
  if (size >= 0) {
    out.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  } else {
    out += text;
  }
  std::free(mapped);  // utf8proc_map allocates with malloc
}

// Only stretches beyond ASCII are mapped, each with the character in front of it, which a mark may compose with.
std::string normal_form(std::string_view text, Kind kind) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    while (begin < text.size() && static_cast<unsigned char>(text[begin]) < 0x80) {
      ++begin;
    }
    std::size_t end = begin;
    bool may_change = false;
    while (end < text.size() && static_cast<unsigned char>(text[end]) >= 0x80) {
      const DecodedChar c = decode_char(text.substr(end));
      if (!c.well_formed) {
        break;
      }
      may_change |= kind != Kind::kNfc || static_cast<unsigned char>(text[end]) >= kFirstByteThatMayCompose;
      end += c.size;
    }
    if (may_change) {
      const std::size_t from = begin > at ? begin - 1 : begin;
      out += text.substr(at, from - at);
      append_normal_form(out, text.substr(from, end - from), kind);
    } else {
      out += text.substr(at, end - at);
    }
    at = end;
    while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80 &&
           !decode_char(text.substr(at)).well_formed) {
      out += text[at++];
    }
  }
  return out;
}

std::string lowercase(std::string_view text) {
  constexpr char32_t kDottedCapitalI = 0x130;  // the one character whose lower case is two
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    if (!c.well_formed) {
      out += text[at];
    } else if (c.code == kDottedCapitalI) {
      out += "i\u0307";
    } else {
      append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code))));
    }
    at += c.size;
  }
  return out;
}

std::string strip(std::string_view text, const NormalizerStep& rule) {
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    if (!is_white_space(c.code)) {
      begin = std::min(begin, at);
      end = at + c.size;
    }
    at += c.size;
  }
  begin = rule.strip_left ? begin : 0;
  end = rule.strip_right ? end : text.size();
  return std::string(begin < end ? text.substr(begin, end - begin) : std::string_view());
}

std::string replace_text(std::string_view text, const NormalizerStep& rule) {
  std::string out;
  out.reserve(text.size() + text.size() / 2);
  std::size_t at = 0;
  for (std::size_t found = text.find(rule.pattern); found != std::string_view::npos;
       found = text.find(rule.pattern, at)) {
    out += text.substr(at, found - at);
    out += rule.content;
    at = found + rule.pattern.size();
  }
  out += text.substr(at);
  return out;
}

std::string replace_matches(std::string_view text, const Regex& regex, const std::string& content) {
  std::string out;
  std::size_t at = 0;
  regex.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    out += text.substr(at, begin - at);
    out += content;
    at = end;
  });
  out += text.substr(at);
  return out;
}

}  // namespace

Result<Normalizer> Normalizer::create(std::span<const NormalizerStep> steps) {
  Normalizer normalizer;
  for (const NormalizerStep& rule : steps) {
    Step step{rule, nullptr};
    if (rule.kind == Kind::kReplaceRegex) {
      PLUMB_ASSIGN(step.regex, Regex::compile(rule.pattern));
    }
    normalizer.steps_.push_back(std::move(step));
  }
  return normalizer;
}

std::string Normalizer::apply(std::string_view text) const {
  std::string current(text);
  for (const Step& step : steps_) {
    switch (step.rule.kind) {
      case Kind::kPrepend:
        current.insert(0, current.empty() ? std::string() : step.rule.content);
        break;
      case Kind::kReplace:
        current = replace_text(current, step.rule);
        break;
      case Kind::kReplaceRegex:
        current = replace_matches(current, *step.regex, step.rule.content);
        break;
      case Kind::kLowercase:
        current = lowercase(current);
        break;
      case Kind::kStrip:
        current = strip(current, step.rule);
        break;
      default:
        current = normal_form(current, step.rule.kind);
    }
  }
  return current;
}

}  // namespace plumb
