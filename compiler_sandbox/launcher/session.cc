#include "compiler_sandbox/launcher/session.h"

#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "compiler_sandbox/launcher/init_start.h"
#include "compiler_sandbox/launcher/process_account.h"
#include "compiler_sandbox/launcher/root_tree.h"

namespace plumb {

namespace {

constexpr int kKillRounds = 5000;  // of a millisecond at least
constexpr int kStrayMs = 20;

int remove_entry(const char* path, const struct stat*, int, FTW*) {
  return remove(path);
}

}  // namespace

std::unique_ptr<Session> Session::start(const Slot& slot, const nlohmann::json& begin, const StepTemplate* first,
                                        std::string& error) {
  std::unique_ptr<Session> session(new Session(slot));
  std::string work_folder = kWorkMount;
  if (!slot.namespaces) {
    char folder[] = "/tmp/plumb-sandbox-XXXXXX";
    if (mkdtemp(folder) == nullptr || (slot.privileged && chown(folder, slot.uid + 1, slot.uid + 1) != 0)) {
      error = std::string("cannot make a work folder in /tmp: ") + std::strerror(errno);
      return nullptr;
    }
    work_folder = session->outside_work_folder_ = folder;
  }
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    error = std::string("socketpair: ") + std::strerror(errno);
    return nullptr;
  }
  session->socket_ = UniqueFd(pair[0]);
  UniqueFd inner(pair[1]);
  session->init_ = start_init(slot, inner.get(), work_folder);
  if (session->init_ < 0) {
    error = std::string("clone: ") + std::strerror(errno);
    return nullptr;
  }
  inner.reset();
  if (slot.namespaces && !write_id_maps(slot, session->init_)) {
    error = std::string("cannot map the slot's user ids: ") + std::strerror(errno);
    return nullptr;
  }
  static_cast<void>(write_proc(slot.proc_fd, std::to_string(session->init_) + "/oom_score_adj", "1000"));
  if (slot.namespaces && begin.value("copies", false)) {
    session->namespaces_ = namespaces_of(slot.proc_fd, session->init_);  // now: init hides them from all but root
  }
  if (first != nullptr) {
    session->copy_ = StepCopy(*first, session->namespaces_);
  }
  const char go = 1;
  WireMessage answer;
  if (send(session->socket_.get(), &go, 1, MSG_NOSIGNAL) != 1 || !send_wire(session->socket_.get(), begin) ||
      !receive_wire(session->socket_.get(), answer)) {
    error = "the sandbox's init died while starting";
    return nullptr;
  }
  if (answer.body.contains("error")) {
    error = answer.body["error"].get<std::string>();
    return nullptr;
  }
  session->copy_.await(slot.proc_fd);
  return session;
}

bool Session::make_copy(const StepTemplate& original) {
  if (copy_.pid() <= 0) {
    copy_ = StepCopy(original, namespaces_);
    copy_.await(slot_.proc_fd);
  }
  return copy_.pid() > 0;
}

std::string Session::start_step(const WireMessage& message) {
  if (copy_.pid() > 0) {
    return copy_.send(message);
  }
  std::vector<int> fds;
  for (const UniqueFd& fd : message.fds) {
    fds.push_back(fd.get());
  }
  WireMessage answer;
  if (!send_wire(socket_.get(), message.body, fds) || !receive_wire(socket_.get(), answer)) {
    return "the sandbox's init died";
  }
  return answer.body.value("error", "");
}

std::optional<StepEnd> Session::end_step() {
  if (copy_.pid() > 0) {
    const StepEnd end = copy_.wait();
    end_stragglers();
    cpu_of_copies_s_ += end.cpu_s;
    return end;
  }
  WireMessage answer;
  if (!receive_wire(socket_.get(), answer) || !answer.body.contains("status")) {
    return std::nullopt;
  }
  return StepEnd{.status = answer.body["status"].get<int>(), .max_rss = answer.body.value("max_rss", std::int64_t{0})};
}

// What a copy left running must not see the next step. Init, which reaps it, may not end it: both are closed in by
// Landlock, each for itself, and so do not reach each other.
void Session::end_stragglers() const {
  for (int round = 0; round < kKillRounds; ++round) {
    std::vector<int> pids = processes();
    std::erase(pids, init_);
    if (pids.empty()) {
      return;
    }
    for (const int sent : {SIGSTOP, SIGKILL}) {
      for (const int pid : pids) {
        kill(pid, sent);
      }
    }
    usleep(1000);
  }
}

// Orphans of a session stay among init's descendants: init adopts them, and after it the launcher.
std::vector<int> Session::processes() const {
  if (!slot_.cgroup.present()) {
    std::vector<int> pids = descent(slot_.proc_fd, init_);
    const std::vector<int> of_copy = copy_.pid() > 0 ? descent(slot_.proc_fd, copy_.pid()) : std::vector<int>();
    pids.insert(pids.end(), of_copy.begin(), of_copy.end());
    return pids;
  }
  std::vector<int> pids = slot_.cgroup.processes();
  std::erase(pids, getpid());
  std::erase(pids, slot_.python.pid());
  std::erase(pids, slot_.clang.pid());
  return pids;
}

// No namespace ends them for us: stop all, so that none can fork away, kill all, and wait until none is left, as the
// dead count against the next session's limit until someone has waited for them.
void Session::kill_descent() const {
  for (int round = 0; round < kKillRounds; ++round) {
    std::vector<int> pids = descent(slot_.proc_fd, getpid());
    pids.erase(pids.begin());
    for (const int sent : {SIGSTOP, SIGKILL}) {
      for (const int pid : pids) {
        kill(pid, sent);
      }
    }
    pid_t ended = 0;
    do {
      ended = waitpid(-1, nullptr, __WALL | WNOHANG);
    } while (ended > 0);
    if (ended < 0 && errno == ECHILD) {
      return;
    }
    usleep(1000);
  }
}

// The kernel lets init go when all others of its namespace have been waited for, and some may be children of ours: the
// copy, and one that is left of a template that died while it made it.
void Session::end_namespace() {
  const UniqueFd gone(static_cast<int>(syscall(SYS_pidfd_open, init_, 0U)));
  kill(init_, SIGKILL);
  copy_ = StepCopy();
  while (waitpid(init_, nullptr, __WALL | WNOHANG) == 0) {
    pollfd ended{gone.get(), POLLIN, 0};
    if (poll(&ended, 1, kStrayMs) > 0) {
      continue;
    }
    std::vector<int> strays = descent(slot_.proc_fd, getpid());
    for (const int known : {getpid(), init_, slot_.python.pid(), slot_.clang.pid()}) {
      std::erase(strays, known);
    }
    for (const int pid : strays) {
      waitpid(pid, nullptr, __WALL | WNOHANG);
    }
  }
}

void Session::kill_all() {
  if (init_ > 0 && slot_.namespaces) {
    end_namespace();
  } else if (init_ > 0) {
    kill_descent();
  }
  init_ = -1;
  if (!outside_work_folder_.empty()) {
    nftw(outside_work_folder_.c_str(), remove_entry, 32, FTW_DEPTH | FTW_PHYS);
    outside_work_folder_.clear();
  }
}

double Session::cpu_s() const {
  return cpu_seconds(slot_.proc_fd, processes()) + cpu_of_copies_s_;
}

ThreadWaits Session::thread_waits() const {
  return plumb::thread_waits(slot_.proc_fd, processes());
}

void Session::make_way(bool on) const {
  std::vector<int> pids = processes();
  std::erase(pids, init_);
  plumb::make_way(slot_.proc_fd, pids, on);
}

bool Session::asleep() const {
  return all_asleep(slot_.proc_fd, processes());
}

std::int64_t Session::resident_bytes(std::int64_t enough) const {
  std::vector<int> pids = processes();
  std::erase(pids, init_);  // ours
  return pids.empty() ? 0 : plumb::resident_bytes(slot_.proc_fd, pids, enough);
}

Session::~Session() {
  kill_all();
}

}  // namespace plumb
