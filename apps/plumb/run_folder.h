#pragma once
// The folder a run leaves: config.toml, manifest.json, metrics.jsonl, timings.jsonl, TensorBoard events, samples.jsonl,
// verdicts.jsonl, custom_scores.jsonl, faults.jsonl, evals/, checkpoints/, policy/ (the result, a Hugging Face folder)
// and report.html. It is entered before anything costly is read, compared once the manifest is known, and claimed when
// every check has passed: a run that is refused leaves nothing that stands in the way of the next.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/plumb/folder_lock.h"
#include "core/atomic_file.h"
#include "core/config.h"
#include "core/manifest.h"
#include "core/metrics_log.h"
#include "core/result.h"
#include "core/tensorboard.h"

namespace plumb {

/// What a command wants of a run folder.
struct RunEntry {
  std::string command;  // "grpo", as the command line says it
  std::string out;
  std::string model;  // model.path
  bool resume = false;
};

/// make_manifest() of this plumb, with the command, the seed and the config; the files are the caller's to add.
RunManifest start_manifest(const std::string& command, std::uint64_t seed, const Config& config);

/// For a command that reads the folder's own config, before it does: with `resume` the folder's run is one of the same
/// command, and has begun. Errors: it is not; without a manifest there is nothing to say.
Result<void> check_resumable(const RunEntry& entry);

class RunFolder {
 public:
  /// Looks at the folder and changes nothing of it. Errors: another process is at work there; it holds a run (without
  /// `resume`) or what a run would write over; it holds none, or one of another command (with `resume`); the model is
  /// the folder's own result.
  static Result<RunFolder> enter(const RunEntry& entry);
  ~RunFolder();
  RunFolder(RunFolder&& other) noexcept = default;
  RunFolder& operator=(RunFolder&& other) noexcept = default;

  /// Makes the folder where it is absent; it goes again with this object unless claim() follows. Errors: it cannot be
  /// written; a resumed run whose bits would depend on something that has changed, named sentence by sentence.
  Result<void> compare(const Config& config, const RunManifest& manifest);
  /// Writes manifest.json and config.toml of a run that begins. Before it nothing else may be written. Errors: another
  /// process was faster; the disk.
  Result<void> claim();

  /// Whether there is something to go on with; false after `resume` of a run that had not done anything yet.
  [[nodiscard]] bool resumes() const { return resumes_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

  /// Opens the logs; after a resume what lies behind `from` is cut off, of samples.jsonl what lies behind
  /// `samples_bytes` where that is known. Errors: a log that the steps before `from` are in is gone, or shorter than it
  /// was; nothing has been changed then.
  Result<void> open_logs(const std::optional<ResumePoint>& from, std::uint64_t samples_bytes = UINT64_MAX);
  [[nodiscard]] bool has_logs() const { return metrics_.has_value(); }
  [[nodiscard]] std::uint64_t samples_bytes() const { return samples_->size_bytes(); }
  /// One step's numbers to metrics.jsonl, timings.jsonl and TensorBoard.
  Result<void> log(const std::string& stage, std::int64_t step, const MetricMap& metrics, const MetricMap& timings);
  Result<void> sync_logs();
  /// One line of samples.jsonl.
  Result<void> add_sample(const nlohmann::json& sample);

 private:
  RunFolder() = default;
  Result<void> lock();
  Result<void> check_free() const;
  [[nodiscard]] Result<void> check_logs(const ResumePoint& from, std::uint64_t samples_bytes) const;

  std::string path_;
  bool resumes_ = false;
  bool keeps_verdicts_ = false;          // of a run that begins anew: they are of the same config
  std::vector<std::string> made_;        // folders that compare() made, the outermost first
  std::string toml_;                     // to be written by claim()
  std::optional<RunManifest> manifest_;  // likewise
  FolderLock lock_;
  std::optional<MetricsLog> metrics_;
  std::optional<TensorBoardWriter> events_;
  std::optional<AppendFile> samples_;
};

/// Says that there is nothing to go on with. Yields exit status 0.
int say_complete(const RunFolder& folder);

}  // namespace plumb
