#include "compiler_sandbox/examine_program.h"

#include <algorithm>

#include "compiler_sandbox/program_session.h"
#include "compiler_sandbox/step_outcome.h"

namespace plumb {

namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;

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
      worker_.end_later();  // nothing of this session stays until the next one
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
      if (std::string why = obstacle_in(languages_, name); !why.empty()) {
        return why;
      }
    }
    return submission_.program_tests.empty() ? "a submission needs at least one test" : "";
  }

  Finding run_tests() {
    ProgramSession program(worker_, tools_, languages_.at(submission_.program_language), submission_.limits, alone_);
    if (auto refused = program.build(submission_.source, {}, 0)) {
      return std::move(*refused);
    }
    Finding finding;
    Evidence& evidence = finding.evidence;
    add_usage(evidence, program.build_usage());
    warnings_ = program.warnings();
    for (const ProgramTest& test : submission_.program_tests) {
      std::string error;
      if (const auto refused = program.renew(submission_.source, {}, 0)) {
        return *refused;
      }
      ProgramRun run = program.run(test.input, {}, error);
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

  Verdict verdict_of(const ProgramRun& run, const ProgramTest& test, const std::optional<Finding>& broken,
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
    } else if (words = failure_of(run.report, run.errors); !words.empty()) {
      verdict = verdict_of_failure(run.errors);
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

  void show(Evidence& evidence, const ProgramRun& run) const {
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
    ProgramSession program(worker_, tools_, languages_.at(checker.language), limits, alone_);
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
        const ProgramRun run = program.run("", {"input" + number, "output" + number, "answer" + number}, error);
        const int code = run.report.reason == "exit" ? run.report.exit_code : -1;
        const auto broken = broken_limit(run.report, limits.cpu_s, alone_);
        if (error.empty() && broken && (broken->doubt == Doubt::kFault || broken->doubt == Doubt::kNearLimit)) {
          return faulty(broken->doubt == Doubt::kFault ? broken->evidence.fault : "the checker was near its CPU limit");
        }
        const auto said = verdict_of_checker(code);
        if (!error.empty() || !said) {
          return faulty(error.empty() ? "the checker failed: " + ending(run.report) + " " + tail(run.errors) : error,
                        error.empty() ? Doubt::kHopeless : Doubt::kFault);
        }
        verdict = *said;
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
    add_warnings(evidence, warnings_);
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
  std::vector<ProgramRun> runs_;  // of the tests that were run
  std::vector<Diagnostic> warnings_;
};

}  // namespace

Finding examine_program(Worker& worker, Toolchain& tools, const Languages& languages, const Submission& submission,
                        bool alone) {
  return ProgramExamination(worker, tools, languages, submission, alone).run();
}

}  // namespace plumb
