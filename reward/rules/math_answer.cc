#include "reward/rules/math_answer.h"

#include <algorithm>
#include <array>
#include <boost/multiprecision/cpp_int.hpp>
#include <utility>

namespace plumb {

namespace {

using Integer = boost::multiprecision::cpp_int;

constexpr int kMaxExponent = 400;

// A rational number, not reduced: equality is cross multiplication. The denominator is never negative.
struct Rational {
  Integer numerator = 0;
  Integer denominator = 1;
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Integer power_of_ten(std::size_t exponent) {
  return boost::multiprecision::pow(Integer(10), static_cast<unsigned>(exponent));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t found = text.find(from); found != std::string::npos; found = text.find(from, at)) {
    out.append(text, at, found - at).append(to);
    at = found + from.size();
  }
  text = out.append(text, at);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Takes off what only dresses an answer: maths delimiters, spacing commands, Markdown bold, the final full stop, "x =".
std::string undressed(std::string_view answer) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kRewrites = {{{"\\dfrac", "\\frac"},
                                                                                        {"\\tfrac", "\\frac"},
                                                                                        {"\\cfrac", "\\frac"},
                                                                                        {"{,}", ","},
                                                                                        {"\\,", ""},
                                                                                        {"\\!", ""},
                                                                                        {"\\;", ""},
                                                                                        {"\\:", ""},
                                                                                        {"\\ ", " "},
                                                                                        {"\xE2\x88\x92", "-"},
                                                                                        {"\\(", ""},
                                                                                        {"\\)", ""},
                                                                                        {"\\[", ""},
                                                                                        {"\\]", ""},
                                                                                        {"$", ""},
                                                                                        {"**", ""},
                                                                                        {"\xC2\xA0", " "}}};
  std::string text(answer);
  for (const auto& [from, to] : kRewrites) {
    replace_all(text, from, to);
  }
  std::string_view rest = trimmed(text);
  if (rest.ends_with('.')) {
    rest = trimmed(rest.substr(0, rest.size() - 1));
  }
  if (rest.size() > 1 && is_letter(rest[0])) {
    const auto behind = trimmed(rest.substr(1));
    if (behind.starts_with('=')) {
      rest = trimmed(behind.substr(1));
    }
  }
  return std::string(rest);
}

std::string collapse_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

// Reads numbers off an undressed answer. Every method leaves the place unchanged or unspecified on failure; the caller
// gives up then.
class NumberReader {
 public:
  explicit NumberReader(std::string_view text) : text_(text) {}

  // The whole text as one number.
  std::optional<Rational> read_all() {
    auto value = signed_value();
    skip_blanks();
    return at_ == text_.size() ? value : std::nullopt;
  }

  [[nodiscard]] bool divided_by_zero() const { return divided_by_zero_; }

 private:
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) {
      return false;
    }
    at_ += expected.size();
    return true;
  }

  void skip_blanks() {
    while (take(" ")) {
    }
  }

  bool negative_sign() {
    skip_blanks();
    const bool negative = take("-");
    if (!negative) {
      take("+");
    }
    skip_blanks();
    return negative;
  }

  std::string_view digits() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) {
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  // Digits with thousands separators: groups of exactly three behind a first group of one to three.
  std::optional<std::string> whole_digits() {
    std::string all(digits());
    const std::size_t first = all.size();
    while (first >= 1 && first <= 3 && at_ < text_.size() && text_[at_] == ',') {
      ++at_;
      const auto group = digits();
      if (group.size() != 3) {
        return std::nullopt;
      }
      all += group;
    }
    return all;
  }

  std::optional<Rational> decimal() {
    const auto whole = whole_digits();
    if (!whole) {
      return std::nullopt;
    }
    const std::string_view fraction = take(".") ? digits() : std::string_view();
    const std::string all = *whole + std::string(fraction);
    if (all.empty() || all.size() > kMaxDigits) {
      return std::nullopt;
    }
    // A leading zero would make the constructor read octal.
    const std::size_t significant = std::min(all.find_first_not_of('0'), all.size() - 1);
    Rational value{Integer(all.substr(significant)), power_of_ten(fraction.size())};
    return exponent(value) ? std::optional(value) : std::nullopt;
  }

  bool exponent(Rational& value) {
    if (!take("e") && !take("E")) {
      return true;
    }
    const bool negative = take("-");
    if (!negative) {
      take("+");
    }
    const auto written = digits();
    if (written.empty() || written.size() > 3) {
      return false;
    }
    const int size = std::stoi(std::string(written));
    if (size > kMaxExponent) {
      return false;
    }
    (negative ? value.denominator : value.numerator) *= power_of_ten(static_cast<std::size_t>(size));
    return true;
  }

  std::optional<Rational> divide(const Rational& above, Rational below) {
    if (below.numerator == 0) {
      divided_by_zero_ = true;
      return std::nullopt;
    }
    if (below.numerator < 0) {
      below.numerator = -below.numerator;
      below.denominator = -below.denominator;
    }
    return Rational{above.numerator * below.denominator, above.denominator * below.numerator};
  }

  std::optional<Rational> signed_decimal() {
    const bool negative = negative_sign();
    auto value = decimal();
    if (value && negative) {
      value->numerator = -value->numerator;
    }
    return value;
  }

  // One argument of \frac: {number} or a single digit.
  std::optional<Rational> argument() {
    skip_blanks();
    if (take("{")) {
      auto value = signed_decimal();
      skip_blanks();
      return value && take("}") ? value : std::nullopt;
    }
    if (at_ < text_.size() && is_digit(text_[at_])) {
      return Rational{Integer(text_[at_++] - '0'), 1};
    }
    return std::nullopt;
  }

  std::optional<Rational> latex_fraction() {
    const auto above = argument();
    const auto below = above ? argument() : std::nullopt;
    return below ? divide(*above, *below) : std::nullopt;
  }

  std::optional<Rational> add_fraction(const Rational& whole, const std::optional<Rational>& part) {
    const bool proper = part && whole.denominator == 1 && part->numerator >= 0;
    if (!proper) {
      return std::nullopt;
    }
    return Rational{whole.numerator * part->denominator + part->numerator, part->denominator};
  }

  std::optional<Rational> value() {
    if (take("\\frac")) {
      return latex_fraction();
    }
    const auto first = decimal();
    if (!first) {
      return std::nullopt;
    }
    const bool blank = at_ < text_.size() && text_[at_] == ' ';
    skip_blanks();
    if (take("\\frac")) {
      return add_fraction(*first, latex_fraction());
    }
    if (take("/")) {
      const auto below = signed_decimal();
      return below ? divide(*first, *below) : std::nullopt;
    }
    if (blank && at_ < text_.size() && is_digit(text_[at_])) {
      const auto above = decimal();
      const auto below = above && take("/") ? decimal() : std::nullopt;
      return below ? add_fraction(*first, divide(*above, *below)) : std::nullopt;
    }
    return first;
  }

  std::optional<Rational> signed_value() {
    const bool negative = negative_sign();
    auto result = value();
    if (result && negative) {
      result->numerator = -result->numerator;
    }
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool divided_by_zero_ = false;
};

std::string excerpt(std::string_view text) {
  constexpr std::size_t kShown = 60;
  std::string out = "'";
  out += text.substr(0, kShown);
  out += text.size() > kShown ? "...'" : "'";
  return out;
}

}  // namespace

std::string_view to_string(MathVerdict verdict) {
  constexpr std::array<std::string_view, 3> kNames = {"equal", "not_equal", "undecided"};
  return kNames.at(static_cast<std::size_t>(verdict));
}

MathResult compare_math_answers(std::string_view truth, std::string_view answer) {
  if (answer.size() > kMaxAnswerBytes || truth.size() > kMaxAnswerBytes) {
    return {MathVerdict::kUndecided, "the answer is longer than " + std::to_string(kMaxAnswerBytes) + " bytes"};
  }
  const std::string expected = undressed(truth);
  const std::string found = undressed(answer);
  NumberReader expected_reader(expected);
  NumberReader found_reader(found);
  const auto expected_value = expected_reader.read_all();
  const auto found_value = found_reader.read_all();
  const std::string both = excerpt(found) + " against " + excerpt(expected);
  if (expected_value && found_value) {
    const bool equal =
        expected_value->numerator * found_value->denominator == found_value->numerator * expected_value->denominator;
    return equal ? MathResult{MathVerdict::kEqual, both + ": the same rational number"}
                 : MathResult{MathVerdict::kNotEqual, both + ": different rational numbers"};
  }
  if (found_reader.divided_by_zero() || expected_reader.divided_by_zero()) {
    return {MathVerdict::kUndecided, both + ": division by zero"};
  }
  if (!expected_value && !found_value && !found.empty() && collapse_blanks(found) == collapse_blanks(expected)) {
    return {MathVerdict::kEqual, both + ": spelled alike"};
  }
  return {MathVerdict::kUndecided, both + ": not both in a form that can be compared"};
}

}  // namespace plumb
