#pragma once
// Reads one answer of a driver (the frames of drivers.h) out of bytes that a hostile program may have written.

#include <string>
#include <string_view>

namespace plumb {

/// What a driver said about one call.
struct Answer {
  char kind = 0;        // V, W, X or L, as in drivers.h
  std::string payload;  // empty where `oversized`
  bool oversized = false;
};

/// One answer, fed in any pieces. Keeps at most `payload_limit` bytes; a longer payload is counted and dropped.
class AnswerReader {
 public:
  enum class State { kMore, kDone, kMalformed };

  AnswerReader(std::string nonce, std::size_t payload_limit)
      : nonce_(std::move(nonce)), payload_limit_(payload_limit) {}

  /// Takes what belongs to the answer from the front of `bytes` and leaves the rest.
  State take(std::string& bytes);
  [[nodiscard]] const Answer& answer() const { return answer_; }

 private:
  State take_head(std::string& bytes);

  std::string nonce_;
  std::size_t payload_limit_;
  bool head_read_ = false;
  std::size_t left_ = 0;
  Answer answer_;
};

}  // namespace plumb
