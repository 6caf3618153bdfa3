#pragma once
// Walks the tree of a Jinja program; used by JinjaTemplate alone.

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/jinja.h"
#include "tokenizer/jinja_parser.h"
#include "tokenizer/jinja_syntax.h"
#include "tokenizer/jinja_value.h"

namespace plumb {

/// Names within a block, in front of those of the block around it.
struct JinjaScope {
  JinjaDict names;
  JinjaScope* parent = nullptr;
};

/// The arguments of a call, a filter or a test.
struct JinjaArguments {
  std::string what;  // is called, for messages
  JinjaList values;
  JinjaDict named;

  /// The value at `index`, or named `name`; null if it is not given.
  [[nodiscard]] const JinjaValue* find(std::size_t index, std::string_view name) const;
  /// The same, but throws where it is not given.
  [[nodiscard]] const JinjaValue& need(std::size_t index, std::string_view name) const;
  /// Throws if there are more than `count` or a named one that is not in `names`.
  void check(std::size_t count, std::initializer_list<std::string_view> names) const;
};

/// One rendering. Throws JinjaFailure.
class JinjaInterpreter {
 public:
  explicit JinjaInterpreter(const JinjaOptions& options) : options_(options) {}
  std::string run(const JinjaNode& root, const JinjaValue& variables);

  /// Counts what was made: `size` bytes or, times 8, list items. Throws at the limit.
  void spend(std::size_t size);
  JinjaValue call(const JinjaValue& callee, const JinjaArguments& arguments);
  /// jinja_filters.cc and jinja_tests.cc.
  JinjaValue filter(const std::string& name, const JinjaValue& subject, const JinjaArguments& arguments);
  bool test(const std::string& name, const JinjaValue& subject, const JinjaArguments& arguments);
  /// object.name or object[name], undefined if there is none. Throws if `object` is undefined.
  JinjaValue attribute(const JinjaValue& object, const std::string& name, bool by_subscript);
  JinjaValue subscript(const JinjaValue& object, const JinjaValue& index);

 private:
  enum class Flow { kNext, kBreak, kContinue };

  // A level of recursion, of statements and expressions alike. Throws where there are too many for the stack.
  class Level {
   public:
    Level(JinjaInterpreter& interpreter, const JinjaNode& node);
    ~Level() { --depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int& depth_;
  };

  Flow body(const JinjaNode& node, std::string& out);
  Flow statement(const JinjaNode& node, std::string& out);
  Flow if_statement(const JinjaNode& node, std::string& out);
  Flow for_statement(const JinjaNode& node, std::string& out);
  void assign(const JinjaNode& target, JinjaValue value);
  std::string captured(const JinjaNode& node);
  JinjaValue apply_filters(const JinjaNode* node, JinjaValue subject);

  JinjaValue eval(const JinjaNode& node);
  JinjaValue constant(const JinjaNode& node) const;
  JinjaValue lookup(const std::string& name);
  JinjaValue binary(const JinjaNode& node);
  bool compare(const JinjaNode& node);
  JinjaValue slice(const JinjaNode& node);
  JinjaArguments arguments(const JinjaNode& node, std::string what);
  JinjaValue call_macro(const JinjaMacro& macro, const JinjaArguments& arguments);
  JinjaValue call_global(const std::string& name, const JinjaArguments& arguments);
  JinjaScope& enter();

  JinjaOptions options_;
  std::int64_t steps_ = 0;
  int macro_depth_ = 0;
  int depth_ = 0;
  std::deque<JinjaScope> scopes_;  // never shrinks: macros point here
  std::deque<JinjaNamespace> namespaces_;
  JinjaScope* scope_ = nullptr;
};

/// jinja_methods.cc: whether values of this kind have the method, and what it returns.
bool jinja_has_method(const JinjaValue& self, std::string_view name);
JinjaValue jinja_call_method(const JinjaValue& self, const std::string& name, const JinjaArguments& arguments,
                             JinjaInterpreter& interpreter);

/// Python's str methods that filters use too.
std::string jinja_strip(std::string_view text, const std::string* characters, bool left, bool right);
std::string jinja_upper(std::string_view text);
std::string jinja_lower(std::string_view text);
std::string jinja_capitalize(std::string_view text);
std::string jinja_title(std::string_view text, bool words_by_space);
std::string jinja_replace(std::string_view text, const std::string& from, const std::string& to, std::int64_t count);

}  // namespace plumb
