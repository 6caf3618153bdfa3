#include "compiler_sandbox/launcher/init.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "compiler_sandbox/launcher/landlock.h"
#include "compiler_sandbox/launcher/root_tree.h"

namespace plumb {

namespace {

std::string write_file(const std::string& path, const std::string& content) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  std::size_t done = 0;
  while (fd.valid() && done < content.size()) {
    const ssize_t size = write(fd.get(), content.data() + done, content.size() - done);
    if (size <= 0) {
      break;
    }
    done += static_cast<std::size_t>(size);
  }
  return fd.valid() && done == content.size() ? "" : "write " + path + ": " + std::strerror(errno);
}

std::string prepare(const InitOptions& options, const nlohmann::json& begin) {
  const std::string& folder = options.identity.work_folder;
  if (options.namespaces) {
    if (std::string error =
            mount_work_folder(begin.at("work_mib").get<int>(), options.identity.uid, options.identity.gid);
        !error.empty()) {
      return error;
    }
    static_cast<void>(!sethostname("sandbox", 7));
  }
  const std::string temporary = folder + "/tmp";
  if (mkdir(temporary.c_str(), 0700) != 0 ||
      (options.identity.change_ids && chown(temporary.c_str(), options.identity.uid, options.identity.gid) != 0)) {
    return "make " + temporary + ": " + std::strerror(errno);
  }
  for (const auto& [name, content] : begin.at("files").items()) {
    if (std::string error = write_file(folder + "/" + name, bytes_of(content)); !error.empty()) {
      return error;
    }
  }
  // From here on init reads and reaps: it can be closed in together with what it starts.
  return enter_landlock(options.readable, folder);
}

// Waits for `child` while reaping whatever else is handed to us.
StepEnd wait_for(pid_t child) {
  StepEnd result;
  for (;;) {
    int status = 0;
    rusage usage{};
    const pid_t ended = wait4(-1, &status, __WALL, &usage);
    if (ended > 0) {
      result.max_rss = std::max<std::int64_t>(result.max_rss, usage.ru_maxrss * 1024);
    }
    if (ended == child) {
      result.status = status;
      return result;
    }
    if (ended < 0 && errno != EINTR) {
      return result;
    }
  }
}

void reap(int) {
  const int before = errno;
  while (waitpid(-1, nullptr, __WALL | WNOHANG) > 0) {
  }
  errno = before;
}

// Between init's own steps there may be one that is a copy of a template, whose orphans come here. They are waited for,
// as processes that are dead count against a limit, and are in no account of CPU time until someone does.
void reap_orphans(bool on) {
  struct sigaction action {};
  action.sa_handler = on ? reap : SIG_DFL;
  action.sa_flags = SA_RESTART;
  sigaction(SIGCHLD, &action, nullptr);
  if (on) {
    reap(SIGCHLD);  // those that died meanwhile
  }
}

// What a step left running must not see the next one. Only where kill(-1) means this namespace.
void end_stragglers(bool namespaces) {
  if (!namespaces) {
    return;
  }
  kill(-1, SIGKILL);
  while (waitpid(-1, nullptr, __WALL) > 0 || errno == EINTR) {
  }
}

}  // namespace

void run_init(const InitOptions& options) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  WireMessage message;
  if (!receive_wire(options.socket, message)) {
    _exit(1);
  }
  const std::string error = prepare(options, message.body);
  send_wire(options.socket, error.empty() ? nlohmann::json{{"ready", true}} : nlohmann::json{{"error", error}});
  for (reap_orphans(true); error.empty() && receive_wire(options.socket, message); reap_orphans(true)) {
    reap_orphans(false);
    std::string step_error;
    const pid_t child = start_step(step_from_wire(message.body), message.fds, options.identity, step_error);
    message.fds.clear();
    if (child < 0) {
      send_wire(options.socket, {{"error", step_error}});
      continue;
    }
    send_wire(options.socket, {{"started", true}});
    const StepEnd ended = wait_for(child);
    end_stragglers(options.namespaces);
    // A child begins with its parent's pages, and the kernel counts them as its own.
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    send_wire(options.socket,
              {{"status", ended.status}, {"max_rss", std::max<std::int64_t>(0, ended.max_rss - own.ru_maxrss * 1024)}});
  }
  _exit(0);
}

}  // namespace plumb
