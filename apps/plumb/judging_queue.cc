#include "apps/plumb/judging_queue.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include "compiler_sandbox/evidence_cache.h"

namespace plumb {
namespace {

// Of the first that is not judged yet: what waits to be written is in memory.
constexpr std::size_t kMostAhead = 10'000;
constexpr std::size_t kStopped = SIZE_MAX / 2;

}  // namespace

JudgingQueue::JudgingQueue(Judge& judge, std::span<const Submission> submissions)
    : judge_(judge), submissions_(submissions), copies_(submissions.size()), evidence_(submissions.size()) {
  EqualSubmissions equal = find_equal(submissions);
  different_ = std::move(equal.different);
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    if (equal.same_as[i] != i) {
      copies_[equal.same_as[i]].push_back(i);
    }
  }
  const std::size_t num_threads = std::min(different_.size(), static_cast<std::size_t>(judge.concurrency()));
  for (std::size_t i = 0; i < num_threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

JudgingQueue::~JudgingQueue() {
  stop();
}

void JudgingQueue::work() {
  for (std::size_t next = next_++; next < different_.size(); next = next_++) {
    const std::size_t index = different_[next];
    {
      std::unique_lock lock(mutex_);
      judged_.wait(lock, [&] { return index < in_order_ + kMostAhead || next_ >= kStopped; });
    }
    if (next_ >= kStopped) {
      return;
    }
    keep(index, judge_.judge(submissions_[index]));
  }
}

void JudgingQueue::keep(std::size_t index, Evidence evidence) {
  const std::lock_guard lock(mutex_);
  for (const std::size_t copy : copies_[index]) {
    evidence_[copy] = evidence;
    evidence_[copy]->cached = true;
  }
  num_judged_ += 1 + copies_[index].size();
  evidence_[index] = std::move(evidence);
  const std::size_t before = in_order_;
  while (in_order_ < evidence_.size() && evidence_[in_order_]) {
    ++in_order_;
  }
  if (in_order_ != before) {
    judged_.notify_all();
  }
}

bool JudgingQueue::await(std::size_t count) {
  std::unique_lock lock(mutex_);
  return judged_.wait_for(lock, std::chrono::milliseconds(100), [&] { return in_order_ >= count; });
}

void JudgingQueue::stop() {
  {
    const std::lock_guard lock(mutex_);  // or a thread that is about to wait would miss it
    next_ = kStopped;
  }
  judged_.notify_all();
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
