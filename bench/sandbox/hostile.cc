// sandbox_hostile FOLDER [ROUNDS [LAYER ...]]: every program of FOLDER/manifest.json through the judge, in a random
// order, with host checks around it; isolation layers that may be missing are named (no_cgroup for an ordinary user).
// One line for each that is not as it must be; exit status 1 if there is any. The manifest names programs with `file`,
// `language`, `mode` (stdio, func, func_cpp, compile), `expected` verdicts and `never` ones.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <thread>

#include "compiler_sandbox/judge.h"
#include "core/atomic_file.h"
#include "core/rng.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kSecret = "canary-of-the-judge-5d1c";

// Processes of this machine, launchers and other bystanders of now included.
std::set<std::string> processes_of_slots() {
  std::set<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") == std::string::npos) {
      const auto cgroup = read_file(entry.path().string() + "/cgroup");
      const auto name = read_file(entry.path().string() + "/comm");
      if (cgroup && name && cgroup->find("plumb-sandbox-") != std::string::npos && *name != "plumb-sandbox\n") {
        found.insert(pid + " " + *name);
      }
    }
  }
  return found;
}

std::set<std::string> files_outside() {
  std::set<std::string> found;
  std::error_code error;
  for (const char* folder : {"/tmp", "/var/tmp", "/dev/shm", "/run", "."}) {
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      found.insert(entry.path());
    }
  }
  return found;
}

Submission submission_for(const Json& program, const std::string& folder) {
  Submission submission;
  const std::string mode = program.at("mode");
  submission.source = read_file(folder + "/" + program.at("file").get<std::string>()).value();
  Limits& limits = submission.limits;
  limits.cpu_s = 2;
  limits.wall_s = 4;
  limits.memory_mib = 256;
  limits.output_bytes = 1 << 20;
  limits.processes = 64;
  limits.file_mib = 64;
  limits.compile_cpu_s = 5;
  limits.compile_wall_s = 10;
  if (mode == "stdio") {
    submission.program_language = program.at("language");
    submission.program_tests = {{"2 3\n", "5\n"}};
    const auto size = program.value("limits", Json::object()).value("stdin_bytes", std::size_t{0});
    submission.program_tests[0].input.resize(std::max(size, submission.program_tests[0].input.size()), ' ');
    return submission;
  }
  const bool cpp = program.at("language") == "cpp";
  submission.language = cpp ? Language::kCpp : Language::kPython;
  submission.function = {"add", {{"a", "int"}, {"b", "int"}}, "int"};
  if (cpp && mode == "func_cpp") {
    // Their functions take and return long; the judge's int is another type, which they must not fail for.
    submission.source += "\nint add(int a, int b) { return static_cast<int>(add(static_cast<long>(a), long{b})); }\n";
  }
  submission.args = {Json::array({2, 3}), Json::array({-7, 4})};
  submission.expected = {5, -3};
  return submission;
}

bool holds(const Json& list, Verdict verdict) {
  return std::find(list.begin(), list.end(), Json(to_string(verdict))) != list.end();
}

// What is not as it must be; empty where all is well.
std::string complaint(const Json& program, const Evidence& evidence, double most_wall_s) {
  const std::string verdict(to_string(evidence.verdict));
  if (evidence.verdict == Verdict::kSE) {
    return "SE: " + evidence.fault;
  }
  if (holds(program.at("never"), evidence.verdict) || !holds(program.at("expected"), evidence.verdict)) {
    const std::string words = evidence.diagnostics.empty() ? "" : ", " + evidence.diagnostics[0].message;
    return verdict + ", expected " + program.at("expected").dump() + words + ", output " +
           evidence.output.substr(0, 200);
  }
  std::string said = evidence.output + evidence.fault;
  for (const Diagnostic& one : evidence.diagnostics) {
    said += one.message;
  }
  if (said.find(kSecret) != std::string::npos || said.find("root:x:") != std::string::npos) {
    return verdict + ", but what it said holds a secret";
  }
  return evidence.wall_s > most_wall_s ? verdict + ", but late: " + std::to_string(evidence.wall_s) + " s" : "";
}

class Runner {
 public:
  Runner(Judge& judge, std::string folder) : judge_(judge), folder_(std::move(folder)) {}

  // Each of `programs` once, the order by `round`; returns how many are not as they must be.
  int run(std::vector<Json> programs, std::uint32_t round) {
    shuffle(programs, RngStream(RngPurpose::kEvaluation, round));
    int failures = 0;
    for (const Json& program : programs) {
      const std::set<std::string> files = files_outside();
      Submission submission = submission_for(program, folder_);
      submission.source += std::string(round + 1, '\n');  // another one for the evidence cache
      const Evidence evidence = judge_.judge(submission);
      std::string words =
          complaint(program, evidence, 3 * (submission.limits.wall_s + submission.limits.compile_wall_s));
      words += words.empty() ? after(files) : "";
      std::printf("%-24s %s %s\n", program.at("name").get<std::string>().c_str(),
                  std::string(to_string(evidence.verdict)).c_str(), words.empty() ? "" : ("FAILED: " + words).c_str());
      std::fflush(stdout);
      failures += words.empty() ? 0 : 1;
    }
    return failures;
  }

 private:
  // The host after a program: nothing of it runs, it left no file, and an honest program passes.
  std::string after(const std::set<std::string>& files) {
    std::set<std::string> running = processes_of_slots();
    for (int tries = 0; tries < 50 && !running.empty(); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      running = processes_of_slots();
    }
    if (!running.empty()) {
      return "a process is left: " + *running.begin();
    }
    for (const std::string& path : files_outside()) {
      if (!files.contains(path) && path.find("sbx") != std::string::npos) {
        return "a file is left: " + path;
      }
    }
    Submission honest;
    honest.program_language = "python";
    honest.source = "a, b = map(int, input().split())\nprint(a + b)  # " + std::to_string(++honest_runs_);
    honest.program_tests = {{"2 3\n", "5\n"}};
    const Evidence evidence = judge_.judge(honest);
    return evidence.verdict == Verdict::kAC
               ? ""
               : "the honest program after it is " + std::string(to_string(evidence.verdict)) + " " + evidence.fault;
  }

  Judge& judge_;
  std::string folder_;
  int honest_runs_ = 0;
};

// A listener that nothing in a sandbox may reach.
int abstract_listener() {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  constexpr std::string_view kName("\0sbx_canary", 11);
  std::copy(kName.begin(), kName.end(), address.sun_path);
  const auto size = static_cast<socklen_t>(sizeof(sa_family_t) + kName.size());
  const bool listens =
      bind(listener, reinterpret_cast<const sockaddr*>(&address), size) == 0 && listen(listener, 4) == 0;
  return listens ? listener : -1;
}

int run(const std::string& folder, std::uint32_t rounds, const std::vector<std::string>& allow) {
  setenv("SBX_CANARY", kSecret, 1);
  const int listener = abstract_listener();
  const auto text = read_file(folder + "/manifest.json");
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return 2;
  }
  JudgeOptions options;
  options.cold_starts = 0;  // what can be compiled from a warm start is
  options.allow = allow;
  const auto judge = start_judge(options);
  if (!judge) {
    std::fprintf(stderr, "%s\n", judge.error().message.c_str());
    return 2;
  }
  const Json manifest = Json::parse(*text);
  const std::vector<Json> programs = manifest.at("programs");
  Runner runner(**judge, folder);
  int failures = 0;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    failures += runner.run(programs, round);
  }
  if (listener >= 0 && accept(listener, nullptr, nullptr) >= 0) {
    std::printf("a program reached the canary socket\n");
    ++failures;
  }
  std::printf("%zu programs, %u rounds: %d not as they must be\n", programs.size(), rounds, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sandbox_hostile FOLDER [ROUNDS [LAYER ...]]\n");
    return 2;
  }
  const unsigned long rounds = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1;
  return plumb::run(argv[1], static_cast<std::uint32_t>(rounds), {argv + std::min(argc, 3), argv + argc});
}
