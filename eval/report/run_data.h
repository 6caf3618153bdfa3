#pragma once
// What the report reads from a run folder.

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/metrics_log.h"
#include "core/result.h"
#include "eval/evaluation.h"
#include "eval/samples.h"

namespace plumb {

/// One line of metrics.jsonl or timings.jsonl. null reads as NaN.
struct StepRow {
  std::string stage;
  std::int64_t step = 0;
  MetricMap values;
};

/// What a data profile found of one prompt: a line of profile.jsonl.
struct ProfileRow {
  std::string data_source;
  int samples = 0;
  int scored = 0;
  int passed = 0;
  int truncated = 0;
  std::int64_t tokens = 0;
  bool mixed = false;  // its rewards differ
};

struct RunData {
  std::string name;         // of the run folder
  nlohmann::json manifest;  // discarded where the file is absent
  std::string config;       // config.toml as text
  std::vector<StepRow> metrics;
  std::vector<StepRow> timings;
  std::vector<Evaluation> evaluations;
  std::vector<SampleRecord> samples;
  nlohmann::json reward_model;  // reward_model.json; discarded where the file is absent
  std::vector<ProfileRow> profile;
  bool has_weights = false;  // policy/ is there: a training has ended
};

/// Absent files leave their part empty; a torn last line (a run that is being written) is skipped. Errors: the folder
/// is absent or holds nothing of a run, or a file holds something else than it should, named with its line.
Result<RunData> load_run(const std::filesystem::path& run_dir);

/// The lines of a metrics.jsonl or timings.jsonl; none where it is absent. A torn last line is skipped. Errors: a line
/// that is no such row, with its number.
Result<std::vector<StepRow>> read_step_rows(const std::filesystem::path& path);

/// The lines of GRPO's steps, without those of the evaluations before and after it: what was evaluated within the run
/// stands in its step's line.
std::vector<StepRow> rows_of_grpo_steps(const std::vector<StepRow>& rows);

/// The name under which a stage's rows have the evaluation within the run, over all languages: eval/<split>/avg@<n> or
/// eval/<split>/greedy; empty where there is none.
std::string dev_metric(const std::vector<StepRow>& steps);

/// "section.key" to value as config.toml writes it, of the resolved config.
std::map<std::string, std::string> settings_of(const RunData& run);

/// What a reward model learns from, rm.objective: "pairs", "regression", "classification" or "steps".
std::string reward_objective(const RunData& run);

/// The values of one name over the steps of one stage, in file order; steps without it are left out.
std::vector<std::pair<double, double>> series_of(const std::vector<StepRow>& rows, const std::string& stage,
                                                 const std::string& name);

}  // namespace plumb
