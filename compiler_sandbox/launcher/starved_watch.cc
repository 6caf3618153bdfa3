#include "compiler_sandbox/launcher/starved_watch.h"

#include <algorithm>

namespace plumb {

namespace {

constexpr auto kFirstLook = std::chrono::milliseconds(50);
constexpr auto kPause = std::chrono::milliseconds(10);
constexpr int kCostShare = 50;  // pauses are so many times as long as a look takes

}  // namespace

void StarvedWatch::start(Clock::time_point now) {
  seen_.clear();
  start_ = last_ = now;
  pause_ = kFirstLook;
  starved_ = {};
}

void StarvedWatch::look(Clock::time_point now) {
  if (now - last_ >= pause_) {
    ask(now);
  }
}

Starved StarvedWatch::starved(Clock::time_point now) {
  ask(now);
  return starved_;
}

// A wait is told once it is over, so that one look may hear of more than the time since the last. But no thread has
// waited for longer than the step takes: what a new one says beyond that was before, as with the copy of a template.
void StarvedWatch::ask(Clock::time_point now) {
  const double elapsed_s = std::chrono::duration<double>(now - start_).count();
  const auto before = Clock::now();
  ThreadWaits waits = waits_();
  double longest_s = 0;
  for (const auto& [thread, wait_s] : waits) {
    const auto known = seen_.find(thread);
    const double since_s = wait_s - (known != seen_.end() && known->second <= wait_s ? known->second : 0);
    const double waited_s = std::min(since_s, elapsed_s);
    starved_.all_s += waited_s;
    longest_s = std::max(longest_s, waited_s);
  }
  starved_.longest_s = std::min(starved_.longest_s + longest_s, elapsed_s);
  seen_ = std::move(waits);
  last_ = now;
  pause_ = std::max<Clock::duration>(kPause, kCostShare * (Clock::now() - before));
}

}  // namespace plumb
