#pragma once
// What processes did and hold, from /proc: coarser than a cgroup's account (clock ticks, a look at a time), for where
// there is none.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace plumb {

/// A short file below the /proc that `proc_fd` is; empty where it cannot be read.
std::string read_proc(int proc_fd, const std::string& path);

/// `pid` and its descendants.
std::vector<int> descent(int proc_fd, pid_t pid);

/// CPU time so far, that of children included that a living one has waited for; blind for children that nobody waits
/// for.
double cpu_seconds(int proc_fd, const std::vector<int>& pids);

/// How long they were ready to run but had no processor.
double starved_seconds(int proc_fd, const std::vector<int>& pids);

/// Memory that they hold: each one's resident set; where that is more than `enough`, pages that several of them map
/// count once.
std::int64_t resident_bytes(int proc_fd, const std::vector<int>& pids, std::int64_t enough);

}  // namespace plumb
