#include "compiler_sandbox/call_loop.h"

#include "compiler_sandbox/candidate_call.h"
#include "compiler_sandbox/values.h"

namespace plumb {

namespace {

constexpr std::size_t kWordsLimit = 16384;  // of an exception's or a type's text
// Room for any value that is equal to the expected one, and for some that are not.
std::size_t payload_limit(const nlohmann::json& expected) {
  const std::string text = expected.dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  return kWordsLimit + 32 * text.size();
}

class Caller {
 public:
  Caller(RunningStep& running, const Submission& submission) : running_(running), submission_(submission) {}

  CallResults run(const std::vector<std::string>& encoded, std::size_t first) {
    for (std::size_t i = first; i < encoded.size(); ++i) {
      const Verdict verdict = call(i, encoded[i]);
      results_.tests.push_back(verdict);
      if (results_.lost || unloadable_ || (verdict != Verdict::kAC && submission_.stop_at_first_failure)) {
        break;
      }
    }
    return std::move(results_);
  }

 private:
  Verdict call(std::size_t index, const std::string& arguments) {
    const CallOutcome outcome = call_candidate(running_, arguments, payload_limit(submission_.expected[index]));
    if (outcome.failure == CallFailure::kSpoiled) {
      return spoiled(index);
    }
    results_.lost = results_.died = outcome.failure == CallFailure::kDied;
    return results_.died ? Verdict::kRE : judge(index, outcome.answer);
  }

  Verdict judge(std::size_t index, const Answer& answer) {
    if (answer.kind == 'V') {
      const auto comparison =
          answer.oversized ? Comparison::kDifferent
                           : compare_value(answer.payload, submission_.expected[index], submission_.function.returns);
      if (comparison == Comparison::kMalformed) {
        return spoiled(index);
      }
      return comparison == Comparison::kEqual ? Verdict::kAC : wrong(index, "returned another value than expected");
    }
    if (answer.kind == 'W') {
      return wrong(index, "returned a value of type " + answer.payload + ", not " + submission_.function.returns);
    }
    const CandidateException exception = read_exception(answer.payload);
    note(exception.message);
    unloadable_ = unloadable_ || answer.kind == 'L';  // it says the same to every further call
    return verdict_of_exception(answer.kind, exception.type);
  }

  Verdict wrong(std::size_t index, const std::string& what) {
    note({"note", "call " + std::to_string(index + 1) + " " + what, 0, 0});
    return Verdict::kWA;
  }

  // Bytes on the channel that are not the driver's: nothing that follows could be trusted to be an answer.
  Verdict spoiled(std::size_t index) {
    results_.lost = true;
    note({"error", "call " + std::to_string(index + 1) + ": the program wrote into the judge's channel", 0, 0});
    return Verdict::kRE;
  }

  void note(const Diagnostic& diagnostic) {
    if (!results_.reason) {
      results_.reason = diagnostic;
    }
  }

  RunningStep& running_;
  const Submission& submission_;
  CallResults results_;
  bool unloadable_ = false;
};

}  // namespace

CallResults run_calls(RunningStep& running, const Submission& submission, const std::vector<std::string>& encoded,
                      std::size_t first) {
  return Caller(running, submission).run(encoded, first);
}

}  // namespace plumb
