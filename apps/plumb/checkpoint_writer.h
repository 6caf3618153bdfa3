#pragma once
// Checkpoints beside the training. A thread writes weights and moments from where they are (core/lent_values.h) while
// the next rollout is sampled, or the next batch's gradient computed; an update that comes before all is written waits
// for a copy of the rest. What a resume finds is the same as of a checkpoint that the step itself writes: it can be
// seen when it is whole, and a run that is killed meanwhile goes on from the one before.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "apps/plumb/checkpoint.h"

namespace plumb {

class CheckpointWriter {
 public:
  /// Lets go of what is not written yet before each change that `optimizer` announces from now on. It outlives the
  /// writer.
  explicit CheckpointWriter(Optimizer& optimizer);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Begins to write what save_checkpoint writes; `state` is copied, what `parts` names is read until wait() returns or
  /// the optimizer announces a change. Waits for the checkpoint before, first. Errors: that one's; or too little disk,
  /// named before anything is written.
  Result<void> start(const std::string& run_folder, const TrainerState& state, const TrainedParts& parts, int keep);

  /// Returns when nothing is being written. Errors: those of the last checkpoint, once.
  Result<void> wait();

  /// The same of a checkpoint that has ended; nothing while one is being written.
  Result<void> outcome();

  /// Seconds that the training stood still for checkpoints since this was last asked.
  double take_stall_s();

 private:
  void let_go();
  void join();

  Optimizer& optimizer_;
  std::unique_ptr<LentValues> lent_;  // null before the first checkpoint
  std::thread thread_;
  std::atomic<bool> ended_ = true;
  Result<void> outcome_;
  double stall_s_ = 0;
};

}  // namespace plumb
