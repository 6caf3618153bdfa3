#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "tokenizer/jinja_interpreter.h"

namespace plumb {
namespace {

using Arguments = JinjaArguments;

// What sorting without regard to case compares.
JinjaValue sort_key(const JinjaValue& value, bool case_sensitive) {
  return value.is_text() && !case_sensitive ? JinjaValue(jinja_lower(value.text(""))) : value;
}

// "a.b.0" of each item.
JinjaValue path_of(JinjaInterpreter& interpreter, JinjaValue value, const JinjaValue& path) {
  if (!path.is_text()) {
    return interpreter.subscript(value, path);
  }
  std::string_view rest = path.text("");
  while (true) {
    const std::size_t dot = rest.find('.');
    const std::string name(rest.substr(0, dot));
    std::int64_t index = 0;
    const auto read = std::from_chars(name.data(), name.data() + name.size(), index);
    const bool is_index = !name.empty() && read.ec == std::errc() && read.ptr == name.data() + name.size();
    value = is_index ? interpreter.subscript(value, index) : interpreter.attribute(value, name, true);
    if (dot == std::string_view::npos) {
      return value;
    }
    rest.remove_prefix(dot + 1);
  }
}

std::int64_t length_of(const JinjaValue& value) {
  if (value.is_text()) {
    return static_cast<std::int64_t>(jinja_length(value.text("")));
  }
  if (value.list() != nullptr || value.dict() != nullptr || value.is_undefined()) {
    return static_cast<std::int64_t>(value.is_undefined()      ? 0
                                     : value.list() != nullptr ? value.list()->size()
                                                               : value.dict()->size());
  }
  throw JinjaFailure{"length needs something with items, not " + value.type_name()};
}

JinjaValue to_json(const JinjaValue& value, const Arguments& given) {
  given.check(4, {"ensure_ascii", "indent", "separators", "sort_keys"});
  if (const JinjaValue* ascii = given.find(0, "ensure_ascii"); ascii != nullptr && ascii->truth()) {
    throw JinjaFailure{"tojson with ensure_ascii is not supported"};
  }
  const JinjaValue* indent = given.find(1, "indent");
  const JinjaValue* separators = given.find(2, "separators");
  const JinjaValue* sort_keys = given.find(3, "sort_keys");
  const bool has_indent = indent != nullptr && !indent->is_none();
  const std::int64_t width = has_indent ? std::clamp<std::int64_t>(indent->integer("tojson"), 0, 100) : -1;
  std::array<std::string, 2> between = {has_indent ? "," : ", ", ": "};
  if (separators != nullptr && !separators->is_none()) {
    const JinjaList two = separators->items("tojson");
    if (two.size() != 2) {
      throw JinjaFailure{"tojson needs two separators"};
    }
    between = {two[0].text("tojson"), two[1].text("tojson")};
  }
  return jinja_to_json(value, static_cast<int>(width), sort_keys != nullptr && sort_keys->truth(), between[0],
                       between[1]);
}

JinjaValue to_integer(const JinjaValue& value, const Arguments& given) {
  given.check(2, {"default", "base"});
  if (const JinjaValue* base = given.find(1, "base"); base != nullptr && base->integer("int") != 10) {
    throw JinjaFailure{"int knows base 10 only"};
  }
  const JinjaValue* otherwise = given.find(0, "default");
  const JinjaValue fallback = otherwise != nullptr ? *otherwise : JinjaValue(std::int64_t{0});
  double number = 0;
  if (value.is_integer()) {
    return value.integer("");
  }
  if (value.is_text()) {
    const std::string text = jinja_strip(value.text(""), nullptr, true, true);
    const char* const end = text.data() + text.size();
    std::int64_t integer = 0;
    const auto read = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, integer);
    if (read.ec == std::errc() && read.ptr == end) {
      return integer;
    }
    const auto real = std::from_chars(text.data(), end, number);
    if (real.ec != std::errc() || real.ptr != end) {
      return fallback;
    }
  } else if (const auto* real = value.get<double>()) {
    number = *real;
  } else {
    return fallback;
  }
  return std::fabs(number) < 9e18 ? JinjaValue(static_cast<std::int64_t>(number)) : fallback;
}

JinjaValue to_float(const JinjaValue& value, const Arguments& given) {
  given.check(1, {"default"});
  const JinjaValue* otherwise = given.find(0, "default");
  if (value.is_number()) {
    return value.number("");
  }
  if (value.is_text()) {
    const std::string text = jinja_strip(value.text(""), nullptr, true, true);
    double number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
      return number;
    }
  }
  return otherwise != nullptr ? *otherwise : JinjaValue(0.0);
}

JinjaValue rounded(const JinjaValue& value, const Arguments& given) {
  given.check(2, {"precision", "method"});
  const JinjaValue* precision = given.find(0, "precision");
  const JinjaValue* method = given.find(1, "method");
  const std::string how = method != nullptr ? method->text("round") : "common";
  if (value.is_integer() && how == "common") {
    return value.integer("");
  }
  const double scale = std::pow(10.0, precision != nullptr ? precision->number("round") : 0);
  const double scaled = value.number("round") * scale;
  if (how != "common" && how != "ceil" && how != "floor") {
    throw JinjaFailure{"round knows the methods common, ceil and floor, not " + how};
  }
  return (how == "common" ? std::nearbyint(scaled) : how == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale;
}

JinjaValue indented(const std::string& text, const Arguments& given, JinjaInterpreter& interpreter) {
  given.check(3, {"width", "first", "blank"});
  const JinjaValue* width = given.find(0, "width");
  const JinjaValue* first = given.find(1, "first");
  const JinjaValue* blank = given.find(2, "blank");
  const std::string margin = width != nullptr && width->is_text()
                                 ? width->text("")
                                 : std::string(static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                   width != nullptr ? width->integer("indent") : 4, 0, 1000)),
                                               ' ');
  std::string out;
  bool at_first = true;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool indents =
        at_first ? first != nullptr && first->truth() : end > at || (blank != nullptr && blank->truth());
    interpreter.spend(margin.size());
    out += (at_first ? "" : "\n") + (indents ? margin : std::string()) + text.substr(at, end - at);
    at_first = false;
    at = end + 1;
  }
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '&'    ? "&amp;"
           : c == '<'  ? "&lt;"
           : c == '>'  ? "&gt;"
           : c == '\'' ? "&#39;"
           : c == '"'  ? "&#34;"
                       : std::string(1, c);
  }
  return out;
}

JinjaList sorted(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) {
  given.check(3, {"reverse", "case_sensitive", "attribute"});
  const JinjaValue* reverse = given.find(0, "reverse");
  const JinjaValue* sensitive = given.find(1, "case_sensitive");
  const JinjaValue* path = given.find(2, "attribute");
  const bool by_case = sensitive != nullptr && sensitive->truth();
  std::vector<std::pair<JinjaValue, JinjaValue>> keyed;
  for (const JinjaValue& item : value.items("sort")) {
    const JinjaValue key = path != nullptr && !path->is_none() ? path_of(interpreter, item, *path) : item;
    interpreter.spend(64 * 16);  // a sort compares each item some times
    keyed.emplace_back(sort_key(key, by_case), item);
  }
  const bool falls = reverse != nullptr && reverse->truth();
  std::ranges::stable_sort(keyed, [&](const auto& a, const auto& b) {
    return falls ? jinja_less(b.first, a.first) : jinja_less(a.first, b.first);
  });
  JinjaList list;
  for (auto& [key, item] : keyed) {
    list.push_back(std::move(item));
  }
  return list;
}

JinjaList unique(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) {
  given.check(2, {"case_sensitive", "attribute"});
  const JinjaValue* sensitive = given.find(0, "case_sensitive");
  const JinjaValue* path = given.find(1, "attribute");
  JinjaList keys;
  JinjaList kept;
  for (const JinjaValue& item : value.items("unique")) {
    const JinjaValue key = sort_key(path != nullptr && !path->is_none() ? path_of(interpreter, item, *path) : item,
                                    sensitive != nullptr && sensitive->truth());
    interpreter.spend(8 * keys.size());
    if (std::ranges::none_of(keys, [&](const JinjaValue& other) { return jinja_equal(other, key); })) {
      keys.push_back(key);
      kept.push_back(item);
    }
  }
  return kept;
}

// The arguments behind the first `count`.
Arguments rest_of(const Arguments& given, std::size_t count) {
  Arguments rest = given;
  rest.values.erase(rest.values.begin(),
                    rest.values.begin() + static_cast<std::ptrdiff_t>(std::min(count, rest.values.size())));
  return rest;
}

JinjaList mapped(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) {
  JinjaList list;
  const JinjaValue* path = jinja_find(given.named, "attribute");
  const JinjaValue* otherwise = jinja_find(given.named, "default");
  for (const JinjaValue& item : value.items("map")) {
    interpreter.spend(64);
    if (path == nullptr) {
      list.push_back(interpreter.filter(given.need(0, "filter").text("map"), item, rest_of(given, 1)));
      continue;
    }
    JinjaValue found = path_of(interpreter, item, *path);
    list.push_back(found.is_undefined() && otherwise != nullptr ? *otherwise : std::move(found));
  }
  return list;
}

// select, reject, selectattr and rejectattr.
JinjaList selected(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given, bool by_attribute,
                   bool wanted) {
  JinjaList list;
  const std::size_t skipped = by_attribute ? 1 : 0;
  const bool has_test = given.values.size() > skipped;
  for (const JinjaValue& item : value.items(given.what)) {
    interpreter.spend(64);
    const JinjaValue tested = by_attribute ? path_of(interpreter, item, given.need(0, "attribute")) : item;
    const bool holds =
        has_test ? interpreter.test(given.values[skipped].text(given.what), tested, rest_of(given, skipped + 1))
                 : tested.truth();
    if (holds == wanted) {
      list.push_back(item);
    }
  }
  return list;
}

JinjaValue extreme(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given, bool largest) {
  given.check(2, {"case_sensitive", "attribute"});
  const JinjaValue* path = given.find(1, "attribute");
  const JinjaValue* sensitive = given.find(0, "case_sensitive");
  const auto key = [&](const JinjaValue& item) {
    return sort_key(path != nullptr ? path_of(interpreter, item, *path) : item,
                    sensitive != nullptr && sensitive->truth());
  };
  JinjaValue best = JinjaUndefined{"no item"};
  JinjaValue best_key;
  for (const JinjaValue& item : value.items(given.what)) {
    JinjaValue item_key = key(item);
    if (best.is_undefined() || (largest ? jinja_less(best_key, item_key) : jinja_less(item_key, best_key))) {
      best = item;
      best_key = std::move(item_key);
    }
  }
  return best;
}

JinjaValue summed(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) {
  given.check(2, {"attribute", "start"});
  const JinjaValue* path = given.find(0, "attribute");
  const JinjaValue* start = given.find(1, "start");
  std::int64_t integer = start != nullptr && start->is_integer() ? start->integer("") : 0;
  double number = start != nullptr && !start->is_integer() ? start->number("sum") : 0;
  bool whole = start == nullptr || start->is_integer();
  for (const JinjaValue& item : value.items("sum")) {
    const JinjaValue one = path != nullptr && !path->is_none() ? path_of(interpreter, item, *path) : item;
    whole = whole && one.is_integer();
    if (one.is_integer() && __builtin_add_overflow(integer, one.integer(""), &integer)) {
      throw JinjaFailure{"sum leaves the range of 64-bit integers"};
    }
    number += one.is_integer() ? 0 : one.number("sum");
  }
  return whole ? JinjaValue(integer) : JinjaValue(static_cast<double>(integer) + number);
}

JinjaValue joined(JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) {
  given.check(2, {"d", "attribute"});
  const JinjaValue* between = given.find(0, "d");
  const JinjaValue* path = given.find(1, "attribute");
  std::string text;
  bool first = true;
  for (const JinjaValue& item : value.items("join")) {
    const JinjaValue one = path != nullptr && !path->is_none() ? path_of(interpreter, item, *path) : item;
    text += (first || between == nullptr ? std::string() : between->str()) + one.str();
    check_jinja_size(text.size());
    first = false;
  }
  interpreter.spend(text.size());
  return text;
}

JinjaValue pairs(const JinjaValue& value, bool is_sorted) {
  JinjaDict dict = value.dict() != nullptr ? *value.dict() : JinjaDict();
  if (value.dict() == nullptr && (!value.is_undefined() || is_sorted)) {
    throw JinjaFailure{"items needs a dictionary, not " + value.type_name()};
  }
  if (is_sorted) {
    std::ranges::stable_sort(dict, {}, [](const auto& entry) { return jinja_lower(entry.first); });
  }
  JinjaList list;
  for (auto& [key, item] : dict) {
    list.emplace_back(JinjaList{key, std::move(item)}, true);
  }
  return list;
}

JinjaValue reversed(const JinjaValue& value) {
  JinjaList list = value.items("reverse");
  std::ranges::reverse(list);
  if (!value.is_text()) {
    return list;
  }
  std::string text;
  for (const JinjaValue& character : list) {
    text += character.text("");
  }
  return text;
}

JinjaValue absolute(const JinjaValue& value) {
  if (!value.is_integer()) {
    return std::fabs(value.number("abs"));
  }
  std::int64_t negated = 0;
  if (__builtin_sub_overflow(std::int64_t{0}, value.integer(""), &negated)) {
    throw JinjaFailure{"abs leaves the range of 64-bit integers"};
  }
  return std::max(value.integer(""), negated);
}

using Filter = JinjaValue (*)(JinjaInterpreter&, const JinjaValue&, const Arguments&);

const std::pair<std::string_view, Filter> kFilters[] = {
    {"trim",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       const JinjaValue* characters = given.find(0, "chars");
       const bool has_any = characters != nullptr && !characters->is_none();
       return jinja_strip(value.str(), has_any ? &characters->text("trim") : nullptr, true, true);
     }},
    {"upper",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       return jinja_upper(value.str());
     }},
    {"lower",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       return jinja_lower(value.str());
     }},
    {"title",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       return jinja_title(value.str(), true);
     }},
    {"capitalize",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       return jinja_capitalize(value.str());
     }},
    {"length",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return length_of(value); }},
    {"count",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return length_of(value); }},
    {"first",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       const JinjaList items = value.items("first");
       return items.empty() ? JinjaValue(JinjaUndefined{"first item"}) : items.front();
     }},
    {"last",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue {
       const JinjaList items = value.items("last");
       return items.empty() ? JinjaValue(JinjaUndefined{"last item"}) : items.back();
     }},
    {"join", joined},
    {"replace",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       const JinjaValue* count = given.find(2, "count");
       std::string text = jinja_replace(value.str(), given.need(0, "old").str(), given.need(1, "new").str(),
                                        count != nullptr && !count->is_none() ? count->integer("replace") : -1);
       interpreter.spend(text.size());
       return text;
     }},
    {"default",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       const JinjaValue* otherwise = given.find(0, "default_value");
       const JinjaValue* falsy = given.find(1, "boolean");
       const bool replaces = value.is_undefined() || (falsy != nullptr && falsy->truth() && !value.truth());
       return !replaces ? value : otherwise != nullptr ? *otherwise : JinjaValue("");
     }},
    {"tojson",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       JinjaValue text = to_json(value, given);
       interpreter.spend(text.text("").size());
       return text;
     }},
    {"list",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return value.items("list"); }},
    {"string", [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return value.str(); }},
    {"safe", [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return value.str(); }},
    {"escape",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) -> JinjaValue { return escaped(value.str()); }},
    {"int",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) { return to_integer(value, given); }},
    {"float",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) { return to_float(value, given); }},
    {"abs", [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) { return absolute(value); }},
    {"round", [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) { return rounded(value, given); }},
    {"indent", [](JinjaInterpreter& interpreter, const JinjaValue& value,
                  const Arguments& given) { return indented(value.str(), given, interpreter); }},
    {"sort",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return sorted(interpreter, value, given);
     }},
    {"unique",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return unique(interpreter, value, given);
     }},
    {"reverse", [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) { return reversed(value); }},
    {"map",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return mapped(interpreter, value, given);
     }},
    {"select",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return selected(interpreter, value, given, false, true);
     }},
    {"reject",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return selected(interpreter, value, given, false, false);
     }},
    {"selectattr",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return selected(interpreter, value, given, true, true);
     }},
    {"rejectattr",
     [](JinjaInterpreter& interpreter, const JinjaValue& value, const Arguments& given) -> JinjaValue {
       return selected(interpreter, value, given, true, false);
     }},
    {"items", [](JinjaInterpreter&, const JinjaValue& value, const Arguments&) { return pairs(value, false); }},
    {"dictsort",
     [](JinjaInterpreter&, const JinjaValue& value, const Arguments& given) {
       given.check(0, {});
       return pairs(value, true);
     }},
    {"sum", [](JinjaInterpreter& interpreter, const JinjaValue& value,
               const Arguments& given) { return summed(interpreter, value, given); }},
    {"min", [](JinjaInterpreter& interpreter, const JinjaValue& value,
               const Arguments& given) { return extreme(interpreter, value, given, false); }},
    {"max", [](JinjaInterpreter& interpreter, const JinjaValue& value,
               const Arguments& given) { return extreme(interpreter, value, given, true); }},
};

Filter find_filter(std::string_view name) {
  name = name == "d" ? "default" : name == "e" ? "escape" : name;
  const auto* const found =
      std::find_if(std::begin(kFilters), std::end(kFilters), [&](const auto& entry) { return entry.first == name; });
  return found == std::end(kFilters) ? nullptr : found->second;
}

}  // namespace

bool is_jinja_filter(std::string_view name) {
  return find_filter(name) != nullptr;
}

JinjaValue JinjaInterpreter::filter(const std::string& name, const JinjaValue& subject, const JinjaArguments& given) {
  const Filter found = find_filter(name);
  if (found == nullptr) {
    throw JinjaFailure{"the filter '" + name + "' is not supported"};
  }
  // What a filter reads it may copy.
  spend(subject.is_text() ? subject.text("").size() : 64 * static_cast<std::size_t>(subject.weight()));
  return found(*this, subject, given);
}

}  // namespace plumb
