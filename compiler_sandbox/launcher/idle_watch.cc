#include "compiler_sandbox/launcher/idle_watch.h"

namespace plumb {

namespace {

constexpr double kIdleAfter = 0.2;   // seconds
constexpr double kBusyShare = 0.05;  // of a processor, over that time; less is idle

}  // namespace

void IdleWatch::start(double cpu_s, Clock::time_point now) {
  idle_ = false;
  cpu_s_ = cpu_s;
  starved_at_s_ = 0;
  since_ = now;
}

std::optional<bool> IdleWatch::look(double cpu_s, Clock::time_point now) {
  const double used_s = cpu_s - cpu_s_;
  const double elapsed_s = std::chrono::duration<double>(now - since_).count();
  if (elapsed_s < kIdleAfter && used_s < kBusyShare * kIdleAfter) {
    return std::nullopt;
  }
  works_ = used_s >= kBusyShare * elapsed_s;
  bool busy = works_;
  if (!busy) {
    // Whoever waits for a processor is no sleeper: on a loaded machine that would let even more in.
    const double starved_s = starved_s_();
    busy = starved_s - starved_at_s_ >= kBusyShare * elapsed_s;
    starved_at_s_ = starved_s;
  }
  cpu_s_ = cpu_s;
  since_ = now;
  if (busy == !idle_) {
    return std::nullopt;
  }
  idle_ = !busy;
  return idle_;
}

}  // namespace plumb
