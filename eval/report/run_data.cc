#include "eval/report/run_data.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include "core/atomic_file.h"

namespace plumb {

namespace {

// Calls `take` for each line as JSON. The last line may be torn: then it has no line feed.
Result<void> read_json_lines(const std::filesystem::path& path,
                             const std::function<Result<void>(const nlohmann::json&)>& take) {
  std::ifstream file(path, std::ios::binary);
  std::string line;
  for (int number = 1; file && std::getline(file, line); ++number) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (file.eof() && json.is_discarded()) {
      break;
    }
    const std::string place = path.string() + ", line " + std::to_string(number);
    if (!json.is_object()) {
      return Error{place + ": expected a JSON object; the file was damaged or written by another program"};
    }
    if (auto taken = take(json); !taken) {
      return taken.error().with_context(place);
    }
  }
  return {};
}

Result<StepRow> row_from_json(const nlohmann::json& json) {
  if (!json.contains("stage") || !json["stage"].is_string() || !json.contains("step") ||
      !json["step"].is_number_integer()) {
    return Error{"expected \"stage\" and \"step\""};
  }
  StepRow row{json["stage"].get<std::string>(), json["step"].get<std::int64_t>(), {}};
  for (const auto& [name, value] : json.items()) {
    if (value.is_number() && name != "step") {
      row.values[name] = value.get<double>();
    } else if (value.is_null()) {
      row.values[name] = std::numeric_limits<double>::quiet_NaN();
    }
  }
  return row;
}

std::string text_if_present(const std::filesystem::path& path) {
  auto text = read_file(path.string());
  return text ? *text : std::string();
}

// A discarded value where the file is absent or empty.
Result<nlohmann::json> object_if_present(const std::filesystem::path& path) {
  const std::string text = text_if_present(path);
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!text.empty() && !json.is_object()) {
    return Error{path.string() + ": expected a JSON object"};
  }
  return json;
}

}  // namespace

Result<std::vector<StepRow>> read_step_rows(const std::filesystem::path& path) {
  std::vector<StepRow> rows;
  PLUMB_TRY(read_json_lines(path, [&](const nlohmann::json& json) -> Result<void> {
    PLUMB_ASSIGN(StepRow row, row_from_json(json));
    rows.push_back(std::move(row));
    return {};
  }));
  return rows;
}

Result<RunData> load_run(const std::filesystem::path& run_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(run_dir, error)) {
    return Error{run_dir.string() + ": no such run folder"};
  }
  RunData run;
  run.name = std::filesystem::absolute(run_dir).lexically_normal().filename().string();
  if (run.name.empty()) {
    run.name = std::filesystem::absolute(run_dir).lexically_normal().parent_path().filename().string();
  }
  PLUMB_ASSIGN(run.manifest, object_if_present(run_dir / "manifest.json"));
  PLUMB_ASSIGN(run.reward_model, object_if_present(run_dir / "reward_model.json"));
  run.config = text_if_present(run_dir / "config.toml");
  PLUMB_ASSIGN(run.metrics, read_step_rows(run_dir / "metrics.jsonl"));
  PLUMB_ASSIGN(run.timings, read_step_rows(run_dir / "timings.jsonl"));
  PLUMB_ASSIGN(run.evaluations, load_evaluations(run_dir));
  PLUMB_TRY(read_json_lines(run_dir / "samples.jsonl", [&](const nlohmann::json& json) -> Result<void> {
    PLUMB_ASSIGN(SampleRecord sample, sample_from_json(json));
    run.samples.push_back(std::move(sample));
    return {};
  }));
  const bool logged = !run.metrics.empty() || !run.evaluations.empty() || !run.samples.empty();
  if (!logged && !run.manifest.is_object() && !run.reward_model.is_object()) {
    return Error{
        run_dir.string() +
        ": holds no run (expected manifest.json, metrics.jsonl, evals/ or samples.jsonl); name the folder that "
        "was --out"};
  }
  return run;
}

std::vector<StepRow> rows_of_grpo_steps(const std::vector<StepRow>& rows) {
  std::vector<StepRow> steps;
  std::ranges::copy_if(rows, std::back_inserter(steps),
                       [](const StepRow& row) { return row.stage == "grpo" && row.values.contains("reward"); });
  return steps;
}

std::vector<std::pair<double, double>> series_of(const std::vector<StepRow>& rows, const std::string& stage,
                                                 const std::string& name) {
  std::vector<std::pair<double, double>> points;
  for (const StepRow& row : rows) {
    const auto found = row.values.find(name);
    if (row.stage == stage && found != row.values.end() && std::isfinite(found->second)) {
      points.emplace_back(static_cast<double>(row.step), found->second);
    }
  }
  return points;
}

}  // namespace plumb
