#include "compiler_sandbox/launcher/step_template.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "compiler_sandbox/wire.h"

namespace plumb {

namespace {

constexpr int kMine = 3;
constexpr int kMeanwhileMs = 4000;

bool enter(const std::vector<UniqueFd>& fds, std::size_t first) {
  for (std::size_t i = first; i < fds.size(); ++i) {
    if (setns(fds[i].get(), 0) != 0) {
      return false;
    }
  }
  return true;
}

// Of `fds` the first is the copy's socket. Not inlined, as what calls vfork() may not return in the child.
__attribute__((noinline)) pid_t copy_inside(const std::vector<UniqueFd>& fds, const StepTemplate::Program& program) {
  static volatile pid_t copy;  // the helper writes to the template's memory
  copy = -1;
  const pid_t helper = vfork();
  if (helper == 0) {
    if (enter(fds, 1)) {
      copy = fork();
      if (copy == 0) {
        program.start(fds[0].get());
      }
    }
    _exit(0);
  }
  while (helper > 0 && waitpid(helper, nullptr, 0) < 0 && errno == EINTR) {
  }
  return copy;
}

[[noreturn]] void serve(const StepTemplate::Program& program) {
  const bool loaded = program.load();
  WireMessage request;
  bool good = send_wire(kMine, {{"loaded", loaded}});
  while (good && receive_wire(kMine, request) && !request.fds.empty()) {
    const pid_t pid = copy_inside(request.fds, program);
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    good = send_wire(kMine, {{"pid", pid}, {"max_rss", std::int64_t{usage.ru_maxrss} * 1024}});
  }
  _exit(0);
}

}  // namespace

StepTemplate StepTemplate::create(const Program& program) {
  StepTemplate made;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return made;
  }
  UniqueFd inner(pair[1]);
  UniqueFd outer(pair[0]);
  const pid_t launcher = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    // The launcher's socket to the judge stays outside: a copy of it would hide the launcher's death.
    if (dup3(inner.get(), kMine, O_CLOEXEC) != kMine) {
      _exit(1);
    }
    syscall(SYS_close_range, static_cast<unsigned>(kMine + 1), ~0U, 0U);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);  // copies are the launcher's
    if (getppid() != launcher) {
      _exit(1);
    }
    serve(program);
  }
  if (pid > 0) {
    made.socket_ = std::move(outer);
    made.pid_ = pid;
    made.does_ = program.does;
  }
  return made;
}

bool StepTemplate::await(const std::function<void()>& meanwhile) {
  if (pid_ <= 0) {
    return false;
  }
  pollfd source{socket_.get(), POLLIN, 0};
  for (int ready = 0; ready <= 0 && (ready == 0 || errno == EINTR); ready = poll(&source, 1, kMeanwhileMs)) {
    meanwhile();
  }
  WireMessage answer;
  return receive_wire(socket_.get(), answer) && answer.body.value("loaded", false);
}

void StepTemplate::end() {
  socket_.reset();
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
}

bool StepTemplate::request_copy(int socket, const std::vector<UniqueFd>& namespaces) const {
  std::vector<int> fds = {socket};
  for (const UniqueFd& one : namespaces) {
    fds.push_back(one.get());
  }
  return pid_ > 0 && !namespaces.empty() && send_wire(socket_.get(), nlohmann::json::object(), fds);
}

StepTemplate::Copy StepTemplate::await_copy() const {
  WireMessage answer;
  if (!receive_wire(socket_.get(), answer)) {
    return {};
  }
  return {.pid = answer.body.value("pid", -1), .inherited_bytes = answer.body.value("max_rss", std::int64_t{0})};
}

}  // namespace plumb
