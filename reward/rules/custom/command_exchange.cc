// The program's standard input and output are one end of a socket pair. Requests are written and answers read in the
// same loop: a program that answers line by line while it still has requests to read would otherwise block us as we
// block it.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "reward/rules/custom/line_exchange.h"

extern char** environ;

namespace plumb {
namespace {

class CommandExchange final : public LineExchange {
 public:
  explicit CommandExchange(std::vector<std::string> command) : command_(std::move(command)) {}
  ~CommandExchange() override { stop(); }
  CommandExchange(const CommandExchange&) = delete;
  CommandExchange& operator=(const CommandExchange&) = delete;

  Result<void> exchange(std::span<const std::string> lines, double timeout_s, const LineSink& sink) override {
    Result<void> done = pid_ < 0 ? start() : Result<void>();
    done = done ? talk(lines, timeout_s, sink) : std::move(done);
    if (!done) {
      const std::string end = stop();
      return Error{command_.front() + ": " + done.error().message + (end.empty() ? "" : " (" + end + ")")};
    }
    return {};
  }

 private:
  Result<void> start() {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return Error{std::string("cannot make a socket pair: ") + std::strerror(errno)};
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, pair[1], STDOUT_FILENO);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own: killed with what it starts; no Ctrl-C of ours. And no signal that is ignored here.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t ignored_here;
    sigemptyset(&ignored_here);
    sigaddset(&ignored_here, SIGXFSZ);
    posix_spawnattr_setsigdefault(&attributes, &ignored_here);
    std::vector<char*> argv;
    for (std::string& word : command_) {
      argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const int error = posix_spawnp(&pid_, argv.front(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (error != 0) {
      pid_ = -1;
      close(pair[0]);
      return Error{std::string("cannot be started: ") + std::strerror(error)};
    }
    socket_ = pair[0];
    fcntl(socket_, F_SETFL, O_NONBLOCK);
    return {};
  }

  Result<void> talk(std::span<const std::string> lines, double timeout_s, const LineSink& sink) {
    std::string out;
    for (const std::string& line : lines) {
      out += line;
      out += '\n';
    }
    std::size_t sent = 0;
    std::size_t answered = 0;
    std::string in;
    while (answered < lines.size()) {
      pollfd waiting{socket_, static_cast<short>(POLLIN | (sent < out.size() ? POLLOUT : 0)), 0};
      const int ready = poll(&waiting, 1, static_cast<int>(std::ceil(timeout_s * 1000)));
      if (ready == 0) {
        return Error{"no answer for " + std::to_string(timeout_s) + " s"};
      }
      if (ready < 0) {
        continue;  // a signal
      }
      if ((waiting.revents & POLLOUT) != 0) {
        const ssize_t wrote = send(socket_, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
        sent += wrote > 0 ? static_cast<std::size_t>(wrote) : 0;
      }
      if ((waiting.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        PLUMB_TRY(receive(in));
        PLUMB_ASSIGN(const std::size_t taken, take_lines(in, sink));
        answered += taken;
      }
    }
    return answered == lines.size() ? Result<void>() : Error{"answered more lines than it was asked"};
  }

  Result<void> receive(std::string& in) const {
    char buffer[1 << 16];
    const ssize_t got = recv(socket_, buffer, sizeof(buffer), 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
      return Error{"ended before it had answered"};
    }
    in.append(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
    return in.size() <= kMaxAnswerBytes ? Result<void>() : Error{"answered a line of more than 16 MiB"};
  }

  // Hands over the whole lines of `in`. Returns how many.
  static Result<std::size_t> take_lines(std::string& in, const LineSink& sink) {
    std::size_t count = 0;
    std::size_t begin = 0;
    for (std::size_t end = in.find('\n'); end != std::string::npos; end = in.find('\n', begin)) {
      const std::string_view line = std::string_view(in).substr(begin, end - begin);
      begin = end + 1;
      if (line.find_first_not_of(" \t\r") != std::string_view::npos) {
        PLUMB_TRY(sink(line));
        ++count;
      }
    }
    in.erase(0, begin);
    return count;
  }

  // Kills the group. Returns how the program had ended by itself, if it had.
  std::string stop() {
    if (pid_ < 0) {
      return {};
    }
    int status = 0;
    bool by_itself = waitpid(pid_, &status, WNOHANG) == pid_;
    for (int wait = 0; !by_itself && wait < 20; ++wait) {  // its socket closes some milliseconds before it is gone
      pollfd waiting{socket_, POLLIN, 0};
      by_itself = poll(&waiting, 1, 0) > 0 && (waiting.revents & POLLHUP) != 0 && usleep(1000) == 0 &&
                  waitpid(pid_, &status, WNOHANG) == pid_;
    }
    kill(-pid_, SIGKILL);
    if (!by_itself) {
      waitpid(pid_, nullptr, 0);
    }
    close(socket_);
    pid_ = -1;
    return !by_itself            ? ""
           : WIFSIGNALED(status) ? "it was ended by signal " + std::to_string(WTERMSIG(status))
                                 : "it exited with status " + std::to_string(WEXITSTATUS(status));
  }

  std::vector<std::string> command_;
  pid_t pid_ = -1;
  int socket_ = -1;
};

}  // namespace

std::unique_ptr<LineExchange> command_exchange(std::vector<std::string> command) {
  return std::make_unique<CommandExchange>(std::move(command));
}

}  // namespace plumb
