#include "compiler_sandbox/launcher/process_account.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "compiler_sandbox/unique_fd.h"

namespace plumb {

std::string read_proc(int proc_fd, const std::string& path) {
  UniqueFd fd(openat(proc_fd, path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[4096];
  const ssize_t size = fd.valid() ? read(fd.get(), buffer, sizeof(buffer)) : 0;
  return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : std::string();
}

std::vector<int> descent(int proc_fd, pid_t pid) {
  std::vector<int> pids{pid};
  for (std::size_t i = 0; i < pids.size(); ++i) {
    // A child is listed with the thread that made it.
    const std::string tasks = std::to_string(pids[i]) + "/task";
    const int fd = openat(proc_fd, tasks.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* folder = fd < 0 ? nullptr : fdopendir(fd);
    for (const dirent* entry = nullptr; folder != nullptr && (entry = readdir(folder)) != nullptr;) {
      if (entry->d_name[0] != '.') {
        std::istringstream children(read_proc(proc_fd, tasks + "/" + entry->d_name + "/children"));
        for (int child = 0; children >> child;) {
          pids.push_back(child);
        }
      }
    }
    if (folder != nullptr) {
      closedir(folder);
    }
  }
  return pids;
}

double cpu_seconds(int proc_fd, const std::vector<int>& pids) {
  double ticks = 0;
  for (const int pid : pids) {
    const std::string text = read_proc(proc_fd, std::to_string(pid) + "/stat");
    // The name in brackets may hold anything; after it come the state, ten other fields, and four times.
    std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
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

double starved_seconds(int proc_fd, const std::vector<int>& pids) {
  double total = 0;
  for (const int pid : pids) {
    std::istringstream fields(read_proc(proc_fd, std::to_string(pid) + "/schedstat"));
    double run_ns = 0;
    double wait_ns = 0;
    if (fields >> run_ns >> wait_ns) {
      total += wait_ns * 1e-9;
    }
  }
  return total;
}

}  // namespace plumb
