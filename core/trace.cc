#include "core/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

#include "core/atomic_file.h"

namespace plumb {
namespace {

constexpr std::size_t kMostSpans = std::size_t{1} << 20;

struct Span {
  const char* name;
  std::int64_t begin_ns;
  std::int64_t end_ns;
};

struct ThreadSpans {
  std::vector<Span> spans;
  std::int64_t dropped = 0;
};

// Threads write to a record of their own; the list keeps records of threads that have ended.
struct Recorder {
  std::mutex mutex;
  std::vector<std::shared_ptr<ThreadSpans>> threads;
  std::int64_t start_ns = 0;
};

Recorder& recorder() {
  static Recorder all;
  return all;
}

ThreadSpans& spans_of_thread() {
  thread_local const std::shared_ptr<ThreadSpans> mine = [] {
    auto spans = std::make_shared<ThreadSpans>();
    const std::lock_guard lock(recorder().mutex);
    recorder().threads.push_back(spans);
    return spans;
  }();
  return *mine;
}

}  // namespace

namespace internal {

std::atomic<bool> trace_on{false};

std::int64_t trace_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void record_span(const char* name, std::int64_t begin_ns, std::int64_t end_ns) {
  ThreadSpans& mine = spans_of_thread();
  if (mine.spans.size() < kMostSpans) {
    mine.spans.push_back({name, begin_ns, end_ns});
  } else {
    ++mine.dropped;
  }
}

}  // namespace internal

void start_trace() {
  Recorder& all = recorder();
  const std::lock_guard lock(all.mutex);
  for (const auto& thread : all.threads) {
    thread->spans.clear();
    thread->dropped = 0;
  }
  all.start_ns = internal::trace_clock_ns();
  internal::trace_on.store(true, std::memory_order_release);
}

void restart_trace() {
  if (internal::trace_on.load(std::memory_order_relaxed)) {
    start_trace();
  }
}

void stop_trace() {
  internal::trace_on.store(false, std::memory_order_release);
}

std::vector<TraceTotal> trace_totals() {
  Recorder& all = recorder();
  const std::lock_guard lock(all.mutex);
  std::map<std::string, TraceTotal> by_name;
  for (const auto& thread : all.threads) {
    for (const Span& span : thread->spans) {
      TraceTotal& total = by_name[span.name];
      total.name = span.name;
      total.seconds += static_cast<double>(span.end_ns - span.begin_ns) * 1e-9;
      ++total.count;
    }
  }
  std::vector<TraceTotal> totals;
  for (auto& [name, total] : by_name) {
    totals.push_back(std::move(total));
  }
  std::stable_sort(totals.begin(), totals.end(),
                   [](const TraceTotal& a, const TraceTotal& b) { return a.seconds > b.seconds; });
  return totals;
}

Result<void> write_trace(const std::string& path) {
  Recorder& all = recorder();
  const std::lock_guard lock(all.mutex);
  PLUMB_ASSIGN(AtomicFile file, AtomicFile::create(path));
  std::int64_t dropped = 0;
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [";
  bool first = true;
  for (std::size_t thread = 0; thread < all.threads.size(); ++thread) {
    dropped += all.threads[thread]->dropped;
    for (const Span& span : all.threads[thread]->spans) {
      fmt::format_to(std::back_inserter(text),
                     R"({}{{"name": "{}", "ph": "X", "ts": {:.3f}, "dur": {:.3f}, "pid": 1, "tid": {}}})",
                     first ? "\n" : ",\n", span.name, static_cast<double>(span.begin_ns - all.start_ns) * 1e-3,
                     static_cast<double>(span.end_ns - span.begin_ns) * 1e-3, thread);
      first = false;
    }
    PLUMB_TRY(file.write(text));
    text.clear();
  }
  PLUMB_TRY(file.write(fmt::format("{}\n], \"otherData\": {{\"dropped_spans\": {}}}}}\n", text, dropped)));
  return file.commit();
}

}  // namespace plumb
