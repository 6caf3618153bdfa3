#pragma once
// What must hold on the host around a hostile program: canaries that it may not find, and a look at processes, files,
// memory, disk and shared objects before and after it.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "compiler_sandbox/unique_fd.h"
#include "core/result.h"

namespace plumb {

/// The host at one moment.
struct HostSnapshot {
  std::set<std::string> files;                   // of the folders that anybody may write to, and of the current one
  std::string shared_objects;                    // System V's, and POSIX message queues
  std::map<std::string, std::string> host_sums;  // SHA-256 by path of files that nobody may change
  std::int64_t free_disk_bytes = 0;
  std::int64_t free_inodes = 0;
  std::int64_t available_memory_bytes = 0;
  int num_processes = 0;
  std::chrono::nanoseconds clock_offset{0};  // of the wall clock from the monotonic one
};

class HostChecks {
 public:
  /// Puts canaries in the environment (SBX_CANARY), into files and behind two listeners. Errors: a listener's address
  /// is taken.
  static Result<std::unique_ptr<HostChecks>> begin();
  ~HostChecks();
  HostChecks(const HostChecks&) = delete;
  HostChecks& operator=(const HostChecks&) = delete;

  /// As of now; the count of most processes begins anew.
  HostSnapshot snapshot();

  /// The first of the checks `names` (the manifest's names; others are left out) that fails, in words; empty where all
  /// hold. `max_processes` is the program's limit. Waits up to 2 s for what may take a moment. Looks at the whole
  /// machine, so that other work on it is seen as well.
  std::string complaint(const std::set<std::string>& names, const HostSnapshot& before, int max_processes);

  /// A process of a slot that is left after a second; empty where none is.
  static std::string leftover_process();

  /// Whether any program reached a listener.
  [[nodiscard]] bool was_reached() const;

  /// Whether `text` holds a canary, or a line of the host's password file.
  static bool holds_secret(const std::string& text);

 private:
  HostChecks() = default;
  void count_processes();

  UniqueFd abstract_;
  UniqueFd tcp_;
  std::set<std::string> canary_files_;
  std::atomic<int> most_processes_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread counter_;
};

}  // namespace plumb
