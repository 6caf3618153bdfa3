#include "core/fence.h"

namespace plumb {

namespace {

constexpr int kMaxIndent = 3;
constexpr std::size_t kMinTicks = 3;

}  // namespace

bool StopAfterCodeBlock::feed(std::string_view piece) {
  for (const char c : piece) {
    if (closed()) {
      break;
    }
    ++position_;
    if (inside_) {
      read_inside(c);
    } else {
      read_outside(c);
    }
  }
  return closed();
}

void StopAfterCodeBlock::start_line() {
  state_ = State::kIndent;
  indent_ = 0;
  ticks_ = 0;
  line_begin_ = position_;
}

void StopAfterCodeBlock::read_outside(char c) {
  if (c == '\n') {
    // A line of backticks alone opens too: its info string is empty.
    const bool opens = state_ == State::kInfo || (state_ == State::kTicks && ticks_ >= kMinTicks);
    if (opens) {
      inside_ = true;
      opening_ticks_ = ticks_;
      source_begin_ = position_;
      if (state_ == State::kTicks) {
        info_begin_ = position_ - 1;
      }
    }
    start_line();
    return;
  }
  switch (state_) {
    case State::kIndent:
      if (c == '`') {
        state_ = State::kTicks;
        ticks_ = 1;
        begin_ = position_ - 1;
      } else if (c != ' ' || ++indent_ > kMaxIndent) {
        state_ = State::kRestOfLine;
      }
      break;
    case State::kTicks:
      if (c == '`') {
        ++ticks_;
      } else if (ticks_ >= kMinTicks) {
        state_ = State::kInfo;
        info_begin_ = position_ - 1;
      } else {
        state_ = State::kRestOfLine;
      }
      break;
    case State::kInfo:
      if (c == '`') {
        state_ = State::kRestOfLine;  // a code span such as ```x```, not a fence
      }
      break;
    case State::kRestOfLine:
    case State::kClosed:
      break;
  }
}

void StopAfterCodeBlock::read_inside(char c) {
  if (c == '\n') {
    start_line();
    return;
  }
  if (state_ == State::kRestOfLine) {
    return;
  }
  if (c == '`') {
    state_ = State::kTicks;
    if (++ticks_ == opening_ticks_) {
      state_ = State::kClosed;
      inside_ = false;
      source_end_ = line_begin_;
    }
  } else if (state_ != State::kIndent || c != ' ' || ++indent_ > kMaxIndent) {
    state_ = State::kRestOfLine;
  }
}

}  // namespace plumb
