// Theory of operation. Two threads share a state under one mutex: the actor's, which samples rollouts 0, 1, 2, ... and
// puts each into a queue, and the learner's, which takes them in order and posts its weights after each step. The actor
// starts rollout k when `learned` (steps done) is at least k - max_staleness, so the queue never holds more than
// max_staleness rollouts and needs no limit of its own. Weights are posted as a copy, which the actor takes between two
// decode steps, into its own policy or for its processes; neither thread ever looks into the other's policy.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "actor/actor.h"
#include "apps/plumb/actor_processes.h"
#include "apps/plumb/rollout_source.h"
#include "core/check.h"
#include "policy/weight_set.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

// Of an actor within this process.
int threads_of_actor(const RolloutSourceParts& parts) {
  if (parts.settings.actor_processes > 0) {
    return 1;
  }
  return parts.settings.actor_threads > 0 ? parts.settings.actor_threads : parts.pool.num_threads();
}

class OverlappedRollouts : public RolloutSource {
 public:
  OverlappedRollouts(const RolloutSourceParts& parts, PromptSampler sampler, std::int64_t num_rollouts)
      : parts_(parts),
        sampler_(std::move(sampler)),
        num_rollouts_(num_rollouts),
        one_step_off_(parts.settings.schedule == RolloutSchedule::kOneStepOff),
        max_staleness_(one_step_off_ ? 1 : parts.settings.max_staleness),
        pool_(threads_of_actor(parts)) {}

  ~OverlappedRollouts() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  OverlappedRollouts(const OverlappedRollouts&) = delete;
  OverlappedRollouts& operator=(const OverlappedRollouts&) = delete;

  Result<void> start() {
    if (parts_.settings.actor_processes > 0) {
      PLUMB_ASSIGN(auto fleet, start_actor_processes(parts_));
      fleet_ = fleet.get();
      actor_ = std::move(fleet);
    } else {
      PLUMB_ASSIGN(actor_, copy_as_actor(parts_.policy, parts_.tokenizer, pool_));
    }
    thread_ = std::thread([this] { act(); });
    return {};
  }

  Result<StepRollout> next() override {
    const auto start = Clock::now();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !ready_.empty() || actor_done_; });
    PLUMB_CHECK(!ready_.empty(), "a rollout was asked for after the last one");
    Result<StepRollout> step = std::move(ready_.front());
    ready_.pop_front();
    if (step) {
      step->wait_s = std::chrono::duration<double>(Clock::now() - start).count();
    }
    return step;
  }

  void learned() override {
    auto weights = std::make_shared<const WeightSet>(copy_weights(parts_.policy));
    std::unique_lock lock(mutex_);
    // One step off every posted set is used, so it waits for the one before to be taken: the actor does that as soon as
    // it begins the rollout after the one that was just learned from.
    changed_.wait(lock, [this] { return !one_step_off_ || posted_ == nullptr || actor_done_; });
    posted_ = std::move(weights);
    ++learned_;
    changed_.notify_all();
  }

 private:
  void act() {
    for (std::int64_t k = 0; k < num_rollouts_ && may_start(k); ++k) {
      auto step = sample();
      const bool ends = !step || step->rollout.stopped;
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(step));
      changed_.notify_all();
      if (ends) {
        break;
      }
    }
    const std::lock_guard lock(mutex_);
    actor_done_ = true;
    changed_.notify_all();
  }

  // Waits until rollout k may begin, and takes the weights for it. False: nobody wants it any more.
  bool may_start(std::int64_t k) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopping_ || learned_ >= k - max_staleness_; });
    if (one_step_off_ && k >= 2) {  // the first two are of the weights that the run starts with
      changed_.wait(lock, [&] { return stopping_ || posted_ != nullptr; });
    }
    if (!stopping_ && (!one_step_off_ || k >= 2)) {
      take_weights(lock);
    }
    return !stopping_;
  }

  // Called between decode steps, when the policy is at rest.
  bool between_steps() {
    std::unique_lock lock(mutex_);
    if (!one_step_off_) {
      take_weights(lock);
    }
    return !stopping_ && fault_.ok();
  }

  void take_weights(std::unique_lock<std::mutex>& lock) {
    const std::shared_ptr<const WeightSet> weights = std::exchange(posted_, nullptr);
    changed_.notify_all();
    if (weights == nullptr) {
      return;
    }
    lock.unlock();
    fault_ = actor_->adopt(*weights);
    lock.lock();
  }

  Result<StepRollout> sample() {
    PLUMB_TRY(fault_);
    const RolloutParts sampling{*actor_, parts_.scorer, parts_.tokenizer, parts_.chat_template,
                                [this] { return between_steps(); }};
    StepRollout step;
    PLUMB_ASSIGN(step.rollout,
                 run_grpo_rollout({sampling, sampler_, parts_.generation, parts_.learner, parts_.reward_model},
                                  parts_.settings));
    PLUMB_TRY(fault_);
    step.cursor = sampler_.cursor();
    step.epoch = sampler_.epoch();
    if (fleet_ != nullptr) {
      step.notes = fleet_->take_notes();
    }
    return step;
  }

  // Of the actor's thread once it runs.
  RolloutSourceParts parts_;
  PromptSampler sampler_;
  std::int64_t num_rollouts_;
  bool one_step_off_;
  std::int64_t max_staleness_;
  ThreadPool pool_;
  std::unique_ptr<Actor> actor_;
  ActorFleet* fleet_ = nullptr;  // actor_, where it is one
  Result<void> fault_;           // of passing weights on

  std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<Result<StepRollout>> ready_;
  std::shared_ptr<const WeightSet> posted_;  // not yet in the actor's policy
  std::int64_t learned_ = 0;                 // steps
  bool stopping_ = false;
  bool actor_done_ = false;

  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<RolloutSource>> overlapped_rollouts(const RolloutSourceParts& parts, PromptSampler sampler,
                                                           std::int64_t num_rollouts) {
  auto source = std::make_unique<OverlappedRollouts>(parts, std::move(sampler), num_rollouts);
  PLUMB_TRY(source->start());
  return std::unique_ptr<RolloutSource>(std::move(source));
}

}  // namespace plumb
