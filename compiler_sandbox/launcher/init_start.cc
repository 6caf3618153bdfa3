#include "compiler_sandbox/launcher/init_start.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler_sandbox/launcher/init.h"
#include "compiler_sandbox/launcher/process_account.h"

namespace plumb {

namespace {

constexpr uid_t kInnerInit = 0;
constexpr uid_t kInnerProgram = 1000;

pid_t clone_init(const Slot& slot) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  if (slot.namespaces) {
    args.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
  }
  // The id maps of a process that cannot be dumped belong to the host's root. Init takes the mark again by itself.
  prctl(PR_SET_DUMPABLE, slot.privileged ? 0 : 1, 0, 0, 0);
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof(args)));
  if (pid != 0) {
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  }
  return pid;
}

// In the child: waits until the launcher has written the id maps, takes the new identity, serves.
[[noreturn]] void serve_as_init(const Slot& slot, int socket, const std::string& work_folder) {
  // Everything the launcher holds, its own socket to the judge first of all, stays outside. This comes before anything
  // that waits: with copies of both ends a child whose launcher is killed would wait for itself for ever, and the judge
  // would not hear of the death.
  const int mine = 3;
  if (socket != mine && dup3(socket, mine, O_CLOEXEC) != mine) {
    _exit(1);
  }
  syscall(SYS_close_range, 4U, ~0U, 0U);
  char go = 0;
  if (recv(mine, &go, 1, MSG_WAITALL) != 1) {
    _exit(1);
  }
  InitOptions options;
  options.socket = mine;
  options.namespaces = slot.namespaces;
  options.readable = slot.readable;
  options.identity = identity_of(slot, work_folder);
  if (slot.privileged && slot.namespaces && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)) {
    _exit(1);
  }
  run_init(options);
}

}  // namespace

StepIdentity identity_of(const Slot& slot, const std::string& work_folder) {
  StepIdentity identity;
  identity.filter = slot.filter;
  identity.work_folder = work_folder;
  identity.change_ids = slot.privileged;
  identity.uid = slot.namespaces ? kInnerProgram : slot.uid + 1;
  identity.gid = identity.uid;
  return identity;
}

pid_t start_init(const Slot& slot, int socket, const std::string& work_folder) {
  const pid_t pid = clone_init(slot);
  if (pid == 0) {
    serve_as_init(slot, socket, work_folder);
  }
  return pid;
}

bool write_id_maps(const Slot& slot, pid_t pid) {
  const std::string folder = std::to_string(pid);
  if (slot.privileged) {
    const std::string map = std::to_string(kInnerInit) + " " + std::to_string(slot.uid) + " 1\n" +
                            std::to_string(kInnerProgram) + " " + std::to_string(slot.uid + 1) + " 1\n";
    return write_proc(slot.proc_fd, folder + "/uid_map", map) && write_proc(slot.proc_fd, folder + "/gid_map", map);
  }
  const std::string map = std::to_string(kInnerProgram) + " 0 1\n";
  return write_proc(slot.proc_fd, folder + "/setgroups", "deny") &&
         write_proc(slot.proc_fd, folder + "/uid_map", map) && write_proc(slot.proc_fd, folder + "/gid_map", map);
}

}  // namespace plumb
