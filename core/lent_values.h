#pragma once
// Arrays that another thread writes to a file while their owner goes on: what checkpoints are made of.
//
// Weights and moments change in the optimizer's update alone, some seconds after a checkpoint has begun, so most of it
// is read where it is and takes no memory. What is not written yet when they change is copied then (where there is
// memory for it; else the owner waits), and the writer goes on with the copy: the update waits for a copy of the rest
// and not for the disk.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/thread_pool.h"

namespace plumb {

class LentValues {
 public:
  /// `pool` copies; it outlives this. So much memory is left free for what the owner allocates meanwhile.
  explicit LentValues(ThreadPool& pool, std::uint64_t spare_bytes = std::uint64_t{512} << 20)
      : pool_(pool), spare_bytes_(spare_bytes) {}

  /// Before the writer begins: `values` will be written once. They stay as they are until detach() has returned.
  void add(std::span<const float> values);

  /// The writer's, of values that were added: where they are to be read until end().
  std::span<const float> begin(std::span<const float> values);
  void end(std::span<const float> values);

  /// Returns when nothing that was added is read any more: the owner may change it. By the thread that owns the pool.
  void detach();

  /// The writer's: it has ended, whether all was written or not.
  void finish();

 private:
  enum class Stage { kWaiting, kReading, kDone };
  struct Part {
    std::span<const float> values;
    std::vector<float> copy;
    Stage stage = Stage::kWaiting;
    [[nodiscard]] bool is_in_place() const { return copy.empty() && !values.empty() && stage != Stage::kDone; }
  };
  // Values to copy, if the machine has the memory for all of them; the lock is held.
  std::vector<Part*> copied_parts();

  ThreadPool& pool_;
  std::uint64_t spare_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Part> parts_;
  std::unordered_map<const float*, std::size_t> places_;
};

}  // namespace plumb
