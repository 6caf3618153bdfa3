#pragma once
// Maths verification in a process of its own (the program plumb-maths), so that a library that aborts when memory runs
// out, or an input that is worse than its estimate, never takes the trainer with it. No FLINT in this process.

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "reward/rules/math/verdict.h"

namespace plumb {

struct MathWorkerOptions {
  /// Path of plumb-maths; empty: $PLUMB_MATHS_WORKER, else beside this program or in one of the two folders above.
  std::string path;
  std::int64_t memory_bytes = std::int64_t{512} << 20;  // of address space
  int cpu_seconds = 10;                                 // of one item
  int wall_ms = 60'000;                                 // of one item; a wall that is hit is a fault, and a bug
};

/// One comparison: of the answer in `text`, where it is a response, else of `text` itself.
struct MathItem {
  std::string truth;
  std::string text;
  bool response = true;
};

/// Thread-safe; calls wait for each other. The process starts at the first call and lives until this object goes.
class MathWorker {
 public:
  explicit MathWorker(MathWorkerOptions options = {});
  ~MathWorker();
  MathWorker(const MathWorker&) = delete;
  MathWorker& operator=(const MathWorker&) = delete;

  /// Starts the worker now instead of at the first question, which would wait for it (tens of milliseconds).
  Result<void> start();

  /// Results in the order of the items. If the worker dies at an item, that one is tried once more in a fresh worker;
  /// if that dies too, its result is kUndecided with `fault` set. The others are not touched by it.
  std::vector<MathResult> verify(std::span<const MathItem> items, const MathOptions& options);

  /// Process id of the running worker, or -1. For tests.
  [[nodiscard]] int pid() const;

 private:
  class Process;
  Result<void> ensure_running();
  void run_batch(std::span<const MathItem> items, const MathOptions& options, std::vector<MathResult>& results,
                 std::string& failure);

  MathWorkerOptions options_;
  mutable std::mutex mutex_;
  std::unique_ptr<Process> process_;
};

/// The worker program. Errors: it is nowhere, or cannot be executed; names the paths and what to do.
Result<std::string> find_math_worker(const std::string& option);

}  // namespace plumb
