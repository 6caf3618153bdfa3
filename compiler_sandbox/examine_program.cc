#include "compiler_sandbox/examine_program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "compiler_sandbox/running_step.h"
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

// The end of `text`, where an interpreter says what went wrong.
std::string tail(const std::string& text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  const std::string whole = text.substr(0, last == std::string::npos ? 0 : last + 1);
  return whole.size() <= kShownErrors ? whole : whole.substr(whole.size() - kShownErrors);
}

// What one run of a program left behind.
struct Run {
  StepReport report;
  std::string output;
  std::string errors;
  bool flooded = false;
};

// A program of a language in a session of its own.
class Program {
 public:
  Program(Worker& worker, Toolchain& tools, const LanguageFile& language, const Limits& limits, bool alone)
      : worker_(worker), tools_(tools), language_(language), limits_(limits), alone_(alone) {}

  // Nothing where the program was built and can be run.
  std::optional<Finding> build(const std::string& source, std::map<std::string, std::string> files, int more_mib) {
    files[language_.source] = source;
    const std::size_t mib = source.size() / kMib + 1 + static_cast<std::size_t>(more_mib);
    const int work_mib = limits_.file_mib + language_.extra_file_mib + static_cast<int>(mib);
    if (const auto begun = worker_.begin(files, work_mib); !begun) {
      return faulty(begun.error().message);
    }
    const std::vector<Step> steps =
        tools_.program_steps(language_, limits_, source, cache_inside(worker_, tools_.cache_dir()));
    BuildOutcome outcome = build_program(worker_, steps, limits_.compile_cpu_s, alone_, language_.source);
    usage_ = outcome.usage;
    const bool refused = outcome.refused && outcome.refused->doubt == Doubt::kNone;
    if (refused && language_.precompiled_headers && !tools_.is_whole("")) {
      return faulty("files of the judge's cache folder have vanished: restart it", Doubt::kHopeless);
    }
    return std::move(outcome.refused);
  }

  // One run; `error` says what of ours broke, if anything did.
  Run run(const std::string& input, const std::vector<std::string>& arguments, std::string& error) {
    Run run;
    const UniqueFd file = sealed_file(input);
    if (!file.valid()) {
      error = std::string("cannot hold a test's input in memory: ") + std::strerror(errno);
      return run;
    }
    Step step = tools_.program_run_step(language_, limits_);
    step.argv.insert(step.argv.end(), arguments.begin(), arguments.end());
    step.cpu_s *= alone_ ? 1 : kCpuSlack;
    const auto limit = static_cast<std::size_t>(limits_.output_bytes);
    RunningStep running(worker_,
                        {.output_limit = limit, .output_kept = limit, .input = file.get(), .errors_apart = true});
    if (const auto started = running.start(step); !started) {
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

  [[nodiscard]] const Evidence& build_usage() const { return usage_; }

 private:
  Worker& worker_;
  Toolchain& tools_;
  const LanguageFile& language_;
  const Limits& limits_;
  bool alone_;
  Evidence usage_;
};

class ProgramExamination {
 public:
  ProgramExamination(Worker& worker, Toolchain& tools, const Languages& languages, const Submission& submission,
                     bool alone)
      : worker_(worker), tools_(tools), languages_(languages), submission_(submission), alone_(alone) {}

  Finding run() {
    if (const std::string why = obstacle(); !why.empty()) {
      return faulty(why, Doubt::kHopeless);
    }
    Finding finding = run_tests();
    if (finding.doubt == Doubt::kNone && submission_.checker.kind == "program" && !runs_.empty()) {
      finding = ask_checker(std::move(finding));
    }
    if (finding.doubt != Doubt::kFault) {
      worker_.end();  // nothing of this session stays until the next one
    }
    finish(finding.evidence);
    return finding;
  }

 private:
  // Empty where the submission can be judged, else why not.
  std::string obstacle() {
    std::vector<std::string> names{submission_.program_language};
    if (const auto good = validate(submission_.checker); !good) {
      return good.error().message;
    }
    if (submission_.checker.kind == "program") {
      names.push_back(submission_.checker.language);
    }
    for (const std::string& name : names) {
      const auto place = languages_.find(name);
      if (place == languages_.end()) {
        return "there is no language file for " + name +
               " in the folder of languages (docs/sandbox.md; $PLUMB_LANGUAGES)";
      }
      if (!place->second.missing.empty()) {
        return name + " cannot be judged here: " + place->second.missing + " is not installed";
      }
    }
    return submission_.program_tests.empty() ? "a submission needs at least one test" : "";
  }

  Finding run_tests() {
    Program program(worker_, tools_, languages_.at(submission_.program_language), submission_.limits, alone_);
    if (auto refused = program.build(submission_.source, {}, 0)) {
      return std::move(*refused);
    }
    Finding finding;
    Evidence& evidence = finding.evidence;
    add_usage(evidence, program.build_usage());
    for (const ProgramTest& test : submission_.program_tests) {
      std::string error;
      Run run = program.run(test.input, {}, error);
      std::optional<Finding> broken = broken_limit(run.report, submission_.limits.cpu_s, alone_);
      if (!error.empty() || (broken && broken->doubt == Doubt::kFault)) {
        return error.empty() ? std::move(*broken) : faulty(error);
      }
      add_usage(evidence, run.report);
      const Verdict verdict = verdict_of(run, test, broken, evidence);
      evidence.tests.push_back(verdict);
      runs_.push_back(std::move(run));
      finding.doubt = broken && !runs_.back().flooded ? broken->doubt : Doubt::kNone;
      if (finding.doubt != Doubt::kNone || (verdict != Verdict::kAC && submission_.stop_at_first_failure)) {
        break;
      }
    }
    return finding;
  }

  Verdict verdict_of(const Run& run, const ProgramTest& test, const std::optional<Finding>& broken,
                     Evidence& evidence) {
    Verdict verdict = Verdict::kAC;
    std::string words;
    if (run.flooded) {
      verdict = Verdict::kOLE;
      words = "the program printed more than it may";
    } else if (broken) {
      verdict = broken->evidence.verdict;
      words = verdict == Verdict::kMLE ? "the program needed more memory than it may use"
                                       : "the program needed more time than it may use";
    } else if (run.report.signal != 0 || run.report.exit_code != 0) {
      verdict = Verdict::kRE;
      words = ending(run.report) + (run.errors.empty() ? "" : ": " + tail(run.errors));
    } else if (submission_.checker.kind != "program") {
      verdict = compare_output(submission_.checker, run.output, test.output);
      words = verdict == Verdict::kPE ? "the right words with other white space" : "other output than expected";
    }
    if (verdict != Verdict::kAC) {
      note(evidence, verdict, words);
    }
    return verdict;
  }

  // The first test that failed is the one that is shown; its number is that of the test being judged.
  static void note(Evidence& evidence, Verdict verdict, const std::string& words) {
    if (evidence.diagnostics.empty()) {
      const bool wrong = verdict == Verdict::kWA || verdict == Verdict::kPE;
      evidence.diagnostics.push_back(
          {wrong ? "note" : "error", "test " + std::to_string(evidence.tests.size() + 1) + ": " + words, 0, 0});
    }
  }

  void show(Evidence& evidence, const Run& run) const {
    const auto bytes = static_cast<std::size_t>(submission_.shown_output_bytes);
    evidence.output = run.output.substr(0, bytes);
    evidence.errors = run.errors.substr(0, bytes);
    evidence.exit_code = run.report.reason == "exit" && run.report.signal == 0 ? run.report.exit_code : -1;
    evidence.signal = run.report.signal;
  }

  // The author's program looks at what was printed, in a sandbox where the candidate has never been.
  Finding ask_checker(Finding finding) {
    std::map<std::string, std::string> files;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const ProgramTest& test = submission_.program_tests[i];
      files["input" + std::to_string(i)] = test.input;
      files["output" + std::to_string(i)] = runs_[i].output;
      files["answer" + std::to_string(i)] = test.output;
      bytes += test.input.size() + runs_[i].output.size() + test.output.size();
    }
    const Checker& checker = submission_.checker;
    const Limits limits;
    Program program(worker_, tools_, languages_.at(checker.language), limits, alone_);
    if (auto refused = program.build(checker.source, std::move(files), static_cast<int>(bytes / kMib) + 1)) {
      const std::string words =
          refused->evidence.diagnostics.empty() ? refused->evidence.fault : refused->evidence.diagnostics[0].message;
      return faulty("the checker could not be built: " + words,
                    refused->doubt == Doubt::kNone ? Doubt::kHopeless : Doubt::kFault);
    }
    std::vector<Verdict> verdicts;
    verdicts.swap(finding.evidence.tests);
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
      Verdict verdict = verdicts[i];
      if (verdict == Verdict::kAC) {
        const std::string number = std::to_string(i);
        std::string error;
        const Run run = program.run("", {"input" + number, "output" + number, "answer" + number}, error);
        const int code = run.report.reason == "exit" ? run.report.exit_code : -1;
        const auto broken = broken_limit(run.report, limits.cpu_s, alone_);
        if (error.empty() && broken && (broken->doubt == Doubt::kFault || broken->doubt == Doubt::kNearLimit)) {
          return faulty(broken->doubt == Doubt::kFault ? broken->evidence.fault : "the checker was near its CPU limit");
        }
        if (!error.empty() || code < 0 || code > 2) {
          return faulty(error.empty() ? "the checker failed: " + ending(run.report) + " " + tail(run.errors) : error,
                        error.empty() ? Doubt::kHopeless : Doubt::kFault);
        }
        verdict = code == 0 ? Verdict::kAC : code == 1 ? Verdict::kWA : Verdict::kPE;
        if (verdict != Verdict::kAC) {
          note(finding.evidence, verdict, "the checker says: " + tail(run.errors + run.output));
        }
      }
      finding.evidence.tests.push_back(verdict);
      if (verdict != Verdict::kAC && submission_.stop_at_first_failure) {
        break;
      }
    }
    return finding;
  }

  void finish(Evidence& evidence) const {
    evidence.total = static_cast<int>(submission_.program_tests.size());
    evidence.isolation = worker_.isolation().summary();
    if (evidence.tests.empty()) {
      return;  // the verdict is that of building it
    }
    evidence.passed = static_cast<int>(std::count(evidence.tests.begin(), evidence.tests.end(), Verdict::kAC));
    const auto failed =
        std::find_if(evidence.tests.begin(), evidence.tests.end(), [](Verdict v) { return v != Verdict::kAC; });
    evidence.verdict = failed == evidence.tests.end() ? Verdict::kAC : *failed;
    const auto first_failed = static_cast<std::size_t>(failed - evidence.tests.begin());
    show(evidence, runs_[std::min(first_failed, runs_.size() - 1)]);
  }

  Worker& worker_;
  Toolchain& tools_;
  const Languages& languages_;
  const Submission& submission_;
  bool alone_;
  std::vector<Run> runs_;  // of the tests that were run
};

}  // namespace

Finding examine_program(Worker& worker, Toolchain& tools, const Languages& languages, const Submission& submission,
                        bool alone) {
  return ProgramExamination(worker, tools, languages, submission, alone).run();
}

}  // namespace plumb
