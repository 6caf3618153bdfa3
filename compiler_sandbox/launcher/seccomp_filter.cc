#include "compiler_sandbox/launcher/seccomp_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

namespace {

// Files, memory, time, threads, signals and waiting: what libc, CPython, clang and mold use. No sockets, no keys, no
// namespaces, no mounts, no tracing, no BPF, no io_uring, no perf, no userfaultfd, no System V or POSIX queues.
constexpr const char* kAllowed[] = {
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "lseek",
    "open",
    "openat",
    "close",
    "close_range",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getdents",
    "getdents64",
    "getcwd",
    "chdir",
    "fchdir",
    "mkdir",
    "mkdirat",
    "rmdir",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "umask",
    "truncate",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "utimensat",
    "utime",
    "utimes",
    "futimesat",
    "copy_file_range",
    "sendfile",
    "fadvise64",
    "flock",
    "dup",
    "dup2",
    "dup3",
    "pipe",
    "pipe2",
    "fcntl",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "eventfd2",
    "mmap",
    "munmap",
    "mprotect",
    "mremap",
    "madvise",
    "brk",
    "msync",
    "mincore",
    "membarrier",
    "rseq",
    "set_robust_list",
    "get_robust_list",
    "set_tid_address",
    "futex",
    "futex_waitv",
    "arch_prctl",
    "fork",
    "vfork",
    "execve",
    "exit",
    "exit_group",
    "wait4",
    "waitid",
    "kill",
    "tkill",
    "tgkill",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigpending",
    "rt_sigtimedwait",
    "rt_sigsuspend",
    "rt_sigqueueinfo",
    "sigaltstack",
    "pause",
    "alarm",
    "getitimer",
    "setitimer",
    "timer_create",
    "timer_settime",
    "timer_gettime",
    "timer_delete",
    "timer_getoverrun",
    "nanosleep",
    "clock_nanosleep",
    "clock_gettime",
    "clock_getres",
    "gettimeofday",
    "time",
    "times",
    "getpid",
    "getppid",
    "gettid",
    "getpgid",
    "getpgrp",
    "getsid",
    "setsid",
    "setpgid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "getgroups",
    "getrlimit",
    "setrlimit",
    "getrusage",
    "getpriority",
    "sched_yield",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "getcpu",
    "getrandom",
    "uname",
    "sysinfo",
    "restart_syscall",
    "capget",
};

bool allow(scmp_filter_ctx context, const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  return number < 0 || seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0) == 0;
}

bool allow_where(scmp_filter_ctx context, int number, const scmp_arg_cmp& condition) {
  return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, &condition) == 0;
}

bool add_special_rules(scmp_filter_ctx context) {
  // A thread or a process, but no namespace of its own, and no child of the launcher, as a copy's sibling would be.
  constexpr scmp_datum_t kRefusedFlags = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                         CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_PARENT;
  bool good = allow_where(context, SCMP_SYS(clone), {0, SCMP_CMP_MASKED_EQ, kRefusedFlags, 0});
  // Its own limits, but not those of init, which has the same user where the launcher is an ordinary one's.
  good = good && allow_where(context, SCMP_SYS(prlimit64), {0, SCMP_CMP_EQ, 0, 0});
  good = good && seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
  // The kernel looks at the lower half of these words alone; a caller that sets bits above it is refused.
  for (const unsigned long request : {TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TIOCGWINSZ}) {
    good = good && allow_where(context, SCMP_SYS(ioctl), {1, SCMP_CMP_EQ, request, 0});
  }
  // A pair that knows nobody else: the Java runtime wants one. Descriptors cannot be sent through it, as sendmsg is
  // refused.
  good = good && allow_where(context, SCMP_SYS(socketpair), {0, SCMP_CMP_EQ, AF_UNIX, 0});
  for (const unsigned long option :
       {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP}) {
    good = good && allow_where(context, SCMP_SYS(prctl), {0, SCMP_CMP_EQ, option, 0});
  }
  return good;
}

std::vector<sock_filter> read_program(int fd) {
  const off_t size = lseek(fd, 0, SEEK_END);
  if (size <= 0 || size % static_cast<off_t>(sizeof(sock_filter)) != 0) {
    return {};
  }
  std::vector<sock_filter> program(static_cast<std::size_t>(size) / sizeof(sock_filter));
  return pread(fd, program.data(), static_cast<std::size_t>(size), 0) == size ? program : std::vector<sock_filter>{};
}

}  // namespace

std::vector<sock_filter> build_seccomp_filter() {
  scmp_filter_ctx context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (context == nullptr) {
    return {};
  }
  bool good = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0;
  // A binary tree: the depth of the check no longer grows with the place in the list.
  good = good && seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0;
  for (const char* name : kAllowed) {
    good = good && allow(context, name);
  }
  good = good && add_special_rules(context);
  UniqueFd file(memfd_create("seccomp", MFD_CLOEXEC));
  good = good && file.valid() && seccomp_export_bpf(context, file.get()) == 0;
  seccomp_release(context);
  return good ? read_program(file.get()) : std::vector<sock_filter>{};
}

}  // namespace plumb
