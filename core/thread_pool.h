#pragma once
// A fixed pool of threads for data-parallel loops. Which thread runs a task is never observable in a result: callers
// split work into tasks by the shape of the data alone, not by the number of threads (docs/architecture.md, "Exact").

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace plumb {

/// Threads that live as long as the pool. `parallel_for` is called from one thread at a time and does not nest.
class ThreadPool {
 public:
  /// `num_threads` >= 1 workers in all, the calling thread included; 0 means one for each processor the process may
  /// use.
  explicit ThreadPool(int num_threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Runs task(index, worker) for every index in [0, num_tasks), worker in [0, num_threads()), and returns when all are
  /// done. Tasks are handed out in index order as threads become free; `worker` names scratch memory, nothing else.
  void parallel_for(std::int64_t num_tasks, const std::function<void(std::int64_t index, int worker)>& task);

 private:
  void run_worker(int worker);
  void run_tasks(int worker);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const std::function<void(std::int64_t, int)>* task_ = nullptr;
  std::int64_t num_tasks_ = 0;
  std::int64_t next_task_ = 0;
  std::uint64_t generation_ = 0;
  int active_ = 0;
  bool stop_ = false;
};

}  // namespace plumb
