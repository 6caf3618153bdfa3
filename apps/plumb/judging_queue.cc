#include "apps/plumb/judging_queue.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace plumb {

JudgingQueue::JudgingQueue(Judge& judge, std::span<const Submission> submissions)
    : judge_(judge), submissions_(submissions), evidence_(submissions.size()) {
  const std::size_t num_threads = std::min(submissions.size(), static_cast<std::size_t>(judge.concurrency()));
  for (std::size_t i = 0; i < num_threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

JudgingQueue::~JudgingQueue() {
  stop();
}

void JudgingQueue::work() {
  for (std::size_t i = next_++; i < submissions_.size(); i = next_++) {
    Evidence evidence = judge_.judge(submissions_[i]);
    const std::lock_guard lock(mutex_);
    evidence_[i] = std::move(evidence);
    ++num_judged_;
    const std::size_t before = in_order_;
    while (in_order_ < evidence_.size() && evidence_[in_order_]) {
      ++in_order_;
    }
    if (in_order_ != before) {
      judged_.notify_all();
    }
  }
}

bool JudgingQueue::await(std::size_t count) {
  std::unique_lock lock(mutex_);
  return judged_.wait_for(lock, std::chrono::milliseconds(100), [&] { return in_order_ >= count; });
}

void JudgingQueue::stop() {
  next_ = submissions_.size();
  for (std::thread& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

std::size_t JudgingQueue::num_judged_in_order() {
  const std::lock_guard lock(mutex_);
  return in_order_;
}

// An empty one stays in its place: what was judged once counts as judged.
Evidence JudgingQueue::take(std::size_t index) {
  const std::lock_guard lock(mutex_);
  return std::exchange(*evidence_[index], Evidence());
}

}  // namespace plumb
