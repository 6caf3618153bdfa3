#pragma once
// What a system call failed at, in words.

#include <cerrno>
#include <cstring>
#include <string>

namespace plumb {

/// "<what>: <the text of errno>", of the call that has just failed.
inline std::string failure(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

}  // namespace plumb
