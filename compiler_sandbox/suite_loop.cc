#include "compiler_sandbox/suite_loop.h"

#include <charconv>
#include <chrono>

#include "compiler_sandbox/candidate_call.h"
#include "compiler_sandbox/values.h"

namespace plumb {

namespace {

constexpr std::size_t kAnswerLimit = std::size_t{8} << 20;  // of a candidate's value
constexpr int kMostTests = 100000;
constexpr int kGoodbyeMs = 100;  // for tests whose candidate is gone to come to their end

// A frame of the suite's driver.
struct Frame {
  char kind = 0;
  std::string payload;
};

class Loop {
 public:
  Loop(RunningStep& candidate, RunningStep& tests, const FreshRuns* fresh)
      : candidate_(&candidate), tests_(tests), fresh_(fresh) {}

  SuiteResults run() {
    Frame frame;
    while (!over_ && next(frame)) {
      handle(frame);
    }
    if (candidate_gone_) {
      say_goodbye();
    }
    return std::move(results_);
  }

 private:
  // Waits for the suite's next frame. False where there will be none.
  bool next(Frame& frame) {
    for (;;) {
      if (take(tests_.received(), frame)) {
        return true;
      }
      if (tests_.over() || tests_.channel_closed() || tests_.output_exceeded()) {
        results_.tests_ended = true;
        return false;
      }
      tests_.wait();
    }
  }

  // Tests that wait for the candidate hear that it will not answer, and mostly come to their end then.
  void say_goodbye() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(kGoodbyeMs);
    tests_.send("D 0\n");
    Frame frame;
    while (!tests_.over() && !tests_.channel_closed() && std::chrono::steady_clock::now() < until) {
      if (!take(tests_.received(), frame)) {
        tests_.wait_at_most(kGoodbyeMs);
      } else if (frame.kind == 'C') {
        tests_.send("D 0\n");
      } else if (frame.kind == 'E') {
        return end(frame.payload);
      }
    }
  }

  void end(const std::string& payload) {
    results_.stays = payload == "stays";
    results_.clean_end = payload.empty() || results_.stays;
    over_ = true;
  }

  static bool take(std::string& bytes, Frame& frame) {
    const std::size_t end = bytes.find('\n');
    std::size_t size = 0;
    if (end == std::string::npos || end < 3 ||
        std::from_chars(bytes.data() + 2, bytes.data() + end, size).ptr != bytes.data() + end ||
        bytes.size() - end - 1 < size) {
      return false;
    }
    frame = {bytes[0], bytes.substr(end + 1, size)};
    bytes.erase(0, end + 1 + size);
    return true;
  }

  void handle(const Frame& frame) {
    switch (frame.kind) {
      case 'T':
        std::from_chars(frame.payload.data(), frame.payload.data() + frame.payload.size(), results_.total);
        results_.total = results_.total > kMostTests ? kMostTests : results_.total;
        return;
      case 'C':
        return call(frame.payload);
      case 'R':
        return result(frame.payload);
      case 'U':
        results_.fault = frame.payload;
        over_ = true;
        return;
      default:  // 'E'
        end(frame.payload);
    }
  }

  void call(const std::string& arguments) {
    if (lost_) {
      return tests_.send("N 0\n");
    }
    if (candidate_ == nullptr && (candidate_ = fresh_->start()) == nullptr) {
      over_ = true;
      return;
    }
    const CallOutcome outcome = call_candidate(*candidate_, arguments, kAnswerLimit);
    const Answer& answer = outcome.answer;
    const bool malformed = answer.kind == 'V' && !answer.oversized && !is_well_formed(answer.payload, 1);
    if (outcome.failure == CallFailure::kSpoiled || malformed) {
      return fail(Verdict::kRE, {"error", "the program wrote into the judge's channel", 0, 0});
    }
    if (outcome.failure == CallFailure::kDied) {
      results_.died = true;
      return fail(Verdict::kRE, {"error", "", 0, 0});
    }
    if (answer.oversized) {
      return fail(Verdict::kWA, {"note", "the program returned more than 8 MiB", 0, 0});
    }
    if (answer.kind == 'L') {  // it says the same to every further call
      const CandidateException exception = read_exception(answer.payload);
      return fail(verdict_of_exception('L', exception.type), exception.message, false);
    }
    tests_.send(std::string(1, answer.kind) + " " + std::to_string(answer.payload.size()) + "\n" + answer.payload);
  }

  // The test that is running can come to no end.
  void fail(Verdict verdict, const Diagnostic& reason, bool another_run_may_answer = true) {
    results_.tests.push_back(verdict);
    note(reason);
    results_.ended = another_run_may_answer && fresh_ != nullptr;
    if (results_.ended && fresh_->end(results_)) {
      const int total = results_.total;
      num_before_ += results_.tests.size();
      results_ = SuiteResults();
      results_.total = total;
      candidate_ = nullptr;
      lost_ = true;
      tests_.send("N 0\n");
      return;
    }
    over_ = candidate_gone_ = true;
  }

  void result(const std::string& payload) {
    if (lost_) {  // whatever the test made of it: its verdict is known
      lost_ = false;
      return;
    }
    if (payload.empty()) {
      results_.tests.push_back(Verdict::kAC);
      return;
    }
    CandidateException exception = read_exception(payload.substr(1));
    Verdict verdict = Verdict::kWA;
    if (payload[0] == 'K') {
      verdict = verdict_of_exception('X', exception.type);
      note(exception.message);
    } else {
      note({"note", failure(exception), 0, 0});
    }
    results_.tests.push_back(verdict);
  }

  // In words that do not give an expected value away.
  [[nodiscard]] std::string failure(const CandidateException& exception) const {
    std::string text = "test " + std::to_string(num_before_ + results_.tests.size() + 1) + " failed";
    if (exception.message.line > 0) {
      text += ", in line " + std::to_string(exception.message.line) + " of the tests";
    }
    if (exception.type == "Unjudged") {
      return text + ": " + exception.message.message.substr(std::string("Unjudged: ").size());
    }
    return exception.type == "AssertionError" ? text : text + ", with " + exception.type;
  }

  void note(const Diagnostic& diagnostic) {
    if (!results_.reason) {
      results_.reason = diagnostic;
    }
  }

  RunningStep* candidate_;  // null: it ended, and is started again when it is called
  RunningStep& tests_;
  const FreshRuns* fresh_;      // null: none
  std::size_t num_before_ = 0;  // tests of earlier runs
  bool lost_ = false;           // the candidate ended during the test that is running
  bool over_ = false;
  bool candidate_gone_ = false;
  SuiteResults results_;
};

}  // namespace

SuiteResults run_suite(RunningStep& candidate, RunningStep& tests, const TestSuite& suite, bool stop_at_first_failure,
                       const FreshRuns& fresh) {
  const auto text = [](char kind, const std::string& bytes) {
    return kind + std::to_string(bytes.size()) + ":" + bytes;
  };
  std::string payload =
      "u4:" + text('b', suite.helpers) + text('b', suite.code) + "l" + std::to_string(suite.functions.size()) + ":";
  for (const std::string& name : suite.functions) {
    payload += text('s', name);
  }
  payload += stop_at_first_failure ? "t" : "f";
  tests.send("S " + std::to_string(payload.size()) + "\n" + payload);
  return Loop(candidate, tests, stop_at_first_failure ? nullptr : &fresh).run();
}

}  // namespace plumb
