#include "reward/rules/math/scanner.h"

#include <algorithm>

namespace plumb::math {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

namespace {

std::string_view trimmed_digits(std::optional<std::string_view> text) {
  if (!text) {
    return {};
  }
  text->remove_prefix(std::min(text->find_first_not_of(' '), text->size()));
  return text->substr(0, text->find_last_not_of(' ') + 1);
}

}  // namespace

bool Scanner::take(std::string_view expected) {
  if (!rest().starts_with(expected)) {
    return false;
  }
  at_ += expected.size();
  return true;
}

bool Scanner::skip_blanks() {
  const std::size_t begin = at_;
  while (!at_end()) {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '~' || c == '$') {
      ++at_;
      continue;
    }
    if (c != '\\') {
      break;
    }
    const char next = peek(1);
    if (next != '\0' && std::string_view(" ,;:!()[]>\n").find(next) != std::string_view::npos) {
      at_ += 2;
      continue;
    }
    const auto name = command();
    if (name.empty() || command_meaning(name).meaning != Meaning::kBlank) {
      break;
    }
    at_ += name.size() + 1;
    if (name == "hspace") {
      argument();
    } else if ((name == "left" || name == "right") && peek() == '.') {
      ++at_;
    }
  }
  return at_ != begin;
}

std::string_view Scanner::command() const {
  if (peek() != '\\') {
    return {};
  }
  constexpr std::size_t kLongest = 40;
  std::size_t end = at_ + 1;
  while (end < text_.size() && end <= at_ + kLongest && is_letter(text_[end])) {
    ++end;
  }
  return text_.substr(at_ + 1, end - at_ - 1);
}

std::string_view Scanner::word() const {
  constexpr std::size_t kLongest = 40;  // no word is longer; a run of letters is read in one pass then
  std::size_t end = at_;
  while (end < text_.size() && end < at_ + kLongest && is_letter(text_[end])) {
    ++end;
  }
  return text_.substr(at_, end - at_);
}

std::optional<std::string_view> Scanner::argument() {
  constexpr std::size_t kLongest = 4096;
  while (peek() == ' ') {
    ++at_;
  }
  if (at_end()) {
    return std::nullopt;
  }
  if (peek() != '{') {
    const std::size_t size = peek() == '\\' ? command().size() + 1 : 1;
    at_ += size;
    return text_.substr(at_ - size, size);
  }
  int depth = 0;
  for (std::size_t i = at_; i < text_.size() && i < at_ + kLongest; ++i) {
    if (text_[i] == '\\') {
      ++i;
    } else if (text_[i] == '{') {
      ++depth;
    } else if (text_[i] == '}' && --depth == 0) {
      const auto inside = text_.substr(at_ + 1, i - at_ - 1);
      at_ = i + 1;
      return inside;
    }
  }
  return std::nullopt;
}

std::string_view Scanner::digits() {
  const std::size_t begin = at_;
  while (is_digit(peek())) {
    ++at_;
  }
  return text_.substr(begin, at_ - begin);
}

// One more group of exactly three digits behind a separator that can only, or by the rules given, group digits.
bool Scanner::thousands_group(std::string& all, bool commas) {
  const std::size_t begin = at_;
  bool sure = false;
  if (take("{,}") || take(",\\!") || take("\\,") || take("\\!") || take("\\ ") || take("~")) {
    sure = true;
  } else if (commas && take(",")) {
    sure = true;
  } else if (peek() == ' ' && is_digit(peek(1))) {
    ++at_;
    sure = true;
  }
  const auto group = digits();
  if (!sure || group.size() != 3) {
    at_ = begin;
    return false;
  }
  all += group;
  return true;
}

// 0.\overline{3}, 0.\dot{3}, 0.1(6) at the end, and 0.333... with at least three equal digits.
bool Scanner::repetend(NumberToken& token, const std::string& all) {
  const std::size_t begin = at_;
  std::string period;
  if (take("\\overline") || take("\\bar") || take("\\dot")) {
    period = std::string(argument().value_or(""));
  } else if (take("(")) {
    period = std::string(digits());
    if (!take(")") || rest().find_first_not_of(" .$\n") != std::string_view::npos) {
      period.clear();
    }
  } else if (take("...") || take("\\ldots") || take("\\dots") || take("\\cdots")) {
    const char last = all.empty() ? ' ' : all.back();
    if (token.places >= 3 && all.size() >= 3 && all.ends_with(std::string(3, last))) {
      period = std::string(1, last);
    } else {
      return true;
    }
  }
  if (period.empty() || period.size() > 1000 || !std::all_of(period.begin(), period.end(), is_digit)) {
    at_ = begin;
    return false;
  }
  // period / (10^n - 1) / 10^places
  Rational part = Rational::from_digits(period, 10, static_cast<std::size_t>(token.places));
  fmpz_t nines;
  fmpz_init(nines);
  fmpz_set_ui(nines, 10);
  fmpz_pow_ui(nines, nines, period.size());
  fmpz_sub_ui(nines, nines, 1);
  fmpq_div_fmpz(part.get(), part.get(), nines);
  fmpz_clear(nines);
  fmpq_add(token.value.get(), token.value.get(), part.get());
  token.digits = 0;
  token.places = 0;
  return true;
}

bool Scanner::read_exponent(NumberToken& token) {
  const std::size_t begin = at_;
  if (peek() != 'e' && peek() != 'E') {
    return false;
  }
  ++at_;
  std::string written = take("-") ? "-" : "";
  if (written.empty()) {
    take("+");
  }
  written += digits();
  if (written.empty() || written == "-" || is_letter(peek())) {
    at_ = begin;
    return false;
  }
  constexpr std::size_t kWritten = 5;
  if (written.size() > kWritten) {
    token.exponent = written;
    return true;
  }
  fmpq_t power;
  fmpq_init(power);
  fmpq_set_si(power, 10, 1);
  fmpq_pow_si(power, power, std::stol(written));
  fmpq_mul(token.value.get(), token.value.get(), power);
  fmpq_clear(power);
  return true;
}

std::optional<NumberToken> Scanner::number(bool thousands) {
  NumberToken token;
  std::string all(digits());
  const std::size_t first = all.size();
  if (first >= 1 && first <= 3 && all[0] != '0') {
    const std::size_t behind_first = at_;
    while (thousands_group(all, thousands)) {
      token.thousands = true;
    }
    if (token.thousands && peek() == ',' && is_digit(peek(1))) {  // 1,234,5: the commas separate
      token.thousands = false;
      all.resize(first);
      at_ = behind_first;
    }
  }
  const bool decimal = peek() == '.' && is_digit(peek(1));
  const bool point = peek() == '.' && !decimal && rest().starts_with(".\\overline");
  if (decimal || point) {
    ++at_;
    const auto fraction = digits();
    all += fraction;
    token.places = static_cast<int>(fraction.size());
  }
  if (all.empty()) {
    return std::nullopt;
  }
  const std::size_t significant = all.find_first_not_of('0');
  token.digits = decimal && significant != std::string::npos ? static_cast<int>(all.size() - significant) : 0;
  token.value = Rational::from_digits(all, 10, static_cast<std::size_t>(token.places));
  if (decimal || point) {
    const int places = token.places;
    if (!repetend(token, all)) {
      token.places = places;
    }
  } else if (!token.thousands) {
    token.whole = all;
  }
  read_exponent(token);
  return token;
}

NumberToken Scanner::digit() {
  NumberToken token;
  token.value = Rational(peek() - '0');
  ++at_;
  return token;
}

std::optional<Rational> Scanner::proper_fraction(bool plain) {
  constexpr std::size_t kLongest = 18;
  const std::size_t begin = at_;
  skip_blanks();
  std::string_view above;
  std::string_view below;
  if (const auto name = command(); !name.empty() && command_meaning(name).meaning == Meaning::kFraction) {
    at_ += name.size() + 1;
    above = trimmed_digits(argument());
    below = trimmed_digits(argument());
  } else if (plain) {
    above = digits();
    below = take("/") ? digits() : std::string_view();
  }
  const auto whole = [](std::string_view text) {
    return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), is_digit);
  };
  if (whole(above) && whole(below)) {
    const auto n = std::stol(std::string(above));
    const auto d = std::stol(std::string(below));
    if (n < d) {
      return Rational(n, static_cast<ulong>(d));
    }
  }
  at_ = begin;
  return std::nullopt;
}

std::string_view Scanner::unit_words() {
  const std::size_t begin = at_;
  std::size_t end = at_;
  while (end < text_.size()) {
    const char c = text_[end];
    const auto ahead = text_.substr(end);
    const bool connector = ahead.starts_with(" and ") || ahead.starts_with(" or ");
    const bool sign =
        !is_letter(c) && c >= 0 && std::string_view(" /^.-{}").find(c) == std::string_view::npos &&
        !(is_digit(c) && end > begin && (text_[end - 1] == '^' || text_[end - 1] == '-' || text_[end - 1] == '{'));
    if (connector || sign) {
      break;
    }
    ++end;
  }
  at_ = end;
  return text_.substr(begin, end - begin);
}

}  // namespace plumb::math
