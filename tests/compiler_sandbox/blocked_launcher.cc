// The launcher on a machine that refuses it something: installs a filter that denies one system call and becomes the
// launcher. BLOCKED is the call's name: "unshare" as container profiles do, "mkdirat" so that no control group can be
// made.

#include <seccomp.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

int main(int, char** argv) {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
  const bool ready = context != nullptr &&
                     seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(BLOCKED), 0) == 0 &&
                     seccomp_load(context) == 0;
  if (ready) {
    char* environment[] = {nullptr};
    execve(PLUMB_BINARY_DIR "/plumb-sandbox", argv, environment);
  }
  return 1;
}
