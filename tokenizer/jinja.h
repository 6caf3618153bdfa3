#pragma once
// The Jinja that chat templates are written in: expressions with filters, tests, methods and slices; if, for (with
// filter, else, recursion left out, break and continue), set, macro, call, filter, with, generation and raw blocks;
// namespaces; white space control with trim_blocks and lstrip_blocks on, as transformers sets Jinja up. Values are
// immutable but for namespaces, as in Jinja's immutable sandbox. A program that asks for anything else is refused by
// name when it is parsed, where a name shows it, else when it gets there.

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

struct JinjaNode;

/// What bounds a rendering. A step is a node of the program evaluated or 64 bytes of text or 8 list items made.
struct JinjaOptions {
  std::int64_t max_steps = 5'000'000;
  int max_depth = 100;                  // of macros calling macros
  std::int64_t unix_time = 1721952000;  // what strftime_now() tells, as UTC; 26 July 2024, so that runs replay
};

/// Immutable, thread-safe, copies share state.
class JinjaTemplate {
 public:
  /// Errors name the line: what is no Jinja; a statement, filter or test that is not known.
  static Result<JinjaTemplate> parse(std::string_view source);

  /// The text for `variables`, an object. Strings are UTF-8; positions and lengths in them count code points. Errors: a
  /// limit reached; what raises an exception in Jinja (an attribute of an undefined value, operands of wrong types);
  /// raise_exception(), whose message is then the error's end.
  [[nodiscard]] Result<std::string> render(const nlohmann::ordered_json& variables, const JinjaOptions& options) const;

 private:
  explicit JinjaTemplate(std::shared_ptr<const JinjaNode> root) : root_(std::move(root)) {}

  std::shared_ptr<const JinjaNode> root_;
};

}  // namespace plumb
