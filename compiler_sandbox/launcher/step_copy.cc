#include "compiler_sandbox/launcher/step_copy.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "compiler_sandbox/launcher/landlock.h"
#include "compiler_sandbox/launcher/process_account.h"

namespace plumb {

namespace {

constexpr int kMine = 3;

[[noreturn]] void say_and_exit(const std::string& text) {
  static_cast<void>(!write(kMine, text.data(), text.size()));
  _exit(127);
}

}  // namespace

std::vector<UniqueFd> namespaces_of(int proc_fd, pid_t pid) {
  std::vector<UniqueFd> found;
  for (const char* kind : {"user", "mnt", "ipc", "uts", "cgroup", "pid"}) {
    found.emplace_back(openat(proc_fd, (std::to_string(pid) + "/ns/" + kind).c_str(), O_RDONLY | O_CLOEXEC));
    if (!found.back().valid()) {
      return {};
    }
  }
  return found;
}

void run_copy(int socket, const CopyIdentity& identity, const StepProgram& program) {
  if (socket != kMine && dup3(socket, kMine, O_CLOEXEC) != kMine) {
    _exit(1);
  }
  syscall(SYS_close_range, static_cast<unsigned>(kMine + 1), ~0U, 0U);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  WireMessage step;
  if (!receive_wire(kMine, step)) {
    _exit(1);
  }
  // As init is at this point; it takes on the program's ids with the step.
  if (identity.step.change_ids && (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)) {
    say_and_exit("ids");
  }
  if (const std::string error = enter_landlock(identity.readable, identity.step.work_folder); !error.empty()) {
    say_and_exit(error);
  }
  become_step(step_from_wire(step.body), step.fds, identity.step, kMine, program);
}

StepCopy::StepCopy(const StepTemplate& original, const std::vector<UniqueFd>& namespaces) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return;
  }
  socket_ = UniqueFd(pair[0]);
  const UniqueFd inner(pair[1]);
  asked_ = original.request_copy(inner.get(), namespaces) ? &original : nullptr;
}

void StepCopy::await(int proc_fd) {
  if (asked_ == nullptr) {
    return;
  }
  const StepTemplate::Copy made = std::exchange(asked_, nullptr)->await_copy();
  pid_ = made.pid;
  inherited_bytes_ = made.inherited_bytes;
  if (pid_ > 0) {
    end_fd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0U)));
    // What is to be killed first when memory runs out.
    static_cast<void>(write_proc(proc_fd, std::to_string(pid_) + "/oom_score_adj", "1000"));
  }
}

StepCopy::StepCopy(StepCopy&& other) noexcept
    : asked_(std::exchange(other.asked_, nullptr)),
      pid_(std::exchange(other.pid_, -1)),
      inherited_bytes_(other.inherited_bytes_),
      socket_(std::move(other.socket_)),
      end_fd_(std::move(other.end_fd_)) {}

StepCopy& StepCopy::operator=(StepCopy&& other) noexcept {
  std::swap(asked_, other.asked_);
  std::swap(pid_, other.pid_);
  std::swap(inherited_bytes_, other.inherited_bytes_);
  std::swap(socket_, other.socket_);
  std::swap(end_fd_, other.end_fd_);
  return *this;
}

StepCopy::~StepCopy() {
  await(-1);  // its answer would be taken for that to the next request
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    wait();
  }
}

std::string StepCopy::send(const WireMessage& step) const {
  std::vector<int> fds;
  for (const UniqueFd& fd : step.fds) {
    fds.push_back(fd.get());
  }
  if (!end_fd_.valid() || !send_wire(socket_.get(), step.body, fds)) {
    return "the copy of an interpreter or compiler died";
  }
  char text[256];
  const ssize_t size = read(socket_.get(), text, sizeof(text));  // nothing: it has closed its end, and goes on
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
}

StepEnd StepCopy::wait() {
  StepEnd end;
  rusage usage{};
  while (wait4(pid_, &end.status, __WALL, &usage) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  end.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  end.max_rss = std::max<std::int64_t>(0, usage.ru_maxrss * 1024 - inherited_bytes_);
  return end;
}

}  // namespace plumb
