#include "compiler_sandbox/local_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

namespace {

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
  std::string text;

  bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return false;
    }
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
    return true;
  }
  void read_some() {
    char piece[4096];
    const ssize_t size = read(reader.get(), piece, sizeof(piece));
    if (size > 0) {
      text.append(piece, static_cast<std::size_t>(size));
    } else if (size == 0 || errno != EINTR) {
      reader.reset();
    }
  }
};

int spawn(const std::vector<std::string>& argv, const Pipe& output, const Pipe& errors, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.writer.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors.writer.get(), 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  std::string path = "PATH=/usr/bin:/bin";
  std::string locale = "LC_ALL=C";
  char* environment[] = {path.data(), locale.data(), nullptr};
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, nullptr, arguments.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Result<std::string> run_local_tool(const std::vector<std::string>& argv) {
  Pipe output;
  Pipe errors;
  pid_t pid = -1;
  if (!output.open() || !errors.open()) {
    return Error{"cannot make a pipe to " + argv[0] + ": " + std::strerror(errno)};
  }
  if (const int error = spawn(argv, output, errors, pid); error != 0) {
    return Error{"cannot start " + argv[0] + ": " + std::strerror(error)};
  }
  output.writer.reset();
  errors.writer.reset();
  while (output.reader.valid() || errors.reader.valid()) {
    pollfd sources[2] = {{output.reader.get(), POLLIN, 0}, {errors.reader.get(), POLLIN, 0}};
    if (poll(sources, 2, -1) <= 0) {
      continue;
    }
    if (sources[0].revents != 0) {
      output.read_some();
    }
    if (sources[1].revents != 0) {
      errors.read_some();
    }
  }
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Error{argv[0] + " failed: " + errors.text.substr(0, errors.text.find('\n'))};
  }
  return output.text;
}

}  // namespace plumb
