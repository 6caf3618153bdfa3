#pragma once
// A bounded queue in front of a few threads: it refuses instead of growing.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plumb {

class WorkQueue {
 public:
  /// `capacity` tasks may wait or run at once.
  WorkQueue(int num_threads, std::size_t capacity);
  ~WorkQueue();  // runs what was accepted, then ends
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Accepts all of `tasks`, in order, or none of them where that many do not fit.
  bool push(std::vector<std::function<void()>> tasks);
  [[nodiscard]] std::size_t size() const;

 private:
  void work();

  std::size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::size_t running_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace plumb
