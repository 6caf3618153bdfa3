#pragma once
// Progress of a long stage: a bar with rate and time left on a terminal, a plain line now and then otherwise (a log
// file, a CI job). Every stage of plumb shows its progress through this class.

#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace plumb {

struct ProgressOptions {
  std::FILE* out = stderr;
  std::string unit = "it";               // of the rate, e.g. "step", "sample", "MB"
  std::optional<bool> terminal;          // default: whether `out` is one
  double plain_interval_s = 10;          // at most one plain line in this time
  double bar_interval_s = 0.1;           // at most one redraw in this time
  std::function<double()> seconds = {};  // a monotonic clock; default: std::chrono::steady_clock
};

/// The defaults with another unit.
inline ProgressOptions progress_in(std::string unit) {
  ProgressOptions options;
  options.unit = std::move(unit);
  return options;
}

/// The first and the last state are always shown. Text is passed through strip_terminal: nothing that a model or a
/// compiler wrote can drive the terminal. Not thread-safe.
class Progress {
 public:
  /// `total` <= 0 means that it is unknown: then no bar and no time left.
  Progress(std::string label, std::int64_t total, ProgressOptions options = {});
  /// Ends the line that the bar stands on, so that later output starts on a fresh one.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` units were done by an earlier process: they count as done, and neither for the rate nor for the time left.
  /// Time is counted from here.
  void start_at(std::int64_t done);
  /// `done` units are done; `detail` stands behind the rate, e.g. "reward 0.31".
  void update(std::int64_t done, std::string_view detail = {});
  /// Prints a whole line above the bar (the one line of a step).
  void line(std::string_view text);
  /// Shows the final state with the whole time; further calls do nothing.
  void finish(std::string_view detail = {});

 private:
  [[nodiscard]] std::string status(bool final, double now) const;
  void draw(const std::string& text, bool final);

  std::string label_;
  std::int64_t total_;
  ProgressOptions options_;
  bool terminal_ = false;
  bool finished_ = false;
  bool shown_ = false;
  bool on_bar_line_ = false;
  double start_s_ = 0;
  double last_shown_s_ = 0;
  std::int64_t done_ = 0;
  std::int64_t done_before_ = 0;
  std::string detail_;
};

/// "4s", "1m 05s", "2h 03m".
std::string format_duration(double seconds);

}  // namespace plumb
