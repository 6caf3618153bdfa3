#include "compiler_sandbox/examine_interactive.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "compiler_sandbox/program_session.h"
#include "compiler_sandbox/step_outcome.h"

namespace plumb {

namespace {

constexpr std::size_t kMib = std::size_t{1} << 20;
constexpr int kTurnMs = 2;  // between looks at one of the two
constexpr std::chrono::milliseconds kGrace{1000};

// From one program to the other. The judge closes its copy of the writing end when both have started, and keeps the
// reading end: whoever writes to a program that has gone must not die of it (a Python interactor would end with 120,
// which says nothing about the candidate), it reads the end of its own input next.
struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
  [[nodiscard]] bool open() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      return false;
    }
    reader = UniqueFd(ends[0]);
    writer = UniqueFd(ends[1]);
    return true;
  }
  // Throws away what nobody reads any more, so that its writer is not held up.
  void drain() const {
    char bytes[4096];
    pollfd readable{reader.get(), POLLIN, 0};
    while (poll(&readable, 1, 0) == 1 && (readable.revents & POLLIN) != 0) {
      if (read(reader.get(), bytes, sizeof bytes) <= 0) {
        return;
      }
    }
  }
};

class InteractiveExamination {
 public:
  InteractiveExamination(Worker& candidate, Worker& interactor, Toolchain& tools, const Languages& languages,
                         const Submission& submission, bool alone)
      : candidate_(candidate),
        interactor_(interactor),
        tools_(tools),
        languages_(languages),
        submission_(submission),
        alone_(alone) {}

  Finding run() {
    if (const std::string why = obstacle(); !why.empty()) {
      return faulty(why, Doubt::kHopeless);
    }
    Finding finding = run_tests();
    if (finding.doubt != Doubt::kFault) {
      candidate_.end_later();
      interactor_.end_later();
    }
    finish(finding.evidence);
    return finding;
  }

 private:
  std::string obstacle() {
    if (const auto good = validate(submission_.checker); !good) {
      return good.error().message;
    }
    for (const std::string& name : {submission_.program_language, submission_.checker.language}) {
      if (std::string why = obstacle_in(languages_, name); !why.empty()) {
        return why;
      }
    }
    return submission_.program_tests.empty() ? "a submission needs at least one test" : "";
  }

  Finding run_tests() {
    ProgramSession program(candidate_, tools_, languages_.at(submission_.program_language), submission_.limits, alone_);
    if (auto refused = program.build(submission_.source, {}, 0)) {
      return std::move(*refused);
    }
    ProgramSession interactor(interactor_, tools_, languages_.at(submission_.checker.language), author_limits_, alone_);
    if (const auto refused = build_interactor(interactor)) {
      return *refused;
    }
    Finding finding;
    add_usage(finding.evidence, program.build_usage());
    for (std::size_t i = 0; i < submission_.program_tests.size(); ++i) {
      if (const auto refused = program.renew(submission_.source, {}, 0)) {
        return *refused;
      }
      if (const auto refused = interactor_.in_session() ? std::nullopt : build_interactor(interactor)) {
        return *refused;
      }
      Finding one = talk(program, interactor, i);
      if (one.doubt == Doubt::kFault || one.doubt == Doubt::kHopeless) {
        return one;
      }
      const Evidence& seen = one.evidence;
      add_usage(finding.evidence, seen);
      finding.evidence.tests.push_back(seen.verdict);
      if (finding.evidence.diagnostics.empty() && seen.verdict != Verdict::kAC) {
        finding.evidence.diagnostics = seen.diagnostics;
        finding.evidence.errors = seen.errors;
        finding.evidence.exit_code = seen.exit_code;
        finding.evidence.signal = seen.signal;
      }
      finding.doubt = one.doubt;
      if (one.doubt != Doubt::kNone || (seen.verdict != Verdict::kAC && submission_.stop_at_first_failure)) {
        break;
      }
    }
    add_warnings(finding.evidence, program.warnings());
    return finding;
  }

  std::optional<Finding> build_interactor(ProgramSession& interactor) {
    std::map<std::string, std::string> files;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < submission_.program_tests.size(); ++i) {
      const ProgramTest& test = submission_.program_tests[i];
      files["input" + std::to_string(i)] = test.input;
      files["answer" + std::to_string(i)] = test.output;
      bytes += test.input.size() + test.output.size();
    }
    const auto refused =
        interactor.build(submission_.checker.source, std::move(files), static_cast<int>(bytes / kMib) + 1);
    if (!refused) {
      return std::nullopt;
    }
    const Evidence& seen = refused->evidence;
    return faulty(
        "the interactor could not be built: " + (seen.diagnostics.empty() ? seen.fault : seen.diagnostics[0].message),
        refused->doubt == Doubt::kNone ? Doubt::kHopeless : Doubt::kFault);
  }

  // One test: both run until both have ended.
  Finding talk(const ProgramSession& program, const ProgramSession& interactor, std::size_t index) {
    Pipe to_candidate;
    Pipe to_interactor;
    if (!to_candidate.open() || !to_interactor.open()) {
      return faulty(std::string("no pipe between a program and its interactor: ") + std::strerror(errno));
    }
    const std::size_t shown = 4096;
    RunningStep theirs(candidate_, {.output_limit = static_cast<std::size_t>(submission_.limits.output_bytes),
                                    .output_kept = shown,
                                    .input = to_candidate.reader.get(),
                                    .output = to_interactor.writer.get(),
                                    .waits_for_others = true});
    RunningStep ours(interactor_, {.output_limit = kMib,
                                   .output_kept = shown,
                                   .input = to_interactor.reader.get(),
                                   .output = to_candidate.writer.get()});
    const std::string number = std::to_string(index);
    Step author = interactor.step({"input" + number, "output" + number, "answer" + number});
    author.wall_s = submission_.limits.wall_s + author_limits_.wall_s;  // it waits for the candidate
    for (const auto& started : {ours.start(author), theirs.start(program.step({}))}) {
      if (!started) {
        return faulty(started.error().message);
      }
    }
    to_candidate.writer = UniqueFd();
    to_interactor.writer = UniqueFd();
    wait_for_both(theirs, ours, to_candidate, to_interactor);
    return judge(theirs, ours, index);
  }

  // Once one has ended the other sees the end of its input: it has a moment to conclude. The interactor may take its
  // time over what it has read.
  static void wait_for_both(RunningStep& theirs, RunningStep& ours, const Pipe& to_candidate,
                            const Pipe& to_interactor) {
    while (!ours.over() && !ours.output_exceeded() && !theirs.output_exceeded()) {
      ours.wait_at_most(kTurnMs);
      theirs.wait_at_most(theirs.over() ? 0 : kTurnMs);
      if (theirs.over()) {
        to_candidate.drain();
      }
    }
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (!theirs.over() && !theirs.output_exceeded() && std::chrono::steady_clock::now() < until) {
      theirs.wait_at_most(kTurnMs);
      to_interactor.drain();
    }
  }

  Finding judge(RunningStep& theirs, RunningStep& ours, std::size_t index) {
    const bool they_ended = theirs.over();  // by themselves
    const StepReport their_report = theirs.finish();
    const StepReport our_report = ours.finish();
    std::optional<Finding> broken = broken_limit(their_report, submission_.limits.cpu_s, alone_);
    if (broken && broken->doubt == Doubt::kFault) {
      return std::move(*broken);
    }
    Finding finding;
    Evidence& evidence = finding.evidence;
    add_usage(evidence, their_report);
    evidence.errors = theirs.output();
    evidence.exit_code = their_report.reason == "exit" && their_report.signal == 0 ? their_report.exit_code : -1;
    evidence.signal = their_report.signal;
    const std::string failure = they_ended ? failure_of(their_report, theirs.output()) : std::string();
    const int code = our_report.reason == "exit" && our_report.signal == 0 ? our_report.exit_code : -1;
    if (theirs.output_exceeded()) {
      conclude(evidence, Verdict::kOLE, index, "the program printed more than it may");
    } else if (broken) {
      finding.doubt = broken->doubt;
      conclude(evidence, broken->evidence.verdict, index, "the program broke a limit of time or memory");
    } else if (const auto said = verdict_of_checker(code); said && *said != Verdict::kAC) {
      conclude(evidence, *said, index, "the interactor says: " + tail(ours.output()));
    } else if (!failure.empty()) {
      conclude(evidence, verdict_of_failure(theirs.output()), index, failure);
    } else if (code != 0) {
      return faulty("the interactor failed: " + (our_report.fault.empty() ? ending(our_report) : our_report.fault) +
                        " " + tail(ours.output()),
                    our_report.reason == "fault" ? Doubt::kFault : Doubt::kHopeless);
    } else {
      evidence.verdict = Verdict::kAC;
    }
    return finding;
  }

  static void conclude(Evidence& evidence, Verdict verdict, std::size_t index, const std::string& words) {
    const bool wrong = verdict == Verdict::kWA || verdict == Verdict::kPE;
    evidence.verdict = verdict;
    evidence.diagnostics = {{wrong ? "note" : "error", "test " + std::to_string(index + 1) + ": " + words, 0, 0}};
  }

  void finish(Evidence& evidence) const {
    evidence.total = static_cast<int>(submission_.program_tests.size());
    evidence.isolation = candidate_.isolation().summary();
    if (evidence.tests.empty()) {
      return;  // the verdict is that of building it
    }
    evidence.passed = static_cast<int>(std::count(evidence.tests.begin(), evidence.tests.end(), Verdict::kAC));
    const auto failed =
        std::find_if(evidence.tests.begin(), evidence.tests.end(), [](Verdict v) { return v != Verdict::kAC; });
    evidence.verdict = failed == evidence.tests.end() ? Verdict::kAC : *failed;
  }

  Worker& candidate_;
  Worker& interactor_;
  Toolchain& tools_;
  const Languages& languages_;
  const Submission& submission_;
  bool alone_;
  Limits author_limits_;
};

}  // namespace

Finding examine_interactive(Worker& candidate, Worker& interactor, Toolchain& tools, const Languages& languages,
                            const Submission& submission, bool alone) {
  return InteractiveExamination(candidate, interactor, tools, languages, submission, alone).run();
}

}  // namespace plumb
