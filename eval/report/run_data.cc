#include "eval/report/run_data.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <sstream>

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

Result<ProfileRow> profile_row_from_json(const nlohmann::json& json) {
  ProfileRow row;
  try {
    row.data_source = json.at("data_source").get<std::string>();
    row.samples = json.at("samples").get<int>();
    row.scored = json.at("scored").get<int>();
    row.passed = json.at("passed").get<int>();
    row.truncated = json.at("truncated").get<int>();
    row.tokens = json.at("tokens").get<std::int64_t>();
    row.mixed = json.at("mixed").get<bool>();
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("expected a line of a profile: ") + error.what()};
  }
  if (row.passed < 0 || row.passed > row.scored || row.scored > row.samples) {
    return Error{"expected 0 <= passed <= scored <= samples"};
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
  PLUMB_TRY(read_json_lines(run_dir / "profile.jsonl", [&](const nlohmann::json& json) -> Result<void> {
    PLUMB_ASSIGN(ProfileRow row, profile_row_from_json(json));
    run.profile.push_back(std::move(row));
    return {};
  }));
  run.has_weights = std::filesystem::is_directory(run_dir / "policy", error);
  const bool logged = !run.metrics.empty() || !run.evaluations.empty() || !run.samples.empty() || !run.profile.empty();
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

std::string dev_metric(const std::vector<StepRow>& steps) {
  std::set<std::pair<std::int64_t, std::string>> names;  // those of one language have a slash more
  for (const StepRow& row : steps) {
    for (const auto& [name, value] : row.values) {
      if (name.starts_with("eval/") && (name.find("/avg@") != std::string::npos || name.ends_with("/greedy"))) {
        names.emplace(std::ranges::count(name, '/'), name);
      }
    }
  }
  return names.empty() ? "" : names.begin()->second;
}

std::map<std::string, std::string> settings_of(const RunData& run) {
  std::map<std::string, std::string> settings;
  std::istringstream lines(run.config);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find(" = ");
    if (line.starts_with("[")) {
      section = line.substr(1, line.find(']') - 1);
    } else if (!line.starts_with("#") && equals != std::string::npos) {
      const std::size_t comment = line.find("  #", equals);
      settings[section + "." + line.substr(0, equals)] = line.substr(equals + 3, comment - equals - 3);
    }
  }
  return settings;
}

std::string reward_objective(const RunData& run) {
  if (run.reward_model.is_object() && run.reward_model.contains("objective") &&
      run.reward_model["objective"].is_string()) {
    return run.reward_model["objective"].get<std::string>();
  }
  // Only a file that was written before objectives had names has neither.
  std::string named = settings_of(run)["rm.objective"];
  std::erase(named, '"');
  const auto held_out = run.reward_model.is_object() ? run.reward_model.find("held_out") : run.reward_model.end();
  const bool steps = held_out != run.reward_model.end() && held_out->is_object() && held_out->contains("steps");
  return !named.empty() ? named : steps ? "steps" : "pairs";
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
