#include "compiler_sandbox/examine.h"

#include <signal.h>

#include <cstring>
#include <optional>

#include "compiler_sandbox/call_loop.h"
#include "compiler_sandbox/compiler_messages.h"
#include "compiler_sandbox/launcher/root_tree.h"
#include "compiler_sandbox/running_step.h"
#include "compiler_sandbox/values.h"
#include "core/signature.h"

namespace plumb {

namespace {

constexpr std::size_t kCompilerWords = 65536;                 // kept of what a compiler says
constexpr std::size_t kCompilerFlood = std::size_t{1} << 20;  // a compiler that says more is stopped
constexpr int kBuildMib = 16;                                 // object and program, beside the candidate's own files

bool is_identifier(const std::string& name) {
  constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string::npos && (name[0] < '0' || name[0] > '9');
}

// Empty where the submission can be judged, else why not.
std::string obstacle(const Submission& submission) {
  if (submission.language == Language::kNone) {
    return "a submission without a language cannot be judged";
  }
  if (submission.function.name.empty()) {
    return "whole programs are not judged: the submission names no function";
  }
  if (!is_identifier(submission.function.name)) {
    return "the function name " + submission.function.name + " is not an identifier";
  }
  if (submission.args.empty() || submission.args.size() != submission.expected.size()) {
    return "a submission needs at least one call, and one expected value for each";
  }
  bool known = is_task_type(submission.function.returns);
  for (const Parameter& parameter : submission.function.parameters) {
    known = known && is_task_type(parameter.type);
  }
  return known ? "" : "the signature of " + submission.function.name + " has a type that is not a task type";
}

Finding faulty(const std::string& what, Doubt doubt = Doubt::kFault) {
  Finding finding;
  finding.doubt = doubt;
  finding.evidence.fault = what;
  return finding;
}

void add_usage(Evidence& evidence, const StepReport& report) {
  evidence.cpu_s += report.cpu_s;
  evidence.wall_s += report.wall_s;
  evidence.peak_mib = std::max(evidence.peak_mib, report.peak_mib);
}

// What the limits say about a step, if they say anything. `limit_s` is of CPU time.
std::optional<Finding> broken_limit(const StepReport& report, double limit_s, bool alone) {
  Finding finding;
  if (report.reason == "fault") {
    return faulty(report.fault);
  }
  if (report.reason == "init_died" && !report.out_of_memory) {
    return faulty("the sandbox's first process died");
  }
  if (report.out_of_memory) {
    finding.evidence.verdict = Verdict::kMLE;
    return finding;
  }
  const bool rlimit_cpu = report.signal == SIGXCPU;
  if (report.reason == "cpu" || report.cpu_s > limit_s || rlimit_cpu) {
    finding.evidence.verdict = Verdict::kTLE;
    finding.doubt = alone || report.cpu_s > kCpuSlack * limit_s || rlimit_cpu ? Doubt::kNone : Doubt::kNearLimit;
    return finding;
  }
  if (report.reason == "wall") {
    const bool idle = report.cpu_s + report.starved_s < 0.5 * report.wall_s;
    if (!idle) {
      return faulty("the machine was too busy: the wall limit passed before the CPU limit");
    }
    finding.evidence.verdict = Verdict::kTLE;
    finding.doubt = Doubt::kIdle;
    return finding;
  }
  return std::nullopt;
}

class Examination {
 public:
  Examination(Worker& worker, Toolchain& tools, const Submission& submission, bool alone)
      : worker_(worker), tools_(tools), submission_(submission), alone_(alone) {}

  Finding run() {
    if (const std::string why = obstacle(submission_); !why.empty()) {
      return faulty(why, Doubt::kHopeless);
    }
    std::vector<std::string> calls;
    for (const nlohmann::json& args : submission_.args) {
      auto encoded = encode_arguments(args, submission_.function, submission_.language);
      if (!encoded) {
        return faulty(encoded.error().message, Doubt::kHopeless);
      }
      calls.push_back(std::move(*encoded));
    }
    const bool cpp = submission_.language == Language::kCpp;
    if (cpp) {
      auto driver = tools_.driver_for(submission_.function);
      if (!driver) {
        return faulty(driver.error().message, Doubt::kHopeless);
      }
      driver_ = *driver;
    }
    const int work_mib = submission_.limits.file_mib + (cpp ? kBuildMib : 0);
    if (const auto begun = worker_.begin(work_files(submission_), work_mib); !begun) {
      return faulty(begun.error().message);
    }
    Finding finding = compile_and_call(calls);
    if (finding.doubt != Doubt::kFault) {
      worker_.end();  // nothing of this session stays until the next one
    }
    return finding;
  }

 private:
  Finding compile_and_call(const std::vector<std::string>& calls) {
    if (submission_.language == Language::kCpp) {
      if (auto refused = compile()) {
        return *refused;
      }
    }
    return call(calls);
  }

  // Nothing where the program was built. The steps share the compiler's CPU time.
  std::optional<Finding> compile() {
    double left_s = submission_.limits.compile_cpu_s;
    for (Step& step : tools_.build_steps(submission_, driver_, inside(tools_.cache_dir()))) {
      step.cpu_s = std::max(left_s, 0.0);
      if (auto refused = build(step)) {
        return refused;
      }
      left_s = submission_.limits.compile_cpu_s - build_usage_.cpu_s;
    }
    return std::nullopt;
  }

  // Nothing where the compiler or the linker did its work.
  std::optional<Finding> build(Step step) {
    const double limit_s = step.cpu_s;
    step.cpu_s *= alone_ ? 1 : kCpuSlack;
    RunningStep running(worker_, {.output_limit = kCompilerFlood, .output_kept = kCompilerWords});
    if (const auto started = running.start(step); !started) {
      return faulty(started.error().message);
    }
    while (!running.over() && !running.output_exceeded()) {
      running.wait();
    }
    const StepReport& report = running.finish();
    std::string words = running.output();
    std::optional<Finding> finding = broken_limit(report, limit_s, alone_);
    if (finding && (finding->doubt == Doubt::kFault || finding->doubt == Doubt::kNearLimit)) {
      return finding;
    }
    add_usage(build_usage_, report);
    if (finding) {
      words = finding->evidence.verdict == Verdict::kMLE ? "error: the compiler needed more memory than it may use"
                                                         : "error: the compiler needed more time than it may use";
    } else if (report.reason == "exit" && report.exit_code == 0) {
      return std::nullopt;
    } else {
      finding.emplace();
    }
    if (!tools_.is_whole(driver_)) {
      return faulty("files of the judge's cache folder have vanished: restart it", Doubt::kHopeless);
    }
    finding->evidence.verdict = Verdict::kCE;
    finding->evidence.diagnostics = compiler_messages(words);
    complete(finding->evidence);
    return finding;
  }

  Finding call(const std::vector<std::string>& calls) {
    Step step = tools_.run_step(submission_);
    step.cpu_s *= alone_ ? 1 : kCpuSlack;
    RunningStep running(worker_,
                        {.channel = true, .output_limit = static_cast<std::size_t>(submission_.limits.output_bytes)});
    if (const auto started = running.start(step); !started) {
      return faulty(started.error().message);
    }
    CallResults results = run_calls(running, submission_, calls);
    const StepReport& report = running.finish();
    std::optional<Finding> broken = broken_limit(report, submission_.limits.cpu_s, alone_);
    if (broken && broken->doubt == Doubt::kFault) {
      return *broken;
    }
    Finding finding;
    Evidence& evidence = finding.evidence;
    evidence.tests = std::move(results.tests);
    if (results.reason) {
      evidence.diagnostics.push_back(*results.reason);
    }
    if (running.output_exceeded()) {
      settle(evidence, Verdict::kOLE, "the program printed more than it may");
    } else if (broken) {
      finding.doubt = broken->doubt;
      const bool memory = broken->evidence.verdict == Verdict::kMLE;
      settle(
          evidence, broken->evidence.verdict,
          memory ? "the program needed more memory than it may use" : "the program needed more time than it may use");
    } else if (results.died) {
      evidence.diagnostics = {{"error", death(report), 0, 0}};
    }
    for (const Verdict verdict : evidence.tests) {
      evidence.passed += verdict == Verdict::kAC ? 1 : 0;
    }
    evidence.verdict = Verdict::kAC;
    for (auto verdict = evidence.tests.rbegin(); verdict != evidence.tests.rend(); ++verdict) {
      evidence.verdict = *verdict == Verdict::kAC ? evidence.verdict : *verdict;
    }
    evidence.output = running.output();
    add_usage(evidence, report);
    complete(evidence);
    return finding;
  }

  // A limit that was broken during the last call, or found broken after it, is that call's verdict.
  static void settle(Evidence& evidence, Verdict verdict, const std::string& message) {
    evidence.tests.back() = verdict;
    evidence.diagnostics = {{"error", message, 0, 0}};
  }

  static std::string death(const StepReport& report) {
    if (report.signal == 0) {
      return report.exit_code >= 0
                 ? "the program ended with exit code " + std::to_string(report.exit_code) + " before it had answered"
                 : "the program closed its channel before it had answered";
    }
    const std::string name = strsignal(report.signal);
    const bool trapped = report.signal == SIGILL || report.signal == SIGTRAP;
    return "the program was ended by signal " + std::to_string(report.signal) + " (" + name + ")" +
           (trapped ? ": undefined behaviour was trapped" : "");
  }

  void complete(Evidence& evidence) const {
    evidence.cpu_s += build_usage_.cpu_s;
    evidence.wall_s += build_usage_.wall_s;
    evidence.peak_mib = std::max(evidence.peak_mib, build_usage_.peak_mib);
    evidence.total = static_cast<int>(submission_.args.size());
    evidence.isolation = worker_.isolation().summary();
  }

  // A path below the cache folder as the sandbox sees it.
  [[nodiscard]] std::string inside(const std::string& cache_dir) const {
    for (const IsolationLayer& layer : worker_.isolation().layers) {
      if (layer.name == "mount" && layer.present) {
        return kCacheMount;
      }
    }
    return cache_dir;
  }

  Worker& worker_;
  Toolchain& tools_;
  const Submission& submission_;
  bool alone_;
  std::string driver_;
  Evidence build_usage_;  // times and memory alone: of the steps that built the program
};

}  // namespace

Finding examine(Worker& worker, Toolchain& tools, const Submission& submission, bool alone) {
  return Examination(worker, tools, submission, alone).run();
}

}  // namespace plumb
