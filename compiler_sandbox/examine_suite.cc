#include "compiler_sandbox/examine_suite.h"

#include <algorithm>
#include <memory>

#include "compiler_sandbox/step_outcome.h"
#include "compiler_sandbox/suite_loop.h"

namespace plumb {

namespace {

constexpr std::size_t kTestsOutput = std::size_t{1} << 20;  // what the tests may print; nobody sees it
constexpr int kTestsWorkMib = 16;
constexpr int kGoodbyeMs = 100;
constexpr double kProcessLife = 5;  // seconds after which a process of the tests gets no other suite

class SuiteExamination {
 public:
  SuiteExamination(Worker& candidate, Worker& tests, Toolchain& tools, const Submission& submission, bool alone)
      : candidate_(candidate), tests_(tests), tools_(tools), submission_(submission), alone_(alone) {}

  Finding run() {
    if (submission_.language != Language::kPython) {
      return faulty("test suites are judged in Python", Doubt::kHopeless);
    }
    std::optional<Finding> finding = attempt();
    if (!finding) {
      finding = attempt();
    }
    if (finding->doubt != Doubt::kFault) {
      candidate_.end_later();
    }
    return *finding;
  }

 private:
  // Nothing where the tests broke off in a process that had run others before: part of its limits was spent. The next
  // attempt gets a new one.
  std::optional<Finding> attempt() {
    take_standing_process();
    const bool standing = tests_step_ != nullptr;
    if (const auto begun = begin(); !begun) {
      return faulty(begun.error().message);
    }
    all_ = Finding();
    runs_ = 0;
    if (const auto started = start(); !started) {
      return faulty(started.error().message);
    }
    const FreshRuns fresh{.end = [this](const SuiteResults& run) { return end_run(run); },
                          .start = [this] { return start_again(); }};
    SuiteResults results =
        run_suite(*candidate_step_, *tests_step_, submission_.suite, submission_.stop_at_first_failure, fresh);
    if (results.tests_ended && standing) {
      tests_.end_later();
      candidate_.end_later();
      return std::nullopt;
    }
    return finding_of(results);
  }

  void take_standing_process() {
    tests_step_ = tests_.take_kept();
    if (!tests_step_) {
      return;
    }
    tests_step_->wait_at_most(0);
    if (tests_step_->over() || tests_step_->seconds() > kProcessLife) {
      tests_.end_later();
      tests_step_.reset();
    }
  }

  // The tests' session goes on from suite to suite as long as none leaves a file: their authors are no attackers.
  Result<void> begin() {
    const bool is_new = !tests_.in_session();
    PLUMB_TRY(candidate_.send_begin(work_files(submission_), submission_.limits.file_mib, SessionStart::kPython));
    PLUMB_TRY(is_new ? tests_.send_begin({}, kTestsWorkMib, SessionStart::kPython) : Result<void>());
    PLUMB_TRY(candidate_.await_begun());
    return is_new ? tests_.await_begun() : Result<void>();
  }

  Result<void> start() {
    PLUMB_TRY(start_candidate());
    if (tests_step_) {
      return {};
    }
    tests_step_ = std::make_unique<RunningStep>(tests_, StepStreams{.channel = true, .output_limit = kTestsOutput});
    return tests_step_->start(Toolchain::suite_step(submission_));
  }

  Result<void> start_candidate() {
    if (!candidate_.in_session()) {
      PLUMB_TRY(candidate_.begin(work_files(submission_), submission_.limits.file_mib, SessionStart::kPython));
    }
    Step step = tools_.run_step(submission_);
    step.cpu_s *= alone_ ? 1 : kCpuSlack;
    step.wall_s += Toolchain::suite_step(submission_).cpu_s;  // it waits while the tests compute
    candidate_step_ = std::make_unique<RunningStep>(
        candidate_, StepStreams{.channel = true,
                                .output_limit = static_cast<std::size_t>(submission_.limits.output_bytes),
                                .waits_for_others = true});
    ++runs_;
    is_running_ = true;
    return candidate_step_->start(step);
  }

  RunningStep* start_again() {
    const auto started = start_candidate();
    if (!started) {
      all_ = faulty(started.error().message);
    }
    return started ? candidate_step_.get() : nullptr;
  }

  // Whether there may be another.
  bool end_run(const SuiteResults& results) {
    Finding run =
        conclude(*candidate_step_, {results.tests, results.reason, results.died}, submission_.limits.cpu_s, alone_);
    is_running_ = false;
    const bool goes_on = may_run_again(run, runs_, all_.evidence, submission_.limits);
    add_run(all_, std::move(run));
    return goes_on;
  }

  // What came after the last run had ended, without it.
  void add_rest(const SuiteResults& results) {
    Finding rest;
    rest.evidence.tests = results.tests;
    if (results.reason) {
      rest.evidence.diagnostics.push_back(*results.reason);
    }
    add_run(all_, std::move(rest));
  }

  Finding finding_of(SuiteResults& results) {
    if (results.tests_ended) {
      if (const auto fault = end_of_tests(tests_step_->finish(), results)) {
        return *fault;
      }
    }
    leave(results);
    if (!results.fault.empty()) {
      return faulty(results.fault, Doubt::kHopeless);
    }
    if (all_.doubt == Doubt::kFault) {
      return all_;
    }
    if (is_running_ && !results.tests.empty()) {
      end_run(results);
    } else if (all_.doubt == Doubt::kNone && !results.ended && !results.tests.empty()) {
      add_rest(results);
    }
    const std::vector<Verdict>& verdicts = all_.evidence.tests;
    if (verdicts.empty() && all_.doubt != Doubt::kFault) {
      return faulty("the tests ended without a result");
    }
    if (all_.doubt != Doubt::kFault) {
      all_.evidence.total = std::max({results.total, static_cast<int>(verdicts.size()), 1});
      all_.evidence.isolation = candidate_.isolation().summary();
    }
    return all_;
  }

  void leave(const SuiteResults& results) {
    if (results.stays) {
      tests_.keep(std::move(tests_step_));
      return;
    }
    for (int waited_ms = 0; results.clean_end && !tests_step_->over() && waited_ms < kGoodbyeMs; ++waited_ms) {
      tests_step_->wait_at_most(1);
    }
    if (!results.clean_end || !tests_step_->over()) {
      tests_.end_later();
    }
  }

  // What it means that the tests' process is gone before it had said that it is through.
  static std::optional<Finding> end_of_tests(const StepReport& report, SuiteResults& results) {
    if (report.reason != "cpu" && report.reason != "wall" && !report.out_of_memory) {
      return faulty(report.fault.empty() ? "the tests: " + ending(report) : report.fault);
    }
    results.tests.push_back(Verdict::kTLE);
    results.reason = results.reason ? results.reason : Diagnostic{"error", "the tests took too long", 0, 0};
    return std::nullopt;
  }

  Worker& candidate_;
  Worker& tests_;
  Toolchain& tools_;
  const Submission& submission_;
  bool alone_;
  std::unique_ptr<RunningStep> candidate_step_;
  std::unique_ptr<RunningStep> tests_step_;
  Finding all_;  // of the candidate's runs that have ended
  int runs_ = 0;
  bool is_running_ = false;
};

}  // namespace

Finding examine_suite(Worker& candidate, Worker& tests, Toolchain& tools, const Submission& submission, bool alone) {
  return SuiteExamination(candidate, tests, tools, submission, alone).run();
}

}  // namespace plumb
