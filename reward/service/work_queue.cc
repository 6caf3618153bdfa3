#include "reward/service/work_queue.h"

#include <utility>

namespace plumb {

WorkQueue::WorkQueue(int num_threads, std::size_t capacity) : capacity_(capacity) {
  for (int i = 0; i < num_threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

bool WorkQueue::push(std::vector<std::function<void()>> tasks) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() + running_ + tasks.size() > capacity_) {
      return false;
    }
    for (std::function<void()>& task : tasks) {
      waiting_.push_back(std::move(task));
    }
  }
  changed_.notify_all();
  return true;
}

std::size_t WorkQueue::size() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size() + running_;
}

void WorkQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) {
      return;
    }
    const std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    lock.unlock();
    task();
    lock.lock();
    --running_;
  }
}

}  // namespace plumb
