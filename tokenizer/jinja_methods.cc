// Methods of strings, lists and dictionaries.

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tokenizer/jinja_interpreter.h"
#include "tokenizer/unicode.h"

namespace plumb {
namespace {

using Arguments = JinjaArguments;

constexpr std::array<std::string_view, 28> kTextMethods = {
    "strip",    "lstrip",  "rstrip",  "split",   "rsplit",       "splitlines",   "startswith",
    "endswith", "upper",   "lower",   "title",   "capitalize",   "replace",      "find",
    "rfind",    "index",   "count",   "join",    "isdigit",      "isnumeric",    "isalpha",
    "isalnum",  "isspace", "isupper", "islower", "removeprefix", "removesuffix", "partition"};
constexpr std::array<std::string_view, 4> kDictMethods = {"get", "items", "keys", "values"};
constexpr std::array<std::string_view, 7> kDictChanges = {"pop",     "update", "clear",   "setdefault",
                                                          "popitem", "copy",   "fromkeys"};
constexpr std::array<std::string_view, 2> kListMethods = {"index", "count"};
constexpr std::array<std::string_view, 8> kListChanges = {"append", "extend",  "insert", "pop",
                                                          "remove", "reverse", "sort",   "clear"};

template <std::size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Python counts the separators U+001C to U+001F as white space too.
bool is_python_space(char32_t code) {
  return is_white_space(code) || (code >= 0x1C && code <= 0x1F);
}

template <typename Predicate>
bool all_characters(std::string_view text, const Predicate& holds_for) {
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    if (!holds_for(c.code)) {
      return false;
    }
    at += c.size;
  }
  return !text.empty();
}

bool is_letter(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_digit(char32_t code) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_ND;
}

void append_upper(std::string& out, char32_t code) {
  if (code == 0xDF) {  // the sharp s, the widespread letter whose upper case is two
    out += "SS";
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code))));
  }
}

void append_lower(std::string& out, char32_t code) {
  append_utf8(out, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code))));
}

template <typename Append>
std::string each_character(std::string_view text, const Append& append) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    if (c.well_formed) {
      append(out, c.code);
    } else {
      out += text[at];
    }
    at += c.size;
  }
  return out;
}

JinjaList split_at_space(std::string_view text, std::int64_t most, bool from_right) {
  std::vector<std::pair<std::size_t, std::size_t>> words;  // begin, end
  bool in_word = false;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    const bool space = is_python_space(c.code);
    if (!space && !in_word) {
      words.emplace_back(at, at);
    }
    in_word = !space;
    at += c.size;
    if (in_word) {
      words.back().second = at;
    }
  }
  const std::size_t limit = most < 0 ? words.size() : std::min(words.size(), static_cast<std::size_t>(most) + 1);
  JinjaList list;
  if (limit < words.size() && from_right) {
    const std::size_t joined = words.size() - limit;
    list.emplace_back(std::string(text.substr(0, words[joined].second)));
    words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(joined) + 1);
  } else if (limit < words.size()) {
    words.resize(limit);
    words.back().second = text.size();
  }
  for (const auto& [begin, end] : words) {
    list.emplace_back(std::string(text.substr(begin, end - begin)));
  }
  return list;
}

JinjaList split_at(std::string_view text, const std::string& separator, std::int64_t most, bool from_right) {
  if (separator.empty()) {
    throw JinjaFailure{"split needs a separator that is not empty"};
  }
  JinjaList list;
  while (most < 0 || static_cast<std::int64_t>(list.size()) < most) {
    const std::size_t found = from_right ? text.rfind(separator) : text.find(separator);
    if (found == std::string_view::npos) {
      break;
    }
    const std::size_t behind = found + separator.size();
    list.emplace_back(std::string(from_right ? text.substr(behind) : text.substr(0, found)));
    text = from_right ? text.substr(0, found) : text.substr(behind);
  }
  list.emplace_back(std::string(text));
  if (from_right) {
    std::ranges::reverse(list);
  }
  return list;
}

JinjaList split_lines(std::string_view text, bool keeps_ends) {
  JinjaList list;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    std::size_t next = text.size();
    for (; end < text.size();) {
      const DecodedChar c = decode_char(text.substr(end));
      const bool ends_line = (c.code >= 0x0A && c.code <= 0x0D) || (c.code >= 0x1C && c.code <= 0x1E) ||
                             c.code == 0x85 || c.code == 0x2028 || c.code == 0x2029;
      if (ends_line) {
        next = end + (text.substr(end).starts_with("\r\n") ? 2 : c.size);
        break;
      }
      end += c.size;
    }
    list.emplace_back(std::string(text.substr(at, (keeps_ends ? next : end) - at)));
    at = next;
  }
  return list;
}

JinjaValue split(const std::string& text, const Arguments& given, bool from_right) {
  given.check(2, {"sep", "maxsplit"});
  const JinjaValue* separator = given.find(0, "sep");
  const JinjaValue* most = given.find(1, "maxsplit");
  const std::int64_t limit = most != nullptr ? most->integer("split") : -1;
  const bool by_space = separator == nullptr || separator->is_none();
  return by_space ? split_at_space(text, limit, from_right)
                  : split_at(text, separator->text("split"), limit, from_right);
}

bool begins_or_ends(const std::string& text, const JinjaValue& with, bool begins) {
  if (with.list() != nullptr && with.is_tuple()) {
    return std::ranges::any_of(*with.list(), [&](const JinjaValue& one) { return begins_or_ends(text, one, begins); });
  }
  const std::string& part = with.text(begins ? "startswith" : "endswith");
  return begins ? text.starts_with(part) : text.ends_with(part);
}

std::int64_t find_in(const std::string& text, const std::string& part, bool from_right) {
  const std::size_t found = from_right ? text.rfind(part) : text.find(part);
  return found == std::string::npos ? -1
                                    : static_cast<std::int64_t>(jinja_length(std::string_view(text).substr(0, found)));
}

std::int64_t count_in(const std::string& text, const std::string& part) {
  if (part.empty()) {
    return static_cast<std::int64_t>(jinja_length(text)) + 1;
  }
  std::int64_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

bool is_all(const std::string& text, std::string_view name) {
  if (name == "isupper" || name == "islower") {
    const std::string other = name == "isupper" ? jinja_lower(text) : jinja_upper(text);
    return text != other && text == (name == "isupper" ? jinja_upper(text) : jinja_lower(text));
  }
  return all_characters(text, [&](char32_t code) {
    return name == "isdigit"     ? is_digit(code)
           : name == "isnumeric" ? is_number(code)
           : name == "isalpha"   ? is_letter(code)
           : name == "isspace"   ? is_python_space(code)
                                 : is_letter(code) || is_number(code);
  });
}

JinjaValue call_on_text(const std::string& text, const std::string& name, const Arguments& given) {
  constexpr std::size_t kMaxSplit = 1 << 22;
  if (text.size() > kMaxSplit && (name.find("split") != std::string::npos || name == "partition")) {
    throw JinjaFailure{given.what + " takes at most 2^22 bytes"};
  }
  if (name.ends_with("strip")) {
    given.check(1, {});
    const bool has_any = !given.values.empty() && !given.values[0].is_none();
    return jinja_strip(text, has_any ? &given.values[0].text(name) : nullptr, name != "rstrip", name != "lstrip");
  }
  if (name == "split" || name == "rsplit") {
    return split(text, given, name == "rsplit");
  }
  if (name == "splitlines") {
    const JinjaValue* keeps = given.find(0, "keepends");
    return split_lines(text, keeps != nullptr && keeps->truth());
  }
  if (name.starts_with("is")) {
    return is_all(text, name);
  }
  if (name == "upper" || name == "lower" || name == "title" || name == "capitalize") {
    return name == "upper"   ? jinja_upper(text)
           : name == "lower" ? jinja_lower(text)
           : name == "title" ? jinja_title(text, false)
                             : jinja_capitalize(text);
  }
  given.check(name == "replace" ? 3 : 1, {"count"});
  const JinjaValue& first = given.need(0, "argument");
  if (name == "startswith" || name == "endswith") {
    return begins_or_ends(text, first, name == "startswith");
  }
  if (name == "replace") {
    const JinjaValue* count = given.find(2, "count");
    return jinja_replace(text, first.text(name), given.need(1, "new").text(name),
                         count != nullptr ? count->integer(name) : -1);
  }
  if (name == "join") {
    std::string out;
    for (const JinjaValue& item : first.items(name)) {
      out += item.text(name) + text;
      check_jinja_size(out.size());
    }
    return out.substr(0, out.size() - std::min(out.size(), text.size()));
  }
  const std::string& part = first.text(name);
  if (name == "removeprefix" || name == "removesuffix") {
    const bool front = name == "removeprefix";
    const bool has = front ? text.starts_with(part) : text.ends_with(part);
    return has ? text.substr(front ? part.size() : 0, text.size() - part.size()) : text;
  }
  if (name == "partition") {
    const JinjaList two = split_at(text, part, 1, false);
    return two.size() == 2 ? JinjaValue(JinjaList{two[0], part, two[1]}, true)
                           : JinjaValue(JinjaList{text, "", ""}, true);
  }
  if (name == "count") {
    return count_in(text, part);
  }
  const std::int64_t found = find_in(text, part, name == "rfind");
  if (found < 0 && name == "index") {
    throw JinjaFailure{"index: the substring is not there"};
  }
  return found;
}

JinjaValue call_on_dict(const JinjaDict& dict, const std::string& name, const Arguments& given) {
  if (name == "get") {
    given.check(2, {"default"});
    const JinjaValue& key = given.need(0, "key");
    const JinjaValue* otherwise = given.find(1, "default");
    const JinjaValue* found = key.is_text() ? jinja_find(dict, key.text("")) : nullptr;
    return found != nullptr ? *found : otherwise != nullptr ? *otherwise : JinjaValue();
  }
  given.check(0, {});
  JinjaList list;
  for (const auto& [key, value] : dict) {
    list.push_back(name == "keys"     ? JinjaValue(key)
                   : name == "values" ? value
                                      : JinjaValue(JinjaList{key, value}, true));
  }
  return list;
}

JinjaValue call_on_list(const JinjaList& list, const std::string& name, const Arguments& given) {
  const JinjaValue& wanted = given.need(0, "value");
  const auto is_wanted = [&](const JinjaValue& item) { return jinja_equal(item, wanted); };
  if (name == "count") {
    return static_cast<std::int64_t>(std::ranges::count_if(list, is_wanted));
  }
  const auto found = std::ranges::find_if(list, is_wanted);
  if (found == list.end()) {
    throw JinjaFailure{"index: the list does not hold the value"};
  }
  return static_cast<std::int64_t>(found - list.begin());
}

}  // namespace

std::string jinja_strip(std::string_view text, const std::string* characters, bool left, bool right) {
  const auto goes = [&](std::string_view character, char32_t code) {
    return characters == nullptr ? is_python_space(code) : characters->find(character) != std::string::npos;
  };
  std::size_t begin = text.size();
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const DecodedChar c = decode_char(text.substr(at));
    if (!goes(text.substr(at, c.size), c.code)) {
      begin = std::min(begin, at);
      end = at + c.size;
    }
    at += c.size;
  }
  begin = left ? begin : 0;
  end = right ? end : text.size();
  return std::string(begin < end ? text.substr(begin, end - begin) : std::string_view());
}

std::string jinja_upper(std::string_view text) {
  return each_character(text, append_upper);
}

std::string jinja_lower(std::string_view text) {
  return each_character(text, append_lower);
}

std::string jinja_capitalize(std::string_view text) {
  bool first = true;
  return each_character(text, [&](std::string& out, char32_t code) {
    std::exchange(first, false) ? append_upper(out, code) : append_lower(out, code);
  });
}

// Words begin behind what is no letter; Jinja's filter lets them begin behind white space and opening brackets only.
std::string jinja_title(std::string_view text, bool words_by_space) {
  bool begins = true;
  return each_character(text, [&](std::string& out, char32_t code) {
    begins ? append_upper(out, code) : append_lower(out, code);
    const bool opens = code == '-' || code == '(' || code == '{' || code == '[' || code == '<';
    begins = words_by_space ? is_python_space(code) || opens : !is_letter(code);
  });
}

std::string jinja_replace(std::string_view text, const std::string& from, const std::string& to, std::int64_t count) {
  std::string out;
  std::size_t at = 0;
  for (std::int64_t done = 0; count < 0 || done < count; ++done) {
    check_jinja_size(out.size());
    if (from.empty()) {  // in front of every character, and at the end
      out += to;
      if (at == text.size()) {
        return out;
      }
      const std::size_t size = decode_char(text.substr(at)).size;
      out += text.substr(at, size);
      at += size;
      continue;
    }
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) {
      break;
    }
    out += text.substr(at, found - at);
    out += to;
    at = found + from.size();
  }
  out += text.substr(at);
  return out;
}

bool jinja_has_method(const JinjaValue& self, std::string_view name) {
  return self.is_text()           ? holds(kTextMethods, name)
         : self.dict() != nullptr ? holds(kDictMethods, name) || holds(kDictChanges, name)
         : self.list() != nullptr ? holds(kListMethods, name) || (!self.is_tuple() && holds(kListChanges, name))
                                  : false;
}

JinjaValue jinja_call_method(const JinjaValue& self, const std::string& name, const JinjaArguments& given,
                             JinjaInterpreter& interpreter) {
  if ((self.dict() != nullptr && holds(kDictChanges, name)) || (self.list() != nullptr && holds(kListChanges, name))) {
    throw JinjaFailure{"the method '" + name + "' would change a value, which templates may not"};
  }
  JinjaArguments named = given;
  named.what = "the method '" + name + "'";
  if (self.dict() != nullptr) {
    interpreter.spend(8 * self.dict()->size());
    return call_on_dict(*self.dict(), name, named);
  }
  if (self.list() != nullptr) {
    interpreter.spend(8 * self.list()->size());
    return call_on_list(*self.list(), name, named);
  }
  interpreter.spend(self.text("").size());
  JinjaValue made = call_on_text(self.text(""), name, named);
  interpreter.spend(made.is_text() ? made.text("").size() : made.list() != nullptr ? 64 * made.list()->size() : 0);
  return made;
}

}  // namespace plumb
