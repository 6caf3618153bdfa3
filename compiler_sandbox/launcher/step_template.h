#pragma once
// A process that steps are copies of: it has loaded what takes long to load, an interpreter or a compiler. It is forked
// from the launcher and sees no submission: a request is descriptors alone. So whatever a copy finds in its memory, but
// for its own submission, is the same for every one.
//
// A copy has to be made inside a session that exists. fork() alone cannot do that, and the template must not go there
// itself, as nobody comes back from a user namespace. So it makes a helper that shares its memory (vfork(2)), which
// enters the session's namespaces, forks the copy and ends; the copy's parent is then the launcher, as the next process
// above that takes in orphans.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

class StepTemplate {
 public:
  using Argv = std::vector<std::string>;
  struct Program {
    /// In the template. False where that cannot be had: then such steps execute what they name.
    std::function<bool()> load;
    /// Whether a step with this command line is what a copy does. Called by the launcher, which has loaded nothing.
    std::function<bool(const Argv& argv)> does;
    /// In a copy, inside the session: serves the launcher at the other end of `socket`. Does not return.
    std::function<void(int socket)> start;
  };

  StepTemplate() = default;
  /// Forks the template, which loads and then serves requests.
  static StepTemplate create(const Program& program);

  /// Waits until it has loaded; `meanwhile` is called every few seconds. False where it cannot, or died: then end() it.
  /// Call it once, before the first request_copy().
  bool await(const std::function<void()>& meanwhile);
  [[nodiscard]] bool does(const Argv& argv) const { return pid_ > 0 && does_(argv); }

  struct Copy {
    pid_t pid = -1;                    // a child of the caller; -1: the template has died, or could not
    std::int64_t inherited_bytes = 0;  // of its resident set, the template's
  };
  /// Asks for a copy inside `namespaces`: descriptors of the files of /proc/PID/ns, the user namespace first. Does not
  /// wait.
  [[nodiscard]] bool request_copy(int socket, const std::vector<UniqueFd>& namespaces) const;
  /// The copy that was asked for.
  [[nodiscard]] Copy await_copy() const;
  /// Ends it and waits until it is gone.
  void end();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
  std::function<bool(const Argv&)> does_;
};

}  // namespace plumb
