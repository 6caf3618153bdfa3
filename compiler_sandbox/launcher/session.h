#pragma once
// A session: one submission's own namespaces, work folder and init process. Steps (compile, link, run) follow one
// another in it; ending it kills the whole process namespace.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "compiler_sandbox/launcher/process_account.h"
#include "compiler_sandbox/launcher/slot.h"
#include "compiler_sandbox/launcher/step.h"
#include "compiler_sandbox/launcher/step_copy.h"
#include "compiler_sandbox/wire.h"

namespace plumb {

/// A live session. Not copyable; the destructor kills it.
class Session {
 public:
  /// Starts init with the files of `begin` in its work folder. Null with `error` set on failure.
  /// Meanwhile `first`, where it is not null, makes the copy that the first step will go on as.
  static std::unique_ptr<Session> start(const Slot& slot, const nlohmann::json& begin, const StepTemplate* first,
                                        std::string& error);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Lets init start a step that executes something; or, where there is a copy, lets that go on. Empty, or what failed.
  [[nodiscard]] std::string start_step(const WireMessage& message);
  /// Makes a copy of `original`, unless it is there, for the next step to go on as. False where that fails: then init
  /// executes it.
  [[nodiscard]] bool make_copy(const StepTemplate& original);
  /// Ends the copy that waits, as the next step executes something.
  void drop_copy() { copy_ = StepCopy(); }
  /// Readable once the step has ended.
  [[nodiscard]] int end_fd() const { return copy_.pid() > 0 ? copy_.end_fd() : socket_.get(); }
  /// Of the step that has ended; what it left running is gone. Nothing where init died.
  [[nodiscard]] std::optional<StepEnd> end_step();
  /// Kills every process of the session and waits until none is left. Idempotent.
  void kill_all();
  /// Of all processes of the session, as process_account.h says.
  [[nodiscard]] double cpu_s() const;
  [[nodiscard]] ThreadWaits thread_waits() const;
  [[nodiscard]] bool asleep() const;
  /// make_way() for all but init, which starts the next step.
  void make_way(bool on) const;
  [[nodiscard]] std::int64_t resident_bytes(std::int64_t enough) const;

 private:
  explicit Session(const Slot& slot) : slot_(slot) {}
  [[nodiscard]] std::vector<int> processes() const;
  void kill_descent() const;
  void end_namespace();
  void end_stragglers() const;

  const Slot& slot_;
  pid_t init_ = -1;
  UniqueFd socket_;                   // to init
  std::vector<UniqueFd> namespaces_;  // init's, where copies of templates may have to enter them
  StepCopy copy_;                     // the step that runs, where it is one
  double cpu_of_copies_s_ = 0;        // of those that have ended: they are no children of init's
  std::string outside_work_folder_;   // only without namespaces
};

}  // namespace plumb
