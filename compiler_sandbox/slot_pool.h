#pragma once
// Slots: one launcher and one program at a time each. And the gate through which a program gets the judge to itself.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "compiler_sandbox/worker.h"

namespace plumb {

/// Shared by programs that run beside others, exclusive for one that runs alone. Whoever waits for it alone goes before
/// later sharers, so it comes.
class Gate {
 public:
  void enter(bool alone);
  void leave(bool alone);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0;
  int waiting_alone_ = 0;
  bool closed_ = false;
};

/// The gate, held as long as this lives.
class GatePass {
 public:
  GatePass(Gate& gate, bool alone) : gate_(gate), alone_(alone) { gate_.enter(alone_); }
  ~GatePass() { gate_.leave(alone_); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

 private:
  Gate& gate_;
  bool alone_;
};

/// The judge's workers. Safe to use from many threads.
class SlotPool {
 public:
  /// `workers` are started already; `start` starts a replacement.
  using Start = std::function<Result<std::unique_ptr<Worker>>()>;
  SlotPool(std::vector<std::unique_ptr<Worker>> workers, Start start);

  /// A slot of one's own; waits for one. Null where its worker was lost and no other can be started (`error`).
  std::unique_ptr<Worker> take(std::string& error);
  /// Gives a slot back. A null worker stands for one that broke: the next take() starts it anew.
  void give(std::unique_ptr<Worker> worker);
  [[nodiscard]] int size() const { return size_; }

 private:
  Start start_;
  int size_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Worker>> free_;
};

}  // namespace plumb
