#pragma once
// The process that sessions' inits are copies of. It is forked from the launcher before the first submission comes and
// sees none: a request is a descriptor and a path. So whatever an init, and the programs that it starts without
// executing anything new, find in their memory is the same for every submission.

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

class InitTemplate {
 public:
  /// What the copy does; it does not return.
  using Start = std::function<void(int socket, const std::string& work_folder)>;

  InitTemplate() = default;
  /// Forks the template, which loads a Python interpreter with `drivers` (warm_python.h) and then serves requests.
  /// `clone` makes a copy with the caller's parent as its parent.
  static InitTemplate create(const std::vector<std::string>& drivers, std::function<pid_t()> clone, Start start);

  /// Waits until the interpreter is loaded, or cannot be. Call it once, before the first make_init().
  void await();
  /// A new init whose parent is the caller; -1 where there is no template, or it died.
  pid_t make_init(int socket, const std::string& work_folder) const;
  /// Ends it and waits until it is gone.
  void end();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  UniqueFd socket_;
  pid_t pid_ = -1;
};

}  // namespace plumb
