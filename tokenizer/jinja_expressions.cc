// Expressions of JinjaParser, from the weakest operator to the strongest, in Jinja's own order.

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

#include "tokenizer/jinja_parser.h"

namespace plumb {

using Kind = JinjaNode::Kind;
using Constant = JinjaNode::Constant;
using Node = std::unique_ptr<JinjaNode>;

Node JinjaParser::binary(std::string op, Node left, Node right) {
  Node node = make(Kind::kBinary, std::move(op));
  node->children.push_back(std::move(left));
  node->children.push_back(std::move(right));
  return node;
}

// One expression, or several with commas between.
Node JinjaParser::tuple_of(bool with_condition) {
  const auto one = [&] { return with_condition ? expression() : either(); };
  Node first = one();
  if (!at_symbol(",")) {
    return first;
  }
  Node node = make(Kind::kTuple);
  node->children.push_back(std::move(first));
  while (take_symbol(",") && peek().kind != JinjaToken::Kind::kClose) {
    node->children.push_back(one());
  }
  return node;
}

Node JinjaParser::expression() {
  const Nesting nesting(*this);
  Node value = either();
  while (take_name("if")) {
    Node node = make(Kind::kCondition);
    node->children.push_back(std::move(value));
    node->children.push_back(either());
    if (take_name("else")) {
      node->children.push_back(expression());
    }
    value = std::move(node);
  }
  return value;
}

// One node for all operands of "or", one for those of "and".
template <typename Operand>
Node JinjaParser::flat_chain(Kind kind, std::string_view word, const Operand& operand) {
  Node left = operand();
  if (!at_name(word)) {
    return left;
  }
  Node node = make(kind);
  node->children.push_back(std::move(left));
  while (take_name(word)) {
    node->children.push_back(operand());
  }
  return node;
}

// Chains of operators become trees that lean to the left, so that their length counts as depth.
template <typename Operand>
Node JinjaParser::left_chain(std::initializer_list<std::string_view> operators, const Operand& operand) {
  Node left = operand();
  const auto at_one = [&] { return std::ranges::any_of(operators, [&](auto one) { return at_symbol(one); }); };
  for (int length = 0; at_one(); ++length) {
    if (length > 250) {
      fail("more than 250 operators stand in a row");
    }
    std::string op = tokens_[at_++].text;
    left = binary(std::move(op), std::move(left), operand());
  }
  return left;
}

Node JinjaParser::either() {
  return flat_chain(Kind::kOr, "or", [this] { return both(); });
}

Node JinjaParser::both() {
  return flat_chain(Kind::kAnd, "and", [this] { return negation(); });
}

Node JinjaParser::negation() {
  if (!take_name("not")) {
    return comparison();
  }
  const Nesting nesting(*this);
  Node node = make(Kind::kNot);
  node->children.push_back(negation());
  return node;
}

Node JinjaParser::comparison() {
  constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<", ">", "<=", ">="};
  Node left = sum();
  Node node;
  while (true) {
    std::string op;
    for (const std::string_view candidate : kOperators) {
      if (op.empty() && take_symbol(candidate)) {
        op = candidate;
      }
    }
    if (op.empty() && take_name("in")) {
      op = "in";
    }
    if (op.empty() && at_name("not") && tokens_[at_ + 1].kind == JinjaToken::Kind::kName &&
        tokens_[at_ + 1].text == "in") {
      at_ += 2;
      op = "not in";
    }
    if (op.empty()) {
      return node ? std::move(node) : std::move(left);
    }
    if (!node) {
      node = make(Kind::kCompare);
      node->children.push_back(std::move(left));
    }
    node->operators.push_back(op);
    node->children.push_back(sum());
  }
}

// Chains of operators become trees that lean to the left, so their length counts as depth.
Node JinjaParser::sum() {
  return left_chain({"+", "-"}, [this] { return concatenation(); });
}

Node JinjaParser::concatenation() {
  Node left = product();
  if (!at_symbol("~")) {
    return left;
  }
  Node node = make(Kind::kBinary, "~");
  node->children.push_back(std::move(left));
  while (take_symbol("~")) {
    node->children.push_back(product());
  }
  return node;
}

Node JinjaParser::product() {
  return left_chain({"*", "/", "//", "%"}, [this] { return power(); });
}

Node JinjaParser::power() {
  return left_chain({"**"}, [this] { return unary(true); });
}

Node JinjaParser::unary(bool with_filters) {
  const Nesting nesting(*this);
  Node node;
  if (at_symbol("-") || at_symbol("+")) {
    node = make(Kind::kUnary, tokens_[at_++].text);
    node->children.push_back(unary(false));
  } else {
    node = primary();
  }
  node = postfix(std::move(node));
  return with_filters ? filters(std::move(node), false) : std::move(node);
}

Node JinjaParser::primary() {
  const JinjaToken token = peek();
  if (token.kind == JinjaToken::Kind::kNumber) {
    return number();
  }
  if (token.kind == JinjaToken::Kind::kString) {
    Node node = make(Kind::kConstant);
    while (peek().kind == JinjaToken::Kind::kString) {
      node->text += tokens_[at_++].text;
    }
    return node;
  }
  if (token.kind == JinjaToken::Kind::kName) {
    Node node = make(Kind::kName, token.text);
    ++at_;
    constexpr std::array<std::pair<std::string_view, Constant>, 6> kConstants = {{{"true", Constant::kTrue},
                                                                                  {"True", Constant::kTrue},
                                                                                  {"false", Constant::kFalse},
                                                                                  {"False", Constant::kFalse},
                                                                                  {"none", Constant::kNone},
                                                                                  {"None", Constant::kNone}}};
    for (const auto& [name, constant] : kConstants) {
      if (token.text == name) {
        node->kind = Kind::kConstant;
        node->constant = constant;
      }
    }
    return node;
  }
  return brackets();
}

Node JinjaParser::number() {
  Node node = make(Kind::kConstant);
  const std::string text = tokens_[at_++].text;
  const char* const end = text.data() + text.size();
  if (text.find_first_of(".eE") == std::string::npos) {
    node->constant = Constant::kInteger;
    if (std::from_chars(text.data(), end, node->integer).ec != std::errc()) {
      fail("the number " + text + " is too large");
    }
  } else {
    node->constant = Constant::kFloat;
    if (std::from_chars(text.data(), end, node->number).ec == std::errc::result_out_of_range) {
      node->number = text.find('-') == std::string::npos ? std::numeric_limits<double>::infinity() : 0;
    }
  }
  return node;
}

Node JinjaParser::brackets() {
  if (take_symbol("(")) {
    if (take_symbol(")")) {
      return make(Kind::kTuple);
    }
    Node first = expression();
    if (!at_symbol(",")) {
      need_symbol(")");
      return first;
    }
    Node node = make(Kind::kTuple);
    node->children.push_back(std::move(first));
    while (take_symbol(",") && !at_symbol(")")) {
      node->children.push_back(expression());
    }
    need_symbol(")");
    return node;
  }
  if (take_symbol("[")) {
    Node node = make(Kind::kList);
    while (!take_symbol("]")) {
      node->children.push_back(expression());
      if (!at_symbol("]")) {
        need_symbol(",");
      }
    }
    return node;
  }
  if (take_symbol("{")) {
    return dictionary();
  }
  fail("an expression is expected, but '" + peek().text + "' stands there");
}

Node JinjaParser::dictionary() {
  Node node = make(Kind::kDict);
  while (!take_symbol("}")) {
    node->children.push_back(expression());
    need_symbol(":");
    node->children.push_back(expression());
    if (!at_symbol("}")) {
      need_symbol(",");
    }
  }
  return node;
}

Node JinjaParser::postfix(Node node) {
  for (int length = 0;; ++length) {
    if (length > 100) {
      fail("more than 100 attributes, subscripts and calls stand in a row");
    }
    if (take_symbol(".")) {
      const bool is_index = peek().kind == JinjaToken::Kind::kNumber;
      Node next = is_index ? make(Kind::kSubscript) : make(Kind::kAttribute, need_name());
      next->children.push_back(std::move(node));
      if (is_index) {
        next->children.push_back(number());
      }
      node = std::move(next);
    } else if (take_symbol("[")) {
      node = subscript(std::move(node));
    } else if (take_symbol("(")) {
      Node call = make(Kind::kCall);
      call->children.push_back(std::move(node));
      arguments(*call);
      node = std::move(call);
    } else {
      return node;
    }
  }
}

Node JinjaParser::subscript(Node object) {
  Node node = make(Kind::kSubscript);
  node->children.push_back(std::move(object));
  const auto part = [&] { return at_symbol(":") || at_symbol("]") ? nullptr : expression(); };
  Node first = part();
  if (!at_symbol(":")) {
    if (!first) {
      fail("a subscript is empty");
    }
    node->children.push_back(std::move(first));
    need_symbol("]");
    return node;
  }
  node->kind = Kind::kSlice;
  node->children.push_back(std::move(first));
  need_symbol(":");
  node->children.push_back(part());
  node->children.push_back(take_symbol(":") ? part() : nullptr);
  need_symbol("]");
  return node;
}

// Behind the opening bracket.
void JinjaParser::arguments(JinjaNode& call) {
  while (!take_symbol(")")) {
    if (at_symbol("*") || at_symbol("**")) {
      fail("arguments by * and ** are not supported");
    }
    const bool is_keyword = peek().kind == JinjaToken::Kind::kName && tokens_[at_ + 1].text == "=" &&
                            tokens_[at_ + 1].kind == JinjaToken::Kind::kSymbol;
    if (is_keyword) {
      Node keyword = make(Kind::kKeyword, need_name());
      ++at_;
      keyword->children.push_back(expression());
      call.children.push_back(std::move(keyword));
    } else {
      call.children.push_back(expression());
    }
    if (!at_symbol(")")) {
      need_symbol(",");
    }
  }
}

Node JinjaParser::filters(Node node, bool filters_only) {
  for (int length = 0;; ++length) {
    if (length > 100) {
      fail("more than 100 filters and tests stand in a row");
    }
    if (take_symbol("|")) {
      node = filter_call(std::move(node));
    } else if (!filters_only && take_name("is")) {
      node = test(std::move(node));
    } else if (!filters_only && take_symbol("(")) {
      Node call = make(Kind::kCall);
      call->children.push_back(std::move(node));
      arguments(*call);
      node = std::move(call);
    } else {
      return node;
    }
  }
}

Node JinjaParser::filter_call(Node subject) {
  Node node = make(Kind::kFilter, need_name());
  if (!is_jinja_filter(node->text)) {
    fail("the filter '" + node->text + "' is not supported");
  }
  node->children.push_back(std::move(subject));
  if (take_symbol("(")) {
    arguments(*node);
  }
  return node;
}

Node JinjaParser::test(Node subject) {
  const bool negated = take_name("not");
  Node node = make(Kind::kTest, need_name());
  if (!is_jinja_test(node->text)) {
    fail("the test '" + node->text + "' is not supported");
  }
  node->children.push_back(std::move(subject));
  const JinjaToken& next = peek();
  const bool begins_operand =
      next.kind == JinjaToken::Kind::kString || next.kind == JinjaToken::Kind::kNumber || at_symbol("[") ||
      at_symbol("{") || (next.kind == JinjaToken::Kind::kName && !at_name("else") && !at_name("or") && !at_name("and"));
  if (take_symbol("(")) {
    arguments(*node);
  } else if (begins_operand) {
    if (at_name("is")) {
      fail("tests cannot be chained");
    }
    node->children.push_back(postfix(primary()));
  }
  if (!negated) {
    return node;
  }
  Node negation = make(Kind::kNot);
  negation->children.push_back(std::move(node));
  return negation;
}

}  // namespace plumb
