#include "compiler_sandbox/launcher/launcher.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include "compiler_sandbox/launcher/idle_watch.h"
#include "compiler_sandbox/launcher/session.h"
#include "compiler_sandbox/launcher/setup.h"
#include "compiler_sandbox/launcher/templates.h"
#include "compiler_sandbox/wire.h"

namespace plumb {

namespace {

constexpr int kJudgeSocket = 3;
constexpr int kPollMs = 10;  // how late a CPU limit may be noticed
constexpr int kMakingWay = 10;
constexpr std::int64_t kLoadingBytes = std::int64_t{1} << 30;
constexpr int kLoadingProcesses = 8;
constexpr int kCopyProcesses = 2;  // a copy, and the helper that makes it
constexpr std::int64_t kCopyBytes = std::int64_t{64} << 20;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Launcher {
 public:
  // Serves until the judge goes away.
  void serve() {
    WireMessage message;
    if (!receive_wire(kJudgeSocket, message)) {
      return;
    }
    const nlohmann::json layers = set_up_slot(message.body, slot_);
    drivers_ = message.body.value("python_drivers", std::vector<std::string>());
    warm_clang_ = message.body.value("warm_clang", nlohmann::json());
    slot_.python = python_template(slot_, drivers_);
    send_wire(kJudgeSocket, {{"layers", layers}});  // the judge starts other launchers meanwhile
    has_python_ = await_python();
    slot_.resident_bytes = slot_.cgroup.present() ? slot_.cgroup.kept_bytes() : 0;
    while (receive_wire(kJudgeSocket, message)) {
      const std::string op = message.body.value("op", "");
      if (op == "begin") {
        begin(message);
      } else if (op == "step") {
        step(message);
      } else if (op == "end") {
        end();
      }
    }
    session_.reset();
    slot_.python.end();
    slot_.clang.end();
    slot_.cgroup.remove();
  }

 private:
  void begin(const WireMessage& message) {
    take_part();
    session_.reset();
    renew_python();
    if (message.body.value("clang", false) && warm_clang_.is_object() &&
        starts_++ == warm_clang_.at("cold_starts").get<int>()) {
      warm_up();
    }
    const StepTemplate* first = nullptr;
    if (message.body.value("copies", false)) {
      const StepTemplate& original = message.body.value("clang", false) ? slot_.clang : slot_.python;
      const bool room = slot_.cgroup.set_limits(slot_.resident_bytes + kCopyBytes, kLoadingProcesses);
      first = room && original.pid() > 0 ? &original : nullptr;
    }
    std::string error;
    session_ = Session::start(slot_, message.body, first, error);
    send_wire(kJudgeSocket, session_ ? nlohmann::json{{"ready", true}} : nlohmann::json{{"error", error}});
  }

  bool await_python() {
    const bool loaded = slot_.python.await([] {});
    if (!loaded) {
      slot_.python.end();
    }
    return loaded;
  }

  // One that died, as it had no memory left to make a copy. (Of clang's, candidates are counted anew.)
  void renew_python() {
    if (has_python_ && slot_.python.pid() <= 0 &&
        slot_.cgroup.set_limits(slot_.resident_bytes + kLoadingBytes, kLoadingProcesses)) {
      slot_.python = python_template(slot_, drivers_);
      static_cast<void>(await_python());
    }
  }

  // Only with a cgroup: by other accounts what a program holds cannot be told from what it inherits.
  void warm_up() {
    if (!slot_.cgroup.present() || !slot_.cgroup.set_limits(slot_.resident_bytes + kLoadingBytes, kLoadingProcesses)) {
      return;
    }
    slot_.clang = clang_template(slot_, warm_clang_);
    if (!slot_.clang.await([] { send_wire(kJudgeSocket, {{"warming_up", true}}); })) {
      slot_.clang.end();
    }
    slot_.resident_bytes = slot_.cgroup.kept_bytes();
  }

  void end() {
    nlohmann::json report{{"ended", true}};
    end_session(report);
    send_wire(kJudgeSocket, report);
  }

  // Limits first, then the step; then watches it until it ends, breaks a limit, or the judge says otherwise.
  void step(const WireMessage& message) {
    const StepRequest request = step_from_wire(message.body);
    StepTemplate* original = slot_.python.does(request.argv)  ? &slot_.python
                             : slot_.clang.does(request.argv) ? &slot_.clang
                                                              : nullptr;
    StepRequest roomy = request;  // while a copy is made
    if (original != nullptr) {
      roomy.processes = std::max(request.processes, kCopyProcesses);
      roomy.memory_bytes = std::max(request.memory_bytes, kCopyBytes);
    }
    if (!session_ || !set_limits(roomy)) {
      fail(session_ ? "the kernel refused the memory or process limit" : "a step without a session");
      return;
    }
    take_part();
    slot_.cgroup.start_measurement();
    peak_bytes_ = 0;
    cpu_at_start_ = used_cpu_s();
    start_ = Clock::now();
    idle_.start(cpu_at_start_, start_);
    starved_.start(start_);
    if (original == nullptr) {
      session_->drop_copy();
    } else if (!session_->make_copy(*original)) {
      original->end();
      starts_ = 0;
    }
    if (roomy.processes != request.processes || roomy.memory_bytes != request.memory_bytes) {
      // Where it holds more already the kernel leaves the limit as it was: its peak says that it met its own.
      static_cast<void>(set_limits(request));
    }
    if (const std::string error = session_->start_step(message); !error.empty()) {
      fail(error);
      return;
    }
    memory_limit_ = request.memory_bytes;
    watch(request);
  }

  [[nodiscard]] bool set_limits(const StepRequest& request) const {
    const int templates = slot_.clang.pid() > 0 ? 1 : 0;  // beyond the one that is counted always
    return slot_.cgroup.set_limits(request.memory_bytes + slot_.resident_bytes, request.processes + templates);
  }

  void watch(const StepRequest& request) {
    for (;;) {
      pollfd sources[2] = {{kJudgeSocket, POLLIN, 0}, {session_->end_fd(), POLLIN, 0}};
      poll(sources, 2, kPollMs);
      if (sources[1].revents != 0) {
        finish();
        return;
      }
      const double cpu_s = used_cpu_s();
      if (cpu_s - cpu_at_start_ > request.cpu_s) {
        stop("cpu");
        return;
      }
      if (!slot_.cgroup.present() && grew_too_large()) {
        stop("memory");
        return;
      }
      starved_.look(Clock::now());
      if (is_late(request.wall_s)) {
        stop("wall");
        return;
      }
      if (const auto idle = idle_.look(cpu_s, Clock::now())) {
        making_way_ = !*idle && idle_.works() ? kMakingWay : making_way_;
        send_wire(kJudgeSocket, {{"off_cpu", *idle}});
      }
      make_way();
      if (sources[0].revents != 0) {
        return;  // "end", or the judge is gone: the main loop reads it
      }
    }
  }

  // Others run in the place of a program that slept. When it wakes up it must not take their processors: many that wake
  // together could keep an honest one waiting until its wall limit. A few times, for what it starts meanwhile.
  void make_way() {
    if (making_way_ > 0) {
      --making_way_;
      makes_way_ = true;
      session_->make_way(true);
      slot_.cgroup.make_way(true);
    }
  }

  // The end of making way: what is to be killed needs a processor to die, and the next step one to run.
  void take_part() {
    if (makes_way_ && session_) {
      session_->make_way(false);
    }
    if (makes_way_) {
      slot_.cgroup.make_way(false);
    }
    makes_way_ = false;
    making_way_ = 0;
  }

  // Where no cgroup keeps the account, it is a look every kPollMs.
  bool grew_too_large() {
    peak_bytes_ = std::max(peak_bytes_, session_->resident_bytes(memory_limit_));
    return peak_bytes_ > memory_limit_;
  }

  // What the last look said is believed where it excuses the step: a look is not for free.
  [[nodiscard]] bool is_late(double wall_s) {
    const double elapsed_s = seconds_since(start_);
    if (elapsed_s <= wall_s || elapsed_s > kWallPatience * wall_s) {
      return elapsed_s > wall_s;
    }
    return elapsed_s - starved_.so_far().longest_s > wall_s &&
           elapsed_s - starved_.starved(Clock::now()).longest_s > wall_s;
  }

  void finish() {
    nlohmann::json report;
    if (const auto end = session_->end_step()) {
      const int status = end->status;
      peak_bytes_ = std::max(peak_bytes_, end->max_rss);
      report["reason"] = "exit";
      report["exit_code"] = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      report["signal"] = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    } else {
      session_->kill_all();
      report["reason"] = "init_died";
    }
    add_usage(report);
    send_wire(kJudgeSocket, report);
  }

  void stop(const char* reason) {
    nlohmann::json report{{"reason", reason},
                          {"starved_s", starved_.starved(Clock::now()).longest_s},
                          {"asleep", reason == std::string("wall") && is_asleep()}};
    end_session(report);
    send_wire(kJudgeSocket, report);
  }

  // One that sleeps most of the time is awake at some looks; one that waits for a processor is so at all of them.
  [[nodiscard]] bool is_asleep() const {
    constexpr int kLooks = 5;
    bool asleep = session_->asleep();
    for (int look = 1; look < kLooks && !asleep; ++look) {
      usleep(1000);
      asleep = session_->asleep();
    }
    return asleep;
  }

  void fail(const std::string& error) { send_wire(kJudgeSocket, {{"error", error}}); }

  // A cgroup's account outlives the processes; that of /proc has to be read before they go.
  void end_session(nlohmann::json& report) {
    add_usage(report);
    take_part();
    session_.reset();
    if (slot_.cgroup.present()) {
      add_usage(report);
    }
  }

  void add_usage(nlohmann::json& report) const {
    report["wall_s"] = seconds_since(start_);
    report["cpu_s"] = used_cpu_s() - cpu_at_start_;
    report["peak_bytes"] = slot_.cgroup.present() ? slot_.cgroup.peak_bytes() : peak_bytes_;
    // A program that was refused more at the limit, and went on without, has met it all the same.
    const bool reached = !slot_.cgroup.present() && peak_bytes_ >= memory_limit_;
    report["oom_kills"] = reached ? 1 : slot_.cgroup.oom_kills();
  }

  [[nodiscard]] double used_cpu_s() const {
    if (slot_.cgroup.present()) {
      return slot_.cgroup.cpu_s();
    }
    return session_ ? session_->cpu_s() : cpu_at_start_;
  }

  Slot slot_;
  std::vector<std::string> drivers_;
  bool has_python_ = false;    // it could be loaded at the start
  nlohmann::json warm_clang_;  // load_warm_clang()'s, or null
  int starts_ = 0;             // sessions that were to start warm
  bool makes_way_ = false;     // the last step, since it woke up
  int making_way_ = 0;         // looks for which it is told so still
  std::unique_ptr<Session> session_;
  double cpu_at_start_ = 0;
  std::int64_t memory_limit_ = 0;  // of the step
  std::int64_t peak_bytes_ = 0;    // of the step, without a cgroup
  Clock::time_point start_ = Clock::now();
  StarvedWatch starved_{[this] { return session_->thread_waits(); }};
  IdleWatch idle_{[this] { return starved_.starved(Clock::now()).all_s; }};
};

}  // namespace

void serve_judge() {
  Launcher().serve();
}

}  // namespace plumb
