// What the parser does at each character, where a value is expected and behind one.

#include "reward/rules/math/parser_state.h"

namespace plumb::math {

namespace {

// The sign of a relation written in ASCII, with its length.
std::pair<std::size_t, Sign> ascii_relation(const Scanner& scan) {
  const char c = scan.peek();
  const char next = scan.peek(1);
  if (c == '<' || c == '>') {
    const bool with_equal = next == '=';
    return {with_equal ? 2 : 1, c == '<' ? (with_equal ? Sign::kLessEqual : Sign::kLess)
                                         : (with_equal ? Sign::kGreaterEqual : Sign::kGreater)};
  }
  if (c == '!' && next == '=') {
    return {2, Sign::kNotEqual};
  }
  if (c == '=') {
    const bool or_less = next == '<';
    return {or_less || next == '=' ? 2 : 1, or_less ? Sign::kLessEqual : Sign::kEqual};
  }
  return {0, Sign::kEqual};
}

}  // namespace

void Parser::operand() {
  const char c = scan_.peek();
  if (is_digit(c) || (c == '.' && (is_digit(scan_.peek(1)) || scan_.rest().starts_with(".\\overline")))) {
    number();
    return;
  }
  if (is_letter(c)) {
    letters();
    return;
  }
  if (c == '\\') {
    command();
    return;
  }
  scan_.advance(1);
  switch (c) {
    case '(':
      return open(Frame::kParen);
    case '[':
      return open(Frame::kBracket);
    case ']':
      return open(Frame::kFrench);
    case '|':
      if (scan_.peek() == '|' && scan_.rest().find("||", 1) != std::string_view::npos && open_bars_ == 0) {
        scan_.advance(1);
        return open(Frame::kNorm);
      }
      return open(Frame::kBar);
    case '{': {
      const std::size_t place = scan_.place();
      scan_.skip_blanks();
      if (scan_.peek() == '}' && !in_strict()) {
        scan_.advance(1);
        return;
      }
      scan_.back_to(place);
      return open(Frame::kBrace);
    }
    case '-':
      if (in_strict()) {
        return strict(Frame::kSigned);
      }
      if (frames_.back().type == Frame::kPrefix && static_cast<Kind>(frames_.back().y) == Kind::kNegate) {
        frames_.pop_back();  // - - x is x
        return;
      }
      return prefix(Kind::kNegate, kTimesLevel);
    case '+':
      return;
    case '*':
      if (scan_.peek() == '*') {  // bold
        scan_.advance(1);
        return;
      }
      [[fallthrough]];
    default:
      return fail("a sign where a value is expected");
  }
}

void Parser::behind_operand() {
  const char c = scan_.peek();
  if (const auto [length, sign] = ascii_relation(scan_); length > 0) {
    scan_.advance(length);
    return relation(sign);
  }
  if (is_digit(c) || c == '.') {
    if (c == '.' && !is_digit(scan_.peek(1))) {  // a full stop
      scan_.advance(1);
      if (scan_.rest().find_first_not_of(" $\n.") != std::string_view::npos) {
        not_known("text behind a full stop");
      }
      return;
    }
    const int last = last_operand();
    if (expr_[last].kind == Kind::kNumber && frames_.back().precedence != kCallLevel) {
      return not_known("two numbers side by side");
    }
    return juxtapose();
  }
  if (is_letter(c)) {
    return bare_unit_or_product();
  }
  if (c == '\\') {
    return command_behind();
  }
  const Frame& group = frames_[static_cast<std::size_t>(group_at_top())];
  switch (c) {
    case '(':
      return juxtapose();
    case '{':
      return juxtapose();
    case '[':
      if ((group.role == Frame::kParen || group.role == Frame::kBracket || group.role == Frame::kFrench) &&
          group.separators == 1) {
        scan_.advance(1);
        return close('[');
      }
      return juxtapose();
    case '|':
      if (group.role == Frame::kSetBrace && !group.builder) {
        reduce(kCommaLevel);
        frames_.back().builder = true;
        scan_.advance(1);
        return separator();
      }
      if (group.role == Frame::kBar || group.role == Frame::kNorm) {
        const bool norm = group.role == Frame::kNorm;
        scan_.advance(norm && scan_.peek(1) == '|' ? 2 : 1);
        return close(norm ? 'N' : '|');
      }
      return juxtapose();
    default:
      break;
  }
  scan_.advance(1);
  switch (c) {
    case '+':
      if (scan_.peek() == '-') {  // +- in plain text
        scan_.advance(1);
        return binary(Kind::kPlusMinus, kAddLevel);
      }
      if (scan_.peek() == '/' && scan_.peek(1) == '-') {
        scan_.advance(2);
        return binary(Kind::kPlusMinus, kAddLevel);
      }
      return binary(Kind::kSum, kAddLevel);
    case '-':
      return binary(Kind::kSum, kAddLevel, 1);
    case '*':
      if (scan_.peek() == '*') {
        scan_.advance(1);
        if (!scan_.skip_blanks() && scan_.at_end()) {
          return;  // bold
        }
        return power();
      }
      return binary(Kind::kProduct, kTimesLevel);
    case '/':
      return binary(Kind::kDivide, kTimesLevel);
    case '^':
      return power();
    case '_':
      return subscript();
    case '!':
      return factorial();
    case '%':
      reduce(kTimesLevel);
      last_operand() = expr_.unary(Kind::kPercent, last_operand());
      return;
    case '\'':
      return symbol("'");
    case ':':
      if (group.role == Frame::kSetBrace) {
        reduce(kCommaLevel);
        frames_.back().builder = true;
        return separator();
      }
      reduce(kRatioLevel + 1);
      frames_.push_back({.type = Frame::kRatio, .precedence = kRatioLevel});
      expects_operand_ = true;
      return;
    case ',':
    case ';': {
      scan_.skip_blanks();
      const auto word = scan_.word();
      if (word == "and" || word == "or") {
        scan_.advance(word.size());
      }
      return separator();
    }
    case ')':
    case ']':
    case '}':
      return close(c);
    case '&':
    default:
      break;
  }
  if (c == '&' && group.role == Frame::kMatrixGroup) {
    return separator();
  }
  not_known("a sign that is not understood");
}

}  // namespace plumb::math
