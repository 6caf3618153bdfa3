#pragma once
// What a benchmark says, in the names that users' scripts read.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "tensor/dtype.h"

namespace plumb {

/// One of the things that a benchmark does one after the other.
struct BenchPart {
  std::string name;
  double seconds = 0;  // in the fastest repetition
  double flop = 0;
};

struct BenchResult {
  std::string name;         // roofline, rollout, decode, prefill, long-prefill, train, adamw, grpo-step, exactness
  std::string checked;      // what was found right before the clock ran
  double seconds = 0;       // of the fastest repetition
  std::int64_t tokens = 0;  // sampled or trained in that time
  double flop = 0;          // that the result needs (bench/flop.h)
  double roof_gflops = 0;   // the best plain oneDNN product of the same minute
  int threads = 0;
  ComputeDtype dtype = ComputeDtype::kF32;
  std::vector<BenchPart> parts;                       // where they are told apart
  nlohmann::json details = nlohmann::json::object();  // further keys

  [[nodiscard]] double gflops() const { return seconds > 0 ? flop / seconds * 1e-9 : 0; }
  [[nodiscard]] double fraction_of_roof() const { return roof_gflops > 0 ? gflops() / roof_gflops : 0; }
  [[nodiscard]] double tokens_per_second() const { return seconds > 0 ? static_cast<double>(tokens) / seconds : 0; }
};

/// {"bench", "checked", "seconds", "tokens_per_second", "gflops", "roof_gflops", "fraction_of_roof", "peak_rss_mib" (of
/// the process so far), "threads", "dtype"}, the details, and of each part that computes "NAME_seconds", "NAME_gflops"
/// and "NAME_fraction_of_roof".
nlohmann::json to_json(const BenchResult& result);

std::string_view to_string(ComputeDtype dtype);

/// Peak resident set of this process in MiB, since the start or since reset_peak_rss().
double peak_rss_mib();

/// Gives freed memory back to the kernel and starts the peak anew. Where the kernel does not allow that the old peak
/// stays, and what is measured after is too high, never too low.
void reset_peak_rss();

/// Seconds on a monotonic clock.
double now_s();

}  // namespace plumb
