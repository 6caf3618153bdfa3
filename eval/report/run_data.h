#pragma once
// What the report reads from a run folder.

#include <cstdint>
#include <filesystem>
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

struct RunData {
  std::string name;         // of the run folder
  nlohmann::json manifest;  // discarded where the file is absent
  std::string config;       // config.toml as text
  std::vector<StepRow> metrics;
  std::vector<StepRow> timings;
  std::vector<Evaluation> evaluations;
  std::vector<SampleRecord> samples;
  nlohmann::json reward_model;  // reward_model.json; discarded where the file is absent
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

/// The values of one name over the steps of one stage, in file order; steps without it are left out.
std::vector<std::pair<double, double>> series_of(const std::vector<StepRow>& rows, const std::string& stage,
                                                 const std::string& name);

}  // namespace plumb
