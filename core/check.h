#pragma once
// Checks for programmer errors: they print expression, place and message, and abort. Bad input from outside is never
// checked this way; it is a Result (core/result.h).

#include <cstdio>
#include <cstdlib>
#include <string>

namespace plumb::internal {

[[noreturn]] inline void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "%s:%d: check failed: %s%s%s\n", file, line, expression, message.empty() ? "" : ": ",
               message.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace plumb::internal

/// Aborts with `message` (a std::string or literal) unless `condition` holds.
#define PLUMB_CHECK(condition, message)                                           \
  do {                                                                            \
    if (!(condition)) {                                                           \
      ::plumb::internal::check_failed(#condition, __FILE__, __LINE__, (message)); \
    }                                                                             \
  } while (false)
