#include "compiler_sandbox/launcher/init_template.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
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

[[noreturn]] void serve(const InitTemplate::Load& load, const std::function<pid_t()>& clone,
                        const InitTemplate::Start& start) {
  const bool loaded = load();
  WireMessage request;
  bool good = send_wire(kMine, {{"loaded", loaded}});
  while (good && receive_wire(kMine, request) && request.fds.size() == 1) {
    const std::string work_folder = request.body.value("work_folder", "");
    const pid_t pid = clone();
    if (pid == 0) {
      start(request.fds[0].get(), work_folder);
    }
    request.fds.clear();
    good = send_wire(kMine, {{"pid", pid}});
  }
  _exit(0);
}

}  // namespace

InitTemplate InitTemplate::create(const Load& load, const std::function<pid_t()>& clone, const Start& start) {
  InitTemplate made;
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
    if (getppid() != launcher) {
      _exit(1);
    }
    serve(load, clone, start);
  }
  if (pid > 0) {
    made.socket_ = std::move(outer);
    made.pid_ = pid;
  }
  return made;
}

bool InitTemplate::await(const std::function<void()>& meanwhile) {
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

void InitTemplate::end() {
  socket_.reset();
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
}

pid_t InitTemplate::make_init(int socket, const std::string& work_folder) const {
  WireMessage answer;
  if (pid_ <= 0 || !send_wire(socket_.get(), {{"work_folder", work_folder}}, {socket}) ||
      !receive_wire(socket_.get(), answer)) {
    return -1;
  }
  return answer.body.value("pid", -1);
}

}  // namespace plumb
