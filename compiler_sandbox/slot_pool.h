#pragma once
// Slots: one launcher and one program at a time each. And the gate, which lets in as many programs as there are places,
// two light ones in a place, one alone where it must be, and others in the place of those that sleep.

#include <condition_variable>
#include <deque>
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
  /// So many programs sleep at most while others run in their places.
  static constexpr int kMostParked = 16;

  /// So many light programs share a place.
  static constexpr int kLight = 2;

  /// How a program wants to run.
  struct Wish {
    bool alone = false;
    bool light = false;
  };

  /// `places`: programs that run at once.
  explicit Gate(int places) : room_(places * kLight) {}

  void enter(Wish wish);
  void leave(Wish wish, bool parked);
  /// A program that is inside sleeps: its place is free for another. False where too many do already.
  bool park(Wish wish);
  /// It woke up. It goes on at once, beside whoever has come in meanwhile: its limits are of its own CPU time.
  void unpark(Wish wish);

 private:
  struct Waiter {
    Wish wish;
    bool is_in = false;
    std::condition_variable changed;
  };
  static int size_of(Wish wish) { return wish.light ? 1 : kLight; }
  [[nodiscard]] bool fits(Wish wish) const;
  void admit();

  const int room_;
  std::mutex mutex_;
  std::deque<Waiter*> waiting_;  // on their threads' stacks
  int taken_ = 0;                // of the room
  int parked_ = 0;
  bool closed_ = false;  // someone is alone
};

/// The gate, held as long as this lives.
class GatePass {
 public:
  GatePass(Gate& gate, Gate::Wish wish) : gate_(gate), wish_(wish) { gate_.enter(wish_); }
  ~GatePass() { gate_.leave(wish_, parked_); }
  GatePass(const GatePass&) = delete;
  GatePass& operator=(const GatePass&) = delete;

  /// The program went off the CPU, or came back. Who runs alone keeps its place.
  void set_asleep(bool asleep);

 private:
  Gate& gate_;
  Gate::Wish wish_;
  bool parked_ = false;
};

/// The judge's workers: as many as there are slots, and spare ones that are started where those are taken, by programs
/// that sleep or are light. Safe to use from many threads.
class SlotPool {
 public:
  /// Starts a worker, a spare one or one of the others.
  using Start = std::function<Result<std::unique_ptr<Worker>>(bool spare)>;
  /// `workers` are started already, or null: those are started when they are needed.
  SlotPool(std::vector<std::unique_ptr<Worker>> workers, Start start);

  /// A worker of one's own.
  struct Lease {
    std::unique_ptr<Worker> worker;  // null where it was lost and no other can be started
    bool spare = false;
    std::string error;  // why it is null
  };
  /// `rather_spare`: where a spare one is there already, the others stay free.
  Lease take(bool rather_spare);
  /// Gives it back. A null worker stands for one that broke: it is started anew when it is needed.
  void give(Lease lease);
  [[nodiscard]] int size() const { return size_; }

 private:
  Start start_;
  int size_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> free_;
  std::vector<std::unique_ptr<Worker>> spare_;
};

}  // namespace plumb
