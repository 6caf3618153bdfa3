#pragma once
// Recursive descent over the tokens of a Jinja program; used by parse_jinja() alone.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/jinja_lexer.h"
#include "tokenizer/jinja_syntax.h"

namespace plumb {

/// Thrown inside parser and interpreter, and caught before it leaves the room.
struct JinjaFailure {
  std::string message;
};

class JinjaParser {
 public:
  explicit JinjaParser(std::vector<JinjaToken> tokens) : tokens_(std::move(tokens)) {}
  /// Throws JinjaFailure with the line.
  std::unique_ptr<JinjaNode> parse_all();

 private:
  using Node = std::unique_ptr<JinjaNode>;

  // How deep brackets, blocks and operators nest; bounds the recursion here and in the interpreter.
  class Nesting {
   public:
    explicit Nesting(JinjaParser& parser) : parser_(parser) {
      constexpr int kMaxNesting = 150;
      if (++parser_.nesting_ > kMaxNesting) {
        parser_.fail("blocks or expressions nest more than " + std::to_string(kMaxNesting) + " deep");
      }
    }
    ~Nesting() { --parser_.nesting_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    JinjaParser& parser_;
  };

  [[nodiscard]] const JinjaToken& peek() const { return tokens_[at_]; }
  [[nodiscard]] Node make(JinjaNode::Kind kind, std::string text = {}) const;
  [[noreturn]] void fail(const std::string& what) const;
  [[nodiscard]] bool at_symbol(std::string_view text) const;
  [[nodiscard]] bool at_name(std::string_view text) const;
  bool take_symbol(std::string_view text);
  bool take_name(std::string_view text);
  void need_symbol(std::string_view text);
  std::string need_name();
  void need_close();

  Node body(std::initializer_list<std::string_view> ends);
  void end_block(std::string_view name);
  Node statement();
  Node if_statement();
  Node for_statement();
  Node set_statement();
  Node call_statement();
  Node filter_statement();
  Node with_statement();
  Node macro(std::string name);
  Node target();

  Node tuple() { return tuple_of(true); }
  Node tuple_of(bool with_condition);
  Node expression();
  template <typename Operand>
  Node flat_chain(JinjaNode::Kind kind, std::string_view word, const Operand& operand);
  template <typename Operand>
  Node left_chain(std::initializer_list<std::string_view> operators, const Operand& operand);
  Node either();
  Node both();
  Node negation();
  Node comparison();
  Node sum();
  Node concatenation();
  Node product();
  Node power();
  Node unary(bool with_filters);
  Node primary();
  Node number();
  Node brackets();
  Node dictionary();
  Node postfix(Node node);
  Node subscript(Node object);
  void arguments(JinjaNode& call);
  Node filters(Node subject, bool filters_only);
  Node filter_call(Node subject);
  Node test(Node subject);
  Node binary(std::string op, Node left, Node right);

  std::vector<JinjaToken> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
  int loops_ = 0;
};

}  // namespace plumb
