#include "judge_support.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace plumb::test {

namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<int> all_processes() {
  std::vector<int> pids;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos) {
      pids.push_back(std::stoi(name));
    }
  }
  return pids;
}

fs::path proc(int pid, const char* file) {
  return fs::path("/proc") / std::to_string(pid) / file;
}

// What follows `key` in a process's status.
std::string status_of(int pid, const std::string& key) {
  const std::string status = read_text(proc(pid, "status"));
  const std::size_t start = status.find("\n" + key + ":");
  return start == std::string::npos
             ? ""
             : status.substr(start + key.size() + 2, status.find('\n', start + 1) - start - key.size() - 2);
}

// A process that a launcher copies steps from lives as long as the launcher. Unlike a session's init, it is in
// the launcher's own process namespace.
bool is_template_of(int pid, int launcher) {
  const auto namespaces = [](int of) {
    const std::string ids = status_of(of, "NSpid");
    return std::count(ids.begin(), ids.end(), '\t');
  };
  return status_of(pid, "PPid") == "\t" + std::to_string(launcher) && namespaces(pid) == namespaces(launcher);
}

std::vector<std::string> strangers() {
  std::vector<std::string> found;
  const std::vector<int> own = launchers();
  for (const int pid : all_processes()) {
    const std::string groups = read_text(proc(pid, "cgroup"));
    for (const int launcher : own) {
      if (pid != launcher && !is_template_of(pid, launcher) &&
          groups.find("/plumb-sandbox-" + std::to_string(launcher) + "\n") != std::string::npos) {
        found.push_back(std::to_string(pid) + " " + read_text(proc(pid, "comm")));
      }
    }
  }
  return found;
}

// A slot's two ids are 70000 + 2 * (its launcher's process id) and the one after.
std::vector<std::string> slot_users() {
  std::vector<std::string> found;
  const std::vector<int> own = launchers();
  for (const int pid : all_processes()) {
    struct stat info {};
    if (stat(proc(pid, "").c_str(), &info) != 0) {
      continue;
    }
    for (const int launcher : own) {
      if (info.st_uid / 2 == (70000U + 2 * static_cast<unsigned>(launcher)) / 2) {
        found.push_back(std::to_string(pid) + " " + read_text(proc(pid, "comm")));
      }
    }
  }
  return found;
}

std::vector<std::string> once_settled(std::vector<std::string> (*look)()) {
  std::vector<std::string> found = look();
  for (int tries = 0; tries < 50 && !found.empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    found = look();
  }
  return found;
}

}  // namespace

JudgeOptions judge_options() {
  JudgeOptions options;
  options.slots = 2;
  options.launcher = std::string(PLUMB_BINARY_DIR) + "/plumb-sandbox";
  options.cache_dir = std::string(PLUMB_BINARY_DIR) + "/tests/compiler_sandbox/cache";
  const char* compiler = std::getenv("PLUMB_TEST_CPP_COMPILER");
  options.cpp_compiler = compiler == nullptr ? "" : compiler;
  return options;
}

Judge* shared_judge(std::string& why) {
  // A secret that no program may find in its environment.
  static const auto started = [] {
    setenv("PLUMB_TEST_SECRET", "canary", 1);
    return start_judge(judge_options());
  }();
  if (started) {
    return started.value().get();
  }
  why = started.error().message;
  // Only missing layers are a reason to skip: any other error has to fail the test that meets it.
  PLUMB_CHECK(!probe_isolation(judge_options().launcher).refusal({}).empty(), why);
  return nullptr;
}

Submission make_submission(Language language, const std::string& source, const FunctionSignature& function,
                           const std::string& calls) {
  Submission submission;
  submission.language = language;
  submission.source = source;
  submission.function = function;
  for (const nlohmann::json& call : nlohmann::json::parse(calls)) {
    submission.args.push_back(call.at(0));
    submission.expected.push_back(call.at(1));
  }
  return submission;
}

Submission add_submission(Language language, const std::string& source) {
  return make_submission(language, source, {"add", {{"a", "int"}, {"b", "int"}}, "int"},
                         "[[[2, 3], 5], [[0, 0], 0], [[-7, 4], -3], [[100, 23], 123]]");
}

std::string describe(const Evidence& evidence) {
  std::string text = std::string(to_string(evidence.verdict)) + " " + std::to_string(evidence.passed) + "/" +
                     std::to_string(evidence.total) + ", cpu " + std::to_string(evidence.cpu_s) + " s, wall " +
                     std::to_string(evidence.wall_s) + " s, peak " + std::to_string(evidence.peak_mib) + " MiB";
  text += evidence.fault.empty() ? "" : ", fault: " + evidence.fault;
  for (const Diagnostic& diagnostic : evidence.diagnostics) {
    text += "\n  " + diagnostic.severity + " " + std::to_string(diagnostic.line) + ": " + diagnostic.message;
  }
  return text + (evidence.output.empty() ? "" : "\n  output: " + evidence.output);
}

std::vector<int> launchers() {
  std::vector<int> found;
  for (const int pid : all_processes()) {
    std::istringstream status(read_text(proc(pid, "status")));
    std::string name;
    int parent = 0;
    for (std::string key, value; status >> key && std::getline(status, value);) {
      name = key == "Name:" ? value : name;
      parent = key == "PPid:" ? std::stoi(value) : parent;
      if (key == "State:" && value.find('Z') != std::string::npos) {
        name.clear();
      }
    }
    if (parent == getpid() && name.find("sandbox") != std::string::npos) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<int> templates() {
  std::vector<int> found;
  const std::vector<int> own = launchers();
  for (const int pid : all_processes()) {
    if (std::any_of(own.begin(), own.end(), [pid](int launcher) { return is_template_of(pid, launcher); })) {
      found.push_back(pid);
    }
  }
  return found;
}

std::vector<std::string> processes_beside_launchers() {
  return once_settled(strangers);
}

std::vector<std::string> programs_of_slots() {
  return once_settled(slot_users);
}

std::vector<int> programs(const std::string& name) {
  std::vector<int> found;
  for (const std::string& one : strangers()) {
    if (one.find(" " + name) != std::string::npos) {
      found.push_back(std::stoi(one));
    }
  }
  return found;
}

std::vector<std::string> control_groups_of(int pid) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::recursive_directory_iterator place("/sys/fs/cgroup", error), end; place != end; place.increment(error)) {
    if (place->path().filename() == "plumb-sandbox-" + std::to_string(pid)) {
      found.push_back(place->path());
    }
  }
  return found;
}

}  // namespace plumb::test
