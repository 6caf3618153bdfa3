#include "compiler_sandbox/program_session.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "compiler_sandbox/step_outcome.h"

namespace plumb {

namespace {

constexpr std::size_t kShownErrors = 1000;  // bytes of standard error in a diagnostic
constexpr std::size_t kMib = std::size_t{1} << 20;

// A file without a name that nobody can change any more, open for reading alone. A program that does not read it holds
// nobody up.
UniqueFd sealed_file(const std::string& bytes) {
  UniqueFd file(memfd_create("input", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  std::size_t done = 0;
  while (file.valid() && done < bytes.size()) {
    const ssize_t size = write(file.get(), bytes.data() + done, bytes.size() - done);
    if (size <= 0 && errno != EINTR) {
      return UniqueFd();
    }
    done += static_cast<std::size_t>(std::max<ssize_t>(size, 0));
  }
  if (!file.valid() || fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
    return UniqueFd();
  }
  return UniqueFd(open(("/proc/self/fd/" + std::to_string(file.get())).c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace

std::optional<Finding> ProgramSession::build(const std::string& source, std::map<std::string, std::string> files,
                                             int more_mib) {
  files[language_.source] = source;
  const std::size_t mib = source.size() / kMib + 1 + static_cast<std::size_t>(more_mib);
  const int work_mib = limits_.file_mib + language_.extra_file_mib + static_cast<int>(mib);
  const auto start =
      language_.precompiled_headers && tools_.starts_warm(source) ? SessionStart::kClang : SessionStart::kBare;
  if (const auto begun = worker_.begin(files, work_mib, start); !begun) {
    return faulty(begun.error().message);
  }
  const std::vector<Step> steps =
      tools_.program_steps(language_, limits_, source, cache_inside(worker_, tools_.cache_dir()));
  BuildOutcome outcome = build_program(worker_, steps, limits_.compile_cpu_s, alone_, language_.source);
  usage_ = outcome.usage;
  warnings_ = std::move(outcome.warnings);
  const bool refused = outcome.refused && outcome.refused->doubt == Doubt::kNone;
  if (refused && language_.precompiled_headers && !tools_.is_whole("")) {
    return faulty("files of the judge's cache folder have vanished: restart it", Doubt::kHopeless);
  }
  return std::move(outcome.refused);
}

std::optional<Finding> ProgramSession::renew(const std::string& source, const std::map<std::string, std::string>& files,
                                             int more_mib) {
  if (worker_.in_session()) {
    return std::nullopt;
  }
  auto refused = build(source, files, more_mib);
  if (refused && refused->doubt == Doubt::kNone) {
    return faulty("what could be built once cannot be built again");
  }
  return refused;
}

ProgramRun ProgramSession::run(const std::string& input, const std::vector<std::string>& arguments,
                               std::string& error) {
  ProgramRun run;
  const UniqueFd file = sealed_file(input);
  if (!file.valid()) {
    error = std::string("cannot hold a test's input in memory: ") + std::strerror(errno);
    return run;
  }
  const auto limit = static_cast<std::size_t>(limits_.output_bytes);
  RunningStep running(worker_,
                      {.output_limit = limit, .output_kept = limit, .input = file.get(), .errors_apart = true});
  if (const auto started = running.start(step(arguments)); !started) {
    error = started.error().message;
    return run;
  }
  while (!running.over() && !running.output_exceeded()) {
    running.wait();
  }
  run.report = running.finish();
  run.output = running.output();
  run.errors = running.errors();
  run.flooded = running.output_exceeded();
  return run;
}

Step ProgramSession::step(const std::vector<std::string>& arguments) const {
  Step step = tools_.program_run_step(language_, limits_);
  step.argv.insert(step.argv.end(), arguments.begin(), arguments.end());
  step.cpu_s *= alone_ ? 1 : kCpuSlack;
  return step;
}

std::string tail(const std::string& text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  const std::string whole = text.substr(0, last == std::string::npos ? 0 : last + 1);
  return whole.size() <= kShownErrors ? whole : whole.substr(whole.size() - kShownErrors);
}

std::string failure_of(const StepReport& report, const std::string& errors) {
  if (report.signal == 0 && report.exit_code == 0) {
    return {};
  }
  return ending(report) + (errors.empty() ? "" : ": " + tail(errors));
}

Verdict verdict_of_failure(const std::string& errors) {
  const std::string words = tail(errors);
  const std::string last = words.substr(words.rfind('\n') + 1);
  const bool python = last == "MemoryError" || last.starts_with("MemoryError:");
  // What C++'s runtime prints of an exception that nobody caught: its type, and what() on a line of its own.
  const bool cpp = words.find("terminate called after throwing an instance of 'std::bad_alloc'") != std::string::npos;
  return python || cpp ? Verdict::kMLE : Verdict::kRE;
}

std::string obstacle_in(const Languages& languages, const std::string& name) {
  const auto place = languages.find(name);
  if (place == languages.end()) {
    return "there is no language file for " + name + " in the folder of languages (docs/sandbox.md; $PLUMB_LANGUAGES)";
  }
  return place->second.missing.empty()
             ? ""
             : name + " cannot be judged here: " + place->second.missing + " is not installed";
}

}  // namespace plumb
