// Statements; expressions are in jinja_expressions.cc.

#include "tokenizer/jinja_parser.h"

#include <utility>

namespace plumb {
namespace {

using Kind = JinjaNode::Kind;
using Node = std::unique_ptr<JinjaNode>;

}  // namespace

Node JinjaParser::make(Kind kind, std::string text) const {
  auto node = std::make_unique<JinjaNode>();
  node->kind = kind;
  node->text = std::move(text);
  node->line = peek().line;
  return node;
}

void JinjaParser::fail(const std::string& what) const {
  throw JinjaFailure{"line " + std::to_string(peek().line) + ": " + what};
}

bool JinjaParser::at_symbol(std::string_view text) const {
  return peek().kind == JinjaToken::Kind::kSymbol && peek().text == text;
}

bool JinjaParser::at_name(std::string_view text) const {
  return peek().kind == JinjaToken::Kind::kName && peek().text == text;
}

bool JinjaParser::take_symbol(std::string_view text) {
  const bool found = at_symbol(text);
  at_ += found ? 1 : 0;
  return found;
}

bool JinjaParser::take_name(std::string_view text) {
  const bool found = at_name(text);
  at_ += found ? 1 : 0;
  return found;
}

void JinjaParser::need_symbol(std::string_view text) {
  if (!take_symbol(text)) {
    fail("'" + std::string(text) + "' is expected, but '" + peek().text + "' stands there");
  }
}

std::string JinjaParser::need_name() {
  if (peek().kind != JinjaToken::Kind::kName) {
    fail("a name is expected, but '" + peek().text + "' stands there");
  }
  return tokens_[at_++].text;
}

void JinjaParser::need_close() {
  if (peek().kind != JinjaToken::Kind::kClose) {
    fail("the tag goes on with '" + peek().text + "', which is not understood");
  }
  ++at_;
}

Node JinjaParser::parse_all() {
  Node root = body({});
  if (peek().kind != JinjaToken::Kind::kEnd) {
    fail("'" + tokens_[at_ + 1].text + "' ends no block");
  }
  return root;
}

// Statements up to a tag whose name is in `ends`; that tag's "{%" is not taken.
Node JinjaParser::body(std::initializer_list<std::string_view> ends) {
  const Nesting nesting(*this);
  Node node = make(Kind::kBody);
  while (peek().kind != JinjaToken::Kind::kEnd) {
    const JinjaToken& token = peek();
    if (token.kind == JinjaToken::Kind::kText) {
      node->children.push_back(make(Kind::kText, token.text));
      ++at_;
    } else if (token.text == "{{") {
      Node print = make(Kind::kPrint);
      ++at_;
      print->children.push_back(tuple());
      need_close();
      node->children.push_back(std::move(print));
    } else {
      const JinjaToken& name = tokens_[at_ + 1];
      for (const std::string_view end : ends) {
        if (name.kind == JinjaToken::Kind::kName && name.text == end) {
          return node;
        }
      }
      if (name.text.starts_with("end") || name.text == "else" || name.text == "elif") {
        if (ends.size() == 0) {
          return node;
        }
        fail("'" + name.text + "' does not fit the block it stands in");
      }
      ++at_;
      node->children.push_back(statement());
    }
  }
  if (ends.size() > 0) {
    fail("a block is not closed; '" + std::string(*(ends.end() - 1)) + "' is missing");
  }
  return node;
}

void JinjaParser::end_block(std::string_view name) {
  ++at_;  // the "{%" that body() stopped at
  if (!take_name(name)) {
    fail("'" + std::string(name) + "' is expected");
  }
  need_close();
}

Node JinjaParser::statement() {
  const std::string name = need_name();
  if (name == "if") {
    return if_statement();
  }
  if (name == "for") {
    return for_statement();
  }
  if (name == "set") {
    return set_statement();
  }
  if (name == "macro") {
    Node node = macro(need_name());
    node->children.push_back(body({"endmacro"}));
    end_block("endmacro");
    return node;
  }
  if (name == "call") {
    return call_statement();
  }
  if (name == "filter") {
    return filter_statement();
  }
  if (name == "with") {
    return with_statement();
  }
  if (name == "generation") {
    need_close();
    Node node = body({"endgeneration"});
    end_block("endgeneration");
    return node;
  }
  if (name == "break" || name == "continue") {
    Node node = make(name == "break" ? Kind::kBreak : Kind::kContinue);
    if (loops_ == 0) {
      fail("'" + name + "' stands outside of a loop");
    }
    need_close();
    return node;
  }
  fail("the statement '" + name + "' is not supported");
}

Node JinjaParser::if_statement() {
  Node node = make(Kind::kIf);
  node->children.push_back(tuple_of(false));
  need_close();
  node->children.push_back(body({"elif", "else", "endif"}));
  ++at_;
  const Nesting nesting(*this);
  if (take_name("elif")) {
    node->children.push_back(if_statement());
    return node;
  }
  if (take_name("else")) {
    need_close();
    node->children.push_back(body({"endif"}));
    ++at_;
  }
  if (!take_name("endif")) {
    fail("'endif' is expected");
  }
  need_close();
  return node;
}

Node JinjaParser::for_statement() {
  Node node = make(Kind::kFor);
  node->children.push_back(target());
  if (!take_name("in")) {
    fail("a loop needs 'in'");
  }
  node->children.push_back(tuple_of(false));
  node->children.push_back(take_name("if") ? expression() : nullptr);
  if (at_name("recursive")) {
    fail("recursive loops are not supported");
  }
  need_close();
  ++loops_;
  node->children.push_back(body({"else", "endfor"}));
  --loops_;
  ++at_;
  if (take_name("else")) {
    need_close();
    node->children.push_back(body({"endfor"}));
    ++at_;
  } else {
    node->children.push_back(nullptr);
  }
  if (!take_name("endfor")) {
    fail("'endfor' is expected");
  }
  need_close();
  return node;
}

// A name, ns.name, or names with commas between.
Node JinjaParser::target() {
  const bool bracketed = take_symbol("(");
  Node first = make(Kind::kName, need_name());
  if (take_symbol(".")) {
    Node attribute = make(Kind::kAttribute, need_name());
    attribute->children.push_back(std::move(first));
    first = std::move(attribute);
  }
  if (!at_symbol(",")) {
    if (bracketed) {
      need_symbol(")");
    }
    return first;
  }
  Node names = make(Kind::kTuple);
  names->children.push_back(std::move(first));
  while (take_symbol(",") && peek().kind == JinjaToken::Kind::kName) {
    names->children.push_back(make(Kind::kName, need_name()));
  }
  if (bracketed) {
    need_symbol(")");
  }
  return names;
}

Node JinjaParser::set_statement() {
  Node name = target();
  if (take_symbol("=")) {
    Node node = make(Kind::kSet);
    node->children.push_back(std::move(name));
    node->children.push_back(tuple());
    need_close();
    return node;
  }
  Node node = make(Kind::kSetBlock);
  Node applied = filters(nullptr, true);
  need_close();
  node->children.push_back(std::move(name));
  node->children.push_back(body({"endset"}));
  end_block("endset");
  node->children.push_back(std::move(applied));
  return node;
}

// The parameters, up to the tag's end.
Node JinjaParser::macro(std::string name) {
  Node node = make(Kind::kMacro, std::move(name));
  if (take_symbol("(")) {
    while (!take_symbol(")")) {
      Node parameter = make(Kind::kParameter, need_name());
      if (take_symbol("=")) {
        parameter->children.push_back(expression());
      }
      node->children.push_back(std::move(parameter));
      if (!at_symbol(")")) {
        need_symbol(",");
      }
    }
  }
  need_close();
  return node;
}

Node JinjaParser::call_statement() {
  Node node = make(Kind::kCallBlock);
  Node caller = make(Kind::kMacro, "caller");
  if (take_symbol("(")) {
    while (!take_symbol(")")) {
      caller->children.push_back(make(Kind::kParameter, need_name()));
      if (!at_symbol(")")) {
        need_symbol(",");
      }
    }
  }
  Node call = expression();
  if (call->kind != Kind::kCall) {
    fail("'call' needs a call");
  }
  need_close();
  caller->children.push_back(body({"endcall"}));
  end_block("endcall");
  node->children.push_back(std::move(caller));
  node->children.push_back(std::move(call));
  return node;
}

Node JinjaParser::filter_statement() {
  Node node = make(Kind::kFilterBlock);
  Node applied = filter_call(nullptr);
  applied = filters(std::move(applied), true);
  need_close();
  node->children.push_back(body({"endfilter"}));
  end_block("endfilter");
  node->children.push_back(std::move(applied));
  return node;
}

Node JinjaParser::with_statement() {
  Node node = make(Kind::kWith);
  while (peek().kind == JinjaToken::Kind::kName) {
    node->children.push_back(target());
    need_symbol("=");
    node->children.push_back(expression());
    if (!take_symbol(",")) {
      break;
    }
  }
  need_close();
  node->children.push_back(body({"endwith"}));
  end_block("endwith");
  return node;
}

Result<Node> parse_jinja(std::string_view source) {
  PLUMB_ASSIGN(auto tokens, lex_jinja(source));
  try {
    return JinjaParser(std::move(tokens)).parse_all();
  } catch (const JinjaFailure& failure) {
    return Error{failure.message};
  }
}

}  // namespace plumb
