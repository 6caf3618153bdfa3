#include "compiler_sandbox/answer_reader.h"

#include <algorithm>
#include <charconv>

namespace plumb {

namespace {

constexpr std::size_t kMaxDigits = 12;
constexpr std::string_view kKinds = "VWXL";

}  // namespace

AnswerReader::State AnswerReader::take(std::string& bytes) {
  if (!head_read_) {
    if (const State state = take_head(bytes); state != State::kDone) {
      return state;
    }
  }
  const std::size_t size = std::min(left_, bytes.size());
  if (!answer_.oversized) {
    answer_.payload.append(bytes, 0, size);
  }
  bytes.erase(0, size);
  left_ -= size;
  return left_ == 0 ? State::kDone : State::kMore;
}

AnswerReader::State AnswerReader::take_head(std::string& bytes) {
  const std::size_t place = nonce_.size() + 2;  // of the first digit
  const std::size_t end = bytes.find('\n');
  if (end == std::string::npos) {
    return bytes.size() > place + kMaxDigits ? State::kMalformed : State::kMore;
  }
  const bool shaped = end > place && end <= place + kMaxDigits && bytes.starts_with(nonce_) && bytes[place - 1] == ' ';
  if (!shaped || kKinds.find(bytes[nonce_.size()]) == std::string_view::npos) {
    return State::kMalformed;
  }
  const char* last = bytes.data() + end;
  const auto number = std::from_chars(bytes.data() + place, last, left_);
  if (number.ec != std::errc() || number.ptr != last) {
    return State::kMalformed;
  }
  answer_.kind = bytes[nonce_.size()];
  answer_.oversized = left_ > payload_limit_;
  head_read_ = true;
  bytes.erase(0, end + 1);
  return State::kDone;
}

}  // namespace plumb
