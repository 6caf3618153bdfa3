#pragma once
// Checkpoints beside the training. Weights and moments change in the optimizer's update alone, so a thread writes them
// from where they are, without a copy, while the next rollout is sampled (or the next batch's gradient computed); the
// update waits until it has ended. What a resume finds is the same as of a checkpoint that the step itself writes: it
// can be seen when it is whole, and a run that is killed meanwhile goes on from the one before.

#include <functional>
#include <string>
#include <thread>

#include "apps/plumb/checkpoint.h"

namespace plumb {

class CheckpointWriter {
 public:
  /// Waits before each change that `optimizer` announces from now on. It outlives the writer.
  explicit CheckpointWriter(Optimizer& optimizer);
  ~CheckpointWriter();
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Begins to write what save_checkpoint writes; `state` is copied, what `parts` names is read until wait() returns or
  /// the optimizer's next change. Waits for the checkpoint before, first. Errors: that one's; or too little disk, named
  /// before anything is written.
  Result<void> start(const std::string& run_folder, const TrainerState& state, const TrainedParts& parts, int keep);

  /// Returns when nothing is being written. Errors: those of the last checkpoint, once.
  Result<void> wait();

  /// Seconds that the training stood still for checkpoints since this was last asked.
  double take_stall_s();

 private:
  void join();

  Optimizer& optimizer_;
  std::thread thread_;
  Result<void> outcome_;
  double stall_s_ = 0;
};

}  // namespace plumb
