#include "core/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "core/escape.h"

namespace plumb {

namespace {

constexpr int kBarCells = 24;

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <typename... Values>
std::string print(const char* format, Values... values) {
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

std::string bar(double fraction) {
  const int full = static_cast<int>(std::lround(fraction * kBarCells));
  std::string cells;
  for (int i = 0; i < kBarCells; ++i) {
    cells += i < full ? "█" : "░";
  }
  return cells;
}

// Columns of the terminal; a line that wraps could not be redrawn.
std::size_t terminal_columns(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// The first `columns` characters of UTF-8 text, counting one column for each.
std::string clip(const std::string& text, std::size_t columns) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts_character && count++ == columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

// Text for one line: no escape sequences and no line breaks.
std::string one_line(std::string_view text) {
  std::string safe = strip_terminal(text);
  std::replace(safe.begin(), safe.end(), '\n', ' ');
  return safe;
}

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  if (whole < 60) {
    return print("%llds", whole);
  }
  if (whole < 3600) {
    return print("%lldm %02llds", whole / 60, whole % 60);
  }
  return print("%lldh %02lldm", whole / 3600, whole % 3600 / 60);
}

Progress::Progress(std::string label, std::int64_t total, ProgressOptions options)
    : label_(one_line(label)), total_(total), options_(std::move(options)) {
  if (!options_.seconds) {
    options_.seconds = steady_seconds;
  }
  terminal_ = options_.terminal.value_or(::isatty(::fileno(options_.out)) == 1);
  start_s_ = options_.seconds();
}

Progress::~Progress() {
  if (on_bar_line_) {
    std::fputc('\n', options_.out);
    std::fflush(options_.out);
  }
}

std::string Progress::status(bool final, double now) const {
  const double elapsed = now - start_s_;
  const double rate = elapsed > 0 ? static_cast<double>(done_ - done_before_) / elapsed : 0;
  std::string text = label_;
  if (total_ > 0) {
    const double fraction = std::clamp(static_cast<double>(done_) / static_cast<double>(total_), 0.0, 1.0);
    if (terminal_) {
      text.append(" ").append(bar(fraction));
    }
    text += print(" %3.0f%% %lld/%lld", 100 * fraction, static_cast<long long>(done_), static_cast<long long>(total_));
  } else {
    text += print(" %lld", static_cast<long long>(done_));
  }
  if (rate > 0) {
    text += rate >= 1 ? print("  %.1f %s/s", rate, options_.unit.c_str())
                      : print("  %.1f s/%s", 1 / rate, options_.unit.c_str());
  }
  if (final) {
    text += "  in " + format_duration(elapsed);
  } else if (total_ > done_ && rate > 0) {
    text += "  " + format_duration(static_cast<double>(total_ - done_) / rate) + " left";
  }
  return detail_.empty() ? text : text + "  " + detail_;
}

void Progress::draw(const std::string& text, bool final) {
  if (terminal_) {
    // Back to the start of the line, the text, and the rest of the line erased.
    std::fprintf(options_.out, "\r%s\x1B[K", clip(text, terminal_columns(options_.out) - 1).c_str());
    on_bar_line_ = !final;
    if (final) {
      std::fputc('\n', options_.out);
    }
  } else {
    std::fprintf(options_.out, "%s\n", text.c_str());
  }
  std::fflush(options_.out);
}

void Progress::start_at(std::int64_t done) {
  done_ = done;
  done_before_ = done;
  start_s_ = options_.seconds();
}

void Progress::update(std::int64_t done, std::string_view detail) {
  done_ = done;
  detail_ = one_line(detail);
  const double now = options_.seconds();
  const double interval = terminal_ ? options_.bar_interval_s : options_.plain_interval_s;
  if (finished_ || (shown_ && now - last_shown_s_ < interval)) {
    return;
  }
  shown_ = true;
  last_shown_s_ = now;
  draw(status(false, now), false);
}

void Progress::line(std::string_view text) {
  if (on_bar_line_) {
    std::fputs("\r\x1B[K", options_.out);
  }
  std::fprintf(options_.out, "%s\n", one_line(text).c_str());
  if (on_bar_line_) {
    draw(status(false, options_.seconds()), false);
  }
  std::fflush(options_.out);
}

void Progress::finish(std::string_view detail) {
  if (finished_) {
    return;
  }
  finished_ = true;
  if (!detail.empty()) {
    detail_ = one_line(detail);
  }
  draw(status(true, options_.seconds()), true);
}

}  // namespace plumb
