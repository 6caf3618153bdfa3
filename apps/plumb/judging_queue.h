#pragma once
// Many submissions judged in order, each as soon as there is a place for it: one that sleeps until its limit holds up
// nobody but who wants its evidence.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "compiler_sandbox/judge.h"

namespace plumb {

class JudgingQueue {
 public:
  /// Starts to judge. `judge` and `submissions` outlive it.
  JudgingQueue(Judge& judge, std::span<const Submission> submissions);
  /// As stop().
  ~JudgingQueue();
  JudgingQueue(const JudgingQueue&) = delete;
  JudgingQueue& operator=(const JudgingQueue&) = delete;

  /// Waits until the first `count` are judged, 0.1 s at most. Whether they are.
  bool await(std::size_t count);
  /// Begins no further one, and waits until those begun are judged.
  void stop();
  [[nodiscard]] std::size_t num_judged() const { return num_judged_; }
  /// So many from the first on are judged, without a gap.
  [[nodiscard]] std::size_t num_judged_in_order();
  /// The evidence on one that is judged. Once each.
  Evidence take(std::size_t index);

 private:
  void work();
  void keep(std::size_t index, Evidence evidence);

  Judge& judge_;
  std::span<const Submission> submissions_;
  std::vector<std::size_t> different_;            // of submissions that are equal the first
  std::vector<std::vector<std::size_t>> copies_;  // of each submission that is a first: the others
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> num_judged_ = 0;
  std::mutex mutex_;
  std::condition_variable judged_;
  std::vector<std::optional<Evidence>> evidence_;
  std::size_t in_order_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace plumb
