#include "compiler_sandbox/examine.h"

#include <algorithm>
#include <optional>

#include "compiler_sandbox/drivers.h"
#include "compiler_sandbox/running_step.h"
#include "compiler_sandbox/step_outcome.h"
#include "compiler_sandbox/values.h"
#include "core/signature.h"
#include "core/task_type.h"

namespace plumb {

namespace {

constexpr int kBuildMib = 16;               // object and program, beside the candidate's own files
constexpr std::size_t kShownOutput = 4096;  // of all runs of a function together
constexpr int kMostBuilds = 3;              // where runs take their session with them

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
  const auto is_known = [&](const std::string& type, bool is_result) {
    if (submission.language == Language::kCpp) {
      return (is_task_type(type) && (is_result || type != "none")) || is_own_cpp_type(type);
    }
    const auto parsed = parse_task_type(type);
    return parsed && !mentions(*parsed, "auto") && !mentions(*parsed, "?");
  };
  bool known = is_known(submission.function.returns, true);
  for (const Parameter& parameter : submission.function.parameters) {
    known = known && is_known(parameter.type, false);
  }
  return known ? "" : "the signature of " + submission.function.name + " has a type that is not a task type";
}

// Passed tests, and the verdict of the first that did not.
void sum_up(Evidence& evidence) {
  evidence.passed = static_cast<int>(std::count(evidence.tests.begin(), evidence.tests.end(), Verdict::kAC));
  const auto failed = std::find_if(evidence.tests.begin(), evidence.tests.end(),
                                   [](Verdict verdict) { return verdict != Verdict::kAC; });
  evidence.verdict = failed == evidence.tests.end() ? Verdict::kAC : *failed;
}

// A limit that was broken during the last call, or found broken after it, is that call's verdict.
void settle(Evidence& evidence, Verdict verdict, const std::string& message) {
  evidence.tests.back() = verdict;
  evidence.diagnostics = {{"error", message, 0, 0}};
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
    return cpp ? run_cpp(calls) : run_as(CppCallee::kFunction, calls);
  }

 private:
  // As what the function seems to be; where it turns out not to be that, as what else it may be.
  Finding run_cpp(const std::vector<std::string>& calls) {
    std::optional<Finding> refused;
    for (const CppCallee callee : cpp_callees(submission_.source, submission_.function.name)) {
      call_fault_ = CppCallFault::kNone;
      Finding finding = run_as(callee, calls);
      if (call_fault_ == CppCallFault::kNone) {
        return finding;
      }
      // What does not fit says more than what is not there; kInherited cannot tell the one from the other.
      const bool says_more = callee != CppCallee::kInherited &&
                             (call_fault_ == CppCallFault::kMisfit || refused_by_ != CppCallFault::kMisfit);
      if (!refused || says_more) {
        refused = std::move(finding);
        refused_by_ = call_fault_;
      }
    }
    return std::move(*refused);
  }

  Finding run_as(CppCallee callee, const std::vector<std::string>& calls) {
    callee_ = callee;
    auto refused = prepare();
    Finding finding = refused ? std::move(*refused) : call(calls);
    if (finding.doubt != Doubt::kFault) {
      worker_.end_later();  // nothing of this session stays until the next one
    }
    return finding;
  }

  // Nothing where the program can be run now.
  std::optional<Finding> prepare() {
    const bool cpp = submission_.language == Language::kCpp;
    const int work_mib = submission_.limits.file_mib + (cpp ? kBuildMib : 0);
    const auto start = !cpp                                     ? SessionStart::kPython
                       : tools_.starts_warm(submission_.source) ? SessionStart::kClang
                                                                : SessionStart::kBare;
    if (const auto begun = worker_.begin(work_files(submission_, callee_), work_mib, start); !begun) {
      return faulty(begun.error().message);
    }
    return cpp ? compile() : std::nullopt;
  }

  // Nothing where the program was built.
  std::optional<Finding> compile() {
    const std::vector<Step> steps = tools_.build_steps(submission_, driver_, cache_inside(worker_, tools_.cache_dir()));
    BuildOutcome outcome = build_program(worker_, steps, submission_.limits.compile_cpu_s, alone_, "solution.cpp");
    add_usage(build_usage_, outcome.usage);
    warnings_ = std::move(outcome.warnings);
    if (outcome.refused && outcome.refused->doubt == Doubt::kNone && !tools_.is_whole(driver_)) {
      return faulty("files of the judge's cache folder have vanished: restart it", Doubt::kHopeless);
    }
    if (outcome.refused) {
      complete(outcome.refused->evidence);
      call_fault_ = explain_call(submission_.function, submission_.source, outcome.refused->evidence.diagnostics);
    }
    return std::move(outcome.refused);
  }

  // In one run of the program; what it leaves unanswered, in a fresh one.
  Finding call(const std::vector<std::string>& calls) {
    Finding all;
    int builds = 1;
    for (int runs = 1;; ++runs) {
      CallResults results;
      Finding part = run_once(calls, all.evidence.tests.size(), results);
      const bool goes_on = !submission_.stop_at_first_failure && results.lost &&
                           may_run_again(part, runs, all.evidence, submission_.limits);
      add_run(all, std::move(part));
      if (!goes_on || all.evidence.tests.size() == calls.size()) {
        break;
      }
      if (!worker_.in_session() && ++builds > kMostBuilds) {
        break;
      }
      if (const auto refused = worker_.in_session() ? std::nullopt : prepare()) {
        return refused->doubt == Doubt::kNone ? faulty("what could be built once cannot be built again") : *refused;
      }
    }
    if (all.doubt != Doubt::kFault) {
      add_usage(all.evidence, build_usage_);
      add_warnings(all.evidence, warnings_);
      complete(all.evidence);
    }
    return all;
  }

  Finding run_once(const std::vector<std::string>& calls, std::size_t first, CallResults& results) {
    Step step = tools_.run_step(submission_);
    step.cpu_s *= alone_ ? 1 : kCpuSlack;
    RunningStep running(worker_,
                        {.channel = true, .output_limit = static_cast<std::size_t>(submission_.limits.output_bytes)});
    if (const auto started = running.start(step); !started) {
      return faulty(started.error().message);
    }
    results = run_calls(running, submission_, calls, first);
    return conclude(running, results, submission_.limits.cpu_s, alone_);
  }

  void complete(Evidence& evidence) const {
    evidence.total = static_cast<int>(submission_.args.size());
    evidence.isolation = worker_.isolation().summary();
  }

  Worker& worker_;
  Toolchain& tools_;
  const Submission& submission_;
  bool alone_;
  std::string driver_;
  CppCallee callee_ = CppCallee::kFunction;
  CppCallFault call_fault_ = CppCallFault::kNone;  // of the last compilation
  CppCallFault refused_by_ = CppCallFault::kNone;  // of the refusal that is kept
  std::vector<Diagnostic> warnings_;
  Evidence build_usage_;  // times and memory alone: of the steps that built the program
};

}  // namespace

bool may_run_again(const Finding& run, int runs, const Evidence& before, const Limits& limits) {
  constexpr int kMostRuns = 16;
  constexpr double kCpuTimes = 3;
  constexpr double kWallTimes = 2;
  return run.doubt == Doubt::kNone && runs < kMostRuns && run.evidence.tests.back() != Verdict::kTLE &&
         before.cpu_s + run.evidence.cpu_s < kCpuTimes * limits.cpu_s &&
         before.wall_s + run.evidence.wall_s < kWallTimes * limits.wall_s;
}

void add_run(Finding& all, Finding run) {
  if (run.doubt == Doubt::kFault || all.evidence.tests.empty()) {
    all = std::move(run);
    return;
  }
  Evidence& sum = all.evidence;
  Evidence& part = run.evidence;
  all.doubt = run.doubt;
  sum.tests.insert(sum.tests.end(), part.tests.begin(), part.tests.end());
  sum.output = (sum.output + part.output).substr(0, kShownOutput);
  if (sum.exit_code < 0 && sum.signal == 0) {
    sum.exit_code = part.exit_code;
    sum.signal = part.signal;
  }
  if (sum.diagnostics.empty()) {
    sum.diagnostics = std::move(part.diagnostics);
  }
  add_usage(sum, part);
  sum_up(sum);
}

Finding conclude(RunningStep& running, const CallResults& results, double cpu_s, bool alone) {
  const StepReport& report = running.finish();
  std::optional<Finding> broken = broken_limit(report, cpu_s, alone);
  if (broken && broken->doubt == Doubt::kFault) {
    return *broken;
  }
  Finding finding;
  Evidence& evidence = finding.evidence;
  evidence.tests = results.tests;
  if (results.reason) {
    evidence.diagnostics.push_back(*results.reason);
  }
  if (running.output_exceeded()) {
    settle(evidence, Verdict::kOLE, "the program printed more than it may");
  } else if (broken) {
    finding.doubt = broken->doubt;
    const bool memory = broken->evidence.verdict == Verdict::kMLE;
    settle(evidence, broken->evidence.verdict,
           memory ? "the program needed more memory than it may use" : "the program needed more time than it may use");
  } else if (results.died) {
    evidence.diagnostics = {{"error", ending(report) + " before it had answered", 0, 0}};
    evidence.exit_code = report.reason == "exit" && report.signal == 0 ? report.exit_code : -1;
    evidence.signal = report.signal;
  }
  sum_up(evidence);
  evidence.output = running.output();
  add_usage(evidence, report);
  return finding;
}

Finding examine(Worker& worker, Toolchain& tools, const Submission& submission, bool alone) {
  return Examination(worker, tools, submission, alone).run();
}

}  // namespace plumb
