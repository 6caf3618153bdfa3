#pragma once
// Which versions of a language's tools a verdict comes from.

#include <map>
#include <mutex>
#include <string>

#include "compiler_sandbox/judge.h"
#include "compiler_sandbox/languages.h"
#include "compiler_sandbox/toolchain.h"

namespace plumb {

/// Asks each language's tools once, when its first submission comes: starting a Java runtime for its version would be
/// felt by whoever judges Python alone. Both references outlive this. Safe from several threads.
class ToolVersions {
 public:
  ToolVersions(const Toolchain& tools, const Languages& languages) : tools_(tools), languages_(languages) {}

  /// The first lines of what the tools say, joined by "; ". A tool that does not answer is left out.
  std::string of(const Submission& submission);

 private:
  const Toolchain& tools_;
  const Languages& languages_;
  struct Known {
    std::once_flag asked;
    std::string versions;
  };
  std::mutex mutex_;                    // of the map alone: a slow tool holds up its own language
  std::map<std::string, Known> known_;  // by language
};

}  // namespace plumb
