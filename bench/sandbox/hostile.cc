// sandbox_hostile FOLDER [--rounds N] [--jobs N] [--allow LAYER ...]: every program of FOLDER/manifest.json through the
// judge, in a random order each round, with the manifest's checks of the host around it. With one job each program is
// alone and the whole host is looked at; with more they run beside each other, and the host is looked at after each
// round. A program must get the same verdict in every round. --allow: isolation layers that may be missing (no_cgroup
// for an ordinary user). One line for each program; exit status 1 if any is not as it must be. The manifest names
// programs with `file`, `language`, `mode` (stdio, func, func_cpp, compile), `expected` verdicts, `never` ones and
// `host_check`s.

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "bench/sandbox/host_checks.h"
#include "compiler_sandbox/judge.h"
#include "core/atomic_file.h"
#include "core/rng.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

constexpr double kNormalTime = 1;             // of an honest program of two lines, in seconds
constexpr std::size_t kMessageBytes = 65536;  // of diagnostics
constexpr double kGrace = 1;                  // of a second, beyond a wall limit

struct HostileOptions {
  std::string folder;
  std::uint32_t rounds = 1;
  int jobs = 1;
  std::vector<std::string> allow;
};

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

std::set<std::string> checks_of(const Json& program) {
  return program.value("host_check", std::set<std::string>());
}

// What is not as it must be in the evidence; empty where all is well.
std::string complaint(const Json& program, const Submission& submission, const Evidence& evidence) {
  const std::string verdict(to_string(evidence.verdict));
  const Limits& limits = submission.limits;
  if (evidence.verdict == Verdict::kSE) {
    return "SE: " + evidence.fault;
  }
  if (holds(program.at("never"), evidence.verdict) || !holds(program.at("expected"), evidence.verdict)) {
    const std::string words = evidence.diagnostics.empty() ? "" : ", " + evidence.diagnostics[0].message;
    return verdict + ", expected " + program.at("expected").dump() + words + ", output " +
           evidence.output.substr(0, 200);
  }
  std::string said = evidence.output + evidence.errors + evidence.fault;
  std::size_t message_bytes = 0;
  for (const Diagnostic& one : evidence.diagnostics) {
    said += one.message;
    message_bytes += one.message.size();
  }
  if (HostChecks::holds_secret(said)) {
    return "what it said holds a secret";
  }
  if (message_bytes > kMessageBytes) {
    return std::to_string(message_bytes) + " bytes of diagnostics";
  }
  if (evidence.output.size() + evidence.errors.size() > static_cast<std::size_t>(limits.output_bytes)) {
    return std::to_string(evidence.output.size() + evidence.errors.size()) + " bytes of output are kept";
  }
  const bool compiled = evidence.verdict == Verdict::kCE;
  const double most_wall_s = kGrace + (compiled ? limits.compile_wall_s : limits.wall_s);
  if (evidence.wall_s > most_wall_s) {
    return "late: " + std::to_string(evidence.wall_s) + " s";
  }
  const bool children_count = checks_of(program).contains("cpu_accounted") && evidence.verdict == Verdict::kTLE;
  return children_count && evidence.cpu_s < limits.cpu_s ? "its children's CPU time is not counted" : "";
}

class Runner {
 public:
  Runner(Judge& judge, HostChecks& host, const HostileOptions& options)
      : judge_(judge), host_(host), options_(options) {}

  // Each of `programs` once; returns how many are not as they must be.
  int run(std::vector<Json> programs, std::uint32_t round) {
    shuffle(programs, RngStream(RngPurpose::kEvaluation, round));
    failures_ = 0;
    std::atomic<std::size_t> next = 0;
    const HostSnapshot before = host_.snapshot();
    std::vector<std::thread> threads;
    for (int t = 0; t < options_.jobs; ++t) {
      threads.emplace_back([&] {
        for (std::size_t i = next++; i < programs.size(); i = next++) {
          one(programs[i], round);
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    if (options_.jobs > 1) {
      note("the round", after({"no_ipc_left", "host_file_unchanged", "no_core_file"}, before, 0));
    }
    return failures_;
  }

 private:
  void one(const Json& program, std::uint32_t round) {
    Submission submission = submission_for(program, options_.folder);
    submission.source += std::string(round + 1, '\n');  // another one for the evidence cache
    const bool alone = options_.jobs == 1;
    const HostSnapshot before = alone ? host_.snapshot() : HostSnapshot();
    const Evidence evidence = judge_.judge(submission);
    std::string words = complaint(program, submission, evidence);
    if (words.empty() && alone) {
      words = after(checks_of(program), before, submission.limits.processes);
    }
    const std::string name = program.at("name");
    const std::lock_guard lock(mutex_);
    const auto [first, is_new] = verdicts_.try_emplace(name, evidence.verdict);
    if (words.empty() && !is_new && first->second != evidence.verdict) {
      words = "it was " + std::string(to_string(first->second)) + " in an earlier round";
    }
    note(name + " " + std::string(to_string(evidence.verdict)), words);
  }

  void note(const std::string& what, const std::string& complaint) {
    std::printf("%-30s %s\n", what.c_str(), complaint.empty() ? "" : ("FAILED: " + complaint).c_str());
    std::fflush(stdout);
    failures_ += complaint.empty() ? 0 : 1;
  }

  // The host after a program: nothing of it runs, and an honest program passes in its normal time.
  std::string after(const std::set<std::string>& checks, const HostSnapshot& before, int max_processes) {
    if (const std::string left = HostChecks::leftover_process(); !left.empty()) {
      return "a process is left: " + left;
    }
    if (std::string words = host_.complaint(checks, before, max_processes); !words.empty()) {
      return words;
    }
    Submission honest;
    honest.program_language = "python";
    honest.source = "a, b = map(int, input().split())\nprint(a + b)  # " + std::to_string(++honest_runs_);
    honest.program_tests = {{"2 3\n", "5\n"}};
    const Evidence evidence = judge_.judge(honest);
    if (evidence.verdict != Verdict::kAC) {
      return "the honest program after it is " + std::string(to_string(evidence.verdict)) + " " + evidence.fault;
    }
    return evidence.wall_s > kNormalTime ? "the honest program after it took " + std::to_string(evidence.wall_s) + " s"
                                         : "";
  }

  Judge& judge_;
  HostChecks& host_;
  const HostileOptions& options_;
  std::mutex mutex_;
  std::map<std::string, Verdict> verdicts_;
  int failures_ = 0;
  int honest_runs_ = 0;
};

Result<int> run(const HostileOptions& options) {
  PLUMB_ASSIGN(const auto host, HostChecks::begin());
  PLUMB_ASSIGN(const std::string text, read_file(options.folder + "/manifest.json"));
  JudgeOptions judging;
  judging.cold_starts = 0;  // what can be compiled from a warm start is
  judging.allow = options.allow;
  PLUMB_ASSIGN(const auto judge, start_judge(judging));
  const Json manifest = Json::parse(text);
  const std::vector<Json> programs = manifest.at("programs");
  Runner runner(*judge, *host, options);
  int failures = 0;
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    failures += runner.run(programs, round);
  }
  if (host->was_reached()) {
    std::printf("a program reached a canary listener\n");
    ++failures;
  }
  std::printf("%zu programs, %u rounds, %d at once: %d not as they must be\n", programs.size(), options.rounds,
              options.jobs, failures);
  return failures == 0 ? 0 : 1;
}

// Nothing where the arguments are not understood.
std::optional<HostileOptions> read_arguments(int argc, char** argv) {
  HostileOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--allow") {
      options.allow.assign(argv + i + 1, argv + argc);
      break;
    }
    const bool number = (word == "--rounds" || word == "--jobs") && i + 1 < argc;
    if (number) {
      const int value = std::max(std::atoi(argv[++i]), 1);
      options.rounds = word == "--rounds" ? static_cast<std::uint32_t>(value) : options.rounds;
      options.jobs = word == "--jobs" ? value : options.jobs;
    } else if (word.starts_with("--") || !options.folder.empty()) {
      return std::nullopt;
    } else {
      options.folder = word;
    }
  }
  return options.folder.empty() ? std::nullopt : std::optional(options);
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  const auto options = plumb::read_arguments(argc, argv);
  if (!options) {
    std::fprintf(stderr, "usage: sandbox_hostile FOLDER [--rounds N] [--jobs N] [--allow LAYER ...]\n");
    return 2;
  }
  const auto status = plumb::run(*options);
  if (!status) {
    std::fprintf(stderr, "%s\n", status.error().message.c_str());
  }
  return status ? *status : 2;
}
