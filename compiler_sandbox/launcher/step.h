#pragma once
// One process of a session: its command line, descriptors and limits, and how it is started inside the walls.

#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compiler_sandbox/wire.h"

namespace plumb {

inline constexpr rlim_t kStackBytes = rlim_t{256} << 20U;  // that a program's stack may grow to

/// What to run. Descriptor i of the message becomes number `targets[i]` of the program; 0 is /dev/null unless named.
struct StepRequest {
  std::vector<std::string> argv;  // argv[0] is a path inside the sandbox
  std::vector<std::string> environment;
  std::vector<int> targets;
  double cpu_s = 0;
  double wall_s = 0;
  std::int64_t memory_bytes = 0;
  int processes = 0;
  std::int64_t file_bytes = 0;
  bool limit_address_space = false;  // where no cgroup limits memory
};

StepRequest step_from_wire(const nlohmann::json& body);

/// The identity that a program gets, and the filter that it runs under.
struct StepIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  bool change_ids = false;  // the caller may set ids
  std::string work_folder;
  std::vector<sock_filter> filter;
};

/// How a step ended.
struct StepEnd {
  int status = -1;           // as of waitpid()
  std::int64_t max_rss = 0;  // the largest resident set of a process of it, in bytes
  double cpu_s = 0;          // of it and what it has waited for; of a copy of a template alone
};

/// What a process goes on as, in the place of executing `request.argv`; where it returns, that is executed.
using StepProgram = std::function<void(const StepRequest& request, char* const* argv, char* const* environment)>;

/// Takes on the limits, the identity and the filter in this process, and executes, or goes on as `program` with all
/// descriptors closed that are not the step's. What fails is written to `status_fd`, which is closed otherwise.
[[noreturn]] void become_step(const StepRequest& request, const std::vector<UniqueFd>& fds,
                              const StepIdentity& identity, int status_fd, const StepProgram& program);

/// Starts a child that executes. Returns the process id, or -1 with `error` set: limits, identity, filter or exec
/// failed.
pid_t start_step(const StepRequest& request, const std::vector<UniqueFd>& fds, const StepIdentity& identity,
                 std::string& error);

}  // namespace plumb
