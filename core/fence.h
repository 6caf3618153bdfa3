#pragma once
// Where the first closed code block of a response ends. The actor stops sampling there and the reward judges the text
// in between; both use this one automaton, so they cannot disagree about which block counts.
//
// The rule, in the manner of CommonMark. A block opens on a line of at most three spaces, three or more backticks and
// an info string without backticks. It closes at the first line inside it that begins with at most three spaces and as
// many backticks as it was opened with; what follows those backticks is not looked at, so that the end is known with
// the last of them. Tildes, indented code and fences in mid-line open nothing. An opened block that never closes is no
// block.

#include <cstddef>
#include <string_view>

namespace plumb {

/// Finds the first closed code block in text that arrives in pieces. Linear in the bytes fed, constant memory; pieces
/// may be cut anywhere, also inside a UTF-8 sequence. A plain value: copy a fresh one to start over.
class StopAfterCodeBlock {
 public:
  /// Reads more text. True as soon as the closing fence is complete, and ever after (later text is not read).
  bool feed(std::string_view piece);

  [[nodiscard]] bool closed() const { return state_ == State::kClosed; }
  /// Whether the text fed so far ends inside a block.
  [[nodiscard]] bool inside() const { return inside_; }

  // Byte offsets into everything fed, defined once the block is open (the ends: once it is closed).
  [[nodiscard]] std::size_t begin() const { return begin_; }                // of the opening fence's first backtick
  [[nodiscard]] std::size_t info_begin() const { return info_begin_; }      // after the opening backticks
  [[nodiscard]] std::size_t source_begin() const { return source_begin_; }  // after the opening line's newline
  [[nodiscard]] std::size_t source_end() const { return source_end_; }      // start of the closing fence's line
  [[nodiscard]] std::size_t end() const { return position_; }               // after the closing fence's last backtick

 private:
  enum class State { kIndent, kTicks, kInfo, kRestOfLine, kClosed };

  void read_outside(char c);
  void read_inside(char c);
  void start_line();

  State state_ = State::kIndent;
  bool inside_ = false;
  int indent_ = 0;
  std::size_t ticks_ = 0;
  std::size_t opening_ticks_ = 0;
  std::size_t position_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t begin_ = 0;
  std::size_t info_begin_ = 0;
  std::size_t source_begin_ = 0;
  std::size_t source_end_ = 0;
};

}  // namespace plumb
