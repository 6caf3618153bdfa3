#pragma once
// A slot's control group: memory and process limits, CPU accounting. cgroup v1 or v2, whichever carries the
// controllers. The launcher itself lives in it, so that a run costs no migration.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

/// Owns the group's folders until remove(). All files are reached through descriptors, so it works after the host's
/// file system has been left.
class Cgroup {
 public:
  /// Makes the group under the caller's own and moves the caller into it. Sweeps groups of dead launchers.
  /// On failure present() is false and detail() says why.
  static Cgroup create();

  [[nodiscard]] bool present() const { return version_ != 0; }
  [[nodiscard]] int version() const { return version_; }
  [[nodiscard]] const std::string& detail() const { return detail_; }

  /// Limits for what the group holds from now on; the launcher, a template and init are counted on top of
  /// `processes`.
  bool set_limits(std::int64_t memory_bytes, int processes) const;
  /// Starts a new measurement of peak_bytes() and oom_kills().
  void start_measurement();
  /// Where groups share processors by weight too (v2, or a v1 cpuacct that is mounted with cpu): the least of it, or as
  /// usual.
  void make_way(bool on) const;
  [[nodiscard]] std::int64_t usage_bytes() const;    // now
  [[nodiscard]] std::int64_t kept_bytes() const;     // now, without the pages of files, which make way
  [[nodiscard]] double cpu_s() const;                // since the group was made
  [[nodiscard]] std::int64_t peak_bytes() const;     // since start_measurement(), above the use at that time
  [[nodiscard]] std::int64_t oom_kills() const;      // since start_measurement()
  [[nodiscard]] std::vector<int> processes() const;  // the launcher's own id included
  /// Moves the caller back and removes the folders.
  void remove();

 private:
  struct Folder {
    UniqueFd parent;
    UniqueFd self;
    UniqueFd home;  // the group that the caller came from or, where that holds processes no more, its leaf
    std::string name;
  };
  bool join(const std::string& controller, const std::string& parent_path, const std::string& home_path);
  bool create_v1();
  bool create_v2();
  [[nodiscard]] std::string read(const std::string& controller, const char* file) const;
  [[nodiscard]] bool write(const std::string& controller, const char* file, const std::string& text) const;
  [[nodiscard]] std::int64_t oom_count() const;

  int version_ = 0;
  std::string detail_;
  std::map<std::string, Folder> folders_;  // by controller; v2 has the one key "unified"
  std::int64_t start_usage_ = 0;
  std::int64_t start_ooms_ = 0;
};

}  // namespace plumb
