#pragma once
// The characters of an answer as the parser asks for them: blanks, commands, words, numbers, units.

#include <optional>
#include <string>
#include <string_view>

#include "reward/rules/math/names.h"
#include "reward/rules/math/rational.h"

namespace plumb::math {

bool is_digit(char c);
bool is_letter(char c);
bool is_blank(char c);

struct NumberToken {
  Rational value;
  int digits = 0;        // significant digits of a decimal, else 0
  int places = 0;        // decimal places
  std::string whole;     // the digits of a plain integer, for a base subscript
  std::string exponent;  // a power of ten too large to be written out
  bool thousands = false;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  /// Skips blanks, dollars and commands that only dress; whether there were any.
  bool skip_blanks();
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] char previous() const { return at_ > 0 ? text_[at_ - 1] : '\0'; }
  bool take(std::string_view expected);
  void advance(std::size_t count) { at_ += count; }
  [[nodiscard]] std::size_t place() const { return at_; }
  void back_to(std::size_t place) { at_ = place; }

  /// The letters behind a backslash at the cursor, which stays; empty for \{ and its kin.
  [[nodiscard]] std::string_view command() const;
  /// The run of letters at the cursor, which stays.
  [[nodiscard]] std::string_view word() const;
  /// The content of {...} or one character; braces nest, at most 4096 bytes. Moves behind it.
  std::optional<std::string_view> argument();
  /// A number at a digit or a decimal point. `thousands`: whether commas may group digits.
  std::optional<NumberToken> number(bool thousands);
  /// One digit (the argument of \frac12).
  NumberToken digit();
  /// [numerator]/[denominator] of a proper fraction of plain integers at the cursor: \frac{2}{3}, \frac23, or 2/3 where
  /// `plain`. The cursor stays where there is none.
  std::optional<Rational> proper_fraction(bool plain);
  /// The words of a unit at the cursor, to the next sign that cannot be part of it.
  std::string_view unit_words();

 private:
  std::string_view digits();
  bool thousands_group(std::string& all, bool commas);
  bool repetend(NumberToken& token, const std::string& all);
  bool read_exponent(NumberToken& token);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace plumb::math
