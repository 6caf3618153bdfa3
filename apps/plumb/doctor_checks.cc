#include "apps/plumb/doctor_checks.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <oneapi/dnnl/dnnl.hpp>

#include "apps/plumb/version.h"
#include "compiler_sandbox/isolation.h"
#include "compiler_sandbox/warm_clang.h"
#include "compiler_sandbox/worker.h"
#include "core/machine.h"
#include "reward/rules/math_worker.h"

namespace plumb {
namespace {

constexpr std::uint64_t kGib = std::uint64_t{1} << 30;

std::string gib(std::uint64_t bytes) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB", static_cast<double>(bytes) / static_cast<double>(kGib));
  return text.data();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

// The first line that a fixed command prints; empty where it fails or is absent.
std::string first_line(const char* command) {
  std::FILE* pipe = ::popen(command, "r");
  if (pipe == nullptr) {
    return "";
  }
  std::array<char, 256> line{};
  const bool read = std::fgets(line.data(), line.size(), pipe) != nullptr;
  const int status = ::pclose(pipe);
  std::string text = read && status == 0 ? line.data() : "";
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  return text;
}

Finding examine_processor() {
  const CpuInfo cpu = read_cpu_info();
  Finding finding{"processor", Health::kGood, cpu.model + ", " + std::to_string(cpu.usable_processors) + " usable", ""};
  finding.found += cpu.flags.empty() ? "" : "; " + joined(cpu.flags);
  std::vector<std::string> absent;
  for (const std::string& feature : features_of_build()) {
    if (!cpu.has(feature)) {
      absent.push_back(feature);
    }
  }
  if (!absent.empty()) {
    finding.health = Health::kMissing;
    finding.remedy = "This binary was built for a processor with " + joined(absent) + ": build it on this machine.";
  }
  return finding;
}

std::string isa_name(dnnl::cpu_isa isa) {
  switch (isa) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx512_core:
      return "AVX-512";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX-512 VNNI";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX-512 BF16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "AMX";
    default:
      return "isa " + std::to_string(static_cast<int>(isa));
  }
}

Finding examine_arithmetic() {
  const CpuInfo cpu = read_cpu_info();
  Finding finding{"arithmetic", Health::kGood, "", ""};
  finding.found = "oneDNN " + onednn_version() + " uses " + isa_name(dnnl::get_effective_cpu_isa());
  if (cpu.has("avx512_bf16") || cpu.has("amx_bf16")) {
    finding.found += "; bf16 products in hardware";
  } else {
    finding.health = Health::kLimited;
    finding.found += "; no bf16 in hardware";
    finding.remedy = "bf16 products would be emulated: leave model.dtype at f32 on this processor.";
  }
  return finding;
}

Finding examine_memory() {
  const MemoryInfo memory = read_memory_info();
  Finding finding{"memory", Health::kGood, gib(memory.available_bytes) + " available of " + gib(memory.total_bytes),
                  ""};
  if (memory.available_bytes < 6 * kGib) {
    finding.health = Health::kLimited;
    finding.remedy = "The quickstart run needs up to 6 GiB: end other programs, or choose smaller batches.";
  }
  return finding;
}

Finding examine_disk() {
  Finding finding{"disk", Health::kGood, "", ""};
  const Result<std::uint64_t> bytes = free_disk_bytes(".");
  if (!bytes) {
    return {"disk", Health::kMissing, bytes.error().message, "Run plumb in a folder that can be written."};
  }
  finding.found = gib(*bytes) + " free here";
  if (*bytes < 4 * kGib) {
    finding.health = Health::kLimited;
    finding.remedy = "A quickstart run with its checkpoints needs about 4 GiB: free some, or choose another --out.";
  }
  return finding;
}

Finding examine_tool(const std::string& name, const char* command, const std::string& purpose,
                     const std::string& package, Health without) {
  const std::string version = first_line(command);
  if (!version.empty()) {
    return {name, Health::kGood, version + ": " + purpose, ""};
  }
  return {name, without, "not found: " + purpose, "Install it: apt-get install " + package + "."};
}

// What compiles C++ tasks where it is installed; g++ does otherwise.
Finding examine_clang() {
  Finding finding = examine_tool("clang", "/usr/bin/clang++-16 -dumpversion 2>/dev/null", "compiles C++ tasks",
                                 "clang-16", Health::kLimited);
  const auto launcher = find_launcher("");
  if (finding.health == Health::kGood && launcher) {
    const bool warm = std::filesystem::exists(warm_clang_folder(*launcher) + "/" + kInstancesOf);
    finding.found += warm ? " from a warm start" : " from cold starts, for plumb was built without its libraries";
    finding.health = warm ? Health::kGood : Health::kLimited;
    finding.remedy = warm ? "" : "Install libclang-16-dev, libclang-cpp16-dev and llvm-16-dev, and build again.";
  }
  return finding;
}

Finding examine_isolation() {
  const IsolationReport report = probe_isolation();
  Finding finding{"isolation", Health::kGood, report.summary(), report.refusal({})};
  for (const IsolationLayer& layer : report.layers) {
    if (!layer.present) {
      finding.health = Health::kLimited;
      finding.found += "; no " + layer.name + " (" + layer.detail + ")";
      if (finding.remedy.empty()) {
        finding.remedy = layer.remedy;
      }
    }
  }
  if (!report.refusal({}).empty()) {
    finding.health = Health::kMissing;
  }
  return finding;
}

Finding examine_maths() {
  const auto worker = find_math_worker("");
  return worker ? Finding{"plumb-maths", Health::kGood, *worker + ": verifies maths", ""}
                : Finding{"plumb-maths", Health::kMissing, "not found: verifies maths", worker.error().message};
}

}  // namespace

std::string to_string(Health health) {
  switch (health) {
    case Health::kGood:
      return "ok";
    case Health::kLimited:
      return "limited";
    case Health::kMissing:
      return "missing";
  }
  return "";
}

std::vector<Finding> examine_machine() {
  return {
      examine_isolation(),
      examine_maths(),
      examine_processor(),
      examine_arithmetic(),
      examine_memory(),
      examine_disk(),
      examine_tool("g++", "g++ -dumpfullversion 2>/dev/null", "judges C++ tasks", "g++", Health::kMissing),
      examine_clang(),
      examine_tool("python3", "/usr/bin/python3 -I -c 'import platform; print(platform.python_version())' 2>/dev/null",
                   "judges Python tasks", "python3", Health::kMissing)};
}

}  // namespace plumb
