// Arguments that have arrived: fractions, roots, powers, subscripts, functions, sums.

#include <algorithm>

#include "reward/rules/math/clean.h"
#include "reward/rules/math/parser_state.h"

namespace plumb::math {

void Parser::power() {
  const std::size_t place = scan_.place();
  scan_.skip_blanks();
  std::string_view exponent = scan_.rest();
  const bool braced = exponent.starts_with('{');
  exponent =
      braced ? trimmed(exponent.substr(1, exponent.find('}') == std::string_view::npos ? 0 : exponent.find('}') - 1))
             : exponent;
  for (const auto mark : {"\\circ", "\\prime", "\\top", "\\intercal", "'"}) {
    const std::string_view name(mark);
    if (!(braced ? exponent == name : exponent.starts_with(name))) {
      continue;
    }
    scan_.argument();
    if (name == "\\circ") {
      return degree();
    }
    if (name == "\\prime" || name == "'") {
      return symbol("'");
    }
    last_operand() = expr_.apply(Function::kTranspose, last_operand());
    return;
  }
  scan_.back_to(place);
  last_digits_.clear();
  const int base = pop();
  const bool transposed =
      expr_[base].kind == Kind::kMatrix && (exponent == "T" || (!braced && exponent.starts_with('T')));
  if (transposed) {
    scan_.skip_blanks();
    scan_.argument();
    return value(expr_.apply(Function::kTranspose, base));
  }
  strict(Frame::kPower, 0, base);
}

// 90^\circ is an angle, 20^\circ C a temperature.
void Parser::degree() {
  const std::size_t place = scan_.place();
  scan_.skip_blanks();
  std::string_view scale;
  const auto command = scan_.command();
  if (scan_.peek() == 'C' || scan_.peek() == 'F') {
    scale = scan_.rest().substr(0, 1);
    scan_.advance(1);
  } else if (!command.empty() && command_meaning(command).meaning == Meaning::kText) {
    scan_.advance(command.size() + 1);
    scale = trimmed(scan_.argument().value_or(""));
  }
  if (scale != "C" && scale != "F") {
    scan_.back_to(place);
    last_operand() = expr_.named(Kind::kQuantity, "degree", last_operand());
    return;
  }
  unit(scale == "C" ? "celsius" : "fahrenheit");
}

void Parser::subscript() {
  scan_.skip_blanks();
  const std::string digits = std::exchange(last_digits_, "");
  const auto written = scan_.argument();
  if (!written) {
    return fail("a subscript is missing");
  }
  std::string content(trimmed(*written));
  for (const std::string_view dress : {"\\text", "\\mathrm", "\\textrm"}) {
    if (content.starts_with(dress)) {
      content = content.substr(dress.size());
    }
  }
  content.erase(std::remove_if(content.begin(), content.end(), [](char c) { return c == '{' || c == '}' || c == ' '; }),
                content.end());
  if (!digits.empty()) {
    const bool number =
        !content.empty() && content.size() <= 2 && std::all_of(content.begin(), content.end(), is_digit);
    const int base = number ? std::stoi(content) : 0;
    const auto digit_value = [](char c) { return is_digit(c) ? c - '0' : c <= 'Z' ? c - 'A' + 10 : c - 'a' + 10; };
    if (base < 2 || base > 36 ||
        !std::all_of(digits.begin(), digits.end(), [&](char c) { return digit_value(c) < base; })) {
      return fail("a digit that its base does not have");
    }
    const int id = expr_.number(Rational::from_digits(digits, base, 0));
    last_operand() = base == 10 ? id : expr_.unary(Kind::kBased, id);
    return;
  }
  const int top = last_operand();
  if (expr_[top].kind != Kind::kSymbol && expr_[top].kind != Kind::kEuler && expr_[top].kind != Kind::kImaginary) {
    return not_known("a subscript behind something that has none");
  }
  const std::string name = expr_[top].kind == Kind::kSymbol  ? expr_.name(top)
                           : expr_[top].kind == Kind::kEuler ? "e"
                                                             : "i";
  last_operand() = expr_.named(Kind::kSymbol, name + "_" + content);
}

void Parser::factorial() {
  const bool twice = scan_.take("!");
  if (twice && scan_.peek() == '!') {
    return not_known("a factorial of a factorial of a factorial");
  }
  last_operand() = expr_.unary(twice ? Kind::kDoubleFactorial : Kind::kFactorial, last_operand());
}

// d/dx before a function.
bool Parser::take_derivative(int numerator, int denominator) {
  const Node& below = expr_[denominator];
  const auto is_d = [&](int id) { return expr_[id].kind == Kind::kSymbol && expr_.name(id) == "d"; };
  if (!is_d(numerator) || below.kind != Kind::kProduct || !is_d(below.a) || expr_[below.b].kind != Kind::kSymbol) {
    return false;
  }
  prefix(Kind::kDerivative, kBigLevel, 0, below.b);
  return true;
}

void Parser::finish_argument(Frame frame, int id) {
  switch (frame.role) {
    case Frame::kFraction:
    case Frame::kBinomial:
      if (frame.stage == 0) {
        frame.stage = 1;
        frame.x = id;
        frames_.push_back(frame);
        expects_operand_ = true;
        return;
      }
      if (frame.role == Frame::kFraction && take_derivative(frame.x, id)) {
        return;
      }
      operands_.push_back(frame.role == Frame::kFraction ? expr_.binary(Kind::kDivide, frame.x, id)
                                                         : expr_.apply(Function::kBinomial, frame.x, id));
      expects_operand_ = false;
      return;
    case Frame::kRootArgument:
      if (frame.stage == 1) {  // the index of \sqrt[n]
        return strict(Frame::kRootArgument, 0, id);
      }
      operands_.push_back(expr_.binary(Kind::kRoot, frame.x >= 0 ? frame.x : expr_.integer(frame.code), id));
      expects_operand_ = false;
      return;
    case Frame::kSigned:
      operands_.push_back(expr_.unary(Kind::kNegate, id));
      expects_operand_ = false;
      return;
    case Frame::kPower:
      operands_.push_back(expr_.binary(Kind::kPower, frame.x, id));
      expects_operand_ = false;
      return;
    case Frame::kCallPower:
      frames_.back().x = id;
      expects_operand_ = true;
      return call_modifiers();
    case Frame::kCallBase:
      frames_.back().y = id;
      expects_operand_ = true;
      return call_modifiers();
    case Frame::kCallArgument:
      finish_call(frame, id);
      expects_operand_ = false;
      return;
    case Frame::kLower:
    case Frame::kUpper:
      (frame.role == Frame::kLower ? frames_.back().x : frames_.back().separators) = id;
      expects_operand_ = true;
      return finish_big_bounds();
    default:
      return fail("an argument without a place");
  }
}

void Parser::finish_call(const Frame& frame, int argument) {
  auto function = static_cast<Function>(frame.code);
  if (function == Function::kCall) {
    operands_.push_back(expr_.named_call(expr_.name(frame.x), argument));
    return;
  }
  const bool inverse = frame.x >= 0 && expr_[frame.x].kind == Kind::kNegate &&
                       expr_[expr_[frame.x].a].kind == Kind::kNumber && expr_.value(expr_[frame.x].a).is_one();
  const int offset = static_cast<int>(Function::kAsin) - static_cast<int>(Function::kSin);
  if (inverse && function <= Function::kCsc) {
    function = static_cast<Function>(static_cast<int>(function) + offset);
  }
  const Node& node = expr_[argument];
  int result = -1;
  if (node.kind == Kind::kTuple && function != Function::kDet && function != Function::kTranspose) {
    const bool pair = function == Function::kBinomial;
    if (pair && node.count != 2) {
      return not_known("a binomial of other than two numbers");
    }
    result =
        pair ? expr_.apply(function, expr_.kid(argument, 0), expr_.kid(argument, 1)) : expr_.apply(function, argument);
  } else {
    result = expr_.apply(function, argument, frame.y);
  }
  if (frame.x >= 0 && !(inverse && static_cast<Function>(frame.code) <= Function::kCsc)) {
    result = expr_.binary(Kind::kPower, result, frame.x);
  }
  operands_.push_back(result);
}

// The bounds of a sum, product or integral, in any order, before its body.
void Parser::finish_big_bounds() {
  scan_.skip_blanks();
  Frame& big = frames_.back();
  if (scan_.peek() == '_' && big.x < 0) {
    scan_.advance(1);
    return strict(Frame::kLower);
  }
  if (scan_.peek() == '^' && big.separators < 0) {
    scan_.advance(1);
    return strict(Frame::kUpper);
  }
}

void Parser::finish_big(const Frame& frame, int body) {
  const auto kind = static_cast<Kind>(frame.code);
  const int lower = frame.x;
  const int upper = frame.y;
  if (kind == Kind::kIntegral) {
    // body dx
    const Node& top = expr_[body];
    const auto is_d = [&](int id) { return expr_[id].kind == Kind::kSymbol && expr_.name(id) == "d"; };
    if (top.kind != Kind::kProduct || expr_[top.b].kind != Kind::kSymbol || lower < 0 || upper < 0) {
      return not_known("an integral without bounds or without dx");
    }
    const int variable = top.b;
    const Node inner = expr_[top.a];
    const int integrand = is_d(top.a) ? expr_.integer(1) : inner.kind == Kind::kProduct && is_d(inner.b) ? inner.a : -1;
    if (integrand < 0) {
      return not_known("an integral without dx");
    }
    operands_.push_back(expr_.many(kind, {variable, lower, upper, integrand}));
    return;
  }
  const bool bound = lower >= 0 && expr_[lower].kind == Kind::kRelation && expr_[lower].count == 2 &&
                     expr_.sign(lower, 0) == Sign::kEqual && upper >= 0;
  const int variable = bound ? expr_.kid(lower, 0) : -1;
  if (!bound || (expr_[variable].kind != Kind::kSymbol && expr_[variable].kind != Kind::kImaginary)) {
    return not_known("a sum or product without bounds");
  }
  operands_.push_back(expr_.many(kind, {variable, expr_.kid(lower, 1), upper, body}));
}

}  // namespace plumb::math
