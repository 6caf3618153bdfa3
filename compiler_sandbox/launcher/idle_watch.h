#pragma once
// Whether a step uses a processor at all. Programs that sleep need none, and others can be judged meanwhile.

#include <chrono>
#include <functional>
#include <optional>

namespace plumb {

class IdleWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// `starved_s`: how long the step's processes were ready but had no processor; asked only when it matters.
  explicit IdleWatch(std::function<double()> starved_s) : starved_s_(std::move(starved_s)) {}

  /// A step begins, at `cpu_s` of the account.
  void start(double cpu_s, Clock::time_point now);
  /// A look at the account. True or false where the step has just gone off the CPU or come back, nothing where it goes
  /// on as it was.
  std::optional<bool> look(double cpu_s, Clock::time_point now);
  /// Whether it used a processor before the last look(), and did not just wait for one.
  [[nodiscard]] bool works() const { return works_; }

 private:
  std::function<double()> starved_s_;
  bool idle_ = false;
  bool works_ = false;
  double cpu_s_ = 0;         // at the last time that it was seen to work
  double starved_at_s_ = 0;  // then, or when it was asked last
  Clock::time_point since_ = Clock::now();
};

}  // namespace plumb
