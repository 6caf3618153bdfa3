#pragma once
// The stacks of the parser. Only parser*.cc include this.

#include <string>
#include <string_view>
#include <vector>

#include "reward/rules/math/expr.h"
#include "reward/rules/math/parser.h"
#include "reward/rules/math/scanner.h"

namespace plumb::math {

// How tightly things bind, loosest first.
enum Precedence : int {
  kGroupLevel = 0,
  kCommaLevel = 1,
  kRelationLevel = 3,
  kRatioLevel = 4,
  kSetLevel = 5,
  kAddLevel = 6,
  kBigLevel = 7,
  kTimesLevel = 8,
  kCallLevel = 9,
  kJuxtaposeLevel = 10,
};

// What waits for operands. A group waits for its closing bracket; a strict one for exactly one operand.
struct Frame {
  enum Type : std::uint8_t { kGroup, kBinary, kPrefix, kRelation, kRatio, kArgument };
  enum Role : std::uint8_t {
    kNone,
    kRoot,
    kParen,
    kBracket,
    kFrench,
    kBrace,
    kSetBrace,
    kBar,
    kFloor,
    kCeil,
    kNorm,
    kAngle,
    kIndexGroup,
    kMatrixGroup,
    kFraction,
    kBinomial,
    kRootArgument,
    kPower,
    kCallPower,
    kCallBase,
    kCallArgument,
    kLower,
    kUpper,
    kSigned,
  };
  Type type = kGroup;
  Role role = kNone;
  std::uint8_t code = 0;
  std::uint8_t precedence = 0;
  bool strict = false;
  bool builder = false;    // a set with a condition
  std::int32_t stage = 0;  // arguments taken; rows of a matrix
  std::int32_t x = -1;     // arguments, or the base of a power
  std::int32_t y = -1;
  std::int32_t base = 0;  // height of the operand stack at the start of a group
  std::int32_t separators = 0;
};

class Parser {
 public:
  Parser(std::string_view text, const ParseOptions& options, Expr& arena)
      : scan_(text), options_(options), expr_(arena), spaced_commas_(text.find(", ") != std::string_view::npos) {}
  Parsed run();

 private:
  // parser.cc: the loop, groups and reductions
  void operand();
  void behind_operand();
  void value(int id);
  void deliver();
  void open(Frame::Role role);
  void close(char bracket);
  void close_bar();
  void separator();
  void reduce(int precedence);
  void reduce_one();
  void reduce_chain(Frame::Type type);
  int finish_group(const Frame& frame, char bracket);
  int interval_or_list(const Frame& frame, char bracket);
  void binary(Kind kind, int precedence, std::uint8_t code = 0);
  void juxtapose();
  void relation(Sign sign);
  void prefix(Kind kind, int precedence, std::uint8_t code = 0, int x = -1);
  void strict(Frame::Role role, std::uint8_t code = 0, int x = -1);
  bool in_strict() const { return frames_.back().strict; }
  int& last_operand();  // a placeholder, and a failure, where there is none
  int pop();
  void fail(const char* why);       // a text that means nothing
  void not_known(const char* why);  // a text that may mean something
  int group_at_top() const;

  // parser_words.cc: numbers, words, commands
  void number();
  void letters();
  [[nodiscard]] bool is_last_unit(std::string_view run, bool spaced) const;
  void bare_unit_or_product();
  void meaning(Name name, std::string_view spelled, bool expects);
  void command();
  void command_behind();
  void text_argument(std::string_view command, bool expects);
  void text_value(std::string_view content);
  void unit(std::string_view words);
  void function(Function function);
  void begin_environment();
  void end_environment();
  void symbol(std::string name);
  bool named_call(const std::string& name);

  // parser_postfix.cc: powers, subscripts, signs behind an operand
  void power();
  void subscript();
  void factorial();
  void finish_argument(Frame frame, int id);
  void finish_call(const Frame& frame, int argument);
  void finish_big(const Frame& frame, int body);
  void finish_big_bounds();
  void call_modifiers();
  void degree();
  bool take_derivative(int numerator, int denominator);

  Scanner scan_;
  ParseOptions options_;
  Expr& expr_;
  std::vector<int> operands_;
  std::vector<Frame> frames_;
  bool expects_operand_ = true;
  bool spaced_commas_;
  std::string last_digits_;  // of the operand on top, if it was written as a plain integer
  std::string error_;
  bool malformed_ = true;
  bool thousands_ = false;
  int open_bars_ = 0;
};

}  // namespace plumb::math
