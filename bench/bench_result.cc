#include "bench/bench_result.h"

#include <malloc.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>

namespace plumb {

std::string_view to_string(ComputeDtype dtype) {
  switch (dtype) {
    case ComputeDtype::kF32:
      return "f32";
    case ComputeDtype::kBf16:
      return "bf16";
    case ComputeDtype::kBf16Split:
      return "bf16_split";
  }
  return "unknown";
}

nlohmann::json to_json(const BenchResult& result) {
  nlohmann::json json = result.details;
  json["bench"] = result.name;
  json["checked"] = result.checked;
  json["seconds"] = result.seconds;
  json["tokens_per_second"] = result.tokens_per_second();
  json["gflops"] = result.gflops();
  json["roof_gflops"] = result.roof_gflops;
  json["fraction_of_roof"] = result.fraction_of_roof();
  for (const BenchPart& part : result.parts) {
    const double gflops = part.seconds > 0 ? part.flop / part.seconds * 1e-9 : 0;
    json[part.name + "_seconds"] = part.seconds;
    json[part.name + "_gflops"] = gflops;
    json[part.name + "_fraction_of_roof"] = result.roof_gflops > 0 ? gflops / result.roof_gflops : 0;
  }
  json["peak_rss_mib"] = peak_rss_mib();
  json["threads"] = result.threads;
  json["dtype"] = to_string(result.dtype);
  return json;
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void reset_peak_rss() {
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace plumb
