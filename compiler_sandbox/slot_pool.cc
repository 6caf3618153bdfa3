#include "compiler_sandbox/slot_pool.h"

namespace plumb {

void Gate::enter(bool alone) {
  std::unique_lock lock(mutex_);
  if (!alone) {
    changed_.wait(lock, [&] { return !closed_ && waiting_alone_ == 0; });
  } else {
    ++waiting_alone_;
    changed_.wait(lock, [&] { return !closed_ && inside_ == 0; });
    --waiting_alone_;
    closed_ = true;
  }
  ++inside_;
}

void Gate::leave(bool alone) {
  const std::lock_guard lock(mutex_);
  --inside_;
  closed_ = closed_ && !alone;
  changed_.notify_all();
}

SlotPool::SlotPool(std::vector<std::unique_ptr<Worker>> workers, Start start)
    : start_(std::move(start)), size_(static_cast<int>(workers.size())), free_(std::move(workers)) {}

std::unique_ptr<Worker> SlotPool::take(std::string& error) {
  std::unique_lock lock(mutex_);
  freed_.wait(lock, [&] { return !free_.empty(); });
  std::unique_ptr<Worker> worker = std::move(free_.back());
  free_.pop_back();
  lock.unlock();
  if (!worker) {
    auto fresh = start_();
    if (fresh) {
      return std::move(*fresh);
    }
    error = fresh.error().message;
    give(nullptr);
  }
  return worker;
}

void SlotPool::give(std::unique_ptr<Worker> worker) {
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(worker));
  freed_.notify_one();
}

}  // namespace plumb
