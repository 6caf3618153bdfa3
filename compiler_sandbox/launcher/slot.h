#pragma once
// What a launcher has of its own, from its start to its end.

#include <linux/filter.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "compiler_sandbox/launcher/cgroup.h"
#include "compiler_sandbox/launcher/step_template.h"

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
  StepTemplate python;                // only with namespaces
  StepTemplate clang;                 // likewise; once a few candidates have asked for it
  std::int64_t resident_bytes = 0;    // of launcher and templates, in the cgroup: no program's
};

}  // namespace plumb
