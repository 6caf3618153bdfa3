// Numbers, words and commands.

#include <algorithm>

#include "reward/rules/math/clean.h"
#include "reward/rules/math/parser_state.h"
#include "reward/rules/math/units.h"

namespace plumb::math {

namespace {

// sinx, lnx, sinxcosx: the length of the name of a function stuck to a single letter; 0: there is none.
std::size_t stuck_function(std::string_view run) {
  const auto names_function = [](std::string_view word) { return word_meaning(word).meaning == Meaning::kFunction; };
  for (const std::size_t length : {std::size_t{3}, std::size_t{2}}) {
    if (run.size() > length && names_function(run.substr(0, length))) {
      const auto behind_letter = run.substr(length + 1);
      if (behind_letter.empty() || names_function(behind_letter.substr(0, 3)) ||
          names_function(behind_letter.substr(0, 2)) || stuck_function(behind_letter) > 0) {
        return length;
      }
    }
  }
  return 0;
}

}  // namespace

void Parser::number() {
  if (in_strict() && is_digit(scan_.peek()) &&
      (frames_.back().role == Frame::kFraction || frames_.back().role == Frame::kBinomial)) {
    const NumberToken one = scan_.digit();
    value(expr_.number(one.value));
    return;
  }
  if (in_strict()) {  // x^10, \log_2 128: digits only, and no blank that groups them
    std::string all;
    int places = 0;
    for (bool point = false; is_digit(scan_.peek()) || (!point && scan_.peek() == '.' && is_digit(scan_.peek(1)));) {
      if (scan_.peek() == '.') {
        point = true;
      } else {
        all += scan_.peek();
        places += point ? 1 : 0;
      }
      scan_.advance(1);
    }
    value(expr_.number(Rational::from_digits(all, 10, static_cast<std::size_t>(places)),
                       places > 0 ? static_cast<int>(all.size()) : 0, places));
    return;
  }
  const Frame& group = frames_[static_cast<std::size_t>(group_at_top())];
  const bool commas = options_.thousands && (group.role == Frame::kRoot || spaced_commas_);
  auto token = scan_.number(commas);
  if (!token) {
    return fail("a number that is not complete");
  }
  thousands_ = thousands_ || token->thousands;
  const bool whole = token->digits == 0 && token->value.is_integer() && token->exponent.empty();
  if (whole) {
    const bool plain = scan_.peek() == ' ';
    if (const auto part = scan_.proper_fraction(plain)) {
      fmpq_add(token->value.get(), token->value.get(), part->get());
      value(expr_.number(std::move(token->value)));
      return;
    }
  }
  // Digits that go on with capitals and a subscript: 2A_{16}.
  const auto word = scan_.word();
  const char behind = scan_.peek(word.size());
  if (whole && !word.empty() && behind == '_' &&
      std::all_of(word.begin(), word.end(), [](char c) { return c <= 'Z'; })) {
    last_digits_ = token->whole + std::string(word);
    scan_.advance(word.size());
    operands_.push_back(expr_.number(Rational(0)));
    expects_operand_ = false;
    return;
  }
  const std::string digits = token->whole;
  int id = expr_.number(std::move(token->value), token->digits, token->places);
  if (!token->exponent.empty()) {
    const int exponent =
        token->exponent[0] == '-'
            ? expr_.unary(Kind::kNegate, expr_.number(Rational::from_digits(token->exponent.substr(1), 10, 0)))
            : expr_.number(Rational::from_digits(token->exponent, 10, 0));
    id = expr_.binary(Kind::kProduct, id, expr_.binary(Kind::kPower, expr_.integer(10), exponent));
  }
  value(id);
  if (!expects_operand_) {
    last_digits_ = digits;
  }
}

void Parser::symbol(std::string name) {
  if (name == "'") {
    const int top = last_operand();
    if (expr_[top].kind != Kind::kSymbol) {
      return fail("a prime behind something that is no symbol");
    }
    last_operand() = expr_.named(Kind::kSymbol, expr_.name(top) + "'");
    return;
  }
  if (named_call(name)) {
    return;
  }
  if (name == "e") {
    return value(expr_.leaf(Kind::kEuler));
  }
  if (name == "i") {
    return value(expr_.leaf(Kind::kImaginary));
  }
  value(expr_.named(Kind::kSymbol, name));
}

// f(x): f, g and h before a bracket are functions; every other letter is a factor.
bool Parser::named_call(const std::string& name) {
  if (name != "f" && name != "g" && name != "h") {
    return false;
  }
  const std::size_t place = scan_.place();
  scan_.skip_blanks();
  const bool call = scan_.peek() == '(' && !in_strict();
  scan_.back_to(place);
  if (call) {
    strict(Frame::kCallArgument, static_cast<std::uint8_t>(Function::kCall), expr_.named(Kind::kSymbol, name));
  }
  return call;
}

void Parser::letters() {
  const auto run = scan_.word();
  if (run.size() >= 2 && !in_strict()) {
    const char behind = scan_.peek(run.size());
    if (behind == '_' && std::all_of(run.begin(), run.end(), [](char c) { return c >= 'A' && c <= 'F'; })) {
      last_digits_ = std::string(run);
      scan_.advance(run.size());
      operands_.push_back(expr_.number(Rational(0)));
      expects_operand_ = false;
      return;
    }
    if (const Name name = word_meaning(run); name.meaning != Meaning::kUnknown) {
      scan_.advance(run.size());
      return meaning(name, run, true);
    }
    if (const std::size_t length = stuck_function(run); length > 0) {
      scan_.advance(length);
      return meaning(word_meaning(run.substr(0, length)), run.substr(0, length), true);
    }
  }
  if (in_strict() && run.size() >= 2) {
    if (const Name name = word_meaning(run); name.meaning == Meaning::kConstant) {
      scan_.advance(run.size());
      return meaning(name, run, true);
    }
  }
  scan_.advance(1);
  symbol(std::string(run.substr(0, 1)));
}

// min and sec are functions as well, and PM and AM may be two factors: behind a number and at the end they are units.
bool Parser::is_last_unit(std::string_view run, bool spaced) const {
  const bool time = run == "min" || run == "sec";
  const bool half_day = spaced && (run == "AM" || run == "PM" || run == "am" || run == "pm");
  return (time || half_day) &&
         trimmed(scan_.rest().substr(run.size())).find_first_not_of('.') == std::string_view::npos;
}

// Letters behind a value: a unit, a word that connects, or one more factor.
void Parser::bare_unit_or_product() {
  const auto run = scan_.word();
  const Name name = word_meaning(run);
  if (name.meaning == Meaning::kAnd || name.meaning == Meaning::kModulo || name.meaning == Meaning::kUnion) {
    scan_.advance(run.size());
    return meaning(name, run, false);
  }
  const int top = last_operand();
  const Kind kind = expr_[top].kind;
  const bool behind_value = kind != Kind::kSymbol && kind != Kind::kEuler && kind != Kind::kImaginary;
  const bool spaced = scan_.place() > 0 && is_blank(scan_.previous());
  if (run == "to" && spaced) {  // 3 to 2
    scan_.advance(run.size());
    reduce(kRatioLevel + 1);
    frames_.push_back({.type = Frame::kRatio, .precedence = kRatioLevel});
    expects_operand_ = true;
    return;
  }
  const bool unit_word = run == "percent" || is_unit_word(run) || (spaced && (run == "sq" || run == "cu"));
  const bool thing = spaced && run.size() >= 3 && run != "xyz" && run != "abc";
  const bool unknown = name.meaning == Meaning::kUnknown && run.size() >= 2 && (unit_word || thing);
  const bool word = behind_value && (unknown || is_last_unit(run, spaced));
  if (word && frames_[static_cast<std::size_t>(group_at_top())].role == Frame::kRoot) {
    return unit(scan_.unit_words());
  }
  if (name.meaning == Meaning::kFunction || stuck_function(run) > 0) {
    reduce(kCallLevel);  // as in \\sin x \\cos x: a factor of its own, not of the argument
  }
  juxtapose();
}

void Parser::unit(std::string_view words) {
  const auto text = trimmed(words);
  if (text.empty()) {
    return;
  }
  if (text == "percent" || text == "per cent" || text == "pct") {
    reduce(kTimesLevel);
    last_operand() = expr_.unary(Kind::kPercent, last_operand());
    return;
  }
  reduce(kAddLevel);
  last_operand() = expr_.named(Kind::kQuantity, std::string(text), last_operand());
}

void Parser::meaning(Name name, std::string_view spelled, bool expects) {
  const bool infix = name.meaning == Meaning::kTimes || name.meaning == Meaning::kOver ||
                     name.meaning == Meaning::kRelation || name.meaning == Meaning::kUnion ||
                     name.meaning == Meaning::kIntersection || name.meaning == Meaning::kDifference ||
                     name.meaning == Meaning::kModulo || name.meaning == Meaning::kAnd ||
                     name.meaning == Meaning::kPmod;
  if (infix && expects) {
    return fail("a sign between values stands where a value is expected");
  }
  switch (name.meaning) {
    case Meaning::kTimes:
      return binary(Kind::kProduct, kTimesLevel);
    case Meaning::kOver:  // \div; {a + b \over c} and {n \choose k} take all of their group
      return name.code == 'c'   ? binary(Kind::kApply, kRatioLevel)
             : name.code == 'o' ? binary(Kind::kDivide, kRatioLevel)
                                : binary(Kind::kDivide, kTimesLevel);
    case Meaning::kRelation:
      return relation(static_cast<Sign>(name.code));
    case Meaning::kUnion:
      return binary(Kind::kUnion, kSetLevel);
    case Meaning::kIntersection:
      return binary(Kind::kIntersection, kSetLevel);
    case Meaning::kDifference:
      return binary(Kind::kDifference, kSetLevel);
    case Meaning::kModulo:
      return binary(Kind::kModulo, kTimesLevel);
    case Meaning::kAnd: {
      separator();
      Frame& group = frames_.back();
      const bool either = spelled == "or" || spelled == "lor" || spelled == "vee";
      if (either && (group.role == Frame::kRoot || group.role == Frame::kBrace)) {
        group.code = kJoinedByOr;
      }
      return;
    }
    case Meaning::kPmod: {
      const auto modulus = scan_.argument();
      const auto digits = trimmed(modulus.value_or(""));
      if (digits.empty() || digits.size() > 18 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
        return not_known("a modulus that is no number");
      }
      reduce(kRelationLevel);
      const int by = expr_.number(Rational::from_digits(std::string(digits), 10, 0));
      last_operand() = expr_.binary(Kind::kCongruence, last_operand(), by);
      return;
    }
    case Meaning::kPlusMinus:
      return expects ? prefix(Kind::kPlusMinus, kTimesLevel, name.code)
                     : binary(Kind::kPlusMinus, kAddLevel, name.code);
    case Meaning::kConstant:
      return value(expr_.leaf(static_cast<Kind>(name.code)));
    case Meaning::kNamedSet:
      return value(expr_.leaf(Kind::kNamedSet, name.code));
    case Meaning::kSymbol:
      return symbol(std::string(spelled));
    case Meaning::kFunction:
      return function(static_cast<Function>(name.code));
    case Meaning::kFraction:
      return strict(Frame::kFraction);
    case Meaning::kBinomial:
      return strict(Frame::kBinomial);
    case Meaning::kRoot:
      scan_.skip_blanks();
      if (name.code == 2 && scan_.take("[")) {
        frames_.push_back({.type = Frame::kArgument, .role = Frame::kRootArgument, .strict = true, .stage = 1});
        return open(Frame::kIndexGroup);
      }
      return strict(Frame::kRootArgument, name.code);
    case Meaning::kBig:
      prefix(static_cast<Kind>(name.code), kBigLevel);
      frames_.back().separators = -1;  // of a big operator: the node of its upper bound
      return finish_big_bounds();
    default:
      return not_known("a command that is not understood");
  }
}

void Parser::function(Function function) {
  Frame frame{.type = Frame::kArgument,
              .role = Frame::kCallArgument,
              .code = static_cast<std::uint8_t>(function),
              .precedence = kCallLevel};
  frames_.push_back(frame);
  expects_operand_ = true;
  call_modifiers();
}

// Behind a function's name: an exponent, a base, then the argument: a bracket, or everything that is multiplied on.
void Parser::call_modifiers() {
  scan_.skip_blanks();
  const bool logarithm = static_cast<Function>(frames_.back().code) == Function::kLog;
  if (scan_.peek() == '^' && frames_.back().x < 0) {
    scan_.advance(1);
    return strict(Frame::kCallPower);
  }
  if (scan_.peek() == '_' && logarithm && frames_.back().y < 0) {
    scan_.advance(1);
    return strict(Frame::kCallBase);
  }
  const auto open = command_meaning(scan_.command());
  const char c = scan_.peek();
  frames_.back().strict = c == '(' || c == '{' || c == '[' || c == '|' || open.meaning == Meaning::kOpen;
}

void Parser::command() {
  const auto name = scan_.command();
  if (name.empty()) {
    const char c = scan_.peek(1);
    if (c == '{') {
      scan_.advance(2);
      scan_.skip_blanks();
      if (scan_.take("\\}")) {
        return value(expr_.leaf(Kind::kNamedSet, 0));
      }
      return open(Frame::kSetBrace);
    }
    if (c == '|') {
      scan_.advance(2);
      return open(Frame::kNorm);
    }
    if (c == '$') {
      scan_.advance(2);
      return prefix(Kind::kQuantity, kAddLevel, '$');
    }
    return not_known("a command that is not understood");
  }
  const Name found = command_meaning(name);
  scan_.advance(name.size() + 1);
  switch (found.meaning) {
    case Meaning::kText:
      return text_argument(name, true);
    case Meaning::kBoxed:
      scan_.skip_blanks();
      return;
    case Meaning::kOverline:
      return;
    case Meaning::kBlackboard: {
      const auto letter = trimmed(scan_.argument().value_or(""));
      return letter.size() == 1 ? value(expr_.leaf(Kind::kNamedSet, static_cast<std::uint8_t>(letter[0])))
                                : not_known("a set that is not known");
    }
    case Meaning::kOpen:
      return open(found.code == 'F'   ? Frame::kFloor
                  : found.code == 'C' ? Frame::kCeil
                  : found.code == 'N' ? Frame::kNorm
                  : found.code == '|' ? Frame::kBar
                  : found.code == '<' ? Frame::kAngle
                  : found.code == '{' ? Frame::kSetBrace
                  : found.code == '[' ? Frame::kBracket
                                      : Frame::kParen);
    case Meaning::kBar:
      return open(Frame::kBar);
    case Meaning::kBegin:
      return begin_environment();
    case Meaning::kCurrency:
      return prefix(Kind::kQuantity, kAddLevel, found.code);
    default:
      return meaning(found, name, true);
  }
}

void Parser::command_behind() {
  const auto name = scan_.command();
  if (name.empty()) {
    const char c = scan_.peek(1);
    scan_.advance(2);
    switch (c) {
      case '\\': {
        reduce(kCommaLevel);
        if (frames_.back().role != Frame::kMatrixGroup) {
          return separator();
        }
        if (scan_.peek() == '[') {  // \\[2pt]
          const std::size_t length = scan_.rest().find(']');
          scan_.advance(length == std::string_view::npos ? 0 : length + 1);
        }
        scan_.skip_blanks();
        if (scan_.command() == "end") {
          return;  // a last line that is ended
        }
        ++frames_.back().stage;
        return separator();
      }
      case '}':
        return close('S');
      case '%':
        reduce(kTimesLevel);
        last_operand() = expr_.unary(Kind::kPercent, last_operand());
        return;
      case '|':
        return close('N');
      case '{':
        scan_.back_to(scan_.place() - 2);
        return juxtapose();
      case '$':
        return unit("$");
      default:
        return not_known("a command that is not understood");
    }
  }
  const Name found = command_meaning(name);
  const std::size_t length = name.size() + 1;
  switch (found.meaning) {
    case Meaning::kText:
      scan_.advance(length);
      return text_argument(name, false);
    case Meaning::kClose:
      scan_.advance(length);
      return close(found.code == '{'   ? 'S'
                   : found.code == '[' ? ']'
                   : found.code == '(' ? ')'
                                       : static_cast<char>(found.code));
    case Meaning::kBar:
      scan_.advance(length);
      if (frames_[static_cast<std::size_t>(group_at_top())].role == Frame::kSetBrace) {
        reduce(kCommaLevel);
        frames_.back().builder = true;
        return separator();
      }
      return close('|');
    case Meaning::kEnd:
      scan_.advance(length);
      return end_environment();
    case Meaning::kCircle:
      scan_.advance(length);
      last_operand() = expr_.named(Kind::kQuantity, "degree", last_operand());
      return;
    case Meaning::kPrime:
      scan_.advance(length);
      return symbol("'");
    case Meaning::kCurrency:
      scan_.advance(length);
      return unit(found.code == 'e' ? "euro" : found.code == 'p' ? "sterling" : "yen");
    case Meaning::kTimes:
    case Meaning::kOver:
    case Meaning::kRelation:
    case Meaning::kUnion:
    case Meaning::kIntersection:
    case Meaning::kDifference:
    case Meaning::kModulo:
    case Meaning::kPmod:
    case Meaning::kAnd:
    case Meaning::kPlusMinus:
      scan_.advance(length);
      return meaning(found, name, false);
    case Meaning::kFunction:
      // sin x cos x: a function behind a function's argument is a factor of its own.
      reduce(kCallLevel);
      return juxtapose();
    case Meaning::kDots:
    case Meaning::kUnknown:
    case Meaning::kUnsupported:
      return not_known("a command that is not understood");
    default:
      return juxtapose();
  }
}

}  // namespace plumb::math
