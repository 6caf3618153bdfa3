#include "core/machine.h"

#include <sched.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <system_error>

namespace plumb {
namespace {

// Those that decide which kernels oneDNN and the compiler choose, and with them the bits of a run.
constexpr std::array<const char*, 12> kNumericFlags = {"sse4_2",      "avx",         "fma",      "avx2",
                                                       "avx512f",     "avx512dq",    "avx512bw", "avx512vl",
                                                       "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_tile"};

std::string after_colon(const std::string& line) {
  const std::size_t colon = line.find(':');
  const std::size_t start = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
  return start == std::string::npos ? "" : line.substr(start);
}

// A number in a one-line file of the kernel; the maximum where it is absent or says "max".
std::uint64_t read_limit(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

bool CpuInfo::has(const std::string& flag) const {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

CpuInfo read_cpu_info() {
  CpuInfo info;
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  std::vector<std::string> present;
  while (std::getline(file, line) && (info.model.empty() || present.empty())) {
    if (line.starts_with("model name")) {
      info.model = after_colon(line);
    } else if (line.starts_with("flags")) {
      std::istringstream words(after_colon(line));
      for (std::string word; words >> word;) {
        present.push_back(word);
      }
    }
  }
  for (const char* flag : kNumericFlags) {
    if (std::find(present.begin(), present.end(), flag) != present.end()) {
      info.flags.emplace_back(flag);
    }
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    info.usable_processors = std::max(1, CPU_COUNT(&set));
  }
  return info;
}

MemoryInfo read_memory_info() {
  MemoryInfo info;
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t kib = 0;
    words >> name >> kib;
    if (name == "MemTotal:") {
      info.total_bytes = kib * 1024;
    } else if (name == "MemAvailable:") {
      info.available_bytes = kib * 1024;
    }
  }
  // Inside a container the limit stands in the cgroup's own folder, which is what /sys/fs/cgroup shows there.
  const std::uint64_t limit =
      std::min(read_limit("/sys/fs/cgroup/memory.max"), read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  const std::uint64_t used =
      std::min(read_limit("/sys/fs/cgroup/memory.current"), read_limit("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
  if (limit < info.total_bytes) {
    info.total_bytes = limit;
    info.available_bytes = std::min(info.available_bytes, limit - std::min(limit, used));
  }
  return info;
}

Result<std::uint64_t> free_disk_bytes(const std::string& path) {
  std::error_code error;
  std::filesystem::path place = std::filesystem::absolute(path, error);
  while (!error && !std::filesystem::exists(place, error) && place.has_relative_path()) {
    place = place.parent_path();
  }
  struct statvfs status {};
  if (error || ::statvfs(place.c_str(), &status) != 0) {
    return Error{path +
                 ": free space cannot be read: " + std::generic_category().message(error ? error.value() : errno)};
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

std::string compiler_of_build() {
#if defined(__clang__)
  return std::string("clang++ ") + __clang_version__;
#else
  return std::string("g++ ") + __VERSION__;
#endif
}

std::vector<std::string> features_of_build() {
  std::vector<std::string> features;
#if defined(__SSE4_2__)
  features.emplace_back("sse4_2");
#endif
#if defined(__AVX__)
  features.emplace_back("avx");
#endif
#if defined(__FMA__)
  features.emplace_back("fma");
#endif
#if defined(__AVX2__)
  features.emplace_back("avx2");
#endif
#if defined(__AVX512F__)
  features.emplace_back("avx512f");
#endif
#if defined(__AVX512DQ__)
  features.emplace_back("avx512dq");
#endif
#if defined(__AVX512BW__)
  features.emplace_back("avx512bw");
#endif
#if defined(__AVX512VL__)
  features.emplace_back("avx512vl");
#endif
#if defined(__AVX512VNNI__)
  features.emplace_back("avx512_vnni");
#endif
#if defined(__AVX512BF16__)
  features.emplace_back("avx512_bf16");
#endif
#if defined(__AMX_BF16__)
  features.emplace_back("amx_bf16");
#endif
#if defined(__AMX_TILE__)
  features.emplace_back("amx_tile");
#endif
  return features;
}

}  // namespace plumb
