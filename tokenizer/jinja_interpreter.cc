// Statements, names and calls; expressions are in jinja_evaluation.cc.

#include "tokenizer/jinja_interpreter.h"

#include <algorithm>
#include <utility>

namespace plumb {

using Kind = JinjaNode::Kind;

constexpr int kMaxDepth = 1000;

const JinjaValue* JinjaArguments::find(std::size_t index, std::string_view name) const {
  return index < values.size() ? &values[index] : jinja_find(named, name);
}

const JinjaValue& JinjaArguments::need(std::size_t index, std::string_view name) const {
  const JinjaValue* value = find(index, name);
  if (value == nullptr) {
    throw JinjaFailure{what + " needs the argument '" + std::string(name) + "'"};
  }
  return *value;
}

void JinjaArguments::check(std::size_t count, std::initializer_list<std::string_view> names) const {
  if (values.size() > count) {
    throw JinjaFailure{what + " takes at most " + std::to_string(count) + " arguments, not " +
                       std::to_string(values.size())};
  }
  for (const auto& [name, value] : named) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw JinjaFailure{what + " takes no argument '" + name + "'"};
    }
  }
}

std::string JinjaInterpreter::run(const JinjaNode& root, const JinjaValue& variables) {
  if (variables.dict() == nullptr) {
    throw JinjaFailure{"the variables must be an object"};
  }
  JinjaScope& globals = enter();
  globals.names = *variables.dict();
  enter();
  std::string out;
  body(root, out);
  return out;
}

// Makes a scope within the current one and goes there; the caller goes back.
JinjaScope& JinjaInterpreter::enter() {
  spend(sizeof(JinjaScope));
  JinjaScope& made = scopes_.emplace_back();
  made.parent = scope_;
  scope_ = &made;
  return made;
}

void JinjaInterpreter::spend(std::size_t size) {
  steps_ += static_cast<std::int64_t>(size / 64);
  if (steps_ > options_.max_steps) {
    throw JinjaFailure{"the template takes more than " + std::to_string(options_.max_steps) +
                       " steps; it loops, or the conversation is too long for it"};
  }
}

JinjaInterpreter::Level::Level(JinjaInterpreter& interpreter, const JinjaNode& node) : depth_(interpreter.depth_) {
  if (depth_ >= kMaxDepth) {
    throw JinjaFailure{"line " + std::to_string(node.line) + ": the template nests too deep"};
  }
  ++depth_;
}

JinjaInterpreter::Flow JinjaInterpreter::body(const JinjaNode& node, std::string& out) {
  const Level level(*this, node);
  for (const auto& child : node.children) {
    const Flow flow = statement(*child, out);
    if (flow != Flow::kNext) {
      return flow;
    }
  }
  return Flow::kNext;
}

JinjaInterpreter::Flow JinjaInterpreter::statement(const JinjaNode& node, std::string& out) {
  spend(64);
  switch (node.kind) {
    case Kind::kText:
      spend(node.text.size());
      out += node.text;
      return Flow::kNext;
    case Kind::kPrint: {
      const std::string text = eval(*node.children[0]).str();
      spend(text.size());
      out += text;
      return Flow::kNext;
    }
    case Kind::kBody:
      return body(node, out);
    case Kind::kIf:
      return if_statement(node, out);
    case Kind::kFor:
      return for_statement(node, out);
    case Kind::kSet:
      assign(*node.children[0], eval(*node.children[1]));
      return Flow::kNext;
    case Kind::kSetBlock:
      assign(*node.children[0], apply_filters(node.children[2].get(), captured(*node.children[1])));
      return Flow::kNext;
    case Kind::kFilterBlock:
      out += apply_filters(node.children[1].get(), captured(*node.children[0])).str();
      return Flow::kNext;
    case Kind::kMacro:
      jinja_set(scope_->names, node.text, JinjaMacro{&node, scope_});
      return Flow::kNext;
    case Kind::kCallBlock: {
      const JinjaNode& call_node = *node.children[1];
      JinjaArguments given = arguments(call_node, "call");
      given.named.emplace_back("caller", JinjaMacro{node.children[0].get(), scope_});
      out += call(eval(*call_node.children[0]), given).str();
      return Flow::kNext;
    }
    case Kind::kWith: {
      JinjaScope* const outer = scope_;
      JinjaScope& inner = enter();
      for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
        scope_ = outer;
        JinjaValue value = eval(*node.children[i + 1]);
        scope_ = &inner;
        assign(*node.children[i], std::move(value));
      }
      const Flow flow = body(*node.children.back(), out);
      scope_ = outer;
      return flow;
    }
    case Kind::kBreak:
      return Flow::kBreak;
    default:
      return Flow::kContinue;
  }
}

JinjaInterpreter::Flow JinjaInterpreter::if_statement(const JinjaNode& node, std::string& out) {
  if (eval(*node.children[0]).truth()) {
    return body(*node.children[1], out);
  }
  return node.children.size() > 2 ? statement(*node.children[2], out) : Flow::kNext;
}

JinjaInterpreter::Flow JinjaInterpreter::for_statement(const JinjaNode& node, std::string& out) {
  JinjaList items = eval(*node.children[1]).items("a loop");
  spend(items.size() * 8);
  JinjaScope* const outer = scope_;
  JinjaScope& inner = enter();
  if (node.children[2]) {
    JinjaList kept;
    for (const JinjaValue& item : items) {
      inner.names.clear();
      assign(*node.children[0], item);
      if (eval(*node.children[2]).truth()) {
        kept.push_back(item);
      }
    }
    items = std::move(kept);
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    inner.names.clear();
    // Each turn has its own, which loses sight of `items` at its end: a namespace may keep it longer.
    const auto loop = std::make_shared<JinjaLoop>(JinjaLoop{&items, i});
    jinja_set(inner.names, "loop", loop);
    assign(*node.children[0], items[i]);
    const Flow flow = body(*node.children[3], out);
    loop->items = nullptr;
    if (flow == Flow::kBreak) {
      break;
    }
  }
  scope_ = outer;
  if (!items.empty() || !node.children[4]) {
    return Flow::kNext;
  }
  enter();
  const Flow flow = body(*node.children[4], out);  // a break in it is of the loop around
  scope_ = outer;
  return flow;
}

void JinjaInterpreter::assign(const JinjaNode& target, JinjaValue value) {
  if (target.kind == Kind::kName) {
    jinja_set(scope_->names, target.text, std::move(value));
    return;
  }
  if (target.kind == Kind::kAttribute) {
    const JinjaValue object = eval(*target.children[0]);
    auto* const* space = object.get<JinjaNamespace*>();
    if (space == nullptr) {
      throw JinjaFailure{"line " + std::to_string(target.line) + ": only a namespace's attributes can be set"};
    }
    jinja_set((*space)->members, target.text, std::move(value));
    return;
  }
  const JinjaList parts = value.items("unpacking");
  if (parts.size() != target.children.size()) {
    throw JinjaFailure{"line " + std::to_string(target.line) + ": " + std::to_string(parts.size()) +
                       " values cannot be unpacked into " + std::to_string(target.children.size()) + " names"};
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    assign(*target.children[i], parts[i]);
  }
}

std::string JinjaInterpreter::captured(const JinjaNode& node) {
  JinjaScope* const outer = scope_;
  enter();
  std::string out;
  body(node, out);
  scope_ = outer;
  return out;
}

// The chain of filters on a block, whose innermost has no subject.
JinjaValue JinjaInterpreter::apply_filters(const JinjaNode* node, JinjaValue subject) {
  if (node == nullptr) {
    return subject;
  }
  const JinjaValue inner = apply_filters(node->children[0].get(), std::move(subject));
  return filter(node->text, inner, arguments(*node, node->text));
}

JinjaArguments JinjaInterpreter::arguments(const JinjaNode& node, std::string what) {
  JinjaArguments given;
  given.what = std::move(what);
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    const JinjaNode& child = *node.children[i];
    if (child.kind == Kind::kKeyword) {
      jinja_set(given.named, child.text, eval(*child.children[0]));
    } else {
      given.values.push_back(eval(child));
    }
  }
  return given;
}

JinjaValue JinjaInterpreter::lookup(const std::string& name) {
  for (const JinjaScope* scope = scope_; scope != nullptr; scope = scope->parent) {
    if (const JinjaValue* found = jinja_find(scope->names, name)) {
      return *found;
    }
  }
  for (const char* global : {"range", "dict", "namespace", "raise_exception", "strftime_now"}) {
    if (name == global) {
      return JinjaFunction{name, nullptr};
    }
  }
  return JinjaUndefined{name};
}

JinjaValue JinjaInterpreter::call(const JinjaValue& callee, const JinjaArguments& given) {
  if (const auto* macro = callee.get<JinjaMacro>()) {
    return call_macro(*macro, given);
  }
  const auto* function = callee.get<JinjaFunction>();
  if (function == nullptr) {
    throw JinjaFailure{callee.type_name() + " cannot be called"};
  }
  return function->self ? jinja_call_method(*function->self, function->name, given, *this)
                        : call_global(function->name, given);
}

JinjaValue JinjaInterpreter::call_macro(const JinjaMacro& macro, const JinjaArguments& given) {
  if (macro_depth_ >= options_.max_depth) {
    throw JinjaFailure{"macros call each other more than " + std::to_string(options_.max_depth) + " deep"};
  }
  ++macro_depth_;
  JinjaScope* const caller = scope_;
  scope_ = macro.scope;
  JinjaScope& inner = enter();
  const auto& children = macro.node->children;
  const std::size_t num_parameters = children.size() - 1;
  if (given.values.size() > num_parameters) {
    throw JinjaFailure{"the macro '" + macro.node->text + "' takes " + std::to_string(num_parameters) +
                       " arguments, not " + std::to_string(given.values.size())};
  }
  std::size_t used = given.values.size();
  for (std::size_t i = 0; i < num_parameters; ++i) {
    const JinjaNode& parameter = *children[i];
    const JinjaValue* value = given.find(i, parameter.text);
    used += value != nullptr && i >= given.values.size() ? 1 : 0;
    JinjaValue bound = value != nullptr             ? *value
                       : parameter.children.empty() ? JinjaValue(JinjaUndefined{parameter.text})
                                                    : eval(*parameter.children[0]);
    jinja_set(inner.names, parameter.text, std::move(bound));
  }
  if (const JinjaValue* block = jinja_find(given.named, "caller")) {
    jinja_set(inner.names, "caller", *block);
    ++used;
  }
  if (used < given.values.size() + given.named.size()) {
    throw JinjaFailure{"the macro '" + macro.node->text + "' is called with a named argument that it does not take"};
  }
  std::string out;
  body(*children.back(), out);
  scope_ = caller;
  --macro_depth_;
  return out;
}

}  // namespace plumb
