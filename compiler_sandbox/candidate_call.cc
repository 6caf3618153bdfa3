#include "compiler_sandbox/candidate_call.h"

#include <sys/random.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "core/check.h"

namespace plumb {

namespace {

constexpr std::chrono::milliseconds kGrace{1000};

std::string new_nonce() {
  std::uint64_t number = 0;
  PLUMB_CHECK(getrandom(&number, sizeof(number), 0) == sizeof(number), "the kernel gave no random bytes");
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}

std::string take_line(std::string& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line = text.substr(0, end);
  text.erase(0, std::min(end + 1, text.size()));
  return line;
}

// A program whose channel closed has ended or is about to: how, its step's report will say.
void await_end(RunningStep& running) {
  const auto until = std::chrono::steady_clock::now() + kGrace;
  while (!running.over() && !running.output_exceeded() && std::chrono::steady_clock::now() < until) {
    running.wait_at_most(50);
  }
}

}  // namespace

CallOutcome call_candidate(RunningStep& running, const std::string& arguments, std::size_t payload_limit) {
  const std::string nonce = new_nonce();
  running.send(nonce + " " + std::to_string(arguments.size()) + "\n" + arguments);
  running.its_turn(true);
  AnswerReader reader(nonce, payload_limit);
  AnswerReader::State state = reader.take(running.received());
  while (state == AnswerReader::State::kMore && !running.over() && !running.channel_closed() &&
         !running.output_exceeded()) {
    running.wait();
    state = reader.take(running.received());
  }
  if (state == AnswerReader::State::kDone) {
    running.its_turn(false);
    return {CallFailure::kNone, reader.answer()};
  }
  if (state == AnswerReader::State::kMalformed) {
    return {CallFailure::kSpoiled, {}};
  }
  await_end(running);
  return {CallFailure::kDied, {}};
}

std::string bounded(std::string words) {
  constexpr std::size_t kMost = 4096;
  if (words.size() > kMost) {
    std::size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) {
      --end;  // not in the middle of a character
    }
    words.resize(end);
  }
  return words;
}

CandidateException read_exception(std::string payload) {
  CandidateException exception;
  exception.type = bounded(take_line(payload));
  const std::string line = take_line(payload);
  exception.message = {"error", bounded(exception.type + ": " + payload), 0, 0};
  std::from_chars(line.data(), line.data() + line.size(), exception.message.line);
  return exception;
}

Verdict verdict_of_exception(char kind, const std::string& type) {
  if (type == "MemoryError" || type == "std::bad_alloc") {
    return Verdict::kMLE;
  }
  const bool syntax = type == "SyntaxError" || type == "IndentationError" || type == "TabError";
  return kind == 'L' && syntax ? Verdict::kCE : Verdict::kRE;
}

}  // namespace plumb
