#pragma once
// Regular expressions of tokenizer.json files, which are written for Oniguruma (Ruby's syntax), matched by PCRE2.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// `pattern` in PCRE2's syntax, such that PCRE2 with PCRE2_UTF, PCRE2_UCP and PCRE2_MULTILINE matches what Oniguruma
/// does: \s and \w are Unicode's, \h is a hexadecimal digit, "." stops at a newline only. Errors: what has no equal or
/// is not needed by any tokenizer that is known (class intersections and nested classes, \b, \X, \K, \G, \R, named and
/// numbered references, callouts).
Result<std::string> pcre_pattern(std::string_view pattern);

/// Immutable, thread-safe, copies share state.
class Regex {
 public:
  /// Errors: a pattern that is malformed or not supported, with the reason.
  static Result<std::shared_ptr<const Regex>> compile(const std::string& pattern);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  /// Calls `match` with begin and end of each match from left to right, as find_iter of Oniguruma's Rust binding
  /// yields them: none is empty right behind the one before. Bytes of no well-formed character match as U+0001 would.
  /// Where a hostile pattern runs into PCRE2's match limit, no further match is found.
  void for_each_match(std::string_view text, const std::function<void(std::size_t, std::size_t)>& match) const;

 private:
  explicit Regex(void* code) : code_(code) {}
  void* code_;  // a pcre2_code
};

}  // namespace plumb
