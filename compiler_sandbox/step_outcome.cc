#include "compiler_sandbox/step_outcome.h"

#include <signal.h>

#include <algorithm>
#include <cstring>

#include "compiler_sandbox/compiler_messages.h"
#include "compiler_sandbox/launcher/root_tree.h"
#include "compiler_sandbox/running_step.h"

namespace plumb {

namespace {

constexpr std::size_t kCompilerWords = 65536;                 // kept of what a compiler says
constexpr std::size_t kCompilerFlood = std::size_t{1} << 20;  // a compiler that says more is stopped

// Nothing where the step did its work. `limit_s` is of all steps together; `outcome` has what those before took of it.
std::optional<Finding> build_step(Worker& worker, Step step, double limit_s, bool alone, const std::string& source,
                                  BuildOutcome& outcome) {
  const double used_s = outcome.usage.cpu_s;
  step.cpu_s = std::max(limit_s * (alone ? 1 : kCpuSlack) - used_s, 0.0);
  RunningStep running(worker, {.output_limit = kCompilerFlood, .output_kept = kCompilerWords});
  if (const auto started = running.start(step); !started) {
    return faulty(started.error().message);
  }
  while (!running.over() && !running.output_exceeded()) {
    running.wait();
  }
  const StepReport& report = running.finish();
  std::string words = running.output();
  StepReport so_far = report;
  so_far.cpu_s += used_s;
  std::optional<Finding> finding = broken_limit(so_far, limit_s, alone);
  if (finding && (finding->doubt == Doubt::kFault || finding->doubt == Doubt::kNearLimit)) {
    return finding;
  }
  add_usage(outcome.usage, report);
  if (finding) {
    words = finding->evidence.verdict == Verdict::kMLE ? "error: the compiler needed more memory than it may use"
                                                       : "error: the compiler needed more time than it may use";
  } else if (report.reason == "exit" && report.exit_code == 0) {
    const auto warnings = compiler_warnings(words, source);
    outcome.warnings.insert(outcome.warnings.end(), warnings.begin(), warnings.end());
    return std::nullopt;
  } else {
    finding.emplace();
  }
  finding->evidence.verdict = Verdict::kCE;
  finding->evidence.diagnostics = compiler_messages(words, source);
  return finding;
}

}  // namespace

Finding faulty(const std::string& what, Doubt doubt) {
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

void add_usage(Evidence& evidence, const Evidence& steps) {
  evidence.cpu_s += steps.cpu_s;
  evidence.wall_s += steps.wall_s;
  evidence.peak_mib = std::max(evidence.peak_mib, steps.peak_mib);
}

void add_warnings(Evidence& evidence, const std::vector<Diagnostic>& warnings) {
  evidence.diagnostics.insert(evidence.diagnostics.end(), warnings.begin(), warnings.end());
}

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
    finding.doubt = report.asleep ? Doubt::kNone : Doubt::kIdle;
    return finding;
  }
  return std::nullopt;
}

std::string ending(const StepReport& report) {
  if (report.signal == 0) {
    return report.exit_code >= 0 ? "the program ended with exit code " + std::to_string(report.exit_code)
                                 : "the program closed its channel";
  }
  const bool trapped = report.signal == SIGILL || report.signal == SIGTRAP;
  return "the program was ended by signal " + std::to_string(report.signal) + " (" + strsignal(report.signal) + ")" +
         (trapped ? ": undefined behaviour was trapped" : "");
}

std::string cache_inside(const Worker& worker, const std::string& cache_dir) {
  return cache_inside(worker.isolation(), cache_dir);
}

std::string cache_inside(const IsolationReport& isolation, const std::string& cache_dir) {
  for (const IsolationLayer& layer : isolation.layers) {
    if (layer.name == "mount" && layer.present) {
      return kCacheMount;
    }
  }
  return cache_dir;
}

BuildOutcome build_program(Worker& worker, const std::vector<Step>& steps, double cpu_s, bool alone,
                           const std::string& source) {
  BuildOutcome outcome;
  for (const Step& step : steps) {
    outcome.refused = build_step(worker, step, cpu_s, alone, source, outcome);
    if (outcome.refused) {
      add_usage(outcome.refused->evidence, outcome.usage);
      break;
    }
  }
  return outcome;
}

}  // namespace plumb
