#include "reward/rules/math_worker.h"

#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "reward/rules/math/wire.h"

extern char** environ;

namespace plumb {

Result<std::string> find_math_worker(const std::string& option) {
  const char* const from_environment = std::getenv("PLUMB_MATHS_WORKER");
  std::string path = option.empty() && from_environment != nullptr ? from_environment : option;
  std::error_code error;
  std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (int level = 0; path.empty() && level < 3; ++level, folder = folder.parent_path()) {
    if (access((folder / "plumb-maths").c_str(), X_OK) == 0) {
      path = folder / "plumb-maths";
    }
  }
  if (path.empty() || access(path.c_str(), X_OK) != 0) {
    return Error{"the maths worker " + (path.empty() ? std::string("plumb-maths") : path) +
                 " cannot be executed: build the target plumb-maths, or name its path in PLUMB_MATHS_WORKER"};
  }
  return path;
}

// The running worker: its end of a socket is the program's standard input.
class MathWorker::Process {
 public:
  static Result<std::unique_ptr<Process>> start(const MathWorkerOptions& options) {
    PLUMB_ASSIGN(std::string path, find_math_worker(options.path));
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
      return Error{std::string("cannot make a socket pair for the maths worker: ") + std::strerror(errno)};
    }
    std::unique_ptr<Process> process(new Process);
    process->socket_ = pair[0];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pair[1], 0);
    std::string memory = std::to_string(options.memory_bytes);
    std::string cpu = std::to_string(options.cpu_seconds);
    char* const argv[] = {path.data(), memory.data(), cpu.data(), nullptr};
    const int error = posix_spawn(&process->pid_, path.c_str(), &actions, nullptr, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pair[1]);
    if (error != 0) {
      process->pid_ = -1;
      return Error{"cannot start the maths worker " + path + ": " + std::strerror(error)};
    }
    return process;
  }

  ~Process() {
    end();
    close(socket_);
  }

  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] int pid() const { return pid_; }

  // Kills it and says how it had ended by itself, if it had.
  std::string end() {
    if (pid_ < 0) {
      return "it was not running";
    }
    int status = 0;
    bool by_itself = waitpid(pid_, &status, WNOHANG) == pid_;
    for (int wait = 0; !by_itself && wait < 20; ++wait) {
      // A closed socket and the end of its process may be told apart by some milliseconds.
      usleep(1000);
      by_itself = waitpid(pid_, &status, WNOHANG) == pid_;
    }
    if (!by_itself) {
      kill(pid_, SIGKILL);
      waitpid(pid_, &status, 0);
    }
    pid_ = -1;
    return !by_itself            ? "it did not answer in time"
           : WIFSIGNALED(status) ? "it was ended by signal " + std::to_string(WTERMSIG(status))
                                 : "it exited with status " + std::to_string(WEXITSTATUS(status));
  }

  // Ends it without waiting for it to end by itself.
  void kill_now() {
    if (pid_ >= 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
      pid_ = -1;
    }
  }

 private:
  Process() = default;
  int socket_ = -1;
  pid_t pid_ = -1;
};

MathWorker::MathWorker(MathWorkerOptions options) : options_(std::move(options)) {}

MathWorker::~MathWorker() {
  if (process_) {
    process_->kill_now();
  }
}

int MathWorker::pid() const {
  const std::lock_guard lock(mutex_);
  return process_ ? process_->pid() : -1;
}

Result<void> MathWorker::start() {
  const std::lock_guard lock(mutex_);
  return ensure_running();
}

Result<void> MathWorker::ensure_running() {
  if (!process_) {
    PLUMB_ASSIGN(process_, Process::start(options_));
  }
  return {};
}

namespace {

void write_options(math::FrameWriter& out, const MathOptions& options) {
  const bool flags[] = {options.bare_percent,  options.optional_unit, options.convert_units, options.unordered_lists,
                        options.decimal_comma, options.join_boxes,    options.last_number,   options.probably_counts};
  out.number(options.decimal_digits);
  for (const bool flag : flags) {
    out.number(static_cast<std::uint8_t>(flag ? 1 : 0));
  }
  out.number(options.max_work);
  out.number(options.seed);
}

}  // namespace

// Appends what was answered to `results`; a death leaves its description in `failure`.
void MathWorker::run_batch(std::span<const MathItem> items, const MathOptions& options,
                           std::vector<MathResult>& results, std::string& failure) {
  math::FrameWriter request;
  write_options(request, options);
  request.number(static_cast<std::uint32_t>(items.size()));
  for (const MathItem& item : items) {
    request.number(static_cast<std::uint8_t>(item.response ? 1 : 0));
    request.text(item.truth);
    request.text(item.text);
  }
  std::size_t answered = 0;
  bool alive = request.send(process_->socket());
  while (alive && answered < items.size()) {
    const auto frame = math::receive_frame(process_->socket(), options_.wall_ms);
    alive = frame.has_value();
    if (alive) {
      math::FrameReader reader(*frame);
      MathResult result;
      result.verdict = static_cast<MathVerdict>(reader.number<std::uint8_t>());
      result.work = reader.number<std::int64_t>();
      result.reason = reader.text();
      result.extracted = reader.text();
      results.push_back(std::move(result));
      ++answered;
    }
  }
  if (!alive) {
    failure = process_->end();
    process_.reset();
  }
}

std::vector<MathResult> MathWorker::verify(std::span<const MathItem> items, const MathOptions& options) {
  constexpr std::size_t kBatchItems = 512;
  constexpr std::size_t kBatchBytes = std::size_t{8} << 20;
  const std::lock_guard lock(mutex_);
  std::vector<MathResult> results;
  std::size_t doubtful = 0;  // items before this one are asked alone: one of them ended a worker
  while (results.size() < items.size()) {
    const std::size_t first = results.size();
    const bool alone = first < doubtful;
    const std::size_t most = alone ? 1 : kBatchItems;
    std::size_t count = 0;
    for (std::size_t bytes = 0; first + count < items.size() && count < most && bytes < kBatchBytes; ++count) {
      bytes += items[first + count].truth.size() + items[first + count].text.size();
    }
    std::string failure;
    if (const auto running = ensure_running(); !running) {
      failure = running.error().message;
    } else {
      run_batch(items.subspan(first, count), options, results, failure);
    }
    if (!failure.empty() && alone && results.size() == first) {
      MathResult lost;
      lost.fault = "maths worker: " + failure;
      lost.reason = lost.fault;
      results.push_back(std::move(lost));
    }
    if (!failure.empty()) {
      doubtful = alone ? results.size() : first + count;
    }
  }
  return results;
}

}  // namespace plumb
