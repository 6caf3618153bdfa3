#include "compiler_sandbox/launcher/process_account.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

bool write_proc(int proc_fd, const std::string& path, const std::string& text) {
  UniqueFd fd(openat(proc_fd, path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string read_proc(int proc_fd, const std::string& path) {
  UniqueFd fd(openat(proc_fd, path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[4096];
  const ssize_t size = fd.valid() ? read(fd.get(), buffer, sizeof(buffer)) : 0;
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

namespace {

// The folders of a process's threads.
std::vector<std::string> threads_of(int proc_fd, int pid) {
  std::vector<std::string> threads;
  const std::string tasks = std::to_string(pid) + "/task";
  const int fd = openat(proc_fd, tasks.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* folder = fd < 0 ? nullptr : fdopendir(fd);
  for (const dirent* entry = nullptr; folder != nullptr && (entry = readdir(folder)) != nullptr;) {
    if (entry->d_name[0] != '.') {
      threads.push_back(tasks + "/" + entry->d_name);
    }
  }
  if (folder != nullptr) {
    closedir(folder);
  }
  return threads;
}

// What a stat file says after the name in brackets, which may hold anything.
std::string after_name(const std::string& stat) {
  return stat.substr(std::min(stat.rfind(')') + 1, stat.size()));
}

}  // namespace

std::vector<int> descent(int proc_fd, pid_t pid) {
  std::vector<int> pids{pid};
  for (std::size_t i = 0; i < pids.size(); ++i) {
    // A child is listed with the thread that made it.
    for (const std::string& thread : threads_of(proc_fd, pids[i])) {
      std::istringstream children(read_proc(proc_fd, thread + "/children"));
      for (int child = 0; children >> child;) {
        pids.push_back(child);
      }
    }
  }
  return pids;
}

void make_way(int proc_fd, const std::vector<int>& pids, bool on) {
  const sched_param none{};
  for (const int pid : pids) {
    for (const std::string& thread : threads_of(proc_fd, pid)) {
      sched_setscheduler(std::atoi(thread.substr(thread.rfind('/') + 1).c_str()), on ? SCHED_IDLE : SCHED_OTHER, &none);
    }
  }
}

bool all_asleep(int proc_fd, const std::vector<int>& pids) {
  for (const int pid : pids) {
    for (const std::string& thread : threads_of(proc_fd, pid)) {
      char state = 'S';  // also of one that ended meanwhile
      std::istringstream(after_name(read_proc(proc_fd, thread + "/stat"))) >> state;
      if (state == 'R' || state == 'D') {
        return false;
      }
    }
  }
  return true;
}

double cpu_seconds(int proc_fd, const std::vector<int>& pids) {
  double ticks = 0;
  for (const int pid : pids) {
    // After the name come the state, ten other fields, and four times.
    std::istringstream fields(after_name(read_proc(proc_fd, std::to_string(pid) + "/stat")));
    std::string skipped;
    for (int i = 0; i < 11; ++i) {
      fields >> skipped;
    }
    double time = 0;
    for (int i = 0; i < 4 && fields >> time; ++i) {
      ticks += time;
    }
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

namespace {

// Pages that several of them map count once. One that has just ended says nothing any more; 0: the kernel never does.
std::int64_t proportional_bytes(int proc_fd, const std::vector<int>& pids) {
  std::int64_t bytes = 0;
  for (const int pid : pids) {
    const std::string rollup = read_proc(proc_fd, std::to_string(pid) + "/smaps_rollup");
    const std::size_t at = rollup.find("\nPss:");
    if (at != std::string::npos) {
      bytes += std::strtoll(rollup.c_str() + at + 5, nullptr, 10) * 1024;
    }
  }
  return bytes;
}

}  // namespace

std::int64_t resident_bytes(int proc_fd, const std::vector<int>& pids, std::int64_t enough) {
  const std::int64_t first = proportional_bytes(proc_fd, pids);
  if (first == 0) {
    std::int64_t resident = 0;
    for (const int pid : pids) {
      std::istringstream pages(read_proc(proc_fd, std::to_string(pid) + "/statm"));
      std::int64_t size = 0;
      std::int64_t held = 0;
      resident += pages >> size >> held ? held * sysconf(_SC_PAGESIZE) : 0;
    }
    return resident;
  }
  // One that ends between two readings leaves its share to the next: the smaller of two sums is right.
  return first <= enough ? first : std::min(first, proportional_bytes(proc_fd, pids));
}

ThreadWaits thread_waits(int proc_fd, const std::vector<int>& pids) {
  ThreadWaits waits;
  for (const int pid : pids) {
    for (const std::string& thread : threads_of(proc_fd, pid)) {
      std::istringstream fields(read_proc(proc_fd, thread + "/schedstat"));
      double run_ns = 0;
      double wait_ns = 0;
      if (fields >> run_ns >> wait_ns) {
        waits[std::atoi(thread.substr(thread.rfind('/') + 1).c_str())] = wait_ns * 1e-9;
      }
    }
  }
  return waits;
}

}  // namespace plumb
