#pragma once
// A process that sessions' inits are copies of. It is forked from the launcher and sees no submission: a request is a
// descriptor and a path. So whatever an init, and the programs that it starts without executing anything new, find in
// their memory is the same for every submission.

#include <sys/types.h>

#include <functional>
#include <string>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

class InitTemplate {
 public:
  /// What the copy does; it does not return.
  using Start = std::function<void(int socket, const std::string& work_folder)>;

  InitTemplate() = default;
  /// What its copies are to find in their memory; false where that cannot be had.
  using Load = std::function<bool()>;
  /// Forks the template, which loads and then serves requests. `clone` makes a copy with the caller's parent as its
  /// parent.
  static InitTemplate create(const Load& load, const std::function<pid_t()>& clone, const Start& start);

  /// Waits until it has loaded; `meanwhile` is called every few seconds. False where it cannot, or died. Call it once,
  /// before the first make_init().
  bool await(const std::function<void()>& meanwhile);
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
