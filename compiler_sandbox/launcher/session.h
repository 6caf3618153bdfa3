#pragma once
// A session: one submission's own namespaces, work folder and init process. Steps (compile, link, run) follow one
// another in it; ending it kills the whole process namespace.

#include <sys/types.h>

#include <memory>
#include <string>

#include "compiler_sandbox/launcher/cgroup.h"
#include "compiler_sandbox/launcher/init_template.h"
#include "compiler_sandbox/launcher/step.h"
#include "compiler_sandbox/wire.h"

namespace plumb {

/// What a launcher knows about its slot.
struct Slot {
  int proc_fd = -1;         // the host's /proc, seen by the launcher alone
  bool privileged = false;  // started as root: may map any id and set limits in cgroups
  bool namespaces = false;
  uid_t uid = 0;  // first of two ids that belong to this slot: init's, then the program's
  Cgroup cgroup;
  std::vector<sock_filter> filter;
  std::vector<std::string> readable;  // what programs may read and execute, for Landlock
  InitTemplate init_template;         // only with namespaces
  InitTemplate warm_template;         // has loaded clang (warm_clang.h): of sessions that start warm
  std::int64_t resident_bytes = 0;    // of launcher and templates, in the cgroup: no program's
};

/// Forks a template that this slot's inits are copies of (init_template.h). Without namespaces there is none: there all
/// children of the launcher are ended with a session.
InitTemplate start_template(const Slot& slot, const InitTemplate::Load& load);

/// A live session. Not copyable; the destructor kills it.
class Session {
 public:
  /// Starts init with the files of `begin` in its work folder. Null with `error` set on failure.
  static std::unique_ptr<Session> start(const Slot& slot, const nlohmann::json& begin, std::string& error);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Lets init start a step. Init answers on socket(): {"started"} or {"error"}, then {"status"} when it has ended.
  bool send_step(const WireMessage& message) const;
  [[nodiscard]] int socket() const { return socket_.get(); }
  /// Kills every process of the session and waits until none is left. Idempotent.
  void kill_all();
  /// Of all processes of the session, as process_account.h says.
  [[nodiscard]] double cpu_s() const;
  [[nodiscard]] double starved_s() const;
  [[nodiscard]] bool asleep() const;
  /// make_way() for all but init, which starts the next step.
  void make_way(bool on) const;
  [[nodiscard]] std::int64_t resident_bytes(std::int64_t enough) const;

 private:
  explicit Session(const Slot& slot) : slot_(slot) {}
  [[nodiscard]] std::vector<int> processes() const;
  void kill_descent() const;

  const Slot& slot_;
  pid_t init_ = -1;
  UniqueFd socket_;
  std::string outside_work_folder_;  // only without namespaces
};

}  // namespace plumb
