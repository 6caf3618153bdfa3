#pragma once
// Numbers of a run, one JSON object a step: metrics.jsonl holds what config, data and seed determine (two runs compare
// equal byte for byte), timings.jsonl what the machine's speed does.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace plumb {

/// Names (core/metric_names.h) to values, printed in name order.
using MetricMap = std::map<std::string, double>;

/// One line: {"stage":"grpo","step":3,"reward":0.25,...}. Doubles are the shortest text that reads back to the same
/// bits; NaN and infinities become null, for JSON has none.
std::string metrics_line(std::string_view stage, std::int64_t step, const MetricMap& values);

/// Where a resumed run goes on: lines of `stage` after `step`, and all lines behind them, are forgotten.
struct ResumePoint {
  std::string stage;
  std::int64_t step = 0;
};

/// The length in bytes of what stays of a log of JSON objects with a "stage" and a "step": its whole lines before the
/// first one that lies behind `resume`. Errors: it cannot be read.
Result<std::uint64_t> bytes_to_keep(const std::filesystem::path& path, const std::optional<ResumePoint>& resume);

/// Appends to metrics.jsonl and timings.jsonl of a run folder. Each line is one write, so a killed process leaves whole
/// lines, but for at most one torn one at the end, which `open` removes.
class MetricsLog {
 public:
  /// Opens (or makes) both files in `run_dir`, which must exist. With `resume`, what lies behind that point is cut off
  /// first. Errors: the files cannot be opened, read or cut.
  static Result<MetricsLog> open(const std::filesystem::path& run_dir, const std::optional<ResumePoint>& resume = {});

  MetricsLog(MetricsLog&& other) noexcept;
  MetricsLog& operator=(MetricsLog&& other) noexcept;
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;
  ~MetricsLog();

  /// Appends a line to each file whose map is not empty. `stage` is "base", "sft" or "grpo". Errors: the disk is full
  /// or gone.
  Result<void> append(std::string_view stage, std::int64_t step, const MetricMap& metrics, const MetricMap& timings);

  /// Forces both files to disk; a checkpoint calls it before it becomes the last good one.
  Result<void> sync();

 private:
  MetricsLog() = default;

  std::filesystem::path run_dir_;
  int metrics_fd_ = -1;
  int timings_fd_ = -1;
};

}  // namespace plumb
