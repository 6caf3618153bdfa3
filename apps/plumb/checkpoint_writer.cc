#include "apps/plumb/checkpoint_writer.h"

#include <malloc.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

namespace plumb {
namespace {


}  // namespace

CheckpointWriter::CheckpointWriter(Optimizer& optimizer) : optimizer_(optimizer) {
  optimizer_.set_before_change([this] { let_go(); });
}

CheckpointWriter::~CheckpointWriter() {
  optimizer_.set_before_change(nullptr);
  join();
}

Result<void> CheckpointWriter::start(const std::string& run_folder, const TrainerState& state,
                                     const TrainedParts& parts, int keep) {
  PLUMB_TRY(wait());
  PLUMB_TRY(check_disk_for_checkpoint(run_folder, state.step, parts));
  lent_ = std::make_unique<LentValues>(parts.bench.pool());
  announce(parts, *lent_);
  CheckpointSaving saving{keep, parts.optimizer.num_updates(), {}, lent_.get()};
  if (parts.best != nullptr) {
    saving.best.assign(parts.best->begin(), parts.best->end());
  }
  ended_ = false;
  thread_ = std::thread([this, run_folder, state, parts, saving] {
    // Of this thread alone, as Linux has it; where it is refused, the thread competes as any other.
    const sched_param none{};
    static_cast<void>(sched_setscheduler(0, SCHED_IDLE, &none));
    outcome_ = save_checkpoint(run_folder, state, parts, saving);
    if (!outcome_) {
      outcome_ = outcome_.error().with_context("the checkpoint of step " + std::to_string(state.step));
    }
    lent_->finish();
    malloc_trim(0);  // what was copied is the machine's again, not this process's until it ends
    ended_ = true;
  });
  return {};
}

Result<void> CheckpointWriter::wait() {
  join();
  return std::exchange(outcome_, Result<void>());
}

Result<void> CheckpointWriter::outcome() {
  return ended_ ? wait() : Result<void>();
}

double CheckpointWriter::take_stall_s() {
  return std::exchange(stall_s_, 0.0);
}

void CheckpointWriter::let_go() {
  if (!ended_) {
    const auto start = std::chrono::steady_clock::now();
    lent_->detach();
    stall_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
}

void CheckpointWriter::join() {
  if (thread_.joinable()) {
    const auto start = std::chrono::steady_clock::now();
    thread_.join();
    stall_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
}

}  // namespace plumb
