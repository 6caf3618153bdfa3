#pragma once
// The judge's end of one launcher: starts it, talks to it, replaces it. Not thread-safe: a slot has one user at a time.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compiler_sandbox/isolation.h"
#include "compiler_sandbox/unique_fd.h"
#include "compiler_sandbox/wire.h"
#include "core/result.h"

namespace plumb {

/// One process to run in a session (compiler, linker, program).
struct Step {
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  double cpu_s = 10;
  double wall_s = 30;
  std::int64_t memory_bytes = std::int64_t{1} << 30;
  int processes = 16;
  std::int64_t file_bytes = std::int64_t{64} << 20;
};

/// How a step ended and what it used.
struct StepReport {
  std::string reason;  // "exit", "cpu", "wall", "init_died", "ended" (on our word), or "fault"
  std::string fault;   // reason "fault": what of ours broke
  int exit_code = -1;
  int signal = 0;
  double cpu_s = 0;
  double wall_s = 0;
  double starved_s = 0;  // reason "wall": how long it was ready to run but had no processor
  bool asleep = false;   // reason "wall": it waited then, and for no processor and no disk
  double peak_mib = 0;
  bool out_of_memory = false;  // the kernel killed a process of the step for its memory
};

class RunningStep;

/// What is run in a session without being executed, as a copy of a process that has it loaded.
enum class SessionStart {
  kBare,    // nothing
  kPython,  // the drivers' interpreter
  kClang,   // the compiler of what Toolchain::starts_warm() is true of, after a few cold starts
};

class Worker {
 public:
  /// Starts the launcher at `path` (see find_launcher) and waits until it has set its slot up.
  /// Its programs see, read-only, /usr, `cache_dir` and what of `mounts` exists. `warm_clang`: Toolchain::warm_clang().
  static Result<std::unique_ptr<Worker>> start(const std::string& path, const std::string& cache_dir,
                                               const std::vector<std::string>& mounts = {},
                                               const nlohmann::json& warm_clang = nullptr);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] const IsolationReport& isolation() const { return isolation_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Whether its launcher still holds the other end of the socket. One that says no will never do anything again.
  [[nodiscard]] bool is_alive() const;

  /// Starts a session with `files` (name to content) in its work folder of `work_mib`; ends the one before.
  Result<void> begin(const std::map<std::string, std::string>& files, int work_mib, SessionStart start);
  /// begin() in two halves: in between, others can begin too.
  Result<void> send_begin(const std::map<std::string, std::string>& files, int work_mib, SessionStart start);
  Result<void> await_begun();
  /// Starts a step; fds[i] becomes descriptor targets[i] of the program. The report comes over socket().
  Result<void> start_step(const Step& step, const std::vector<int>& fds, const std::vector<int>& targets);
  /// Readable when the step's report is there (or the launcher has died).
  [[nodiscard]] int socket() const { return socket_.get(); }
  /// The report; nothing where it was only word of whether the step uses a processor, for on_off_cpu().
  std::optional<StepReport> read_report();
  /// From now on `notice` is called, by whoever waits for a step, with true when that step has used no processor for a
  /// while, and with false when it does so again or has ended.
  void on_off_cpu(std::function<void(bool)> notice) { notice_ = std::move(notice); }
  /// Kills the session, whatever it does. The usage is that of the step it interrupted, if one was running.
  StepReport end();
  /// Kills the session without waiting until it is gone; nobody asks how it ended. The next begin() waits for that.
  void end_later();
  /// Whether a session has begun and was not ended, by us or with a step that broke a limit.
  [[nodiscard]] bool in_session() const { return in_session_; }

  /// Holds a step of this session that waits for more to do, for whoever has this worker next. It ends with the
  /// session.
  void keep(std::unique_ptr<RunningStep> step);
  /// The step that was kept, if one was and its session goes on.
  std::unique_ptr<RunningStep> take_kept();

 private:
  Worker() = default;
  StepReport await_ended();
  std::optional<StepReport> read_message();
  UniqueFd socket_;
  pid_t pid_ = -1;
  IsolationReport isolation_;
  bool limit_address_space_ = false;
  bool in_session_ = false;
  bool ending_ = false;  // the answer to end_later() has not been read
  std::unique_ptr<RunningStep> kept_;
  std::function<void(bool)> notice_;
  bool off_cpu_ = false;  // the last that was heard of the step
};

/// The launcher to use: `option`, else $PLUMB_SANDBOX_LAUNCHER, else "plumb-sandbox" beside the running program.
/// Errors: no executable file there.
Result<std::string> find_launcher(const std::string& option);

}  // namespace plumb
