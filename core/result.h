#pragma once
// Result<T>: the channel for I/O and peers (see docs/architecture.md, "Errors"). Outcomes of judged programs are
// domain values, not errors; programmer errors are PLUMB_CHECK.

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "core/check.h"

namespace plumb {

/// Why an operation on the outside world failed: one sentence that names the file, key or tensor, what was expected,
/// what was found and what to do. Context is put in front on the way up.
struct Error {
  std::string message;

  /// This error with `context + ": "` in front.
  [[nodiscard]] Error with_context(const std::string& context) const { return Error{context + ": " + message}; }
};

/// Either a T or an Error. Reading the wrong side is a programmer error and aborts.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool ok() const { return std::holds_alternative<T>(state_); }
  explicit operator bool() const { return ok(); }

  T& value() & {
    PLUMB_CHECK(ok(), error().message);
    return std::get<T>(state_);
  }
  const T& value() const& {
    PLUMB_CHECK(ok(), error().message);
    return std::get<T>(state_);
  }
  T&& value() && {
    PLUMB_CHECK(ok(), error().message);
    return std::get<T>(std::move(state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  [[nodiscard]] const Error& error() const {
    PLUMB_CHECK(!ok(), "error() of a Result that holds a value");
    return std::get<Error>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// The result of an operation that yields nothing.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const {
    PLUMB_CHECK(error_.has_value(), "error() of a Result that holds a value");
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace plumb

#define PLUMB_CONCAT_INNER(a, b) a##b
#define PLUMB_CONCAT(a, b) PLUMB_CONCAT_INNER(a, b)

/// Returns the error of `expr` (a Result) from the enclosing function, if it has one.
#define PLUMB_TRY(expr)                              \
  do {                                               \
    if (auto plumb_result = (expr); !plumb_result) { \
      return plumb_result.error();                   \
    }                                                \
  } while (false)

/// Declares `decl` from the value of `expr` (a Result), or returns its error from the enclosing function.
#define PLUMB_ASSIGN(decl, expr) PLUMB_ASSIGN_INNER(decl, expr, PLUMB_CONCAT(plumb_result_, __LINE__))
#define PLUMB_ASSIGN_INNER(decl, expr, tmp) \
  auto tmp = (expr);                        \
  if (!tmp) {                               \
    return tmp.error();                     \
  }                                         \
  decl = std::move(tmp).value()
