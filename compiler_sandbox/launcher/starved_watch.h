#pragma once
// How long a step was kept from the processors by others. The kernel knows it of each thread, and forgets it with the
// thread: what has ended is remembered here, up to its last look.

#include <chrono>
#include <functional>
#include <map>

namespace plumb {

/// How long threads were ready to run but had no processor: all together, and at each moment the one that waited
/// longest. Many that wait for each other's processors make the first large by themselves.
struct Starved {
  double all_s = 0;
  double longest_s = 0;
};

/// How long each living thread has been ready without a processor in its life, by its id; in seconds.
using ThreadWaits = std::map<int, double>;

class StarvedWatch {
 public:
  using Clock = std::chrono::steady_clock;

  explicit StarvedWatch(std::function<ThreadWaits()> waits) : waits_(std::move(waits)) {}

  /// A step begins.
  void start(Clock::time_point now);
  /// Looks at the threads where it is time to: not at steps that end soon, and so seldom that it costs little, however
  /// many threads there are.
  void look(Clock::time_point now);
  /// Since start(), at the last look.
  [[nodiscard]] const Starved& so_far() const { return starved_; }
  /// Since start(), with a look now.
  Starved starved(Clock::time_point now);

 private:
  void ask(Clock::time_point now);

  std::function<ThreadWaits()> waits_;
  ThreadWaits seen_;  // at the last look
  Clock::time_point start_{};
  Clock::time_point last_{};
  Clock::duration pause_{};  // until the next look
  Starved starved_;
};

}  // namespace plumb
