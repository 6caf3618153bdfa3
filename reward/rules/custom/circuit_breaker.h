#pragma once
// After some failures in a row a party is left alone for a while instead of making every sample wait for it (the
// pattern of Nygard, "Release It!", 2007): closed, open, and half open, when one trial decides.

#include <chrono>

namespace plumb {

/// Not thread-safe. Times are given, not read, so that it repeats.
class CircuitBreaker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  CircuitBreaker(int failures, std::chrono::nanoseconds pause) : most_(failures), pause_(pause) {}

  /// Whether a request may be made: always while closed; once each pause while it is open.
  [[nodiscard]] bool allows(Time now) const { return failures_ < most_ || now >= opened_ + pause_; }
  void succeeded() { failures_ = 0; }
  /// `most` of these in a row open it; each further one (a failed trial) starts the pause again.
  void failed(Time now) {
    ++failures_;
    opened_ = now;
  }

 private:
  int most_;
  std::chrono::nanoseconds pause_;
  int failures_ = 0;
  Time opened_{};
};

}  // namespace plumb
