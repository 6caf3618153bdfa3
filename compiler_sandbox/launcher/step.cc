#include "compiler_sandbox/launcher/step.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>

namespace plumb {

namespace {

constexpr rlim_t kStackShare = 16;  // of a limited address space: each thread reserves as much as the stack may grow to
// Above the memory limit: what a program holds is looked at from outside (process_account.h), and runtimes like Java's
// and Node's reserve gigabytes that they never touch. What is left is a net against one allocation beyond all reason.
constexpr rlim_t kAddressSlack = rlim_t{4} << 30U;
constexpr rlim_t kOpenFiles = 256;
constexpr std::size_t kBorrowedStack = std::size_t{256} << 10U;
constexpr int kFirstSpareFd = 20;  // above every target, below kOpenFiles

bool lower_limit(int resource, rlim_t value) {
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) {
    return false;
  }
  const rlim_t capped = now.rlim_max == RLIM_INFINITY ? value : std::min(value, now.rlim_max);
  const rlimit limit{capped, capped};
  return setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// The CPU limit here is a net below the launcher's own (per process, whole seconds).
bool set_limits(const StepRequest& request) {
  const auto cpu = static_cast<rlim_t>(std::ceil(request.cpu_s)) + 1;
  const auto memory = static_cast<rlim_t>(request.memory_bytes);
  const rlim_t stack = request.limit_address_space ? std::min(kStackBytes, memory / kStackShare) : kStackBytes;
  bool good = lower_limit(RLIMIT_CORE, 0) && lower_limit(RLIMIT_MSGQUEUE, 0) && lower_limit(RLIMIT_MEMLOCK, 0) &&
              lower_limit(RLIMIT_NOFILE, kOpenFiles) && lower_limit(RLIMIT_STACK, stack) &&
              lower_limit(RLIMIT_CPU, cpu) && lower_limit(RLIMIT_FSIZE, static_cast<rlim_t>(request.file_bytes)) &&
              lower_limit(RLIMIT_NPROC, static_cast<rlim_t>(request.processes) + 2);
  if (request.limit_address_space) {
    good = good && lower_limit(RLIMIT_AS, memory + kAddressSlack);
  }
  return good;
}

bool place_descriptors(const StepRequest& request, const std::vector<UniqueFd>& fds, bool executes, int& status_fd) {
  std::vector<int> moved;
  for (const UniqueFd& fd : fds) {
    moved.push_back(fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstSpareFd));
  }
  status_fd = fcntl(status_fd, F_DUPFD_CLOEXEC, kFirstSpareFd);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  bool good = status_fd >= 0 && null >= 0;
  for (int target = 0; target <= 2; ++target) {
    good = good && dup2(null, target) == target;
  }
  for (std::size_t i = 0; i < moved.size() && i < request.targets.size(); ++i) {
    good = good && moved[i] >= 0 && dup2(moved[i], request.targets[i]) == request.targets[i];
  }
  const int last =
      request.targets.empty() ? 2 : std::max(2, *std::max_element(request.targets.begin(), request.targets.end()));
  // Where nothing is executed all but the status is closed here.
  const auto first = static_cast<unsigned>(last + 1);
  const auto status = static_cast<unsigned>(status_fd);
  const unsigned flags = executes ? CLOSE_RANGE_CLOEXEC : 0;
  return good && syscall(SYS_close_range, first, status - 1, flags) == 0 &&
         syscall(SYS_close_range, status + 1, ~0U, flags) == 0;
}

bool drop_privileges(const StepIdentity& identity) {
  for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  if (identity.change_ids && (setgroups(0, nullptr) != 0 || setresgid(identity.gid, identity.gid, identity.gid) != 0 ||
                              setresuid(identity.uid, identity.uid, identity.uid) != 0)) {
    return false;
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[2]{};
  return syscall(SYS_capset, &header, none) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool reset_signals() {
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) {
    signal(signal_number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  return sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const std::string& text : texts) {
    result.push_back(const_cast<char*>(text.c_str()));
  }
  result.push_back(nullptr);
  return result;
}

// In the child. Returns only on failure: the name of what failed, with errno set.
const char* become(const StepRequest& request, const std::vector<UniqueFd>& fds, const StepIdentity& identity,
                   const StepProgram& program, int& status_fd) {
  std::vector<char*> argv = pointers(request.argv);
  std::vector<char*> environment = pointers(request.environment);
  if (setsid() < 0 || !reset_signals()) {
    return "session";
  }
  if (!place_descriptors(request, fds, !program, status_fd)) {
    return "descriptors";
  }
  umask(077);
  // Addresses that repeat make outcomes that depend on them repeat, too.
  personality(ADDR_NO_RANDOMIZE);
  if (chdir(identity.work_folder.c_str()) != 0) {
    return "work folder";
  }
  if (!set_limits(request)) {
    return "resource limits";
  }
  if (!drop_privileges(identity)) {
    return "privileges";
  }
  // Where no process namespace does it: a program does not outlive init, nor init its launcher.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  const sock_fprog filter{static_cast<unsigned short>(identity.filter.size()),
                          const_cast<sock_filter*>(identity.filter.data())};
  if (!identity.filter.empty() && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &filter) != 0) {
    return "seccomp";
  }
  if (program) {
    close(status_fd);
    program(request, argv.data(), environment.data());
  }
  execve(argv[0], argv.data(), environment.data());
  // What was built in the session lies where its own runs may remove or replace it: then it ends as in a shell. That it
  // is there at first is known from the steps that built it.
  constexpr int kGone[] = {ENOENT, EACCES, ENOTDIR, EISDIR, ENOEXEC, ELOOP, ETXTBSY, ELIBBAD};
  if (request.argv[0].starts_with("./") && std::find(std::begin(kGone), std::end(kGone), errno) != std::end(kGone)) {
    _exit(127);
  }
  return "exec";
}

struct Becoming {
  const StepRequest& request;
  const std::vector<UniqueFd>& fds;
  const StepIdentity& identity;
  int status_fd;
};

int become_executed(void* argument) {
  const auto& becoming = *static_cast<const Becoming*>(argument);
  become_step(becoming.request, becoming.fds, becoming.identity, becoming.status_fd, {});
}

// A child that executes something borrows this process's memory until then (vfork(2)): copying the pages' table and
// giving it back is most of what a fork costs. Nothing but our own code runs meanwhile, and no other process may look
// at that memory: the mark that says so (PR_SET_DUMPABLE) belongs to the memory.
pid_t start_child(Becoming& becoming) {
  alignas(16) static char stack[kBorrowedStack];
  return clone(become_executed, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &becoming);
}

}  // namespace

void become_step(const StepRequest& request, const std::vector<UniqueFd>& fds, const StepIdentity& identity,
                 int status_fd, const StepProgram& program) {
  const char* stage = become(request, fds, identity, program, status_fd);
  const std::string text = std::string(stage) + ": " + std::strerror(errno);
  static_cast<void>(!write(status_fd, text.data(), text.size()));
  _exit(127);
}

StepRequest step_from_wire(const nlohmann::json& body) {
  StepRequest request;
  request.argv = body.at("argv").get<std::vector<std::string>>();
  request.environment = body.at("environment").get<std::vector<std::string>>();
  request.targets = body.at("targets").get<std::vector<int>>();
  request.cpu_s = body.at("cpu_s").get<double>();
  request.wall_s = body.at("wall_s").get<double>();
  request.memory_bytes = body.at("memory_bytes").get<std::int64_t>();
  request.processes = body.at("processes").get<int>();
  request.file_bytes = body.at("file_bytes").get<std::int64_t>();
  request.limit_address_space = body.at("limit_address_space").get<bool>();
  return request;
}

pid_t start_step(const StepRequest& request, const std::vector<UniqueFd>& fds, const StepIdentity& identity,
                 std::string& error) {
  int status[2];
  if (pipe2(status, O_CLOEXEC) != 0) {
    error = std::string("pipe: ") + std::strerror(errno);
    return -1;
  }
  UniqueFd reader(status[0]);
  UniqueFd writer(status[1]);
  Becoming becoming{request, fds, identity, writer.get()};
  const pid_t child = start_child(becoming);
  writer.reset();
  if (child < 0) {
    error = std::string("fork: ") + std::strerror(errno);
    return -1;
  }
  char text[256];
  const ssize_t size = read(reader.get(), text, sizeof(text));
  if (size > 0) {
    error.assign(text, static_cast<std::size_t>(size));
    waitpid(child, nullptr, 0);
    return -1;
  }
  return child;
}

}  // namespace plumb
