#pragma once
// A meeting point for the threads that go through one pass together.

#include <atomic>

namespace plumb {

/// A barrier for a fixed number of threads, for waits of microseconds: it spins first, then sleeps. Every member calls
/// meet() equally often.
class Team {
 public:
  explicit Team(int size) : size_(size) {}

  [[nodiscard]] int size() const { return size_; }

  /// Returns when all members have called it; what they wrote before is visible after.
  void meet() {
    const unsigned round = round_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
      arrived_.store(0, std::memory_order_relaxed);
      round_.fetch_add(1, std::memory_order_release);
      round_.notify_all();
      return;
    }
    constexpr int kSpins = 2000;
    for (int spins = 0; spins < kSpins; ++spins) {
      if (round_.load(std::memory_order_acquire) != round) {
        return;
      }
      relax();
    }
    round_.wait(round, std::memory_order_acquire);
  }

 private:
  static void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  int size_;
  std::atomic<int> arrived_{0};
  std::atomic<unsigned> round_{0};
};

}  // namespace plumb
