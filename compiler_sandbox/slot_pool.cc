#include "compiler_sandbox/slot_pool.h"

#include <algorithm>

namespace plumb {

void Gate::enter(Wish wish) {
  std::unique_lock lock(mutex_);
  Waiter me;
  me.wish = wish;
  const auto first_sharer = std::find_if(waiting_.begin(), waiting_.end(), [](auto* one) { return !one->wish.alone; });
  waiting_.insert(wish.alone ? first_sharer : waiting_.end(), &me);
  admit();
  me.changed.wait(lock, [&] { return me.is_in; });
}

void Gate::leave(Wish wish, bool parked) {
  const std::lock_guard lock(mutex_);
  if (parked) {
    --parked_;
  } else {
    taken_ -= size_of(wish);
  }
  closed_ = closed_ && !wish.alone;
  admit();
}

bool Gate::park(Wish wish) {
  const std::lock_guard lock(mutex_);
  if (parked_ == kMostParked) {
    return false;
  }
  ++parked_;
  taken_ -= size_of(wish);
  admit();
  return true;
}

void Gate::unpark(Wish wish) {
  const std::lock_guard lock(mutex_);
  --parked_;
  taken_ += size_of(wish);
}

bool Gate::fits(Wish wish) const {
  return !closed_ && (wish.alone ? taken_ == 0 : taken_ + size_of(wish) <= room_);
}

// In the order in which they came. Nobody is woken in vain: where all judging is short, that would cost.
void Gate::admit() {
  while (!waiting_.empty() && fits(waiting_.front()->wish)) {
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    closed_ = next.wish.alone;
    taken_ += size_of(next.wish);
    next.is_in = true;
    next.changed.notify_one();
  }
}

void GatePass::set_asleep(bool asleep) {
  if (wish_.alone || asleep == parked_) {
    return;
  }
  if (asleep) {
    parked_ = gate_.park(wish_);
  } else {
    gate_.unpark(wish_);
    parked_ = false;
  }
}

SlotPool::SlotPool(std::vector<std::unique_ptr<Worker>> workers, Start start)
    : start_(std::move(start)), size_(static_cast<int>(workers.size())), free_(std::move(workers)) {}

SlotPool::Lease SlotPool::take(bool rather_spare) {
  Lease lease;
  {
    const std::lock_guard lock(mutex_);
    lease.spare = free_.empty() || (rather_spare && !spare_.empty());
    std::vector<std::unique_ptr<Worker>>& from = lease.spare ? spare_ : free_;
    // Whatever killed one launcher may have killed them all: a submission must not meet one after the other.
    if (lease.spare) {
      std::erase_if(spare_, [](const auto& one) { return !one->is_alive(); });
    }
    if (!from.empty()) {
      lease.worker = std::move(from.back());
      from.pop_back();
    }
  }
  if (lease.worker && !lease.worker->is_alive()) {
    lease.worker.reset();
  }
  if (!lease.worker) {
    auto fresh = start_(lease.spare);
    if (fresh) {
      lease.worker = std::move(*fresh);
    } else {
      lease.error = fresh.error().message;
    }
  }
  return lease;
}

// Spare ones stay: a launcher costs ten megabytes, and starting it a tenth of a second.
void SlotPool::give(Lease lease) {
  const std::lock_guard lock(mutex_);
  if (!lease.spare) {
    free_.push_back(std::move(lease.worker));
  } else if (lease.worker) {
    spare_.push_back(std::move(lease.worker));
  }
}

}  // namespace plumb
