#pragma once
// What this machine is and has: for doctor, manifests and the estimate before a run.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace plumb {

struct CpuInfo {
  std::string model;               // as the kernel names it
  int usable_processors = 1;       // that this process may run on
  std::vector<std::string> flags;  // those that numerics depend on, of those present, in a fixed order
  [[nodiscard]] bool has(const std::string& flag) const;
};

/// From /proc/cpuinfo and the scheduling mask; fields stay empty where the kernel does not say.
CpuInfo read_cpu_info();

struct MemoryInfo {
  std::uint64_t total_bytes = 0;      // of the machine, or the memory cgroup's limit where that is lower
  std::uint64_t available_bytes = 0;  // that can be had without swapping, within that limit
};

MemoryInfo read_memory_info();

/// Bytes that an unprivileged user may still write below `path`, or below its nearest existing parent.
Result<std::uint64_t> free_disk_bytes(const std::string& path);

/// The compiler that built this binary, e.g. "g++ 12.2.0".
std::string compiler_of_build();

/// The processor's feature set that the binary was built for, as "avx512_bf16 avx512f ..." (names as in CpuInfo).
std::vector<std::string> features_of_build();

}  // namespace plumb
