#pragma once
// A process that this one starts, and that ends no later than its owner. Inside actor/processes.

#include <sys/types.h>

#include <string>
#include <vector>

#include "core/result.h"

namespace plumb::internal {

class ChildProcess {
 public:
  /// Runs argv[0] with this process's environment; what it writes is appended to `log`. No descriptor but 0, 1 and 2 is
  /// passed on, and it has a process group of its own. Errors: it cannot be started.
  static Result<ChildProcess> start(const std::vector<std::string>& argv, const std::string& log);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  // kills it, unless it has ended

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// "ended with status 1", "was ended by signal 9 (Killed)"; empty: it runs. Does not wait.
  std::string ended();
  /// Waits until it has ended, `seconds` at most.
  void wait(double seconds);
  void kill();

 private:
  ChildProcess() = default;
  pid_t pid_ = -1;
  std::string end_;
};

}  // namespace plumb::internal
