#include "compiler_sandbox/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/running_step.h"

namespace plumb {

namespace {

constexpr int kLauncherSocket = 3;
constexpr int kAnswerMs = 20000;  // a launcher that says nothing for so long is taken for dead

bool readable_in_time(int socket) {
  pollfd source{socket, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&source, 1, kAnswerMs);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// Empty environment, default signals, a session of its own, and no descriptor but its socket.
int spawn(const std::string& path, int socket, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd <= 2; ++fd) {
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  }
  posix_spawn_file_actions_adddup2(&actions, socket, kLauncherSocket);
  posix_spawn_file_actions_addclosefrom_np(&actions, kLauncherSocket + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  std::string name = "plumb-sandbox";
  char* argv[] = {name.data(), nullptr};
  char* environment[] = {nullptr};
  const int error = posix_spawn(&pid, path.c_str(), &actions, &attributes, argv, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

std::string remedy_for(const std::string& name) {
  if (name.starts_with("cgroup_v")) {
    return "run as root with the memory and pids controllers writable (docker: --privileged), or set "
           "allow = [\"no_cgroup\"] to fall back on RLIMIT_AS and RLIMIT_NPROC";
  }
  if (name == "private_uid") {
    return "start as root; as an ordinary user set allow = [\"no_cgroup\"], which covers it";
  }
  if (name == "landlock") {
    return "boot a kernel from 5.13 on with landlock among its lsm= modules; nothing is refused without it";
  }
  if (name == "seccomp") {
    return "use a kernel with CONFIG_SECCOMP_FILTER; there is no loosening for this layer";
  }
  return "give the container --security-opt seccomp=unconfined --security-opt apparmor=unconfined (or --privileged), "
         "or set allow = [\"no_namespaces\"]";
}

IsolationReport report_from(const nlohmann::json& layers) {
  IsolationReport report;
  for (const auto& one : layers) {
    IsolationLayer layer;
    layer.name = one.at("name").get<std::string>();
    layer.present = one.at("present").get<bool>();
    layer.detail = one.at("detail").get<std::string>();
    layer.remedy = layer.present ? "" : remedy_for(layer.name);
    report.layers.push_back(std::move(layer));
  }
  return report;
}

StepReport fault(const std::string& what) {
  StepReport report;
  report.reason = "fault";
  report.fault = what;
  return report;
}

}  // namespace

Result<std::string> find_launcher(const std::string& option) {
  std::string path = option;
  const char* from_environment = std::getenv("PLUMB_SANDBOX_LAUNCHER");
  if (path.empty() && from_environment != nullptr) {
    path = from_environment;
  }
  if (path.empty()) {
    std::error_code error;
    path = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "plumb-sandbox";
  }
  if (access(path.c_str(), X_OK) != 0) {
    return Error{"the sandbox launcher " + path + " cannot be executed (" + std::strerror(errno) +
                 "): build the target plumb-sandbox, or name its path in PLUMB_SANDBOX_LAUNCHER"};
  }
  return path;
}

Result<std::unique_ptr<Worker>> Worker::start(const std::string& path, const std::string& cache_dir,
                                              const std::vector<std::string>& mounts,
                                              const nlohmann::json& warm_clang) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return Error{std::string("cannot make a socket pair for the sandbox launcher: ") + std::strerror(errno)};
  }
  std::unique_ptr<Worker> worker(new Worker);
  worker->socket_ = UniqueFd(pair[0]);
  UniqueFd inner(pair[1]);
  if (const int error = spawn(path, inner.get(), worker->pid_); error != 0) {
    worker->pid_ = -1;
    return Error{"cannot start the sandbox launcher " + path + ": " + std::strerror(error)};
  }
  inner.reset();
  WireMessage hello;
  if (!send_wire(worker->socket(), {{"cache_dir", cache_dir},
                                    {"mounts", mounts},
                                    {"warm_clang", warm_clang},
                                    {"python_drivers", {python_driver(), python_suite_driver()}}}) ||
      !readable_in_time(worker->socket()) || !receive_wire(worker->socket(), hello) || !hello.body.contains("layers")) {
    return Error{"the sandbox launcher " + path + " ended before it had set up its slot"};
  }
  worker->isolation_ = report_from(hello.body["layers"]);
  for (const IsolationLayer& layer : worker->isolation_.layers) {
    worker->limit_address_space_ |= layer.name.starts_with("cgroup_v") && !layer.present;
  }
  return worker;
}

Worker::~Worker() {
  socket_.reset();
  if (pid_ <= 0) {
    return;
  }
  // It ends by itself when its socket closes: session killed, cgroup removed.
  for (int waited_ms = 0; waited_ms < 2000; ++waited_ms) {
    if (waitpid(pid_, nullptr, WNOHANG) != 0) {
      return;
    }
    usleep(1000);
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

Result<void> Worker::begin(const std::map<std::string, std::string>& files, int work_mib, SessionStart start) {
  PLUMB_TRY(send_begin(files, work_mib, start));
  return await_begun();
}

Result<void> Worker::send_begin(const std::map<std::string, std::string>& files, int work_mib, SessionStart start) {
  if (kept_) {
    end_later();  // its report may wait in the socket: what is read next is not yet the new session's answer
  }
  nlohmann::json contents = nlohmann::json::object();
  for (const auto& [name, content] : files) {
    contents[name] = wire_bytes(content);
  }
  if (!send_wire(socket(), {{"op", "begin"},
                            {"files", contents},
                            {"work_mib", work_mib},
                            {"copies", start != SessionStart::kBare},
                            {"clang", start == SessionStart::kClang}})) {
    return Error{"the sandbox launcher died"};
  }
  return {};
}

Result<void> Worker::await_begun() {
  if (ending_ && await_ended().reason == "fault") {
    return Error{"the sandbox launcher died"};
  }
  WireMessage answer;
  do {  // a launcher that is warming up says so from time to time
    if (!readable_in_time(socket()) || !receive_wire(socket(), answer)) {
      return Error{"the sandbox launcher died"};
    }
  } while (answer.body.contains("warming_up"));
  if (answer.body.contains("error")) {
    return Error{"the sandbox could not start a session: " + answer.body["error"].get<std::string>()};
  }
  in_session_ = true;
  return {};
}

Result<void> Worker::start_step(const Step& step, const std::vector<int>& fds, const std::vector<int>& targets) {
  const nlohmann::json body{{"op", "step"},
                            {"argv", step.argv},
                            {"environment", step.environment},
                            {"targets", targets},
                            {"cpu_s", step.cpu_s},
                            {"wall_s", step.wall_s},
                            {"memory_bytes", step.memory_bytes},
                            {"processes", step.processes},
                            {"file_bytes", step.file_bytes},
                            {"limit_address_space", limit_address_space_}};
  if (!send_wire(socket(), body, fds)) {
    return Error{"the sandbox launcher died"};
  }
  return {};
}

std::optional<StepReport> Worker::read_report() {
  auto report = read_message();
  if (report) {
    off_cpu_ = false;
    in_session_ = in_session_ && report->reason == "exit";  // whatever else ends a step takes the session with it
  }
  if (notice_) {
    notice_(off_cpu_);
  }
  return report;
}

// The report, or nothing and what is said in `off_cpu_`.
std::optional<StepReport> Worker::read_message() {
  WireMessage message;
  if (!readable_in_time(socket()) || !receive_wire(socket(), message)) {
    return fault("the sandbox launcher died");
  }
  const nlohmann::json& body = message.body;
  if (body.contains("off_cpu")) {
    off_cpu_ = body.at("off_cpu").get<bool>();
    return std::nullopt;
  }
  if (body.contains("error")) {
    return fault("the sandbox could not run a step: " + body["error"].get<std::string>());
  }
  StepReport report;
  report.reason = body.contains("ended") ? "ended" : body.at("reason").get<std::string>();
  report.exit_code = body.value("exit_code", -1);
  report.signal = body.value("signal", 0);
  report.cpu_s = body.value("cpu_s", 0.0);
  report.wall_s = body.value("wall_s", 0.0);
  report.starved_s = body.value("starved_s", 0.0);
  report.asleep = body.value("asleep", false);
  report.peak_mib = static_cast<double>(body.value("peak_bytes", std::int64_t{0})) / (1 << 20);
  report.out_of_memory = body.value("oom_kills", std::int64_t{0}) > 0;
  return report;
}

bool Worker::is_alive() const {
  pollfd source{socket(), 0, 0};
  return poll(&source, 1, 0) == 0;  // a hang-up is told unasked
}

void Worker::keep(std::unique_ptr<RunningStep> step) {
  kept_ = std::move(step);
}

std::unique_ptr<RunningStep> Worker::take_kept() {
  return std::move(kept_);
}

StepReport Worker::end() {
  kept_.reset();
  in_session_ = false;
  return send_wire(socket(), {{"op", "end"}}) ? await_ended() : fault("the sandbox launcher died");
}

void Worker::end_later() {
  if (!in_session_) {
    return;
  }
  kept_.reset();
  in_session_ = false;
  ending_ = send_wire(socket(), {{"op", "end"}});  // where it cannot be sent, the next begin() says so
}

StepReport Worker::await_ended() {
  ending_ = false;
  off_cpu_ = false;
  if (notice_) {
    notice_(false);
  }
  std::optional<StepReport> report;
  do {  // the step may have ended by itself just before: its report comes first
    report = read_message();
  } while (!report || (report->reason != "ended" && report->reason != "fault"));
  return *report;
}

}  // namespace plumb
