#include "reward/rules/math/units.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "reward/rules/math/clean.h"

namespace plumb::math {

namespace {

struct Entry {
  slong above = 1;
  ulong below = 1;
  int base = 0;  // index of the base quantity
  int power = 1;
};

constexpr int kLength = 0, kMass = 1, kTime = 2, kMoney = 3, kHeat = 4, kData = 5, kAngle = 6;

const std::unordered_map<std::string_view, Entry>& table() {
  static const std::unordered_map<std::string_view, Entry> kTable = {
      {"m", {1, 1, kLength}},
      {"meter", {1, 1, kLength}},
      {"metre", {1, 1, kLength}},
      {"cm", {1, 100, kLength}},
      {"centimeter", {1, 100, kLength}},
      {"centimetre", {1, 100, kLength}},
      {"mm", {1, 1000, kLength}},
      {"millimeter", {1, 1000, kLength}},
      {"dm", {1, 10, kLength}},
      {"decimeter", {1, 10, kLength}},
      {"km", {1000, 1, kLength}},
      {"kilometer", {1000, 1, kLength}},
      {"kilometre", {1000, 1, kLength}},
      {"nm", {1, 1000000000, kLength}},
      {"in", {254, 10000, kLength}},
      {"inch", {254, 10000, kLength}},
      {"inche", {254, 10000, kLength}},
      {"ft", {3048, 10000, kLength}},
      {"foot", {3048, 10000, kLength}},
      {"feet", {3048, 10000, kLength}},
      {"yd", {9144, 10000, kLength}},
      {"yard", {9144, 10000, kLength}},
      {"mi", {1609344, 1000, kLength}},
      {"mile", {1609344, 1000, kLength}},
      {"L", {1, 1000, kLength, 3}},
      {"l", {1, 1000, kLength, 3}},
      {"liter", {1, 1000, kLength, 3}},
      {"litre", {1, 1000, kLength, 3}},
      {"ml", {1, 1000000, kLength, 3}},
      {"mL", {1, 1000000, kLength, 3}},
      {"milliliter", {1, 1000000, kLength, 3}},
      {"gallon", {3785411784, 1000000000000, kLength, 3}},
      {"gal", {3785411784, 1000000000000, kLength, 3}},
      {"quart", {946352946, 1000000000000, kLength, 3}},
      {"pint", {473176473, 1000000000000, kLength, 3}},
      {"hectare", {10000, 1, kLength, 2}},
      {"ha", {10000, 1, kLength, 2}},
      {"kg", {1, 1, kMass}},
      {"kilogram", {1, 1, kMass}},
      {"g", {1, 1000, kMass}},
      {"gram", {1, 1000, kMass}},
      {"mg", {1, 1000000, kMass}},
      {"milligram", {1, 1000000, kMass}},
      {"t", {1000, 1, kMass}},
      {"tonne", {1000, 1, kMass}},
      {"lb", {45359237, 100000000, kMass}},
      {"pound", {45359237, 100000000, kMass}},
      {"oz", {45359237, 1600000000, kMass}},
      {"ounce", {45359237, 1600000000, kMass}},
      {"s", {1, 1, kTime}},
      {"sec", {1, 1, kTime}},
      {"second", {1, 1, kTime}},
      {"ms", {1, 1000, kTime}},
      {"millisecond", {1, 1000, kTime}},
      {"min", {60, 1, kTime}},
      {"minute", {60, 1, kTime}},
      {"h", {3600, 1, kTime}},
      {"hr", {3600, 1, kTime}},
      {"hour", {3600, 1, kTime}},
      {"day", {86400, 1, kTime}},
      {"week", {604800, 1, kTime}},
      {"$", {1, 1, kMoney}},
      {"dollar", {1, 1, kMoney}},
      {"usd", {1, 1, kMoney}},
      {"USD", {1, 1, kMoney}},
      {"cent", {1, 100, kMoney}},
      {"K", {1, 1, kHeat}},
      {"kelvin", {1, 1, kHeat}},
      {"byte", {1, 1, kData}},
      {"bit", {1, 8, kData}},
      {"degree", {1, 1, kAngle}},
      {"deg", {1, 1, kAngle}}};
  return kTable;
}

// Derived words: value, then powers of the base quantities in their order.
struct Derived {
  std::string_view word;
  slong above;
  ulong below;
  std::array<int, 7> powers;
};
constexpr std::array<Derived, 12> kDerived = {{{"mph", 1609344, 3600000, {1, 0, -1}},
                                               {"kph", 1000, 3600, {1, 0, -1}},
                                               {"Hz", 1, 1, {0, 0, -1}},
                                               {"N", 1, 1, {1, 1, -2}},
                                               {"newton", 1, 1, {1, 1, -2}},
                                               {"J", 1, 1, {2, 1, -2}},
                                               {"joule", 1, 1, {2, 1, -2}},
                                               {"kJ", 1000, 1, {2, 1, -2}},
                                               {"W", 1, 1, {2, 1, -3}},
                                               {"watt", 1, 1, {2, 1, -3}},
                                               {"Pa", 1, 1, {-1, 1, -2}},
                                               {"pascal", 1, 1, {-1, 1, -2}}}};

std::string lower(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string singular(std::string word) {
  if (word.size() > 3 && word.ends_with("es") &&
      (word.ends_with("ches") || word.ends_with("xes") || word.ends_with("shes"))) {
    word.resize(word.size() - 2);
  } else if (word.size() > 2 && word.ends_with('s') && !word.ends_with("ss")) {
    word.pop_back();
  }
  return word;
}

bool add_word(Unit& unit, std::string_view word, int power) {
  const auto apply = [&](slong above, ulong below, const std::array<int, 7>& powers) {
    Rational factor(above, below);
    fmpq_pow_si(factor.get(), factor.get(), power);
    fmpq_mul(unit.factor.get(), unit.factor.get(), factor.get());
    for (std::size_t i = 0; i < powers.size(); ++i) {
      unit.powers[i] += power * powers[i];
    }
    return true;
  };
  for (const std::string& spelling : {std::string(word), singular(std::string(word)), singular(lower(word))}) {
    if (const auto found = table().find(spelling); found != table().end()) {
      std::array<int, 7> powers = {};
      powers[static_cast<std::size_t>(found->second.base)] = found->second.power;
      return apply(found->second.above, found->second.below, powers);
    }
    for (const Derived& derived : kDerived) {
      if (derived.word == spelling) {
        return apply(derived.above, derived.below, derived.powers);
      }
    }
  }
  return false;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '$' || c < 0;
}

// Words and the signs between them.
std::vector<std::string_view> pieces(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (is_letter(text[at])) {
      while (end < text.size() && is_letter(text[end])) {
        ++end;
      }
    }
    if (text[at] == '-' || (text[at] >= '0' && text[at] <= '9')) {
      while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
        ++end;
      }
    }
    const auto piece = text.substr(at, end - at);
    if (std::string_view(" {}()\\.\t\n,~").find(piece[0]) == std::string_view::npos) {
      out.push_back(piece);
    }
    at = end;
  }
  return out;
}

// The power written behind word `i` ("squared", "^ 2", "^ -1"); moves `i` to its end.
int power_behind(const std::vector<std::string_view>& words, std::size_t& i) {
  if (i + 1 < words.size() && (words[i + 1] == "squared" || words[i + 1] == "cubed")) {
    return words[++i] == "squared" ? 2 : 3;
  }
  if (i + 2 < words.size() && words[i + 1] == "^" && words[i + 2].size() <= 2) {
    i += 2;
    const char last = words[i].back();
    const int power = last >= '0' && last <= '9' ? last - '0' : 1;
    return words[i][0] == '-' ? -power : power;
  }
  return 1;
}

}  // namespace

bool Unit::is_degree() const {
  return known && powers == std::array<int, 7>{0, 0, 0, 0, 0, 0, 1};
}

bool Unit::same_kind(const Unit& other) const {
  return known && other.known ? powers == other.powers : known == other.known && name == other.name;
}

Unit read_unit(std::string_view text) {
  Unit unit;
  unit.known = true;
  const auto words = pieces(text);
  int sign = 1;
  int prefix = 1;
  bool any = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = lower(words[i]);
    if (word == "per" || word == "/") {
      sign = -1;
    } else if (word == "square" || word == "sq" || word == "cubic" || word == "cu") {
      prefix = word[0] == 's' ? 2 : 3;
    } else if (word != "of" && word != "a" && word != "an" && word != "*") {
      const std::string_view base = words[i];
      const int power = prefix * power_behind(words, i);
      unit.known = unit.known && add_word(unit, base, sign * power);
      unit.name += (any ? " " : "") + singular(lower(base));
      any = true;
      prefix = 1;
    }
  }
  unit.known = unit.known && any;
  return unit;
}

bool is_unit_word(std::string_view word) {
  Unit unit;
  return word.size() >= 2 && add_word(unit, word, 1);
}

}  // namespace plumb::math
