#pragma once
// What processes did and hold, from /proc: coarser than a cgroup's account (clock ticks, a look at a time), for where
// there is none.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "compiler_sandbox/launcher/starved_watch.h"

namespace plumb {

/// A short file below the /proc that `proc_fd` is; empty where it cannot be read.
std::string read_proc(int proc_fd, const std::string& path);

/// False where `text` cannot be written there.
bool write_proc(int proc_fd, const std::string& path, const std::string& text);

/// `pid` and its descendants, whichever of their threads made them.
std::vector<int> descent(int proc_fd, pid_t pid);

/// CPU time so far, that of children included that a living one has waited for; blind for children that nobody waits
/// for.
double cpu_seconds(int proc_fd, const std::vector<int>& pids);

/// How long each of their threads has been ready to run but without a processor. Those that have ended say nothing.
ThreadWaits thread_waits(int proc_fd, const std::vector<int>& pids);

/// From now on their threads, and what these start, run where nothing else wants a processor; or as usual again.
void make_way(int proc_fd, const std::vector<int>& pids, bool on);

/// Whether each of their threads waits for something that is no processor, disk or page. Waiting for another program
/// counts.
bool all_asleep(int proc_fd, const std::vector<int>& pids);

/// Memory that they hold: of pages that several processes map each one's share; where the kernel does not say (PSS), of
/// each the whole. What is more than `enough` is looked at twice.
std::int64_t resident_bytes(int proc_fd, const std::vector<int>& pids, std::int64_t enough);

}  // namespace plumb
