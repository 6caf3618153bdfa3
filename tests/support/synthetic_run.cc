#include "tests/support/synthetic_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/manifest.h"
#include "core/metrics_log.h"
#include "core/rng.h"
#include "eval/evaluation.h"
#include "eval/samples.h"

namespace plumb {

namespace {

constexpr std::array<const char*, 3> kStages = {"base", "sft", "grpo"};
constexpr const char* kHostile = "<script>alert(1)</script>\x1B[31mred\x1B[0m \xFF\xC3( \xE2\x80\xAEgnp";

double uniform(const std::string& key, std::uint32_t position) {
  return RngStream(RngPurpose::kData, 1, stable_hash(key)).uniform_double(position);
}

// How likely a stage is to solve a function; each function has a difficulty of its own.
double skill(int stage, const std::string& unit, Language language, double temperature) {
  const double level = std::array{-2.6, -0.9, 0.1}[static_cast<std::size_t>(stage)];
  const double difficulty = 5 * (uniform(unit, 0) - 0.45) + (language == Language::kCpp ? 0.5 : 0);
  const double sharpness = 1.25 - 0.35 * temperature;
  return 1 / (1 + std::exp(-(level - difficulty) * sharpness * 1.6));
}

Evaluation make_evaluation(int stage, double temperature, int samples, const SyntheticRunOptions& options) {
  Evaluation evaluation{kStages[static_cast<std::size_t>(stage)], "test", temperature, true, 18.0 + 2 * stage, {}};
  for (int f = 0; f < options.functions; ++f) {
    for (const Language language : {Language::kCpp, Language::kPython}) {
      PromptResult prompt;
      prompt.unit = "primer/function_" + std::to_string(f);
      prompt.id = prompt.unit + "/" + std::string(to_string(language));
      prompt.family = "family_" + std::to_string(f / 3);
      prompt.language = language;
      prompt.n = samples;
      for (int s = 0; s < samples; ++s) {
        const double chance = skill(stage, prompt.unit, language, temperature);
        const double draw =
            temperature == 0 ? 0.5 : uniform(prompt.id + evaluation.stage, static_cast<std::uint32_t>(s));
        prompt.successes.push_back(draw < chance);
      }
      prompt.c_audit = static_cast<int>(std::count(prompt.successes.begin(), prompt.successes.end(), true));
      prompt.c = prompt.c_audit;
      prompt.truncated = stage == 0 ? samples * 3 / 4 : 0;
      prompt.ended = samples - prompt.truncated;
      evaluation.prompts.push_back(std::move(prompt));
    }
  }
  return evaluation;
}

Result<void> write_steps(const std::filesystem::path& run_dir, const SyntheticRunOptions& options) {
  PLUMB_ASSIGN(MetricsLog log, MetricsLog::open(run_dir));
  for (int step = 1; step <= 24; ++step) {
    const double noise = uniform("sft", static_cast<std::uint32_t>(step)) - 0.5;
    MetricMap metrics = {{"loss", 0.35 + 1.1 * std::exp(-step / 5.0) + 0.12 * noise},
                         {"grad_norm", 2.0 + 3 * std::exp(-step / 4.0) + 0.6 * noise},
                         {"learning_rate", 2e-5 * std::min(1.0, step / 2.0)}};
    if (step % 8 == 0) {
      metrics["eval_loss"] = 0.42 + std::exp(-step / 5.0);
    }
    PLUMB_TRY(log.append("sft", step, metrics, {{"timing_s/step", 4.4 + noise}}));
  }
  for (int step = 1; step <= options.grpo_steps; ++step) {
    const double t = static_cast<double>(step) / options.grpo_steps;
    const auto noise = [&](const char* name) { return uniform(name, static_cast<std::uint32_t>(step)) - 0.5; };
    const double tests = 0.36 + 0.22 * t + 0.2 * noise("tests");
    const double math = 0.45 + 0.12 * t + 0.3 * noise("math");
    const MetricMap metrics = {{"reward", 0.8 * tests + 0.2 * math},
                               {"reward/tests/mean", tests},
                               {"reward/math/mean", math},
                               {"reward_std", 0.38 - 0.08 * t + 0.08 * noise("std")},
                               {"reward/audit_gap", 0.02 + 0.02 * t + 0.02 * noise("gap")},
                               {"frac_reward_zero_std", std::clamp(0.2 + 0.2 * t + 0.3 * noise("zero"), 0.0, 1.0)},
                               {"completions/mean_length", 44 - 4 * t + 6 * noise("length")},
                               {"completions/max_length", 90 + 12 * noise("max")},
                               {"completions/clipped_ratio", std::max(0.0, 0.03 - 0.02 * t + 0.03 * noise("clip"))},
                               {"completions/eos_ratio", 0.97},
                               {"completions/duplicates", 0.12 + 0.2 * t + 0.1 * noise("dup")},
                               {"entropy", 0.34 - 0.12 * t + 0.05 * noise("entropy")},
                               {"policy_loss", 0.002 * noise("loss")},
                               {"ratio/max_abs_dev", 0},
                               {"grad_norm", 0.6 + 0.3 * noise("grad")},
                               {"learning_rate", 1e-5 * std::min(1.0, step / 3.0) * (1 - t)}};
    const MetricMap timings = {{"timing_s/sample", 6.1 + noise("s")},
                               {"timing_s/reward", 0.5 + 0.3 * noise("r")},
                               {"timing_s/train", 4.6 + noise("t")},
                               {"timing_s/checkpoint", step % 20 == 0 ? 2.0 : 0.0},
                               {"timing_s/step", 11.4},
                               {"perf/tflop", 2.5},
                               {"perf/fraction_of_roof", 0.5},
                               {"perf/rss_mib", 2900}};
    PLUMB_TRY(log.append("grpo", step, metrics, timings));
  }
  return {};
}

SampleRecord make_sample(const std::string& unit, Language language, bool right) {
  const bool cpp = language == Language::kCpp;
  SampleRecord sample;
  sample.prompt_id = unit + "/" + std::string(to_string(language));
  sample.language = to_string(language);
  sample.prompt = std::string("Write a ") + (cpp ? "C++" : "Python") +
                  " function that counts the even numbers of a list.\n" +
                  (cpp ? "int count_even(const std::vector<int>& xs)" : "def count_even(xs: list[int]) -> int:") +
                  "\nAnswer with one code block.";
  const std::string rest = right ? "% 2 == 0" : "% 2 == 1";
  sample.text =
      cpp ? "```cpp\nint count_even(const std::vector<int>& xs) {\n  int n = 0;\n  for (int x : xs) {\n    if (x " +
                rest + ") {\n      n += 1;\n    }\n  }\n  return n;\n}\n```"
          : "```python\ndef count_even(xs: list[int]) -> int:\n    return sum(1 for x in xs if x " + rest + ")\n```";
  sample.tokens = 48;
  sample.finish = "stop";
  sample.reward = right ? 1 : 0;
  sample.audit = right ? 1 : 0;
  sample.verdict = right ? "AC" : "WA";
  sample.parts = {{"tests", sample.reward, 1, right ? "24 of 24 tests pass" : "WA in test 2 (1 of 24 tests pass)"}};
  return sample;
}

void make_rambling(SampleRecord& sample) {
  sample.text =
      "To count the even numbers, we can loop over the list and check each number.\n\n```cpp\n#include <iostream>\n"
      "using namespace std;\n\nint main() {\n  vector<int> xs = {1, 2, 3};\n  for (int i = 0; i < xs.size(";
  sample.finish = "length";
  sample.verdict = "";
  sample.parts = {{"tests", 0, 1, "no closed code block"}};
}

void make_uncompilable(SampleRecord& sample) {
  sample.text =
      "```cpp\nint count_even(const std::vector<int>& xs) {\n  return std::count_if(xs, [](int x) { return x % 2; "
      "})\n}\n```";
  sample.verdict = "CE";
  sample.diagnostics = {
      {"error", "expected ';' before '}' token", 2, 56},
      {"error", "no matching function for call to 'count_if(const std::vector<int>&, <lambda(int)>)'", 2, 23},
      {"note", "candidate expects 3 arguments, 2 provided", 4100, 5}};
  sample.parts = {{"tests", 0, 1, "does not compile: expected ';' before '}' token"}};
}

void make_hostile(SampleRecord& sample) {
  for (std::string* text : {&sample.prompt_id, &sample.prompt, &sample.text, &sample.output, &sample.unscored}) {
    *text += kHostile;
  }
  sample.diagnostics.push_back({"error", kHostile, 1, 1});
  sample.parts.push_back({"tests", 0, 1, kHostile});
  sample.prompt_id = "<img src=x onerror=alert(1)>" + sample.language;  // ids come from users' data: always UTF-8
}

std::vector<SampleRecord> make_samples(const SyntheticRunOptions& options) {
  std::vector<SampleRecord> samples;
  for (int f = 0; f < std::min(10, options.functions); ++f) {
    for (int stage = 0; stage < 3; ++stage) {
      const Language language = f % 2 == 0 ? Language::kCpp : Language::kPython;
      const std::string unit = "primer/function_" + std::to_string(f);
      SampleRecord sample = make_sample(unit, language, skill(stage, unit, language, 0) > 0.5);
      if (sample.reward == 0 && stage == 0) {
        make_rambling(sample);
      } else if (sample.reward == 0 && language == Language::kCpp) {
        make_uncompilable(sample);
      }
      sample.stage = kStages[static_cast<std::size_t>(stage)];
      sample.kind = "eval";
      sample.set = "test";
      sample.temperature = 0;
      samples.push_back(std::move(sample));
    }
  }
  for (int step = 1; step <= options.grpo_steps; step += 7) {
    for (int i = 0; i < 8; ++i) {
      SampleRecord sample = make_sample("primer/trained", step % 2 == 0 ? Language::kCpp : Language::kPython,
                                        uniform("group", static_cast<std::uint32_t>(step * 8 + i)) < 0.5);
      sample.stage = "grpo";
      sample.kind = "train";
      sample.step = step;
      sample.sample = i;
      sample.audit = -1;
      samples.push_back(std::move(sample));
    }
  }
  if (options.hostile) {
    for (SampleRecord& sample : samples) {
      make_hostile(sample);
    }
  }
  return samples;
}

}  // namespace

Result<void> write_synthetic_run(const std::filesystem::path& run_dir, const SyntheticRunOptions& options) {
  RunManifest manifest = make_manifest();
  manifest.plumb_version = "0.1.0";
  manifest.seed = 1;
  manifest.started_at = "2026-01-31T12:00:00Z";
  PLUMB_TRY(write_manifest(manifest, (run_dir / "manifest.json").string()));
  std::string config = "[run]\nseed = 1\n\n[grpo]\nsteps = 60\ngroup_size = 8\nlearning_rate = 1e-5\n";
  config += options.hostile ? kHostile : "";
  PLUMB_TRY(write_file_atomic((run_dir / "config.toml").string(), config));
  PLUMB_TRY(write_steps(run_dir, options));
  for (int stage = 0; stage < 3; ++stage) {
    PLUMB_TRY(save_evaluation(run_dir, make_evaluation(stage, 0, 1, options)));
    for (const double temperature : {0.3, 0.6, 1.0}) {
      PLUMB_TRY(save_evaluation(run_dir, make_evaluation(stage, temperature, 8, options)));
    }
  }
  std::string lines;
  for (const SampleRecord& sample : make_samples(options)) {
    lines += to_json(sample).dump() + "\n";
  }
  return write_file_atomic((run_dir / "samples.jsonl").string(), lines);
}

}  // namespace plumb
