#pragma once
// A step that is a copy of a template (step_template.h), inside a session that has begun. The launcher is its parent;
// it is a sibling of the session's init, which takes in what it leaves behind.

#include <sys/types.h>

#include <string>
#include <vector>

#include "compiler_sandbox/launcher/step.h"
#include "compiler_sandbox/launcher/step_template.h"
#include "compiler_sandbox/unique_fd.h"

namespace plumb {

/// Descriptors of the namespaces of `pid`, the user namespace first; empty where they cannot be had.
std::vector<UniqueFd> namespaces_of(int proc_fd, pid_t pid);

/// What a copy is and does, once it is inside the session.
struct CopyIdentity {
  StepIdentity step;
  std::vector<std::string> readable;  // as InitOptions::readable
};

/// Of a copy: takes the step from the launcher at the other end of `socket`, closes itself in and goes on as `program`.
[[noreturn]] void run_copy(int socket, const CopyIdentity& identity, const StepProgram& program);

/// Not copyable; the destructor kills it.
class StepCopy {
 public:
  /// Asks `original` for a copy, which will wait for its step.
  StepCopy(const StepTemplate& original, const std::vector<UniqueFd>& namespaces);
  StepCopy() = default;
  StepCopy(StepCopy&& other) noexcept;
  StepCopy& operator=(StepCopy&& other) noexcept;
  ~StepCopy();

  /// Waits until the copy that was asked for is there. Afterwards pid() is -1 where it could not be had.
  void await(int proc_fd);
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Lets it go on as `step`; empty, or what failed.
  [[nodiscard]] std::string send(const WireMessage& step) const;
  /// Readable once it has ended.
  [[nodiscard]] int end_fd() const { return end_fd_.get(); }
  /// Waits until it has ended.
  StepEnd wait();

 private:
  const StepTemplate* asked_ = nullptr;  // and not yet answered
  pid_t pid_ = -1;
  std::int64_t inherited_bytes_ = 0;
  UniqueFd socket_;
  UniqueFd end_fd_;
};

}  // namespace plumb
