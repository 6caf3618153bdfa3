#pragma once
// A step while it runs: moves bytes between the judge and the program, and notices how it ends. Nothing here waits on a
// program's good will: every read and write is non-blocking, every buffer has a bound.

#include <chrono>
#include <string>
#include <string_view>

#include "compiler_sandbox/worker.h"
#include "core/result.h"

namespace plumb {

/// What the judge reads and writes of a step.
struct StepStreams {
  bool channel = false;            // whether the program gets a two-way channel as descriptor 3
  std::size_t output_limit = 0;    // more printed bytes than this end the step's reading (output_exceeded)
  std::size_t output_kept = 4096;  // of what was printed, so many first bytes are kept
  int input = -1;                  // becomes descriptor 0; without one the program reads /dev/null
  int output = -1;                 // becomes descriptor 1; then standard error alone is read here
  bool errors_apart = false;       // standard error is kept apart from standard output
  bool waits_for_others = false;   // asleep it may be because another program is slow, but for its_turn()
};

/// One step of `worker`'s session, which must outlive it.
class RunningStep {
 public:
  RunningStep(Worker& worker, const StepStreams& streams) : worker_(worker), streams_(streams) {}

  /// Errors: ours only (no descriptors, a launcher that died).
  Result<void> start(const Step& step);

  /// Replaces what still waits to be sent by `bytes`.
  void send(std::string bytes) { to_send_ = std::move(bytes); }
  /// Waits until some bytes moved or the step ended, then returns. After the end nothing more moves.
  void wait();
  /// As wait() but at most `milliseconds`.
  void wait_at_most(int milliseconds);
  /// Whether all others wait for this program now.
  void its_turn(bool now) { its_turn_ = now; }
  /// Ends the step if it still runs. The report says how it ended and what it used.
  const StepReport& finish();

  [[nodiscard]] std::string& received() { return received_; }  // from the channel; the caller erases what it has used
  [[nodiscard]] bool channel_closed() const { return channel_closed_; }
  [[nodiscard]] bool output_exceeded() const { return printed_ > streams_.output_limit; }
  [[nodiscard]] const std::string& output() const { return output_.text; }
  [[nodiscard]] const std::string& errors() const { return errors_.text; }
  [[nodiscard]] bool over() const { return over_; }
  /// Since its start.
  [[nodiscard]] double seconds() const;

 private:
  void read_channel();
  void write_channel();
  struct Stream {
    UniqueFd pipe;
    std::string text;
  };
  void read_output(Stream& stream);
  void read_rest(Stream& stream);
  void end_with(StepReport report);

  Worker& worker_;
  StepStreams streams_;
  UniqueFd channel_;
  std::string to_send_;
  std::string received_;
  Stream output_;
  Stream errors_;
  std::size_t printed_ = 0;
  bool channel_closed_ = false;
  bool its_turn_ = false;
  bool over_ = false;
  StepReport report_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace plumb
