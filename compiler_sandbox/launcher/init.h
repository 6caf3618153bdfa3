#pragma once
// The first process of a session: mounts its work folder, starts steps, reaps. It holds no secret, no environment, no
// capability over the host, and cannot be dumped or traced.

#include <string>
#include <vector>

#include "compiler_sandbox/launcher/step.h"

namespace plumb {

struct InitOptions {
  int socket = -1;  // to the launcher; its first message is "begin"
  bool namespaces = false;
  std::vector<std::string> readable;  // below which files may be read and executed
  StepIdentity identity;
};

/// Serves until the socket closes, then exits. Messages in: {"files", "work_mib"} once, then steps. Messages out:
/// {"ready"} or {"error"}; per step {"started"} or {"error"}, then {"status": raw wait status, "max_rss": bytes}.
[[noreturn]] void run_init(const InitOptions& options);

}  // namespace plumb
