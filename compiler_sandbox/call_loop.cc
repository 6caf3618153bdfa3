#include "compiler_sandbox/call_loop.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "compiler_sandbox/answer_reader.h"
#include "compiler_sandbox/values.h"
#include "core/check.h"

namespace plumb {

namespace {

constexpr std::size_t kWordsLimit = 16384;  // of an exception's or a type's text
constexpr std::chrono::milliseconds kGrace{1000};

std::string new_nonce() {
  std::uint64_t number = 0;
  PLUMB_CHECK(getrandom(&number, sizeof(number), 0) == sizeof(number), "the kernel gave no random bytes");
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// Room for any value that is equal to the expected one, and for some that are not.
std::size_t payload_limit(const nlohmann::json& expected) {
  const std::string text = expected.dump(-1, ' ', false, nlohmann::json::error_handler_t::ignore);
  return kWordsLimit + 32 * text.size();
}

std::string take_line(std::string& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, std::min(end + 1, text.size()));
  return line;
}

// An exception's payload is "type\nline\ntext".
Diagnostic exception_message(std::string payload, std::string& type) {
  type = take_line(payload);
  const std::string line = take_line(payload);
  Diagnostic diagnostic{"error", type + ": " + payload, 0, 0};
  std::from_chars(line.data(), line.data() + line.size(), diagnostic.line);
  return diagnostic;
}

class Caller {
 public:
  Caller(RunningStep& running, const Submission& submission) : running_(running), submission_(submission) {}

  CallResults run(const std::vector<std::string>& encoded) {
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      const Verdict verdict = call(i, encoded[i]);
      results_.tests.push_back(verdict);
      if (results_.died || broken_ || (verdict != Verdict::kAC && submission_.stop_at_first_failure)) {
        break;
      }
    }
    return std::move(results_);
  }

 private:
  Verdict call(std::size_t index, const std::string& arguments) {
    const std::string nonce = new_nonce();
    running_.send(nonce + " " + std::to_string(arguments.size()) + "\n" + arguments);
    AnswerReader reader(nonce, payload_limit(submission_.expected[index]));
    AnswerReader::State state = reader.take(running_.received());
    while (state == AnswerReader::State::kMore && !stopped()) {
      running_.wait();
      state = reader.take(running_.received());
    }
    if (state == AnswerReader::State::kDone) {
      return judge(index, reader.answer());
    }
    if (state == AnswerReader::State::kMalformed) {
      return spoiled(index);
    }
    await_end();
    results_.died = true;
    return Verdict::kRE;
  }

  [[nodiscard]] bool stopped() const {
    return running_.over() || running_.channel_closed() || running_.output_exceeded();
  }

  // A program whose channel closed has ended or is about to: how, its step's report will say.
  void await_end() {
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (!running_.over() && !running_.output_exceeded() && std::chrono::steady_clock::now() < until) {
      running_.wait_at_most(50);
    }
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
    std::string type;
    const Diagnostic message = exception_message(answer.payload, type);
    note(message);
    if (type == "MemoryError" || type == "std::bad_alloc") {
      return Verdict::kMLE;
    }
    if (answer.kind == 'L') {
      broken_ = true;  // it says the same to every further call
      const bool syntax = type == "SyntaxError" || type == "IndentationError" || type == "TabError";
      return syntax ? Verdict::kCE : Verdict::kRE;
    }
    return Verdict::kRE;
  }

  Verdict wrong(std::size_t index, const std::string& what) {
    note({"note", "call " + std::to_string(index + 1) + " " + what, 0, 0});
    return Verdict::kWA;
  }

  // Bytes on the channel that are not the driver's: nothing that follows could be trusted to be an answer.
  Verdict spoiled(std::size_t index) {
    broken_ = true;
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
  bool broken_ = false;
};

}  // namespace

CallResults run_calls(RunningStep& running, const Submission& submission, const std::vector<std::string>& encoded) {
  return Caller(running, submission).run(encoded);
}

}  // namespace plumb
