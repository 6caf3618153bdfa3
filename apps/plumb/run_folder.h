#pragma once
// The folder a run leaves: config.toml, manifest.json, metrics.jsonl, timings.jsonl, TensorBoard events, samples.jsonl,
// verdicts.jsonl, custom_scores.jsonl, faults.jsonl, evals/, checkpoints/, policy/ (the result, a Hugging Face folder)
// and report.html.

#include <memory>
#include <optional>
#include <string>

#include "core/atomic_file.h"
#include "core/config.h"
#include "core/manifest.h"
#include "core/metrics_log.h"
#include "core/result.h"
#include "core/tensorboard.h"

namespace plumb {

/// make_manifest() of this plumb, with the seed and the config; the files are the caller's to add.
RunManifest start_manifest(std::uint64_t seed, const Config& config);

class RunFolder {
 public:
  /// Makes a new folder, or opens an existing one with `resume`. Errors: the folder exists and holds a run (without
  /// `resume`); it does not (with `resume`); it cannot be written; a resumed run whose bits would depend on something
  /// that has changed, named sentence by sentence (of a few keys no bit depends: a change of those is said).
  static Result<RunFolder> open(const std::string& path, bool resume, const Config& config,
                                const RunManifest& manifest);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Opens the logs; after a resume what lies behind `from` is cut off, of samples.jsonl what lies behind
  /// `samples_bytes` where that is known.
  Result<void> open_logs(const std::optional<ResumePoint>& from, std::uint64_t samples_bytes = UINT64_MAX);
  [[nodiscard]] std::uint64_t samples_bytes() const { return samples_->size_bytes(); }
  /// One step's numbers to metrics.jsonl, timings.jsonl and TensorBoard.
  Result<void> log(const std::string& stage, std::int64_t step, const MetricMap& metrics, const MetricMap& timings);
  Result<void> sync_logs();
  /// One line of samples.jsonl.
  Result<void> add_sample(const nlohmann::json& sample);

 private:
  RunFolder() = default;

  std::string path_;
  std::optional<MetricsLog> metrics_;
  std::optional<TensorBoardWriter> events_;
  std::optional<AppendFile> samples_;
};

}  // namespace plumb
