#include "core/thread_pool.h"

#include <sched.h>

#include <algorithm>

#include "core/check.h"

namespace plumb {
namespace {

int usable_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return std::max(1, CPU_COUNT(&set));
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

ThreadPool::ThreadPool(int num_threads) {
  PLUMB_CHECK(num_threads >= 0, "ThreadPool: negative number of threads");
  const int count = num_threads == 0 ? usable_processors() : num_threads;
  workers_.reserve(static_cast<std::size_t>(count - 1));
  for (int worker = 1; worker < count; ++worker) {
    workers_.emplace_back([this, worker] { run_worker(worker); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (std::thread& worker : workers_) {
    worker.join();
  }
}

void ThreadPool::parallel_for(std::int64_t num_tasks, const std::function<void(std::int64_t, int)>& task) {
  if (num_tasks <= 0) {
    return;
  }
  if (workers_.empty() || num_tasks == 1) {
    for (std::int64_t index = 0; index < num_tasks; ++index) {
      task(index, 0);
    }
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    PLUMB_CHECK(task_ == nullptr, "ThreadPool::parallel_for does not nest");
    task_ = &task;
    num_tasks_ = num_tasks;
    next_task_ = 0;
    active_ = static_cast<int>(workers_.size());
    ++generation_;
  }
  start_.notify_all();
  run_tasks(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return active_ == 0; });
  task_ = nullptr;
}

void ThreadPool::run_worker(int worker) {
  std::uint64_t seen = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || generation_ != seen; });
      if (stop_) {
        return;
      }
      seen = generation_;
    }
    run_tasks(worker);
    const std::lock_guard lock(mutex_);
    if (--active_ == 0) {
      done_.notify_one();
    }
  }
}

void ThreadPool::run_tasks(int worker) {
  for (;;) {
    std::int64_t index = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_task_ >= num_tasks_) {
        return;
      }
      index = next_task_++;
    }
    (*task_)(index, worker);
  }
}

}  // namespace plumb
