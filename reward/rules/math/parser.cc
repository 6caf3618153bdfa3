#include "reward/rules/math/parser.h"

#include <algorithm>

#include "reward/rules/math/caps.h"
#include "reward/rules/math/parser_state.h"

namespace plumb::math {

Parsed parse_answer(std::string_view text, const ParseOptions& options, Expr& arena) {
  if (text.size() > kMaxAnswerBytes) {
    return {-1, "it is longer than " + std::to_string(kMaxAnswerBytes) + " bytes", false, false};
  }
  return Parser(text, options, arena).run();
}

Parsed Parser::run() {
  frames_.push_back({.role = Frame::kRoot});
  while (error_.empty()) {
    const bool spaced = scan_.skip_blanks();
    if (scan_.at_end()) {
      break;
    }
    if (spaced) {
      last_digits_.clear();
    }
    if (expects_operand_) {
      operand();
    } else {
      behind_operand();
    }
  }
  if (error_.empty() && expects_operand_) {
    fail(operands_.empty() ? "it is empty" : "it ends where a value is expected");
  }
  reduce(kCommaLevel);
  if (error_.empty() && frames_.size() != 1) {
    fail("a bracket or an argument is not closed");
  }
  if (error_.empty()) {
    value(finish_group(frames_.back(), '\0'));
  }
  if (error_.empty() && !expr_.within_caps()) {
    not_known("it is nested too deeply or too large");
  }
  if (error_.empty() && operands_.empty()) {
    fail("a value is missing");
  }
  return {error_.empty() ? operands_.back() : -1, error_, malformed_ && !error_.empty(), thousands_};
}

void Parser::fail(const char* why) {
  if (error_.empty()) {
    error_ = why;
  }
}

void Parser::not_known(const char* why) {
  if (error_.empty()) {
    error_ = why;
    malformed_ = false;
  }
}

int& Parser::last_operand() {
  if (operands_.empty()) {
    fail("a value is missing");
    operands_.push_back(expr_.leaf(Kind::kImaginary));
  }
  return operands_.back();
}

int Parser::pop() {
  const int id = last_operand();
  operands_.pop_back();
  return id;
}

void Parser::value(int id) {
  operands_.push_back(id);
  expects_operand_ = false;
  deliver();
}

// Hands the finished operand to the arguments that wait for exactly one.
void Parser::deliver() {
  while (error_.empty() && !expects_operand_ && frames_.back().strict) {
    const Frame frame = frames_.back();
    frames_.pop_back();
    last_digits_.clear();
    finish_argument(frame, pop());
  }
}

void Parser::strict(Frame::Role role, std::uint8_t code, int x) {
  frames_.push_back({.type = Frame::kArgument, .role = role, .code = code, .strict = true, .x = x});
  expects_operand_ = true;
}

void Parser::prefix(Kind kind, int precedence, std::uint8_t code, int x) {
  Frame frame{.type = Frame::kPrefix, .code = code, .precedence = static_cast<std::uint8_t>(precedence), .x = x};
  frame.y = static_cast<int>(kind);
  frames_.push_back(frame);
  expects_operand_ = true;
}

void Parser::binary(Kind kind, int precedence, std::uint8_t code) {
  reduce(precedence);
  Frame frame{.type = Frame::kBinary, .code = code, .precedence = static_cast<std::uint8_t>(precedence)};
  frame.y = static_cast<int>(kind);
  frames_.push_back(frame);
  expects_operand_ = true;
}

// 1/2x is (1/2)x, as in computing: behind a slash a factor binds no tighter than the slash.
void Parser::juxtapose() {
  const Frame& top = frames_.back();
  const bool behind_slash = top.type == Frame::kBinary && static_cast<Kind>(top.y) == Kind::kDivide;
  binary(Kind::kProduct, behind_slash ? kTimesLevel : kJuxtaposeLevel);
}

void Parser::relation(Sign sign) {
  reduce(kRelationLevel + 1);
  frames_.push_back({.type = Frame::kRelation, .code = static_cast<std::uint8_t>(sign), .precedence = kRelationLevel});
  expects_operand_ = true;
}

void Parser::reduce(int precedence) {
  while (error_.empty() && frames_.back().type != Frame::kGroup && !frames_.back().strict &&
         frames_.back().precedence >= precedence) {
    reduce_one();
  }
}

void Parser::reduce_one() {
  const Frame frame = frames_.back();
  if (frame.type == Frame::kRelation || frame.type == Frame::kRatio) {
    reduce_chain(frame.type);
    return;
  }
  frames_.pop_back();
  const int right = pop();
  const auto kind = static_cast<Kind>(frame.y);
  if (frame.type == Frame::kArgument) {
    finish_argument(frame, right);
    deliver();
    return;
  }
  if (frame.type == Frame::kPrefix) {
    if (kind == Kind::kBigSum || kind == Kind::kBigProduct || kind == Kind::kIntegral) {
      Frame big = frame;
      big.y = frame.separators;
      big.code = static_cast<std::uint8_t>(kind);
      finish_big(big, right);
    } else if (kind == Kind::kQuantity) {
      const char* const currency = frame.code == 'e'   ? "euro"
                                   : frame.code == 'p' ? "sterling"
                                   : frame.code == 'y' ? "yen"
                                                       : "$";
      operands_.push_back(expr_.named(Kind::kQuantity, currency, right));
    } else if (kind == Kind::kDerivative) {
      operands_.push_back(expr_.binary(kind, right, frame.x));
    } else {
      operands_.push_back(expr_.unary(kind, right, frame.code));
    }
    return;
  }
  const int left = pop();
  if (kind == Kind::kPlusMinus) {
    operands_.push_back(expr_.binary(Kind::kSum, left, expr_.unary(kind, right, frame.code)));
  } else if (kind == Kind::kApply) {
    operands_.push_back(expr_.apply(Function::kBinomial, left, right));
  } else if (kind == Kind::kSum && frame.code == 1) {
    operands_.push_back(expr_.binary(kind, left, expr_.unary(Kind::kNegate, right)));
  } else {
    operands_.push_back(expr_.binary(kind, left, right));
  }
}

// All signs of a chain a < b <= c, or a ratio a : b : c, at once.
void Parser::reduce_chain(Frame::Type type) {
  std::vector<Sign> signs;
  std::vector<int> sides = {pop()};
  while (frames_.back().type == type) {
    signs.push_back(static_cast<Sign>(frames_.back().code));
    frames_.pop_back();
    sides.push_back(pop());
  }
  std::reverse(sides.begin(), sides.end());
  std::reverse(signs.begin(), signs.end());
  operands_.push_back(type == Frame::kRelation ? expr_.relation(sides, signs) : expr_.many(Kind::kRatio, sides));
}

void Parser::open(Frame::Role role) {
  Frame frame{.role = role};
  frame.base = static_cast<int>(operands_.size());
  frames_.push_back(frame);
  open_bars_ += role == Frame::kBar ? 1 : 0;
  expects_operand_ = true;
}

void Parser::separator() {
  reduce(kCommaLevel);
  if (frames_.back().type != Frame::kGroup) {
    fail("a comma inside an argument");
    return;
  }
  ++frames_.back().separators;
  expects_operand_ = true;
}

int Parser::group_at_top() const {
  for (std::size_t i = frames_.size(); i > 0; --i) {
    if (frames_[i - 1].type == Frame::kGroup) {
      return static_cast<int>(i - 1);
    }
  }
  return 0;
}

void Parser::close(char bracket) {
  reduce(kCommaLevel);
  const Frame frame = frames_.back();
  if (frame.type != Frame::kGroup || frame.role == Frame::kRoot) {
    fail("a closing bracket without an opening one");
    return;
  }
  frames_.pop_back();
  open_bars_ -= frame.role == Frame::kBar ? 1 : 0;
  last_digits_.clear();
  const int id = finish_group(frame, bracket);
  if (error_.empty()) {
    value(id);
  }
}

int Parser::interval_or_list(const Frame& frame, char bracket) {
  const std::vector<int> items(operands_.begin() + frame.base, operands_.end());
  operands_.resize(static_cast<std::size_t>(frame.base));
  const bool round = frame.role == Frame::kParen && bracket == ')';
  if (items.size() == 1) {
    // ((1, 2)) is (1, 2); [5] is 5, as \left[ 5 \right] is often written.
    const bool same = round || (frame.role == Frame::kBracket && bracket == ']');
    return same ? items[0] : (fail("brackets that do not match"), items[0]);
  }
  if (round || items.size() != 2) {
    return expr_.many(Kind::kTuple, items);
  }
  const int closed = (frame.role == Frame::kBracket ? 1 : 0) + (bracket == ']' ? 2 : 0);
  return expr_.binary(Kind::kInterval, items[0], items[1], static_cast<std::uint8_t>(closed));
}

int Parser::finish_group(const Frame& frame, char bracket) {
  const auto base = static_cast<std::size_t>(frame.base);
  if (operands_.size() != base + static_cast<std::size_t>(frame.separators) + 1 || expects_operand_) {
    fail("a value is missing between separators or brackets");
    return 0;
  }
  const bool matches = frame.role == Frame::kRoot ? bracket == '\0'
                       : frame.role == Frame::kParen || frame.role == Frame::kBracket || frame.role == Frame::kFrench
                           ? bracket == ')' || bracket == ']' || bracket == '['
                       : frame.role == Frame::kBrace      ? bracket == '}'
                       : frame.role == Frame::kSetBrace   ? bracket == 'S'
                       : frame.role == Frame::kBar        ? bracket == '|'
                       : frame.role == Frame::kFloor      ? bracket == 'F'
                       : frame.role == Frame::kCeil       ? bracket == 'C'
                       : frame.role == Frame::kNorm       ? bracket == 'N'
                       : frame.role == Frame::kAngle      ? bracket == '<'
                       : frame.role == Frame::kIndexGroup ? bracket == ']'
                                                          : bracket == 'M';
  if (!matches) {
    fail("brackets that do not match");
    return 0;
  }
  if (frame.role == Frame::kParen || frame.role == Frame::kBracket || frame.role == Frame::kFrench) {
    return interval_or_list(frame, bracket);
  }
  std::vector<int> items(operands_.begin() + frame.base, operands_.end());
  operands_.resize(base);
  switch (frame.role) {
    case Frame::kSetBrace:
      if (frame.builder && items.size() == 2) {
        return expr_.binary(Kind::kBuilder, items[0], items[1]);
      }
      return expr_.many(Kind::kSet, items);
    case Frame::kAngle:
      return expr_.many(Kind::kTuple, items);
    case Frame::kMatrixGroup: {
      const int rows = frame.stage + 1;
      if (static_cast<int>(items.size()) % rows != 0) {
        fail("a matrix with rows of different lengths");
        return 0;
      }
      const int id = frame.code == 'l' ? expr_.many(Kind::kList, items) : expr_.matrix(items, rows);
      return frame.code == 'v' ? expr_.apply(Function::kDet, id) : id;
    }
    default:
      break;
  }
  const int inside = items.size() == 1 ? items[0] : expr_.many(Kind::kList, items, frame.code);
  const bool wraps = frame.role == Frame::kBar || frame.role == Frame::kFloor || frame.role == Frame::kCeil ||
                     frame.role == Frame::kNorm;
  if (!wraps) {
    return inside;
  }
  return expr_.apply(frame.role == Frame::kFloor  ? Function::kFloor
                     : frame.role == Frame::kCeil ? Function::kCeil
                                                  : Function::kAbs,
                     inside);
}

}  // namespace plumb::math
