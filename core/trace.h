#pragma once
// Where time goes, op by op and thread by thread: spans that cost one relaxed load each while nobody asks, and become a
// Chrome trace (chrome://tracing, Perfetto) when somebody does. Times never reach a result.

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

namespace internal {
extern std::atomic<bool> trace_on;
std::int64_t trace_clock_ns();
void record_span(const char* name, std::int64_t begin_ns, std::int64_t end_ns);
}  // namespace internal

/// The time from its construction to its destruction, recorded under `name` (a literal) for the calling thread.
class TraceSpan {
 public:
  explicit TraceSpan(const char* name) {
    if (internal::trace_on.load(std::memory_order_relaxed)) {
      name_ = name;
      begin_ns_ = internal::trace_clock_ns();
    }
  }
  ~TraceSpan() {
    if (name_ != nullptr) {
      internal::record_span(name_, begin_ns_, internal::trace_clock_ns());
    }
  }
  TraceSpan(const TraceSpan&) = delete;
  TraceSpan& operator=(const TraceSpan&) = delete;

 private:
  const char* name_ = nullptr;
  std::int64_t begin_ns_ = 0;
};

/// Forgets earlier spans and records from now on. Each thread keeps its first 2^20 spans and counts the others.
void start_trace();
void stop_trace();
/// start_trace() where one is being recorded, else nothing: what came before (checks, warm-up) is not of interest.
void restart_trace();

/// All spans of one name, over all threads.
struct TraceTotal {
  std::string name;
  double seconds = 0;  // summed over threads; a span within another counts in both
  std::int64_t count = 0;
};

/// The totals, the largest first. Call it after stop_trace(), with no span open.
std::vector<TraceTotal> trace_totals();

/// Writes what was recorded as Chrome trace events {"name", "ph": "X", "ts", "dur", "pid", "tid"}, times in
/// microseconds since start_trace(). `otherData.dropped_spans` counts what did not fit. Call it after stop_trace(),
/// with no span open. Errors: the file cannot be written.
Result<void> write_trace(const std::string& path);

}  // namespace plumb
